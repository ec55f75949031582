/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Donated host FDs: at most one read-only and one read-write per inode, opened
 * when first needed.  When the last file closes they are kept a while, because what was
 * opened once (a library, a header) is opened again; the oldest go first.
 */
#include "config.h"

#include <errno.h>

#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/host/host_stream.h"
#include "util/log.h"

#define IDLE_MAX 128

static void close_fds(const int fds[GOFER_FD_KINDS])
{
	for (int i = 0; i < GOFER_FD_KINDS; i++)
		if (fds[i] >= 0)
			host_stream_close(fds[i]);
}

/* Takes the FDs away; the caller closes them, outside of the lock. */
static void take_fds_locked(struct gofer_fs *fs, struct gofer_inode *g, int fds[GOFER_FD_KINDS])
	REQUIRES(fs->table_lock)
{
	if (list_linked(&g->idle)) {
		list_remove(&g->idle);
		fs->idle_count--;
	}
	for (int i = 0; i < GOFER_FD_KINDS; i++)
		fds[i] = atomic_exchange(&g->fd[i], -1);
}

static void pin_locked(struct gofer_fs *fs, struct gofer_inode *g) REQUIRES(fs->table_lock)
{
	g->opens++;
	if (list_linked(&g->idle)) {
		list_remove(&g->idle);
		fs->idle_count--;
	}
}

/* Asks the gofer for an FD; the node or name of @inode is used under names. */
static int open_host(struct inode *inode, enum gofer_fd_kind kind, int *fd)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	struct gofer_address address;
	struct gofer_entry entry;
	int ret;

	rwlock_read_lock(&fs->names);
	ret = gofer_address(inode, &address);
	if (ret >= 0)
		ret = gofer_open(fs->client, address.node, address.name,
				 kind == GOFER_FD_READ ? GOFER_READ : GOFER_READ_WRITE, 0, &entry);
	rwlock_read_unlock(&fs->names);
	if (ret < 0)
		return ret;
	if (entry.attr.dev != g->dev || entry.attr.ino != g->ino) {
		host_stream_close(ret);
		return -ESTALE;
	}
	*fd = ret;
	return 0;
}

/* Stores @fd unless there is one by now; returns what is left to be closed. */
static int store_locked(struct gofer_inode *g, enum gofer_fd_kind kind, int fd)
{
	int none = -1;

	return atomic_compare_exchange_strong(&g->fd[kind], &none, fd) ? -1 : fd;
}

int gofer_fd_get(struct inode *inode, enum gofer_fd_kind kind)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	int fd = -1, surplus, err;

	mutex_lock(&fs->table_lock);
	pin_locked(fs, g);
	mutex_unlock(&fs->table_lock);
	if (g->fd[kind] >= 0)
		return 0;
	err = open_host(inode, kind, &fd);
	if (err) {
		gofer_fd_put(inode);
		return err;
	}
	mutex_lock(&fs->table_lock);
	surplus = store_locked(g, kind, fd);
	mutex_unlock(&fs->table_lock);
	if (surplus >= 0)
		host_stream_close(surplus);
	return 0;
}

void gofer_fd_adopt(struct inode *inode, enum gofer_fd_kind kind, int fd)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	int surplus;

	mutex_lock(&fs->table_lock);
	pin_locked(fs, g);
	surplus = store_locked(g, kind, fd);
	mutex_unlock(&fs->table_lock);
	if (surplus >= 0)
		host_stream_close(surplus);
	gofer_fd_put(inode);
}

void gofer_fd_discard(int fd)
{
	host_stream_close(fd);
}

int gofer_fd_peek(struct inode *inode, bool writable)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	int fd;

	mutex_lock(&fs->table_lock);
	fd = g->fd[GOFER_FD_WRITE];
	if (fd < 0 && !writable)
		fd = g->fd[GOFER_FD_READ];
	if (fd >= 0)
		pin_locked(fs, g);
	mutex_unlock(&fs->table_lock);
	return fd;
}

/* What a writer did is known to the host only; it is asked before the FD goes. */
static void remember_attr(struct inode *inode, const int fds[GOFER_FD_KINDS])
{
	int fd = fds[GOFER_FD_WRITE];

	if (fd >= 0 && gofer_inode_refresh_by_fd(inode, fd))
		log_debug("gofer: fstat of inode %lu failed", inode->ino);
}

/* Drops the FDs of the inode idle for longest, when there are too many. */
static void trim_idle(struct gofer_fs *fs)
{
	int fds[GOFER_FD_KINDS] = { -1, -1 };
	struct gofer_inode *oldest;
	struct inode *inode = NULL;

	mutex_lock(&fs->table_lock);
	oldest = list_first(&fs->idle, struct gofer_inode, idle);
	/* One whose last reference is just going closes its FDs itself. */
	if (fs->idle_count > IDLE_MAX && refcount_get_unless_zero(&oldest->inode->refs)) {
		inode = oldest->inode;
		take_fds_locked(fs, oldest, fds);
	}
	mutex_unlock(&fs->table_lock);
	if (!inode)
		return;
	remember_attr(inode, fds);
	close_fds(fds);
	inode_put(inode);
}

void gofer_fd_put(struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	bool trim = false;

	mutex_lock(&fs->table_lock);
	if (--g->opens == 0 && (g->fd[GOFER_FD_READ] >= 0 || g->fd[GOFER_FD_WRITE] >= 0)) {
		list_add_tail(&fs->idle, &g->idle);
		trim = ++fs->idle_count > IDLE_MAX;
	}
	mutex_unlock(&fs->table_lock);
	if (trim)
		trim_idle(fs);
}

void gofer_fd_evict(struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	int fds[GOFER_FD_KINDS];

	mutex_lock(&fs->table_lock);
	take_fds_locked(fs, gofer_inode_of(inode), fds);
	mutex_unlock(&fs->table_lock);
	close_fds(fds);
}
