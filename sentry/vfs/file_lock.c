/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory locks: see file_lock.h.  file_lock_mutex (LOCK_RANK_FS_PRIVATE) guards
 * every inode's list and the waiters' graph; a waiter sleeps on its inode's queue
 * without it and tries again when woken.  inode->locks is set once, under the
 * mutex, and freed with the inode, which is always the anchor.
 */
#include "config.h"

#include "sentry/vfs/file_lock.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/vfs/file.h"
#include "util/list.h"

#define LOCKS_MAX 65536U   /* of one inode: a guest can ask for many small ranges */
#define CHAIN_MAX 128U	   /* longest chain of waiters that is followed for deadlocks */

struct file_lock {
	struct list_node node;
	struct file_lock_request r;
};

struct inode_locks {
	/* POSIX and OFD, which conflict with each other; an owner's are together, by offset */
	struct list_node posix;
	struct list_node flock;
	unsigned count;
	struct wait_queue queue;
};

/* Who sleeps for whom; on the waiter's stack. */
struct lock_waiter {
	struct list_node node;
	const void *owner;
	const void *blocker;
};

static struct mutex file_lock_mutex = MUTEX_INIT(LOCK_RANK_FS_PRIVATE);
static struct list_node waiters = LIST_HEAD_INIT(waiters); /* POSIX only; file_lock_mutex */

static struct list_node *list_of(struct inode_locks *locks, enum file_lock_kind kind)
{
	return kind == FILE_LOCK_FLOCK ? &locks->flock : &locks->posix;
}

static struct inode_locks *locks_get(struct inode *inode)
{
	struct inode_locks *locks = inode->locks;

	if (locks)
		return locks;
	locks = calloc(1, sizeof(*locks));
	if (!locks)
		return NULL;
	list_init(&locks->posix);
	list_init(&locks->flock);
	wait_queue_init(&locks->queue);
	__atomic_store_n(&inode->locks, locks, __ATOMIC_RELEASE);
	return locks;
}

static bool overlaps(const struct file_lock_request *a, const struct file_lock_request *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static struct file_lock *conflict_locked(struct inode_locks *locks, const struct file_lock_request *r)
{
	struct file_lock *l;

	list_for_each(l, list_of(locks, r->kind), node) {
		if (l->r.owner != r->owner && overlaps(&l->r, r) && (l->r.exclusive || r->exclusive))
			return l;
	}
	return NULL;
}

/* Would waiting for @blocker close a circle? */
static bool deadlock_locked(const void *owner, const void *blocker)
{
	for (unsigned steps = 0; steps < CHAIN_MAX; steps++) {
		const struct lock_waiter *w;
		const void *next = NULL;

		if (blocker == owner)
			return true;
		list_for_each(w, &waiters, node) {
			if (w->owner == blocker)
				next = w->blocker;
		}
		if (!next)
			return false;
		blocker = next;
	}
	return false;
}

/* --- change ------------------------------------------------------------------------------ */

static void unlink_lock(struct inode_locks *locks, struct file_lock *l)
{
	list_remove(&l->node);
	locks->count--;
	free(l);
}

/* Where conflicts are looked for in Linux's order: F_GETLK tells which one is found first. */
static void link_lock(struct inode_locks *locks, struct file_lock *l)
{
	struct list_node *list = list_of(locks, l->r.kind), *before = list;
	struct file_lock *other;
	bool own = false;

	list_for_each(other, list, node) {
		if (other->r.owner == l->r.owner)
			own = true;
		if (own && (other->r.owner != l->r.owner || other->r.start >= l->r.start)) {
			before = &other->node;
			break;
		}
	}
	list_add_tail(before, &l->node); /* in front of it */
	locks->count++;
}

/*
 * Takes @r's range out of the owner's locks, but for @keep (or NULL).  A lock around it is
 * split, for which *spare is used up.
 */
static void carve_locked(struct inode_locks *locks, const struct file_lock_request *r,
			 const struct file_lock *keep, struct file_lock **spare)
{
	struct file_lock *l, *next;

	list_for_each_safe(l, next, list_of(locks, r->kind), node) {
		if (l == keep || l->r.owner != r->owner || !overlaps(&l->r, r))
			continue;
		if (l->r.start < r->start && l->r.end > r->end) {
			struct file_lock *tail = *spare;

			*spare = NULL;
			tail->r = l->r;
			tail->r.start = r->end + 1;
			l->r.end = r->start - 1;
			link_lock(locks, tail);
			return;
		}
		if (l->r.start < r->start)
			l->r.end = r->start - 1;
		else if (l->r.end > r->end)
			l->r.start = r->end + 1;
		else
			unlink_lock(locks, l);
	}
}

/* Grows @l over neighbours of the same owner and mode. */
static void merge_locked(struct inode_locks *locks, struct file_lock *l)
{
	struct file_lock *other, *next;

	list_for_each_safe(other, next, list_of(locks, l->r.kind), node) {
		if (other == l || other->r.owner != l->r.owner || other->r.exclusive != l->r.exclusive)
			continue;
		if (other->r.end + 1 == l->r.start)
			l->r.start = other->r.start;
		else if (l->r.end != INT64_MAX && l->r.end + 1 == other->r.start)
			l->r.end = other->r.end;
		else
			continue;
		unlink_lock(locks, other);
	}
}

static struct file_lock *lock_alloc(const struct file_lock_request *r)
{
	struct file_lock *l = calloc(1, sizeof(*l));

	if (l)
		l->r = *r;
	return l;
}

static void wake(struct inode *inode)
{
	struct inode_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);

	if (locks)
		wait_queue_wake_all(&locks->queue, ~0U);
}

/* The owner's flock in the mode asked for.  Another mode is given up before the new one is sought. */
static bool holds_locked(struct inode_locks *locks, const struct file_lock_request *r)
{
	struct file_lock *l;

	list_for_each(l, &locks->flock, node) {
		if (l->r.owner == r->owner)
			return l->r.exclusive == r->exclusive;
	}
	return false;
}

struct attempt {
	struct inode *inode;
	const struct file_lock_request *r;
	struct file_lock *fresh, *spare; /* used up when granted */
	struct lock_waiter waiter;
};

/* Grants, or -EAGAIN; registers as a waiter when asked to. */
static int try_locked(struct attempt *a, bool wait)
{
	struct inode_locks *locks = locks_get(a->inode);
	struct file_lock *other;

	if (!locks)
		return -ENOLCK;
	if (a->r->kind == FILE_LOCK_FLOCK) {
		if (holds_locked(locks, a->r))
			return 0;
		carve_locked(locks, a->r, NULL, &a->spare);
	}
	other = conflict_locked(locks, a->r);
	if (other) {
		if (wait && a->r->kind == FILE_LOCK_POSIX) {
			if (deadlock_locked(a->r->owner, other->r.owner))
				return -EDEADLK;
			a->waiter.owner = a->r->owner;
			a->waiter.blocker = other->r.owner;
			list_add_tail(&waiters, &a->waiter.node);
		}
		return -EAGAIN;
	}
	if (locks->count >= LOCKS_MAX)
		return -ENOLCK;
	link_lock(locks, a->fresh);
	carve_locked(locks, a->r, a->fresh, &a->spare);
	merge_locked(locks, a->fresh);
	a->fresh = NULL;
	return 0;
}

static int attempt(struct attempt *a, bool wait)
{
	int rc;

	mutex_lock(&file_lock_mutex);
	if (list_linked(&a->waiter.node))
		list_remove(&a->waiter.node);
	rc = try_locked(a, wait);
	mutex_unlock(&file_lock_mutex);
	return rc;
}

static void stop_waiting(struct attempt *a)
{
	mutex_lock(&file_lock_mutex);
	if (list_linked(&a->waiter.node))
		list_remove(&a->waiter.node);
	mutex_unlock(&file_lock_mutex);
}

static int attempt_wait(struct attempt *a)
{
	struct wait_entry entry;
	struct inode_locks *locks = __atomic_load_n(&a->inode->locks, __ATOMIC_ACQUIRE);
	int rc;

	wait_begin(&entry, &locks->queue, ~0U);
	while ((rc = attempt(a, true)) == -EAGAIN) {
		rc = wait_sleep(DEADLINE_NONE);
		if (rc < 0)
			break;
	}
	wait_end(&entry);
	stop_waiting(a);
	return rc;
}

int file_lock_set(struct file *file, const struct file_lock_request *r, bool wait)
{
	struct attempt a = { .inode = inode_anchor(file->inode), .r = r, .fresh = lock_alloc(r),
			     .spare = lock_alloc(r) };
	int rc = -ENOLCK;

	if (a.fresh && a.spare) {
		rc = attempt(&a, false);
		if (rc == -EAGAIN && wait)
			rc = attempt_wait(&a);
		wake(a.inode); /* a conversion may let others in, even a failed one */
	}
	free(a.fresh);
	free(a.spare);
	return rc;
}

int file_lock_clear(struct inode *inode, const struct file_lock_request *r)
{
	struct file_lock *spare;

	inode = inode_anchor(inode);
	if (!__atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE))
		return 0;
	spare = lock_alloc(r);
	if (!spare)
		return -ENOLCK;
	mutex_lock(&file_lock_mutex);
	carve_locked(inode->locks, r, NULL, &spare);
	mutex_unlock(&file_lock_mutex);
	free(spare);
	wake(inode);
	return 0;
}

bool file_lock_test(struct inode *inode, struct file_lock_request *r)
{
	struct file_lock *l = NULL;

	inode = inode_anchor(inode);
	mutex_lock(&file_lock_mutex);
	if (inode->locks)
		l = conflict_locked(inode->locks, r);
	if (l)
		*r = l->r;
	mutex_unlock(&file_lock_mutex);
	return l;
}

/* --- the end of owners ----------------------------------------------------------------------- */

static void remove_owner(struct inode *inode, const void *owner)
{
	struct inode_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);
	struct file_lock *l, *next;
	bool removed = false;

	if (!locks)
		return;
	mutex_lock(&file_lock_mutex);
	list_for_each_safe(l, next, &locks->posix, node) {
		if (l->r.owner == owner) {
			unlink_lock(locks, l);
			removed = true;
		}
	}
	list_for_each_safe(l, next, &locks->flock, node) {
		if (l->r.owner == owner) {
			unlink_lock(locks, l);
			removed = true;
		}
	}
	mutex_unlock(&file_lock_mutex);
	if (removed)
		wake(inode);
}

void file_locks_remove_posix(struct inode *inode, const struct fd_table *owner)
{
	remove_owner(inode_anchor(inode), owner);
}

void file_locks_remove_file(struct file *file)
{
	remove_owner(inode_anchor(file->inode), file);
}

void file_locks_evict(struct inode *inode)
{
	struct inode_locks *locks = inode->locks;

	if (!locks)
		return;
	wait_queue_destroy(&locks->queue);
	free(locks);
}

unsigned file_lock_count(struct inode *inode)
{
	unsigned count;

	inode = inode_anchor(inode);
	mutex_lock(&file_lock_mutex);
	count = inode->locks ? ((struct inode_locks *)inode->locks)->count : 0;
	mutex_unlock(&file_lock_mutex);
	return count;
}

unsigned file_lock_waiter_count(void)
{
	const struct lock_waiter *w;
	unsigned count = 0;

	mutex_lock(&file_lock_mutex);
	list_for_each(w, &waiters, node)
		count++;
	mutex_unlock(&file_lock_mutex);
	return count;
}
