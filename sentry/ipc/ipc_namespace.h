/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPC namespaces and what their System V objects have in common: a table of ids, keys,
 * owners and permissions.
 *
 * Lock: ns->lock (LOCK_RANK_IPC) guards the tables and every object's fields.  No
 * guest memory access and no sleep under it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/ipc.h"
#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct credentials;
struct kernel;
struct super_block;
struct task;
struct user_namespace;

/* First in every System V object; ids are kernel ids. */
struct ALIGNED(8) ipc_object {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	int32_t id;
};

struct ipc_ids {
	struct ipc_object **slots;
	uint32_t capacity, count, max; /* max: how many there may be */
	int32_t last_index, highest;   /* highest index in use, -1: none */
	uint32_t seq;
};

/* /proc/sys/fs/mqueue */
struct mqueue_limits {
	uint32_t queues_max, msg_max, msgsize_max, msg_default, msgsize_default;
};

struct ipc_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* reference */
	uint64_t number;		/* does not change */
	struct namespace_count count;
	struct mutex lock;		/* LOCK_RANK_IPC */
	struct ipc_ids shm, sem, msg;	/* protected by lock */
	uint64_t shm_pages, sem_total;	/* protected by lock */
	uint64_t msg_count, msg_bytes;	/* in all queues; protected by lock */
	struct list_node undos;		/* struct sem_undo; protected by lock */
	struct mqueue_limits mqueue_limits; /* protected by lock */
	uint32_t mqueue_count;		/* POSIX message queues; protected by lock */
	struct super_block *mqueue;	/* reference or NULL: their file system; protected by lock */
};

int ipc_namespace_new(struct user_namespace *user_ns, struct ipc_namespace **out) MUST_CHECK;
struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns);
void ipc_namespace_put(struct ipc_namespace *ns);
/* The calling task's; borrowed. */
struct ipc_namespace *ipc_namespace_of(struct task *t);

/* Once, at boot: who is told that a namespace whose file system @mqueue is goes, and puts it. */
void ipc_namespace_on_end(void (*fn)(struct super_block *mqueue));

/* At boot, after kernel_new: the root namespace, namespace operations, the exit hook. */
int ipc_init(struct kernel *kernel) MUST_CHECK;

/* --- objects; ns->lock held ---------------------------------------------------------- */

/* Gives @o an id.  -ENOSPC, -ENOMEM. */
int ipc_ids_add(struct ipc_ids *ids, struct ipc_object *o) MUST_CHECK;
void ipc_ids_remove(struct ipc_ids *ids, struct ipc_object *o);
struct ipc_object *ipc_ids_find(const struct ipc_ids *ids, int32_t id);
struct ipc_object *ipc_ids_find_key(const struct ipc_ids *ids, int32_t key);
/* By index, for *_STAT. */
struct ipc_object *ipc_ids_at(const struct ipc_ids *ids, int32_t index);
int32_t ipc_id_index(int32_t id);

/* Owner and mode of a new object. */
void ipc_object_init(struct ipc_object *o, int32_t key, uint32_t mode, const struct credentials *cred);
/* @wanted: permission bits as in a mode (any class's).  -EACCES. */
int ipc_object_permission(const struct ipc_namespace *ns, const struct ipc_object *o, uint32_t wanted,
			  const struct credentials *cred) MUST_CHECK;
/* For IPC_SET and IPC_RMID.  -EPERM. */
int ipc_object_owner(const struct ipc_namespace *ns, const struct ipc_object *o,
		     const struct credentials *cred) MUST_CHECK;
/* IPC_SET: -EINVAL when an id has no mapping. */
int ipc_object_set(struct ipc_object *o, const struct linux_ipc64_perm *perm,
		   const struct credentials *cred) MUST_CHECK;
void ipc_object_show(const struct ipc_object *o, const struct credentials *cred,
		     struct linux_ipc64_perm *out);
