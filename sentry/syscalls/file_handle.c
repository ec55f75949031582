/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_to_handle_at and open_by_handle_at.  tmpfs finds its objects by their numbers; no other file system
 * here does, as Linux's overlay does not: handles that are to be opened are EOPNOTSUPP there.  Handles that
 * only identify (AT_HANDLE_FID) are there for everything.
 */
#include <assert.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/inode.h"
#include "util/checked.h"
#include "util/hash.h"

#define HANDLE_BYTES_MAX 128U
#define FID_TYPE_INO64_GEN 0x81 /* inode number in eight bytes, generation in four */
#define TYPE_INO32_GEN 1 /* the same size: generation, and the number's halves */
#define FID_BYTES 12U

struct linux_file_handle {
	uint32_t bytes;
	int32_t type;
	uint8_t handle[FID_BYTES];
};

static bool can_decode(const struct inode *inode)
{
	return inode->sb->ops->path_of_ino;
}

/*
 * A number is used once only in its file system, so the generation stands for both: what was made up for
 * another number, or file system, is stale, as Linux's random generations make it.
 */
static uint32_t generation_of(const struct super_block *sb, uint64_t ino)
{
	return (uint32_t)hash_u64(ino ^ (uint64_t)sb->dev << 32);
}

static void fill(struct linux_file_handle *h, const struct inode *inode)
{
	const uint32_t parts[] = { generation_of(inode->sb, inode->ino), (uint32_t)inode->ino,
				   (uint32_t)(inode->ino >> 32) };

	static_assert(sizeof(parts) == sizeof(h->handle), "handle");
	if (can_decode(inode)) {
		h->type = TYPE_INO32_GEN;
		memcpy(h->handle, parts, sizeof(parts));
	} else {
		memcpy(h->handle, &inode->ino, sizeof(inode->ino));
	}
}

static int64_t encode(struct task *t, const struct path *p, guest_addr_t handle)
{
	struct linux_file_handle h = { .bytes = FID_BYTES, .type = FID_TYPE_INO64_GEN };
	uint32_t room;
	int rc = copy_in_u32(t->mm, &room, handle);

	if (rc)
		return rc;
	if (room > HANDLE_BYTES_MAX)
		return -EINVAL;
	fill(&h, p->dentry->inode);
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
	if (!(flags & LINUX_AT_HANDLE_FID) &&
	    (!can_decode(p.dentry->inode) || flags & LINUX_AT_HANDLE_CONNECTABLE))
		return -EOPNOTSUPP;
	rc = encode(t, &p, arg_addr(a, 2));
	if (rc && rc != -EOVERFLOW)
		return rc;
	put = put_mount_id(t, &p, arg_addr(a, 3), flags & LINUX_AT_HANDLE_MNT_ID_UNIQUE);
	return put ? put : rc;
}

#define HANDLE_HEAD offsetof(struct linux_file_handle, handle)

static int64_t read_head(struct task *t, guest_addr_t at, struct linux_file_handle *h)
{
	int rc = copy_in(t->mm, h, at, HANDLE_HEAD);

	if (rc)
		return rc;
	return !h->bytes || h->bytes > HANDLE_BYTES_MAX || h->type < 0 ? -EINVAL : 0;
}

/* Behind what is told of the directory and the caller. */
static int64_t read_body(struct task *t, guest_addr_t at, struct linux_file_handle *h)
{
	uint8_t handle[HANDLE_BYTES_MAX];
	int rc = copy_in(t->mm, handle, guest_add(at, HANDLE_HEAD), h->bytes);

	if (!rc)
		memcpy(h->handle, handle, MIN(h->bytes, FID_BYTES));
	return rc;
}

/* Where the handle is to be looked for. */
static int find_anchor(struct task *t, int fd, struct path *out)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FILE struct file *file = NULL;
	struct path p;

	if (fd == LINUX_AT_FDCWD)
		return vfs_lookup(&ctx, LINUX_AT_FDCWD, ".", 0, out);
	file = fd_table_lookup(t->fds, fd); /* O_PATH is not enough */
	if (!file)
		return -EBADF;
	p = file_path(file);
	*out = path_get(&p);
	return 0;
}

static int find_object(const struct path *anchor, const struct linux_file_handle *h, struct path *out)
{
	uint32_t parts[FID_BYTES / sizeof(uint32_t)];
	uint64_t ino;

	memcpy(parts, h->handle, sizeof(parts));
	ino = parts[1] | (uint64_t)parts[2] << 32;
	if (h->bytes < FID_BYTES || parts[0] != generation_of(anchor->dentry->sb, ino))
		return -ESTALE;
	return vfs_find_by_ino(anchor, ino, out);
}

static int64_t open_object(struct task *t, const struct path *p, uint32_t flags)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FILE struct file *file = NULL;
	int fd = fd_table_reserve(t->fds, task_rlimit(t, RLIM_NOFILE)), rc;

	if (fd < 0)
		return fd;
	rc = vfs_open_root(&ctx, p, flags, &file);
	if (rc < 0) {
		fd_table_unreserve(t->fds, fd);
		return rc == -EINTR ? -ERESTARTSYS : rc;
	}
	fd_table_fill(t->fds, fd, file, flags & LINUX_O_CLOEXEC);
	return fd;
}

int64_t sys_open_by_handle_at(struct task *t, const struct syscall_args *a)
{
	AUTO_PATH struct path anchor = { NULL, NULL }, p = { NULL, NULL };
	struct linux_file_handle h = { 0 };
	int64_t rc = read_head(t, arg_addr(a, 1), &h);

	if (rc == 0)
		rc = find_anchor(t, arg_int(a, 0), &anchor);
	if (rc == 0 && !credentials_root_capable(t->cred, LINUX_CAP_DAC_READ_SEARCH))
		rc = -EPERM;
	if (rc == 0)
		rc = read_body(t, arg_addr(a, 1), &h);
	if (rc == 0)
		rc = find_object(&anchor, &h, &p);
	return rc ? rc : open_object(t, &p, (arg_u32(a, 2) & LINUX_O_VALID) | LINUX_O_LARGEFILE);
}
