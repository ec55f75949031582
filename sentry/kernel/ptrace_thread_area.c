/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread areas: the three segments that a thread of a 32-bit program can have.  There are no such programs
 * here and no call makes segments, so all are empty, and emptying one is all that a tracer can do.
 */
#include <errno.h>

#include "sentry/kernel/ptrace_internal.h"

#define EMPTY (LINUX_USER_DESC_READ_EXEC_ONLY | LINUX_USER_DESC_SEG_NOT_PRESENT)

static bool is_thread_area(uint64_t number)
{
	return number >= LINUX_GDT_ENTRY_TLS_MIN && number <= LINUX_GDT_ENTRY_TLS_MAX;
}

/* As described, or nothing but zeroes. */
static bool is_empty(const struct linux_user_desc *d)
{
	uint32_t flags = d->flags & LINUX_USER_DESC_FLAGS;

	return !d->base_addr && !d->limit && (!flags || flags == EMPTY);
}

/* tls_desc_okay() of Linux: data only, of 32 bits and present. */
static bool is_valid(const struct linux_user_desc *d)
{
	return is_empty(d) ||
	       (d->flags & LINUX_USER_DESC_SEG_32BIT && !(d->flags & LINUX_USER_DESC_CODE) &&
		!(d->flags & LINUX_USER_DESC_SEG_NOT_PRESENT));
}

int64_t ptrace_get_thread_area(struct task *tracer, uint64_t number, uint64_t data)
{
	const struct linux_user_desc empty = { .entry_number = (uint32_t)number, .flags = EMPTY };

	if ((int32_t)number < 0)
		return -EIO;
	if (!is_thread_area((uint32_t)number))
		return -EINVAL;
	return copy_out(tracer->mm, guest_addr(data), &empty, sizeof(empty));
}

int64_t ptrace_set_thread_area(struct task *tracer, uint64_t number, uint64_t data)
{
	struct linux_user_desc d;
	int rc;

	if ((int32_t)number < 0)
		return -EIO;
	rc = copy_in(tracer->mm, &d, guest_addr(data), sizeof(d));
	if (rc)
		return rc;
	if (!is_valid(&d) || !is_thread_area((uint32_t)number))
		return -EINVAL;
	return is_empty(&d) ? 0 : -EIO;
}
