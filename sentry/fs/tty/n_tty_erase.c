/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a character, a word or a line, and making it vanish from the screen. */
#include "sentry/fs/tty/n_tty_erase.h"

#include "sentry/fs/tty/tty.h"

enum erase_kind { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static bool local(const struct tty *tty, uint32_t flag)
{
	return tty->termios.lflag & flag;
}

static uint8_t at(const struct n_tty *n, uint64_t index)
{
	return n->read_buf[index & N_TTY_MASK];
}

static bool is_continuation(const struct tty *tty, uint8_t c)
{
	return tty->termios.iflag & LINUX_IUTF8 && (c & 0xc0) == 0x80;
}

void n_tty_finish_erasing(struct tty *tty)
{
	if (!tty->n.erasing)
		return;
	echo_char_raw(tty, '/');
	tty->n.erasing = false;
}

/* VKILL without a way to erase on the screen: true when that was all. */
static bool kill_plainly(struct tty *tty)
{
	struct n_tty *n = &tty->n;

	if (!local(tty, LINUX_ECHO)) {
		n->read_head = n->canon_head;
		return true;
	}
	if (local(tty, LINUX_ECHOK) && local(tty, LINUX_ECHOKE) && local(tty, LINUX_ECHOE))
		return false;
	n->read_head = n->canon_head;
	n_tty_finish_erasing(tty);
	echo_char(tty, tty->termios.cc[LINUX_VKILL]);
	if (local(tty, LINUX_ECHOK))
		echo_char_raw(tty, '\n');
	return true;
}

static void rub_out(struct tty *tty)
{
	echo_char_raw(tty, '\b');
	echo_char_raw(tty, ' ');
	echo_char_raw(tty, '\b');
}

/* Columns since the last tab, or since the line began. */
static void echo_tab(struct tty *tty)
{
	struct n_tty *n = &tty->n;
	unsigned columns = 0;
	uint64_t i = n->read_head;
	bool after_tab = false;

	while (i != n->canon_head && !after_tab) {
		uint8_t c = at(n, --i);

		if (c == '\t')
			after_tab = true;
		else if (tty_iscntrl(c))
			columns += local(tty, LINUX_ECHOCTL) ? 2 : 0;
		else if (!is_continuation(tty, c))
			columns++;
	}
	echo_erase_tab(tty, columns, after_tab);
}

/* ECHOPRT: the erased character again, behind a backslash. */
static void echo_printed(struct tty *tty, uint64_t head, uint64_t count)
{
	if (!tty->n.erasing) {
		echo_char_raw(tty, '\\');
		tty->n.erasing = true;
	}
	echo_char(tty, at(&tty->n, head));
	for (uint64_t i = 1; i < count; i++) {
		echo_char_raw(tty, at(&tty->n, head + i));
		echo_move_back(tty);
	}
}

static void echo_erased(struct tty *tty, enum erase_kind kind, uint64_t head, uint64_t count)
{
	uint8_t c = at(&tty->n, head);

	if (local(tty, LINUX_ECHOPRT)) {
		echo_printed(tty, head, count);
	} else if (kind == ERASE_CHAR && !local(tty, LINUX_ECHOE)) {
		echo_char(tty, tty->termios.cc[LINUX_VERASE]);
	} else if (c == '\t') {
		echo_tab(tty);
	} else {
		if (tty_iscntrl(c) && local(tty, LINUX_ECHOCTL))
			rub_out(tty);
		if (!tty_iscntrl(c) || local(tty, LINUX_ECHOCTL))
			rub_out(tty);
	}
}

/* Where the last character begins; false: only the middle of one is left. */
static bool last_character(const struct tty *tty, uint64_t *head)
{
	const struct n_tty *n = &tty->n;
	uint64_t i = n->read_head;

	do
		i--;
	while (is_continuation(tty, at(n, i)) && i != n->canon_head);
	*head = i;
	return !is_continuation(tty, at(n, i));
}

static void erase(struct tty *tty, enum erase_kind kind)
{
	struct n_tty *n = &tty->n;
	bool in_word = false;

	while (n->read_head != n->canon_head) {
		uint64_t head, count;

		if (!last_character(tty, &head))
			break;
		if (kind == ERASE_WORD) {
			if (tty_isalnum(at(n, head)) || at(n, head) == '_')
				in_word = true;
			else if (in_word)
				break;
		}
		count = n->read_head - head;
		n->read_head = head;
		if (local(tty, LINUX_ECHO))
			echo_erased(tty, kind, head, count);
		if (kind == ERASE_CHAR)
			break;
	}
}

void n_tty_erase(struct tty *tty, uint8_t c)
{
	struct n_tty *n = &tty->n;
	enum erase_kind kind = ERASE_LINE;

	if (n->read_head == n->canon_head)
		return;
	if (c == tty->termios.cc[LINUX_VERASE])
		kind = ERASE_CHAR;
	else if (c == tty->termios.cc[LINUX_VWERASE])
		kind = ERASE_WORD;
	else if (kill_plainly(tty))
		return;
	erase(tty, kind);
	if (n->read_head == n->canon_head && local(tty, LINUX_ECHO))
		n_tty_finish_erasing(tty);
}
