/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll instances as files: creation, epoll_ctl with its checks for loops, and
 * the clean-up when the instance or a watched file closes.  Locks: see epoll.h.
 */
#include "sentry/fs/anon/epoll_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/fifo.h"
#include "util/checked.h"
#include "util/strbuf.h"

#define EXCLUSIVE_OK                                                                     \
	(LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP | LINUX_EPOLLET | \
	 LINUX_EPOLLWAKEUP | LINUX_EPOLLEXCLUSIVE)

/* Tables of hash chains have no iteration in order; any will do here. */
#define for_each_item(pos, ep, bucket)                                              \
	for (size_t bucket = 0; bucket < (ep)->items.bucket_count; bucket++)         \
		for (struct hash_node *pos = (ep)->items.buckets[bucket]; pos; pos = pos->next)

static uint32_t epoll_file_poll(struct file *file)
{
	return epoll_poll(file->private_data);
}

static struct wait_queue *epoll_file_poll_queue(struct file *file)
{
	struct epoll *ep = file->private_data;

	return &ep->queue;
}

static void epoll_file_release(struct file *file)
{
	struct epoll *ep = file->private_data;
	struct hash_node *node;

	mutex_lock(&epoll_graph_lock);
	mutex_lock(&ep->lock);
	while ((node = hash_table_any(&ep->items)))
		epoll_item_remove_locked(container_of(node, struct epoll_item, node));
	mutex_unlock(&ep->lock);
	mutex_unlock(&epoll_graph_lock);
	hash_table_destroy(&ep->items);
	wait_queue_destroy(&ep->queue);
	mutex_destroy(&ep->ready_lock);
	mutex_destroy(&ep->lock);
	free(ep);
}

static void epoll_file_fdinfo(struct file *file, struct strbuf *out)
{
	struct epoll *ep = file->private_data;

	mutex_lock(&ep->lock);
	for_each_item(node, ep, bucket) {
		struct epoll_item *item = container_of(node, struct epoll_item, node);

		if (out->length >= FDINFO_SIZE_MAX)
			break;
		strbuf_addf(out, "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%llx\n",
			    item->fd, item->event.events, (unsigned long long)item->event.data,
			    (long long)item->file->position,
			    (unsigned long long)item->file->inode->ino,
			    (unsigned long long)item->file->inode->sb->dev);
	}
	mutex_unlock(&ep->lock);
}

static const struct file_ops epoll_file_ops = {
	.release = epoll_file_release,
	.llseek = vfs_llseek_none,
	.poll = epoll_file_poll,
	.poll_queue = epoll_file_poll_queue,
	.show_fdinfo = epoll_file_fdinfo,
};

struct epoll *epoll_from_file(struct file *file)
{
	return file->ops == &epoll_file_ops ? file->private_data : NULL;
}

int epoll_file_new(uint32_t flags, struct file **out)
{
	struct epoll *ep = calloc(1, sizeof(*ep));
	int rc;

	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->lock, LOCK_RANK_EPOLL);
	mutex_init(&ep->ready_lock, LOCK_RANK_LEAF);
	hash_table_init(&ep->items);
	list_init(&ep->ready);
	wait_queue_init(&ep->queue);
	rc = file_new_anonymous(&epoll_file_ops, "anon_inode:[eventpoll]", 0600,
				LINUX_O_RDWR | flags, ep, out);
	if (rc) {
		free(ep);
		return rc;
	}
	ep->file = *out;
	return 0;
}

/* --- loops ---------------------------------------------------------------------- */

/* Levels of instances below @ep; more than the maximum when it leads to @forbidden. */
static int depth_below(struct epoll *ep, const struct epoll *forbidden, int level)
{
	int depth = 0;

	if (ep == forbidden || level > EPOLL_NESTING_MAX)
		return EPOLL_NESTING_MAX + 1;
	mutex_lock_nested(&ep->lock);
	for_each_item(node, ep, bucket) {
		struct epoll_item *item = container_of(node, struct epoll_item, node);
		struct epoll *inner = epoll_from_file(item->file);

		if (inner && depth <= EPOLL_NESTING_MAX)
			depth = MAX(depth, depth_below(inner, forbidden, level + 1) + 1);
	}
	mutex_unlock(&ep->lock);
	return depth;
}

/* Levels of instances that watch @ep; the graph lock is held. */
static int depth_above(struct epoll *ep, int level)
{
	struct epoll_item *item;
	int depth = 0;

	if (level > EPOLL_NESTING_MAX)
		return level;
	list_for_each(item, &ep->file->epoll_items, file_link)
		depth = MAX(depth, depth_above(item->ep, level + 1) + 1);
	return depth;
}

static int check_nesting(struct epoll *outer, struct epoll *inner)
{
	int below = depth_below(inner, outer, 0);

	if (below > EPOLL_NESTING_MAX || below + 1 + depth_above(outer, 0) > EPOLL_NESTING_MAX)
		return -ELOOP;
	return 0;
}

const struct file *epoll_target(struct epoll *ep, int fd, uint32_t skip)
{
	const struct file *found = NULL;

	mutex_lock(&ep->lock);
	for_each_item(node, ep, bucket) {
		const struct epoll_item *item = container_of(node, struct epoll_item, node);

		if (!found && item->fd == fd && !skip--)
			found = item->file;
	}
	mutex_unlock(&ep->lock);
	return found;
}

/* --- epoll_ctl -------------------------------------------------------------------- */

static int check_event(int op, struct file *target, const struct linux_epoll_event *event)
{
	if (op == LINUX_EPOLL_CTL_DEL || !(event->events & LINUX_EPOLLEXCLUSIVE))
		return 0;
	if (op == LINUX_EPOLL_CTL_MOD)
		return -EINVAL;
	if (op == LINUX_EPOLL_CTL_ADD &&
	    (epoll_from_file(target) || (event->events & ~EXCLUSIVE_OK)))
		return -EINVAL;
	return 0;
}

static int change_locked(struct epoll *ep, int op, struct file *target, int fd,
			 const struct linux_epoll_event *event) REQUIRES(ep->lock)
{
	struct epoll_item *item = epoll_item_find_locked(ep, target, fd);

	switch (op) {
	case LINUX_EPOLL_CTL_ADD:
		return item ? -EEXIST : epoll_item_add_locked(ep, target, fd, event);
	case LINUX_EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		epoll_item_remove_locked(item);
		return 0;
	case LINUX_EPOLL_CTL_MOD:
		if (!item)
			return -ENOENT;
		if (item->event.events & LINUX_EPOLLEXCLUSIVE)
			return -EINVAL;
		epoll_item_modify_locked(item, event);
		return 0;
	default:
		return -EINVAL;
	}
}

int epoll_control(struct file *epoll_file, int op, struct file *target, int fd,
		  const struct linux_epoll_event *event)
{
	struct epoll *ep = epoll_from_file(epoll_file);
	struct epoll *inner = epoll_from_file(target);
	int rc = 0;

	if (!target->ops->poll)
		return -EPERM;
	if (epoll_file == target || !ep)
		return -EINVAL;
	rc = check_event(op, target, event);
	if (rc)
		return rc;
	mutex_lock(&epoll_graph_lock);
	if (op == LINUX_EPOLL_CTL_ADD && inner)
		rc = check_nesting(ep, inner);
	if (!rc) {
		mutex_lock(&ep->lock);
		rc = change_locked(ep, op, target, fd, event);
		mutex_unlock(&ep->lock);
	}
	mutex_unlock(&epoll_graph_lock);
	return rc;
}

/* --- closing ----------------------------------------------------------------------- */

static void file_closing(struct file *file)
{
	struct epoll_item *item;

	mutex_lock(&epoll_graph_lock);
	while ((item = list_first(&file->epoll_items, struct epoll_item, file_link))) {
		struct epoll *ep = item->ep;

		mutex_lock(&ep->lock);
		epoll_item_remove_locked(item);
		mutex_unlock(&ep->lock);
	}
	mutex_unlock(&epoll_graph_lock);
}

void epoll_init(void)
{
	vfs_upcalls.file_closing = file_closing;
}
