/* SPDX-License-Identifier: Apache-2.0 */
/* nanosleep and clock_nanosleep. */
#include "sentry/kernel/cpu_clock.h"
#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

/* Until @deadline of CLOCK_MONOTONIC: 0 or -EINTR. */
static int sleep_until(uint64_t deadline)
{
	int rc;

	do
		rc = wait_sleep(deadline);
	while (!rc);
	return rc == -ETIMEDOUT ? 0 : rc;
}

/* What is left goes to the guest; then the rest of the sleep is restarted. */
static int64_t interrupted(struct task *t, uint64_t deadline, guest_addr_t left_out)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC);
	struct linux_timespec left;

	if (now >= deadline)
		return 0;
	left = ns_to_timespec(deadline - now);
	if (!guest_is_null(left_out) && copy_out(t->mm, left_out, &left, sizeof(left)))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t continue_sleep(struct task *t, struct restart_block *rb)
{
	if (!sleep_until(rb->deadline))
		return 0;
	return interrupted(t, rb->deadline, guest_addr(rb->args[0]));
}

static int64_t relative_sleep(struct task *t, uint64_t ns, guest_addr_t left_out)
{
	struct restart_block *rb = &t->restart_block;

	rb->fn = continue_sleep;
	rb->deadline = deadline_after(ns);
	rb->args[0] = left_out.v;
	return continue_sleep(t, rb);
}

int64_t sys_nanosleep(struct task *t, const struct syscall_args *a)
{
	uint64_t ns;
	int rc = copy_in_timespec(t->mm, arg_addr(a, 0), &ns);

	return rc ? rc : relative_sleep(t, ns, arg_addr(a, 1));
}

/* The clock may be set while we sleep: look again at each end. */
static int64_t absolute_sleep(int clock, uint64_t until)
{
	for (;;) {
		uint64_t now = clock_now(clock);

		if (now >= until)
			return 0;
		if (sleep_until(deadline_after(until - now)))
			return -ERESTARTNOHAND;
	}
}

/* Until @clock of @target shows @until: 0 or -EINTR, and what is left. */
static int cpu_sleep_until(struct task *target, int32_t clock, uint64_t until, uint64_t *left)
{
	for (;;) {
		uint64_t now = cpu_clock_read(target, clock);

		*left = now < until ? until - now : 0;
		if (!*left)
			return 0;
		/* A thread's time passes no faster than that of its group. */
		if (sleep_until(cpu_time_next_look(target->group, *left)))
			return -EINTR;
	}
}

/* @rb->args: where what is left goes, and the clock. */
static int64_t continue_cpu_sleep(struct task *t, struct restart_block *rb)
{
	int32_t clock = (int32_t)rb->args[1];
	struct linux_timespec ts;
	struct task *target;
	uint64_t left;
	int rc = cpu_clock_task(t, clock, &target);

	if (rc)
		return rc;
	rc = cpu_sleep_until(target, clock, rb->deadline, &left);
	task_put(target);
	if (!rc)
		return 0;
	ts = ns_to_timespec(left);
	if (rb->args[0] && copy_out(t->mm, guest_addr(rb->args[0]), &ts, sizeof(ts)))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t cpu_sleep(struct task *t, int32_t clock, bool absolute, uint64_t ns, guest_addr_t left_out)
{
	struct restart_block *rb = &t->restart_block;
	struct task *target;
	uint64_t left;
	int rc = cpu_clock_task(t, clock, &target);

	if (rc)
		return rc;
	if (absolute) {
		rc = cpu_sleep_until(target, clock, ns, &left);
		task_put(target);
		return rc ? -ERESTARTNOHAND : 0;
	}
	rb->fn = continue_cpu_sleep;
	rb->deadline = cpu_clock_read(target, clock) + ns;
	rb->args[0] = left_out.v;
	rb->args[1] = (uint32_t)clock;
	task_put(target);
	return continue_cpu_sleep(t, rb);
}

int64_t sys_clock_nanosleep(struct task *t, const struct syscall_args *a)
{
	int32_t clock = arg_int(a, 0);
	bool absolute = arg_u32(a, 1) & LINUX_TIMER_ABSTIME;
	uint64_t ns;
	int rc;

	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
		break;
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		if (clock > 0)
			return -EINVAL;
		if (cpu_clock_is_descriptor(clock))
			return -EOPNOTSUPP;
		break;
	}
	rc = copy_in_timespec(t->mm, arg_addr(a, 2), &ns);
	if (rc)
		return rc;
	if (clock == LINUX_CLOCK_PROCESS_CPUTIME_ID)
		clock = CPUCLOCK_PROCESS_OF_CALLER;
	if (clock < 0 && cpu_clock_is_own_thread(t, clock))
		return -EINVAL;
	if (clock < 0)
		return cpu_sleep(t, clock, absolute, ns, arg_addr(a, 3));
	return absolute ? absolute_sleep(clock, time_from_guest(t, clock, ns)) : relative_sleep(t, ns, arg_addr(a, 3));
}
