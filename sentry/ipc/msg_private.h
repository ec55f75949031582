/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of System V message queues; all fields are guarded by ns->lock. */
#pragma once

#include "sentry/ipc/ipc_namespace.h"
#include "sentry/ipc/msg.h"
#include "sentry/wait/wait.h"

struct msg_queue {
	struct ipc_object object;  /* first */
	struct refcount refs;	   /* the table and sleepers */
	struct wait_queue changed; /* woken outside ns->lock */
	bool removed;
	int64_t stime, rtime, ctime;
	int32_t lspid, lrpid;
	uint64_t bytes, count, limit; /* limit: qbytes */
	struct list_node messages;
};

struct msg_queue *msg_find_locked(struct ipc_namespace *ns, int32_t id);
void msg_queue_put(struct msg_queue *q);
/* Wakes everyone who waits for the queue; no lock held.  Drops the caller's reference. */
void msg_queue_wake_put(struct msg_queue *q);
int64_t msg_now(void);
