/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex_waitv, futex_wait, futex_wake, futex_requeue: 32-bit words only, as in Linux so far.
 */
#include "sentry/abi/futex.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

#define VALID_FLAGS                                                                         \
	(LINUX_FUTEX2_SIZE_MASK | LINUX_FUTEX2_NUMA | LINUX_FUTEX2_MPOL | LINUX_FUTEX2_PRIVATE)

static int decode_flags(uint64_t flags, uint32_t *out)
{
	if (flags & ~(uint64_t)VALID_FLAGS ||
	    (flags & LINUX_FUTEX2_SIZE_MASK) != LINUX_FUTEX2_SIZE_U32)
		return -EINVAL;
	*out = flags & LINUX_FUTEX2_PRIVATE ? FUTEX_PRIVATE : FUTEX_SHARED;
	if (flags & LINUX_FUTEX2_NUMA)
		*out |= FUTEX_NUMA;
	if (flags & LINUX_FUTEX2_MPOL)
		*out |= FUTEX_POLICY;
	return 0;
}

/* All of these are absolute; a clock without a time is not looked at. */
static int get_time(struct task *t, guest_addr_t addr, int32_t clock, struct futex_time *time)
{
	int rc;

	*time = (struct futex_time){ DEADLINE_NONE, clock == LINUX_CLOCK_REALTIME };
	if (guest_is_null(addr))
		return 0;
	if (clock != LINUX_CLOCK_REALTIME && clock != LINUX_CLOCK_MONOTONIC)
		return -EINVAL;
	rc = copy_in_timespec(t->mm, addr, &time->deadline);
	if (!rc && !time->realtime)
		time->deadline = time_from_guest(t, LINUX_CLOCK_MONOTONIC, time->deadline);
	return rc;
}

static int decode_item(const struct linux_futex_waitv *v, struct futex_wait_item *item)
{
	int rc = decode_flags(v->flags, &item->flags);

	if (rc || v->reserved || v->val > UINT32_MAX)
		return -EINVAL;
	item->addr = guest_addr(v->uaddr);
	item->value = (uint32_t)v->val;
	return 0;
}

static int get_items(struct task *t, guest_addr_t addr, uint32_t count, struct futex_wait_item *items)
{
	for (uint32_t i = 0; i < count; i++) {
		struct linux_futex_waitv v;
		int rc = copy_in(t->mm, &v, guest_add(addr, i * sizeof(v)), sizeof(v));

		if (!rc)
			rc = decode_item(&v, &items[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int64_t sys_futex_waitv(struct task *t, const struct syscall_args *a)
{
	struct futex_wait_item items[LINUX_FUTEX_WAITV_MAX];
	uint32_t count = arg_u32(a, 1);
	struct futex_time time;
	int64_t rc;

	if (arg_u32(a, 2) || !count || count > LINUX_FUTEX_WAITV_MAX || !a->v[0])
		return -EINVAL;
	rc = get_time(t, arg_addr(a, 3), arg_int(a, 4), &time);
	if (!rc)
		rc = get_items(t, arg_addr(a, 0), count, items);
	if (!rc)
		rc = futex_wait_multiple(t, items, count, time);
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

int64_t sys_futex_wake(struct task *t, const struct syscall_args *a)
{
	uint32_t flags;
	int rc = decode_flags(arg_u32(a, 3), &flags);

	if (rc || a->v[1] > UINT32_MAX || !a->v[1])
		return -EINVAL;
	/* Unlike FUTEX_WAKE, which wakes one then. */
	if (!arg_int(a, 2))
		return futex_check_word(t, arg_addr(a, 0), flags);
	return futex_wake(t, arg_addr(a, 0), flags, arg_int(a, 2), (uint32_t)a->v[1]);
}

int64_t sys_futex_wait(struct task *t, const struct syscall_args *a)
{
	struct futex_time time;
	uint32_t flags;
	int64_t rc = decode_flags(arg_u32(a, 3), &flags);

	if (rc || a->v[1] > UINT32_MAX || a->v[2] > UINT32_MAX)
		return -EINVAL;
	rc = get_time(t, arg_addr(a, 4), arg_int(a, 5), &time);
	if (!rc)
		rc = futex_wait(t, arg_addr(a, 0), flags, (uint32_t)a->v[1], time,
				(uint32_t)a->v[2]);
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

int64_t sys_futex_requeue(struct task *t, const struct syscall_args *a)
{
	struct futex_wait_item items[2];
	int rc;

	if (arg_u32(a, 1) || !a->v[0])
		return -EINVAL;
	rc = get_items(t, arg_addr(a, 0), 2, items);
	if (rc)
		return rc;
	if (items[0].flags != items[1].flags)
		return -EINVAL;
	return futex_requeue(t, items[0].addr, items[1].addr, items[0].flags, arg_u32(a, 2),
			     arg_u32(a, 3), &items[0].value);
}
