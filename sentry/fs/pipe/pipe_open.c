/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How pipes come to be: pipe2(2) with an inode of the internal pipe file system,
 * and open(2) of a FIFO, which waits for the other end.
 */
#include "sentry/fs/pipe/pipe_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/fs/pipe/pipe_inode.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"

#define PIPEFS_MAGIC 0x50495045

/* Wakes openers that wait for a partner; no guest can ask for these bits. */
#define EVENT_OPENED (1U << 16)

static struct super_block *pipefs; /* does not change after pipe_init */
static const struct super_block_ops pipefs_ops = { 0 };

struct pipe *pipe_inode_get(struct inode *inode)
{
	struct pipe *fresh = pipe_new();
	struct pipe *pipe;

	inode = inode_anchor(inode);
	mutex_lock(&inode->lock);
	if (!inode->pipe) {
		inode->pipe = fresh;
		fresh = NULL;
	}
	pipe = inode->pipe;
	if (pipe)
		pipe->files++;
	mutex_unlock(&inode->lock);
	if (fresh)
		pipe_free(fresh);
	return pipe;
}

void pipe_inode_put(struct inode *inode, struct pipe *pipe)
{
	bool last;

	inode = inode_anchor(inode);
	mutex_lock(&inode->lock);
	last = --pipe->files == 0;
	if (last)
		inode->pipe = NULL;
	mutex_unlock(&inode->lock);
	if (last)
		pipe_free(pipe);
}

/* The other end, as it was when this one was counted. */
struct partner {
	bool there;
	uint64_t opens;
};

/*
 * In the same moment as the test for a partner: one who comes from then on sees this end, and may be
 * gone again before we look, but is counted.
 */
static struct partner count_end(struct pipe *p, struct file *file, struct pipe_end *end)
{
	struct partner other;

	mutex_lock(&p->lock);
	if (file->can_read) {
		p->readers++;
		p->reader_opens++;
	}
	if (file->can_write) {
		p->writers++;
		p->writer_opens++;
	}
	if (file->can_read && !p->writers)
		end->writer_opens_seen = p->writer_opens;
	other = file->can_read ? (struct partner){ p->writers, p->writer_opens }
			       : (struct partner){ p->readers, p->reader_opens };
	mutex_unlock(&p->lock);
	wait_queue_wake_all(&p->queue, EVENT_OPENED);
	return other;
}

/* Sleeps until somebody opens the other end, unless it is open. */
static int wait_other_end(struct file *file, struct pipe *p, const struct partner *other)
{
	const uint64_t *counter = file->can_read ? &p->writer_opens : &p->reader_opens;
	struct wait_entry entry;
	bool there;
	int rc = 0;

	if (other->there)
		return 0;
	wait_begin(&entry, &p->queue, EVENT_OPENED);
	for (;;) {
		mutex_lock(&p->lock);
		there = *counter != other->opens;
		mutex_unlock(&p->lock);
		if (there || rc)
			break;
		rc = wait_sleep(DEADLINE_NONE);
	}
	wait_end(&entry);
	return there ? 0 : -ERESTARTSYS;
}

static int attach_end(struct inode *inode, struct file *file)
{
	struct pipe_end *end = calloc(1, sizeof(*end));

	if (!end)
		return -ENOMEM;
	end->pipe = pipe_inode_get(inode);
	if (!end->pipe) {
		free(end);
		return -ENOMEM;
	}
	file->private_data = end;
	return 0;
}

static int fifo_open(struct inode *inode, struct file *file)
{
	bool nonblock = file->flags & LINUX_O_NONBLOCK;
	struct partner other;
	struct pipe_end *end;
	int rc = attach_end(inode, file);

	if (rc)
		return rc;
	end = file->private_data;
	if (nonblock && !file->can_read && inode->sb != pipefs && !pipe_has_readers(end->pipe)) {
		pipe_inode_put(inode, end->pipe);
		free(end);
		file->private_data = NULL;
		return -ENXIO;
	}
	other = count_end(end->pipe, file, end);
	if (inode->sb != pipefs && !(file->can_read && file->can_write) && !nonblock)
		rc = wait_other_end(file, end->pipe, &other);
	if (!(nonblock && file->can_read))
		end->writer_opens_seen = 0;
	if (rc)
		pipe_file_ops.release(file);
	else
		file->ops = &pipe_file_ops;
	return rc;
}

static int pipe_inode_open(struct inode *inode, struct file *file)
{
	return fifo_open(inode, file);
}

static const struct inode_ops pipe_inode_ops = { .setattr = inode_setattr_simple, .open = pipe_inode_open };

int pipe_init(struct user_namespace *user_ns)
{
	int rc = super_block_new(&pipefs_ops, "pipefs", PIPEFS_MAGIC, user_ns, &pipefs);

	if (!rc)
		vfs_upcalls.fifo_open = fifo_open;
	return rc;
}

static int new_inode(const struct credentials *cred, struct inode **out)
{
	int rc = inode_new(pipefs, &pipe_inode_ops, 0, LINUX_S_IFIFO | 0600, out);

	if (!rc && cred) {
		(*out)->attr.uid = cred->fsuid;
		(*out)->attr.gid = cred->fsgid;
	}
	return rc;
}

static int new_end(struct inode *inode, uint32_t flags, const struct credentials *cred,
		   struct file **out)
{
	struct pipe_end *end;
	struct file *file;
	int rc = file_new(&pipe_file_ops, inode, NULL, NULL, flags, cred, &file);

	if (rc)
		return rc;
	rc = attach_end(inode, file);
	if (rc) {
		file_put(file);
		return rc;
	}
	end = file->private_data;
	(void)count_end(end->pipe, file, end);
	end->writer_opens_seen = 0; /* a writer is certain to come */
	*out = file;
	return 0;
}

int pipe_files_new(uint32_t flags, struct file **read_end, struct file **write_end)
{
	const struct credentials *cred = task_current() ? task_cred(task_current()) : NULL;
	struct inode *inode = NULL;
	struct file *reader = NULL;
	int rc = new_inode(cred, &inode);

	flags &= LINUX_O_NONBLOCK | LINUX_O_DIRECT;
	if (!rc)
		rc = new_end(inode, flags | LINUX_O_RDONLY, cred, &reader);
	if (!rc)
		rc = new_end(inode, flags | LINUX_O_WRONLY, cred, write_end);
	if (!rc)
		*read_end = reader;
	else
		file_put(reader);
	inode_put(inode);
	if (cred)
		credentials_put(cred);
	return rc;
}
