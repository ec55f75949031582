/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal dispositions, masks and pending queues.
 *
 * signal_handlers->lock (LOCK_RANK_SIGNAL) guards the dispositions, and the signal
 * fields of every group and task that uses them.  A group's pointer to them
 * changes in exec, so others go through signal_lock(), which re-checks.
 */
#include "sentry/kernel/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/user_account.h"
#include "sentry/kernel/itimer.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task.h"

/* --- dispositions ------------------------------------------------------------ */

int signal_handlers_new(struct signal_handlers **out)
{
	struct signal_handlers *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	refcount_init(&h->refs);
	mutex_init(&h->lock, LOCK_RANK_SIGNAL);
	list_init(&h->signalfd_watchers);
	*out = h;
	return 0;
}

int signal_handlers_copy(struct signal_handlers *from, struct signal_handlers **out)
{
	int rc = signal_handlers_new(out);

	if (rc)
		return rc;
	mutex_lock(&from->lock);
	memcpy((*out)->actions, from->actions, sizeof(from->actions));
	mutex_unlock(&from->lock);
	return 0;
}

void signal_handlers_put(struct signal_handlers *h)
{
	if (!h || !refcount_put(&h->refs))
		return;
	mutex_destroy(&h->lock);
	free(h);
}

void signal_handlers_reset(struct signal_handlers *h, bool ignored_too)
{
	mutex_lock(&h->lock);
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		bool ignored = h->actions[i].handler == LINUX_SIG_IGN;

		memset(&h->actions[i], 0, sizeof(h->actions[i]));
		if (ignored && !ignored_too)
			h->actions[i].handler = LINUX_SIG_IGN;
	}
	mutex_unlock(&h->lock);
}

struct signal_handlers *signal_lock(struct thread_group *g) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct signal_handlers *h;

		mutex_lock(&g->handlers_ref_lock);
		h = g->handlers;
		refcount_get(&h->refs);
		mutex_unlock(&g->handlers_ref_lock);
		mutex_lock(&h->lock);
		if (h == g->handlers)
			return h;
		signal_unlock(h);
	}
}

void signal_unlock(struct signal_handlers *h) NO_LOCK_ANALYSIS
{
	mutex_unlock(&h->lock);
	signal_handlers_put(h);
}

/* --- queues ------------------------------------------------------------------- */

void signal_queue_init(struct signal_queue *q)
{
	q->set = 0;
	list_init(&q->entries);
}

static void entry_free(struct queued_signal *entry)
{
	list_remove(&entry->node);
	/* A timer's entry belongs to the timer. */
	if (entry->timer)
		return;
	user_uncharge(entry->uid, USER_SIGNALS);
	free(entry);
}

void signal_queue_flush(struct signal_queue *q, uint64_t mask)
{
	struct queued_signal *e, *next;

	if (!(q->set & mask))
		return;
	q->set &= ~mask;
	list_for_each_safe(e, next, &q->entries, node)
		if (signal_in(mask, e->info.signo))
			entry_free(e);
}

static int next_signal(uint64_t pending)
{
	uint64_t first = pending & SIGNAL_SYNCHRONOUS;

	if (!pending)
		return 0;
	return __builtin_ctzll(first ? first : pending) + 1;
}

static void collect(struct signal_queue *q, int signo, struct linux_siginfo *info,
		    struct signal_dequeued *after)
{
	struct queued_signal *e, *found = NULL;
	bool more = false;

	list_for_each(e, &q->entries, node) {
		if (e->info.signo != signo)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = e;
	}
	if (!more)
		q->set &= ~SIGNAL_BIT(signo);
	memset(info, 0, sizeof(*info));
	info->signo = signo;
	if (!found)
		return; /* no memory or over the limit when it was sent: SI_USER from nobody */
	*info = found->info;
	if (found->timer)
		after->posix_timer = posix_timer_get(found->timer);
	entry_free(found);
}

int signal_dequeue_locked(struct task *t, uint64_t mask, struct linux_siginfo *info,
			  struct signal_dequeued *after)
{
	struct thread_group *g = t->group;
	int signo = next_signal(t->pending.set & mask);

	*after = (struct signal_dequeued){ NULL, false };
	if (signo) {
		collect(&t->pending, signo, info, after);
	} else {
		signo = next_signal(g->shared_pending.set & mask);
		if (!signo)
			return 0;
		collect(&g->shared_pending, signo, info, after);
		after->itimer = signo == LINUX_SIGALRM;
	}
	if (signal_in(SIGNAL_STOP_SET, signo))
		t->stop_dequeued = true;
	return signo;
}

void signal_dequeue_finish(struct task *t, const struct signal_dequeued *after,
			   struct linux_siginfo *info)
{
	if (after->itimer)
		itimer_real_dequeued(t->group);
	if (after->posix_timer) {
		posix_timer_dequeued(after->posix_timer, info);
		posix_timer_put(after->posix_timer);
	}
}

bool signal_dequeue(struct task *t, uint64_t mask, struct linux_siginfo *out)
{
	struct signal_handlers *h = signal_lock(t->group);
	struct signal_dequeued after;
	int signo = signal_dequeue_locked(t, mask & ~SIGNAL_UNBLOCKABLE, out, &after);

	if (signo && t == task_current())
		signal_recalc_locked(t);
	signal_unlock(h);
	if (signo)
		signal_dequeue_finish(t, &after, out);
	return signo != 0;
}

uint64_t signal_pending_set(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	uint64_t set = t->pending.set | t->group->shared_pending.set;

	signal_unlock(h);
	return set;
}

struct wait_queue *signal_wait_queue(struct thread_group *g)
{
	return &g->signal_wait;
}

/* --- masks -------------------------------------------------------------------- */

bool signal_has_work_locked(struct task *t)
{
	uint64_t pending = t->pending.set | t->group->shared_pending.set;

	/* A tracee may run while its group is stopped. */
	return (pending & ~t->blocked) || t->kill_pending || t->stop_pending ||
	       (t->group->stop_signal && !ptrace_traced(&t->ptrace)) || t->group->group_exiting ||
	       ptrace_trap_due_locked(t);
}

void signal_recalc_locked(struct task *t)
{
	if (signal_has_work_locked(t)) {
		atomic_store(&t->work_pending, true);
		sleeper_interrupt(&t->sleeper);
	} else if (t == task_current()) {
		atomic_store(&t->work_pending, false);
		sleeper_clear_interrupt(&t->sleeper);
	}
}

bool signal_interrupts(struct task *t)
{
	return atomic_load(&t->work_pending);
}

void signal_retarget_locked(struct task *t, uint64_t mask)
{
	uint64_t left = t->group->shared_pending.set & mask;
	struct task *other;

	if (!left)
		return;
	list_for_each(other, &t->group->threads, thread_node) {
		if (other == t || other->exiting || !(left & ~other->blocked))
			continue;
		left &= other->blocked;
		task_wake_locked(other);
		if (!left)
			return;
	}
}

void signal_set_blocked_locked(struct task *t, uint64_t mask)
{
	uint64_t newly;

	mask &= ~SIGNAL_UNBLOCKABLE;
	newly = mask & ~t->blocked;
	t->blocked = mask;
	signal_retarget_locked(t, newly);
	signal_recalc_locked(t);
}

void signal_set_blocked(struct task *t, uint64_t mask)
{
	struct signal_handlers *h = signal_lock(t->group);

	signal_set_blocked_locked(t, mask);
	signal_unlock(h);
}

void signal_mask_push(struct task *t, uint64_t mask)
{
	struct signal_handlers *h = signal_lock(t->group);

	t->saved_mask = t->blocked;
	t->restore_saved_mask = true;
	signal_set_blocked_locked(t, mask);
	signal_unlock(h);
}

void signal_mask_pop(struct task *t, bool interrupted)
{
	struct signal_handlers *h;

	if (interrupted || !t->restore_saved_mask)
		return;
	h = signal_lock(t->group);
	t->restore_saved_mask = false;
	signal_set_blocked_locked(t, t->saved_mask);
	signal_unlock(h);
}
