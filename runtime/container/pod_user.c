/* SPDX-License-Identifier: Apache-2.0 */
/* See pod_user.h. */
#include "runtime/container/pod_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container/namespaces.h"
#include "runtime/container/pod.h"
#include "util/cleanup.h"

static void spec_cleanup(struct spec **spec)
{
	spec_free(*spec);
}

/* One that it does not name as the sandbox's is another one. */
static int check_named(const struct globals *globals, const struct container *sandbox,
		       const struct spec *spec, const char *sandbox_path, struct error **err)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, "user");
	uint32_t handle;

	if (!ns)
		return 0;
	if (!ns->path || !*ns->path)
		return error_set(err, -EOPNOTSUPP,
				 "config.json: a container of a pod has the user namespace of its sandbox: one "
				 "for it alone is not supported");
	if ((sandbox_path && !strcmp(ns->path, sandbox_path)) ||
	    pod_find_namespace(globals, sandbox, "user", ns->path, &handle))
		return 0;
	return error_set(err, -EOPNOTSUPP,
			 "config.json: a container of a pod has the user namespace of its sandbox: %s is "
			 "another one", ns->path);
}

static int compare_extents(const void *a, const void *b)
{
	const struct spec_id_mapping *x = a, *y = b;

	return x->container_id < y->container_id ? -1 : x->container_id > y->container_id;
}

/* Their order means nothing. */
static bool same_map(struct spec_id_mapping *a, size_t a_count, struct spec_id_mapping *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	qsort(a, a_count, sizeof(*a), compare_extents);
	qsort(b, b_count, sizeof(*b), compare_extents);
	for (size_t i = 0; i < a_count; i++) {
		if (a[i].container_id != b[i].container_id || a[i].host_id != b[i].host_id ||
		    a[i].size != b[i].size)
			return false;
	}
	return true;
}

static bool same_maps(struct spec_linux *a, struct spec_linux *b)
{
	return same_map(a->uid_mappings.items, a->uid_mappings.count, b->uid_mappings.items,
			b->uid_mappings.count) &&
	       same_map(a->gid_mappings.items, a->gid_mappings.count, b->gid_mappings.items,
			b->gid_mappings.count);
}

/* The two swap theirs: each frees what it has. */
static void swap_maps(struct spec_linux *a, struct spec_linux *b)
{
	__typeof__(a->uid_mappings) uids = a->uid_mappings;
	__typeof__(a->gid_mappings) gids = a->gid_mappings;

	a->uid_mappings = b->uid_mappings;
	a->gid_mappings = b->gid_mappings;
	b->uid_mappings = uids;
	b->gid_mappings = gids;
}

static int take_maps(struct spec *spec, struct spec *of, struct error **err)
{
	struct spec_linux *l = spec->linux_config;

	if ((l->uid_mappings.count || l->gid_mappings.count) && !same_maps(l, of->linux_config))
		return error_set(err, -EINVAL, "config.json: linux.uidMappings, gidMappings: a container of a "
					       "pod has the maps of its sandbox, and these are others");
	swap_maps(l, of->linux_config);
	return 0;
}

/* The user namespace of @of, the sandbox's configuration; *path: as that names it, or NULL. */
static int resolve_sandbox(const struct globals *globals, struct spec *of, char **path, struct error **err)
{
	const struct spec_namespace *ns = spec_namespace_find(of, "user");

	if (!ns || !ns->path || !*ns->path)
		return 0;
	*path = strdup(ns->path);
	if (!*path)
		return error_set(err, -ENOMEM, "out of memory");
	return namespaces_resolve_user(globals, of, err);
}

int pod_share_user(const struct globals *globals, const struct container *sandbox, struct spec *spec,
		   struct error **err)
{
	CLEANUP(spec_cleanup) struct spec *of = NULL;
	AUTO_FREE char *path = NULL;

	if (container_load_spec(sandbox, &of, err) < 0)
		return error_wrap(err, "sandbox %s", sandbox->id);
	if (resolve_sandbox(globals, of, &path, err) < 0)
		return error_wrap(err, "sandbox %s", sandbox->id);
	if (check_named(globals, sandbox, spec, path, err) < 0)
		return error_code(*err);
	if (!spec_namespace_find(of, "user"))
		return namespaces_set_user(spec, false, err);
	if (namespaces_set_user(spec, true, err) < 0)
		return error_code(*err);
	return take_maps(spec, of, err);
}
