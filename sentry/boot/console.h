/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console: the terminal of a container's init or of an exec.
 *
 * The guest's end is a pseudoterminal of the sentry like any other, made in the container's own
 * devpts: all of its modes, signals and job control are the sentry's.  The host's end is the
 * slave of a host pseudoterminal in raw mode, whose master the caller has (docker, or the command
 * line itself).  A thread carries bytes between the two and the window's size inwards.  So no
 * ioctl of a guest reaches a host terminal.
 *
 *	caller - host master | host slave - console thread - master | slave - guest
 *
 * It ends when the caller closes its master (the guest's terminal is hung up), or when the guest
 * has closed the slave and no session has it as its terminal any more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/boot/sandbox.h"

struct console;
struct terminal;

/*
 * Opens a pseudoterminal of the container and makes @table with its slave as 0, 1 and 2, owned by
 * the process's user.  Takes @host_fd and @watch_fd (host_tty_watch_size, or -1), on
 * failure too.
 */
int console_open(struct sandbox_container *owner, const struct boot_process *process, bool is_init,
		 int host_fd, int watch_fd, struct fd_table *table, struct console **out,
		 struct boot_failure *why) MUST_CHECK;
/* The terminal becomes @g's, and the thread starts.  On failure nothing is carried. */
int console_start(struct console *c, struct thread_group *g) MUST_CHECK;
/* The size of the host's terminal has changed. */
void console_resize(struct console *c);
/* Waits until what the guest has written is out, or for as long as a caller may be expected to take it. */
void console_drain(struct console *c);
struct console *console_get(struct console *c);
/* NULL is a no-op. */
void console_put(struct console *c);
