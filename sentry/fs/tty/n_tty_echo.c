/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output processing, and echoes.  Echoes cannot simply be written: output may be stopped or the
 * other end full, and what an erased tab was worth is only known when its turn comes.
 */
#include <string.h>

#include "sentry/fs/tty/tty.h"
#include "util/checked.h"

#define ECHO_START 0xffU
/* behind ECHO_START; other characters there: echo as ^X */
#define ECHO_MOVE_BACK 0x80U
#define ECHO_SET_CANON_COLUMN 0x81U
#define ECHO_ERASE_TAB 0x82U

#define ECHO_COMMIT_AT 256U
/* When so much waits the oldest goes, so that what is typed next still fits. */
#define ECHO_DISCARD_AT (N_TTY_SIZE - (ECHO_COMMIT_AT + 32))
#define TAB_WIDTH 8U
#define TAB_FLAG 0x80U /* of ECHO_ERASE_TAB's operand: counted from a tab, not from the line's start */

static bool output_flag(const struct tty *tty, uint32_t flag)
{
	return tty->termios.oflag & flag;
}

static bool is_continuation(const struct tty *tty, uint8_t c)
{
	return tty->termios.iflag & LINUX_IUTF8 && (c & 0xc0) == 0x80;
}

static void put(struct tty *tty, uint8_t c)
{
	/* The caller looked at the room. */
	tty_output(tty, &c, 1);
}

/* --- OPOST ----------------------------------------------------------------------------- */

static int output_newline(struct tty *tty, size_t room)
{
	struct n_tty *n = &tty->n;

	if (output_flag(tty, LINUX_ONLRET))
		n->column = 0;
	if (output_flag(tty, LINUX_ONLCR)) {
		if (room < 2)
			return -1;
		n->canon_column = n->column = 0;
		put(tty, '\r');
		put(tty, '\n');
		return 2;
	}
	n->canon_column = n->column;
	put(tty, '\n');
	return 1;
}

static int output_return(struct tty *tty)
{
	struct n_tty *n = &tty->n;
	uint8_t c = '\r';

	if (output_flag(tty, LINUX_ONOCR) && n->column == 0)
		return 0;
	if (output_flag(tty, LINUX_OCRNL)) {
		c = '\n';
		if (output_flag(tty, LINUX_ONLRET))
			n->canon_column = n->column = 0;
	} else {
		n->canon_column = n->column = 0;
	}
	put(tty, c);
	return 1;
}

static int output_tab(struct tty *tty, size_t room)
{
	unsigned spaces = TAB_WIDTH - (tty->n.column & (TAB_WIDTH - 1));

	if (!((tty->termios.oflag & LINUX_TABDLY) == LINUX_XTABS)) {
		tty->n.column += spaces;
		put(tty, '\t');
		return 1;
	}
	if (room < spaces)
		return -1;
	tty->n.column += spaces;
	for (unsigned i = 0; i < spaces; i++)
		put(tty, ' ');
	return (int)spaces;
}

/* One character of output with OPOST: room used, or -1 when there is not enough. */
static int output_char(struct tty *tty, uint8_t c, size_t room)
{
	if (!room)
		return -1;
	switch (c) {
	case '\n':
		return output_newline(tty, room);
	case '\r':
		return output_return(tty);
	case '\t':
		return output_tab(tty, room);
	case '\b':
		if (tty->n.column > 0)
			tty->n.column--;
		break;
	default:
		if (tty_iscntrl(c))
			break;
		if (output_flag(tty, LINUX_OLCUC))
			c = tty_toupper(c);
		if (!is_continuation(tty, c))
			tty->n.column++;
		break;
	}
	put(tty, c);
	return 1;
}

size_t n_tty_write(struct tty *tty, const uint8_t *bytes, size_t count)
{
	size_t done = 0;

	echo_process(tty);
	if (!output_flag(tty, LINUX_OPOST))
		return tty_output(tty, bytes, count);
	while (done < count && output_char(tty, bytes[done], tty_write_room(tty)) >= 0)
		done++;
	return done;
}

/* --- the queue -------------------------------------------------------------------------- */

static uint8_t at(const struct n_tty *n, uint64_t index)
{
	return n->echo_buf[index & N_TTY_MASK];
}

static unsigned operation_size(const struct n_tty *n, uint64_t index)
{
	if (at(n, index) != ECHO_START)
		return 1;
	return at(n, index + 1) == ECHO_ERASE_TAB ? 3 : 2;
}

static void add(struct tty *tty, uint8_t c)
{
	struct n_tty *n = &tty->n;

	if (n->echo_head - n->echo_tail >= N_TTY_SIZE - 4)
		n->echo_tail += operation_size(n, n->echo_tail);
	n->echo_buf[n->echo_head++ & N_TTY_MASK] = c;
}

void echo_char_raw(struct tty *tty, uint8_t c)
{
	if (c == ECHO_START)
		add(tty, ECHO_START);
	add(tty, c);
}

void echo_char(struct tty *tty, uint8_t c)
{
	if (c == ECHO_START || (tty->termios.lflag & LINUX_ECHOCTL && tty_iscntrl(c) && c != '\t'))
		add(tty, ECHO_START);
	add(tty, c);
}

void echo_move_back(struct tty *tty)
{
	add(tty, ECHO_START);
	add(tty, ECHO_MOVE_BACK);
}

void echo_set_canon_column(struct tty *tty)
{
	add(tty, ECHO_START);
	add(tty, ECHO_SET_CANON_COLUMN);
}

void echo_erase_tab(struct tty *tty, unsigned columns, bool after_tab)
{
	add(tty, ECHO_START);
	add(tty, ECHO_ERASE_TAB);
	/* Only the position between two tab stops matters. */
	add(tty, (uint8_t)((columns & (TAB_WIDTH - 1)) | (after_tab ? TAB_FLAG : 0)));
}

void echo_clear(struct tty *tty)
{
	tty->n.echo_head = tty->n.echo_tail = 0;
}

/* --- sending ------------------------------------------------------------------------------ */

static void move_back(struct n_tty *n)
{
	if (n->column > 0)
		n->column--;
}

static bool send_tab_erasure(struct tty *tty, unsigned columns, size_t room)
{
	unsigned back;

	if (!(columns & TAB_FLAG))
		columns += tty->n.canon_column;
	back = TAB_WIDTH - (columns & (TAB_WIDTH - 1));
	if (back > room)
		return false;
	for (; back; back--) {
		put(tty, '\b');
		move_back(&tty->n);
	}
	return true;
}

/* One operation that begins with ECHO_START; false: no room. */
static bool send_operation(struct tty *tty, size_t room)
{
	struct n_tty *n = &tty->n;
	uint8_t op = at(n, n->echo_tail + 1);

	switch (op) {
	case ECHO_ERASE_TAB:
		return send_tab_erasure(tty, at(n, n->echo_tail + 2), room);
	case ECHO_SET_CANON_COLUMN:
		n->canon_column = n->column;
		return true;
	case ECHO_MOVE_BACK:
		move_back(n);
		return true;
	case ECHO_START:
		if (!room)
			return false;
		put(tty, ECHO_START);
		n->column++;
		return true;
	default:
		if (room < 2)
			return false;
		put(tty, '^');
		put(tty, op ^ 0100);
		n->column += 2;
		return true;
	}
}

static bool send_one(struct tty *tty)
{
	uint8_t c = at(&tty->n, tty->n.echo_tail);
	size_t room = tty_write_room(tty);

	if (c == ECHO_START)
		return send_operation(tty, room);
	if (output_flag(tty, LINUX_OPOST))
		return output_char(tty, c, room) >= 0;
	if (!room)
		return false;
	put(tty, c);
	return true;
}

void echo_process(struct tty *tty)
{
	struct n_tty *n = &tty->n;

	while (n->echo_tail != n->echo_head) {
		unsigned size = operation_size(n, n->echo_tail);

		if (!send_one(tty))
			break;
		n->echo_tail += size;
	}
	while (n->echo_head - n->echo_tail >= ECHO_DISCARD_AT)
		n->echo_tail += operation_size(n, n->echo_tail);
}

void echo_commit(struct tty *tty)
{
	if (tty->n.echo_head - tty->n.echo_tail >= ECHO_COMMIT_AT)
		echo_process(tty);
}
