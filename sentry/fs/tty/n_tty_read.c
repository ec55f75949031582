/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader gets: a line at a time with ICANON, else what is there. */
#include <string.h>

#include "sentry/fs/tty/tty.h"
#include "util/checked.h"

static bool by_lines(const struct tty *tty)
{
	return tty->n.icanon && !(tty->termios.lflag & LINUX_EXTPROC);
}

static bool ends_line(const struct n_tty *n, uint64_t index)
{
	uint64_t at = index & N_TTY_MASK;

	return n->line_ends[at / 64] & 1ULL << (at % 64);
}

static void clear_line_end(struct n_tty *n, uint64_t index)
{
	uint64_t at = index & N_TTY_MASK;

	n->line_ends[at / 64] &= ~(1ULL << (at % 64));
}

bool n_tty_input_available(const struct tty *tty, bool for_poll)
{
	const struct n_tty *n = &tty->n;
	uint64_t wanted = 1;

	if (by_lines(tty))
		return n->canon_head != n->read_tail;
	if (for_poll && !tty->termios.cc[LINUX_VTIME] && tty->termios.cc[LINUX_VMIN])
		wanted = tty->termios.cc[LINUX_VMIN];
	return n->commit_head - n->read_tail >= wanted;
}

size_t n_tty_readable(const struct tty *tty)
{
	const struct n_tty *n = &tty->n;
	size_t count;

	if (!by_lines(tty))
		return n->read_head - n->read_tail;
	count = n->canon_head - n->read_tail;
	/* End-of-file marks are not read. */
	for (uint64_t i = n->read_tail; i != n->canon_head; i++)
		if (ends_line(n, i) && n->read_buf[i & N_TTY_MASK] == N_TTY_DISABLED)
			count--;
	return count;
}

static void copy(const struct n_tty *n, uint8_t *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = n->read_buf[(n->read_tail + i) & N_TTY_MASK];
}

bool n_tty_copy_canon(struct tty *tty, uint8_t *buf, size_t *filled, size_t size)
{
	struct n_tty *n = &tty->n;
	uint64_t limit = MIN(size - *filled, n->canon_head - n->read_tail), count = 0, used;
	bool found;

	if (size == *filled)
		return false;
	while (count < limit && !ends_line(n, n->read_tail + count))
		count++;
	found = count < limit;
	used = count + found;
	/* The line's end is part of it, unless it is the mark of VEOF. */
	if (found && n->read_buf[(n->read_tail + count) & N_TTY_MASK] != N_TTY_DISABLED)
		count++;
	copy(n, buf + *filled, count);
	*filled += count;
	if (found)
		clear_line_end(n, n->read_tail + used - 1);
	n->read_tail += used;
	if (found) {
		n->push = false;
		return false;
	}
	return n->read_tail != n->canon_head;
}

void n_tty_skip_eof(struct tty *tty)
{
	struct n_tty *n = &tty->n;

	if (n->read_tail == n->canon_head || !ends_line(n, n->read_tail) ||
	    n->read_buf[n->read_tail & N_TTY_MASK] != N_TTY_DISABLED)
		return;
	clear_line_end(n, n->read_tail);
	n->read_tail++;
}

bool n_tty_copy_raw(struct tty *tty, uint8_t *buf, size_t *filled, size_t size)
{
	struct n_tty *n = &tty->n;
	size_t count = MIN(size - *filled, n->commit_head - n->read_tail);
	bool eof;

	if (!count)
		return false;
	copy(n, buf + *filled, count);
	eof = count == 1 && buf[*filled] == tty->termios.cc[LINUX_VEOF];
	n->read_tail += count;
	/* With EXTPROC a lone end-of-file character is what VEOF would have been. */
	if (tty->termios.lflag & LINUX_EXTPROC && n->icanon && eof && n->commit_head == n->read_tail)
		return false;
	*filled += count;
	return n->commit_head != n->read_tail;
}
