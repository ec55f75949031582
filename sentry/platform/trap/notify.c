/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a notification means.
 *
 * From the stub's text: hello, a report, the clone that reports a fork, or a host call that must match
 * an order.  From anywhere else: a guest system call.  Whatever fits neither the
 * thread's state nor an order comes from a guest that went round the stub: the
 * process is killed.
 */
#include "sentry/platform/trap/sweep.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "sentry/host/host_futex.h"
#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "util/log.h"

static bool from_stub(const struct seccomp_notif *n)
{
	return n->data.instruction_pointer >= STUB_TEXT &&
	       n->data.instruction_pointer < STUB_TEXT_LIMIT;
}

static void violation(const struct seccomp_notif *n, const char *what)
{
	log_debug("killing stub thread %u: %s (call %#x at %#llx)", n->pid, what,
		  (unsigned)n->data.nr, (unsigned long long)n->data.instruction_pointer);
	host_process_kill((pid_t)n->pid);
}

/* Takes the unborn thread of a ticket; NULL: no such ticket. */
static struct trap_thread *claim_ticket(struct trap_platform *p, uint64_t ticket)
{
	struct trap_thread *t, *found = NULL;

	mutex_lock(&p->lock);
	list_for_each(t, &p->unborn, ticket_node)
		if (t->ticket == ticket && ticket != 0)
			found = t;
	if (found) {
		list_remove(&found->ticket_node);
		found->ticket = 0;
	}
	mutex_unlock(&p->lock);
	return found;
}

/* Binds @t to its tid; a forked one becomes a process. */
static int bind_thread(struct trap_platform *p, struct trap_thread *t, pid_t tid)
{
	struct trap_process *process;
	int rc = tid_table_set(p, tid, t);

	if (rc < 0)
		return rc;
	atomic_store(&t->tid, tid);
	if (!t->process)
		return trap_process_new(p, t->as, tid, t, &process);
	return 0;
}

/* The thread stopped while somebody waits for that. */
static void order_finished(struct trap_thread *t, const struct trap_thread *waiting)
{
	atomic_store(&t->order_done, 1);
	if (t != waiting)
		host_futex_wake(&t->order_done, 1);
}

/* What waits for an answer from now on is a notification of the stub's. */
static void stub_waits(struct trap_thread *t, uint64_t notification)
{
	t->notification = notification;
	t->answer_continue = false;
	t->clone_waits = false;
	t->by_slot = true;
	/* Its owner may look: trap_spin_wait. */
	__atomic_store_n(&t->by_spin, false, __ATOMIC_RELAXED);
}

/* After hello: waits for context_start, or goes on if that was first. */
static struct trap_context *hello(struct trap_platform *p, const struct seccomp_notif *n,
				  struct trap_thread *known, struct trap_thread *waiting)
{
	struct trap_thread *t;
	bool start, abandoned;

	/* An old entry is stale only if its process is gone. */
	if (known && known->process && !atomic_load(&known->process->dead)) {
		violation(n, "second hello");
		return NULL;
	}
	if (trap_orphan_known(p, (pid_t)n->pid)) {
		violation(n, "hello after it was given up");
		return NULL;
	}
	t = claim_ticket(p, n->data.args[0]);
	if (!t) {
		violation(n, "hello without a ticket");
		trap_unborn_killed(p, (pid_t)n->pid);
		return NULL;
	}
	stub_waits(t, n->id);
	if (bind_thread(p, t, (pid_t)n->pid) < 0) {
		violation(n, "cannot be registered");
		trap_unborn_failed(p, t);
		return NULL;
	}
	mutex_lock(&p->lock);
	atomic_store(&t->state, TRAP_HELLO);
	start = t->start_wanted;
	abandoned = t->abandoned;
	mutex_unlock(&p->lock);
	if (abandoned)
		host_process_kill((pid_t)n->pid);
	/* Nobody waits for the hello of a guest's child. */
	if (!t->context)
		order_finished(t, waiting);
	return start ? trap_thread_started(p, t) : NULL;
}

static bool call_matches(const struct trap_call *call, const struct seccomp_data *d)
{
	if (call->nr != (uint64_t)(uint32_t)d->nr)
		return false;
	for (unsigned i = 0; i < 6; i++)
		if (call->args[i] != d->args[i])
			return false;
	return true;
}

/*
 * The ordered call that this is: its state, and whether it is a stop.  Under the process's lock, through which its
 * owner goes between two orders: a stub that spins can make calls, and have others end its
 * order, while the owner writes down the next.
 */
static bool take_expected(struct trap_thread *t, const struct seccomp_data *d, int *state, bool *stop)
{
	unsigned index;
	bool found;

	mutex_lock(&t->process->lock);
	*state = atomic_load(&t->state);
	index = t->expected_next;
	*stop = index == t->stop_at;
	found = (*state == TRAP_ORDER || *state == TRAP_STARTING || *state == TRAP_EXITING) &&
		index < t->expected_count && call_matches(&t->expected[index], d);
	/* One that is a stop ends the order, unless that was ended already. */
	if (found && *state == TRAP_ORDER && *stop)
		found = trap_thread_take(t, TRAP_ORDER);
	if (found)
		t->expected_next++;
	mutex_unlock(&t->process->lock);
	return found;
}

/* A report that ends an order takes the thread; not in the middle of the ordered calls. */
static bool take_order(struct trap_thread *t)
{
	bool taken;

	if (atomic_load(&t->state) != TRAP_ORDER)
		return false;
	mutex_lock(&t->process->lock);
	taken = t->expected_next == t->expected_count && trap_thread_take(t, TRAP_ORDER);
	mutex_unlock(&t->process->lock);
	return taken;
}

/* A host call from the stub's text other than hello and report. */
static struct trap_context *ordered_call(struct trap_platform *p, struct trap_thread *t,
					 const struct seccomp_notif *n,
					 struct trap_thread *waiting)
{
	bool stop;
	int state;

	if (!take_expected(t, &n->data, &state, &stop)) {
		violation(n, "a host call without an order");
		return NULL;
	}
	if (state == TRAP_EXITING) {
		trap_thread_exited(p, t, n->id);
		return NULL;
	}
	if (!stop) {
		if (host_notify_continue(p->listener, n->id) < 0)
			log_debug("stub thread %u died in an ordered call", n->pid);
		return NULL;
	}
	stub_waits(t, n->id);
	t->answer_continue = true;
	if (state == TRAP_STARTING)
		return trap_thread_at_start(t);
	order_finished(t, waiting);
	return NULL;
}

/* It goes on as a thread that was kicked, and finds itself dead at its resume. */
static void forged(struct platform_event *e, const struct seccomp_notif *n)
{
	violation(n, "a forged event");
	e->kind = PLATFORM_EVENT_KICK;
}

/* A report: its owner may be the receiver, who does not look at the slot. */
static void stub_slept(struct trap_thread *t, uint64_t notification)
{
	stub_waits(t, notification);
	__atomic_store_n(&t->spinning, false, __ATOMIC_RELAXED);
	__atomic_store_n(&t->slot->spin, 0, __ATOMIC_RELAXED);
}

static struct trap_context *report(struct trap_platform *p, struct trap_thread *t,
				   const struct seccomp_notif *n, struct trap_thread *waiting)
{
	bool order;

	if (n->data.args[0] == STUB_REPORT_LATE) {
		if (!trap_late_report(p, t, n->id))
			violation(n, "a late report out of turn");
		return NULL;
	}
	order = take_order(t);
	if (!order && !trap_thread_take(t, TRAP_GUEST)) {
		violation(n, "a report out of turn");
		return NULL;
	}
	stub_slept(t, n->id);
	if (order) {
		order_finished(t, waiting);
		return NULL;
	}
	if (!trap_slot_event(t, &t->context->event))
		forged(&t->context->event, n);
	return t->context;
}

/* The host's clone by which a stub reports that the guest forks: see trap_fork_process(). */
static bool is_fork(const struct trap_thread *t, const struct seccomp_data *d)
{
	static const struct trap_call fork_call = { __NR_clone, { STUB_FORK_FLAGS } };

	return (uint32_t)d->nr == __NR_clone && atomic_load(&t->state) == TRAP_GUEST &&
	       call_matches(&fork_call, d);
}

static bool forks(const struct platform_event *e)
{
	return e->kind == PLATFORM_EVENT_SYSCALL &&
	       (e->nr == __NR_fork || (e->nr == __NR_clone && !(e->args[0] & CLONE_VM)));
}

static struct trap_context *report_fork(struct trap_thread *t, const struct seccomp_notif *n)
{
	struct platform_event *e = &t->context->event;

	if (!t->next_ticket || !trap_thread_take(t, TRAP_GUEST)) {
		violation(n, "a fork out of turn");
		return NULL;
	}
	stub_slept(t, n->id);
	t->clone_waits = true;
	if (!trap_slot_event(t, e) || !forks(e))
		forged(e, n);
	return t->context;
}

static struct trap_context *guest_call(struct trap_thread *t, const struct seccomp_notif *n)
{
	struct platform_event *e;

	if (!trap_thread_take(t, TRAP_GUEST)) {
		violation(n, "a guest call out of turn");
		return NULL;
	}
	stub_waits(t, n->id);
	t->by_slot = false;
	t->window_count = 0;
	t->call_result = -ENOSYS;
	e = &t->context->event;
	*e = (struct platform_event){
		.kind = PLATFORM_EVENT_SYSCALL,
		.arch = n->data.arch,
		.nr = (uint64_t)(uint32_t)n->data.nr,
		.rip = n->data.instruction_pointer,
	};
	memcpy(e->args, n->data.args, sizeof(e->args));
	return t->context;
}

/* @t: whose tid it is; NULL: nobody's we know. */
static struct trap_context *notified(struct trap_platform *p, struct trap_thread *t,
				     const struct seccomp_notif *n, struct trap_thread *waiting)
{
	if (from_stub(n) && (uint32_t)n->data.nr == STUB_NR_HELLO)
		return hello(p, n, t, waiting);
	if (!t) {
		violation(n, "unknown thread");
		trap_unborn_killed(p, (pid_t)n->pid);
		return NULL;
	}
	if (!from_stub(n))
		return guest_call(t, n);
	if ((uint32_t)n->data.nr == STUB_NR_REPORT)
		return report(p, t, n, waiting);
	if (is_fork(t, &n->data))
		return report_fork(t, n);
	return ordered_call(p, t, n, waiting);
}

struct trap_context *trap_notified(struct trap_platform *p, const struct seccomp_notif *n,
				   struct trap_thread *waiting, bool *watched)
{
	struct trap_context *ctx;
	struct trap_thread *t;

	mutex_lock(&p->lookup_lock);
	t = tid_table_find(p, (pid_t)n->pid);
	*watched = t && atomic_load(&t->watched);
	ctx = notified(p, t, n, waiting);
	mutex_unlock(&p->lookup_lock);
	return ctx;
}
