/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct pid: one identity, with a number in its own pid namespace and in each
 * ancestor, used by a thread, a thread group, a process group and a session.
 * The numbers are free again when the last of these has let go.
 */
#pragma once

#include "sentry/kernel/pid_bitmap.h"
#include "sentry/kernel/task.h"
#include "util/hash_table.h"

struct pid_link {
	struct hash_node node;	 /* in the namespace's table; its lock */
	struct pid *pid;
	uint32_t level;
};

struct pid {
	struct refcount refs;
	struct task_pid id; /* does not change; holds the namespace */
	/* who uses it; tasklist */
	struct task *task;	    /* the thread */
	struct thread_group *group; /* of which it is the tgid */
	struct process_group *process_group;
	struct session *session;
	struct pid_link links[]; /* one a level */
};

struct pid_namespace {
	struct refcount refs;
	struct pid_namespace *parent; /* reference; does not change */
	struct user_namespace *user_ns; /* reference; does not change */
	uint32_t level;		      /* root: 0 */
	uint64_t ino;
	struct namespace_count count;
	struct mutex lock;	      /* LOCK_RANK_PID_NAMESPACE */
	struct pid_bitmap bitmap;     /* protected by lock */
	struct hash_table table;      /* pid_link by number; protected by lock */
	bool born;		      /* has or had an init; protected by lock */
	bool dead;		      /* init is exiting: no new tasks; protected by lock */
	struct thread_group *init;    /* borrowed; tasklist */
	uint32_t task_count;	      /* tasks with a number here; tasklist */
	struct wait_queue drain_wait; /* woken when task_count falls */
};

/*
 * Numbers in @ns and every ancestor.  @wanted: numbers for the innermost
 * @wanted_count levels (clone3's set_tid), innermost first, or NULL.
 * -EAGAIN full, -ENOMEM (also when the namespace is dead), -EEXIST, -EINVAL.
 */
int pid_alloc(struct pid_namespace *ns, const int32_t *wanted, uint32_t wanted_count,
	      struct pid **out) MUST_CHECK;
struct pid *pid_get(struct pid *p);
void pid_put(struct pid *p);
/* Borrowed while tasklist is held; NULL. */
struct pid *pid_find_locked(struct pid_namespace *ns, int32_t number);
/* The same for the first number >= @from. */
struct pid *pid_next_locked(struct pid_namespace *ns, int32_t from, int32_t *number);
/* The number in @ns, 0 when not visible. */
int32_t pid_number_in(const struct task_pid *id, const struct pid_namespace *ns);
void pid_namespace_mark_dead(struct pid_namespace *ns);
/* Whether @ns is @ancestor or below. */
bool pid_namespace_is_descendant(const struct pid_namespace *ns,
				 const struct pid_namespace *ancestor);
