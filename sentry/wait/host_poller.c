/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poller thread.  It learns that there are events, and takes them under the lock; so whoever has had
 * the lock after something happened on the host knows that the wait queues do (host_poller_catch_up).  Events carry the entry's id, not its address, and are
 * looked up under the lock: an entry removed meanwhile is simply not found.
 * Lock order: poller.lock (LOCK_RANK_FS_PRIVATE), then the wait queue's.
 */
#include "sentry/wait/host_poller.h"

#include <errno.h>

#include "sentry/abi/epoll.h"
#include "sentry/host/host_epoll.h"
#include "sentry/host/host_thread.h"
#include "sentry/wait/wait.h"
#include "util/hash.h"
#include "util/lock.h"
#include "util/log.h"

#define BATCH 32

static struct {
	struct mutex lock;
	struct hash_table entries; /* by id; protected by lock */
	uint64_t next_id;	   /* protected by lock */
	int epoll_fd;		   /* does not change after start */
	bool started;		   /* likewise */
} poller = { .lock = MUTEX_INIT(LOCK_RANK_FS_PRIVATE), .epoll_fd = -1 };

static struct host_poll_entry *find_locked(uint64_t id) REQUIRES(poller.lock)
{
	struct hash_node *node;

	hash_table_for_each_hash(node, &poller.entries, hash_u64(id)) {
		struct host_poll_entry *e = container_of(node, struct host_poll_entry, node);

		if (e->id == id)
			return e;
	}
	return NULL;
}

/* The host reports the plain events; a guest may wait for their other names alone. */
static uint32_t with_synonyms(uint32_t events)
{
	if (events & LINUX_EPOLLIN)
		events |= LINUX_EPOLLRDNORM;
	if (events & LINUX_EPOLLOUT)
		events |= LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;
	if (events & LINUX_EPOLLPRI)
		events |= LINUX_EPOLLRDBAND;
	return events;
}

static void pass_on_locked(void) REQUIRES(poller.lock)
{
	struct host_epoll_event events[BATCH];
	int count;

	do {
		count = host_epoll_take(poller.epoll_fd, events, BATCH);
		if (count < 0)
			panic("host poller: epoll_wait: error %d", -count);
		for (int i = 0; i < count; i++) {
			struct host_poll_entry *e = find_locked(events[i].id);

			if (!e)
				continue;
			wait_queue_wake(e->queue, with_synonyms(events[i].events));
			if (e->report)
				e->report(e, events[i].events);
		}
	} while (count == BATCH);
}

static void *poller_thread(void *unused)
{
	for (;;) {
		int rc = host_epoll_await(poller.epoll_fd);

		if (rc < 0)
			panic("host poller: poll: error %d", -rc);
		mutex_lock(&poller.lock);
		pass_on_locked();
		mutex_unlock(&poller.lock);
	}
	return NULL;
}

void host_poller_catch_up(void)
{
	mutex_lock(&poller.lock);
	if (poller.entries.count)
		pass_on_locked();
	mutex_unlock(&poller.lock);
}

int host_poller_start(void)
{
	int fd = host_epoll_new();

	if (fd < 0)
		return fd;
	hash_table_init(&poller.entries);
	poller.epoll_fd = fd;
	poller.started = true;
	return host_thread_start("host-poller", poller_thread, NULL);
}

static int add_locked(struct host_poll_entry *e, uint32_t events) REQUIRES(poller.lock)
{
	uint64_t id = ++poller.next_id;
	int rc = host_epoll_add(poller.epoll_fd, e->fd, id, events);

	if (rc)
		return rc;
	e->id = id;
	e->events = events;
	hash_table_insert(&poller.entries, &e->node, hash_u64(id));
	return 0;
}

static int change_locked(struct host_poll_entry *e, uint32_t events) REQUIRES(poller.lock)
{
	int rc = host_epoll_change(poller.epoll_fd, e->fd, e->id, events);

	if (!rc)
		e->events = events;
	return rc;
}

int host_poller_add(struct host_poll_entry *e, int fd, struct wait_queue *queue, uint32_t events)
{
	int rc = 0;

	if (!poller.started)
		return -EPERM;
	mutex_lock(&poller.lock);
	if (!e->id) {
		e->fd = fd;
		e->queue = queue;
		rc = add_locked(e, events);
	} else if (events & ~e->events) {
		rc = change_locked(e, e->events | events);
	}
	mutex_unlock(&poller.lock);
	return rc;
}

void host_poller_renew(struct host_poll_entry *e, uint32_t events)
{
	mutex_lock(&poller.lock);
	if (e->id) {
		hash_table_remove(&poller.entries, &e->node);
		e->id = ++poller.next_id;
		hash_table_insert(&poller.entries, &e->node, hash_u64(e->id));
		if (change_locked(e, events))
			panic("host poller: a descriptor that was watched cannot be");
	}
	mutex_unlock(&poller.lock);
}

void host_poller_remove(struct host_poll_entry *e)
{
	mutex_lock(&poller.lock);
	if (e->id) {
		host_epoll_remove(poller.epoll_fd, e->fd);
		hash_table_remove(&poller.entries, &e->node);
		e->id = 0;
	}
	mutex_unlock(&poller.lock);
}
