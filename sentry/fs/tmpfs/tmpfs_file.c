/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open tmpfs files.  The operations find their inode in file->private_data, not
 * file->inode: an overlay opens its upper's files under inodes of its own.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/mm.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "sentry/host/host_file.h"
#include "sentry/host/host_memfd.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/bounce.h"
#include "sentry/vfs/host_file.h"
#include "util/checked.h"

static struct inode *inode_of(const struct file *file)
{
	return file->private_data;
}

static int tmpfs_file_open(struct inode *inode, struct file *file)
{
	file->ops = &tmpfs_file_ops;
	file->private_data = inode;
	return 0;
}

/* Copies what is inline at @pos; @size is at least TMPFS_INLINE_MAX.  1: there is a memfd now. */
static int read_inline(struct inode *inode, char *buf, uint64_t pos, size_t *size)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint64_t end;
	int rc = 0;

	mutex_lock(&inode->lock);
	end = inode->attr.size;
	if (s->memfd >= 0)
		rc = 1;
	else if (pos >= end || !s->data)
		*size = 0;
	else
		memcpy(buf, s->data + pos, *size = MIN(*size, end - pos));
	mutex_unlock(&inode->lock);
	return rc;
}

static ssize_t tmpfs_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct inode *inode = inode_of(file);
	char buf[TMPFS_INLINE_MAX];
	size_t size = MIN(to->count, sizeof(buf));
	ssize_t n;

	if (tmpfs_node(inode)->file.memfd >= 0 || read_inline(inode, buf, *pos, &size))
		n = host_file_pread(tmpfs_node(inode)->file.memfd, to, *pos);
	else
		n = size ? io_iter_copy_to(to, buf, size) : 0;
	if (n > 0)
		*pos += (uint64_t)n;
	file_accessed(file, inode);
	return n;
}

static ssize_t write_some(struct inode *inode, const char *buf, size_t size, uint64_t pos)
{
	ssize_t n;

	mutex_lock(&inode->lock);
	n = tmpfs_storage_write_locked(inode, buf, size, pos);
	mutex_unlock(&inode->lock);
	return n;
}

static ssize_t write_guest(struct inode *inode, struct io_iter *from, uint64_t pos)
{
	struct bounce bounce;
	ssize_t total = 0;
	int rc = bounce_begin(&bounce, from->count);

	if (rc < 0)
		return rc;
	while (from->count) {
		size_t wanted = MIN(from->count, bounce.size);
		ssize_t got = io_iter_copy_from(from, bounce.buffer, wanted);
		ssize_t n = got > 0 ? write_some(inode, bounce.buffer, (size_t)got,
						 pos + (uint64_t)total) : got;

		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if (n < got || (size_t)got < wanted)
			break;
	}
	bounce_end(&bounce);
	return total;
}

static ssize_t tmpfs_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct inode *inode = inode_of(file);
	ssize_t n;

	if (!from->count)
		return 0;
	if (from->mm) {
		n = write_guest(inode, from, *pos);
	} else {
		n = write_some(inode, from->buffer, from->count, *pos);
		if (n > 0) {
			from->buffer += n;
			from->count -= (uint64_t)n;
		}
	}
	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static int64_t tmpfs_llseek(struct file *file, int64_t offset, int whence)
{
	struct inode *inode = inode_of(file);
	struct inode_attr attr;
	int fd = tmpfs_node(inode)->file.memfd;

	if ((whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE) && fd >= 0) {
		int64_t at = host_lseek(fd, offset, whence);

		if (at >= 0)
			file->position = (uint64_t)at;
		return at;
	}
	inode_attr_read(inode, &attr);
	return vfs_llseek_size(file, offset, whence, attr.size, INT64_MAX);
}

static int tmpfs_fallocate(struct file *file, int mode, uint64_t offset, uint64_t size)
{
	struct inode *inode = inode_of(file);
	int rc;

	if (mode & ~(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	rc = tmpfs_storage_allocate_locked(inode, mode, offset, size);
	mutex_unlock(&inode->lock);
	return rc;
}

static int tmpfs_fsync(struct file *file, bool data_only)
{
	return 0;
}

/* Private mappings and those of files not open for writing get the twin. */
static int map_locked(struct tmpfs_storage *s, bool writable, int *fd)
{
	if (writable) {
		*fd = s->memfd;
		return 0;
	}
	if (s->twin < 0) {
		int twin = host_memfd_read_only_twin(s->memfd);

		if (twin < 0)
			return twin == -EMFILE || twin == -ENFILE ? -ENOMEM : twin;
		s->twin = twin;
	}
	*fd = s->twin;
	return 0;
}

static int tmpfs_map(struct file *file, uint64_t offset, uint64_t size, int prot, bool shared, int *fd,
		     uint64_t *host_offset)
{
	struct inode *inode = inode_of(file);
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	const uint32_t no_write = LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE;
	bool sealed;
	int rc = 0;

	mutex_lock(&inode->lock);
	sealed = s->seals & no_write;
	if (sealed && shared && prot & LINUX_PROT_WRITE)
		rc = -EPERM;
	if (rc == 0)
		rc = tmpfs_storage_spill_locked(inode);
	if (rc == 0)
		rc = map_locked(s, shared && file->can_write && !sealed, fd);
	mutex_unlock(&inode->lock);
	if (rc == 0)
		*host_offset = offset;
	return rc;
}

/*
 * F_SEAL_WRITE must fail while a shared mapping that may write exists.  One that begins is
 * counted before tmpfs_map looks at the seals, so one of the two sees the other.
 */
static void tmpfs_count_writer(struct file *file, int change)
{
	atomic_fetch_add(&tmpfs_node(inode_of(file))->file.writers, (uint32_t)change);
}

static int add_seals(const struct file *file, const struct inode *inode, struct tmpfs_storage *s,
		     uint32_t seals)
{
	if (!file->can_write)
		return -EPERM;
	if (seals & ~LINUX_F_SEAL_ALL)
		return -EINVAL;
	if (s->seals & LINUX_F_SEAL_SEAL)
		return -EPERM;
	if (seals & LINUX_F_SEAL_WRITE && !(s->seals & LINUX_F_SEAL_WRITE) && s->writers)
		return -EBUSY;
	/* an executable file sealed against exec changes is sealed against all of them */
	if (seals & LINUX_F_SEAL_EXEC && inode->attr.mode & LINUX_S_IXUGO)
		seals |= LINUX_F_SEAL_SHRINK | LINUX_F_SEAL_GROW | LINUX_F_SEAL_WRITE |
			 LINUX_F_SEAL_FUTURE_WRITE;
	s->seals |= seals;
	return 0;
}

static int tmpfs_seals(struct file *file, int command, uint32_t seals)
{
	struct inode *inode = inode_of(file);
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	int rc;

	mutex_lock(&inode->lock);
	rc = command == LINUX_F_GET_SEALS ? (int)s->seals : add_seals(file, inode, s, seals);
	mutex_unlock(&inode->lock);
	return rc;
}

const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.fsync = tmpfs_fsync,
	.fallocate = tmpfs_fallocate,
	.map = tmpfs_map,
	.count_writer = tmpfs_count_writer,
	.seals = tmpfs_seals,
	.ioctl = tmpfs_ioctl,
};

const struct inode_ops tmpfs_file_inode_ops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.open = tmpfs_file_open,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.evict = tmpfs_evict,
};
