/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes for handed-in host FDs.  Attributes are the host's, read at each stat;
 * re-opening through /proc/self/fd makes another description over the same FD.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/host/host_object.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"

#define HOSTFS_MAGIC 0x686f7374

static struct super_block *hostfs; /* does not change after host_fs_init */
static const struct super_block_ops hostfs_ops = { 0 };

static uint64_t encode_device(dev_t device)
{
	uint64_t major_number = major(device), minor_number = minor(device);

	return (minor_number & 0xff) | (major_number << 8) | ((minor_number & ~0xffULL) << 12);
}

static struct vfs_time time_of(const struct timespec *t)
{
	return (struct vfs_time){ t->tv_sec, (uint32_t)t->tv_nsec };
}

static void fill_attr(const struct stat *st, struct inode_attr *out)
{
	*out = (struct inode_attr){
		.mode = st->st_mode,
		.nlink = (uint32_t)st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = encode_device(st->st_rdev),
		.size = (uint64_t)st->st_size,
		.blocks = (uint64_t)st->st_blocks,
		.blksize = (uint32_t)st->st_blksize,
		.atime = time_of(&st->st_atim),
		.mtime = time_of(&st->st_mtim),
		.ctime = time_of(&st->st_ctim),
		.btime = time_of(&st->st_ctim),
	};
}

static int host_inode_getattr(struct inode *inode, struct inode_attr *out)
{
	struct host_object *object = inode->private_data;
	struct stat st;
	int rc = host_stream_stat(object->fd, &st);

	if (!rc) {
		fill_attr(&st, out);
		if (object->owned) {
			out->uid = object->uid;
			out->gid = object->gid;
		}
	}
	return rc;
}

static int host_inode_setattr(struct inode *inode, const struct setattr *attr)
{
	struct host_object *object = inode->private_data;

	if (attr->mask & (SETATTR_MODE | SETATTR_UID | SETATTR_GID))
		return -EPERM; /* the file is the caller's */
	if (attr->mask & SETATTR_SIZE)
		return host_stream_truncate(object->fd, attr->size);
	return 0;
}

static const struct file_ops *ops_of(const struct host_object *object)
{
	return object->always_ready ? &host_ready_file_ops : &host_file_ops;
}

static int host_inode_open(struct inode *inode, struct file *file)
{
	struct host_object *object = inode->private_data;
	int mode = host_stream_flags(object->fd);

	if (mode < 0)
		return mode;
	mode &= LINUX_O_ACCMODE;
	if ((file->can_read && mode == LINUX_O_WRONLY) ||
	    (file->can_write && mode == LINUX_O_RDONLY))
		return -EACCES;
	file->ops = ops_of(object);
	file->private_data = object;
	return 0;
}

static void free_object(struct host_object *object)
{
	host_poller_remove(&object->poll);
	host_stream_close(object->fd);
	wait_queue_destroy(&object->queue);
	mutex_destroy(&object->lock);
	free(object->leftover);
	free(object);
}

static void host_inode_evict(struct inode *inode)
{
	if (inode->private_data)
		free_object(inode->private_data);
	inode->private_data = NULL;
}

static const struct inode_ops host_inode_ops = {
	.getattr = host_inode_getattr,
	.setattr = host_inode_setattr,
	.open = host_inode_open,
	.opens_fifos = true,
	.evict = host_inode_evict,
};

int host_fs_init(struct user_namespace *user_ns)
{
	int rc = super_block_new(&hostfs_ops, "hostfs", HOSTFS_MAGIC, user_ns, &hostfs);

	return rc ? rc : host_poller_start();
}

/* Takes @fd, on failure too. */
static int new_object(int fd, struct stat *st, struct host_object **out)
{
	struct host_object *object;
	int rc = host_stream_stat(fd, st);
	int mode = host_stream_flags(fd);

	if (!rc && mode < 0)
		rc = mode;
	object = rc ? NULL : calloc(1, sizeof(*object));
	if (!object) {
		host_stream_close(fd);
		return rc ? rc : -ENOMEM;
	}
	object->fd = fd;
	object->kind = host_stream_kind(st);
	/* Of character devices: null, zero and full. */
	object->always_ready = object->kind == HOST_STREAM_REGULAR ||
			       (S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 &&
				(minor(st->st_rdev) == 3 || minor(st->st_rdev) == 5 ||
				 minor(st->st_rdev) == 7));
	object->append = mode & LINUX_O_APPEND;
	wait_queue_init(&object->queue);
	mutex_init(&object->lock, LOCK_RANK_LEAF);
	*out = object;
	return 0;
}

int host_file_new(int host_fd, uint32_t flags, struct file **out)
{
	const struct credentials *cred;
	struct host_object *object = NULL;
	struct inode *inode;
	struct file *file;
	struct stat st;
	int rc = new_object(host_fd, &st, &object);

	if (rc)
		return rc;
	rc = inode_new(hostfs, &host_inode_ops, st.st_ino, st.st_mode, &inode);
	if (rc) {
		free_object(object);
		return rc;
	}
	fill_attr(&st, &inode->attr);
	inode->private_data = object;
	flags |= object->append ? LINUX_O_APPEND : 0;
	cred = task_current() ? task_cred(task_current()) : NULL;
	rc = file_new(ops_of(object), inode, NULL, NULL, flags, cred, &file);
	if (cred)
		credentials_put(cred);
	inode_put(inode); /* the file's is the last: evict closes the FD */
	if (rc)
		return rc;
	file->private_data = object;
	*out = file;
	return 0;
}

void host_file_set_owner(struct file *file, uint32_t uid, uint32_t gid)
{
	struct inode *inode = file->inode;
	struct host_object *object = inode->private_data;

	if (inode_type(inode) == LINUX_S_IFCHR && inode->attr.rdev == linux_makedev(1, 3))
		return;
	object->uid = inode->attr.uid = uid;
	object->gid = inode->attr.gid = gid;
	object->owned = true;
}
