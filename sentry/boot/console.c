/* SPDX-License-Identifier: Apache-2.0 */
/* See console.h.  Locks: c->lock (LOCK_RANK_LEAF) for the drain; the buffers are the thread's alone. */
#include "sentry/boot/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/wait/host_poller.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/host/host_epoll.h"
#include "sentry/host/host_stream.h"
#include "sentry/host/host_thread.h"
#include "sentry/host/host_tty.h"
#include "sentry/kernel/timer.h"
#include "sentry/vfs/file.h"
#include "sentry/wait/wait.h"
#include "util/cleanup.h"

#define CHUNK 4096
#define DRAIN_LIMIT_NS (2ULL * 1000 * 1000 * 1000)

struct half {
	uint8_t bytes[CHUNK];
	size_t start, size;
};

struct console {
	struct refcount refs;
	int host_fd, watch_fd;	 /* owned; do not change */
	struct file *master;	 /* reference; the thread's once it runs */
	struct pty *pty;	 /* reference; does not change */
	struct wait_queue queue; /* host FDs, resize and drain wake the thread here */
	struct host_poll_entry host_poll, watch_poll;
	struct half in, out;	 /* the thread's */
	bool host_gone;		 /* the thread's */
	_Atomic bool resize;
	struct wait_queue drained;
	struct mutex lock;
	uint32_t drain_wanted, drain_done; /* lock */
	bool ended;			   /* lock */
};

/* --- life ------------------------------------------------------------------------------------- */

void console_put(struct console *c)
{
	if (!c || !refcount_put(&c->refs))
		return;
	host_poller_remove(&c->host_poll);
	host_poller_remove(&c->watch_poll);
	if (c->host_fd >= 0)
		host_stream_close(c->host_fd);
	if (c->watch_fd >= 0)
		host_stream_close(c->watch_fd);
	if (c->master)
		file_put(c->master);
	pty_put(c->pty);
	wait_queue_destroy(&c->queue);
	wait_queue_destroy(&c->drained);
	mutex_destroy(&c->lock);
	free(c);
}

struct console *console_get(struct console *c)
{
	refcount_get(&c->refs);
	return c;
}

static struct console *console_new(int host_fd, int watch_fd)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c) {
		host_stream_close(host_fd);
		if (watch_fd >= 0)
			host_stream_close(watch_fd);
		return NULL;
	}
	refcount_init(&c->refs);
	c->host_fd = host_fd;
	c->watch_fd = watch_fd;
	wait_queue_init(&c->queue);
	wait_queue_init(&c->drained);
	mutex_init(&c->lock, LOCK_RANK_LEAF);
	return c;
}

static int open_master(struct console *c, const struct vfs_context *ctx)
{
	const struct open_how how = { .flags = LINUX_O_RDWR | LINUX_O_NOCTTY };
	int rc = vfs_open(ctx, LINUX_AT_FDCWD, "/dev/ptmx", &how, &c->master);

	if (rc < 0)
		return rc;
	if (c->master->ops != &tty_file_ops)
		return -ENOTTY; /* the container's own idea of a ptmx */
	c->pty = tty_file_of(c->master)->tty->pty;
	pty_get(c->pty);
	pty_lock(c->pty);
	c->pty->locked = false;
	pty_unlock(c->pty);
	return 0;
}

/* As runc: the terminal belongs to the process's user, its group stays devpts'. */
static int open_slave(struct console *c, const struct vfs_context *ctx, uint32_t uid,
		      struct file **out)
{
	const struct open_how how = { .flags = LINUX_O_RDWR | LINUX_O_NOCTTY };
	struct setattr owner = { .mask = SETATTR_UID, .uid = uid };
	char name[32];
	struct path path;
	int rc;

	snprintf(name, sizeof(name), "/dev/pts/%u", c->pty->index);
	rc = vfs_open(ctx, LINUX_AT_FDCWD, name, &how, out);
	if (rc < 0)
		return rc;
	if ((*out)->ops != &tty_file_ops || tty_file_of(*out)->tty->pty != c->pty)
		rc = -ENOTTY;
	if (!rc)
		rc = vfs_lookup(ctx, LINUX_AT_FDCWD, name, 0, &path);
	if (!rc) {
		rc = vfs_setattr(ctx, &path, &owner);
		path_put(&path);
	}
	if (rc)
		file_put(*out);
	return rc;
}

static void take_size(struct console *c)
{
	struct host_tty_size size;
	struct linux_winsize now;

	if (host_tty_get_size(c->host_fd, &size) < 0)
		return;
	now = (struct linux_winsize){ size.rows, size.cols, size.xpixel, size.ypixel };
	pty_set_size(c->pty, &now);
}

static int open_pair(struct console *c, struct sandbox_container *owner,
		     const struct boot_process *process, struct fd_table *table)
{
	struct builder b;
	struct file *slave;
	int rc = builder_open(owner, &b);

	if (rc < 0)
		return rc;
	rc = open_master(c, &b.ctx);
	if (rc == 0)
		rc = open_slave(c, &b.ctx, process->uid, &slave);
	builder_close(&b);
	if (rc < 0)
		return rc;
	for (int fd = 0; fd <= 2 && rc >= 0; fd++)
		rc = fd_table_install_at(table, slave, fd, UINT32_MAX, false);
	file_put(slave);
	if (rc < 0)
		return rc;
	if (process->terminal_plain) {
		struct linux_termios2 modes = tty_default_termios;

		modes.oflag &= ~LINUX_ONLCR;
		tty_set_termios(&c->pty->ends[PTY_SLAVE], &modes);
	}
	take_size(c);
	return 0;
}

/* As runc: init's terminal is /dev/console too, unless that cannot be made. */
static int mount_console(struct sandbox_container *owner, const struct console *c)
{
	struct path slave, at;
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "/dev/pts/%u", c->pty->index);
	rc = boot_find_path(owner, name, &slave);
	if (rc < 0)
		return rc;
	rc = boot_make_path(owner, "/dev/console", false, &at);
	if (rc == 0) {
		rc = vfs_bind_mount(&slave, &at, false, 0);
		path_put(&at);
	}
	path_put(&slave);
	return rc == -EROFS ? 0 : rc;
}

int console_open(struct sandbox_container *owner, const struct boot_process *process, bool is_init,
		 int host_fd, int watch_fd, struct fd_table *table, struct console **out,
		 struct boot_failure *why)
{
	struct console *c = console_new(host_fd, watch_fd);
	int rc = c ? open_pair(c, owner, process, table) : -ENOMEM;

	if (rc == 0 && is_init)
		rc = mount_console(owner, c);
	if (rc < 0) {
		console_put(c);
		return boot_failed(why, rc, "open a terminal (/dev/ptmx): %s", strerror(-rc));
	}
	*out = c;
	return 0;
}

/* --- carrying --------------------------------------------------------------------------------- */

static bool host_closed(ssize_t n)
{
	return n == 0 || (n < 0 && n != -EAGAIN);
}

static bool fill_from_host(struct console *c)
{
	ssize_t n;

	if (c->in.size)
		return true;
	n = host_stream_read(c->host_fd, HOST_STREAM_PIPE, c->in.bytes, CHUNK);
	if (host_closed(n))
		c->host_gone = true;
	if (n <= 0)
		return false;
	c->in.start = 0;
	c->in.size = (size_t)n;
	return true;
}

static bool carry_in(struct console *c)
{
	size_t taken;

	if (c->host_gone || !fill_from_host(c))
		return false;
	pty_lock(c->pty);
	taken = tty_input(&c->pty->ends[PTY_SLAVE], c->in.bytes + c->in.start, c->in.size);
	pty_unlock(c->pty);
	c->in.start += taken;
	c->in.size -= taken;
	return taken != 0;
}

static bool fill_from_guest(struct console *c)
{
	struct tty *master = &c->pty->ends[PTY_MASTER];

	if (c->out.size)
		return true;
	pty_lock(c->pty);
	n_tty_copy_raw(master, c->out.bytes, &c->out.size, CHUNK);
	tty_refill(master);
	pty_unlock(c->pty);
	c->out.start = 0;
	return c->out.size != 0;
}

static bool carry_out(struct console *c)
{
	ssize_t n;

	if (c->host_gone || !fill_from_guest(c))
		return false;
	n = host_stream_write(c->host_fd, HOST_STREAM_PIPE, c->out.bytes + c->out.start, c->out.size);
	if (n < 0 && n != -EAGAIN)
		c->host_gone = true;
	if (n <= 0)
		return false;
	c->out.start += (size_t)n;
	c->out.size -= (size_t)n;
	return true;
}

static void carry_size(struct console *c)
{
	bool changed = atomic_exchange(&c->resize, false);

	while (c->watch_fd >= 0 && host_tty_size_changed(c->watch_fd))
		changed = true;
	if (changed)
		take_size(c);
}

/* Nobody in the sandbox can use it any more, and everything is out. */
static bool guest_gone(struct console *c)
{
	struct kernel *k = kernel_get();
	bool closed, owned;

	pty_lock(c->pty);
	closed = c->pty->ends[PTY_MASTER].other_closed;
	pty_unlock(c->pty);
	if (!closed || c->out.size)
		return false;
	mutex_lock(&k->tasklist_lock);
	owned = c->pty->terminal.session != NULL;
	mutex_unlock(&k->tasklist_lock);
	return !owned;
}

static uint32_t drain_wanted(struct console *c)
{
	uint32_t wanted;

	mutex_lock(&c->lock);
	wanted = c->drain_wanted;
	mutex_unlock(&c->lock);
	return wanted;
}

static void note_drained(struct console *c, uint32_t wanted, bool ended)
{
	bool news;

	mutex_lock(&c->lock);
	news = ended || c->drain_done != wanted;
	c->drain_done = wanted;
	c->ended |= ended;
	mutex_unlock(&c->lock);
	if (news)
		wait_queue_wake_all(&c->drained, ~0U);
}

static void carry(struct console *c)
{
	for (;;) {
		/* Before the look: what was written before a drain was asked for must be out. */
		uint32_t wanted = drain_wanted(c);
		bool moved;

		carry_size(c);
		moved = carry_in(c);
		moved |= carry_out(c);
		if (c->host_gone || (!moved && guest_gone(c)))
			return;
		if (moved)
			continue;
		if (!c->out.size)
			note_drained(c, wanted, false);
		(void)!wait_sleep_uninterruptible(DEADLINE_NONE);
	}
}

static void *console_thread(void *arg)
{
	struct console *c = arg;
	struct wait_entry host, guest;
	struct file *master;

	wait_begin(&host, &c->queue, ~0U);
	wait_begin(&guest, &c->pty->ends[PTY_MASTER].queue, ~0U);
	carry(c);
	wait_end(&guest);
	wait_end(&host);
	note_drained(c, drain_wanted(c), true);
	/* The caller sees the end now, and the guest's session hears of it. */
	host_poller_remove(&c->host_poll);
	host_stream_close(c->host_fd);
	c->host_fd = -1;
	master = move_ptr(c->master);
	file_put(master);
	console_put(c);
	return NULL;
}

int console_start(struct console *c, struct thread_group *g)
{
	int rc = host_poller_add(&c->host_poll, c->host_fd, &c->queue, HOST_EPOLL_ALL);

	if (rc == 0 && c->watch_fd >= 0)
		rc = host_poller_add(&c->watch_poll, c->watch_fd, &c->queue, HOST_EPOLL_ALL);
	if (rc < 0)
		return rc;
	terminal_adopt(g, &c->pty->terminal);
	refcount_get(&c->refs);
	rc = host_thread_start("console", console_thread, c);
	if (rc < 0)
		console_put(c);
	return rc;
}

void console_resize(struct console *c)
{
	atomic_store(&c->resize, true);
	wait_queue_wake_all(&c->queue, ~0U);
}

void console_drain(struct console *c)
{
	uint64_t deadline = clock_now(LINUX_CLOCK_MONOTONIC) + DRAIN_LIMIT_NS;
	struct wait_entry entry;
	uint32_t wanted;
	int rc = 0;

	mutex_lock(&c->lock);
	wanted = ++c->drain_wanted;
	mutex_unlock(&c->lock);
	wait_begin(&entry, &c->drained, ~0U);
	wait_queue_wake_all(&c->queue, ~0U);
	while (rc == 0) {
		bool done;

		mutex_lock(&c->lock);
		done = c->ended || (int32_t)(c->drain_done - wanted) >= 0;
		mutex_unlock(&c->lock);
		if (done)
			break;
		rc = wait_sleep_uninterruptible(deadline);
	}
	wait_end(&entry);
}
