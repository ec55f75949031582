/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host threads: tickets, the first steps of a forked process, answers.
 *
 * Identity comes from the kernel (design rule 3): a thread is the tid of its
 * notifications.  A new one is bound to its tid by its first notified call,
 * which must carry the one-time ticket that its parent's order contained.
 */
#include "sentry/platform/trap/sweep.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "util/log.h"

struct trap_thread *trap_thread_new(struct trap_address_space *as, unsigned index)
{
	struct trap_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->as = as;
	t->index = index;
	trap_spin_init(t);
	t->slot = trap_slot(as, index);
	list_node_init(&t->node);
	list_node_init(&t->ticket_node);
	list_node_init(&t->watch_node);
	if (!t->slot) {
		free(t);
		return NULL;
	}
	t->slot->fsgsbase = as->platform->fsgsbase;
	t->slot->xsave = as->platform->xsave;
	t->slot->cpu = STUB_CPU_UNKNOWN;
	/* Another thread may have had the index. */
	t->slot->ticket = 0;
	t->slot->kicked = 0;
	return t;
}

void trap_thread_forget(struct trap_platform *p, struct trap_thread *t)
{
	mutex_lock(&p->lock);
	if (list_linked(&t->ticket_node))
		list_remove(&t->ticket_node);
	t->ticket = 0;
	mutex_unlock(&p->lock);
}

static bool unborn_end_locked(struct trap_thread *t)
{
	if (!list_linked(&t->ticket_node))
		return false;
	list_remove(&t->ticket_node);
	t->ticket = 0;
	t->abandoned = true;
	t->stillborn = true;
	return t->start_wanted;
}

bool trap_unborn_end(struct trap_platform *p, struct trap_thread *t)
{
	bool started;

	mutex_lock(&p->lock);
	started = unborn_end_locked(t);
	mutex_unlock(&p->lock);
	trap_sweep_request(p);
	return started;
}

static void queue_death(struct trap_platform *p, struct trap_context *c)
{
	atomic_store(&c->thread->state, TRAP_STOPPED);
	c->event = (struct platform_event){ .kind = PLATFORM_EVENT_DIED, .host_status = SIGKILL };
	trap_pool_queue(p->pool, c);
}

void trap_unborn_lost(struct trap_platform *p, pid_t pid, uint64_t ticket_number)
{
	struct trap_thread *t, *found = NULL;
	bool started = false;

	mutex_lock(&p->lock);
	list_for_each(t, &p->unborn, ticket_node)
		if (t->claimed == pid && t->context)
			found = t;
	if (found)
		started = unborn_end_locked(found);
	else if (ticket_number)
		p->strangers[p->stranger_next++ % TRAP_STRANGERS] =
			(struct trap_stranger){ .pid = pid, .ticket_number = ticket_number };
	mutex_unlock(&p->lock);
	if (started)
		queue_death(p, found->context);
}

void trap_unborn_killed(struct trap_platform *p, pid_t pid)
{
	uint64_t issued;

	mutex_lock(&p->lock);
	issued = p->tickets_issued;
	mutex_unlock(&p->lock);
	trap_unborn_lost(p, pid, issued);
	trap_sweep_request(p);
}

void trap_unborn_failed(struct trap_platform *p, struct trap_thread *t)
{
	bool started;

	mutex_lock(&p->lock);
	t->abandoned = true;
	t->stillborn = true;
	started = t->start_wanted;
	mutex_unlock(&p->lock);
	if (started)
		queue_death(p, t->context);
	trap_sweep_request(p);
}

void trap_unborn_claimed(struct trap_platform *p, struct trap_thread *t, pid_t pid)
{
	mutex_lock(&p->lock);
	/* Whatever the stub says: the order is over. */
	t->claimed = pid > 0 ? pid : -1;
	for (unsigned i = 0; i < TRAP_STRANGERS; i++) {
		if (p->strangers[i].pid != pid)
			continue;
		p->strangers[i].pid = 0;
		/* It was killed before its parent spoke; context_start says so. */
		if (t->ticket_number <= p->strangers[i].ticket_number)
			unborn_end_locked(t);
	}
	mutex_unlock(&p->lock);
}

static void free_locked(struct trap_platform *p, struct trap_thread *t)
{
	pid_t tid = atomic_load(&t->tid);

	/* A worker that still looks at it sees that it is no longer in the guest, and stops. */
	while (atomic_load(&t->pins))
		sched_yield();
	/* One that never said hello still stands among the unborn. */
	trap_thread_forget(p, t);
	if (tid)
		tid_table_clear(p, tid, t);
	else
		trap_sweep_request(p);
	free(t);
}

void trap_thread_free(struct trap_platform *p, struct trap_thread *t)
{
	mutex_lock(&p->lookup_lock);
	free_locked(p, t);
	mutex_unlock(&p->lookup_lock);
}

bool trap_unborn_free(struct trap_platform *p, struct trap_thread *t)
{
	bool bound;

	mutex_lock(&p->lookup_lock);
	bound = t->process != NULL;
	if (!bound) {
		/* Of a copied address space it is the only one, and the indexes end with it. */
		if (t->shares_memory)
			trap_index_free(t->as, t->index);
		free_locked(p, t);
	}
	mutex_unlock(&p->lookup_lock);
	return !bound;
}

void trap_thread_exited(struct trap_platform *p, struct trap_thread *t, uint64_t notification)
{
	/* A dying process is as good: the thread never runs again. */
	if (host_notify_continue(p->listener, notification) < 0)
		log_debug("thread %d died before its exit", atomic_load(&t->tid));
	mutex_lock(&t->process->lock);
	list_remove(&t->node);
	mutex_unlock(&t->process->lock);
	trap_index_free(t->as, t->index);
	free_locked(p, t);
}

struct trap_context *trap_thread_at_start(struct trap_thread *t)
{
	atomic_store(&t->state, TRAP_STOPPED);
	t->context->event = (struct platform_event){ .kind = PLATFORM_EVENT_STARTED,
						     .regs_valid = true };
	return t->context;
}

/*
 * Its process is dying, and its death ends the context; unless that came before the start was
 * wanted, when it told nobody.
 */
static struct trap_context *begin_failed(struct trap_thread *t)
{
	struct trap_process *process = t->process;
	bool dead;
	int status;

	mutex_lock(&process->lock);
	dead = process->dead;
	status = process->status;
	mutex_unlock(&process->lock);
	if (!dead) {
		host_process_kill(process->pid);
		return NULL;
	}
	if (!trap_thread_take(t, TRAP_HELLO))
		return NULL;
	t->context->event = (struct platform_event){ .kind = PLATFORM_EVENT_DIED,
						     .host_status = status };
	return t->context;
}

struct trap_context *trap_thread_started(struct trap_platform *p, struct trap_thread *t)
{
	/* If it died, and its context was told so meanwhile, that is taken already. */
	if (t->shares_memory)
		return trap_thread_take(t, TRAP_HELLO) ? trap_thread_at_start(t) : NULL;
	return trap_thread_begin(p, t, false) < 0 ? begin_failed(t) : NULL;
}

int trap_ticket_new(uint64_t *ticket)
{
	*ticket = 0;
	while (*ticket == 0)
		if (getrandom(ticket, sizeof(*ticket), 0) < 0)
			return -errno;
	return 0;
}

void trap_thread_expect(struct trap_platform *p, struct trap_thread *t, uint64_t ticket)
{
	mutex_lock(&p->lock);
	t->ticket = ticket;
	t->ticket_number = ++p->tickets_issued;
	list_add_tail(&p->unborn, &t->ticket_node);
	mutex_unlock(&p->lock);
}

bool trap_thread_take(struct trap_thread *t, enum trap_state from)
{
	int expected = (int)from;

	if (!atomic_compare_exchange_strong(&t->state, &expected, TRAP_STOPPED))
		return false;
	if (from == TRAP_GUEST)
		trap_place_leave(t);
	return true;
}

static int64_t value_of(const struct trap_thread *t)
{
	if (!t->by_slot)
		return t->call_result;
	return t->clone_waits ? STUB_CLONE_ANSWERED : 0;
}

struct trap_answer trap_thread_answer_of(const struct trap_thread *t)
{
	return (struct trap_answer){
		.notification = t->notification,
		.by_spin = t->by_spin,
		.continue_call = t->answer_continue,
		.value = value_of(t),
		.fd = -1,
	};
}

int trap_answer(struct trap_platform *p, const struct trap_answer *a)
{
	if (a->continue_call)
		return host_notify_continue(p->listener, a->notification);
	if (a->fd >= 0)
		return host_notify_return_fd(p->listener, a->notification, a->fd, a->number);
	return host_notify_return(p->listener, a->notification, a->value);
}

/* The host calls of start_process() in the stub. */
static void expect_start_calls(struct trap_thread *t, int fd, bool strict)
{
	unsigned n = 0;

	t->expected[n++] = (struct trap_call){
		__NR_mmap,
		{ STUB_SLOTS, STUB_SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		  (uint64_t)fd, 0 },
	};
	if (strict)
		t->expected[n++] = (struct trap_call){
			__NR_madvise, { STUB_SLOTS, STUB_SLOTS_SIZE, MADV_DONTFORK },
		};
	t->expected[n++] = (struct trap_call){ __NR_close, { (uint64_t)fd } };
	t->expected_count = n;
	t->expected_next = 0;
	t->stop_at = t->expected_count - 1;
}

/* From HELLO to @to, or back: not once the process is dead, when the reaper has seen to it. */
static int change_state(struct trap_thread *t, int to)
{
	int rc;

	mutex_lock(&t->process->lock);
	rc = t->process->dead ? -ESRCH : 0;
	if (rc == 0)
		atomic_store(&t->state, to);
	mutex_unlock(&t->process->lock);
	return rc;
}

int trap_thread_begin(struct trap_platform *p, struct trap_thread *t, bool wait)
{
	uint64_t notification = t->notification;
	int fd = (int)t->index, slots = t->as->slots_fd;
	int rc;

	expect_start_calls(t, fd, p->config.strict);
	atomic_store(&t->order_done, 0);
	/* Once it runs it may end, and another worker free it: it is not looked at, but for a failure. */
	atomic_fetch_add(&t->pins, 1);
	rc = change_state(t, wait ? TRAP_ORDER : TRAP_STARTING);
	if (rc == 0) {
		rc = host_notify_return_fd(p->listener, notification, slots, fd);
		/* -ENOENT is a dying process: its death is what ends the wait. */
		if (rc == -ENOENT)
			rc = 0;
		else if (rc < 0 && change_state(t, TRAP_HELLO) < 0)
			rc = -ESRCH;
	}
	atomic_fetch_sub(&t->pins, 1);
	return rc == 0 && wait ? trap_wait_stopped(p, t) : rc;
}
