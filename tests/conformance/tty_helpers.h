/* SPDX-License-Identifier: Apache-2.0
 *
 * Pseudoterminals for the cases: made through /dev/ptmx, non-blocking on the master's side, and
 * everything that arrives there collected until nothing more does.
 */
#pragma once

#include "conformance.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

struct pair {
	int master, slave;
	bool had_input; /* unread, when something was typed last */
};

/* Unlocked; the slave opened with O_NOCTTY. */
struct pair pair_open(void);
void pair_close(struct pair *p);
/* Types at the master. */
void type_text(struct pair *p, const char *text);
void type_data(struct pair *p, const void *data, size_t size);
/* Everything written so far arrives at the other end.  This is sure (and fast) unless the slave had
 * unread input when something was typed. */
void settle(struct pair *p);
/* Shows what the master has received. */
void show_output(struct pair *p, const char *label);
/* Reads at most size bytes from fd without waiting for ever, and shows them. */
void show_read(int fd, const char *label, size_t size);
/* The same when everything typed is known to have been processed: after show_output. */
void show_read_now(int fd, const char *label, size_t size);
/* Changes the slave's flags: clears, then sets. */
void change_modes(int fd, tcflag_t clear_i, tcflag_t set_i, tcflag_t clear_o, tcflag_t set_o,
		  tcflag_t clear_l, tcflag_t set_l);
void set_cc(int fd, int which, cc_t value);
void make_raw(int fd, cc_t min, cc_t time);
/* In a child: a new session with the slave as its controlling terminal. */
void take_terminal(struct pair *p);
