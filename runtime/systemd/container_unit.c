/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/systemd/container_unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/systemd/manager.h"
#include "runtime/systemd/unit_name.h"
#include "runtime/systemd/unit_properties.h"
#include "util/cleanup.h"
#include "util/log.h"

#define RUNNING_MARK "/run/systemd/system"

#define AUTO_UNIT_NAME CLEANUP(unit_name_free)

static const char *cgroups_path(const struct spec *spec)
{
	return spec->linux_config ? spec->linux_config->cgroups_path : NULL;
}

static int check_host(bool user, struct error **err)
{
	struct stat st;
	bool v2;

	if (lstat(RUNNING_MARK, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, -EOPNOTSUPP, "systemd not running on this host, cannot use systemd "
						   "cgroups manager");
	if (!user)
		return 0;
	if (cgroup_host_is_v2(&v2, err) < 0)
		return error_code(*err);
	return v2 ? 0 : error_set(err, -EOPNOTSUPP,
				  "cannot use rootless systemd cgroups manager on cgroup v1");
}

int container_unit_check(const struct globals *globals, const struct spec *spec, const char *id,
			 struct error **err)
{
	AUTO_PROPERTY_LIST struct property_list properties = PROPERTY_LIST_INIT;
	AUTO_UNIT_NAME struct unit_name unit = { NULL };
	bool user;

	if (!globals->systemd_cgroup)
		return 0;
	user = globals_rootless(globals);
	if (unit_annotation_properties(&spec->annotations, &properties, err) < 0 ||
	    unit_name_parse(cgroups_path(spec), id, user, &unit, err) < 0)
		return error_code(*err);
	return check_host(user, err);
}

/* A user's systemd has a tree of its own, below the host's. */
static int find_root(bool user, char **out, struct error **err)
{
	AUTO_MANAGER struct manager *manager = NULL;

	if (user)
		return manager_open(true, &manager, err) < 0 ? error_code(*err)
							     : manager_cgroup(manager, out, err);
	*out = strdup("");
	return *out ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int container_unit_locate(const struct container *c, const struct spec *spec, struct cgroup_set *out,
			  struct error **err)
{
	AUTO_UNIT_NAME struct unit_name unit = { NULL };
	AUTO_FREE char *root = NULL;
	AUTO_FREE char *slice = NULL;
	AUTO_FREE char *below = NULL;

	if (unit_name_parse(cgroups_path(spec), c->id, c->cgroup_rootless, &unit, err) < 0 ||
	    unit_slice_expand(unit.slice, &slice, err) < 0 ||
	    find_root(c->cgroup_rootless, &root, err) < 0)
		return error_code(*err);
	if (asprintf(&below, "%s%s/%s", root && strcmp(root, "/") != 0 ? root : "", slice, unit.unit) < 0) {
		below = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	return cgroup_locate_unit(below, out, err);
}

/* --- limits ----------------------------------------------------------------------------------- */

static int set_limits(struct manager *manager, const char *unit, const struct spec_resources *r, bool v2,
		      struct error **err)
{
	AUTO_PROPERTY_LIST struct property_list properties = PROPERTY_LIST_INIT;

	if (unit_limit_properties(r, v2, manager_version(manager), &properties, err) < 0)
		return error_code(*err);
	if (properties.count == 0 && !property_list_failed(&properties))
		return 0;
	return manager_set_properties(manager, unit, &properties, err);
}

int container_unit_set_limits(const struct container *c, const struct spec_resources *r,
			      const struct cgroup_set *set, struct error **err)
{
	AUTO_MANAGER struct manager *manager = NULL;

	if (!c->systemd_unit)
		return 0;
	if (manager_open(c->cgroup_rootless, &manager, err) < 0)
		return error_code(*err);
	return set_limits(manager, c->systemd_unit, r, cgroup_set_is_v2(set), err);
}

/* --- life -------------------------------------------------------------------------------------- */

static int start_unit(struct manager *manager, struct container *c, const struct spec *spec, pid_t pid,
		      bool v2, struct error **err)
{
	AUTO_PROPERTY_LIST struct property_list properties = PROPERTY_LIST_INIT;
	AUTO_UNIT_NAME struct unit_name unit = { NULL };

	if (unit_name_parse(cgroups_path(spec), c->id, c->cgroup_rootless, &unit, err) < 0)
		return error_code(*err);
	unit_base_properties(&unit, pid, v2, &properties);
	if (unit_annotation_properties(&spec->annotations, &properties, err) < 0 ||
	    manager_start_unit(manager, unit.unit, &properties, err) < 0)
		return error_code(*err);
	c->systemd_unit = move_ptr(unit.unit);
	return 0;
}

int container_unit_start(struct container *c, const struct spec *spec, pid_t pid, struct cgroup_set *set,
			 struct error **err)
{
	const struct spec_resources *r = spec->linux_config ? spec->linux_config->resources : NULL;
	AUTO_MANAGER struct manager *manager = NULL;
	bool v2 = cgroup_set_is_v2(set);

	if (manager_open(c->cgroup_rootless, &manager, err) < 0 ||
	    start_unit(manager, c, spec, pid, v2, err) < 0) {
		string_list_free(&c->cgroups);
		return error_wrap(err, "unable to apply cgroup configuration");
	}
	if (r && set_limits(manager, c->systemd_unit, r, v2, err) < 0)
		return error_code(*err);
	return cgroup_complete(set, spec, err);
}

int container_unit_attach(const struct container *c, pid_t pid, struct error **err)
{
	AUTO_MANAGER struct manager *manager = NULL;

	if (manager_open(c->cgroup_rootless, &manager, err) < 0 ||
	    manager_attach(manager, c->systemd_unit, pid, err) < 0)
		return error_wrap(err, "unable to apply cgroup configuration");
	return 0;
}

void container_unit_stop(const struct container *c)
{
	AUTO_MANAGER struct manager *manager = NULL;
	AUTO_ERROR struct error *err = NULL;

	if (!c->systemd_unit)
		return;
	/* systemd would ask them to end, and wait. */
	cgroup_kill(&c->cgroups);
	if (manager_open(c->cgroup_rootless, &manager, &err) < 0 ||
	    manager_stop_unit(manager, c->systemd_unit, &err) < 0)
		log_warning("%s: %s", c->systemd_unit, error_message(err));
}
