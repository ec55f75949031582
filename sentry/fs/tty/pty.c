/* SPDX-License-Identifier: Apache-2.0 */
/* The pair: life, the way of the bytes between the ends, flow control, hanging up.  See tty.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

/* --- life ------------------------------------------------------------------------------- */

static void pty_release(struct terminal *terminal)
{
	struct pty *pty = pty_of(terminal);

	for (int i = 0; i < 2; i++) {
		ASSERT(list_empty(&pty->ends[i].files));
		wait_queue_destroy(&pty->ends[i].queue);
		async_list_destroy(&pty->ends[i].async);
		free(pty->ends[i].backlog);
	}
	mutex_destroy(&pty->lock);
	free(pty);
}

static void end_init(struct pty *pty, enum pty_end end)
{
	struct tty *tty = &pty->ends[end];

	tty->pty = pty;
	tty->end = end;
	wait_queue_init(&tty->queue);
	async_list_init(&tty->async);
	list_init(&tty->files);
	tty->termios = tty_default_termios;
	if (end == PTY_MASTER)
		tty->termios.iflag = tty->termios.oflag = tty->termios.lflag = 0;
	n_tty_set_termios(tty, NULL);
	tty->wake = false;
}

int pty_new(uint32_t index, struct pty **out)
{
	struct pty *pty = calloc(1, sizeof(*pty));

	if (!pty)
		return -ENOMEM;
	terminal_init(&pty->terminal, pty_release, linux_makedev(PTY_SLAVE_MAJOR, index));
	mutex_init(&pty->lock, LOCK_RANK_TTY);
	pty->index = index;
	pty->locked = true;
	end_init(pty, PTY_MASTER);
	end_init(pty, PTY_SLAVE);
	*out = pty;
	return 0;
}

void pty_get(struct pty *pty)
{
	terminal_get(&pty->terminal);
}

void pty_put(struct pty *pty)
{
	if (pty)
		terminal_put(&pty->terminal);
}

/* --- the lock, and what is done when it is dropped ---------------------------------------- */

void pty_lock(struct pty *pty)
{
	mutex_lock(&pty->lock);
}

void pty_unlock(struct pty *pty)
{
	uint32_t signals = pty->signals;
	bool wake[2], input_ready[2];

	pty->signals = 0;
	for (int i = 0; i < 2; i++) {
		wake[i] = pty->ends[i].wake;
		input_ready[i] = pty->ends[i].input_ready;
		pty->ends[i].wake = pty->ends[i].input_ready = false;
	}
	/* The caller's own reference may go as soon as others are woken. */
	if (signals || wake[0] || wake[1])
		pty_get(pty);
	mutex_unlock(&pty->lock);
	if (!signals && !wake[0] && !wake[1])
		return;
	for (int signo = 1; signals; signo++, signals >>= 1)
		if (signals & 1)
			terminal_signal(kernel_get(), &pty->terminal, signo);
	for (int i = 0; i < 2; i++) {
		if (wake[i])
			wait_queue_wake_all(&pty->ends[i].queue, ~0U);
		if (input_ready[i])
			async_report(&pty->ends[i].async, ASYNC_IN);
	}
	pty_put(pty);
}

bool pty_flag(struct pty *pty, const bool *flag)
{
	bool set;

	pty_lock(pty);
	set = *flag;
	pty_unlock(pty);
	return set;
}

void tty_signal(struct tty *tty, int signo)
{
	tty->pty->signals |= 1U << (signo - 1);
}

void tty_packet_event(struct tty *tty, uint8_t clear, uint8_t set)
{
	struct tty *other = tty_other(tty);

	if (!other->packet)
		return;
	tty->packet_status = (uint8_t)((tty->packet_status & ~clear) | set);
	other->wake = true;
}

/* --- bytes --------------------------------------------------------------------------------- */

static size_t backlog_room(const struct tty *tty)
{
	return TTY_BACKLOG_SIZE - tty->backlog_size;
}

static size_t backlog_add(struct tty *tty, const uint8_t *bytes, size_t count)
{
	if (!count)
		return 0;
	if (!tty->backlog) {
		tty->backlog = malloc(TTY_BACKLOG_SIZE);
		if (!tty->backlog)
			return 0;
	}
	count = MIN(count, backlog_room(tty));
	for (size_t i = 0; i < count; i++)
		tty->backlog[(tty->backlog_head + tty->backlog_size + i) % TTY_BACKLOG_SIZE] = bytes[i];
	tty->backlog_size += (uint32_t)count;
	return count;
}

void tty_drop_backlog(struct tty *tty)
{
	if (!tty->backlog_size)
		return;
	tty->backlog_head = tty->backlog_size = 0;
	tty_other(tty)->wake = true;
}

void tty_refill(struct tty *tty)
{
	bool moved = false;

	while (tty->backlog_size) {
		size_t count = MIN(tty->backlog_size, TTY_BACKLOG_SIZE - tty->backlog_head);

		count = n_tty_receive(tty, tty->backlog + tty->backlog_head, count);
		if (!count)
			break;
		tty->backlog_head = (tty->backlog_head + (uint32_t)count) % TTY_BACKLOG_SIZE;
		tty->backlog_size -= (uint32_t)count;
		moved = true;
	}
	if (moved)
		tty_other(tty)->wake = true;
}

size_t tty_input(struct tty *tty, const uint8_t *bytes, size_t count)
{
	size_t done = tty->backlog_size ? 0 : n_tty_receive(tty, bytes, count);

	return done + backlog_add(tty, bytes + done, count - done);
}

size_t tty_write_room(const struct tty *tty)
{
	if (tty->stopped)
		return 0;
	return backlog_room(&tty->pty->ends[tty->end == PTY_MASTER ? PTY_SLAVE : PTY_MASTER]);
}

size_t tty_output(struct tty *tty, const uint8_t *bytes, size_t count)
{
	if (tty->stopped || !count)
		return 0;
	return tty_input(tty_other(tty), bytes, count);
}

void tty_flush_output(struct tty *tty)
{
	tty_drop_backlog(tty_other(tty));
	tty_packet_event(tty, 0, LINUX_TIOCPKT_FLUSHWRITE);
}

void tty_flush_input(struct tty *tty)
{
	n_tty_flush_input(tty);
	tty_refill(tty);
	tty_packet_event(tty, 0, LINUX_TIOCPKT_FLUSHREAD);
}

void tty_stop(struct tty *tty)
{
	if (tty->stopped)
		return;
	tty->stopped = true;
	tty_packet_event(tty, LINUX_TIOCPKT_START, LINUX_TIOCPKT_STOP);
}

void tty_start(struct tty *tty)
{
	if (!tty->stopped || tty->tco_stopped)
		return;
	tty->stopped = false;
	tty_packet_event(tty, LINUX_TIOCPKT_STOP, LINUX_TIOCPKT_START);
	tty->wake = true;
}

void pty_set_size(struct pty *pty, const struct linux_winsize *size)
{
	pty_lock(pty);
	if (memcmp(&pty->size, size, sizeof(*size)) != 0) {
		pty->size = *size;
		tty_signal(&pty->ends[PTY_SLAVE], LINUX_SIGWINCH);
	}
	pty_unlock(pty);
}

/* --- open files ------------------------------------------------------------------------------ */

int tty_attach(struct tty *tty, struct file *file)
{
	struct tty_file *tf = calloc(1, sizeof(*tf));

	if (!tf)
		return -ENOMEM;
	tf->tty = tty;
	pty_get(tty->pty);
	list_add_tail(&tty->files, &tf->node);
	tty->open_count++;
	tty->io_error = false;
	tty_other(tty)->other_closed = false;
	file->private_data = tf;
	file->ops = &tty_file_ops;
	return 0;
}

/* With the lock: hung-up files are dead for ever, but a new one may be opened. */
static void hang_up_files(struct tty *tty)
{
	struct tty_file *tf;

	list_for_each(tf, &tty->files, node)
		atomic_store(&tf->hung_up, true);
	tty->wake = true;
}

static void reset_slave(struct tty *slave)
{
	struct linux_termios2 old = slave->termios;

	n_tty_flush_input(slave);
	tty_flush_output(slave);
	slave->packet_status = 0;
	slave->termios = tty_default_termios;
	n_tty_set_termios(slave, &old);
}

void pty_hangup(struct pty *pty)
{
	struct tty *slave = &pty->ends[PTY_SLAVE];

	pty_lock(pty);
	hang_up_files(slave);
	pty_unlock(pty);
	terminal_hangup(kernel_get(), &pty->terminal);
	pty_lock(pty);
	reset_slave(slave);
	pty_unlock(pty);
}

/* The end's last file is closed; the lock is held. */
static void end_closed(struct tty *tty)
{
	struct tty *other = tty_other(tty);

	tty->io_error = true;
	tty->packet = false;
	other->other_closed = true;
	tty->wake = other->wake = true;
	if (tty->end == PTY_MASTER) {
		tty->other_closed = true;
		tty->pty->dead = true;
	} else {
		/* Output that nobody can add to is no longer stopped by anybody. */
		tty->stopped = tty->tco_stopped = false;
	}
}

void tty_detach(struct tty_file *tf)
{
	struct tty *tty = tf->tty;
	struct pty *pty = tty->pty;
	bool last, final = false;

	pty_lock(pty);
	list_remove(&tf->node);
	last = --tty->open_count == 0;
	if (last)
		end_closed(tty);
	if (pty->dead && !pty->ends[PTY_MASTER].open_count && !pty->ends[PTY_SLAVE].open_count &&
	    !pty->released)
		final = pty->released = true;
	pty_unlock(pty);
	if (last && tty->end == PTY_MASTER) {
		devpts_remove(pty);
		pty_hangup(pty);
	}
	if (final) {
		terminal_closed(kernel_get(), &pty->terminal);
		devpts_release(pty);
	}
	pty_put(pty);
	free(tf);
}
