/* SPDX-License-Identifier: Apache-2.0 */
/* System V shared memory segments.  All functions take the calling task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/ipc.h"
#include "util/compiler.h"

struct ipc_namespace;
struct mappable;
struct shm_segment;
struct task;

/* shmget(2): the id, or an error. */
int shm_get(struct task *t, int32_t key, uint64_t size, int flags) MUST_CHECK;
/*
 * shmat's first half: a reference (ops->put) on what to map, read-only as the flags say,
 * the size, and the protection.
 */
int shm_attach(struct task *t, int32_t id, int flags, struct mappable **out, uint64_t *size,
	       int *prot) MUST_CHECK;
/* The segment's size if @m is one, else 0; notes the detach. */
uint64_t shm_detach(struct task *t, const struct mappable *m);
uint64_t shm_mapped_size(const struct mappable *m);
/* Whether both are mappings of one segment. */
bool shm_same_segment(const struct mappable *a, const struct mappable *b);

int shm_remove(struct task *t, int32_t id) MUST_CHECK;
int shm_set(struct task *t, int32_t id, const struct linux_shmid64_ds *ds) MUST_CHECK;
/* IPC_STAT, SHM_STAT (@id is an index), SHM_STAT_ANY; returns 0 or the id. */
int shm_stat(struct task *t, int32_t id, int cmd, struct linux_shmid64_ds *out) MUST_CHECK;
/* SHM_LOCK, SHM_UNLOCK. */
int shm_set_locked(struct task *t, int32_t id, bool locked) MUST_CHECK;
/* IPC_INFO, SHM_INFO: the highest index in use. */
int shm_info(struct task *t, struct linux_shm_info *out);
/* What is in memory of it, in bytes; 0 also for one that is gone. */
uint64_t shm_resident(struct task *t, int32_t id);

void shm_namespace_clear(struct ipc_namespace *ns);
