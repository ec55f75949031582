/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep: host processes that stand for nobody (design rule 3).
 *
 * A forked child has no process here until its hello.  One that a hostile guest keeps
 * from saying it, or whose ticket was withdrawn meanwhile, is out of reach of its
 * task's death.  When a ticket is lost the sweeper looks at all children of the
 * sentry and ends those that no ticket can account for:
 *
 *   - known to the thread table: a process like any other;
 *   - named by the parent of a ticket that still stands: its owner lives, and may be
 *     late.  A parent that names another one harms its own child only;
 *   - while the order of some ticket is under way, not yet named: any child may be its.
 *     Such a suspect is looked at again, and ends before that only when it did what no
 *     child does before its hello: compute for a second, or sleep in another call.
 *
 * A child's state says which it is, never the time it took.  The sweeper sleeps until a
 * ticket is lost; then a pass costs one listing of the procfs.
 *
 * The condemned are killed and reaped by the reaper.  Until then their hello is refused.
 * lookup_lock makes "unknown, hence condemned" and "said hello, hence known" exclude
 * each other; the list of orphans is under platform->lock.
 *
 * Pids come again.  One is looked at only as long as nothing was reaped meanwhile: what exists then
 * is the same process from the first look to the kill, and the tickets are read in between.
 */
#include "sentry/platform/trap/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/host/host_children.h"
#include "sentry/host/host_clock.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_process.h"
#include "sentry/host/host_procfs.h"
#include "sentry/host/host_thread.h"
#include "util/log.h"

#define SUSPECTS_MAX 256
#define JUDGE_TURNS 100
#define LOOK_AGAIN_NS 1000000000ULL
#define HONEST_USER_NS 1000000000ULL /* for the ten instructions before a hello */

struct orphan {
	struct list_node node;
	pid_t pid;
	int pidfd;
};

/* What the tickets say of a child that exists. */
struct tickets {
	bool named;	 /* one of them is its own */
	bool unnamed;	 /* one of them may be */
	uint64_t issued; /* the number of the last one */
};

struct suspects {
	pid_t pids[SUSPECTS_MAX];
	size_t count;
	bool more; /* than there is room for: list again */
};

void trap_sweep_request(struct trap_platform *p)
{
	atomic_fetch_add(&p->sweep_event, 1);
	host_futex_wake(&p->sweep_event, 1);
}

/* --- tickets ----------------------------------------------------------------------- */

/* lookup_lock: a ticket whose hello is being taken stands in the list or in the table. */
static struct tickets read_tickets(struct trap_platform *p, pid_t pid)
{
	struct tickets found = { 0 };
	const struct trap_thread *t;

	mutex_lock(&p->lookup_lock);
	mutex_lock(&p->lock);
	found.issued = p->tickets_issued;
	list_for_each(t, &p->unborn, ticket_node) {
		if (t->process)
			continue; /* a thread's */
		if (t->claimed == pid)
			found.named = true;
		else if (!t->claimed)
			found.unnamed = true;
	}
	mutex_unlock(&p->lock);
	mutex_unlock(&p->lookup_lock);
	return found;
}

/* --- the condemned ------------------------------------------------------------------- */

static struct orphan *find_orphan_locked(struct trap_platform *p, pid_t pid)
{
	struct orphan *o;

	list_for_each(o, &p->orphans, node)
		if (o->pid == pid)
			return o;
	return NULL;
}

bool trap_orphan_known(struct trap_platform *p, pid_t pid)
{
	bool known;

	mutex_lock(&p->lock);
	known = find_orphan_locked(p, pid) != NULL;
	mutex_unlock(&p->lock);
	return known;
}

/* lookup_lock held. */
static bool is_registered(struct trap_platform *p, pid_t pid)
{
	const struct trap_thread *t = tid_table_find(p, pid);

	return t && t->process && !atomic_load(&t->process->dead);
}

static bool registered(struct trap_platform *p, pid_t pid)
{
	bool yes;

	mutex_lock(&p->lookup_lock);
	yes = is_registered(p, pid);
	mutex_unlock(&p->lookup_lock);
	return yes;
}

/* Kills it, once; false: it is known by now, or condemned already, or may be another one by now. */
static bool kill_orphan(struct trap_platform *p, struct orphan *o, uint64_t reaped)
{
	bool mine;

	mutex_lock(&p->lookup_lock);
	mutex_lock(&p->lock);
	mine = !is_registered(p, o->pid) && !find_orphan_locked(p, o->pid) &&
	       atomic_load(&p->reaped) == reaped;
	if (mine) {
		list_add_tail(&p->orphans, &o->node);
		host_process_kill(o->pid);
	}
	mutex_unlock(&p->lock);
	mutex_unlock(&p->lookup_lock);
	return mine;
}

/* Takes @pidfd. */
static bool condemn(struct trap_platform *p, const struct tickets *tickets, pid_t pid, int pidfd,
		    uint64_t reaped)
{
	struct orphan *o = calloc(1, sizeof(*o));

	if (o) {
		o->pid = pid;
		o->pidfd = pidfd;
		if (kill_orphan(p, o, reaped)) {
			log_debug("stub %d, which said no hello, is ended", pid);
			/* An order that is still under way may name it later. */
			trap_unborn_lost(p, pid, tickets->unnamed ? tickets->issued : 0);
			if (host_death_set_add(p->deaths, pidfd, (uint64_t)pid) < 0)
				trap_orphan_reap(p, pid);
			return true;
		}
		free(o);
	}
	close(pidfd);
	return false;
}

void trap_orphan_reap(struct trap_platform *p, pid_t pid)
{
	struct orphan *o;
	int status;

	mutex_lock(&p->lock);
	o = find_orphan_locked(p, pid);
	mutex_unlock(&p->lock);
	if (!o)
		return;
	atomic_fetch_add(&p->reaped, 1);
	if (host_process_reap(pid, &status, NULL) < 0)
		log_warning("reap of orphan %d failed", pid);
	host_death_set_remove(p->deaths, o->pidfd);
	mutex_lock(&p->lock);
	list_remove(&o->node);
	mutex_unlock(&p->lock);
	close(o->pidfd);
	free(o);
}

/* --- the pass -------------------------------------------------------------------------- */

/* What no child does before it says hello. */
static bool is_guilty(pid_t pid)
{
	int64_t call = host_child_sleeps_in(pid);
	struct host_usage usage;

	if (call >= 0 && call != STUB_NR_HELLO && call != __NR_clone)
		return true;
	host_procfs_usage(pid, 0, &usage);
	return usage.user_ns >= HONEST_USER_NS;
}

static void suspect(struct suspects *suspects, pid_t pid)
{
	if (suspects->count < SUSPECTS_MAX)
		suspects->pids[suspects->count++] = pid;
	else
		suspects->more = true;
}

/* false: something was reaped meanwhile, so perhaps another process has the pid. */
static bool judge_once(struct trap_platform *p, pid_t pid, struct suspects *suspects)
{
	uint64_t reaped = atomic_load(&p->reaped);
	struct tickets tickets;
	int pidfd;

	if (registered(p, pid) || trap_orphan_known(p, pid))
		return true;
	/* After the count, before the tickets: what is judged exists now. */
	pidfd = host_pidfd_open(pid);
	if (pidfd == -ESRCH)
		return true;
	if (pidfd < 0) {
		suspect(suspects, pid);
		return true;
	}
	tickets = read_tickets(p, pid);
	if (!tickets.named && (!tickets.unnamed || is_guilty(pid)))
		return condemn(p, &tickets, pid, pidfd, reaped) || atomic_load(&p->reaped) == reaped;
	close(pidfd);
	if (!tickets.named)
		suspect(suspects, pid);
	return true;
}

static void judge(struct trap_platform *p, pid_t pid, struct suspects *suspects)
{
	for (int turn = 0; turn < JUDGE_TURNS; turn++)
		if (judge_once(p, pid, suspects))
			return;
	suspect(suspects, pid);
}

static void judge_all(struct trap_platform *p, const pid_t *pids, size_t count,
		      struct suspects *suspects)
{
	*suspects = (struct suspects){ 0 };
	for (size_t i = 0; i < count; i++)
		judge(p, pids[i], suspects);
}

static void sweep_children(struct trap_platform *p, struct suspects *suspects)
{
	size_t count = 0;
	pid_t *pids = NULL;
	int rc = host_children_list(&pids, &count);

	if (rc < 0) {
		log_warning("list of stubs: error %d", -rc);
		suspects->more = true;
		return;
	}
	judge_all(p, pids, count, suspects);
	free(pids);
}

static void sweep_suspects(struct trap_platform *p, struct suspects *suspects)
{
	struct suspects before = *suspects;

	judge_all(p, before.pids, before.count, suspects);
}

static void *sweeper(void *arg)
{
	struct trap_platform *p = arg;
	struct suspects suspects = { .count = 0 };
	uint32_t seen = 0;

	for (;;) {
		bool doubt = suspects.count || suspects.more;
		uint32_t event = atomic_load(&p->sweep_event);

		if (event == seen) {
			uint64_t deadline = doubt ? host_monotonic_ns() + LOOK_AGAIN_NS
						  : HOST_FUTEX_FOREVER;

			if (host_futex_wait(&p->sweep_event, event, deadline, false) == 0)
				continue;
		}
		if (event != seen || suspects.more)
			sweep_children(p, &suspects);
		else
			sweep_suspects(p, &suspects);
		seen = event;
	}
	return NULL;
}

int trap_sweep_start(struct trap_platform *p)
{
	return host_thread_start("sweeper", sweeper, p);
}
