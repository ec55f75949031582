/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to systemd, as far as containers need it: to the host's, or to a user's.  It is the caller's,
 * and not for more than one thread.  Errors carry systemd's own words.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/systemd/property.h"
#include "util/error.h"

struct manager;

/* @user: the user's, by $DBUS_SESSION_BUS_ADDRESS or $XDG_RUNTIME_DIR/bus. */
int manager_open(bool user, struct manager **out, struct error **err) MUST_CHECK;
/* NULL is a no-op. */
void manager_close(struct manager *manager);

/* Whose the user's bus is, by the cgroup of who runs it. */
int manager_owner(struct manager *manager, uid_t *out, struct error **err) MUST_CHECK;
/* systemd's version; 0 if it does not say. */
int manager_version(struct manager *manager);
/* The cgroup that its own tree is below; malloc'ed. */
int manager_cgroup(struct manager *manager, char **out, struct error **err) MUST_CHECK;

/* Makes the unit and waits until it is there.  -EEXIST: there is one of that name, that does not go. */
int manager_start_unit(struct manager *manager, const char *unit, const struct property_list *properties,
		       struct error **err) MUST_CHECK;
/* Puts the process, the caller's own, into the unit's cgroup. */
int manager_attach(struct manager *manager, const char *unit, pid_t pid, struct error **err) MUST_CHECK;
/* Until systemd or the host starts anew. */
int manager_set_properties(struct manager *manager, const char *unit,
			   const struct property_list *properties, struct error **err) MUST_CHECK;
/* Waits until it is gone.  One that is not there is no error. */
int manager_stop_unit(struct manager *manager, const char *unit, struct error **err) MUST_CHECK;

static inline void cleanup_manager(struct manager **manager)
{
	manager_close(*manager);
}
#define AUTO_MANAGER __attribute__((cleanup(cleanup_manager)))
