/* SPDX-License-Identifier: Apache-2.0 */
/* The editing of an unfinished line; see n_tty.h. */
#pragma once

#include <stdint.h>

struct tty;

/* @c is VERASE, VWERASE or VKILL. */
void n_tty_erase(struct tty *tty, uint8_t c);
/* Ends the \...\/ of ECHOPRT. */
void n_tty_finish_erasing(struct tty *tty);
