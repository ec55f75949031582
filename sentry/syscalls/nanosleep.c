/* SPDX-License-Identifier: Apache-2.0 */
/* nanosleep and clock_nanosleep. */
#include "sentry/kernel/cpu_time.h"
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

static int64_t cpu_sleep(struct task *t, bool absolute, uint64_t ns)
{
	uint64_t now = cpu_time_total(thread_group_cpu_time(t->group));
	uint64_t until = absolute ? ns : now + ns;

	for (; now < until; now = cpu_time_total(thread_group_cpu_time(t->group)))
		if (sleep_until(cpu_time_next_look(t->group, until - now)))
			return absolute ? -ERESTARTNOHAND : -EINTR;
	return 0;
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
		return -EINVAL;
	}
	rc = copy_in_timespec(t->mm, arg_addr(a, 2), &ns);
	if (rc)
		return rc;
	if (clock == LINUX_CLOCK_PROCESS_CPUTIME_ID)
		return cpu_sleep(t, absolute, ns);
	return absolute ? absolute_sleep(clock, time_from_guest(t, clock, ns)) : relative_sleep(t, ns, arg_addr(a, 3));
}
