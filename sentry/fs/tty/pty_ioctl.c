/* SPDX-License-Identifier: Apache-2.0 */
/* The ioctls that only a master has. */
#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "util/cleanup.h"

static int64_t set_lock(struct tty *tty, struct mm *mm, uint64_t arg)
{
	uint32_t on;
	int rc = copy_in_u32(mm, &on, guest_addr(arg));

	if (rc)
		return rc;
	pty_lock(tty->pty);
	tty->pty->locked = on;
	pty_unlock(tty->pty);
	return 0;
}

static int64_t set_packet(struct tty *tty, struct mm *mm, uint64_t arg)
{
	uint32_t on;
	int rc = copy_in_u32(mm, &on, guest_addr(arg));

	if (rc)
		return rc;
	pty_lock(tty->pty);
	if (on && !tty->packet)
		tty_other(tty)->packet_status = 0;
	tty->packet = on;
	pty_unlock(tty->pty);
	return 0;
}

static int64_t send_signal(struct tty *tty, uint64_t arg)
{
	int signo = (int)arg;

	if (signo != LINUX_SIGINT && signo != LINUX_SIGQUIT && signo != LINUX_SIGTSTP)
		return -EINVAL;
	pty_lock(tty->pty);
	tty_signal(tty, signo);
	pty_unlock(tty->pty);
	return 0;
}

/* The slave without its name: works whatever is mounted where. */
static int64_t open_peer(struct file *master, struct tty *tty, uint64_t arg)
{
	struct task *t = task_current();
	struct file *file;
	/* What a path would have to be is not asked: there is none. */
	uint32_t flags = (uint32_t)arg & ~(uint32_t)LINUX_O_DIRECTORY;
	int rc = devpts_open_slave(tty->pty, master->mount, flags, &file);

	if (rc)
		return rc;
	rc = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), arg & LINUX_O_CLOEXEC);
	file_put(file);
	return rc;
}

int64_t pty_master_ioctl(struct file *file, struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case LINUX_TIOCSPTLCK:
		return set_lock(tty, mm, arg);
	case LINUX_TIOCGPTLCK:
		return copy_out_u32(mm, guest_addr(arg), pty_flag(tty->pty, &tty->pty->locked));
	case LINUX_TIOCPKT:
		return set_packet(tty, mm, arg);
	case LINUX_TIOCGPKT:
		return copy_out_u32(mm, guest_addr(arg), pty_flag(tty->pty, &tty->packet));
	case LINUX_TIOCGPTN:
		return copy_out_u32(mm, guest_addr(arg), tty->pty->index);
	case LINUX_TIOCSIG:
		return send_signal(tty, arg);
	case LINUX_TIOCGPTPEER:
		return open_peer(file, tty, arg);
	default:
		return TTY_NO_IOCTL;
	}
}
