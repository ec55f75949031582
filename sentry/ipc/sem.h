/* SPDX-License-Identifier: Apache-2.0 */
/* System V semaphore arrays.  All functions take the calling task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/ipc.h"
#include "util/compiler.h"

struct ipc_namespace;
struct task;

/* semget(2): the id, or an error. */
int sem_get(struct task *t, int32_t key, int32_t count, int flags) MUST_CHECK;
/*
 * semop(2) with @count (1 to LINUX_SEMOPM) operations; @deadline as for wait_sleep.
 * May sleep.  -EAGAIN, -EIDRM, -EINTR, -ERANGE, -EFBIG, -EACCES, -EINVAL, -ENOMEM.
 */
int sem_operate(struct task *t, int32_t id, const struct linux_sembuf *ops, uint32_t count,
		uint64_t deadline) MUST_CHECK;

/* GETVAL, GETPID, GETNCNT, GETZCNT: the value. */
int sem_query(struct task *t, int32_t id, int32_t num, int cmd) MUST_CHECK;
int sem_set_value(struct task *t, int32_t id, int32_t num, int32_t value) MUST_CHECK;
/* How many semaphores; checks @wanted permission bits. */
int sem_count(struct task *t, int32_t id, uint32_t wanted) MUST_CHECK;
/* @count values; -EIDRM when the array is another one by now. */
int sem_get_all(struct task *t, int32_t id, uint16_t *values, uint32_t count) MUST_CHECK;
int sem_set_all(struct task *t, int32_t id, const uint16_t *values, uint32_t count) MUST_CHECK;
int sem_remove(struct task *t, int32_t id) MUST_CHECK;
int sem_set(struct task *t, int32_t id, const struct linux_semid64_ds *ds) MUST_CHECK;
/* IPC_STAT, SEM_STAT (@id is an index), SEM_STAT_ANY; returns 0 or the id. */
int sem_stat(struct task *t, int32_t id, int cmd, struct linux_semid64_ds *out) MUST_CHECK;
/* IPC_INFO, SEM_INFO: the highest index in use. */
int sem_info(struct task *t, int cmd, struct linux_seminfo *out);

/* Exit hook: SEM_UNDO of a dead thread group. */
void sem_task_exit(struct task *t, bool group_dead);
void sem_namespace_clear(struct ipc_namespace *ns);
