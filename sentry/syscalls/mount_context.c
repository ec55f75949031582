/* SPDX-License-Identifier: Apache-2.0 */
/* fsopen, fsconfig, fsmount, fspick.  Nothing of the guest's memory is touched with a context's
 * lock held. */
#include "config.h"

#include <stdlib.h>

#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/mount_call.h"
#include "sentry/vfs/mount_context.h"

#define TEXT_MAX 256 /* of keys and values, with the end */
#define BINARY_MAX (1024 * 1024)
#define MOUNT_ATTRIBUTES                                                                  \
	(LINUX_MOUNT_ATTR_RDONLY | LINUX_MOUNT_ATTR_NOSUID | LINUX_MOUNT_ATTR_NODEV |     \
	 LINUX_MOUNT_ATTR_NOEXEC | LINUX_MOUNT_ATTR_ATIME | LINUX_MOUNT_ATTR_NODIRATIME | \
	 LINUX_MOUNT_ATTR_NOSYMFOLLOW)

/* -EINVAL for one that does not end within @size. */
static int copy_in_text(struct task *t, guest_addr_t from, size_t size, char **out)
{
	char *text = malloc(size);
	ssize_t n = text ? copy_in_str(t->mm, text, from, size) : -ENOMEM;

	if (n < 0) {
		free(text);
		return n == -ENAMETOOLONG ? -EINVAL : (int)n;
	}
	*out = text;
	return 0;
}

/* --- fsopen, fspick ------------------------------------------------------------------------- */

int64_t sys_fsopen(struct task *t, const struct syscall_args *a)
{
	const struct file_system_type *type;
	uint32_t flags = arg_u32(a, 1);
	AUTO_FREE char *name = NULL;
	struct file *file;
	int rc;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~LINUX_FSOPEN_CLOEXEC)
		return -EINVAL;
	rc = copy_in_text(t, arg_addr(a, 0), GUEST_PAGE_SIZE, &name);
	if (rc < 0)
		return rc;
	type = file_system_find(name);
	if (!type)
		return -ENODEV;
	rc = mount_context_open(type, t->cred, &file);
	return rc < 0 ? rc : install_new_file(t, file, flags & LINUX_FSOPEN_CLOEXEC);
}

int64_t sys_fspick(struct task *t, const struct syscall_args *a)
{
	const uint32_t known = LINUX_FSPICK_CLOEXEC | LINUX_FSPICK_SYMLINK_NOFOLLOW |
			       LINUX_FSPICK_NO_AUTOMOUNT | LINUX_FSPICK_EMPTY_PATH;
	AUTO_PATH struct path at = { NULL, NULL };
	uint32_t flags = arg_u32(a, 2), at_flags = 0;
	struct file *file = NULL;
	int rc;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~known)
		return -EINVAL;
	if (flags & LINUX_FSPICK_SYMLINK_NOFOLLOW)
		at_flags |= LINUX_AT_SYMLINK_NOFOLLOW;
	if (flags & LINUX_FSPICK_EMPTY_PATH)
		at_flags |= LINUX_AT_EMPTY_PATH;
	rc = call_lookup_named(t, arg_int(a, 0), arg_addr(a, 1), at_flags, &at);
	if (rc == 0)
		rc = mount_context_pick(&at, t->cred, &file);
	return rc < 0 ? rc : install_new_file(t, file, flags & LINUX_FSPICK_CLOEXEC);
}

/* --- fsmount -------------------------------------------------------------------------------- */

int64_t sys_fsmount(struct task *t, const struct syscall_args *a)
{
	uint32_t flags = arg_u32(a, 1), attributes = arg_u32(a, 2), access_time;
	AUTO_FILE struct file *context = NULL;
	struct file *tree;
	int rc;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~LINUX_FSMOUNT_CLOEXEC || attributes & ~MOUNT_ATTRIBUTES)
		return -EINVAL;
	rc = mount_flags_from_access_time(attributes, &access_time);
	if (rc < 0)
		return rc;
	context = call_file(t, arg_int(a, 0));
	if (!context)
		return -EBADF;
	if (!file_is_mount_context(context))
		return -EINVAL;
	rc = mount_context_mount(context, t->namespaces->mount,
				 mount_flags_from_attributes(attributes) | access_time, &tree);
	return rc < 0 ? rc : install_new_file(t, tree, flags & LINUX_FSMOUNT_CLOEXEC);
}

/* --- fsconfig ------------------------------------------------------------------------------- */

static bool is_command(uint32_t cmd)
{
	return cmd >= LINUX_FSCONFIG_CMD_CREATE;
}

/* What must be there, and what must not. */
static int check_arguments(uint32_t cmd, bool key, bool value, int aux)
{
	bool good;

	switch ((enum linux_fsconfig_command)cmd) {
	case LINUX_FSCONFIG_SET_FLAG:
		good = key && !value && !aux;
		break;
	case LINUX_FSCONFIG_SET_STRING:
		good = key && value && !aux;
		break;
	case LINUX_FSCONFIG_SET_BINARY:
		good = key && value && aux > 0 && aux <= BINARY_MAX;
		break;
	case LINUX_FSCONFIG_SET_PATH:
	case LINUX_FSCONFIG_SET_PATH_EMPTY:
		good = key && value && (aux == LINUX_AT_FDCWD || aux >= 0);
		break;
	case LINUX_FSCONFIG_SET_FD:
		good = key && !value && aux >= 0;
		break;
	case LINUX_FSCONFIG_CMD_CREATE:
	case LINUX_FSCONFIG_CMD_RECONFIGURE:
	case LINUX_FSCONFIG_CMD_CREATE_EXCL:
		good = !key && !value && !aux;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return good ? 0 : -EINVAL;
}

/* Read, as its faults are to be seen, although no option takes bytes. */
static int check_binary(struct task *t, guest_addr_t from, size_t size)
{
	AUTO_FREE char *bytes = malloc(size);

	return bytes ? copy_in(t->mm, bytes, from, size) : -ENOMEM;
}

/* Not looked up, as no option takes a path. */
static int check_path(struct task *t, guest_addr_t from, bool may_be_empty)
{
	AUTO_FREE char *path = NULL;
	int rc = copy_in_path(t->mm, from, &path);

	if (rc < 0)
		return rc;
	return *path || may_be_empty ? 0 : -ENOENT;
}

static int check_descriptor(struct task *t, int fd)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, fd);

	return file ? 0 : -EBADF;
}

/* @text: owns what @out has of it. */
static int copy_in_value(struct task *t, const struct syscall_args *a, char **text,
			 struct fs_parameter *out)
{
	uint32_t cmd = arg_u32(a, 1);
	int rc;

	out->kind = FS_VALUE_OTHER;
	switch ((enum linux_fsconfig_command)cmd) {
	case LINUX_FSCONFIG_SET_FLAG:
		out->kind = FS_VALUE_NONE;
		return 0;
	case LINUX_FSCONFIG_SET_STRING:
		rc = copy_in_text(t, arg_addr(a, 3), TEXT_MAX, text);
		out->kind = FS_VALUE_STRING;
		out->text = *text;
		return rc;
	case LINUX_FSCONFIG_SET_BINARY:
		return check_binary(t, arg_addr(a, 3), (size_t)arg_int(a, 4));
	case LINUX_FSCONFIG_SET_PATH:
	case LINUX_FSCONFIG_SET_PATH_EMPTY:
		return check_path(t, arg_addr(a, 3), cmd == LINUX_FSCONFIG_SET_PATH_EMPTY);
	case LINUX_FSCONFIG_SET_FD:
		return check_descriptor(t, arg_int(a, 4));
	default:
		return -EOPNOTSUPP;
	}
}

static int set_option(struct task *t, const struct syscall_args *a, struct file *context)
{
	AUTO_FREE char *key = NULL, *text = NULL;
	struct fs_parameter p = { NULL, FS_VALUE_NONE, NULL };
	int rc = copy_in_text(t, arg_addr(a, 2), TEXT_MAX, &key);

	if (rc == 0)
		rc = copy_in_value(t, a, &text, &p);
	if (rc < 0)
		return rc;
	p.key = key;
	return mount_context_set(context, t->cred, &p);
}

int64_t sys_fsconfig(struct task *t, const struct syscall_args *a)
{
	uint32_t cmd = arg_u32(a, 1);
	AUTO_FILE struct file *context = NULL;
	int fd = arg_int(a, 0), rc;

	if (fd < 0)
		return -EINVAL;
	rc = check_arguments(cmd, !guest_is_null(arg_addr(a, 2)), !guest_is_null(arg_addr(a, 3)),
			     arg_int(a, 4));
	if (rc < 0)
		return rc;
	context = call_file(t, fd);
	if (!context)
		return -EBADF;
	if (!file_is_mount_context(context))
		return -EINVAL;
	if (!is_command(cmd))
		return set_option(t, a, context);
	if (cmd == LINUX_FSCONFIG_CMD_RECONFIGURE)
		return mount_context_reconfigure(context, t->cred);
	return mount_context_create(context, t->cred, cmd == LINUX_FSCONFIG_CMD_CREATE_EXCL);
}
