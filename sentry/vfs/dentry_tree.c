/* SPDX-License-Identifier: Apache-2.0 */
/* Moves and ancestry in the dentry tree; the cache lock guards names and parents. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/dentry_private.h"

struct dentry *dentry_parent_get(struct dentry *d)
{
	struct dentry *parent;

	dentry_cache_lock();
	parent = dentry_get(d->parent);
	dentry_cache_unlock();
	return parent;
}

bool dentry_is_below(struct dentry *d, struct dentry *ancestor)
{
	bool below = false;

	dentry_cache_lock();
	for (;; d = d->parent) {
		below = d == ancestor;
		if (below || d->parent == d)
			break;
	}
	dentry_cache_unlock();
	return below;
}

struct new_name {
	char *name;
	struct dentry *parent;
};

/* Swaps @d's place for @to, and leaves the old one there.  Keeps it hashed or not, as it was. */
static void replace_place_locked(struct dentry *d, struct new_name *to, bool owned)
{
	struct dentry *old_parent = d->parent;
	char *old_name = d->name_owned ? d->name : NULL;
	bool hashed = d->hashed;

	if (hashed)
		dentry_unlink_locked(d);
	d->parent = to->parent;
	d->name = to->name;
	d->name_owned = owned;
	d->name_hash = dentry_name_hash(d->name, strlen(d->name));
	if (hashed)
		dentry_link_locked(d);
	to->parent = old_parent;
	to->name = old_name;
}

int dentry_move(struct dentry *d, struct dentry *parent, const char *name)
{
	struct new_name to = { .name = strdup(name) };

	if (!to.name)
		return -ENOMEM;
	to.parent = dentry_get(parent);
	dentry_cache_lock();
	replace_place_locked(d, &to, true);
	dentry_cache_unlock();
	free(to.name);
	dentry_put(to.parent);
	return 0;
}

int dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct new_name to_a, to_b;

	/* names do not change meanwhile: the caller holds both directories and the rename lock */
	to_a.name = strdup(b->name);
	to_b.name = strdup(a->name);
	if (!to_a.name || !to_b.name) {
		free(to_a.name);
		free(to_b.name);
		return -ENOMEM;
	}
	to_a.parent = dentry_get(b->parent);
	to_b.parent = dentry_get(a->parent);
	dentry_cache_lock();
	replace_place_locked(a, &to_a, true);
	replace_place_locked(b, &to_b, true);
	dentry_cache_unlock();
	free(to_a.name);
	free(to_b.name);
	dentry_put(to_a.parent);
	dentry_put(to_b.parent);
	return 0;
}
