/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open file descriptions: creation, references, and what makes them mappable.
 * The last put runs without locks: it may do I/O and wake others.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/mm.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/vfs.h"

static const struct file_ops no_ops;

/* --- mapping ----------------------------------------------------------------------- */

static void mappable_get(struct mappable *m)
{
	file_get((struct file *)m);
}

static void mappable_put(struct mappable *m)
{
	file_put((struct file *)m);
}

static bool is_noexec(const struct file *file)
{
	return file->mount && file->mount->flags & MOUNT_NOEXEC;
}

/* In the order of Linux's do_mmap. */
static int mappable_host_fd(struct mappable *m, uint64_t offset, uint64_t size, int prot,
			    bool shared, int *fd, uint64_t *host_offset)
{
	struct file *file = (struct file *)m;

	if (shared && prot & LINUX_PROT_WRITE && !file->can_write)
		return -EACCES;
	if (!file->can_read)
		return -EACCES;
	if (prot & LINUX_PROT_EXEC && is_noexec(file))
		return -EPERM;
	if (!file->ops->map)
		return -ENODEV;
	return file->ops->map(file, offset, size, prot, shared, fd, host_offset);
}

static bool is_sealed(struct file *file)
{
	int seals = file->ops->seals ? file->ops->seals(file, LINUX_F_GET_SEALS, 0) : 0;

	return seals > 0 && (uint32_t)seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE);
}

static int mappable_max_prot(struct mappable *m, bool shared)
{
	struct file *file = (struct file *)m;
	int prot = LINUX_PROT_READ;

	if (!shared || (file->can_write && !is_sealed(file)))
		prot |= LINUX_PROT_WRITE;
	if (!is_noexec(file))
		prot |= LINUX_PROT_EXEC;
	return prot;
}

/* Paths are given from the top of the mount tree: mm knows no task's root. */
static void mappable_describe(struct mappable *m, char *buf, size_t size, uint64_t *dev, uint64_t *ino)
{
	struct file *file = (struct file *)m;
	struct path nowhere = { NULL, NULL };
	char path[VFS_PATH_MAX], *at = path;

	*dev = file->inode->sb->dev;
	*ino = file->inode->ino;
	if (file_path_string(file, &nowhere, path, sizeof(path), &at) < 0)
		at = path + sizeof(path) - 1;
	snprintf(buf, size, "%s", at);
}

/* Two descriptions of one file map the same memory. */
static const void *mappable_identity(struct mappable *m)
{
	return inode_anchor(container_of(m, struct file, mappable)->inode);
}

static void mappable_count_writer(struct mappable *m, int change)
{
	struct file *file = container_of(m, struct file, mappable);

	if (file->ops->count_writer)
		file->ops->count_writer(file, change);
}

static int mappable_sync(struct mappable *m, uint64_t offset, uint64_t size)
{
	struct file *file = container_of(m, struct file, mappable);

	(void)offset;
	(void)size;
	return file->ops->fsync ? file->ops->fsync(file, true) : 0;
}

static const struct mappable_ops file_mappable_ops = {
	.get = mappable_get,
	.put = mappable_put,
	.host_fd = mappable_host_fd,
	.max_prot = mappable_max_prot,
	.describe = mappable_describe,
	.identity = mappable_identity,
	.count_writer = mappable_count_writer,
	.sync = mappable_sync,
};

struct file *file_from_mappable(struct mappable *m)
{
	return m && m->ops == &file_mappable_ops ? (struct file *)m : NULL;
}

/* --- life ------------------------------------------------------------------------------ */

int file_new(const struct file_ops *ops, struct inode *inode, struct mount *mount,
	     struct dentry *dentry, uint32_t flags, const struct credentials *cred,
	     struct file **out)
{
	struct file *file = calloc(1, sizeof(*file));
	uint32_t access = flags & LINUX_O_ACCMODE;
	int rc = 0;

	if (!file)
		return -ENOMEM;
	if (dentry)
		dentry_get(dentry);
	else
		rc = dentry_new_anonymous(inode, "", &dentry);
	if (rc < 0) {
		free(file);
		return rc;
	}
	file->mappable.ops = &file_mappable_ops;
	refcount_init(&file->refs);
	file->ops = ops ? ops : &no_ops;
	file->inode = inode_get(inode);
	file->mount = mount ? mount_get(mount) : NULL;
	file->dentry = dentry;
	file->flags = flags & ~(LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC |
				LINUX_O_CLOEXEC);
	file->is_path = flags & LINUX_O_PATH;
	file->can_read = !file->is_path && (access == LINUX_O_RDONLY || access == LINUX_O_RDWR);
	file->can_write = !file->is_path && (access == LINUX_O_WRONLY || access == LINUX_O_RDWR);
	file->seekable = ops && ops->llseek && ops->llseek != vfs_llseek_none;
	mutex_init(&file->position_lock, LOCK_RANK_FILE_POSITION);
	file->cred = cred ? credentials_get(cred) : NULL;
	list_init(&file->epoll_items);
	*out = file;
	return 0;
}

struct file *file_get(struct file *file)
{
	refcount_get(&file->refs);
	return file;
}

static void file_free(struct file *file)
{
	if (file->in_epoll && vfs_upcalls.file_closing)
		vfs_upcalls.file_closing(file);
	if (!file->is_path) {
		inotify_object(file->dentry, file->can_write ? LINUX_IN_CLOSE_WRITE :
							       LINUX_IN_CLOSE_NOWRITE);
		file_locks_remove_file(file);
		lease_forget(file);
		file_leave_async(file);
		dnotify_forget(file, NULL);
	}
	if (file->ops->release)
		file->ops->release(file);
	if (file->write_access)
		inode_put_write_access(file->inode);
	if (file->read_access)
		atomic_fetch_sub(&inode_anchor(file->inode)->readers, 1);
	dentry_put(file->dentry);
	mount_put(file->mount);
	inode_put(file->inode);
	credentials_put(file->cred);
	if (vfs_upcalls.owner_free)
		vfs_upcalls.owner_free(atomic_load(&file->owner));
	mutex_destroy(&file->position_lock);
	free(file);
}

void file_put(struct file *file)
{
	if (file && refcount_put(&file->refs))
		file_free(file);
}

void file_close(struct file *file, struct fd_table *owner)
{
	if (file->ops->flush)
		file->ops->flush(file);
	if (!file->is_path) {
		dnotify_forget(file, owner);
		file_locks_remove_posix(file->inode, owner);
	}
	file_put(file);
}

uint32_t vfs_poll(struct file *file)
{
	if (!file->ops->poll)
		return LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLRDNORM | LINUX_EPOLLWRNORM;
	return file->ops->poll(file);
}
