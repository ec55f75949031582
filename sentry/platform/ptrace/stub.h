/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub: a few instructions, mapped read-only at the start of the reserved
 * area of every process that runs guest code, and a scratch area after them.
 * The guest can read and jump to the text, to no effect: its system calls are
 * emulated there too.  It can write the scratch area: nothing that matters to
 * anyone else is read from there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sentry/platform/trap/stub_abi.h" /* STUB_AREA */

#define STUB_PAGE_SIZE 4096UL
#define STUB_SCRATCH (STUB_AREA + STUB_PAGE_SIZE)
#define STUB_SCRATCH_SIZE (4 * STUB_PAGE_SIZE) /* room for a signal frame and an order */

enum stub_entry {
	STUB_PARK,	/* pause() for ever */
	STUB_HOST_CALL, /* syscall; breakpoint */
	STUB_CLONE,	/* syscall; breakpoint in the parent, PARK in the child */
	STUB_COMPARE,	/* lock cmpxchg %edx, (%rdi); breakpoint */
	STUB_HANDLER,	/* of the signals of faults: breakpoint */
};

uint64_t stub_entry_address(enum stub_entry entry);
/* Where the text ends. */
uint64_t stub_text_end(void);
/* Writes the stub's executable into the empty file @fd. */
int stub_write_image(int fd);
