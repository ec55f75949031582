/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory locks: see file_lock.h.  file_lock_mutex (LOCK_RANK_FS_PRIVATE) guards
 * every inode's list and the waiters' graph; a waiter sleeps on its inode's queue
 * without it and tries again when woken.  inode->locks is set once, under the
 * mutex, and freed with the inode, which is always the anchor.  All locks hang in
 * one more list, newest first, which /proc/locks shows.
 */
#include "config.h"

#include "sentry/vfs/file_lock.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/file.h"
#include "util/list.h"

#define LOCKS_MAX 65536U   /* of one inode: a guest can ask for many small ranges */
#define CHAIN_MAX 128U	   /* longest chain of waiters that is followed for deadlocks */
#define WAITERS_SHOWN_MAX 256U /* in one list: each may stand behind all before it */

struct lock_waiter;

struct file_lock {
	struct list_node node;
	struct list_node all_node;
	struct file_lock_request r;
	uint64_t dev, ino;	     /* of the file it was taken by */
	const struct file *file;     /* the same, which may be gone: to be compared only */
	struct lock_waiter *waiters; /* who waits for it, while they are listed */
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
	const struct file_lock_request *r;
	struct inode_locks *locks;
	uint64_t dev, ino;
	const void *blocker;
	/* While they are listed: who waits for what it waits for, too, and who waits for itself. */
	struct lock_waiter *next, *waiters;
};

static struct mutex file_lock_mutex = MUTEX_INIT(LOCK_RANK_FS_PRIVATE);
static struct list_node waiters = LIST_HEAD_INIT(waiters); /* as they came; file_lock_mutex */
static struct list_node all_locks = LIST_HEAD_INIT(all_locks); /* file_lock_mutex */

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

static bool conflicts(const struct file_lock_request *a, const struct file_lock_request *b)
{
	return a->owner != b->owner && overlaps(a, b) && (a->exclusive || b->exclusive);
}

static struct file_lock *conflict_locked(struct inode_locks *locks, const struct file_lock_request *r)
{
	struct file_lock *l;

	list_for_each(l, list_of(locks, r->kind), node) {
		if (conflicts(&l->r, r))
			return l;
	}
	return NULL;
}

/* The first one that @r's owner has in @r's range. */
static struct file_lock *held_locked(struct inode_locks *locks, const struct file_lock_request *r)
{
	struct file_lock *l, *first = NULL;

	list_for_each(l, list_of(locks, r->kind), node) {
		if (l->r.owner == r->owner && overlaps(&l->r, r) && (!first || l->r.start < first->r.start))
			first = l;
	}
	return first;
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
			if (w->r->kind == FILE_LOCK_POSIX && w->r->owner == blocker)
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
	list_remove(&l->all_node);
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
	list_add_head(&all_locks, &l->all_node);
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
			tail->dev = l->dev;
			tail->ino = l->ino;
			tail->file = l->file;
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
		l->file = other->file; /* the elder one goes on, as in Linux */
		unlink_lock(locks, other);
	}
}

/* @inode: of the file it is taken by. */
static struct file_lock *lock_alloc(const struct inode *inode, const struct file_lock_request *r)
{
	struct file_lock *l = calloc(1, sizeof(*l));

	if (l) {
		l->r = *r;
		l->dev = inode->sb->dev;
		l->ino = inode->ino;
	}
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
		if (!wait)
			return -EAGAIN;
		if (a->r->kind == FILE_LOCK_POSIX && deadlock_locked(a->r->owner, other->r.owner))
			return -EDEADLK;
		a->waiter.locks = locks;
		a->waiter.blocker = other->r.owner;
		if (!list_linked(&a->waiter.node))
			list_add_tail(&waiters, &a->waiter.node);
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
	rc = try_locked(a, wait);
	if (rc != -EAGAIN && list_linked(&a->waiter.node))
		list_remove(&a->waiter.node);
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
	struct attempt a = {
		.inode = inode_anchor(file->inode), .r = r,
		.fresh = lock_alloc(file->inode, r), .spare = lock_alloc(file->inode, r),
		.waiter = { .r = r, .dev = file->inode->sb->dev, .ino = file->inode->ino },
	};
	int rc = -ENOLCK;

	if (a.fresh && a.spare) {
		a.fresh->file = file;
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
	struct file_lock *spare = lock_alloc(inode, r);

	inode = inode_anchor(inode);
	if (!__atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE)) {
		free(spare);
		return 0;
	}
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
		l = r->any_of_owner ? held_locked(inode->locks, r) : conflict_locked(inode->locks, r);
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

/* --- /proc/locks -------------------------------------------------------------------------------- */

/* As Linux queues them: behind the first who waits for the same and is in the way as well, and so on. */
static void hang_waiter(struct lock_waiter **list, struct lock_waiter *w)
{
	while (*list) {
		if (conflicts((*list)->r, w->r))
			list = &(*list)->waiters;
		else
			list = &(*list)->next;
	}
	*list = w;
}

static void hang_waiters_locked(void)
{
	struct lock_waiter *w;
	struct file_lock *l;
	unsigned count = 0;

	list_for_each(l, &all_locks, all_node)
		l->waiters = NULL;
	list_for_each(w, &waiters, node) {
		w->next = w->waiters = NULL;
		if (count++ >= WAITERS_SHOWN_MAX)
			continue;
		l = conflict_locked(w->locks, w->r);
		if (l) /* else it is about to have it */
			hang_waiter(&l->waiters, w);
	}
}

static void show_one(const struct file_lock_request *r, uint64_t dev, uint64_t ino, unsigned depth,
		     lock_line_fn show, void *arg)
{
	static const enum lock_line_kind kinds[] = {
		[FILE_LOCK_POSIX] = LOCK_LINE_POSIX,
		[FILE_LOCK_OFD] = LOCK_LINE_OFD,
		[FILE_LOCK_FLOCK] = LOCK_LINE_FLOCK,
	};
	struct lock_line line = {
		.kind = kinds[r->kind], .depth = depth, .pid = r->pid, .dev = dev, .ino = ino,
		.type = r->exclusive ? LINUX_F_WRLCK : LINUX_F_RDLCK, .start = r->start, .end = r->end,
	};

	show(&line, arg);
}

static void show_waiters(const struct lock_waiter *w, unsigned depth, lock_line_fn show, void *arg)
{
	for (; w; w = w->next) {
		show_one(w->r, w->dev, w->ino, depth, show, arg);
		show_waiters(w->waiters, depth + 1, show, arg);
	}
}

void file_locks_list(lock_line_fn show, void *arg)
{
	struct file_lock *l;

	mutex_lock(&file_lock_mutex);
	hang_waiters_locked();
	list_for_each(l, &all_locks, all_node) {
		show_one(&l->r, l->dev, l->ino, 0, show, arg);
		show_waiters(l->waiters, 1, show, arg);
	}
	mutex_unlock(&file_lock_mutex);
}

static void show_list_of(const struct list_node *list, const struct file *file, const struct fd_table *files,
			 lock_line_fn show, void *arg)
{
	const struct file_lock *l;

	list_for_each(l, list, node) {
		if (l->file == file && (l->r.owner == files || l->r.owner == file))
			show_one(&l->r, l->dev, l->ino, 0, show, arg);
	}
}

void file_locks_of(const struct file *file, const struct fd_table *files, lock_line_fn show, void *arg)
{
	const struct inode_locks *locks;

	mutex_lock(&file_lock_mutex);
	locks = inode_anchor(file->inode)->locks;
	if (locks) {
		show_list_of(&locks->flock, file, files, show, arg);
		show_list_of(&locks->posix, file, files, show, arg);
	}
	mutex_unlock(&file_lock_mutex);
}

/* --- tests -------------------------------------------------------------------------------------- */

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
		count += w->r->kind == FILE_LOCK_POSIX;
	mutex_unlock(&file_lock_mutex);
	return count;
}
