/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused is what a container would be wrong without.  What it can do without is ignored, and listed
 * in docs/compatibility.md.
 */
#include "runtime/container/check_supported.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool maps_root_alone(const struct spec_id_mapping *items, size_t count, uint32_t host_id)
{
	return count == 1 && items[0].container_id == 0 && items[0].size == 1 &&
	       items[0].host_id == host_id;
}

/*
 * Files have the owners that the gofer sees.  Only without privilege is it in a user namespace, and
 * that maps root to the caller.
 */
static int check_mappings(const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;
	const struct spec_namespace *user = spec_namespace_find(spec, "user");
	bool rootless = geteuid() != 0;

	/*
	 * Without the namespace they mean nothing, and runc does not look at them either.  One to be
	 * joined is refused with all the others.
	 */
	if (!user || (user->path && *user->path))
		return 0;
	if (rootless &&
	    maps_root_alone(l->uid_mappings.items, l->uid_mappings.count, geteuid()) &&
	    maps_root_alone(l->gid_mappings.items, l->gid_mappings.count, getegid()))
		return 0;
	if (rootless)
		return error_set(err, -EOPNOTSUPP,
				 "config.json: linux.uidMappings, gidMappings: only 0 to %u and 0 to "
				 "%u, of size 1, are supported without privilege", geteuid(), getegid());
	return error_set(err, -EOPNOTSUPP,
			 "config.json: linux.uidMappings: user namespaces are not supported yet");
}

static int check_mounts(const struct spec *spec, struct error **err)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		if (spec->mounts.items[i].uid_mappings.count > 0)
			return error_set(err, -EOPNOTSUPP,
					 "config.json: mounts[%zu].uidMappings: not supported yet", i);
	}
	return 0;
}

static int check_linux(const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;

	for (size_t i = 0; i < l->time_offsets.count; i++) {
		if (l->time_offsets.items[i].secs || l->time_offsets.items[i].nanosecs)
			return error_set(err, -EOPNOTSUPP,
					 "config.json: linux.timeOffsets.%s: not supported yet",
					 l->time_offsets.items[i].clock);
	}
	if (l->personality && strcmp(l->personality->domain, "LINUX") != 0)
		return error_set(err, -EOPNOTSUPP,
				 "config.json: linux.personality.domain: %s is not supported",
				 l->personality->domain);
	return check_mappings(spec, err);
}

int check_supported(const struct spec *spec, struct error **err)
{
	if (check_mounts(spec, err) < 0)
		return error_code(*err);
	return spec->linux_config ? check_linux(spec, err) : 0;
}
