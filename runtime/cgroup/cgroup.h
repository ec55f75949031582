/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of a container: v1, v2 and hybrid hosts.  A container has one directory per
 * hierarchy, which is its own: an existing one that holds processes is refused.
 *
 * Entering a v1 cgroup waits for an RCU grace period of the host (10 ms and more), while a v2
 * cgroup can be entered by clone3.  So v1 hierarchies are used only if config.json has a
 * cgroupsPath or limits; the unified one always, to find what a crash left behind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "oci/spec.h"
#include "util/error.h"
#include "util/string_list.h"

#define CGROUP_DIRS_MAX 24

struct cgroup_dir {
	char *path;	   /* of the container's directory */
	char *mount_point; /* of its hierarchy */
	char *controllers; /* v1: "cpu,cpuacct" or "name=systemd" */
	bool unified;	   /* cgroup v2 */
};

struct cgroup_set {
	struct cgroup_dir dirs[CGROUP_DIRS_MAX];
	size_t count;
};

/* Finds the directories; nothing is created. */
int cgroup_locate(const struct spec *spec, const char *id, struct cgroup_set *out,
		  struct error **err) MUST_CHECK;
/*
 * The same for the texts of /proc/self/mountinfo and /proc/self/cgroup, which are cut in place.
 * @wanted: cgroupsPath or the id.  0 or -ENOMEM; *out is the caller's to free in either case.
 */
int cgroup_locate_in(const char *wanted, bool with_v1, char *mounts, char *membership,
		     struct cgroup_set *out) MUST_CHECK;
/*
 * The directories of a unit: @below is its path below the root of systemd's tree, which begins where the
 * host's init is.
 */
int cgroup_locate_unit(const char *below, struct cgroup_set *out, struct error **err) MUST_CHECK;
/* The same for texts, as cgroup_locate_in; @membership: of init. */
int cgroup_locate_unit_in(const char *below, char *mounts, char *membership,
			  struct cgroup_set *out) MUST_CHECK;
/* Whether this host's controllers are those of v2. */
int cgroup_host_is_v2(bool *out, struct error **err) MUST_CHECK;
/* The directories of a container that exists, from what its state recorded. */
int cgroup_locate_recorded(const struct string_list *paths, struct cgroup_set *out,
			   struct error **err) MUST_CHECK;
/* The same for texts, as cgroup_locate_in. */
int cgroup_locate_recorded_in(const struct string_list *paths, char *mounts, char *membership,
			      struct cgroup_set *out) MUST_CHECK;
void cgroup_set_free(struct cgroup_set *set);

/* -EBUSY if a directory exists and holds processes: they are somebody else's. */
int cgroup_check_unused(const struct cgroup_set *set, struct error **err) MUST_CHECK;
/*
 * Creates the directories and writes the limits.  With @rootless, directories that may not be
 * created are dropped from the set, unless config.json names them or a limit needs them.
 */
int cgroup_create(struct cgroup_set *set, const struct spec *spec, bool rootless,
		  struct error **err) MUST_CHECK;
/*
 * The same where systemd has made the container's unit, with a process in it: what is of systemd's own
 * hierarchies must be there.
 */
int cgroup_complete(struct cgroup_set *set, const struct spec *spec, struct error **err) MUST_CHECK;
/* Puts @pid into each, except the unified one when @in_unified says that it is there already. */
int cgroup_add(const struct cgroup_set *set, pid_t pid, bool in_unified,
	       struct error **err) MUST_CHECK;
/* An FD of the unified directory for CLONE_INTO_CGROUP, or -1. */
int cgroup_unified_fd(const struct cgroup_set *set) MUST_CHECK;

/* Whether the set is of a host whose controllers are those of v2. */
bool cgroup_set_is_v2(const struct cgroup_set *set);

/* What follows works on recorded paths. */
int cgroup_paths(const struct cgroup_set *set, struct string_list *out) MUST_CHECK;
/* Calls @each for every process in the cgroup @path and below. */
void cgroup_for_each_process(const char *path, void (*each)(void *arg, pid_t pid), void *arg);
/* Kills what is left in the cgroups, and waits for its end, as long as that makes sense. */
void cgroup_kill(const struct string_list *paths);
/* Kills what is left in the cgroups and removes them. */
int cgroup_destroy(const struct string_list *paths, struct error **err) MUST_CHECK;

/*
 * cgroup_limits.c: writes the limits into the directories.  One that the host refuses because of
 * another one that is still to come (a quota and its period, memory and memory + swap) is tried
 * again at the end.
 */
int cgroup_write_limits(const struct cgroup_set *set, const struct spec_resources *resources,
			struct error **err) MUST_CHECK;
/*
 * Calls @each, until it fails, for the limits that systemd has a property for, with the text that is written
 * to the cgroup's file.  @v2: the host has cgroup v2 alone.  @each sets the error that this returns.
 */
int cgroup_limits_for_systemd(const struct spec_resources *resources, bool v2,
			      int (*each)(void *arg, const char *property, const char *value), void *arg,
			      struct error **err) MUST_CHECK;
/* One of them, for both; a missing file of swap accounting is none. */
int cgroup_write_file(const struct cgroup_dir *dir, const char *file, const char *value,
		      struct error **err) MUST_CHECK;
/* cgroup_list_limits.c: the same for block devices, huge pages, interfaces, RDMA devices. */
int cgroup_write_lists(const struct cgroup_set *set, const struct spec_resources *resources,
		       struct error **err) MUST_CHECK;
bool cgroup_lists_wanted(const struct spec_resources *resources);
/* Whether config.json sets any limit that needs a cgroup. */
bool cgroup_limits_wanted(const struct spec *spec);
/* The directory whose v1 hierarchy has @controller, else the unified one, else NULL. */
const struct cgroup_dir *cgroup_dir_find(const struct cgroup_set *set, const char *controller);
