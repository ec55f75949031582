/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attribute calls: twelve names for four operations. */
#include "config.h"

#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/xattr.h"
#include "util/checked.h"

/* What a call names: by path (following or not) or by FD. */
enum target { BY_PATH, BY_LINK, BY_FD };

static int find_target(struct task *t, const struct syscall_args *a, enum target how, struct path *out)
{
	struct path p;
	struct file *file;

	if (how != BY_FD)
		return call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), how == BY_PATH ? LOOKUP_FOLLOW : 0, out);
	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	p = file_path(file);
	*out = path_get(&p);
	file_put(file);
	return 0;
}

static int copy_in_name(struct task *t, guest_addr_t from, char name[LINUX_XATTR_NAME_MAX + 1])
{
	ssize_t n = copy_in_str(t->mm, name, from, LINUX_XATTR_NAME_MAX + 1);

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

static int64_t set(struct task *t, const struct syscall_args *a, enum target how)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FREE void *value = NULL;
	char name[LINUX_XATTR_NAME_MAX + 1];
	uint64_t size = a->v[3];
	uint32_t flags = arg_u32(a, 4);
	int rc;

	if (flags & ~(uint32_t)(LINUX_XATTR_CREATE | LINUX_XATTR_REPLACE))
		return -EINVAL;
	rc = copy_in_name(t, arg_addr(a, 1), name);
	if (rc < 0)
		return rc;
	if (size > LINUX_XATTR_SIZE_MAX)
		return -E2BIG;
	value = malloc(size ? size : 1);
	if (!value)
		return -ENOMEM;
	rc = copy_in(t->mm, value, arg_addr(a, 2), size);
	if (rc == 0)
		rc = find_target(t, a, how, &p);
	return rc < 0 ? rc : vfs_setxattr(&ctx, &p, name, value, size, (int)flags);
}

static int64_t get(struct task *t, const struct syscall_args *a, enum target how)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FREE void *value = NULL;
	char name[LINUX_XATTR_NAME_MAX + 1];
	uint64_t size = MIN(a->v[3], LINUX_XATTR_SIZE_MAX);
	ssize_t n;
	int rc = copy_in_name(t, arg_addr(a, 1), name);

	if (rc == 0)
		rc = find_target(t, a, how, &p);
	if (rc < 0)
		return rc;
	value = malloc(size ? size : 1);
	if (!value)
		return -ENOMEM;
	n = vfs_getxattr(&ctx, &p, name, value, size);
	if (n > 0 && size)
		rc = copy_out(t->mm, arg_addr(a, 2), value, (size_t)n);
	else if (n == -ERANGE && size >= LINUX_XATTR_SIZE_MAX)
		n = -E2BIG;
	return rc < 0 ? rc : n;
}

static int64_t list(struct task *t, const struct syscall_args *a, enum target how)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FREE char *names = NULL;
	uint64_t size = MIN(a->v[2], LINUX_XATTR_LIST_MAX);
	ssize_t n;
	int rc = find_target(t, a, how, &p);

	if (rc < 0)
		return rc;
	names = malloc(size ? size : 1);
	if (!names)
		return -ENOMEM;
	n = vfs_listxattr(&ctx, &p, names, size);
	if (n > 0 && size)
		rc = copy_out(t->mm, arg_addr(a, 1), names, (size_t)n);
	else if (n == -ERANGE && size >= LINUX_XATTR_LIST_MAX)
		n = -E2BIG;
	return rc < 0 ? rc : n;
}

static int64_t drop(struct task *t, const struct syscall_args *a, enum target how)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	char name[LINUX_XATTR_NAME_MAX + 1];
	int rc = copy_in_name(t, arg_addr(a, 1), name);

	if (rc == 0)
		rc = find_target(t, a, how, &p);
	return rc < 0 ? rc : vfs_removexattr(&ctx, &p, name);
}

#define XATTR_CALLS(call, operation)                                              \
	int64_t sys_##call(struct task *t, const struct syscall_args *a)          \
	{                                                                         \
		return operation(t, a, BY_PATH);                                  \
	}                                                                         \
	int64_t sys_l##call(struct task *t, const struct syscall_args *a)         \
	{                                                                         \
		return operation(t, a, BY_LINK);                                  \
	}                                                                         \
	int64_t sys_f##call(struct task *t, const struct syscall_args *a)         \
	{                                                                         \
		return operation(t, a, BY_FD);                                    \
	}

XATTR_CALLS(setxattr, set)
XATTR_CALLS(getxattr, get)
XATTR_CALLS(listxattr, list)
XATTR_CALLS(removexattr, drop)
