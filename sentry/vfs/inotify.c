/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify: see inotify.h.  An inode's marks hang on its anchor's watches, an instance's
 * on its list; both under inotify_mutex.  Events are queued under it and waiters
 * woken inside (WAIT_QUEUE ranks above), owners signalled.  What a mark holds is put after unlocking.
 * A mark gets its dentry under the cache's lock, and loses it after that was deleted: none stays with a name
 * that is gone.
 */
#include "config.h"

#include "sentry/vfs/inotify_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/ioctl.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/file_handle.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"
#include "util/strbuf.h"

#define QUEUE_MAX 16384 /* fs.inotify.max_queued_events */
#define WATCHES_MAX 65536

struct inotify_event {
	struct list_node node;
	int32_t wd;
	uint32_t mask, cookie;
	uint32_t name_size; /* with padding, as delivered; 0: no name */
	char name[];
};

struct inotify {
	struct list_node events;
	struct list_node marks; /* newest first, as fdinfo lists them */
	size_t event_count, event_bytes, mark_count;
	int32_t next_wd;
	bool overflowed;
	struct wait_queue queue;
	struct async_list async;
};

_Atomic uint32_t inotify_mark_count;
struct mutex inotify_mutex = MUTEX_INIT(LOCK_RANK_FS_PRIVATE);
static _Atomic uint32_t next_cookie = 1;

uint32_t inotify_next_cookie(void)
{
	return atomic_fetch_add(&next_cookie, 1);
}

/* --- queueing ---------------------------------------------------------------------------- */

static bool same_as_last(const struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie,
			 const char *name)
{
	const struct inotify_event *last = list_last(&in->events, struct inotify_event, node);

	return last && last->wd == wd && last->mask == mask && last->cookie == cookie &&
	       (name ? last->name_size && !strcmp(last->name, name) : !last->name_size);
}

static void queue_locked(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie, const char *name)
{
	size_t length = name ? strlen(name) : 0;
	uint32_t name_size = name ? (uint32_t)round_up(length + 1, sizeof(struct linux_inotify_event)) : 0;
	struct inotify_event *e;

	if (same_as_last(in, wd, mask, cookie, name))
		return;
	if (in->event_count >= QUEUE_MAX) {
		if (in->overflowed)
			return;
		in->overflowed = true;
		wd = -1;
		mask = LINUX_IN_Q_OVERFLOW;
		cookie = 0;
		length = 0;
		name_size = 0;
	}
	e = calloc(1, sizeof(*e) + name_size);
	if (!e)
		return;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->name_size = name_size;
	if (name_size)
		memcpy(e->name, name, length);
	list_add_tail(&in->events, &e->node);
	in->event_count++;
	in->event_bytes += sizeof(struct linux_inotify_event) + name_size;
	wait_queue_wake(&in->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	async_report(&in->async, ASYNC_IN);
}

void inotify_mark_link_locked(struct inotify_mark *m)
{
	struct inode *inode = inode_anchor(m->inode);

	m->next = atomic_load(&inode->watches);
	atomic_store(&inode->watches, (void *)m);
	inotify_mark_count++;
}

void inotify_mark_unlink_locked(struct inotify_mark *m)
{
	struct inode *inode = inode_anchor(m->inode);
	struct inotify_mark *head = atomic_load(&inode->watches);

	if (head == m) {
		atomic_store(&inode->watches, (void *)m->next);
	} else {
		while (head->next != m)
			head = head->next;
		head->next = m->next;
	}
	if (m->instance) {
		list_remove(&m->in_instance);
		m->instance->mark_count--;
	}
	inotify_mark_count--;
}

static void mark_free(struct inotify_mark *m)
{
	if (m) {
		dentry_put(m->dentry);
		inode_put(m->inode);
	}
	free(m);
}

void inotify_marks_free(struct inotify_mark *m)
{
	while (m) {
		struct inotify_mark *next = m->next;

		mark_free(m);
		m = next;
	}
}

/* True: the mark has had its one event. */
static bool event_locked(struct inotify_mark *m, uint32_t mask, uint32_t cookie, const char *name)
{
	uint32_t events = LINUX_IN_ALL_EVENTS | (m->instance ? 0 : INOTIFY_RENAME);

	if (!(m->mask & mask & events))
		return false;
	if (!m->instance)
		return dnotify_event_locked(m);
	queue_locked(m->instance, m->wd, mask, cookie, name);
	return m->mask & LINUX_IN_ONESHOT;
}

/* @unlinked: of an open file that has no name any more, for which some marks are deaf. */
static void report(struct inode *inode, uint32_t mask, uint32_t cookie, const char *name, bool unlinked)
{
	struct inotify_mark *m, *next, *dead = NULL;

	inode = inode_anchor(inode);
	if (!atomic_load(&inode->watches))
		return;
	mutex_lock(&inotify_mutex);
	for (m = atomic_load(&inode->watches); m; m = next) {
		next = m->next;
		if (unlinked && m->mask & LINUX_IN_EXCL_UNLINK)
			continue;
		if (event_locked(m, mask, cookie, name)) {
			inotify_mark_unlink_locked(m);
			if (m->instance)
				queue_locked(m->instance, m->wd, LINUX_IN_IGNORED, 0, NULL);
			m->next = dead;
			dead = m;
		}
	}
	mutex_unlock(&inotify_mutex);
	inotify_marks_free(dead);
}

void inotify_report(struct inode *inode, uint32_t mask, uint32_t cookie, const char *name)
{
	report(inode, mask, cookie, name, false);
}

/* What goes through a FIFO or a device is nothing that its directory hears of. */
static bool parent_may_hear(const struct dentry *d, uint32_t mask)
{
	uint32_t type = inode_type(d->inode);
	bool special = type != LINUX_S_IFREG && type != LINUX_S_IFDIR && type != LINUX_S_IFLNK;

	return !special || !(mask & (LINUX_IN_ACCESS | LINUX_IN_MODIFY));
}

void inotify_report_dentry(struct dentry *d, uint32_t mask)
{
	char name[VFS_NAME_MAX + 1] = "";
	struct dentry *parent = NULL;
	bool unlinked;

	if (!d->inode)
		return;
	if (inode_type(d->inode) == LINUX_S_IFDIR)
		mask |= LINUX_IN_ISDIR;
	dentry_cache_lock();
	/* An attribute is the inode's, which is not the less for having no name. */
	unlinked = d->deleted && !(mask & LINUX_IN_ATTRIB);
	if (d->parent != d && (d->hashed || d->parent_hears) && parent_may_hear(d, mask)) {
		parent = dentry_get(d->parent);
		snprintf(name, sizeof(name), "%s", d->name);
	}
	dentry_cache_unlock();
	if (parent)
		report(parent->inode, mask, 0, name, unlinked);
	dentry_put(parent);
	report(d->inode, mask, 0, NULL, unlinked);
}

/* The object is gone: every mark says so and goes with it.  dnotify's go with their open files. */
static void inode_deleted(struct inode *inode)
{
	struct inotify_mark *m, *next, *dead = NULL;

	inode = inode_anchor(inode);
	mutex_lock(&inotify_mutex);
	for (m = atomic_load(&inode->watches); m; m = next) {
		next = m->next;
		if (!m->instance)
			continue;
		if (m->mask & LINUX_IN_DELETE_SELF)
			queue_locked(m->instance, m->wd, LINUX_IN_DELETE_SELF, 0, NULL);
		queue_locked(m->instance, m->wd, LINUX_IN_IGNORED, 0, NULL);
		inotify_mark_unlink_locked(m);
		m->next = dead;
		dead = m;
	}
	mutex_unlock(&inotify_mutex);
	inotify_marks_free(dead);
}

void inotify_unlinked(struct dentry *d)
{
	struct inotify_mark *m;
	unsigned count = 0;

	if (!inode_is_watched(d->inode))
		return;
	mutex_lock(&inotify_mutex);
	for (m = atomic_load(&inode_anchor(d->inode)->watches); m; m = m->next) {
		if (m->dentry == d) {
			m->dentry = NULL;
			count++;
		}
	}
	mutex_unlock(&inotify_mutex);
	while (count--)
		dentry_put(d);
}

void inotify_dentry_gone(struct dentry *d)
{
	bool directory = inode_type(d->inode) == LINUX_S_IFDIR;
	struct inode_attr attr;

	/* A directory has one name, whatever its file system counts. */
	if (directory ? d->deleted : !inode_getattr(d->inode, &attr) && attr.nlink == 0)
		inode_deleted(d->inode);
}

void inotify_link_count(struct inode *inode)
{
	uint32_t dir = inode_type(inode) == LINUX_S_IFDIR ? LINUX_IN_ISDIR : 0;

	if (inotify_active())
		inotify_report(inode, LINUX_IN_ATTRIB | dir, 0, NULL);
}

/* --- the file ------------------------------------------------------------------------------ */

static struct inotify_event *take_event(struct inotify *in, uint64_t space, ssize_t *error)
{
	struct inotify_event *e;

	mutex_lock(&inotify_mutex);
	e = list_first(&in->events, struct inotify_event, node);
	if (!e) {
		*error = -EAGAIN;
	} else if (sizeof(struct linux_inotify_event) + e->name_size > space) {
		*error = -EINVAL;
		e = NULL;
	} else {
		list_remove(&e->node);
		in->event_count--;
		in->event_bytes -= sizeof(struct linux_inotify_event) + e->name_size;
		if (e->mask & LINUX_IN_Q_OVERFLOW)
			in->overflowed = false;
	}
	mutex_unlock(&inotify_mutex);
	return e;
}

static ssize_t deliver(struct io_iter *to, const struct inotify_event *e)
{
	struct linux_inotify_event head = { e->wd, e->mask, e->cookie, e->name_size };
	ssize_t n = io_iter_copy_to(to, &head, sizeof(head));

	if (n == (ssize_t)sizeof(head) && e->name_size)
		n = io_iter_copy_to(to, e->name, e->name_size);
	return n < 0 ? n : (ssize_t)(sizeof(head) + e->name_size);
}

static ssize_t inotify_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct inotify *in = file->private_data;
	ssize_t total = 0, error = 0;

	for (;;) {
		struct inotify_event *e = take_event(in, to->count, &error);
		ssize_t n;

		if (!e)
			return total ? total : error;
		n = deliver(to, e);
		free(e);
		if (n < 0)
			return total ? total : n;
		total += n;
	}
}

static uint32_t inotify_poll(struct file *file)
{
	struct inotify *in = file->private_data;
	uint32_t events;

	mutex_lock(&inotify_mutex);
	events = list_empty(&in->events) ? 0 : LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	mutex_unlock(&inotify_mutex);
	return events;
}

static struct wait_queue *inotify_poll_queue(struct file *file)
{
	return &((struct inotify *)file->private_data)->queue;
}

static int64_t inotify_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct inotify *in = file->private_data;
	size_t bytes;

	if (cmd != LINUX_FIONREAD)
		return -ENOTTY;
	mutex_lock(&inotify_mutex);
	bytes = in->event_bytes;
	mutex_unlock(&inotify_mutex);
	return copy_out_u32(mm, guest_addr(arg), (uint32_t)bytes);
}

static void add_mark(const struct inotify_mark *m, struct strbuf *out)
{
	const uint32_t shown = LINUX_IN_ALL_EVENTS | LINUX_IN_EXCL_UNLINK | LINUX_IN_ONESHOT;
	uint64_t dev = m->inode->sb->dev;
	struct linux_file_handle h;

	file_handle_encode(m->inode, &h);
	strbuf_addf(out, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0 fhandle-bytes:%x "
			 "fhandle-type:%x f_handle:",
		    (uint32_t)m->wd, (unsigned long long)m->inode->ino,
		    linux_dev_major(dev) << 20 | linux_dev_minor(dev), m->mask & shown, h.bytes,
		    (uint32_t)h.type);
	for (size_t i = 0; i < h.bytes; i++)
		strbuf_addf(out, "%02x", h.handle[i]);
	strbuf_add_char(out, '\n');
}

static void inotify_fdinfo(struct file *file, struct strbuf *out)
{
	struct inotify *in = file->private_data;
	struct inotify_mark *m;

	mutex_lock(&inotify_mutex);
	list_for_each(m, &in->marks, in_instance) {
		if (out->length >= FDINFO_SIZE_MAX)
			break;
		add_mark(m, out);
	}
	mutex_unlock(&inotify_mutex);
}

static void inotify_release(struct file *file)
{
	struct inotify *in = file->private_data;
	struct inotify_mark *m, *dead = NULL;
	struct inotify_event *e;

	mutex_lock(&inotify_mutex);
	while ((m = list_first(&in->marks, struct inotify_mark, in_instance))) {
		inotify_mark_unlink_locked(m);
		m->next = dead;
		dead = m;
	}
	mutex_unlock(&inotify_mutex);
	inotify_marks_free(dead);
	while ((e = list_first(&in->events, struct inotify_event, node))) {
		list_remove(&e->node);
		free(e);
	}
	async_list_destroy(&in->async);
	wait_queue_destroy(&in->queue);
	free(in);
}

static struct async_list *inotify_async_list(struct file *file)
{
	struct inotify *in = file->private_data;

	return &in->async;
}

static const struct file_ops inotify_file_ops = {
	.read = inotify_read,
	.llseek = vfs_llseek_none,
	.poll = inotify_poll,
	.poll_queue = inotify_poll_queue,
	.async_list = inotify_async_list,
	.ioctl = inotify_ioctl,
	.show_fdinfo = inotify_fdinfo,
	.release = inotify_release,
	.plain_read = true,
};

int inotify_file_new(uint32_t flags, struct file **out)
{
	struct inotify *in = calloc(1, sizeof(*in));
	int rc;

	if (!in)
		return -ENOMEM;
	list_init(&in->events);
	list_init(&in->marks);
	wait_queue_init(&in->queue);
	async_list_init(&in->async);
	in->next_wd = 1;
	rc = file_new_anonymous(&inotify_file_ops, "anon_inode:inotify", 0600,
				LINUX_O_RDONLY | (flags & LINUX_O_NONBLOCK), in, out);
	if (rc < 0) {
		async_list_destroy(&in->async);
		wait_queue_destroy(&in->queue);
		free(in);
	}
	return rc;
}

bool inotify_is_file(const struct file *file)
{
	return file->ops == &inotify_file_ops;
}

/* --- watches ---------------------------------------------------------------------------------- */

static struct inotify_mark *find_mark(struct inotify *in, struct inode *inode)
{
	struct inotify_mark *m = atomic_load(&inode_anchor(inode)->watches);

	while (m && m->instance != in)
		m = m->next;
	return m;
}

/* @fresh is linked (and 1 returned) unless the inode is watched already. */
static int add_locked(struct inotify *in, struct inotify_mark *fresh, uint32_t mask, int32_t *wd)
{
	struct inotify_mark *m = find_mark(in, fresh->inode);

	if (m) {
		if (mask & LINUX_IN_MASK_CREATE)
			return -EEXIST;
		m->mask = mask & LINUX_IN_MASK_ADD ? m->mask | mask : mask;
		*wd = m->wd;
		return 0;
	}
	if (in->mark_count >= WATCHES_MAX)
		return -ENOSPC;
	fresh->wd = in->next_wd++;
	inotify_mark_link_locked(fresh);
	list_add_head(&in->marks, &fresh->in_instance);
	in->mark_count++;
	*wd = fresh->wd;
	return 1;
}

int inotify_add(struct file *file, struct dentry *dentry, uint32_t mask)
{
	struct inotify *in = file->private_data;
	struct inotify_mark *fresh = calloc(1, sizeof(*fresh));
	int32_t wd = 0;
	int rc;

	if (!fresh)
		return -ENOMEM;
	fresh->instance = in;
	fresh->inode = inode_get(dentry->inode);
	fresh->mask = mask;
	dentry_cache_lock();
	if (dentry->hashed)
		fresh->dentry = dentry_get(dentry);
	mutex_lock(&inotify_mutex);
	rc = add_locked(in, fresh, mask, &wd);
	mutex_unlock(&inotify_mutex);
	dentry_cache_unlock();
	if (rc != 1)
		mark_free(fresh);
	return rc < 0 ? rc : wd;
}

int inotify_remove(struct file *file, int32_t wd)
{
	struct inotify *in = file->private_data;
	struct inotify_mark *m, *found = NULL;

	mutex_lock(&inotify_mutex);
	list_for_each(m, &in->marks, in_instance) {
		if (m->wd == wd) {
			found = m;
			break;
		}
	}
	if (found) {
		inotify_mark_unlink_locked(found);
		queue_locked(in, wd, LINUX_IN_IGNORED, 0, NULL);
	}
	mutex_unlock(&inotify_mutex);
	mark_free(found);
	return found ? 0 : -EINVAL;
}
