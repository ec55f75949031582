/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces by kind: one name for whatever a file of /proc/PID/ns or a CLONE_NEW* flag means. */
#pragma once

#include <stdint.h>

#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/lock.h"
#include "util/refcount.h"

struct credentials;
struct namespaces;
struct task;
struct user_namespace;

/* What the layers above register for the namespaces that they own. */
struct namespace_ops {
	void (*get)(void *ns);
	void (*put)(void *ns);
	/* CLONE_NEW*: a fresh one, counted for @kuid.  NULL: cannot (-EINVAL). */
	int (*create)(struct user_namespace *user_ns, uint32_t kuid, void **out);
	struct user_namespace *(*owner)(void *ns); /* borrowed */
	uint64_t (*number)(void *ns);
	void (*leave)(struct task *t); /* before the calling task goes to another; or NULL */
};

/* NULL leaves the one there is.  Static storage; at boot. */
void namespaces_register(const struct namespace_ops *net, const struct namespace_ops *ipc);
extern const struct namespace_ops *namespace_net_ops, *namespace_ipc_ops;

/* A namespace and its kind; `ns` NULL: none. */
struct namespace_ref {
	enum namespace_kind kind;
	void *ns;
};

struct namespace_ref namespace_ref_get(struct namespace_ref ref);
void namespace_ref_put(struct namespace_ref ref);
/* Who owns it (of a user namespace: its parent, NULL for the root); borrowed. */
struct user_namespace *namespace_ref_owner(struct namespace_ref ref);
uint64_t namespace_ref_number(struct namespace_ref ref);
/* LINUX_CLONE_NEW*. */
uint64_t namespace_kind_flag(enum namespace_kind kind);
/* A reference on the one of @t, of @for_children for those of pid and time; ns NULL when
 * the task has exited or it does not exist yet. */
struct namespace_ref task_namespace_get(struct task *t, enum namespace_kind kind,
					bool for_children) MUST_CHECK;

/* --- cgroup ----------------------------------------------------------------------- */

/* There is one group, so all of them have the same root. */
struct cgroup_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* reference */
	uint64_t number;
	struct namespace_count count;
};

/* @kuid ID_INVALID: the first one, not counted. */
int cgroup_namespace_new(struct user_namespace *user_ns, uint32_t kuid,
			 struct cgroup_namespace **out) MUST_CHECK;
struct cgroup_namespace *cgroup_namespace_get(struct cgroup_namespace *ns);
void cgroup_namespace_put(struct cgroup_namespace *ns);

/* --- setns ------------------------------------------------------------------------- */

/* Moves the calling task to the @count namespaces, in the order of Linux: all or none. */
int namespaces_join(struct task *t, const struct namespace_ref *refs, unsigned count) MUST_CHECK;
