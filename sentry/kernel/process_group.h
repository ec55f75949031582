/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process groups and sessions.  Everything here is guarded by tasklist, which
 * the callers of *_locked hold; references are counted.
 */
#pragma once

#include "sentry/kernel/pid.h"

struct session {
	struct refcount refs;
	struct pid *pid;	     /* reference; does not change */
	struct thread_group *leader; /* borrowed; NULL once it is dead; tasklist */
};

struct process_group {
	struct refcount refs;
	struct pid *pid;	   /* reference; does not change */
	struct session *session;   /* reference; does not change */
	struct list_node members;  /* thread groups; tasklist */
};

/* A session and a process group of it, both named by @g's pid.  @g must not be in
 * one.  Allocates both before it changes anything: -ENOMEM. */
int session_new_locked(struct pid *pid, struct thread_group *leader, struct process_group **out) MUST_CHECK;
int process_group_new_locked(struct pid *pid, struct session *session,
			     struct process_group **out) MUST_CHECK;
struct process_group *process_group_get(struct process_group *pg);
/* The last put forgets the pid's number: tasklist is held. */
void process_group_put_locked(struct process_group *pg);
void session_put_locked(struct session *s);
/* Moves @g (NULL @pg: leaves). Takes a reference on @pg. */
void process_group_join_locked(struct thread_group *g, struct process_group *pg);
/*
 * No member's parent is in another group of the same session.  @ignoring: a
 * group about to die, which counts neither as member nor as parent.
 */
bool process_group_orphaned_locked(struct process_group *pg, struct thread_group *ignoring);
bool process_group_has_stopped_locked(struct process_group *pg);
/* To every member, without permission checks.  Takes tasklist. */
void process_group_signal(struct kernel *k, struct process_group *pg, int signo);
/* The same with tasklist held. */
void process_group_signal_locked(struct process_group *pg, int signo);
