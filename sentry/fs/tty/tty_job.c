/* SPDX-License-Identifier: Apache-2.0 */
/* The ioctls of job control.  They too act on the slave: the master is nobody's terminal. */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/ioctl.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"

static int64_t set_foreground(struct task *t, struct terminal *terminal, struct mm *mm, uint64_t arg)
{
	int32_t pgid;
	int rc = terminal_check_change(t, terminal, LINUX_SIGTTOU);

	if (rc)
		return rc == -EIO ? -ENOTTY : rc;
	rc = copy_in_u32(mm, (uint32_t *)&pgid, guest_addr(arg));
	if (rc)
		return rc;
	return pgid < 0 ? -EINVAL : terminal_set_foreground(t, terminal, pgid);
}

int64_t tty_job_ioctl(struct file *file, struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct terminal *terminal = &tty->pty->terminal;
	struct task *t = task_current();
	bool master = tty->end == PTY_MASTER;
	int32_t number;
	int rc;

	switch (cmd) {
	case LINUX_TIOCNOTTY:
		return master ? -ENOTTY : terminal_give_up(t, terminal);
	case LINUX_TIOCSCTTY:
		return terminal_set_controlling(t, terminal, (int32_t)arg == 1, file->can_read);
	case LINUX_TIOCGPGRP:
		rc = terminal_get_foreground(t, terminal, master, &number);
		break;
	case LINUX_TIOCGSID:
		rc = terminal_get_session(t, terminal, master, &number);
		break;
	case LINUX_TIOCSPGRP:
		return set_foreground(t, terminal, mm, arg);
	default:
		return TTY_NO_IOCTL;
	}
	return rc ? rc : copy_out_u32(mm, guest_addr(arg), (uint32_t)number);
}
