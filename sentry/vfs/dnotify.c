/* SPDX-License-Identifier: Apache-2.0 */
/* See dnotify.h.  Marks among those of inotify; a file's requests are chained from file->dnotify. */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/inotify_internal.h"
#include "sentry/vfs/vfs.h"

struct dnotify {
	struct inotify_mark mark; /* first: freed as a mark */
	struct dnotify *next;	  /* of the same file; inotify_mutex, as all the rest */
	struct file *file;	  /* borrowed: it forgets its requests before it goes */
	const struct fd_table *table; /* compared only */
	int fd;
	bool again; /* LINUX_DN_MULTISHOT */
};

_Atomic bool dnotify_enabled = true;

static uint32_t events_of(uint32_t what)
{
	static const struct {
		uint32_t what, events;
	} map[] = {
		{ LINUX_DN_ACCESS, LINUX_IN_ACCESS },
		{ LINUX_DN_MODIFY, LINUX_IN_MODIFY },
		{ LINUX_DN_CREATE, LINUX_IN_CREATE | LINUX_IN_MOVED_TO },
		{ LINUX_DN_DELETE, LINUX_IN_DELETE | LINUX_IN_MOVED_FROM },
		{ LINUX_DN_RENAME, INOTIFY_RENAME },
		{ LINUX_DN_ATTRIB, LINUX_IN_ATTRIB },
	};
	uint32_t events = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (what & map[i].what)
			events |= map[i].events;
	return events;
}

/* Out of the file's chain. */
static void unchain_locked(struct dnotify *d)
{
	struct dnotify *head = atomic_load(&d->file->dnotify);

	if (head == d) {
		atomic_store(&d->file->dnotify, d->next);
		return;
	}
	while (head->next != d)
		head = head->next;
	head->next = d->next;
}

bool dnotify_event_locked(struct inotify_mark *m)
{
	struct dnotify *d = container_of(m, struct dnotify, mark);

	vfs_upcalls.signal_owner(d->file, d->fd, ASYNC_MSG);
	if (d->again)
		return false;
	unchain_locked(d);
	return true;
}

static struct dnotify *find_locked(struct file *file, const struct fd_table *table)
{
	struct dnotify *d = atomic_load(&file->dnotify);

	while (d && d->table != table)
		d = d->next;
	return d;
}

static void publish_locked(struct dnotify *d)
{
	d->next = atomic_load(&d->file->dnotify);
	atomic_store(&d->file->dnotify, d);
	inotify_mark_link_locked(&d->mark);
}

int dnotify_add(struct file *file, const struct fd_table *table, int fd, uint32_t what)
{
	struct dnotify *d, *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	fresh->file = file;
	fresh->table = table;
	fresh->mark.inode = inode_get(file->inode);
	mutex_lock(&inotify_mutex);
	d = find_locked(file, table);
	if (!d) {
		d = fresh;
		publish_locked(fresh);
	}
	d->fd = fd;
	d->mark.mask |= events_of(what);
	d->again |= (what & LINUX_DN_MULTISHOT) != 0;
	mutex_unlock(&inotify_mutex);
	if (d != fresh)
		inotify_marks_free(&fresh->mark);
	return 0;
}

void dnotify_forget(struct file *file, const struct fd_table *table)
{
	struct inotify_mark *dead = NULL;
	struct dnotify *d, *next;

	if (!atomic_load(&file->dnotify))
		return;
	mutex_lock(&inotify_mutex);
	for (d = atomic_load(&file->dnotify); d; d = next) {
		next = d->next;
		if (table && d->table != table)
			continue;
		unchain_locked(d);
		inotify_mark_unlink_locked(&d->mark);
		d->mark.next = dead;
		dead = &d->mark;
	}
	mutex_unlock(&inotify_mutex);
	inotify_marks_free(dead);
}
