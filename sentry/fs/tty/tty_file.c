/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files of terminals: reading with VMIN and VTIME, writing, polling.  Bytes pass through a
 * buffer of ours; no lock is held while they are copied.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/file_owner.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define READ_FIRST 64U	  /* Linux reads so much at first, and VMIN counts in that */
#define WRITE_CHUNK 2048U
#define TENTH_NS (100ULL * 1000 * 1000)

struct tty_file *tty_file_of(struct file *file)
{
	return file->private_data;
}

static bool by_lines(const struct tty *tty)
{
	return tty->n.icanon && !(tty->termios.lflag & LINUX_EXTPROC);
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
	struct tty_file *tf;
	uint8_t buf[N_TTY_SIZE + READ_FIRST];
	size_t size;	   /* wanted, at most what buf holds */
	size_t filled;
	bool may_sleep;
	size_t minimum;	   /* before the first part of a read may end */
	uint64_t gap_ns;   /* VTIME between characters; 0 none */
	uint64_t deadline; /* DEADLINE_NONE, or when waiting ends with what there is */
	bool expired;
};

/* VMIN and VTIME as they are when the read begins. */
static void set_limits(struct reading *r)
{
	const struct tty *tty = r->tf->tty;
	uint64_t time = tty->termios.cc[LINUX_VTIME] * TENTH_NS;

	r->deadline = DEADLINE_NONE;
	if (tty->n.icanon)
		return;
	r->minimum = tty->termios.cc[LINUX_VMIN];
	if (r->minimum) {
		r->gap_ns = time;
		return;
	}
	r->minimum = 1;
	r->expired = !time;
	if (time && r->may_sleep)
		r->deadline = clock_now(LINUX_CLOCK_MONOTONIC) + time;
}

/* Nothing to read: 1 to look again, else the read ends with that.  Drops the lock to sleep. */
static int wait_for_input(struct reading *r)
{
	struct tty *tty = r->tf->tty;
	struct wait_entry entry;
	bool ready;
	int rc = 0;

	if (tty->other_closed)
		return -EIO;
	if (atomic_load(&r->tf->hung_up) || r->expired)
		return 0;
	if (!r->may_sleep)
		return -EAGAIN;
	wait_begin(&entry, &tty->queue, ~0U);
	pty_unlock(tty->pty);
	pty_lock(tty->pty);
	ready = n_tty_input_available(tty, false) || tty->other_closed || tty_other(tty)->packet_status ||
		atomic_load(&r->tf->hung_up);
	pty_unlock(tty->pty);
	if (!ready)
		rc = wait_sleep(r->deadline);
	wait_end(&entry);
	pty_lock(tty->pty);
	if (rc == -EINTR)
		return -ERESTARTSYS;
	r->expired = rc == -ETIMEDOUT;
	return 1;
}

/* A change that packet mode reports comes alone. */
static bool take_packet_status(struct reading *r)
{
	struct tty *other = tty_other(r->tf->tty);

	if (!r->tf->tty->packet || !other->packet_status || r->filled)
		return false;
	r->buf[r->filled++] = other->packet_status;
	other->packet_status = 0;
	return true;
}

static bool copy_part(struct reading *r, size_t limit)
{
	struct tty *tty = r->tf->tty;

	if (by_lines(tty))
		return n_tty_copy_canon(tty, r->buf, &r->filled, limit);
	if (tty->packet && !r->filled)
		r->buf[r->filled++] = LINUX_TIOCPKT_DATA;
	return n_tty_copy_raw(tty, r->buf, &r->filled, limit);
}

/* The part that may wait.  1: more is there at once; 0: done; or an error. */
static int read_first(struct reading *r)
{
	struct tty *tty = r->tf->tty;
	size_t limit = MIN(r->size, READ_FIRST);

	while (r->filled < limit) {
		bool more;

		if (take_packet_status(r))
			return 0;
		if (tty->packet && tty_other(tty)->packet_status)
			return 0;
		if (!n_tty_input_available(tty, false)) {
			int rc = wait_for_input(r);

			if (rc <= 0)
				return rc;
			continue;
		}
		more = copy_part(r, limit);
		if (more && (by_lines(tty) || r->filled >= r->minimum))
			return 1;
		tty_refill(tty);
		if (r->filled >= r->minimum)
			return 0;
		if (r->gap_ns && r->may_sleep)
			r->deadline = clock_now(LINUX_CLOCK_MONOTONIC) + r->gap_ns;
	}
	return 0;
}

static void read_rest(struct reading *r)
{
	struct tty *tty = r->tf->tty;

	while (r->filled < r->size)
		if (!copy_part(r, r->size))
			return;
	if (by_lines(tty))
		n_tty_skip_eof(tty);
}

static ssize_t read_tty(struct file *file, struct io_iter *to, bool may_sleep)
{
	struct reading r __attribute__((uninitialized));
	struct tty *tty = tty_file_of(file)->tty;
	int rc;

	if (atomic_load(&tty_file_of(file)->hung_up))
		return 0;
	if (pty_flag(tty->pty, &tty->io_error))
		return -EIO;
	if (tty->end == PTY_SLAVE && task_current()) {
		rc = terminal_check_change(task_current(), &tty->pty->terminal, LINUX_SIGTTIN);
		if (rc)
			return rc;
	}
	if (!to->count)
		return 0;
	r.tf = tty_file_of(file);
	r.size = MIN(to->count, sizeof(r.buf));
	r.filled = r.minimum = 0;
	r.gap_ns = 0;
	r.may_sleep = may_sleep;
	r.expired = false;
	pty_lock(tty->pty);
	set_limits(&r);
	rc = read_first(&r);
	if (rc > 0)
		read_rest(&r);
	tty_refill(tty);
	pty_unlock(tty->pty);
	return r.filled ? io_iter_copy_to(to, r.buf, r.filled) : rc;
}

static ssize_t tty_file_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return read_tty(file, to, false);
}

static ssize_t tty_file_read_wait(struct file *file, struct io_iter *to)
{
	return read_tty(file, to, true);
}

/* --- writing --------------------------------------------------------------------------------- */

static int check_write(struct tty_file *tf)
{
	struct tty *tty = tf->tty;
	bool closed, stops;

	pty_lock(tty->pty);
	closed = tty->io_error;
	stops = tty->termios.lflag & LINUX_TOSTOP;
	pty_unlock(tty->pty);
	if (atomic_load(&tf->hung_up) || closed)
		return -EIO;
	if (tty->end == PTY_SLAVE && task_current() && stops)
		return terminal_check_change(task_current(), &tty->pty->terminal, LINUX_SIGTTOU);
	return 0;
}

/* One chunk: what was taken of it, or an error. */
static ssize_t write_chunk(struct tty_file *tf, struct io_iter *from)
{
	uint8_t buf[WRITE_CHUNK] __attribute__((uninitialized));
	struct tty *tty = tf->tty;
	struct io_iter before = *from;
	ssize_t size = io_iter_copy_from(from, buf, sizeof(buf)), done;

	if (size <= 0)
		return size;
	pty_lock(tty->pty);
	if (atomic_load(&tf->hung_up) || (tty->end == PTY_SLAVE && tty->pty->dead))
		done = -EIO;
	else
		done = (ssize_t)n_tty_write(tty, buf, (size_t)size);
	pty_unlock(tty->pty);
	*from = before;
	if (done > 0)
		io_iter_advance(from, (uint64_t)done);
	return done;
}

static ssize_t tty_file_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct tty_file *tf = tty_file_of(file);
	int rc = check_write(tf);
	ssize_t done = 0;

	if (rc)
		return rc;
	while (from->count) {
		ssize_t n = write_chunk(tf, from);

		if (n < 0 && !done)
			return n;
		if (n <= 0)
			return done ? done : -EAGAIN;
		done += n;
	}
	return done;
}

/* --- the rest --------------------------------------------------------------------------------- */

static uint32_t tty_file_poll(struct file *file)
{
	struct tty_file *tf = tty_file_of(file);
	struct tty *tty = tf->tty;
	uint32_t ready = 0;

	if (atomic_load(&tf->hung_up))
		return LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP |
		       LINUX_EPOLLRDNORM | LINUX_EPOLLWRNORM;
	pty_lock(tty->pty);
	if (n_tty_input_available(tty, true))
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (tty->packet && tty_other(tty)->packet_status)
		ready |= LINUX_EPOLLPRI | LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (tty->other_closed)
		ready |= LINUX_EPOLLHUP;
	if (tty_write_room(tty))
		ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
	pty_unlock(tty->pty);
	return ready;
}

static struct wait_queue *tty_file_poll_queue(struct file *file)
{
	return &tty_file_of(file)->tty->queue;
}

static struct async_list *tty_file_async_list(struct file *file)
{
	return &tty_file_of(file)->tty->async;
}

static int tty_file_async_begin(struct file *file)
{
	struct tty *tty = tty_file_of(file)->tty;

	return file_owner_set_terminal(task_current(), file,
				       tty->end == PTY_SLAVE ? &tty->pty->terminal : NULL);
}

static void tty_file_release(struct file *file)
{
	tty_detach(tty_file_of(file));
}

const struct file_ops tty_file_ops = {
	.release = tty_file_release,
	.read = tty_file_read,
	.read_wait = tty_file_read_wait,
	.write = tty_file_write,
	.poll = tty_file_poll,
	.poll_queue = tty_file_poll_queue,
	.async_list = tty_file_async_list,
	.async_begin = tty_file_async_begin,
	.ioctl = tty_file_ioctl,
};
