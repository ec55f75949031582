/* SPDX-License-Identifier: Apache-2.0 */
/* See the header.  Readers of the offsets need no lock: a member's do not change any more. */
#include "sentry/kernel/time_namespace.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/time.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"
#include "util/log.h"

#define ROOT_NUMBER 0xEFFFFFFAU /* PROC_TIME_INIT_INO */
#define KTIME_SEC_MAX (INT64_MAX / (int64_t)NSEC_PER_SEC)

int time_namespace_new(struct user_namespace *user_ns, uint32_t kuid, struct time_namespace **out)
{
	struct time_namespace *ns = calloc(1, sizeof(*ns));
	int rc = 0;

	if (!ns)
		return -ENOMEM;
	if (kuid != ID_INVALID)
		rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_TIME);
	if (rc) {
		free(ns);
		return rc;
	}
	refcount_init(&ns->refs);
	mutex_init(&ns->lock, LOCK_RANK_LEAF);
	ns->user_ns = user_namespace_get(user_ns);
	ns->is_root = ns->frozen = kuid == ID_INVALID;
	ns->number = ns->is_root ? ROOT_NUMBER : namespace_number();
	*out = ns;
	return 0;
}

struct time_namespace *time_namespace_get(struct time_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void time_namespace_put(struct time_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	mutex_destroy(&ns->lock);
	free(ns);
}

/* The clock may not become negative nor reach half of what a ktime_t can hold. */
static int check_offset(const struct time_offset *o)
{
	int64_t now = (int64_t)(clock_now(o->clock) / NSEC_PER_SEC), sum;

	if (o->sec > KTIME_SEC_MAX || o->sec < -KTIME_SEC_MAX)
		return -ERANGE;
	sum = now + o->sec;
	return sum < 0 || sum > KTIME_SEC_MAX / 2 ? -ERANGE : 0;
}

int time_namespace_set_offsets(struct time_namespace *ns, const struct time_offset *offsets,
			       unsigned count)
{
	int rc = 0;

	for (unsigned i = 0; i < count; i++) {
		rc = check_offset(&offsets[i]);
		if (rc)
			return rc;
	}
	mutex_lock(&ns->lock);
	if (ns->frozen)
		rc = -EACCES;
	for (unsigned i = 0; !rc && i < count; i++) {
		int64_t ns_value = offsets[i].sec * (int64_t)NSEC_PER_SEC + offsets[i].nsec;

		atomic_store(offsets[i].clock == LINUX_CLOCK_MONOTONIC ? &ns->monotonic : &ns->boottime,
			     ns_value);
	}
	mutex_unlock(&ns->lock);
	return rc;
}

void time_namespace_freeze(struct time_namespace *ns)
{
	mutex_lock(&ns->lock);
	ns->frozen = true;
	mutex_unlock(&ns->lock);
}

static int64_t offset_of(struct task *t, int clock)
{
	struct time_namespace *ns = t && t->namespaces ? t->namespaces->time : NULL;

	if (!ns || ns->is_root)
		return 0;
	switch (clock) {
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return atomic_load(&ns->monotonic);
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return atomic_load(&ns->boottime);
	default:
		return 0;
	}
}

static uint64_t shifted(uint64_t ns, int64_t by)
{
	uint64_t sum = ns + (uint64_t)by;

	if (by < 0)
		return ns < (uint64_t)-by ? 0 : sum;
	return sum < ns ? INT64_MAX : sum;
}

uint64_t time_to_guest(struct task *t, int clock, uint64_t ns)
{
	return shifted(ns, offset_of(t, clock));
}

uint64_t time_from_guest(struct task *t, int clock, uint64_t ns)
{
	return shifted(ns, -offset_of(t, clock));
}

int task_adopt_time(struct task *t, const struct time_namespace *ns)
{
	bool offsets = !ns->is_root;
	int rc;

	if (t->mm->clock_offsets == offsets)
		return 0;
	t->mm->clock_offsets = offsets;
	rc = kernel_upcalls()->program_adopt_clock(t->mm, t->context);
	if (rc < 0) {
		t->mm->clock_offsets = !offsets;
		if (kernel_upcalls()->program_adopt_clock(t->mm, t->context) < 0)
			log_debug("a process has parts of two vDSOs");
	}
	return rc;
}
