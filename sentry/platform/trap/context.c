/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: guest threads.  A context is STOPPED while its client's handle()
 * runs; resume puts it back into the guest by answering the notification.
 */
#include "sentry/platform/trap/context.h"

#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "util/log.h"

/* --- registers ------------------------------------------------------------- */

/* arch_prctl in the stub for a base that is not what the host thread has. */
static void order_base(struct trap_platform *p, struct trap_thread *t, int code, uint64_t *has,
		       uint64_t wanted)
{
	struct trap_call call = { __NR_arch_prctl, { (uint64_t)code, wanted } };
	int64_t result = 0;

	if (*has != wanted && trap_order_call(p, t, &call, true, &result) == 0 && result == 0)
		*has = wanted;
}

/*
 * Where the stub cannot write FS and GS base itself.  A failure means a dying process, or a
 * base that the host refuses and the guest's kernel should have.
 */
static void order_bases(struct trap_platform *p, struct trap_thread *t)
{
	const struct guest_regs *r = &t->context->regs;

	if (p->fsgsbase)
		return;
	order_base(p, t, ARCH_SET_FS, &t->fs_base, r->fs_base);
	order_base(p, t, ARCH_SET_GS, &t->gs_base, r->gs_base);
}

static void copy_to_slot(struct trap_thread *t)
{
	const struct guest_regs *r = &t->context->regs;
	struct stub_slot *slot = t->slot;

	slot->regs = (struct stub_regs){
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12,
		.r13 = r->r13, .r14 = r->r14, .r15 = r->r15, .rdi = r->rdi, .rsi = r->rsi,
		.rbp = r->rbp, .rbx = r->rbx, .rdx = r->rdx, .rax = r->rax, .rcx = r->rcx,
		.rsp = r->rsp, .rip = r->rip, .eflags = r->eflags,
	};
	slot->fs_base = r->fs_base;
	slot->gs_base = r->gs_base;
	slot->cs = (uint32_t)r->cs;
	trap_windows_put(t);
	slot->command = t->xstate_written ? STUB_RESUME_FRAME : STUB_RESUME;
	t->xstate_written = false;
}

struct guest_regs *trap_context_regs(struct context *ctx)
{
	return &trap_context(ctx)->regs;
}

void trap_context_set_return(struct context *ctx, int64_t value)
{
	struct trap_context *c = trap_context(ctx);

	c->thread->call_result = value;
	c->regs.rax = (uint64_t)value;
}

int trap_need_registers(struct context *ctx)
{
	return trap_context(ctx)->thread->by_slot ? 0 : -ENOSYS;
}

int trap_fetch_registers(struct context *ctx)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_thread *t = c->thread;
	struct platform_event event;
	int rc;

	if (t->by_slot)
		return 0;
	/* The signal stays pending until the call is answered, and comes before any guest instruction. */
	trap_context_kick(ctx);
	rc = trap_order_report(c->platform, t);
	if (rc < 0)
		return rc;
	if (trap_slot_event(t, &event) && event.kind == PLATFORM_EVENT_KICK)
		return 0;
	log_debug("killing stub %d: it was kicked and reports something else", t->process->pid);
	host_process_kill(t->process->pid);
	return -ESRCH;
}

/* --- running ----------------------------------------------------------------- */

enum resumed {
	RESUMED_AWAY, /* the guest runs; the context belongs to whoever gets its next event */
	RESUMED_BACK, /* its next event is there, for the caller */
};

/* Of a thread that was taken from its slot. */
static void watched_event(struct trap_thread *t, struct platform_event *event)
{
	if (trap_slot_event(t, event))
		return;
	/* It goes on as a thread that was kicked, and finds itself dead at its resume. */
	log_debug("killing stub %d: a forged event", t->process->pid);
	host_process_kill(t->process->pid);
	event->kind = PLATFORM_EVENT_KICK;
}

/* Whoever answers a notification gets the guest thread onto its own CPU, if that is not another
 * one's. */
static int hand_over(struct trap_platform *p, struct trap_thread *t,
		     const struct trap_answer *answer, bool apart)
{
	int rc;

	if (apart && host_notify_sync_wake_up(p->listener, false) < 0)
		log_debug("the synchronous wake-up cannot be switched off");
	rc = trap_hand_over(p, t, answer);
	if (apart && host_notify_sync_wake_up(p->listener, true) < 0)
		log_debug("the synchronous wake-up cannot be switched on");
	return rc;
}

/* Back to the guest, and perhaps out of it again. */
static enum resumed resume(struct trap_context *ctx, bool kick, struct platform_event *event)
{
	struct trap_platform *p = ctx->platform;
	struct trap_thread *t = ctx->thread;
	struct trap_process *process = t->process;
	pid_t pid = process->pid, tid = atomic_load(&t->tid);
	struct trap_answer answer;
	enum trap_watcher watcher;
	bool dead, apart, taken = false;
	int rc;

	kick = trap_dispatch_prepare(p, t) || kick;
	if (t->by_slot) {
		order_bases(p, t);
		copy_to_slot(t);
	}
	watcher = trap_watch_begin(p, t);
	answer = trap_thread_answer_of(t);
	apart = p->sync_wake_up && !answer.by_spin && !trap_place_take(p, t);
	/* From GUEST on the context may die, and another worker may free it: t is pinned. */
	atomic_fetch_add(&t->pins, 1);
	mutex_lock(&process->lock);
	dead = process->dead;
	if (!dead)
		atomic_store(&t->state, TRAP_GUEST);
	mutex_unlock(&process->lock);
	if (dead) {
		trap_place_leave(t);
		atomic_fetch_sub(&t->pins, 1);
		if (watcher == TRAP_WATCHER_OTHER)
			trap_watch_cancel(p, t);
		*event = (struct platform_event){ .kind = PLATFORM_EVENT_DIED,
						  .host_status = process->status };
		return RESUMED_BACK;
	}
	/* The signal stays pending until the thread is about to return to user mode. */
	if (kick)
		host_thread_signal(pid, tid, STUB_KICK_SIGNAL);
	if (watcher == TRAP_WATCHER_OTHER) {
		atomic_fetch_add(&t->pins, 1);
		trap_pool_queue_watch(p->pool, t);
	}
	/* -ENOENT: it is dying; the reaper finds it in GUEST and queues DIED. */
	rc = hand_over(p, t, &answer, apart);
	if (rc < 0)
		log_debug("thread died at its resume");
	if (watcher == TRAP_WATCHER_SELF) {
		trap_pool_flush_next(trap_worker_current());
		if (rc == TRAP_WOKEN)
			trap_watch_end(p);
		else
			taken = trap_watch(p, t);
	}
	atomic_fetch_sub(&t->pins, 1);
	if (!taken)
		return RESUMED_AWAY;
	watched_event(t, event);
	return RESUMED_BACK;
}

/* As for a worker that goes to sleep.  False: woken already, the event is to be handled again. */
static bool shelve(struct trap_worker *w, struct trap_context *ctx, struct platform_event *event)
{
	trap_watch_end(ctx->platform);
	trap_windows_end(ctx->thread);
	trap_spin_block(ctx->thread);
	w->context = NULL;
	ctx->event = *event;
	if (ctx->platform->config.client->shelve(ctx->owner))
		return true;
	w->context = ctx;
	/* Another worker may have run it meanwhile, up to its next sleep. */
	*event = ctx->event;
	return false;
}

static void run(struct trap_context *ctx, struct platform_event *event)
{
	struct trap_worker *w = trap_worker_current();
	enum context_action action;

	w->context = ctx;
	do {
		if (event->kind == PLATFORM_EVENT_SYSCALL)
			trap_spin_count(ctx->thread);
		do {
			action = ctx->platform->config.client->handle(ctx->owner, &ctx->base, event);
			if (action == CONTEXT_SHELVE && shelve(w, ctx, event))
				return;
		} while (action == CONTEXT_SHELVE);
	} while (action != CONTEXT_EXITED &&
		 resume(ctx, action == CONTEXT_RESUME_AND_KICK, event) == RESUMED_BACK);
	w->context = NULL;
}

void trap_context_run(struct trap_context *ctx)
{
	struct platform_event event = ctx->event;

	run(ctx, &event);
}

void trap_context_unshelve(struct context *ctx)
{
	struct trap_context *c = trap_context(ctx);

	trap_pool_queue_next(c->platform->pool, c);
}

void trap_context_watch(struct trap_platform *p, struct trap_thread *t)
{
	struct trap_context *ctx = NULL;
	struct platform_event event;

	trap_watch_attach(t);
	if (trap_watch(p, t)) {
		ctx = t->context;
		watched_event(t, &event);
	}
	atomic_fetch_sub(&t->pins, 1);
	if (ctx)
		run(ctx, &event);
}

void trap_context_kick(struct context *ctx)
{
	struct trap_thread *t = trap_context(ctx)->thread;
	struct trap_process *process = __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	pid_t tid = atomic_load(&t->tid);

	/* One that has not said hello has nothing to be interrupted in. */
	if (process && tid && !atomic_load(&process->dead))
		host_thread_signal(process->pid, tid, STUB_KICK_SIGNAL);
}

/*
 * A forked child that has not said hello has no process here yet.  Its ticket is
 * withdrawn, so that it dies at its hello, and its context ends without it.
 * Returns the process if it was bound meanwhile.
 */
static struct trap_process *kill_unborn(struct trap_context *c)
{
	struct trap_platform *p = c->platform;
	struct trap_thread *t = c->thread;
	struct trap_process *process;

	if (trap_unborn_end(p, t)) {
		atomic_store(&t->state, TRAP_STOPPED);
		c->event = (struct platform_event){ .kind = PLATFORM_EVENT_DIED,
						    .host_status = SIGKILL };
		trap_pool_queue(p->pool, c);
	}
	/* The hello looks at this after it has bound the process. */
	mutex_lock(&p->lock);
	t->abandoned = true;
	process = __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	mutex_unlock(&p->lock);
	return process;
}

void trap_context_kill_group(struct context *ctx)
{
	struct trap_thread *t = trap_context(ctx)->thread;
	struct trap_process *process = __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);

	if (!process)
		process = kill_unborn(trap_context(ctx));
	if (!process)
		return;
	mutex_lock(&process->lock);
	if (!atomic_load(&process->dead))
		host_process_kill(process->pid);
	mutex_unlock(&process->lock);
}

pid_t trap_context_host_tid(const struct context *ctx)
{
	return atomic_load(&trap_context((struct context *)(uintptr_t)ctx)->thread->tid);
}

bool trap_context_cpu(struct context *ctx, uint32_t *cpu)
{
	struct trap_thread *t = trap_context(ctx)->thread;

	/* One that came by notification has not been in the stub. */
	*cpu = t->by_slot ? __atomic_load_n(&t->slot->cpu, __ATOMIC_RELAXED) : STUB_CPU_UNKNOWN;
	return *cpu != STUB_CPU_UNKNOWN;
}

struct address_space *trap_context_address_space(struct context *ctx)
{
	return &trap_context(ctx)->thread->as->base;
}

/* --- creation ------------------------------------------------------------------ */

static struct trap_context *context_alloc(struct trap_platform *p, void *owner)
{
	struct trap_context *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->base.ops = &trap_ops;
	c->platform = p;
	c->owner = owner;
	list_node_init(&c->work);
	return c;
}

static void bind(struct trap_context *c, struct trap_thread *t)
{
	struct trap_process *process = t->process;

	c->thread = t;
	if (!process) {
		t->context = c;
		return;
	}
	mutex_lock(&process->lock);
	t->context = c;
	process->live++;
	mutex_unlock(&process->lock);
}

int trap_context_new(struct platform *base, struct address_space *as, void *owner,
		     struct context **out)
{
	struct trap_context *c = context_alloc(trap_platform(base), owner);

	if (!c)
		return -ENOMEM;
	bind(c, trap_address_space(as)->first);
	c->thread->bound_stopped = true;
	*out = &c->base;
	return 0;
}

/*
 * The guest thread leaves @t.  The first host thread of a process that goes on
 * parks: remote copies name it.  A process that shares its memory with others
 * (vfork) and has no guest thread left ends now; the last process of an address
 * space ends when that is put.
 */
static void leave_thread(struct trap_platform *p, struct trap_thread *t)
{
	struct trap_process *process = t->process;
	bool last, first_thread = atomic_load(&t->tid) == process->pid;
	bool shared, exits = !first_thread && t->by_slot;
	struct trap_answer answer = trap_thread_answer_of(t);

	trap_watch_end(p);
	/* From the unlock on a stub that spins may exit of its own accord: the pin keeps @t. */
	atomic_fetch_add(&t->pins, 1);
	mutex_lock(&process->lock);
	t->context = NULL;
	t->expected[0] = (struct trap_call){ .nr = __NR_exit };
	t->expected_count = 1;
	t->expected_next = 0;
	last = --process->live == 0;
	/* Stopped in a guest call it is out of the stub's reach: it stays asleep there. */
	atomic_store(&t->state, last || !exits ? TRAP_PARKED : TRAP_EXITING);
	mutex_unlock(&process->lock);
	if (!last && exits) {
		t->slot->command = STUB_EXIT;
		if (trap_hand_over(p, t, &answer) < 0)
			log_debug("thread died at its exit");
	}
	atomic_fetch_sub(&t->pins, 1);
	if (last) {
		mutex_lock(&process->as->lock);
		shared = process->node.next != process->node.prev;
		mutex_unlock(&process->as->lock);
		if (shared) {
			trap_process_end(p, process);
			trap_process_free(p, process);
		}
	}
}

int trap_context_exec(struct context *ctx, struct address_space *as)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_thread *old = c->thread;

	bind(c, trap_address_space(as)->first);
	memset(&c->regs, 0, sizeof(c->regs));
	leave_thread(c->platform, old);
	return 0;
}

static void init_child(struct trap_context *child, const struct trap_context *parent)
{
	child->regs = parent->regs;
}

int trap_context_fork(struct context *ctx, void *owner, struct address_space **as_out,
		      struct context **out)
{
	struct trap_context *parent = trap_context(ctx);
	struct trap_platform *p = parent->platform;
	struct trap_address_space *as;
	struct trap_context *child;
	int rc;

	child = context_alloc(p, owner);
	if (!child)
		return -ENOMEM;
	init_child(child, parent);
	rc = trap_fork_process(p, parent->thread, child, &as);
	if (rc < 0) {
		free(child);
		return rc;
	}
	*as_out = &as->base;
	*out = &child->base;
	return 0;
}

int trap_context_clone(struct context *ctx, bool same_group, uint64_t fs_base, void *owner,
		       struct context **out)
{
	struct trap_context *parent = trap_context(ctx);
	struct trap_context *child = context_alloc(parent->platform, owner);
	int rc;

	if (!child)
		return -ENOMEM;
	init_child(child, parent);
	child->regs.fs_base = fs_base;
	rc = trap_clone_thread(parent->platform, parent->thread, child, same_group);
	if (rc < 0) {
		free(child);
		return rc;
	}
	*out = &child->base;
	return 0;
}

/* What is known of a thread at the moment its start is asked for. */
struct start_state {
	bool hello, stillborn;
	bool stopped; /* of a pristine stub: nobody but the caller starts it */
};

static struct start_state want_start(struct trap_platform *p, struct trap_thread *t, bool dead)
{
	struct start_state s;

	mutex_lock(&p->lock);
	s.stillborn = t->stillborn;
	t->start_wanted = !dead && !s.stillborn;
	s.hello = atomic_load(&t->state) == TRAP_HELLO;
	s.stopped = atomic_load(&t->state) == TRAP_STOPPED && t->bound_stopped;
	mutex_unlock(&p->lock);
	return s;
}

void trap_context_start(struct context *ctx)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_platform *p = c->platform;
	struct trap_thread *t = c->thread;
	struct trap_context *run = NULL;
	struct trap_process *process = __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	struct start_state at;
	bool dead = false;

	if (process) {
		/* A death that comes after start_wanted is set finds it, under the same lock. */
		mutex_lock(&process->lock);
		dead = process->dead;
		at = want_start(p, t, dead);
		mutex_unlock(&process->lock);
	} else {
		at = want_start(p, t, false);
	}
	if (dead || at.stillborn) {
		c->event = (struct platform_event){
			.kind = PLATFORM_EVENT_DIED,
			.host_status = dead ? process->status : SIGKILL,
		};
		if (at.stillborn)
			atomic_store(&t->state, TRAP_STOPPED);
		trap_pool_queue(p->pool, c);
		return;
	}
	/* One that is still to say hello is looked at no more: it may have run, ended and be freed. */
	if (at.hello)
		run = trap_thread_started(p, t);
	else if (at.stopped)
		run = trap_thread_at_start(t);
	if (run)
		trap_pool_queue(p->pool, run);
}

void trap_context_destroy(struct context *ctx)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_thread *t = c->thread;
	struct trap_platform *p = c->platform;
	struct trap_worker *w = trap_worker_current();
	bool unborn;

	if (w && w->context == c)
		w->context = NULL;
	mutex_lock(&p->lock);
	unborn = atomic_load(&t->state) == TRAP_UNBORN;
	t->abandoned = t->abandoned || unborn;
	mutex_unlock(&p->lock);
	/* A forked one is its address space's, and ends with that. */
	if (!t->process && t->shares_memory && trap_unborn_free(p, t))
		t = NULL;
	if (t && t->process)
		leave_thread(p, t);
	free(c);
}
