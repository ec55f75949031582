/* SPDX-License-Identifier: Apache-2.0 */
/* utime, utimes, futimesat, utimensat. */
#include "config.h"

#include "sentry/abi/time.h"
#include "sentry/syscalls/file_call.h"

/* Two guest times with UTIME_NOW and UTIME_OMIT; times NULL: both now. */
static int make_setattr(const struct linux_timespec *times, struct setattr *set, bool *now)
{
	static const uint32_t masks[2] = { SETATTR_ATIME, SETATTR_MTIME };
	struct vfs_time values[2];

	*now = true;
	*set = (struct setattr){ 0 };
	for (int i = 0; i < 2; i++) {
		values[i] = vfs_now();
		if (times && times[i].nsec == LINUX_UTIME_OMIT) {
			*now = false;
			continue;
		}
		if (times && times[i].nsec != LINUX_UTIME_NOW) {
			if (times[i].nsec < 0 || times[i].nsec >= (int64_t)NSEC_PER_SEC)
				return -EINVAL;
			values[i] = (struct vfs_time){ times[i].sec, (uint32_t)times[i].nsec };
			*now = false;
		}
		set->mask |= masks[i];
	}
	set->atime = values[0];
	set->mtime = values[1];
	return 0;
}

static int64_t set_times(struct task *t, int dirfd, guest_addr_t name, const struct linux_timespec *times,
			 int flags)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	struct setattr set;
	bool now;
	int rc;

	if (times && times[0].nsec == LINUX_UTIME_OMIT && times[1].nsec == LINUX_UTIME_OMIT)
		return 0;
	rc = make_setattr(times, &set, &now);
	if (rc < 0)
		return rc;
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	if (guest_is_null(name) && dirfd != LINUX_AT_FDCWD) {
		AUTO_FILE struct file *file = NULL;
		struct path at;

		if (flags)
			return -EINVAL;
		file = call_file(t, dirfd);
		if (!file)
			return -EBADF;
		at = file_path(file);
		return vfs_set_times(&ctx, &at, &set, now);
	}
	rc = call_lookup(t, dirfd, name, call_lookup_flags(flags), &p);
	return rc < 0 ? rc : vfs_set_times(&ctx, &p, &set, now);
}

int64_t sys_utimensat(struct task *t, const struct syscall_args *a)
{
	struct linux_timespec times[2];
	guest_addr_t from = arg_addr(a, 2);
	int rc;

	if (guest_is_null(from))
		return set_times(t, arg_int(a, 0), arg_addr(a, 1), NULL, arg_int(a, 3));
	rc = copy_in(t->mm, times, from, sizeof(times));
	return rc < 0 ? rc : set_times(t, arg_int(a, 0), arg_addr(a, 1), times, arg_int(a, 3));
}

static int64_t set_timevals(struct task *t, int dirfd, guest_addr_t name, guest_addr_t from)
{
	struct linux_timeval values[2];
	struct linux_timespec times[2];
	int rc;

	if (guest_is_null(from))
		return set_times(t, dirfd, name, NULL, 0);
	rc = copy_in(t->mm, values, from, sizeof(values));
	if (rc < 0)
		return rc;
	for (int i = 0; i < 2; i++) {
		if (values[i].usec < 0 || values[i].usec >= (int64_t)USEC_PER_SEC)
			return -EINVAL;
		times[i] = (struct linux_timespec){ values[i].sec, values[i].usec * (int64_t)NSEC_PER_USEC };
	}
	return set_times(t, dirfd, name, times, 0);
}

int64_t sys_futimesat(struct task *t, const struct syscall_args *a)
{
	return set_timevals(t, arg_int(a, 0), arg_addr(a, 1), arg_addr(a, 2));
}

int64_t sys_utimes(struct task *t, const struct syscall_args *a)
{
	return set_timevals(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_addr(a, 1));
}

int64_t sys_utime(struct task *t, const struct syscall_args *a)
{
	struct linux_timespec times[2] = { { 0, 0 }, { 0, 0 } };
	guest_addr_t from = arg_addr(a, 1);
	int64_t seconds[2];
	int rc;

	if (guest_is_null(from))
		return set_times(t, LINUX_AT_FDCWD, arg_addr(a, 0), NULL, 0);
	rc = copy_in(t->mm, seconds, from, sizeof(seconds));
	if (rc < 0)
		return rc;
	times[0].sec = seconds[0];
	times[1].sec = seconds[1];
	return set_times(t, LINUX_AT_FDCWD, arg_addr(a, 0), times, 0);
}
