/* SPDX-License-Identifier: Apache-2.0 */
/* Who may change mounts, and which. */
#pragma once

#include "sentry/abi/capability.h"
#include "sentry/syscalls/file_call.h"

static inline MUST_CHECK bool may_mount(const struct task *t)
{
	return credentials_ns_capable(t->cred, t->namespaces->mount->user_ns, LINUX_CAP_SYS_ADMIN);
}

static inline MUST_CHECK bool is_ours(const struct task *t, const struct path *p)
{
	return path_is_in_namespace(p, t->namespaces->mount);
}

/* As call_lookup with AT_* flags; an empty name may stand for the descriptor, but not a null pointer. */
static inline MUST_CHECK int call_lookup_named(struct task *t, int dirfd, guest_addr_t name, uint32_t at_flags,
					       struct path *out)
{
	return guest_is_null(name) ? -EFAULT :
				     call_lookup(t, dirfd, name, call_lookup_flags((int)at_flags), out);
}
