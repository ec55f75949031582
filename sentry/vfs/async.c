/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of files with O_ASYNC: see async.h. */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file.h"
#include "util/log.h"

/* An open file in the list of its object; freed when O_ASYNC is taken away. */
struct async_entry {
	struct list_node node;
	struct file *file; /* borrowed: it leaves the list before it goes */
	int fd;
};

void async_list_init(struct async_list *list)
{
	mutex_init(&list->lock, LOCK_RANK_ASYNC);
	list_init(&list->entries);
}

void async_list_destroy(struct async_list *list)
{
	ASSERT(list_empty(&list->entries));
	mutex_destroy(&list->lock);
}

static bool concerns(const struct async_list *list, const struct file *file, enum async_reason reason)
{
	if (!list->by_mode)
		return true;
	return reason == ASYNC_OUT ? file->can_write : file->can_read;
}

void async_report_slow(struct async_list *list, enum async_reason reason)
{
	struct async_entry *e;

	mutex_lock(&list->lock);
	list_for_each(e, &list->entries, node)
		if (concerns(list, e->file, reason))
			vfs_upcalls.signal_owner(e->file, e->fd, reason);
	mutex_unlock(&list->lock);
}

static struct async_entry *find_locked(struct async_list *list, const struct file *file)
{
	struct async_entry *e;

	list_for_each(e, &list->entries, node)
		if (e->file == file)
			return e;
	return NULL;
}

/* A second time it only changes the descriptor, as on Linux. */
static void join(struct async_list *list, struct async_entry *fresh)
{
	struct async_entry *e;

	mutex_lock(&list->lock);
	e = find_locked(list, fresh->file);
	if (e) {
		e->fd = fresh->fd;
	} else {
		list_add_tail(&list->entries, &fresh->node);
		list->count++;
	}
	atomic_fetch_or(&fresh->file->flags, LINUX_O_ASYNC);
	mutex_unlock(&list->lock);
	if (e)
		free(fresh);
}

static void leave(struct async_list *list, struct file *file)
{
	struct async_entry *e;

	mutex_lock(&list->lock);
	e = find_locked(list, file);
	if (e) {
		list_remove(&e->node);
		list->count--;
	}
	atomic_fetch_and(&file->flags, ~LINUX_O_ASYNC);
	mutex_unlock(&list->lock);
	free(e);
}

int file_set_async(struct file *file, int fd, bool on)
{
	struct async_list *list = file->ops->async_list ? file->ops->async_list(file) : NULL;
	struct async_entry *fresh;

	if (!list)
		return -ENOTTY;
	if (!on) {
		leave(list, file);
		return 0;
	}
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->file = file;
	fresh->fd = fd;
	join(list, fresh);
	return file->ops->async_begin ? file->ops->async_begin(file) : 0;
}

void file_leave_async(struct file *file)
{
	if (file->flags & LINUX_O_ASYNC && file->ops->async_list)
		leave(file->ops->async_list(file), file);
}
