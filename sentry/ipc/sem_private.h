/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of System V semaphores; all fields are guarded by ns->lock. */
#pragma once

#include "sentry/ipc/ipc_namespace.h"
#include "sentry/ipc/sem.h"
#include "sentry/wait/wait.h"

struct semaphore {
	int32_t value, pid;	     /* pid: who changed it last, in the caller's namespace then */
	uint32_t increase_waiters;   /* GETNCNT */
	uint32_t zero_waiters;	     /* GETZCNT */
};

struct sem_array {
	struct ipc_object object; /* first */
	struct refcount refs;	  /* the table and sleepers */
	struct wait_queue changed; /* woken outside ns->lock */
	bool removed;
	int64_t otime, ctime;
	uint32_t count;
	struct semaphore sems[];
};

/* What a thread group's exit adds back to one array. */
struct sem_undo {
	struct list_node node; /* in ns->undos */
	const void *owner;     /* the thread group; compared only */
	struct sem_array *array; /* borrowed: removal of the array removes this */
	int16_t adjust[];      /* array->count of them */
};

struct sem_array *sem_find_locked(struct ipc_namespace *ns, int32_t id);
void sem_array_put(struct sem_array *a);
/* Wakes everyone who waits for the array; no lock held.  Drops the caller's reference. */
void sem_array_wake_put(struct sem_array *a);
int64_t sem_now(void);
int32_t sem_caller_pid(struct task *t);

/* The caller's undo record for @a; made if absent.  NULL: no memory. */
struct sem_undo *sem_undo_get_locked(struct ipc_namespace *ns, struct task *t, struct sem_array *a);
void sem_undo_forget_locked(struct ipc_namespace *ns, struct sem_array *a);
/* SETVAL and SETALL clear every process's adjustments. */
void sem_undo_clear_locked(struct ipc_namespace *ns, struct sem_array *a, int32_t num);
