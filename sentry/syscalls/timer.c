/* SPDX-License-Identifier: Apache-2.0 */
/* Interval timers, alarm, and POSIX timers. */
#include <string.h>

#include "sentry/kernel/itimer.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

static struct linux_itimerval make_itimerval(uint64_t value, uint64_t interval)
{
	struct linux_itimerval v = { .interval = ns_to_timeval(interval),
				     .value = ns_to_timeval(value) };

	return v;
}

int64_t sys_getitimer(struct task *t, const struct syscall_args *a)
{
	uint64_t value, interval;
	struct linux_itimerval out;

	if (arg_u32(a, 0) > LINUX_ITIMER_PROF)
		return -EINVAL;
	itimer_get(t->group, arg_int(a, 0), &value, &interval);
	out = make_itimerval(value, interval);
	return copy_out(t->mm, arg_addr(a, 1), &out, sizeof(out));
}

static int timeval_to_ns(const struct linux_timeval *tv, uint64_t *ns)
{
	if (tv->sec < 0 || tv->usec < 0 || tv->usec >= (int64_t)USEC_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)tv->sec >= INT64_MAX / NSEC_PER_SEC ?
		      INT64_MAX : (uint64_t)tv->sec * NSEC_PER_SEC + (uint64_t)tv->usec * NSEC_PER_USEC;
	return 0;
}

int64_t sys_setitimer(struct task *t, const struct syscall_args *a)
{
	uint64_t value = 0, interval = 0, old_value, old_interval;
	struct linux_itimerval in, out;
	int rc;

	/* Linux: a NULL new value disarms. */
	if (a->v[1]) {
		rc = copy_in(t->mm, &in, arg_addr(a, 1), sizeof(in));
		if (!rc)
			rc = timeval_to_ns(&in.value, &value);
		if (!rc)
			rc = timeval_to_ns(&in.interval, &interval);
		if (rc)
			return rc;
	}
	if (arg_u32(a, 0) > LINUX_ITIMER_PROF)
		return -EINVAL;
	rc = itimer_set(t->group, arg_int(a, 0), value, interval, &old_value, &old_interval);
	if (rc || !a->v[2])
		return rc;
	out = make_itimerval(old_value, old_interval);
	return copy_out(t->mm, arg_addr(a, 2), &out, sizeof(out));
}

int64_t sys_alarm(struct task *t, const struct syscall_args *a)
{
	uint64_t old_value, old_interval, seconds;
	int rc = itimer_set(t->group, LINUX_ITIMER_REAL, arg_u32(a, 0) * NSEC_PER_SEC, 0, &old_value,
			    &old_interval);

	if (rc)
		return rc;
	/* Rounded, but what is left of a second is not nothing. */
	seconds = old_value / NSEC_PER_SEC;
	if ((!seconds && old_value) || old_value % NSEC_PER_SEC >= NSEC_PER_SEC / 2)
		seconds++;
	return (int64_t)seconds;
}

int64_t sys_timer_create(struct task *t, const struct syscall_args *a)
{
	int32_t wanted = POSIX_TIMER_ANY_ID;
	struct linux_sigevent event;
	int rc;

	if (a->v[1]) {
		rc = copy_in(t->mm, &event, arg_addr(a, 1), sizeof(event));
		if (rc)
			return rc;
	}
	rc = posix_timer_check_clock(arg_int(a, 0));
	if (rc)
		return rc;
	if (posix_timers_restoring_ids(t->group)) {
		uint32_t number;

		if (copy_in_u32(t->mm, &number, arg_addr(a, 2)))
			return -EFAULT;
		wanted = (int32_t)number;
		if (wanted < 0)
			return -EINVAL;
	}
	return posix_timer_create(t, arg_int(a, 0), a->v[1] ? &event : NULL, wanted, arg_addr(a, 2));
}

int64_t sys_timer_settime(struct task *t, const struct syscall_args *a)
{
	struct linux_itimerspec new_value, old;
	int rc;

	if (!a->v[2])
		return -EINVAL;
	rc = copy_in(t->mm, &new_value, arg_addr(a, 2), sizeof(new_value));
	if (!rc)
		rc = posix_timer_settime(t, arg_int(a, 0), arg_int(a, 1), &new_value, &old);
	if (rc || !a->v[3])
		return rc;
	return copy_out(t->mm, arg_addr(a, 3), &old, sizeof(old));
}

int64_t sys_timer_gettime(struct task *t, const struct syscall_args *a)
{
	struct linux_itimerspec value;
	int rc = posix_timer_gettime(t, arg_int(a, 0), &value);

	return rc ? rc : copy_out(t->mm, arg_addr(a, 1), &value, sizeof(value));
}

int64_t sys_timer_getoverrun(struct task *t, const struct syscall_args *a)
{
	return posix_timer_getoverrun(t, arg_int(a, 0));
}

int64_t sys_timer_delete(struct task *t, const struct syscall_args *a)
{
	return posix_timer_delete(t, arg_int(a, 0));
}
