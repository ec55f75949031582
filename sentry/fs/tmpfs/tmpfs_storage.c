/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a tmpfs file: inline or in a memfd, and their charge against the
 * size limit.  A write charges first what it may at most allocate and corrects
 * the charge by the host's count afterwards.  All under inode->lock.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "sentry/host/host_file.h"
#include "sentry/host/host_memfd.h"
#include "util/checked.h"

/* --- charges ------------------------------------------------------------------------ */

int tmpfs_charge(struct tmpfs_super *ts, uint64_t pages)
{
	uint64_t used = ts->used_pages, max = ts->max_pages;

	do {
		if (max && (pages > max || used > max - pages))
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&ts->used_pages, &used, used + pages));
	return 0;
}

void tmpfs_uncharge(struct tmpfs_super *ts, uint64_t pages)
{
	atomic_fetch_sub(&ts->used_pages, pages);
}

static uint64_t page_count(uint64_t bytes)
{
	return bytes / TMPFS_PAGE + (bytes % TMPFS_PAGE != 0);
}

static void set_charge(struct inode *inode, uint64_t charged, uint64_t actual)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;

	if (actual < charged)
		tmpfs_uncharge(tmpfs_super(inode), charged - actual);
	else if (actual > charged)
		atomic_fetch_add(&tmpfs_super(inode)->used_pages, actual - charged);
	s->pages = actual;
}

static uint64_t host_pages(const struct tmpfs_storage *s)
{
	struct stat st;

	if (host_fstat(s->memfd, &st) < 0)
		return s->pages;
	return (uint64_t)st.st_blocks / (TMPFS_PAGE / 512);
}

/* Pages that mappings allocated are found here. */
void tmpfs_storage_recount_locked(struct inode *inode)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;

	if (s->memfd >= 0)
		set_charge(inode, s->pages, host_pages(s));
}

/* --- attributes ----------------------------------------------------------------------- */

static void set_size(struct inode *inode, uint64_t size, bool only_grow)
{
	struct vfs_time now = vfs_now();

	mutex_lock(&inode->attr_lock);
	if (!only_grow || size > inode->attr.size)
		inode->attr.size = size;
	inode->attr.mtime = now;
	inode->attr.ctime = now;
	mutex_unlock(&inode->attr_lock);
}

/* --- inline ------------------------------------------------------------------------------ */

static int inline_reserve(struct inode *inode, uint64_t size)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint32_t capacity = s->capacity ? s->capacity : 64;
	char *data;

	if (size <= s->capacity)
		return 0;
	while (capacity < size)
		capacity *= 2;
	if (!s->pages) {
		int rc = tmpfs_charge(tmpfs_super(inode), 1);

		if (rc < 0)
			return rc;
		s->pages = 1;
	}
	data = realloc(s->data, capacity);
	if (!data)
		return -ENOSPC;
	memset(data + s->capacity, 0, capacity - s->capacity);
	s->data = data;
	s->capacity = capacity;
	return 0;
}

static ssize_t inline_write(struct inode *inode, const char *buf, size_t size, uint64_t pos)
{
	int rc = inline_reserve(inode, pos + size);

	if (rc < 0)
		return rc;
	memcpy(tmpfs_node(inode)->file.data + pos, buf, size);
	set_size(inode, pos + size, true);
	return (ssize_t)size;
}

/* The host's shortage of FDs or memory is a full file system here. */
int tmpfs_storage_spill_locked(struct inode *inode)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint64_t size = inode->attr.size; /* changes only under inode->lock */
	int fd;

	if (s->memfd >= 0)
		return 0;
	fd = host_memfd_create("tmpfs", size);
	if (fd < 0)
		return -ENOSPC;
	if (s->data && size && host_pwrite(fd, s->data, MIN(size, s->capacity), 0) < 0) {
		host_close(fd);
		return -ENOSPC;
	}
	s->memfd = fd;
	free(s->data);
	s->data = NULL;
	s->capacity = 0;
	set_charge(inode, s->pages, host_pages(s));
	return 0;
}

/* --- memfd --------------------------------------------------------------------------------- */

/* At most how many pages writing [pos, end) allocates. */
static uint64_t pages_needed(const struct inode *inode, uint64_t pos, uint64_t end)
{
	const struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint64_t have = page_count(inode->attr.size), spanned;

	spanned = page_count(end) - pos / TMPFS_PAGE;
	if (s->pages >= have) /* no holes */
		return page_count(end) > have ? MIN(spanned, page_count(end) - have) : 0;
	return spanned;
}

static ssize_t memfd_write(struct inode *inode, const char *buf, size_t size, uint64_t pos)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint64_t charge = pages_needed(inode, pos, pos + size);
	ssize_t n;
	int rc = 0;

	if (charge) {
		rc = tmpfs_charge(tmpfs_super(inode), charge);
		if (rc < 0)
			return rc;
	}
	n = host_pwrite(s->memfd, buf, size, pos);
	if (charge)
		set_charge(inode, s->pages + charge, host_pages(s));
	if (n > 0)
		set_size(inode, pos + (uint64_t)n, true);
	return n;
}

/* Up to the last page that fits, as Linux goes on until the file system is full. */
static ssize_t memfd_write_pages(struct inode *inode, const char *buf, size_t size, uint64_t pos)
{
	size_t done = 0;

	while (done < size) {
		size_t chunk = MIN(size - done, TMPFS_PAGE - (pos + done) % TMPFS_PAGE);
		ssize_t n;

		tmpfs_storage_recount_locked(inode);
		n = memfd_write(inode, buf + done, chunk, pos + done);
		/* an overwritten page needs no space, whatever the estimate says */
		if (n == -ENOSPC && pos + done + chunk <= inode->attr.size &&
		    host_lseek(tmpfs_node(inode)->file.memfd,
			       (int64_t)round_down(pos + done, TMPFS_PAGE), SEEK_DATA) ==
			    (int64_t)round_down(pos + done, TMPFS_PAGE))
			n = host_pwrite(tmpfs_node(inode)->file.memfd, buf + done, chunk, pos + done);
		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int check_write_seals(const struct inode *inode, uint64_t end)
{
	uint32_t seals = tmpfs_node(inode)->file.seals;

	if (seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return seals & LINUX_F_SEAL_GROW && end > inode->attr.size ? -EPERM : 0;
}

ssize_t tmpfs_storage_write_locked(struct inode *inode, const char *buf, size_t size, uint64_t pos)
{
	ssize_t n = check_write_seals(inode, pos + size);

	if (n < 0)
		return n;
	if (tmpfs_node(inode)->file.memfd < 0) {
		if (pos + size <= TMPFS_INLINE_MAX)
			return inline_write(inode, buf, size, pos);
		n = tmpfs_storage_spill_locked(inode);
		if (n < 0)
			return n;
	}
	n = memfd_write(inode, buf, size, pos);
	return n == -ENOSPC ? memfd_write_pages(inode, buf, size, pos) : n;
}

int tmpfs_storage_resize_locked(struct inode *inode, uint64_t size)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	uint64_t old = inode->attr.size;
	int rc;

	if ((s->seals & LINUX_F_SEAL_SHRINK && size < old) || (s->seals & LINUX_F_SEAL_GROW && size > old))
		return -EPERM;
	if (s->memfd < 0 && size > TMPFS_INLINE_MAX) {
		rc = tmpfs_storage_spill_locked(inode);
		if (rc < 0)
			return rc;
	}
	if (s->memfd >= 0) {
		rc = host_ftruncate(s->memfd, size);
		if (rc < 0)
			return rc;
		tmpfs_storage_recount_locked(inode);
	} else if (size < s->capacity) {
		memset(s->data + size, 0, s->capacity - size);
	} else {
		rc = size ? inline_reserve(inode, size) : 0;
		if (rc < 0)
			return rc;
	}
	set_size(inode, size, false);
	return 0;
}

static int punch(struct inode *inode, uint64_t offset, uint64_t size)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	int rc = 0;

	if (s->seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (s->memfd >= 0) {
		rc = host_fallocate(s->memfd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, size);
		tmpfs_storage_recount_locked(inode);
	} else if (offset < s->capacity) {
		memset(s->data + offset, 0, MIN(size, s->capacity - offset));
	}
	if (rc == 0)
		inode_touch(inode, SETATTR_MTIME | SETATTR_CTIME);
	return rc;
}

int tmpfs_storage_allocate_locked(struct inode *inode, int mode, uint64_t offset, uint64_t size)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;
	bool keep = mode & LINUX_FALLOC_FL_KEEP_SIZE;
	uint64_t charge;
	int rc;

	if (mode & LINUX_FALLOC_FL_PUNCH_HOLE)
		return punch(inode, offset, size);
	if (!keep && s->seals & LINUX_F_SEAL_GROW && offset + size > inode->attr.size)
		return -EPERM;
	rc = tmpfs_storage_spill_locked(inode);
	if (rc < 0)
		return rc;
	charge = page_count(offset + size) - offset / TMPFS_PAGE;
	rc = tmpfs_charge(tmpfs_super(inode), charge);
	if (rc < 0)
		return rc;
	rc = host_fallocate(s->memfd, keep ? FALLOC_FL_KEEP_SIZE : 0, offset, size);
	set_charge(inode, s->pages + charge, host_pages(s));
	if (rc == 0)
		set_size(inode, keep ? 0 : offset + size, true);
	return rc;
}

void tmpfs_storage_evict(struct inode *inode)
{
	struct tmpfs_storage *s = &tmpfs_node(inode)->file;

	tmpfs_uncharge(tmpfs_super(inode), s->pages);
	host_close(s->memfd);
	host_close(s->twin);
	free(s->data);
}
