/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). */
#include "sentry/fs/anon/timerfd.h"

#include "sentry/abi/capability.h"
#include "sentry/abi/epoll.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

static bool is_alarm(int clock)
{
	return clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_BOOTTIME_ALARM;
}

int64_t sys_timerfd_create(struct task *t, const struct syscall_args *a)
{
	int clock = arg_int(a, 0);
	uint32_t flags = arg_u32(a, 1);
	struct file *file;
	int rc;

	if (flags & ~(uint32_t)(LINUX_TFD_CLOEXEC | LINUX_TFD_NONBLOCK))
		return -EINVAL;
	if (clock != LINUX_CLOCK_MONOTONIC && clock != LINUX_CLOCK_REALTIME &&
	    clock != LINUX_CLOCK_BOOTTIME && !is_alarm(clock))
		return -EINVAL;
	if (is_alarm(clock) && !credentials_root_capable(t->cred, LINUX_CAP_WAKE_ALARM))
		return -EPERM;
	rc = timerfd_file_new(clock, flags & LINUX_TFD_NONBLOCK, &file);
	return rc ? rc : install_new_file(t, file, flags & LINUX_TFD_CLOEXEC);
}

/* Saturates at the end of time; false when not a valid time. */
static bool to_ns(const struct linux_timespec *time, uint64_t *ns)
{
	if (time->sec < 0 || time->nsec < 0 || (uint64_t)time->nsec >= NSEC_PER_SEC)
		return false;
	if (mul_overflows((uint64_t)time->sec, NSEC_PER_SEC, ns) ||
	    add_overflows(*ns, (uint64_t)time->nsec, ns))
		*ns = INT64_MAX;
	return true;
}

static struct linux_timespec from_ns(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
}

/* The file behind a timerfd descriptor; -EBADF, -EINVAL. */
static int lookup(struct task *t, int fd, struct file **out)
{
	struct file *file = fd_table_lookup(t->fds, fd);

	if (!file)
		return -EBADF;
	if (!file_is_timerfd(file)) {
		file_put(file);
		return -EINVAL;
	}
	*out = file;
	return 0;
}

static int64_t copy_setting(struct task *t, guest_addr_t out, uint64_t value, uint64_t interval)
{
	struct linux_itimerspec setting = { .interval = from_ns(interval), .value = from_ns(value) };

	return copy_out(t->mm, out, &setting, sizeof(setting)) ? -EFAULT : 0;
}

int64_t sys_timerfd_settime(struct task *t, const struct syscall_args *a)
{
	uint32_t flags = arg_u32(a, 1);
	struct linux_itimerspec setting;
	uint64_t value, interval, old_value, old_interval;
	struct file *file;
	int rc;

	if (copy_in(t->mm, &setting, arg_addr(a, 2), sizeof(setting)))
		return -EFAULT;
	if (flags & ~(uint32_t)(LINUX_TFD_TIMER_ABSTIME | LINUX_TFD_TIMER_CANCEL_ON_SET) ||
	    !to_ns(&setting.value, &value) || !to_ns(&setting.interval, &interval))
		return -EINVAL;
	rc = lookup(t, arg_int(a, 0), &file);
	if (rc)
		return rc;
	if (value && (flags & LINUX_TFD_TIMER_ABSTIME))
		value = MAX(time_from_guest(t, timerfd_clock(file), value), 1ULL);
	rc = timerfd_set(file, (int)flags, value, interval, &old_value, &old_interval);
	file_put(file);
	if (rc || guest_is_null(arg_addr(a, 3)))
		return rc;
	return copy_setting(t, arg_addr(a, 3), old_value, old_interval);
}

int64_t sys_timerfd_gettime(struct task *t, const struct syscall_args *a)
{
	uint64_t value, interval;
	struct file *file;
	int rc = lookup(t, arg_int(a, 0), &file);

	if (rc)
		return rc;
	timerfd_get(file, &value, &interval);
	file_put(file);
	return copy_setting(t, arg_addr(a, 1), value, interval);
}
