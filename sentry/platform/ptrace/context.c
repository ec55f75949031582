/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: guest threads.  Made with their tracer thread; moved by execve; gone
 * when their host thread exited, parks (a leader whose process goes on: remote
 * copies name it) or was killed with its process.
 */
#include "sentry/platform/ptrace/context.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_process.h"
#include "util/log.h"

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* --- registers and kicks --------------------------------------------------------- */

struct guest_regs *ptrace_context_regs(struct context *ctx)
{
	return &ptrace_context(ctx)->regs;
}

void ptrace_context_set_return(struct context *ctx, int64_t value)
{
	ptrace_context(ctx)->regs.rax = (uint64_t)value;
}

int ptrace_need_registers(struct context *ctx)
{
	(void)ctx;
	return 0;
}

struct address_space *ptrace_context_address_space(struct context *ctx)
{
	return &ptrace_context(ctx)->as->base;
}

pid_t ptrace_context_host_tid(const struct context *ctx)
{
	return atomic_load(&ptrace_context((struct context *)(uintptr_t)ctx)->tid);
}

void ptrace_context_kick(struct context *ctx)
{
	struct ptrace_context *c = ptrace_context(ctx);

	atomic_store(&c->kicked, true);
	if (!atomic_load(&c->running))
		return;
	/* Under the lock the process is not reaped; it may be stopped again by now. */
	mutex_lock(&c->lock);
	host_thread_signal(c->process->pid, atomic_load(&c->tid), PTRACE_KICK_SIGNAL);
	mutex_unlock(&c->lock);
}

void ptrace_context_kill_group(struct context *ctx)
{
	struct ptrace_context *c = ptrace_context(ctx);

	mutex_lock(&c->lock);
	host_process_kill(c->process->pid);
	mutex_unlock(&c->lock);
}

/* --- host threads ------------------------------------------------------------------- */

static void bind(struct ptrace_context *c, struct ptrace_address_space *as,
		 struct ptrace_process *process, pid_t tid)
{
	mutex_lock(&c->lock);
	c->as = as;
	c->process = process;
	c->tracee = (struct tracee){ .tid = tid, .leader = tid == process->pid };
	atomic_store(&c->tid, tid);
	mutex_unlock(&c->lock);
	ptrace_process_live(as, process, 1, NULL);
}

/* On the tracer: the guest thread leaves @t. */
static void leave(struct ptrace_address_space *as, struct ptrace_process *process,
		  struct tracee *t)
{
	bool alone;

	/* Nobody but the last context itself could make another one. */
	if (ptrace_process_live(as, process, 0, NULL) == 1)
		host_process_kill(process->pid);
	else if (!t->leader && !t->dead)
		tracee_exit(t);
	else if (t->attached && !t->dead)
		tracee_park(t);
	tracee_reap(t);
	if (ptrace_process_live(as, process, -1, &alone) == 0 && !alone)
		ptrace_process_end(as, process);
}

static int release(struct ptrace_context *c, void *argument)
{
	(void)argument;
	leave(c->as, c->process, &c->tracee);
	return 0;
}

static void context_free(struct ptrace_context *c)
{
	mutex_destroy(&c->lock);
	free(c);
}

/* With its tracer thread, which waits. */
static int context_alloc(struct ptrace_platform *p, void *owner, struct ptrace_context **out)
{
	struct ptrace_context *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->base.ops = &ptrace_ops;
	c->platform = p;
	c->owner = owner;
	mutex_init(&c->lock, LOCK_RANK_PLATFORM_LOOKUP);
	rc = tracer_start(c);
	if (rc < 0) {
		context_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

static int nothing(struct ptrace_context *c, void *argument)
{
	(void)c;
	(void)argument;
	return 0;
}

/* Undoes context_alloc; the context was not bound. */
static void context_discard(struct ptrace_context *c)
{
	tracer_quit(c, nothing);
	context_free(c);
}

/* --- life ------------------------------------------------------------------------------ */

int ptrace_context_new(struct platform *base, struct address_space *as_base, void *owner,
		       struct context **out)
{
	struct ptrace_address_space *as = ptrace_address_space(as_base);
	struct ptrace_context *c;
	int rc = context_alloc(ptrace_platform(base), owner, &c);

	if (rc < 0)
		return rc;
	bind(c, as, as->named, as->named->pid);
	*out = &c->base;
	return 0;
}

int ptrace_context_exec(struct context *ctx, struct address_space *as_base)
{
	struct ptrace_context *c = ptrace_context(ctx);
	struct ptrace_address_space *as = ptrace_address_space(as_base), *old_as = c->as;
	struct ptrace_process *old_process = c->process;
	struct tracee old = c->tracee;

	bind(c, as, as->named, as->named->pid);
	memset(&c->regs, 0, sizeof(c->regs));
	if (tracee_attach(&c->tracee) < 0)
		log_debug("a pristine stub was killed"); /* as the next order or resume finds */
	leave(old_as, old_process, &old);
	return 0;
}

/* Clones the parent's host thread; the child of a new process is registered in @as. */
static int clone_into(struct ptrace_context *parent, struct ptrace_context *child, uint64_t flags,
		      struct ptrace_address_space *as, struct ptrace_process *process)
{
	pid_t tid;
	int rc;

	if (parent->tracee.dead)
		return -ESRCH;
	/* No FD that is being donated gets into the child's table. */
	mutex_lock(&parent->as->fd_lock);
	rc = tracee_clone(&parent->tracee, &parent->regs, flags, &tid);
	mutex_unlock(&parent->as->fd_lock);
	if (rc < 0)
		return rc == -ESRCH ? -EAGAIN : rc;
	if (process != parent->process) {
		process->pid = tid;
		ptrace_process_add(as, process);
	}
	child->regs = parent->regs;
	bind(child, as, process, tid);
	return 0;
}

int ptrace_context_fork(struct context *ctx, void *owner, struct address_space **as_out,
			struct context **out)
{
	struct ptrace_context *parent = ptrace_context(ctx), *child;
	struct ptrace_address_space *as;
	struct ptrace_process *process;
	int rc = context_alloc(parent->platform, owner, &child);

	if (rc < 0)
		return rc;
	as = ptrace_as_alloc();
	process = ptrace_process_alloc();
	rc = as && process ? clone_into(parent, child, CLONE_PARENT, as, process) : -ENOMEM;
	if (rc < 0) {
		context_discard(child);
		free(process);
		if (as)
			ptrace_as_free(as);
		return rc;
	}
	*as_out = &as->base;
	*out = &child->base;
	return 0;
}

int ptrace_context_clone(struct context *ctx, bool same_group, uint64_t fs_base, void *owner,
			 struct context **out)
{
	struct ptrace_context *parent = ptrace_context(ctx), *child;
	struct ptrace_process *process;
	uint64_t flags = same_group ? THREAD_FLAGS : CLONE_VM | CLONE_FILES | CLONE_PARENT;
	int rc = context_alloc(parent->platform, owner, &child);

	if (rc < 0)
		return rc;
	process = same_group ? parent->process : ptrace_process_alloc();
	rc = process ? clone_into(parent, child, flags, parent->as, process) : -ENOMEM;
	if (rc < 0) {
		context_discard(child);
		if (!same_group)
			free(process);
		return rc;
	}
	context_regs(&child->base)->fs_base = fs_base;
	*out = &child->base;
	return 0;
}

void ptrace_context_start(struct context *ctx)
{
	tracer_run_guest(ptrace_context(ctx));
}

void ptrace_context_destroy(struct context *ctx)
{
	struct ptrace_context *c = ptrace_context(ctx);

	if (tracer_is_current(c))
		release(c, NULL);
	else
		tracer_quit(c, release);
	context_free(c);
}
