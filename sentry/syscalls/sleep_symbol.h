/* SPDX-License-Identifier: Apache-2.0 */
/* The function of Linux in which a call sleeps, for /proc/PID/wchan. */
#pragma once

#include <stdint.h>

struct task;

/* Of another task, whose call may end meanwhile.  Static storage; NULL: not known.  Takes no lock for long. */
const char *sleep_symbol(struct task *t, uint64_t nr, const uint64_t args[6]);
