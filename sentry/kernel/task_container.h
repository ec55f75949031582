/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct task_container: the processes of one container of the sandbox.  Every thread group belongs to
 * one, from its birth: that of its parent, or the one it was started into from outside.  It is what a
 * cgroup is on the host: who is in it is paused, counted, limited and killed together, whatever PID
 * namespaces its members are in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/wait/wait.h"
#include "util/compiler.h"
#include "util/refcount.h"

struct kernel;

/* What it may use, as its cgroup on the host says; the sentry itself keeps to the number of tasks. */
struct container_limits {
	uint64_t memory_limit;	/* bytes; 0: none */
	uint64_t swap_limit;	/* memory + swap, bytes; 0: none */
	uint64_t cpu_shares;	/* 0: default */
	int64_t cpu_quota_us;	/* <= 0: none */
	uint64_t cpu_period_us; /* 0: default */
	uint64_t pids_limit;	/* 0: none */
};

struct task_container {
	struct refcount refs;
	struct kernel *kernel;		 /* these do not change */
	char *id;			 /* owned; NULL: it has no name */
	struct stub_family *stubs;	 /* owned, or NULL: the platform's first; while it can have processes */
	_Atomic bool paused;		 /* kernel_pause.h */
	struct mutex lock;		 /* LOCK_RANK_LEAF */
	struct container_limits limits;	 /* lock */
	_Atomic int64_t pids_limit;	 /* of limits; <= 0: none */
	_Atomic bool memory_limited;	 /* of limits */
	_Atomic int64_t task_count;	 /* with those that are dead and not reaped */
	struct wait_queue group_death;	 /* woken when a thread group has ended */
};

/* @id: copied, or NULL. */
int task_container_new(struct kernel *k, const char *id, const struct container_limits *limits,
		  struct task_container **out) MUST_CHECK;
struct task_container *task_container_get(struct task_container *c);
/* Nothing is started in it any more, and all its processes are dead. */
void task_container_close(struct task_container *c);
/* NULL is a no-op. */
void task_container_put(struct task_container *c);

/* That of the current task, or else the root one; borrowed. */
struct task_container *task_container_current(void);

struct container_limits task_container_limits(struct task_container *c);
void task_container_set_limits(struct task_container *c, const struct container_limits *limits);
/* Bytes; UINT64_MAX: none. */
uint64_t task_container_memory_limit(struct task_container *c);

/* One more task.  -EAGAIN: the limit. */
int task_container_charge(struct task_container *c) MUST_CHECK;
void task_container_uncharge(struct task_container *c);

/*
 * Ends every process (SIGKILL) and waits until all of them are dead, until @deadline (a time of
 * CLOCK_MONOTONIC, ns).  -EBUSY: some are not.  Nobody may start more from outside meanwhile.  No
 * lock held.
 */
int task_container_kill(struct task_container *c, uint64_t deadline) MUST_CHECK;
