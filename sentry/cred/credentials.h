/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials and user namespaces, below the VFS so that permission checks need
 * no task.  A struct credentials never changes once published; a task changes
 * its credentials by installing a new copy.  Ids inside are *kernel* ids (of
 * the sandbox's root user namespace); they are translated at the edges.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/lock.h"
#include "util/refcount.h"

#define ID_INVALID UINT32_MAX
#define ID_OVERFLOW 65534U
#define CAPABILITY_LAST 40
#define CAPABILITY_FULL_SET ((1ULL << (CAPABILITY_LAST + 1)) - 1)
#define CAPABILITY_BIT(cap) (1ULL << (cap))
#define GROUPS_MAX 65536

struct id_map_extent {
	uint32_t inside, outside, count;
};

#define ID_MAP_EXTENTS_MAX 340

struct user_namespace {
	struct refcount refs;
	struct user_namespace *parent; /* reference; NULL for the root; does not change */
	uint32_t level;		       /* root: 0 */
	uint32_t owner_uid, owner_gid; /* kernel ids of the creator; do not change */
	struct mutex lock;	       /* LOCK_RANK_CREDENTIALS */
	/* written once, protected by lock until then; NULL count 0: not yet mapped */
	struct id_map_extent *uid_map, *gid_map, *projid_map; /* outside = kernel ids */
	unsigned uid_map_count, gid_map_count, projid_map_count;
	bool setgroups_allowed;	       /* protected by lock */
	uint64_t ino;		       /* for nsfs */
	_Atomic int64_t namespace_limits[NAMESPACE_KIND_COUNT];
	struct namespace_count count;  /* against the parent's */
};

struct group_list {
	struct refcount refs;
	uint32_t count;
	uint32_t gids[]; /* sorted, kernel ids */
};

struct credentials {
	struct refcount refs;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	struct group_list *groups;	/* reference */
	uint64_t permitted, effective, inheritable, bounding, ambient;
	uint32_t securebits;
	bool no_new_privs;
	struct user_namespace *user_ns; /* reference */
};

struct user_namespace *user_namespace_get(struct user_namespace *ns);
void user_namespace_put(struct user_namespace *ns);
/* The sandbox's root namespace: identity map. */
int user_namespace_new_root(struct user_namespace **out) MUST_CHECK;
/* Kernel id for @id as seen in @ns, ID_INVALID when unmapped; and back (overflow id when unmapped). */
uint32_t uid_to_kernel(struct user_namespace *ns, uint32_t uid);
uint32_t gid_to_kernel(struct user_namespace *ns, uint32_t gid);
uint32_t uid_from_kernel(struct user_namespace *ns, uint32_t kuid);
uint32_t gid_from_kernel(struct user_namespace *ns, uint32_t kgid);

struct credentials *credentials_get(const struct credentials *cred);
void credentials_put(const struct credentials *cred);
/* A private copy to change before publishing; -ENOMEM as NULL. */
struct credentials *credentials_copy(const struct credentials *cred) MUST_CHECK;
/* Root with every capability, in @ns, which has a name for it. */
struct credentials *credentials_new_root(struct user_namespace *ns) MUST_CHECK;

bool credentials_capable(const struct credentials *cred, int capability); /* in cred->user_ns */
/* Linux's capable(): in the sandbox's root namespace. */
bool credentials_root_capable(const struct credentials *cred, int capability);
/* Linux's ns_capable: @ns is cred's namespace or a descendant of it (owner rule included). */
bool credentials_ns_capable(const struct credentials *cred, struct user_namespace *ns, int capability);
/* The same, without using it: that shows nowhere. */
bool credentials_has_capability(const struct credentials *cred, int capability);
bool credentials_root_has_capability(const struct credentials *cred, int capability);
bool credentials_ns_has_capability(const struct credentials *cred, struct user_namespace *ns,
				   int capability);
/* @flags (may be NULL) gets LINUX_PF_SUPERPRIV when the calling thread uses a capability from now on. */
void credentials_note_use_in(_Atomic uint32_t *flags);
/* A capability was used, of which the caller knew that it is there. */
void credentials_note_use(void);
bool credentials_in_group(const struct credentials *cred, uint32_t kgid);
/* Is the effective or a supplementary group of @first to @last (kernel ids)? */
bool credentials_group_between(const struct credentials *cred, uint32_t first, uint32_t last);

int group_list_new(const uint32_t *gids, uint32_t count, struct group_list **out) MUST_CHECK;
void group_list_put(struct group_list *g);
