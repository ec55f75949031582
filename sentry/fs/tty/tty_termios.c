/* SPDX-License-Identifier: Apache-2.0 */
/* TCGETS and its many relatives.  They all act on the slave, by whichever end they come. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/ioctl.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

#define CONTROL(c) ((c) & 037)

const struct linux_termios2 tty_default_termios = {
	.iflag = LINUX_ICRNL | LINUX_IXON,
	.oflag = LINUX_OPOST | LINUX_ONLCR,
	.cflag = LINUX_B38400 | LINUX_CS8 | LINUX_CREAD,
	.lflag = LINUX_ISIG | LINUX_ICANON | LINUX_ECHO | LINUX_ECHOE | LINUX_ECHOK |
		 LINUX_ECHOCTL | LINUX_ECHOKE | LINUX_IEXTEN,
	.cc = {
		[LINUX_VINTR] = CONTROL('C'),	 [LINUX_VQUIT] = CONTROL('\\'),
		[LINUX_VERASE] = 0177,		 [LINUX_VKILL] = CONTROL('U'),
		[LINUX_VEOF] = CONTROL('D'),	 [LINUX_VMIN] = 1,
		[LINUX_VSTART] = CONTROL('Q'),	 [LINUX_VSTOP] = CONTROL('S'),
		[LINUX_VSUSP] = CONTROL('Z'),	 [LINUX_VREPRINT] = CONTROL('R'),
		[LINUX_VDISCARD] = CONTROL('O'), [LINUX_VWERASE] = CONTROL('W'),
		[LINUX_VLNEXT] = CONTROL('V'),
	},
	.ispeed = 38400,
	.ospeed = 38400,
};

/* --- speeds ------------------------------------------------------------------------------- */

static uint32_t speed_of(uint32_t code, uint32_t other)
{
	static const uint32_t speeds[] = {
		0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
		57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000,
		2000000, 2500000, 3000000, 3500000, 4000000,
	};

	if (code == LINUX_BOTHER)
		return other;
	if (code & LINUX_CBAUDEX)
		code = (code & ~LINUX_CBAUDEX) + 15;
	return code < ARRAY_SIZE(speeds) ? speeds[code] : 0;
}

void tty_termios_set_speeds(struct linux_termios2 *t)
{
	uint32_t out = t->cflag & LINUX_CBAUD, in = t->cflag >> LINUX_IBSHIFT & LINUX_CBAUD;

	/* An input speed of B0 is the output's. */
	t->ispeed = in ? speed_of(in, t->ispeed) : speed_of(out, t->ospeed);
	t->ospeed = speed_of(out, t->ospeed);
}

/* --- setting ---------------------------------------------------------------------------------- */

static bool usual_flow_control(const struct linux_termios2 *t)
{
	return t->iflag & LINUX_IXON && t->cc[LINUX_VSTOP] == CONTROL('S') &&
	       t->cc[LINUX_VSTART] == CONTROL('Q');
}

static void tell_packet_reader(struct tty *tty, const struct linux_termios2 *old)
{
	bool before = usual_flow_control(old), now = usual_flow_control(&tty->termios);

	if (before != now)
		tty_packet_event(tty, LINUX_TIOCPKT_DOSTOP | LINUX_TIOCPKT_NOSTOP,
				 now ? LINUX_TIOCPKT_DOSTOP : LINUX_TIOCPKT_NOSTOP);
	if ((old->lflag | tty->termios.lflag) & LINUX_EXTPROC)
		tty_packet_event(tty, 0, LINUX_TIOCPKT_IOCTL);
}

static void set_locked(struct tty *tty, const struct linux_termios2 *wanted)
{
	struct linux_termios2 old = tty->termios;

	tty->termios = *wanted;
	tell_packet_reader(tty, &old);
	tty->termios.cflag &= ~(LINUX_CSIZE | LINUX_PARENB | LINUX_ADDRB);
	tty->termios.cflag |= LINUX_CS8 | LINUX_CREAD | (old.cflag & LINUX_ADDRB);
	n_tty_set_termios(tty, &old);
}

void tty_set_termios(struct tty *tty, const struct linux_termios2 *wanted)
{
	pty_lock(tty->pty);
	set_locked(tty, wanted);
	pty_unlock(tty->pty);
}

static void from_termio(struct linux_termios2 *t, const struct linux_termio *from)
{
	t->iflag = (t->iflag & 0xffff0000U) | from->iflag;
	t->oflag = (t->oflag & 0xffff0000U) | from->oflag;
	t->cflag = (t->cflag & 0xffff0000U) | from->cflag;
	t->lflag = (t->lflag & 0xffff0000U) | from->lflag;
	t->line = from->line;
	memcpy(t->cc, from->cc, sizeof(from->cc));
}

enum shape { SHAPE_TERMIO, SHAPE_TERMIOS, SHAPE_TERMIOS2 };

static int set(struct tty *tty, struct tty *flushed, struct mm *mm, uint64_t arg, enum shape shape,
	       bool flush)
{
	struct linux_termios2 t;
	struct linux_termio old;
	int rc = terminal_check_change(task_current(), &tty->pty->terminal, LINUX_SIGTTOU);

	if (rc)
		return rc;
	pty_lock(tty->pty);
	t = tty->termios;
	pty_unlock(tty->pty);
	if (shape == SHAPE_TERMIO) {
		rc = copy_in(mm, &old, guest_addr(arg), sizeof(old));
		if (!rc)
			from_termio(&t, &old);
	} else {
		rc = copy_in(mm, &t, guest_addr(arg),
			     shape == SHAPE_TERMIOS ? LINUX_TERMIOS_SIZE : sizeof(t));
	}
	if (rc)
		return rc;
	tty_termios_set_speeds(&t);
	pty_lock(tty->pty);
	/* What was written has arrived already: there is nothing to wait for. */
	if (flush)
		tty_flush_input(flushed);
	set_locked(tty, &t);
	pty_unlock(tty->pty);
	return 0;
}

static int get(struct tty *tty, struct mm *mm, uint64_t arg, enum shape shape)
{
	struct linux_termios2 t;
	struct linux_termio old = { 0 };

	pty_lock(tty->pty);
	t = tty->termios;
	pty_unlock(tty->pty);
	if (shape != SHAPE_TERMIO)
		return copy_out(mm, guest_addr(arg), &t,
				shape == SHAPE_TERMIOS ? LINUX_TERMIOS_SIZE : sizeof(t));
	old.iflag = (uint16_t)t.iflag;
	old.oflag = (uint16_t)t.oflag;
	old.cflag = (uint16_t)t.cflag;
	old.lflag = (uint16_t)t.lflag;
	old.line = t.line;
	memcpy(old.cc, t.cc, sizeof(old.cc));
	return copy_out(mm, guest_addr(arg), &old, sizeof(old));
}

static int get_soft_carrier(struct tty *tty, struct mm *mm, uint64_t arg)
{
	bool local;

	pty_lock(tty->pty);
	local = tty->termios.cflag & LINUX_CLOCAL;
	pty_unlock(tty->pty);
	return copy_out_u32(mm, guest_addr(arg), local);
}

static int soft_carrier(struct tty *tty, struct mm *mm, uint64_t arg)
{
	struct linux_termios2 t;
	uint32_t on;
	int rc = copy_in_u32(mm, &on, guest_addr(arg));

	if (rc)
		return rc;
	pty_lock(tty->pty);
	t = tty->termios;
	t.cflag = on ? t.cflag | LINUX_CLOCAL : t.cflag & ~LINUX_CLOCAL;
	set_locked(tty, &t);
	pty_unlock(tty->pty);
	return 0;
}

int64_t tty_mode_ioctl(struct tty *own, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct tty *tty = &own->pty->ends[PTY_SLAVE];
	struct linux_termios2 none = { 0 };

	switch (cmd) {
	case LINUX_TCGETS:
		return get(tty, mm, arg, SHAPE_TERMIOS);
	case LINUX_TCGETS2:
		return get(tty, mm, arg, SHAPE_TERMIOS2);
	case LINUX_TCGETA:
		return get(tty, mm, arg, SHAPE_TERMIO);
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
		return set(tty, own, mm, arg, SHAPE_TERMIOS, cmd == LINUX_TCSETSF);
	case LINUX_TCSETS2:
	case LINUX_TCSETSW2:
	case LINUX_TCSETSF2:
		return set(tty, own, mm, arg, SHAPE_TERMIOS2, cmd == LINUX_TCSETSF2);
	case LINUX_TCSETA:
	case LINUX_TCSETAW:
	case LINUX_TCSETAF:
		return set(tty, own, mm, arg, SHAPE_TERMIO, cmd == LINUX_TCSETAF);
	case LINUX_TIOCGLCKTRMIOS: /* nothing is locked, and nothing can be */
		return copy_out(mm, guest_addr(arg), &none, LINUX_TERMIOS_SIZE);
	case LINUX_TIOCSLCKTRMIOS:
		return credentials_root_capable(task_current()->cred, LINUX_CAP_SYS_ADMIN) ? -EOPNOTSUPP :
											     -EPERM;
	case LINUX_TIOCGSOFTCAR:
		return get_soft_carrier(tty, mm, arg);
	case LINUX_TIOCSSOFTCAR:
		return soft_carrier(tty, mm, arg);
	default:
		return TTY_NO_IOCTL;
	}
}
