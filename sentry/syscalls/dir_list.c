/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getdents, getdents64: entries are laid out in sentry memory and copied out
 * after the file system let go of its locks.
 */
#include "config.h"

#include <string.h>

#include "sentry/syscalls/file_call.h"
#include "util/checked.h"

#define LISTING_MAX 65536U

struct listing {
	struct dir_context ctx; /* first */
	char *buffer;
	size_t size, used;
	bool old_format;
	bool too_small; /* not even one entry fits */
};

/* struct linux_dirent of the old call: the type is the record's last byte. */
static void write_old(char *at, size_t reclen, const char *name, size_t name_size, uint64_t next_pos,
		      uint64_t ino, uint32_t d_type)
{
	uint16_t size = (uint16_t)reclen;

	memset(at, 0, reclen);
	memcpy(at, &ino, 8);
	memcpy(at + 8, &next_pos, 8);
	memcpy(at + 16, &size, 2);
	memcpy(at + LINUX_DIRENT_NAME_OFFSET, name, name_size);
	at[reclen - 1] = (char)d_type;
}

static void write_new(char *at, size_t reclen, const char *name, size_t name_size, uint64_t next_pos,
		      uint64_t ino, uint32_t d_type)
{
	uint16_t size = (uint16_t)reclen;

	memset(at, 0, reclen);
	memcpy(at, &ino, 8);
	memcpy(at + 8, &next_pos, 8);
	memcpy(at + 16, &size, 2);
	at[18] = (char)d_type;
	memcpy(at + LINUX_DIRENT64_NAME_OFFSET, name, name_size);
}

static bool emit(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
		 uint64_t ino, uint32_t d_type)
{
	struct listing *l = (struct listing *)ctx;
	size_t reclen = l->old_format ? LINUX_DIRENT_NAME_OFFSET + name_size + 2 :
					LINUX_DIRENT64_NAME_OFFSET + name_size + 1;

	reclen = round_up(reclen, 8);
	if (name_size > VFS_NAME_MAX)
		return true;
	if (reclen > l->size - l->used) {
		l->too_small = l->used == 0;
		return false;
	}
	if (l->old_format)
		write_old(l->buffer + l->used, reclen, name, name_size, next_pos, ino, d_type);
	else
		write_new(l->buffer + l->used, reclen, name, name_size, next_pos, ino, d_type);
	l->used += reclen;
	return true;
}

static void restore_position(struct file *file, uint64_t pos)
{
	mutex_lock(&file->position_lock);
	file->position = pos;
	mutex_unlock(&file->position_lock);
}

static int64_t list(struct task *t, const struct syscall_args *a, bool old_format)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct listing l = { .ctx.emit = emit, .size = MIN(arg_u32(a, 2), LISTING_MAX),
			     .old_format = old_format };
	AUTO_FREE char *buffer = NULL;
	uint64_t before;
	int rc;

	if (!file)
		return -EBADF;
	if (!file->ops->iterate)
		return -ENOTDIR;
	buffer = malloc(l.size ? l.size : 1);
	if (!buffer)
		return -ENOMEM;
	l.buffer = buffer;
	before = file->position;
	rc = vfs_iterate(file, &l.ctx);
	if (rc < 0)
		return rc;
	if (l.too_small)
		return -EINVAL;
	rc = copy_out(t->mm, arg_addr(a, 1), buffer, l.used);
	if (rc < 0) {
		restore_position(file, before);
		return rc;
	}
	return (int64_t)l.used;
}

int64_t sys_getdents(struct task *t, const struct syscall_args *a)
{
	return list(t, a, true);
}

int64_t sys_getdents64(struct task *t, const struct syscall_args *a)
{
	return list(t, a, false);
}
