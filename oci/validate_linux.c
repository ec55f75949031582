/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of the linux object; sysctl and seccomp have files of their own. */
#include "oci/validate_linux.h"

#include <errno.h>
#include <stdint.h>

#include "oci/name_set.h"
#include "oci/namespace.h"

#define MAPPINGS_MAX 340 /* the kernel's limit on lines in uid_map */

static const char *const propagations[] = { "shared",	"rshared", "slave",	 "rslave", "private",
					     "rprivate", "unbindable", "runbindable", "", NULL };
static const char *const device_types[] = { "b", "c", "u", "p", NULL };
static const char *const device_rule_types[] = { "a", "b", "c", "u", "p", "", NULL };
static const char *const personality_domains[] = { "LINUX", "LINUX32", NULL };
static const char *const offset_clocks[] = { "monotonic", "boottime", NULL };

static int validate_namespaces(const struct spec_linux *l, struct error **err)
{
	unsigned seen = 0;

	for (size_t i = 0; i < l->namespaces.count; i++) {
		const struct spec_namespace *ns = &l->namespaces.items[i];
		const char *path = ns->path ? ns->path : "";
		int number = oci_namespace_number(ns->type);

		if (number < 0)
			return error_set(err, -EINVAL, "namespace {\"%s\" \"%s\"} does not exist",
					 ns->type, path);
		if (seen & (1u << number))
			return error_set(err, -EINVAL,
					 "malformed spec file: duplicate ns {\"%s\" \"%s\"}", ns->type,
					 path);
		seen |= 1u << number;
		if (*path && *path != '/')
			return error_set(err, -EINVAL,
					 "linux.namespaces[%zu].path: \"%s\" is not absolute", i, path);
	}
	return 0;
}

/* Ranges that wrap or overlap would be refused by the kernel, much later and less clearly. */
static int validate_mappings(const struct spec_id_mapping *m, size_t count, const char *what,
			     struct error **err)
{
	if (count > MAPPINGS_MAX)
		return error_set(err, -EINVAL, "linux.%s: more than %d mappings", what,
				 MAPPINGS_MAX);
	for (size_t i = 0; i < count; i++) {
		uint64_t end = (uint64_t)m[i].container_id + m[i].size;
		uint64_t host_end = (uint64_t)m[i].host_id + m[i].size;

		if (!m[i].size || end > UINT32_MAX || host_end > UINT32_MAX)
			return error_set(err, -EINVAL, "linux.%s[%zu]: not a range of ids", what, i);
		for (size_t j = 0; j < i; j++) {
			uint64_t other_end = (uint64_t)m[j].container_id + m[j].size;
			uint64_t other_host_end = (uint64_t)m[j].host_id + m[j].size;

			if ((m[i].container_id < other_end && m[j].container_id < end) ||
			    (m[i].host_id < other_host_end && m[j].host_id < host_end))
				return error_set(err, -EINVAL, "linux.%s[%zu]: overlaps [%zu]", what,
						 i, j);
		}
	}
	return 0;
}

static bool maps_root(const struct spec_id_mapping *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m[i].container_id == 0 && m[i].size > 0)
			return true;
	return false;
}

static int validate_user_namespace(const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;
	const struct spec_namespace *user = spec_namespace_find(spec, "user");
	int error;

	/* Without the namespace they mean nothing, and runc does not look at them either. */
	if (!user || (user->path && *user->path))
		return 0;
	if (!l->uid_mappings.count || !l->gid_mappings.count)
		return error_set(err, -EINVAL, "User namespaces enabled, but no %s mappings found.",
				 l->uid_mappings.count ? "gid" : "uid");
	if (!maps_root(l->uid_mappings.items, l->uid_mappings.count))
		return error_set(err, -EINVAL, "User namespaces enabled, but no user mapping found.");
	if (!maps_root(l->gid_mappings.items, l->gid_mappings.count))
		return error_set(err, -EINVAL, "User namespaces enabled, but no group mapping found.");
	error = validate_mappings(l->uid_mappings.items, l->uid_mappings.count, "uidMappings", err);
	if (!error)
		error = validate_mappings(l->gid_mappings.items, l->gid_mappings.count,
					  "gidMappings", err);
	return error;
}

static int validate_devices(const struct spec_linux *l, struct error **err)
{
	for (size_t i = 0; i < l->devices.count; i++) {
		const struct spec_device *d = &l->devices.items[i];

		if (!name_set_has(device_types, d->type))
			return error_set(err, -EINVAL, "linux.devices[%zu]: invalid type \"%s\"", i,
					 d->type);
		if (*d->path != '/')
			return error_set(err, -EINVAL,
					 "linux.devices[%zu].path: \"%s\" is not absolute", i, d->path);
		if (d->major < 0 || d->minor < 0 || d->major > UINT32_MAX || d->minor > UINT32_MAX)
			return error_set(err, -EINVAL, "linux.devices[%zu]: invalid device number", i);
	}
	return 0;
}

static int validate_resources(const struct spec_resources *r, struct error **err)
{
	for (size_t i = 0; r && i < r->devices.count; i++) {
		const struct spec_device_rule *rule = &r->devices.items[i];

		if (rule->type && !name_set_has(device_rule_types, rule->type))
			return error_set(err, -EINVAL,
					 "linux.resources.devices[%zu]: invalid type \"%s\"", i,
					 rule->type);
		if (rule->access && rule->access[strspn(rule->access, "rwm")])
			return error_set(err, -EINVAL,
					 "linux.resources.devices[%zu]: invalid access \"%s\"", i,
					 rule->access);
	}
	/* A key with a slash would reach outside the container's own cgroup. */
	for (size_t i = 0; r && i < r->unified.count; i++)
		if (!*r->unified.items[i].key || strchr(r->unified.items[i].key, '/'))
			return error_set(err, -EINVAL,
					 "unified resource \"%s\" must be a file name (no slashes)",
					 r->unified.items[i].key);
	if (r && r->memory && r->memory->swappiness.set && r->memory->swappiness.value > 100)
		return error_set(err, -EINVAL, "invalid memory swappiness value: %llu (valid range is 0-100)",
				 (unsigned long long)r->memory->swappiness.value);
	return 0;
}

static int validate_paths(const struct string_list *paths, const char *what, struct error **err)
{
	for (size_t i = 0; i < paths->count; i++)
		if (*paths->items[i] != '/')
			return error_set(err, -EINVAL, "linux.%s[%zu]: \"%s\" is not absolute", what,
					 i, paths->items[i]);
	return 0;
}

static bool has_own_namespace(const struct spec_linux *l, const char *type)
{
	for (size_t i = 0; i < l->namespaces.count; i++) {
		const char *path = l->namespaces.items[i].path;

		if (!strcmp(l->namespaces.items[i].type, type))
			return !path || !*path;
	}
	return false;
}

static int validate_rest(const struct spec_linux *l, struct error **err)
{
	if (l->rootfs_propagation && !name_set_has(propagations, l->rootfs_propagation))
		return error_set(err, -EINVAL, "rootfsPropagation=%s is not supported",
				 l->rootfs_propagation);
	if (l->personality && !name_set_has(personality_domains, l->personality->domain))
		return error_set(err, -EINVAL, "linux.personality.domain: \"%s\" is unknown",
				 l->personality->domain);
	if (l->time_offsets.count > 0 && !has_own_namespace(l, "time"))
		return error_set(err, -EINVAL, "time namespace offsets specified, but time "
				 "namespace isn't enabled in the config");
	for (size_t i = 0; i < l->time_offsets.count; i++) {
		if (!name_set_has(offset_clocks, l->time_offsets.items[i].clock))
			return error_set(err, -EINVAL, "linux.timeOffsets: clock \"%s\" is unknown",
					 l->time_offsets.items[i].clock);
		if (l->time_offsets.items[i].nanosecs >= 1000000000)
			return error_set(err, -EINVAL,
					 "linux.timeOffsets.%s.nanosecs: a second or more",
					 l->time_offsets.items[i].clock);
	}
	return 0;
}

int spec_validate_linux(const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;
	int error = validate_namespaces(l, err);

	if (!error)
		error = validate_user_namespace(spec, err);
	if (!error)
		error = validate_devices(l, err);
	if (!error)
		error = validate_resources(l->resources, err);
	if (!error)
		error = validate_paths(&l->masked_paths, "maskedPaths", err);
	if (!error)
		error = validate_paths(&l->readonly_paths, "readonlyPaths", err);
	if (!error)
		error = validate_rest(l, err);
	if (!error)
		error = spec_validate_sysctl(spec, err);
	if (!error && l->seccomp)
		error = spec_validate_seccomp(l->seccomp, err);
	return error;
}
