/* SPDX-License-Identifier: Apache-2.0 */
/* Making and mapping user namespaces; the rest is in credentials.h. */
#pragma once

#include "sentry/cred/credentials.h"

#define USER_NAMESPACE_LEVEL_MAX 32

enum id_map_kind { ID_MAP_UID, ID_MAP_GID, ID_MAP_PROJID };

/* Unmapped.  -ENOSPC when nested too deeply. */
int user_namespace_new(struct user_namespace *parent, uint32_t owner_uid, uint32_t owner_gid,
		       struct user_namespace **out) MUST_CHECK;
bool user_namespace_is_descendant(const struct user_namespace *ns,
				  const struct user_namespace *ancestor);
/*
 * Writes the map, once: `outside` of @extents are ids of the parent namespace.
 * -EINVAL, -EPERM (already written, or not mapped in the parent), -ENOMEM.
 * Who may do it is the caller's check.
 */
int user_namespace_set_map(struct user_namespace *ns, enum id_map_kind kind,
			   const struct id_map_extent *extents, unsigned count) MUST_CHECK;
/* The same between project ids, of which the root namespace has all. */
uint32_t projid_from_kernel(struct user_namespace *ns, uint32_t id);
/* setns: @cred with every capability in @ns, none outside.  -ENOMEM. */
int credentials_enter_user_namespace(const struct credentials *cred, struct user_namespace *ns,
				     struct credentials **out) MUST_CHECK;
/*
 * CLONE_NEWUSER: a new namespace owned by @cred, and @cred inside it: every
 * capability there, none outside.  *ns is borrowed from *out.  -EPERM (ids not mapped), -ENOSPC.
 */
int credentials_new_user_namespace(const struct credentials *cred, struct credentials **out,
				   struct user_namespace **ns) MUST_CHECK;
