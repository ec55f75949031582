/* SPDX-License-Identifier: Apache-2.0 */
/*
 * N_TTY, the line discipline: from what is typed to what is read, the echo of it, and the
 * processing of output.  Both ends of a pseudoterminal have one; the master's is raw.
 *
 * Indices run on and are masked when used, as in Linux:
 *
 *	read_tail <= canon_head <= read_head	with ICANON: complete lines end at canon_head
 *	read_tail <= commit_head		without: what may be read
 *
 * Echoes wait in echo_buf until the other end has room: characters, and operations that begin
 * with ECHO_START.  The pair's lock is held throughout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

struct linux_termios2;
struct tty;

#define N_TTY_SIZE 4096U
#define N_TTY_MASK (N_TTY_SIZE - 1)
#define N_TTY_DISABLED '\0' /* _POSIX_VDISABLE; in the buffer: where a line ended by VEOF */

struct n_tty {
	uint64_t read_head, commit_head, canon_head, read_tail;
	uint64_t echo_head, echo_tail;
	uint32_t column, canon_column;
	bool icanon, raw, erasing, lnext, push;
	uint64_t special[4];		 /* characters that need a closer look */
	uint64_t line_ends[N_TTY_SIZE / 64]; /* positions in read_buf that end a line */
	uint8_t read_buf[N_TTY_SIZE];
	uint8_t echo_buf[N_TTY_SIZE];
};

/* Flags or characters changed from @old (NULL: the beginning). */
void n_tty_set_termios(struct tty *tty, const struct linux_termios2 *old);
/* Takes typed characters; how many there was room for. */
size_t n_tty_receive(struct tty *tty, const uint8_t *bytes, size_t count);
/* Output of a program: bytes taken, 0 when the other end has no room. */
size_t n_tty_write(struct tty *tty, const uint8_t *bytes, size_t count);
/* Forgets all input and what belongs to it. */
void n_tty_flush_input(struct tty *tty);

bool n_tty_input_available(const struct tty *tty, bool for_poll);
/* FIONREAD. */
size_t n_tty_readable(const struct tty *tty);
/*
 * Moves input to @buf behind its *filled bytes, at most up to @size; true when a reader that has
 * room may go on at once.  _canon: one line or part of it.
 */
bool n_tty_copy_canon(struct tty *tty, uint8_t *buf, size_t *filled, size_t size);
bool n_tty_copy_raw(struct tty *tty, uint8_t *buf, size_t *filled, size_t size);
/* The reader's buffer ended just before an end-of-file mark: it belongs to that line. */
void n_tty_skip_eof(struct tty *tty);

/* n_tty_echo.c: queueing echoes. */
void echo_char(struct tty *tty, uint8_t c);	/* control characters as ^X with ECHOCTL */
void echo_char_raw(struct tty *tty, uint8_t c);
void echo_move_back(struct tty *tty);
void echo_set_canon_column(struct tty *tty);
void echo_erase_tab(struct tty *tty, unsigned columns, bool after_tab);
void echo_clear(struct tty *tty);
/* Sends as much as there is room for. */
void echo_process(struct tty *tty);
/* echo_process once a good deal is queued. */
void echo_commit(struct tty *tty);

/* The kernel's idea of characters: Latin-1. */
static inline bool tty_iscntrl(uint8_t c)
{
	return c < 32 || c == 127;
}

static inline bool tty_isupper(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static inline bool tty_islower(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

static inline bool tty_isalnum(uint8_t c)
{
	return tty_isupper(c) || tty_islower(c) || (c >= '0' && c <= '9');
}

static inline uint8_t tty_tolower(uint8_t c)
{
	return tty_isupper(c) ? c + 0x20 : c;
}

static inline uint8_t tty_toupper(uint8_t c)
{
	return tty_islower(c) ? c - 0x20 : c;
}
