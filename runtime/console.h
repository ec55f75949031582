/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consoles: host pseudoterminals that stand for terminals of containers.  The slave goes to the
 * sentry (sentry/boot/console.h), the master to the caller's --console-socket, or stays here and
 * is joined to our own terminal.
 *
 * It is raw and its size is all that counts: modes, echo and signals are the sentry's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oci/spec.h"
#include "util/error.h"

struct console {
	int master, slave; /* owned, or -1 */
	int socket;	   /* connected to the caller's, until the master is sent; or -1 */
	int host;	   /* owned: our own terminal, if it is joined to that; or -1 */
	/* while it is joined to ours */
	bool raw;	   /* ours was changed, and is to be restored */
	bool input_ended;
};

#define CONSOLE_INIT { -1, -1, -1, -1, false, false }

/* runc's rules: --console-socket goes with a terminal in the background, and only with that. */
int console_check(bool terminal, bool detach, const char *socket, struct error **err) MUST_CHECK;
/* Makes the pair; @size may be NULL.  Connects to @socket, or finds our own terminal without one: -ENXIO, there is none. */
int console_make(struct console *c, const struct spec_console_size *size, const char *socket,
		 struct error **err) MUST_CHECK;
/* Sends the master to the caller, and closes ours. */
int console_send(struct console *c, struct error **err) MUST_CHECK;
/* The sentry has the slave: ours goes. */
void console_close_slave(struct console *c);
/* In a session leader of ours: SIGWINCH comes to us when the caller changes the size. */
void console_watch(struct console *c);
void console_close(struct console *c);
#define AUTO_CONSOLE CLEANUP(console_close)

/* --- joined to our own standard input and output ------------------------------------------- */

/* Makes our terminal raw and the console as large. */
void console_join(struct console *c);
/* Takes over the size of ours. */
void console_copy_size(struct console *c);
/* What poll found: bytes are carried.  -1 in place of an FD that is not to be polled. */
int console_input_fd(const struct console *c);
void console_carry_input(struct console *c);
/* false: the console has ended. */
bool console_carry_output(struct console *c);
/* The rest, and our terminal as it was. */
void console_leave(struct console *c);
