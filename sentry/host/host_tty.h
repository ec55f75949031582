/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls on the slave of a host pseudoterminal that stands for a console.  For the
 * allow-list: ioctl(TIOCGWINSZ), read (of a signalfd); and before confinement ioctl(TIOCSCTTY),
 * rt_sigprocmask, signalfd4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct host_tty_size {
	uint16_t rows, cols, xpixel, ypixel;
};

int host_tty_get_size(int fd, struct host_tty_size *out) MUST_CHECK;
/*
 * Makes @fd this process's controlling terminal, so that it hears of a new size: an FD that
 * becomes readable then, or a negative errno.  Before the first thread, in a session leader.
 */
int host_tty_watch_size(int fd) MUST_CHECK;
/* Reads what made the FD readable; false: nothing did. */
bool host_tty_size_changed(int watch_fd);
