/* SPDX-License-Identifier: Apache-2.0 */
/* From the end of a task to its disappearance; see task_reap.c. */
#pragma once

#include "sentry/kernel/task_internal.h"

/*
 * What was released under tasklist and is put after it: groups linked by all_node,
 * threads by thread_node.
 */
struct graveyard {
	struct list_node groups, threads;
};
void graveyard_init(struct graveyard *y);
void graveyard_empty(struct graveyard *y);

/* The last act of an exiting task: it becomes a zombie, or vanishes. */
void task_exit_notify(struct task *t);
/* SIGKILL to every group of @ns and below except @except (may be NULL). */
void kernel_kill_namespace(struct kernel *k, struct pid_namespace *ns, struct thread_group *except);
/* Releases the children of @g that are zombies already. */
void reap_zombie_children(struct thread_group *g);
/* A zombie whose last other thread is gone, too: it can be waited for; tasklist held. */
bool thread_group_reapable_locked(const struct thread_group *g);
/* wait4's part: tasklist held, @g reapable: its usage goes to the parent, it is released. */
void thread_group_collect_locked(struct thread_group *g, struct thread_group *parent,
				 struct graveyard *y);
/* The tracer of the dead @t has seen it, or is dead itself: the parent's turn.  tasklist held,
 * @t not traced any more. */
void zombie_untraced_locked(struct task *t, struct graveyard *y);
/* The tracees of the exiting @t go on, or are reaped, without it.  Takes the tasklist. */
void task_release_tracees(struct task *t);
/* wait status of a zombie; tasklist held. */
int thread_group_status_locked(struct thread_group *g);

/* The group is seen with @pages in memory; the most it was seen with.  Takes the tasklist. */
uint64_t thread_group_note_rss(struct thread_group *g, uint64_t pages);

/* Called for each exiting task while it still has fds and fs, without locks. */
struct task_exit_hook {
	void (*fn)(struct task *t, bool group_dead);
};
/* Static storage, at boot; at most a handful. */
void task_exit_hook_register(const struct task_exit_hook *hook);
void task_run_exit_hooks(struct task *t, bool group_dead);
/* De-threading: removes the dead old leader and lets @t be the leader; see task_exec.c. */
struct task *thread_group_replace_leader(struct task *t) MUST_CHECK;
