/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials and group lists: immutable once published, counted, so no locks.
 */
#include "sentry/cred/credentials.h"

#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/cred/user_namespace.h"

static int compare_gids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int group_list_new(const uint32_t *gids, uint32_t count, struct group_list **out)
{
	struct group_list *g;

	if (count > GROUPS_MAX)
		return -EINVAL;
	g = malloc(sizeof(*g) + count * sizeof(g->gids[0]));
	if (!g)
		return -ENOMEM;
	refcount_init(&g->refs);
	g->count = count;
	if (count) {
		memcpy(g->gids, gids, count * sizeof(g->gids[0]));
		qsort(g->gids, count, sizeof(g->gids[0]), compare_gids);
	}
	*out = g;
	return 0;
}

void group_list_put(struct group_list *g)
{
	if (g && refcount_put(&g->refs))
		free(g);
}

struct credentials *credentials_get(const struct credentials *cred)
{
	struct credentials *c = (struct credentials *)(uintptr_t)cred;

	refcount_get(&c->refs);
	return c;
}

void credentials_put(const struct credentials *cred)
{
	struct credentials *c = (struct credentials *)(uintptr_t)cred;

	if (!c || !refcount_put(&c->refs))
		return;
	group_list_put(c->groups);
	user_namespace_put(c->user_ns);
	free(c);
}

struct credentials *credentials_copy(const struct credentials *cred)
{
	struct credentials *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	/* All but the count in front, which others change meanwhile. */
	_Static_assert(offsetof(struct credentials, refs) == 0, "the count is in front");
	memcpy((char *)c + sizeof(c->refs), (const char *)cred + sizeof(c->refs),
	       sizeof(*c) - sizeof(c->refs));
	refcount_init(&c->refs);
	refcount_get(&c->groups->refs);
	user_namespace_get(c->user_ns);
	return c;
}

struct credentials *credentials_new_root(struct user_namespace *ns)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (!c || group_list_new(NULL, 0, &c->groups)) {
		free(c);
		return NULL;
	}
	refcount_init(&c->refs);
	c->permitted = c->effective = c->bounding = CAPABILITY_FULL_SET;
	c->user_ns = user_namespace_get(ns);
	c->uid = c->euid = c->suid = c->fsuid = uid_to_kernel(ns, 0);
	c->gid = c->egid = c->sgid = c->fsgid = gid_to_kernel(ns, 0);
	return c;
}

static _Thread_local _Atomic uint32_t *use_flags;

void credentials_note_use_in(_Atomic uint32_t *flags)
{
	use_flags = flags;
}

void credentials_note_use(void)
{
	if (use_flags && !(atomic_load_explicit(use_flags, memory_order_relaxed) & LINUX_PF_SUPERPRIV))
		atomic_fetch_or(use_flags, LINUX_PF_SUPERPRIV);
}

static bool use(bool capable)
{
	if (capable)
		credentials_note_use();
	return capable;
}

bool credentials_has_capability(const struct credentials *cred, int capability)
{
	return cred->effective & CAPABILITY_BIT(capability);
}

bool credentials_capable(const struct credentials *cred, int capability)
{
	return use(credentials_has_capability(cred, capability));
}

bool credentials_ns_has_capability(const struct credentials *cred, struct user_namespace *ns,
				   int capability)
{
	for (;;) {
		if (ns == cred->user_ns)
			return credentials_has_capability(cred, capability);
		/* Not a descendant of cred's namespace: no chance. */
		if (ns->level <= cred->user_ns->level)
			return false;
		/* The owner, in the parent namespace, has every capability in it. */
		if (ns->parent == cred->user_ns && ns->owner_uid == cred->euid)
			return true;
		ns = ns->parent;
	}
}

bool credentials_ns_capable(const struct credentials *cred, struct user_namespace *ns,
			    int capability)
{
	return use(credentials_ns_has_capability(cred, ns, capability));
}

bool credentials_in_group(const struct credentials *cred, uint32_t kgid)
{
	const struct group_list *g = cred->groups;

	if (kgid == cred->fsgid)
		return true;
	return g->count && bsearch(&kgid, g->gids, g->count, sizeof(kgid), compare_gids);
}

bool credentials_group_between(const struct credentials *cred, uint32_t first, uint32_t last)
{
	const struct group_list *g = cred->groups;

	if (cred->egid >= first && cred->egid <= last)
		return true;
	for (uint32_t i = 0; i < g->count; i++) {
		if (g->gids[i] >= first && g->gids[i] <= last)
			return true;
	}
	return false;
}

int credentials_enter_user_namespace(const struct credentials *cred, struct user_namespace *ns,
				     struct credentials **out)
{
	struct credentials *c = credentials_copy(cred);

	if (!c)
		return -ENOMEM;
	user_namespace_put(c->user_ns);
	c->user_ns = user_namespace_get(ns);
	c->securebits = 0;
	c->permitted = c->effective = c->bounding = CAPABILITY_FULL_SET;
	c->inheritable = c->ambient = 0;
	*out = c;
	return 0;
}

bool credentials_root_has_capability(const struct credentials *cred, int capability)
{
	return !cred->user_ns->parent && credentials_has_capability(cred, capability);
}

bool credentials_root_capable(const struct credentials *cred, int capability)
{
	return use(credentials_root_has_capability(cred, capability));
}

/* The creator must be somebody in its own namespace. */
static bool mapped(const struct credentials *cred)
{
	return (cred->euid == ID_OVERFLOW ||
		uid_from_kernel(cred->user_ns, cred->euid) != ID_OVERFLOW) &&
	       (cred->egid == ID_OVERFLOW ||
		gid_from_kernel(cred->user_ns, cred->egid) != ID_OVERFLOW);
}

int credentials_new_user_namespace(const struct credentials *cred, struct credentials **out,
				   struct user_namespace **ns)
{
	struct user_namespace *made;
	int rc = user_namespace_new(cred->user_ns, cred->euid, cred->egid, &made);

	if (rc)
		return rc;
	rc = mapped(cred) ? credentials_enter_user_namespace(cred, made, out) : -EPERM;
	/* *out holds it. */
	user_namespace_put(made);
	if (!rc)
		*ns = made;
	return rc;
}
