/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed: mapped, checked for special characters, echoed, queued for the reader. */
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/fs/tty/n_tty_erase.h"
#include "sentry/fs/tty/tty.h"
#include "util/checked.h"

static bool input(const struct tty *tty, uint32_t flag)
{
	return tty->termios.iflag & flag;
}

static bool local(const struct tty *tty, uint32_t flag)
{
	return tty->termios.lflag & flag;
}

static bool is_cc(const struct tty *tty, uint8_t c, int which)
{
	return c == tty->termios.cc[which];
}

/* --- modes -------------------------------------------------------------------------------- */

static void set_special(struct n_tty *n, uint8_t c)
{
	n->special[c / 64] |= 1ULL << (c % 64);
}

static bool is_special(const struct n_tty *n, uint8_t c)
{
	return n->special[c / 64] & 1ULL << (c % 64);
}

static void set_special_cc(struct tty *tty, const uint8_t *which, size_t count)
{
	for (size_t i = 0; i < count; i++)
		set_special(&tty->n, tty->termios.cc[which[i]]);
}

static void find_special(struct tty *tty)
{
	static const uint8_t canon[] = { LINUX_VERASE, LINUX_VKILL, LINUX_VEOF, LINUX_VEOL };
	static const uint8_t extended[] = { LINUX_VWERASE, LINUX_VLNEXT, LINUX_VEOL2 };
	static const uint8_t reprint[] = { LINUX_VREPRINT };
	static const uint8_t flow[] = { LINUX_VSTART, LINUX_VSTOP };
	static const uint8_t signals[] = { LINUX_VINTR, LINUX_VQUIT, LINUX_VSUSP };
	struct n_tty *n = &tty->n;

	memset(n->special, 0, sizeof(n->special));
	if (input(tty, LINUX_IGNCR | LINUX_ICRNL))
		set_special(n, '\r');
	if (input(tty, LINUX_INLCR))
		set_special(n, '\n');
	if (local(tty, LINUX_ICANON)) {
		set_special(n, '\n');
		set_special_cc(tty, canon, ARRAY_SIZE(canon));
		if (local(tty, LINUX_IEXTEN))
			set_special_cc(tty, extended, ARRAY_SIZE(extended));
		if (local(tty, LINUX_IEXTEN) && local(tty, LINUX_ECHO))
			set_special_cc(tty, reprint, ARRAY_SIZE(reprint));
	}
	if (input(tty, LINUX_IXON))
		set_special_cc(tty, flow, ARRAY_SIZE(flow));
	if (local(tty, LINUX_ISIG))
		set_special_cc(tty, signals, ARRAY_SIZE(signals));
	n->special[N_TTY_DISABLED / 64] &= ~(1ULL << (N_TTY_DISABLED % 64));
}

/* ICANON or EXTPROC changed: what has been typed so far counts as one line, or as none. */
static void change_canon(struct tty *tty)
{
	struct n_tty *n = &tty->n;

	memset(n->line_ends, 0, sizeof(n->line_ends));
	if (!local(tty, LINUX_ICANON) || n->read_head == n->read_tail) {
		n->canon_head = n->read_tail;
		n->push = false;
	} else {
		uint64_t last = (n->read_head - 1) & N_TTY_MASK;

		n->line_ends[last / 64] |= 1ULL << (last % 64);
		n->canon_head = n->read_head;
		n->push = true;
	}
	n->commit_head = n->read_head;
	n->erasing = n->lnext = false;
}

void n_tty_set_termios(struct tty *tty, const struct linux_termios2 *old)
{
	struct n_tty *n = &tty->n;

	if (!old || (old->lflag ^ tty->termios.lflag) & (LINUX_ICANON | LINUX_EXTPROC))
		change_canon(tty);
	n->icanon = local(tty, LINUX_ICANON);
	n->raw = !input(tty, LINUX_ISTRIP | LINUX_IUCLC | LINUX_IGNCR | LINUX_ICRNL | LINUX_INLCR |
				     LINUX_IXON | LINUX_PARMRK) &&
		 !local(tty, LINUX_ICANON | LINUX_ISIG | LINUX_ECHO);
	if (!n->raw)
		find_special(tty);
	/* Else output stopped by ^S would stay stopped. */
	if (!input(tty, LINUX_IXON) && old && old->iflag & LINUX_IXON && !tty->tco_stopped) {
		tty_start(tty);
		echo_process(tty);
	}
	tty->wake = true;
}

/* --- the buffer ------------------------------------------------------------------------------ */

static void queue(struct n_tty *n, uint8_t c)
{
	n->read_buf[n->read_head++ & N_TTY_MASK] = c;
}

/* With PARMRK a \377 of the data is doubled. */
static void queue_char(struct tty *tty, uint8_t c)
{
	if (c == 0377 && input(tty, LINUX_PARMRK))
		queue(&tty->n, c);
	queue(&tty->n, c);
}

static void end_line(struct tty *tty, uint8_t c)
{
	struct n_tty *n = &tty->n;
	uint64_t at = n->read_head & N_TTY_MASK;

	n->line_ends[at / 64] |= 1ULL << (at % 64);
	queue(n, c);
	n->canon_head = n->read_head;
	tty->wake = tty->input_ready = true;
}

void n_tty_flush_input(struct tty *tty)
{
	struct n_tty *n = &tty->n;

	n->read_head = n->canon_head = n->read_tail = n->commit_head = 0;
	n->erasing = n->push = false;
	memset(n->line_ends, 0, sizeof(n->line_ends));
}

/* --- single characters ------------------------------------------------------------------------- */

static void restart_any(struct tty *tty)
{
	if (tty->stopped && !tty->tco_stopped && input(tty, LINUX_IXON) && input(tty, LINUX_IXANY)) {
		tty_start(tty);
		echo_process(tty);
	}
}

static void echo_typed(struct tty *tty, uint8_t c)
{
	/* From where tabs are counted when they are erased. */
	if (tty->n.canon_head == tty->n.read_head)
		echo_set_canon_column(tty);
	echo_char(tty, c);
	echo_commit(tty);
}

static void receive_plain(struct tty *tty, uint8_t c)
{
	restart_any(tty);
	if (local(tty, LINUX_ECHO)) {
		n_tty_finish_erasing(tty);
		echo_typed(tty, c);
	}
	queue_char(tty, c);
}

static bool receive_flow(struct tty *tty, uint8_t c)
{
	if (is_cc(tty, c, LINUX_VSTART)) {
		tty_start(tty);
		echo_process(tty);
		return true;
	}
	if (is_cc(tty, c, LINUX_VSTOP)) {
		tty_stop(tty);
		return true;
	}
	return false;
}

/*
 * Linux hands output to the other end by a work item, so that a flush finds what was echoed for the
 * characters that came together with the one that flushes, and drops it.
 */
static void take_back_echoes(struct tty *tty)
{
	struct n_tty *n = &tty_other(tty)->n;

	if (n->icanon || n->read_head <= tty->echoes_from)
		return;
	n->read_head = MAX(tty->echoes_from, n->read_tail);
	n->commit_head = n->canon_head = n->read_head;
}

static void receive_signal(struct tty *tty, int signo, uint8_t c)
{
	tty_signal(tty, signo);
	if (!local(tty, LINUX_NOFLSH)) {
		echo_clear(tty);
		take_back_echoes(tty);
		tty_flush_output(tty);
		n_tty_flush_input(tty);
		tty_packet_event(tty, 0, LINUX_TIOCPKT_FLUSHREAD);
	}
	if (input(tty, LINUX_IXON))
		tty_start(tty);
	/* What is echoed may still be flushed by a signal that came with this one. */
	if (local(tty, LINUX_ECHO)) {
		echo_char(tty, c);
		echo_commit(tty);
	} else {
		echo_process(tty);
	}
}

static bool receive_signals(struct tty *tty, uint8_t c)
{
	int signo;

	if (is_cc(tty, c, LINUX_VINTR))
		signo = LINUX_SIGINT;
	else if (is_cc(tty, c, LINUX_VQUIT))
		signo = LINUX_SIGQUIT;
	else if (is_cc(tty, c, LINUX_VSUSP))
		signo = LINUX_SIGTSTP;
	else
		return false;
	receive_signal(tty, signo, c);
	return true;
}

static void receive_lnext(struct tty *tty)
{
	tty->n.lnext = true;
	if (!local(tty, LINUX_ECHO))
		return;
	n_tty_finish_erasing(tty);
	if (local(tty, LINUX_ECHOCTL)) {
		echo_char_raw(tty, '^');
		echo_char_raw(tty, '\b');
		echo_commit(tty);
	}
}

static void receive_reprint(struct tty *tty, uint8_t c)
{
	struct n_tty *n = &tty->n;

	n_tty_finish_erasing(tty);
	echo_char(tty, c);
	echo_char_raw(tty, '\n');
	for (uint64_t i = n->canon_head; i != n->read_head; i++)
		echo_char(tty, n->read_buf[i & N_TTY_MASK]);
	echo_commit(tty);
}

/* The ends of a line; false: none. */
static bool receive_line_end(struct tty *tty, uint8_t c)
{
	if (c == '\n') {
		if (local(tty, LINUX_ECHO | LINUX_ECHONL)) {
			echo_char_raw(tty, '\n');
			echo_commit(tty);
		}
		end_line(tty, c);
		return true;
	}
	if (is_cc(tty, c, LINUX_VEOF)) {
		end_line(tty, N_TTY_DISABLED);
		return true;
	}
	if (is_cc(tty, c, LINUX_VEOL) || (is_cc(tty, c, LINUX_VEOL2) && local(tty, LINUX_IEXTEN))) {
		if (local(tty, LINUX_ECHO))
			echo_typed(tty, c);
		if (c == 0377 && input(tty, LINUX_PARMRK))
			queue(&tty->n, c);
		end_line(tty, c);
		return true;
	}
	return false;
}

static bool receive_canon(struct tty *tty, uint8_t c)
{
	bool extended = local(tty, LINUX_IEXTEN);

	if (is_cc(tty, c, LINUX_VERASE) || is_cc(tty, c, LINUX_VKILL) ||
	    (is_cc(tty, c, LINUX_VWERASE) && extended)) {
		n_tty_erase(tty, c);
		echo_commit(tty);
		return true;
	}
	if (is_cc(tty, c, LINUX_VLNEXT) && extended) {
		receive_lnext(tty);
		return true;
	}
	if (is_cc(tty, c, LINUX_VREPRINT) && extended && local(tty, LINUX_ECHO)) {
		receive_reprint(tty, c);
		return true;
	}
	return receive_line_end(tty, c);
}

static void receive_special(struct tty *tty, uint8_t c)
{
	if (input(tty, LINUX_IXON) && receive_flow(tty, c))
		return;
	if (local(tty, LINUX_ISIG) && receive_signals(tty, c))
		return;
	restart_any(tty);
	if (c == '\r') {
		if (input(tty, LINUX_IGNCR))
			return;
		if (input(tty, LINUX_ICRNL))
			c = '\n';
	} else if (c == '\n' && input(tty, LINUX_INLCR)) {
		c = '\r';
	}
	if (tty->n.icanon && receive_canon(tty, c))
		return;
	if (local(tty, LINUX_ECHO)) {
		n_tty_finish_erasing(tty);
		if (c == '\n') {
			echo_char_raw(tty, '\n');
			echo_commit(tty);
		} else {
			echo_typed(tty, c);
		}
	}
	queue_char(tty, c);
}

static void receive_char(struct tty *tty, uint8_t c)
{
	struct n_tty *n = &tty->n;
	bool literal = n->lnext;

	n->lnext = false;
	if (input(tty, LINUX_ISTRIP))
		c &= 0x7f;
	if (input(tty, LINUX_IUCLC) && local(tty, LINUX_IEXTEN))
		c = tty_tolower(c);
	if (literal)
		receive_plain(tty, c);
	else if (local(tty, LINUX_EXTPROC))
		queue(n, c);
	else if (is_special(n, c))
		receive_special(tty, c);
	else
		receive_plain(tty, c);
}

/* --- entry ------------------------------------------------------------------------------------- */

static void receive_some(struct tty *tty, const uint8_t *bytes, size_t count)
{
	struct n_tty *n = &tty->n;
	bool mapped = input(tty, LINUX_ISTRIP) ||
		      (input(tty, LINUX_IUCLC) && local(tty, LINUX_IEXTEN));

	if (n->raw || (local(tty, LINUX_EXTPROC) && !mapped)) {
		for (size_t i = 0; i < count; i++)
			queue(n, bytes[i]);
	} else {
		for (size_t i = 0; i < count; i++)
			receive_char(tty, bytes[i]);
		echo_process(tty);
	}
	if (n->icanon && !local(tty, LINUX_EXTPROC))
		return;
	n->commit_head = n->read_head;
	if (n->read_head != n->read_tail)
		tty->wake = tty->input_ready = true;
}

/*
 * How much fits.  A line that fills the buffer can never be read until it ends: its last
 * character is then replaced again and again (*overflow), one at a time.
 */
static size_t room(struct tty *tty, bool *overflow)
{
	struct n_tty *n = &tty->n;
	int64_t left = (int64_t)N_TTY_SIZE - (int64_t)(n->read_head - n->read_tail);

	if (input(tty, LINUX_PARMRK))
		left = (left + 2) / 3;
	left--;
	*overflow = false;
	if (left > 0)
		return (size_t)left;
	*overflow = n->icanon && n->canon_head == n->read_tail;
	if (*overflow && left < 0)
		n->read_head--;
	return *overflow ? 1 : 0;
}

size_t n_tty_receive(struct tty *tty, const uint8_t *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		bool overflow;
		size_t size = MIN(count - done, room(tty, &overflow));

		if (!size)
			break;
		tty->echoes_from = tty_other(tty)->n.read_head;
		receive_some(tty, bytes + done, size);
		done += size;
	}
	return done;
}
