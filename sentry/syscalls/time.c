/* SPDX-License-Identifier: Apache-2.0 */
/* Reading clocks.  The guest cannot set them: -EPERM, as without CAP_SYS_TIME. */
#include "sentry/abi/resource.h"
#include "sentry/host/host_clock.h"
#include "sentry/kernel/cpu_clock.h"
#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

#define TICK_NS (NSEC_PER_SEC / LINUX_USER_HZ)

static int dynamic_clock(struct task *t, int32_t clock, uint64_t *ns)
{
	struct task *target;
	int rc = cpu_clock_task(t, clock, &target);

	if (rc)
		return rc;
	*ns = cpu_clock_read(target, clock);
	task_put(target);
	return 0;
}

static int read_clock(struct task *t, int32_t clock, uint64_t *ns)
{
	if (clock < 0)
		return dynamic_clock(t, clock, ns);
	switch (clock) {
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
		*ns = cpu_time_total(thread_group_cpu_time(t->group));
		return 0;
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		*ns = cpu_time_total(task_cpu_time(t));
		return 0;
	case LINUX_CLOCK_SGI_CYCLE:
		return -EINVAL;
	default:
		if (clock > LINUX_CLOCK_TAI)
			return -EINVAL;
		*ns = time_to_guest(t, clock, clock_now(clock));
		return 0;
	}
}

int64_t sys_clock_gettime(struct task *t, const struct syscall_args *a)
{
	struct linux_timespec ts;
	uint64_t ns;
	int rc = read_clock(t, arg_int(a, 0), &ns);

	if (rc)
		return rc;
	ts = ns_to_timespec(ns);
	return copy_out(t->mm, arg_addr(a, 1), &ts, sizeof(ts));
}

int64_t sys_clock_getres(struct task *t, const struct syscall_args *a)
{
	int32_t clock = arg_int(a, 0);
	struct linux_timespec ts = { 0, 1 };
	uint64_t ns;
	int rc = read_clock(t, clock, &ns);

	if (rc)
		return rc;
	if (clock == LINUX_CLOCK_REALTIME_COARSE || clock == LINUX_CLOCK_MONOTONIC_COARSE)
		ts = ns_to_timespec(host_clock_resolution_ns(clock));
	if (clock < 0 && (clock & CPUCLOCK_MASK) != CPUCLOCK_SCHED)
		ts = ns_to_timespec(host_clock_resolution_ns(LINUX_CLOCK_MONOTONIC_COARSE));
	return a->v[1] ? copy_out(t->mm, arg_addr(a, 1), &ts, sizeof(ts)) : 0;
}

int64_t sys_clock_settime(struct task *t, const struct syscall_args *a)
{
	int32_t clock = arg_int(a, 0);
	struct linux_timespec ts;
	uint64_t ns;
	int rc;

	/* Linux fetches the time before it looks at the clock of a process, or of a descriptor. */
	if (clock > 0)
		return -EINVAL;
	if (clock < 0) {
		/* ... and never at that time */
		rc = copy_in(t->mm, &ts, arg_addr(a, 1), sizeof(ts));
		if (!rc)
			rc = dynamic_clock(t, clock, &ns);
	} else {
		rc = copy_in_timespec(t->mm, arg_addr(a, 1), &ns);
	}
	return rc ? rc : -EPERM;
}

int64_t sys_gettimeofday(struct task *t, const struct syscall_args *a)
{
	struct linux_timeval tv = ns_to_timeval(clock_now(LINUX_CLOCK_REALTIME));
	struct linux_timezone tz = { 0, 0 };
	int rc = 0;

	if (a->v[0])
		rc = copy_out(t->mm, arg_addr(a, 0), &tv, sizeof(tv));
	if (!rc && a->v[1])
		rc = copy_out(t->mm, arg_addr(a, 1), &tz, sizeof(tz));
	return rc;
}

int64_t sys_time(struct task *t, const struct syscall_args *a)
{
	uint64_t now = clock_now(LINUX_CLOCK_REALTIME_COARSE) / NSEC_PER_SEC;

	if (a->v[0] && copy_out_u64(t->mm, arg_addr(a, 0), now))
		return -EFAULT;
	return (int64_t)now;
}

int64_t sys_times(struct task *t, const struct syscall_args *a)
{
	uint64_t now = clock_now(LINUX_CLOCK_BOOTTIME);
	struct cpu_time used;
	struct linux_tms tms;

	if (a->v[0]) {
		used = thread_group_cpu_time(t->group);
		tms.utime = (int64_t)(used.user_ns / TICK_NS);
		tms.stime = (int64_t)(used.system_ns / TICK_NS);
		mutex_lock(&t->kernel->tasklist_lock);
		tms.cutime = (int64_t)(t->group->usage.child_user_ns / TICK_NS);
		tms.cstime = (int64_t)(t->group->usage.child_system_ns / TICK_NS);
		mutex_unlock(&t->kernel->tasklist_lock);
		if (copy_out(t->mm, arg_addr(a, 0), &tms, sizeof(tms)))
			return -EFAULT;
	}
	return (int64_t)(now / TICK_NS);
}
