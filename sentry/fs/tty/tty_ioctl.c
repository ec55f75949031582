/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(2) on terminals: what is neither modes (tty_termios.c) nor job control (tty_job.c). */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/ioctl.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"

static int check_change(struct tty *tty)
{
	/* The master is nobody's controlling terminal. */
	if (tty->end == PTY_MASTER)
		return 0;
	return terminal_check_change(task_current(), &tty->pty->terminal, LINUX_SIGTTOU);
}

/* --- TIOCSTI --------------------------------------------------------------------------------- */

/* As if typed; into one's own terminal only, unless privileged. */
static int64_t simulate_input(struct tty *tty, struct mm *mm, uint64_t arg)
{
	struct task *t = task_current();
	struct terminal *own = terminal_of(t);
	bool allowed = tty->end == PTY_SLAVE && own == &tty->pty->terminal;
	uint8_t c;
	int rc;

	terminal_put(own);
	if (!allowed && !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	rc = copy_in(mm, &c, guest_addr(arg), 1);
	if (rc)
		return rc;
	pty_lock(tty->pty);
	n_tty_receive(tty, &c, 1);
	pty_unlock(tty->pty);
	return 0;
}

/* Looked at before it is found that there is no serial port. */
static int64_t refuse_serial(struct mm *mm, uint64_t arg)
{
	uint8_t settings[72]; /* struct serial_struct */
	int rc = copy_in(mm, settings, guest_addr(arg), sizeof(settings));

	return rc ? rc : -ENOTTY;
}

/* --- window size ------------------------------------------------------------------------------ */

static int64_t get_size(struct tty *tty, struct mm *mm, uint64_t arg)
{
	struct linux_winsize size;

	pty_lock(tty->pty);
	size = tty->pty->size;
	pty_unlock(tty->pty);
	return copy_out(mm, guest_addr(arg), &size, sizeof(size));
}

static int64_t set_size(struct tty *tty, struct mm *mm, uint64_t arg)
{
	struct linux_winsize size;
	int rc = copy_in(mm, &size, guest_addr(arg), sizeof(size));

	if (!rc)
		pty_set_size(tty->pty, &size);
	return rc;
}

/* --- flow control and flushing ---------------------------------------------------------------- */

/* TCIOFF, TCION: the character goes out although output may be stopped. */
static void send_xchar(struct tty *tty, uint8_t c)
{
	bool stopped = tty->stopped;

	if (c == N_TTY_DISABLED)
		return;
	if (stopped)
		tty_start(tty);
	tty_output(tty, &c, 1);
	if (stopped)
		tty_stop(tty);
}

static int64_t flow(struct tty *tty, uint64_t arg)
{
	int rc = check_change(tty);

	if (rc)
		return rc;
	pty_lock(tty->pty);
	switch ((int)arg) {
	case LINUX_TCOOFF:
		if (!tty->tco_stopped) {
			tty->tco_stopped = true;
			tty_stop(tty);
		}
		break;
	case LINUX_TCOON:
		if (tty->tco_stopped) {
			tty->tco_stopped = false;
			tty_start(tty);
		}
		break;
	case LINUX_TCIOFF:
		send_xchar(tty, tty->termios.cc[LINUX_VSTOP]);
		break;
	case LINUX_TCION:
		send_xchar(tty, tty->termios.cc[LINUX_VSTART]);
		break;
	default:
		rc = -EINVAL;
		break;
	}
	pty_unlock(tty->pty);
	return rc;
}

static int64_t flush(struct tty *tty, uint64_t arg)
{
	int how = (int)arg, rc = check_change(tty);

	if (rc)
		return rc;
	if (how != LINUX_TCIFLUSH && how != LINUX_TCOFLUSH && how != LINUX_TCIOFLUSH)
		return -EINVAL;
	pty_lock(tty->pty);
	if (how != LINUX_TCOFLUSH) {
		tty_drop_backlog(tty);
		tty_flush_input(tty);
	}
	if (how != LINUX_TCIFLUSH)
		tty_flush_output(tty);
	pty_unlock(tty->pty);
	return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int64_t set_exclusive(struct tty *tty, bool on)
{
	pty_lock(tty->pty);
	tty->exclusive = on;
	pty_unlock(tty->pty);
	return 0;
}

static int64_t set_discipline(struct tty *tty, struct mm *mm, uint64_t arg)
{
	uint32_t number;
	int rc = check_change(tty);

	if (!rc)
		rc = copy_in_u32(mm, &number, guest_addr(arg));
	if (rc)
		return rc;
	return number == LINUX_N_TTY ? 0 : -EINVAL;
}

static int64_t readable(struct tty *tty, struct mm *mm, uint64_t arg)
{
	size_t count;

	pty_lock(tty->pty);
	count = n_tty_readable(tty);
	pty_unlock(tty->pty);
	return copy_out_u32(mm, guest_addr(arg), (uint32_t)count);
}

static int64_t hang_up(struct tty *tty)
{
	if (!credentials_root_capable(task_current()->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	/* The master is not hung up by this: it only loses what it could still have read. */
	if (tty->end == PTY_SLAVE)
		pty_hangup(tty->pty);
	return tty->end == PTY_SLAVE ? 0 : -EOPNOTSUPP;
}

static int64_t common_ioctl(struct tty *tty, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case LINUX_TIOCSTI:
		return simulate_input(tty, mm, arg);
	case LINUX_TIOCGWINSZ:
		return get_size(tty, mm, arg);
	case LINUX_TIOCSWINSZ:
		return set_size(tty, mm, arg);
	case LINUX_TIOCCONS:
		return tty->end == PTY_MASTER ? -EINVAL : -EPERM;
	case LINUX_TIOCEXCL:
	case LINUX_TIOCNXCL:
		return set_exclusive(tty, cmd == LINUX_TIOCEXCL);
	case LINUX_TIOCGEXCL:
		return copy_out_u32(mm, guest_addr(arg), pty_flag(tty->pty, &tty->exclusive));
	case LINUX_TIOCGETD:
		return copy_out_u32(mm, guest_addr(arg), LINUX_N_TTY);
	case LINUX_TIOCSETD:
		return set_discipline(tty, mm, arg);
	case LINUX_TIOCVHANGUP:
		return hang_up(tty);
	case LINUX_TIOCGDEV:
		return copy_out_u32(mm, guest_addr(arg), (uint32_t)tty->pty->terminal.device);
	case LINUX_TIOCSBRK:
	case LINUX_TCSBRK:
	case LINUX_TCSBRKP:
		/* There is no line to break, and output has arrived already. */
		return check_change(tty);
	case LINUX_TIOCCBRK:
		return check_change(tty);
	case LINUX_TCXONC:
		return flow(tty, arg);
	case LINUX_TCFLSH:
		return flush(tty, arg);
	case LINUX_TIOCOUTQ:
		return copy_out_u32(mm, guest_addr(arg), 0);
	case LINUX_FIONREAD:
		return readable(tty, mm, arg);
	case LINUX_TIOCSSERIAL:
		return refuse_serial(mm, arg);
	default:
		return TTY_NO_IOCTL;
	}
}

int64_t tty_file_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct tty_file *tf = tty_file_of(file);
	struct tty *tty = tf->tty;
	int64_t rc;

	if (atomic_load(&tf->hung_up))
		return cmd == LINUX_TIOCSPGRP ? -ENOTTY : -EIO;
	rc = common_ioctl(tty, mm, cmd, arg);
	if (rc == TTY_NO_IOCTL)
		rc = tty_job_ioctl(file, tty, mm, cmd, arg);
	if (rc == TTY_NO_IOCTL && tty->end == PTY_MASTER)
		rc = pty_master_ioctl(file, tty, mm, cmd, arg);
	if (rc == TTY_NO_IOCTL)
		rc = tty_mode_ioctl(tty, mm, cmd, arg);
	if (rc == TTY_NO_IOCTL && cmd == LINUX_TIOCGPTPEER)
		rc = -EIO;
	return rc == TTY_NO_IOCTL ? -ENOTTY : rc;
}
