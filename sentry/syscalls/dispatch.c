/* SPDX-License-Identifier: Apache-2.0 */
/* From a number to its handler; counts what is not implemented. */
#include "sentry/syscalls/dispatch.h"

#include <stdatomic.h>

#include "sentry/platform/copy_kind.h"
#include "sentry/trace/strace.h"
#include "util/log.h"

static _Atomic uint32_t missing_counts[SYSCALL_TABLE_SIZE];

static int64_t missing(uint64_t nr)
{
	const char *name = nr < SYSCALL_TABLE_SIZE ? syscall_table[nr].name : NULL;

	/* The first of each kind is logged at once, all of them at the end. */
	if (name && atomic_fetch_add(&missing_counts[nr], 1) == 0)
		log_debug("system call %s is not implemented", name);
	return -ENOSYS;
}

int64_t syscall_dispatch(struct task *t, uint64_t nr, const struct syscall_args *a)
{
	const struct syscall_entry *entry;
	int64_t result;

	if (nr >= SYSCALL_TABLE_SIZE || !syscall_table[nr].fn) {
		result = missing(nr);
		strace_missing(t, nr, a, result);
		return result;
	}
	entry = &syscall_table[nr];
	if (likely(!strace_enabled()))
		return entry->fn(t, a);
	struct strace_call call;

	strace_enter(&call, t, entry, a);
	result = entry->fn(t, a);
	strace_exit(&call, t, result);
	return result;
}

bool syscall_needs_registers(uint64_t nr)
{
	return nr < SYSCALL_TABLE_SIZE && (syscall_table[nr].flags & SYSCALL_REGS);
}

static enum platform_copy copy_of(enum arg_type type)
{
	switch (type) {
	case ARG_PATH:
	case ARG_STR:
		return PLATFORM_COPY_STRING;
	case ARG_BUF_IN:
		return PLATFORM_COPY_IN;
	case ARG_BUF_OUT:
		return PLATFORM_COPY_OUT;
	case ARG_STAT_OUT:
		return PLATFORM_COPY_STAT;
	default:
		return PLATFORM_COPY_NONE;
	}
}

uint32_t syscall_copies(uint64_t nr)
{
	const struct syscall_entry *entry;
	uint32_t copies = 0;

	if (nr >= SYSCALL_TABLE_SIZE || !syscall_table[nr].fn)
		return 0;
	entry = &syscall_table[nr];
	for (unsigned i = 0; i < entry->arg_count; i++)
		copies |= (uint32_t)copy_of(entry->arg_types[i]) << (i * PLATFORM_COPY_BITS);
	return copies;
}

void syscall_log_missing(void)
{
	for (unsigned nr = 0; nr < SYSCALL_TABLE_SIZE; nr++) {
		uint32_t count = atomic_load(&missing_counts[nr]);

		if (count)
			log_debug("system call %s was not implemented %u times",
				  syscall_table[nr].name, count);
	}
}
