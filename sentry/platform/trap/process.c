/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host processes: registration, death.
 *
 * Only the sentry reaps, by pid.  A process ends in one of two ways: somebody
 * orders it (trap_process_end), or it dies on its own and the reaper thread
 * hears of it.  Either way exactly one caller reaps (`ending`), after the last
 * pin is gone, then marks it dead and tells the threads that were running.
 */
#include "sentry/platform/trap/sweep.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/host/host_futex.h"
#include "sentry/host/host_process.h"
#include "sentry/host/host_thread.h"
#include "sentry/wait/wait.h"
#include "util/log.h"

#define DEATHS_AT_ONCE 16

/* Pids come again; serials do not.  Serial 0 is that of orphans (sweep.c). */
static uint64_t cookie_of(const struct trap_process *process)
{
	return process->serial << TRAP_PID_BITS | (uint64_t)process->pid;
}

int trap_process_new(struct trap_platform *p, struct trap_address_space *as, pid_t pid,
		     struct trap_thread *first, struct trap_process **out)
{
	struct trap_process *process = calloc(1, sizeof(*process));
	int rc;

	if (!process)
		return -ENOMEM;
	process->as = as;
	process->pid = pid;
	process->serial = atomic_fetch_add(&p->next_serial, 1);
	mutex_init(&process->lock, LOCK_RANK_PLATFORM_PROCESS);
	list_init(&process->threads);
	process->pidfd = host_pidfd_open(pid);
	if (process->pidfd < 0) {
		rc = process->pidfd;
		goto fail;
	}
	rc = host_death_set_add(p->deaths, process->pidfd, cookie_of(process));
	if (rc < 0) {
		close(process->pidfd);
		goto fail;
	}
	mutex_lock(&as->lock);
	list_add_tail(&as->processes, &process->node);
	if (!as->leader)
		as->leader = process;
	mutex_unlock(&as->lock);
	list_add_tail(&process->threads, &first->node);
	if (first->context)
		process->live++;
	/* Last: who starts its context looks without a lock. */
	__atomic_store_n(&first->process, process, __ATOMIC_RELEASE);
	*out = process;
	return 0;
fail:
	mutex_destroy(&process->lock);
	free(process);
	return rc;
}

/* Remote copies go to another process of the address space from now on. */
static void unlead(struct trap_process *process)
{
	struct trap_address_space *as = process->as;
	struct trap_process *other;

	mutex_lock(&as->lock);
	if (as->leader == process) {
		as->leader = NULL;
		list_for_each(other, &as->processes, node)
			if (other != process && !other->ending)
				as->leader = other;
	}
	mutex_unlock(&as->lock);
	while (atomic_load(&process->pins))
		sched_yield();
}

/* What became of a thread whose process is dead. */
static void thread_died(struct trap_platform *p, struct trap_thread *t, int status)
{
	enum trap_state state = (enum trap_state)atomic_load(&t->state);

	switch (state) {
	case TRAP_UNBORN:
	case TRAP_HELLO:
		if (!t->start_wanted)
			break;
		__attribute__((fallthrough));
	case TRAP_GUEST:
	case TRAP_STARTING:
		/* An event that came before the death has its owner, who finds out at its resume. */
		if (!t->context || !trap_thread_take(t, state))
			break;
		t->context->event = (struct platform_event){ .kind = PLATFORM_EVENT_DIED,
							     .host_status = status };
		trap_pool_queue(p->pool, t->context);
		break;
	case TRAP_ORDER:
		atomic_store(&t->order_done, 1);
		host_futex_wake(&t->order_done, 1);
		break;
	default:
		break;
	}
}

static void interrupt_order(struct trap_thread *t)
{
	struct trap_worker *w;

	/* The worker may be just about to sleep in its receive: until it is out, again. */
	while ((w = atomic_load(&t->order_worker))) {
		trap_worker_interrupt(w);
		usleep(200);
	}
}

static void reap(struct trap_platform *p, struct trap_process *process)
{
	struct trap_thread *t;
	int status = 9;

	unlead(process);
	atomic_fetch_add(&p->reaped, 1);
	if (host_process_reap(process->pid, &status, &process->usage) < 0)
		log_warning("reap of stub %d failed", process->pid);
	mutex_lock(&process->lock);
	process->status = status;
	atomic_store(&process->dead, true);
	list_for_each(t, &process->threads, node)
		thread_died(p, t, status);
	mutex_unlock(&process->lock);
	list_for_each(t, &process->threads, node)
		interrupt_order(t);
	atomic_store(&process->reaped, true);
}

static bool claim(struct trap_platform *p, struct trap_process *process)
{
	bool mine;

	mutex_lock(&p->lock);
	mine = !process->ending;
	process->ending = true;
	mutex_unlock(&p->lock);
	return mine;
}

void trap_process_end(struct trap_platform *p, struct trap_process *process)
{
	if (claim(p, process)) {
		host_death_set_remove(p->deaths, process->pidfd);
		host_process_kill(process->pid);
		reap(p, process);
		return;
	}
	while (!atomic_load(&process->reaped))
		sched_yield();
}

void trap_process_free(struct trap_platform *p, struct trap_process *process)
{
	struct trap_thread *t, *next;

	list_for_each_safe(t, next, &process->threads, node) {
		list_remove(&t->node);
		mutex_lock(&process->as->lock);
		if (process->as->first == t)
			process->as->first = NULL;
		mutex_unlock(&process->as->lock);
		/* Others of the address space go on (vfork): they have few enough of them. */
		trap_index_free(process->as, t->index);
		trap_thread_free(p, t);
	}
	mutex_lock(&process->as->lock);
	list_remove(&process->node);
	mutex_unlock(&process->as->lock);
	close(process->pidfd);
	mutex_destroy(&process->lock);
	free(process);
}

/* Claims the process of a cookie, unless somebody else did and it may be gone. */
static struct trap_process *claim_cookie(struct trap_platform *p, uint64_t cookie)
{
	struct trap_process *process = NULL;
	struct trap_thread *t;

	mutex_lock(&p->lock);
	t = tid_table_find(p, (pid_t)(cookie & (((uint64_t)1 << TRAP_PID_BITS) - 1)));
	if (t && t->process && cookie_of(t->process) == cookie && !t->process->ending) {
		process = t->process;
		process->ending = true;
	}
	mutex_unlock(&p->lock);
	return process;
}

static void *reaper(void *arg)
{
	struct trap_platform *p = arg;
	uint64_t dead[DEATHS_AT_ONCE];

	for (;;) {
		int n = host_death_set_wait(p->deaths, dead, DEATHS_AT_ONCE);

		for (int i = 0; i < n; i++) {
			struct trap_process *process = claim_cookie(p, dead[i]);

			if (process) {
				host_death_set_remove(p->deaths, process->pidfd);
				reap(p, process);
			} else if (!(dead[i] >> TRAP_PID_BITS)) {
				trap_orphan_reap(p, (pid_t)dead[i]);
			}
		}
	}
	return NULL;
}

int trap_reaper_start(struct trap_platform *p)
{
	return host_thread_start("reaper", reaper, p);
}
