/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_to_handle_at and open_by_handle_at.  No file system here can find an object by a
 * handle, as Linux's overlay cannot: handles that are to be opened are EOPNOTSUPP, what is
 * opened is stale.  Handles that only identify (AT_HANDLE_FID) are there for everything.
 */
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/syscalls/file_call.h"

#define HANDLE_BYTES_MAX 128U
#define FID_TYPE_INO64_GEN 0x81 /* inode number in eight bytes, generation in four */
#define FID_BYTES 12U

struct linux_file_handle {
	uint32_t bytes;
	int32_t type;
	uint8_t handle[FID_BYTES];
};

/* Where the inode number is used once only, its generation says nothing. */
static int64_t encode(struct task *t, const struct path *p, guest_addr_t handle)
{
	struct linux_file_handle h = { .bytes = FID_BYTES, .type = FID_TYPE_INO64_GEN };
	uint32_t room;
	int rc = copy_in_u32(t->mm, &room, handle);

	if (rc)
		return rc;
	if (room > HANDLE_BYTES_MAX)
		return -EINVAL;
	memcpy(h.handle, &p->dentry->inode->ino, sizeof(p->dentry->inode->ino));
	if (room >= FID_BYTES)
		return copy_out(t->mm, handle, &h, sizeof(h));
	h.type = 255;
	rc = copy_out(t->mm, handle, &h, offsetof(struct linux_file_handle, handle));
	return rc ? rc : -EOVERFLOW;
}

static int64_t put_mount_id(struct task *t, const struct path *p, guest_addr_t out, bool wide)
{
	uint64_t id = p->mount ? (uint64_t)p->mount->id : 0;

	return wide ? copy_out_u64(t->mm, out, id) : copy_out_u32(t->mm, out, (uint32_t)id);
}

int64_t sys_name_to_handle_at(struct task *t, const struct syscall_args *a)
{
	const uint32_t known = LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH | LINUX_AT_HANDLE_FID |
			       LINUX_AT_HANDLE_MNT_ID_UNIQUE | LINUX_AT_HANDLE_CONNECTABLE;
	AUTO_PATH struct path p = { NULL, NULL };
	uint32_t flags = arg_u32(a, 4), lookup = flags & LINUX_AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	int64_t rc, put;

	if (flags & ~known ||
	    (flags & LINUX_AT_HANDLE_FID && flags & LINUX_AT_HANDLE_CONNECTABLE))
		return -EINVAL;
	if (flags & LINUX_AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	rc = call_lookup(t, arg_int(a, 0), arg_addr(a, 1), lookup, &p);
	if (rc)
		return rc;
	if (!(flags & LINUX_AT_HANDLE_FID))
		return -EOPNOTSUPP;
	rc = encode(t, &p, arg_addr(a, 2));
	if (rc && rc != -EOVERFLOW)
		return rc;
	put = put_mount_id(t, &p, arg_addr(a, 3), flags & LINUX_AT_HANDLE_MNT_ID_UNIQUE);
	return put ? put : rc;
}

/* Copied as a whole, although nothing in it can be right. */
static int64_t check_handle(struct task *t, guest_addr_t at)
{
	uint8_t handle[HANDLE_BYTES_MAX];
	struct linux_file_handle h;
	const size_t head = offsetof(struct linux_file_handle, handle);
	int rc = copy_in(t->mm, &h, at, head);

	if (rc)
		return rc;
	if (!h.bytes || h.bytes > HANDLE_BYTES_MAX || h.type < 0)
		return -EINVAL;
	return copy_in(t->mm, handle, guest_add(at, head), h.bytes);
}

int64_t sys_open_by_handle_at(struct task *t, const struct syscall_args *a)
{
	int64_t rc = check_handle(t, arg_addr(a, 1));

	if (rc)
		return rc;
	if (arg_int(a, 0) != LINUX_AT_FDCWD) {
		AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, arg_int(a, 0));

		if (!file)
			return -EBADF;
	}
	return credentials_root_capable(t->cred, LINUX_CAP_DAC_READ_SEARCH) ? -ESTALE : -EPERM;
}
