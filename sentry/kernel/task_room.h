/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct context;
struct mm;
struct task;

/* The buffer a task last had pages for: while nothing was discarded from its memory. */
struct task_room {
	const struct mm *mm; /* compared only */
	uint64_t start, end;
	uint32_t discards;
};

/* At boot: copies to the guest's memory have its pages made by the guest's own thread. */
void task_room_init(void);

/*
 * Whether the call of the event waits for registers: what orders the pages of its buffer, and it came
 * without.  It is then left undone, as t->call_deferred says.
 */
bool task_room_defers(struct task *t, struct context *ctx, bool regs_valid);
