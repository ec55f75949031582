/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks for the namespaces that other layers own. */
#pragma once

#include "util/compiler.h"

struct user_namespace;

struct namespace_ops {
	void (*get)(void *ns);
	void (*put)(void *ns);
	/* CLONE_NEW*: a fresh one. NULL: cannot (-EINVAL). */
	int (*create)(struct user_namespace *user_ns, void **out);
};

/* NULL leaves the one there is.  Static storage; at boot. */
void namespaces_register(const struct namespace_ops *net, const struct namespace_ops *ipc);
