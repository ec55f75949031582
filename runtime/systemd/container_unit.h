/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit of a container that was created with --systemd-cgroup; its state has the name.  systemd makes a
 * scope around a process that exists, so it comes after the container's first one: the sentry, or the
 * monitor of a container in a sandbox that runs.
 */
#pragma once

#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/command.h"
#include "runtime/container/container.h"

/* What is wrong with the configuration, or the host, for a unit.  No-op without --systemd-cgroup. */
int container_unit_check(const struct globals *globals, const struct spec *spec, const char *id,
			 struct error **err) MUST_CHECK;
/* Finds the cgroups that the unit is going to have; nothing is made. */
int container_unit_locate(const struct container *container, const struct spec *spec, struct cgroup_set *out,
			  struct error **err) MUST_CHECK;
/*
 * Makes the unit with @pid in it, what it needs of cgroups and limits, and names it in @container.  If there
 * comes to be no unit, @container forgets its cgroups, which may be another one's.  When we die before the
 * name is saved, @pid has to end: systemd then takes the unit away.
 */
int container_unit_start(struct container *container, const struct spec *spec, pid_t pid,
			 struct cgroup_set *set, struct error **err) MUST_CHECK;
/*
 * For a process that we may not put into the unit's cgroups ourselves: a user may not take one out of those of
 * the session.
 */
int container_unit_attach(const struct container *container, pid_t pid, struct error **err) MUST_CHECK;
/* Gives systemd the limits that it knows.  No-op without a unit. */
int container_unit_set_limits(const struct container *container, const struct spec_resources *resources,
			      const struct cgroup_set *set, struct error **err) MUST_CHECK;
/* Kills what is left in it, and stops it; systemd that does not answer is warned of.  No-op without. */
void container_unit_stop(const struct container *container);
