/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters and modes: how they are made, given to tasks, and left.  `users` and `refs` as
 * in Linux: when the last task of a filter's subtree is gone its listener hears EPOLLHUP,
 * while the listener's file may keep the memory.
 */
#include "sentry/kernel/seccomp.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/kernel/bpf_classic.h"
#include "sentry/kernel/seccomp_internal.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"

#define PATH_INSNS_MAX 32768 /* Linux: (1 << 18) / sizeof(struct sock_filter) */
#define FILTER_PENALTY 4

/* --- making and counting --------------------------------------------------------------- */

int seccomp_filter_new(struct linux_sock_filter *insns, uint32_t count, struct seccomp_filter **out)
{
	struct seccomp_filter *f;
	int rc = bpf_check(insns, count);

	if (rc) {
		free(insns);
		return rc;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		free(insns);
		return -ENOMEM;
	}
	refcount_init(&f->refs);
	atomic_init(&f->users, 1);
	f->insns = insns;
	f->count = count;
	mutex_init(&f->notify_lock, LOCK_RANK_SECCOMP);
	wait_queue_init(&f->wait);
	*out = f;
	return 0;
}

void seccomp_filter_get(struct seccomp_filter *f)
{
	refcount_get(&f->refs);
}

void seccomp_filter_put(struct seccomp_filter *f)
{
	while (f && refcount_put(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		seccomp_listener_free(f);
		mutex_destroy(&f->notify_lock);
		wait_queue_destroy(&f->wait);
		free(f->insns);
		free(f);
		f = prev;
	}
}

void seccomp_filter_free(struct seccomp_filter *f)
{
	if (f)
		seccomp_filter_put(f);
}

/* A task's hold on the end of its path. */
static void filter_hold(struct seccomp_filter *f)
{
	if (!f)
		return;
	refcount_get(&f->refs);
	atomic_fetch_add(&f->users, 1);
}

static void filter_drop(struct seccomp_filter *f)
{
	struct seccomp_filter *at = f;

	while (at && atomic_fetch_sub(&at->users, 1) == 1) {
		wait_queue_wake_all(&at->wait, LINUX_EPOLLHUP);
		at = at->prev;
	}
	seccomp_filter_put(f);
}

/* --- attaching --------------------------------------------------------------------------- */

static bool is_ancestor(const struct seccomp_filter *parent, const struct seccomp_filter *child)
{
	if (!parent)
		return true;
	for (; child; child = child->prev)
		if (child == parent)
			return true;
	return false;
}

static int check_path(const struct seccomp_filter *prev, const struct seccomp_filter *f)
{
	uint64_t total = bpf_converted_count(f->insns, f->count);

	for (const struct seccomp_filter *at = prev; at; at = at->prev) {
		if (f->has_listener && at->has_listener)
			return -EBUSY;
		total += bpf_converted_count(at->insns, at->count) + FILTER_PENALTY;
	}
	return total > PATH_INSNS_MAX ? -ENOMEM : 0;
}

/* 0, or the first thread that has filters of its own. */
static int check_threads_locked(struct task *t)
{
	struct seccomp_filter *own = t->seccomp_filter;
	struct task *other;

	list_for_each(other, &t->group->threads, thread_node) {
		int mode = atomic_load(&other->seccomp_mode);
		int tid;

		if (other == t || other->exiting || mode == LINUX_SECCOMP_MODE_DISABLED ||
		    (mode == LINUX_SECCOMP_MODE_FILTER && is_ancestor(other->seccomp_filter, own)))
			continue;
		tid = task_tid_in(other, t->pid.ns);
		return tid ? tid : -ESRCH;
	}
	return 0;
}

static void prepare_cache(struct seccomp_filter *f)
{
	for (int32_t nr = 0; nr < SECCOMP_CACHED_CALLS; nr++) {
		uint64_t bit = 1ULL << (nr % 64);
		uint32_t value;

		if (f->prev && !(f->prev->allowed[nr / 64] & bit))
			continue;
		if (bpf_constant(f->insns, nr, LINUX_AUDIT_ARCH_X86_64, &value) &&
		    (value & LINUX_SECCOMP_RET_ACTION_FULL) == LINUX_SECCOMP_RET_ALLOW)
			f->allowed[nr / 64] |= bit;
	}
}

/* What is replaced stays alive below the new end; the hold on it is dropped here. */
static void synchronise_locked(struct task *t)
{
	struct seccomp_filter *own = t->seccomp_filter, *old;
	struct task *other;

	list_for_each(other, &t->group->threads, thread_node) {
		if (other == t || other->exiting)
			continue;
		filter_hold(own);
		old = other->seccomp_filter;
		atomic_store(&other->seccomp_filter, own);
		other->seccomp_count = t->seccomp_count;
		if (t->cred->no_new_privs)
			atomic_store(&other->seccomp_no_new_privs, true);
		atomic_store(&other->seccomp_mode, LINUX_SECCOMP_MODE_FILTER);
		filter_drop(old);
	}
}

int seccomp_attach(struct task *t, struct seccomp_filter *f, uint32_t flags)
{
	struct signal_handlers *h;
	int rc = 0;

	/* Only the task itself, or a TSYNC under the lock, changes the end of its path. */
	h = signal_lock(t->group);
	if (atomic_load(&t->seccomp_mode) == LINUX_SECCOMP_MODE_STRICT)
		rc = -EINVAL;
	if (!rc)
		rc = check_path(t->seccomp_filter, f);
	if (!rc && (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC)) {
		rc = check_threads_locked(t);
		if (rc && (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
			rc = -ESRCH;
	}
	if (!rc) {
		f->log = flags & LINUX_SECCOMP_FILTER_FLAG_LOG;
		f->wait_killable = flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		f->prev = t->seccomp_filter; /* takes over the task's hold */
		prepare_cache(f);
		atomic_store(&t->seccomp_filter, f);
		t->seccomp_count++;
		if (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC)
			synchronise_locked(t);
		atomic_store(&t->seccomp_mode, LINUX_SECCOMP_MODE_FILTER);
	}
	signal_unlock(h);
	return rc;
}

int seccomp_set_strict(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	int rc = atomic_load(&t->seccomp_mode) == LINUX_SECCOMP_MODE_FILTER ? -EINVAL : 0;

	if (!rc)
		atomic_store(&t->seccomp_mode, LINUX_SECCOMP_MODE_STRICT);
	signal_unlock(h);
	return rc;
}

/* --- tasks --------------------------------------------------------------------------------- */

void seccomp_inherit_locked(struct task *child, struct task *parent)
{
	struct seccomp_filter *f = parent->seccomp_filter;

	filter_hold(f);
	atomic_store(&child->seccomp_filter, f);
	child->seccomp_count = parent->seccomp_count;
	atomic_store(&child->seccomp_no_new_privs, atomic_load(&parent->seccomp_no_new_privs));
	atomic_store(&child->seccomp_mode, atomic_load(&parent->seccomp_mode));
}

void seccomp_task_exit(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	struct seccomp_filter *f = t->seccomp_filter;

	atomic_store(&t->seccomp_filter, NULL);
	signal_unlock(h);
	filter_drop(f);
}

int seccomp_mode(struct task *t)
{
	return atomic_load(&t->seccomp_mode);
}

uint32_t seccomp_filter_count(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	uint32_t count = t->seccomp_count;

	signal_unlock(h);
	return count;
}

int seccomp_take_no_new_privs(struct task *t)
{
	struct credentials *cred;

	if (likely(!atomic_load(&t->seccomp_no_new_privs)))
		return 0;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	cred->no_new_privs = true;
	task_set_cred(t, cred);
	atomic_store(&t->seccomp_no_new_privs, false);
	return 0;
}
