/* SPDX-License-Identifier: Apache-2.0 */
/* System V message queues.  All functions take the calling task. */
#pragma once

#include <stdint.h>

#include "sentry/abi/ipc.h"
#include "util/compiler.h"
#include "util/list.h"

struct ipc_namespace;
struct task;

struct ipc_message {
	struct list_node node; /* in the queue */
	int64_t type;
	uint64_t size;
	char text[];
};

/* With room for @size bytes; free() it.  NULL: no memory. */
struct ipc_message *ipc_message_new(int64_t type, uint64_t size) MUST_CHECK;

/* msgget(2): the id, or an error. */
int msg_get(struct task *t, int32_t key, int flags) MUST_CHECK;
/* msgsnd(2); takes @m over unless it fails.  May sleep: -EINTR. */
int msg_send(struct task *t, int32_t id, struct ipc_message *m, int flags) MUST_CHECK;
/* msgrcv(2): a message for the caller to free().  May sleep: -EINTR. */
int msg_receive(struct task *t, int32_t id, uint64_t size, int64_t type, int flags,
		struct ipc_message **out) MUST_CHECK;

int msg_remove(struct task *t, int32_t id) MUST_CHECK;
int msg_set(struct task *t, int32_t id, const struct linux_msqid64_ds *ds) MUST_CHECK;
/* IPC_STAT, MSG_STAT (@id is an index), MSG_STAT_ANY; returns 0 or the id. */
int msg_stat(struct task *t, int32_t id, int cmd, struct linux_msqid64_ds *out) MUST_CHECK;
/* IPC_INFO, MSG_INFO: the highest index in use. */
int msg_info(struct task *t, int cmd, struct linux_msginfo *out);

void msg_namespace_clear(struct ipc_namespace *ns);
