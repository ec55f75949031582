/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See lease.h.  lease_mutex (LOCK_RANK_ASYNC: signals are sent under it) guards every inode's
 * leases.  inode->leases is set once, under the mutex, and freed with the inode, which is always the
 * anchor; who waits for a break sleeps on its queue without the mutex.
 */
#include "config.h"

#include "sentry/vfs/lease.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/host/host_clock.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define NSEC_PER_SEC 1000000000ULL
#define BREAKERS_SHOWN_MAX 256U /* of an inode: each may stand behind all before it */

struct lease {
	struct list_node node;
	struct list_node all_node; /* in all_leases */
	struct file *file; /* borrowed: it forgets its lease before it goes */
	int fd;
	int type;	   /* LINUX_F_RDLCK or WRLCK */
	int32_t pid;	   /* of who took it: as vfs_upcalls.current_tgid */
	uint64_t unlock_by, downgrade_by; /* a break is under way: when it is done for the holder */
};

/* Who waits for leases on an inode to be given up; on its stack. */
struct lease_breaker {
	struct list_node node; /* in breakers; lease_mutex */
	struct inode_leases *leases;
	int32_t pid;
	bool write;
	/* While they are listed: who waits for the same, and who waits for it. */
	struct lease_breaker *next, *waiters;
};

struct inode_leases {
	struct list_node list; /* struct lease */
	struct wait_queue queue;
};

_Atomic bool leases_enabled = true;
_Atomic uint32_t lease_break_seconds = 45;

static struct mutex lease_mutex = MUTEX_INIT(LOCK_RANK_ASYNC);
static struct list_node all_leases = LIST_HEAD_INIT(all_leases); /* newest first; lease_mutex */
static struct list_node breakers = LIST_HEAD_INIT(breakers);	 /* as they came; lease_mutex */

static int32_t caller(void)
{
	return vfs_upcalls.current_tgid ? vfs_upcalls.current_tgid() : 0;
}

static struct inode_leases *leases_of(struct inode *inode)
{
	return __atomic_load_n(&inode_anchor(inode)->leases, __ATOMIC_ACQUIRE);
}

static struct inode_leases *leases_make_locked(struct inode *inode)
{
	struct inode *anchor = inode_anchor(inode);
	struct inode_leases *leases = anchor->leases;

	if (leases)
		return leases;
	leases = calloc(1, sizeof(*leases));
	if (!leases)
		return NULL;
	list_init(&leases->list);
	wait_queue_init(&leases->queue);
	__atomic_store_n(&anchor->leases, leases, __ATOMIC_RELEASE);
	return leases;
}

static struct lease *find_locked(struct inode_leases *leases, const struct file *file)
{
	struct lease *l;

	list_for_each(l, &leases->list, node)
		if (l->file == file)
			return l;
	return NULL;
}

/* Whoever waits looks again. */
static void change_locked(struct inode_leases *leases, struct lease *l, int type)
{
	if (type == LINUX_F_UNLCK) {
		list_remove(&l->node);
		list_remove(&l->all_node);
		free(l);
	} else {
		l->type = type;
		if (type == LINUX_F_RDLCK)
			l->downgrade_by = 0;
	}
	wait_queue_wake_all(&leases->queue, ~0U);
}

/* Holders who took too long. */
static void time_out_locked(struct inode_leases *leases)
{
	uint64_t now = host_monotonic_ns();
	struct lease *l, *next;

	list_for_each_safe(l, next, &leases->list, node) {
		if (l->unlock_by && l->unlock_by <= now)
			change_locked(leases, l, LINUX_F_UNLCK);
		else if (l->downgrade_by && l->downgrade_by <= now)
			change_locked(leases, l, LINUX_F_RDLCK);
	}
}

/* --- taking and giving up --------------------------------------------------------------- */

/* Openings that the lease would have had to hold up. */
static bool opened_otherwise(const struct file *file, int type)
{
	const struct inode *inode = inode_anchor(file->inode);

	if (type == LINUX_F_RDLCK)
		return atomic_load(&inode->writers) > 0;
	return atomic_load(&inode->deny_write) ||
	       atomic_load(&inode->writers) != (file->can_write ? 1U : 0U) ||
	       atomic_load(&inode->readers) != (file->can_read && !file->can_write ? 1U : 0U);
}

static int check_others_locked(struct inode_leases *leases, const struct file *file, int type)
{
	struct lease *l;

	list_for_each(l, &leases->list, node)
		if (l->file != file && (type == LINUX_F_WRLCK || l->unlock_by))
			return -EAGAIN;
	return 0;
}

static int add_locked(struct file *file, int fd, int type)
{
	struct inode_leases *leases = leases_make_locked(file->inode);
	struct lease *l;
	int rc;

	if (!leases)
		return -ENOMEM;
	time_out_locked(leases);
	if (opened_otherwise(file, type))
		return -EAGAIN;
	rc = check_others_locked(leases, file, type);
	if (rc < 0)
		return rc;
	l = find_locked(leases, file);
	if (l) {
		l->fd = fd;
		change_locked(leases, l, type);
		return 0;
	}
	if (!leases_enabled)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct lease){ .file = file, .fd = fd, .type = type, .pid = caller() };
	list_add_tail(&leases->list, &l->node);
	list_add_head(&all_leases, &l->all_node);
	/* An opening counts itself first and looks for leases then. */
	if (!opened_otherwise(file, type))
		return 0;
	change_locked(leases, l, LINUX_F_UNLCK);
	return -EAGAIN;
}

static int remove_locked(struct file *file)
{
	struct inode_leases *leases = leases_of(file->inode);
	struct lease *l = leases ? find_locked(leases, file) : NULL;

	if (!l)
		return -EAGAIN;
	change_locked(leases, l, LINUX_F_UNLCK);
	return 0;
}

int lease_set(struct file *file, int fd, int type, const struct credentials *cred)
{
	struct inode_attr attr;
	int rc;

	if (type != LINUX_F_RDLCK && type != LINUX_F_WRLCK && type != LINUX_F_UNLCK)
		return -EINVAL;
	inode_attr_read(file->inode, &attr);
	if (attr.uid != cred->fsuid && !credentials_root_capable(cred, LINUX_CAP_LEASE))
		return -EACCES;
	if (inode_type(file->inode) != LINUX_S_IFREG)
		return -EINVAL;
	mutex_lock(&lease_mutex);
	rc = type == LINUX_F_UNLCK ? remove_locked(file) : add_locked(file, fd, type);
	mutex_unlock(&lease_mutex);
	return rc;
}

int lease_get(struct file *file)
{
	struct inode_leases *leases = leases_of(file->inode);
	int type = LINUX_F_UNLCK;
	struct lease *l;

	if (!leases)
		return type;
	mutex_lock(&lease_mutex);
	time_out_locked(leases);
	l = find_locked(leases, file);
	if (l && !l->unlock_by)
		type = l->downgrade_by ? LINUX_F_RDLCK : l->type;
	mutex_unlock(&lease_mutex);
	return type;
}

void lease_forget(struct file *file)
{
	if (!leases_of(file->inode))
		return;
	mutex_lock(&lease_mutex);
	(void)!remove_locked(file);
	mutex_unlock(&lease_mutex);
}

void leases_evict(struct inode *inode)
{
	struct inode_leases *leases = inode->leases;

	if (!leases)
		return;
	wait_queue_destroy(&leases->queue);
	free(leases);
}

/* --- breaking ------------------------------------------------------------------------------ */

static void tell_locked(struct lease *l, bool write, uint64_t by)
{
	if (l->unlock_by || (!write && l->downgrade_by))
		return;
	if (write)
		l->unlock_by = by;
	else
		l->downgrade_by = by;
	vfs_upcalls.signal_owner(l->file, l->fd, ASYNC_MSG);
}

/* True while a lease is in the way; *until: when to look again at the latest. */
static bool conflict_locked(struct inode_leases *leases, bool write, uint64_t by, uint64_t *until)
{
	bool conflict = false;
	struct lease *l;

	time_out_locked(leases);
	*until = DEADLINE_NONE;
	list_for_each(l, &leases->list, node) {
		if (!write && l->type != LINUX_F_WRLCK)
			continue;
		tell_locked(l, write, by);
		*until = MIN(*until, write || l->unlock_by ? l->unlock_by : l->downgrade_by);
		conflict = true;
	}
	return conflict;
}

int lease_break(struct inode *inode, bool write, bool nonblock)
{
	struct inode_leases *leases = leases_of(inode);
	uint32_t seconds = lease_break_seconds;
	uint64_t by = seconds ? host_monotonic_ns() + seconds * NSEC_PER_SEC : DEADLINE_NONE, until;
	struct lease_breaker breaker = { .leases = leases, .write = write };
	struct wait_entry e;
	int rc = 0;

	if (!leases)
		return 0;
	breaker.pid = caller();
	wait_begin(&e, &leases->queue, ~0U);
	for (;;) {
		bool conflict;

		mutex_lock(&lease_mutex);
		conflict = conflict_locked(leases, write, by, &until);
		if (conflict && !nonblock && !list_linked(&breaker.node))
			list_add_tail(&breakers, &breaker.node);
		mutex_unlock(&lease_mutex);
		if (!conflict)
			rc = 0;
		else if (nonblock)
			rc = -EAGAIN;
		if (!conflict || nonblock || rc == -EINTR)
			break;
		rc = wait_sleep(until); /* time is over: look again */
	}
	wait_end(&e);
	mutex_lock(&lease_mutex);
	if (list_linked(&breaker.node))
		list_remove(&breaker.node);
	mutex_unlock(&lease_mutex);
	return rc;
}

/* --- /proc/locks ------------------------------------------------------------------------------- */

static void show_lease(const struct lease *l, lock_line_fn show, void *arg)
{
	struct lock_line line = {
		.kind = l->unlock_by || l->downgrade_by ? LOCK_LINE_LEASE_BREAKING : LOCK_LINE_LEASE,
		.type = l->unlock_by ? LINUX_F_UNLCK : l->downgrade_by ? LINUX_F_RDLCK : l->type,
		.pid = l->pid, .dev = l->file->inode->sb->dev, .ino = l->file->inode->ino,
		.end = INT64_MAX,
	};

	show(&line, arg);
}

/* As Linux queues them: behind the first that is in the way as well, and so on. */
static void hang_breaker(struct lease_breaker **list, struct lease_breaker *b)
{
	while (*list) {
		if ((*list)->write || b->write)
			list = &(*list)->waiters;
		else
			list = &(*list)->next;
	}
	*list = b;
}

static void show_waiters(const struct lease_breaker *b, unsigned depth, lock_line_fn show, void *arg)
{
	for (; b; b = b->next) {
		struct lock_line line = {
			.kind = LOCK_LINE_LEASE_BREAKER, .depth = depth, .pid = b->pid,
			.type = b->write ? LINUX_F_WRLCK : LINUX_F_RDLCK, .end = INT64_MAX,
		};

		show(&line, arg);
		show_waiters(b->waiters, depth + 1, show, arg);
	}
}

static void show_breakers(const struct inode_leases *leases, lock_line_fn show, void *arg)
{
	struct lease_breaker *b, *first = NULL;
	unsigned count = 0;

	list_for_each(b, &breakers, node) {
		if (b->leases != leases || count++ >= BREAKERS_SHOWN_MAX)
			continue;
		b->next = b->waiters = NULL;
		hang_breaker(&first, b);
	}
	show_waiters(first, 1, show, arg);
}

void leases_list(lock_line_fn show, void *arg)
{
	const struct lease *l;

	mutex_lock(&lease_mutex);
	list_for_each(l, &all_leases, all_node) {
		struct inode_leases *leases = leases_of(l->file->inode);

		show_lease(l, show, arg);
		/* They wait for the first of an inode's. */
		if (&l->node == leases->list.next)
			show_breakers(leases, show, arg);
	}
	mutex_unlock(&lease_mutex);
}

void lease_of(const struct file *file, lock_line_fn show, void *arg)
{
	const struct lease *l;

	mutex_lock(&lease_mutex);
	list_for_each(l, &all_leases, all_node)
		if (l->file == file)
			show_lease(l, show, arg);
	mutex_unlock(&lease_mutex);
}
