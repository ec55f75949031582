/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork and clone: host clones that the parent's stub makes on order.
 *
 * CLONE_PARENT makes every stub process the sentry's child.  The call is
 * notified and compared like any other order, so exactly one child comes of it,
 * and that child names itself with the ticket of its parent's order.
 *
 * Where it can, a stub reports a guest's fork by making that very call: the notification waits, and is
 * continued if the guest's fork comes to a host's.  The ticket is in its slot ahead of time, and
 * means nothing before that.
 */
#include "sentry/platform/trap/context.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "sentry/host/host_seccomp.h"
#include "util/log.h"

struct clone_order {
	uint64_t flags;
	unsigned index; /* of the child, and with it its signal stack */
	uint64_t stack; /* there; 0 for a fork */
	uint64_t tls;	/* for CLONE_SETTLS, else 0 */
};

/* The notification that waits is the call itself. */
static int continue_clone(struct trap_platform *p, struct trap_thread *parent, int64_t *result)
{
	parent->clone_waits = false;
	parent->answer_continue = true;
	parent->expected_count = 0;
	return trap_order(p, parent, STUB_FORK, result);
}

/* *pid: what the stub says the child is. */
static int order_clone(struct trap_platform *p, struct trap_thread *parent,
		       enum stub_command command, const struct clone_order *o, uint64_t ticket,
		       pid_t *pid)
{
	int64_t result = -EIO;
	int rc;

	parent->slot->args[0] = o->flags;
	parent->slot->args[1] = o->index;
	parent->slot->args[2] = o->tls;
	parent->slot->ticket = ticket;
	parent->expected[0] = (struct trap_call){ __NR_clone, { o->flags, o->stack, 0, 0, o->tls } };
	parent->expected_count = 1;
	parent->expected_next = 0;
	parent->stop_at = TRAP_NO_STOP;
	if (command == STUB_FORK && parent->clone_waits)
		rc = continue_clone(p, parent, &result);
	else
		rc = trap_order(p, parent, command, &result);
	parent->slot->ticket = parent->next_ticket;
	if (rc < 0)
		return rc;
	if (result > 0) {
		*pid = (pid_t)(result & INT32_MAX);
		return 0;
	}
	return result < 0 && result >= -4095 ? (int)result : -EAGAIN;
}

/* The ticket of the coming fork, and one for the next. */
static int take_ticket(struct trap_thread *parent, uint64_t *ticket)
{
	int rc = 0;

	*ticket = parent->next_ticket;
	parent->next_ticket = 0;
	if (*ticket == 0)
		rc = trap_ticket_new(ticket);
	/* Without one the next fork goes by order. */
	if (rc == 0 && trap_ticket_new(&parent->next_ticket) < 0)
		parent->next_ticket = 0;
	return rc;
}

int trap_fork_process(struct trap_platform *p, struct trap_thread *parent,
		      struct trap_context *child, struct trap_address_space **out)
{
	struct trap_address_space *as;
	struct trap_thread *t;
	uint64_t ticket;
	pid_t pid = 0;
	int rc = trap_address_space_alloc(p, parent->index, &as);

	if (rc < 0)
		return rc;
	t = trap_thread_new(as, parent->index);
	if (!t) {
		rc = -ENOMEM;
		goto fail_space;
	}
	t->context = child;
	t->fs_base = parent->fs_base;
	t->gs_base = parent->gs_base;
	t->xstate_addr = parent->xstate_addr;
	as->first = t;
	atomic_store(&parent->as->forked, true);
	rc = take_ticket(parent, &ticket);
	if (rc < 0) {
		parent->slot->ticket = 0;
		goto fail_thread;
	}
	trap_thread_expect(p, t, ticket);
	rc = order_clone(p, parent, STUB_FORK, &(struct clone_order){ .flags = STUB_FORK_FLAGS }, ticket,
			 &pid);
	if (rc < 0)
		goto fail_thread;
	if (child)
		child->thread = t;
	trap_unborn_claimed(p, t, pid);
	*out = as;
	return 0;

fail_thread:
	/*
	 * A child that exists all the same has no ticket any more and dies at its hello.  One
	 * that is just saying it (the parent lied) is bound under the lookup lock: wait.
	 */
	trap_thread_forget(p, t);
	if (trap_unborn_free(p, t))
		as->first = NULL;
fail_space:
	trap_address_space_free(as);
	return rc;
}

static void unlink_thread(struct trap_thread *t)
{
	if (!t->process)
		return;
	mutex_lock(&t->process->lock);
	if (list_linked(&t->node))
		list_remove(&t->node);
	t->process->live--;
	mutex_unlock(&t->process->lock);
}

/* The order failed, or the parent's stub says so: whatever came of it ends. */
static void abandon_thread(struct trap_platform *p, struct trap_address_space *as,
			   struct trap_thread *t)
{
	unsigned index = t->index;

	trap_thread_forget(p, t);
	if (t->process && t->process->pid != atomic_load(&t->tid)) {
		/* Of the parent's group: a thread that exists is unknown from now on. */
		trap_thread_free(p, t);
	} else if (trap_unborn_free(p, t)) {
		return;
	} else {
		struct trap_process *process = t->process;

		trap_process_end(p, process);
		trap_process_free(p, process);
	}
	trap_index_free(as, index);
}

/* Where user code cannot write the FS base the host sets the child's; any other takes an order. */
static void set_tls(struct trap_platform *p, struct clone_order *o, struct trap_thread *t,
		    uint64_t fs_base)
{
	if (p->fsgsbase || fs_base == t->fs_base || fs_base >= platform_address_max().v)
		return;
	o->flags |= CLONE_SETTLS;
	o->tls = fs_base;
	t->fs_base = fs_base;
}

int trap_clone_thread(struct trap_platform *p, struct trap_thread *parent,
		      struct trap_context *child, bool same_group)
{
	const uint64_t thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				      CLONE_THREAD | CLONE_SYSVSEM;
	struct trap_address_space *as = parent->as;
	struct clone_order order = { .flags = same_group ? thread_flags : CLONE_VM | CLONE_PARENT };
	struct trap_thread *t;
	uint64_t ticket;
	pid_t pid = 0;
	unsigned index;
	int rc = trap_index_alloc(as, &index);

	if (rc < 0)
		return rc;
	t = trap_thread_new(as, index);
	if (!t) {
		trap_index_free(as, index);
		return -ENOMEM;
	}
	order.index = index;
	order.stack = STUB_STACKS + index * STUB_STACK_SIZE + STUB_THREAD_START;
	t->context = child;
	t->shares_memory = true;
	t->fs_base = parent->fs_base;
	t->gs_base = parent->gs_base;
	t->xstate_addr = parent->xstate_addr - parent->index * STUB_STACK_SIZE +
			 index * STUB_STACK_SIZE;
	set_tls(p, &order, t, child->regs.fs_base);
	rc = trap_ticket_new(&ticket);
	if (rc < 0)
		goto fail;
	trap_thread_expect(p, t, ticket);
	if (same_group) {
		t->process = parent->process;
		mutex_lock(&t->process->lock);
		list_add_tail(&t->process->threads, &t->node);
		t->process->live++;
		mutex_unlock(&t->process->lock);
	}
	rc = order_clone(p, parent, STUB_THREAD, &order, ticket, &pid);
	if (rc < 0) {
		unlink_thread(t);
		goto fail;
	}
	child->thread = t;
	if (!same_group)
		trap_unborn_claimed(p, t, pid);
	return 0;
fail:
	abandon_thread(p, as, t);
	return rc;
}
