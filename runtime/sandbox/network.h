/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespace that the sentry is born in, with --network=host: the one that
 * linux.namespaces names by path, a fresh one with its loopback interface up, or, where it names none,
 * the caller's own.
 *
 * The command line enters it for the moment of the clone, so that the sentry never has a right over it.
 * The guest's rights to ports and ping sockets are the sentry's to check; in a namespace that is not
 * the machine's, the host lets the sentry have all of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oci/spec.h"
#include "util/compiler.h"
#include "util/error.h"

struct launch_network {
	uint64_t clone_flags; /* for the sentry's clone: CLONE_NEWNET or 0 */
	bool of_child;	      /* the child has the right to set its namespace up, and we do not */
	int target;	      /* the namespace to be born in, or -1: ours, or that of clone_flags */
	int own;	      /* ours, and the way back; -1 with --network=none */
	bool one_way;	      /* who leaves ours may not come back: for others than us to enter */
};

#define LAUNCH_NETWORK_INIT { 0, false, -1, -1, false }

/* @host: --network=host.  Opens or makes the namespace; we are in our own afterwards. */
int network_prepare(const struct spec *spec, bool host, struct launch_network *out,
		    struct error **err) MUST_CHECK;
void network_close(struct launch_network *network);

/* Around the sentry's clone, unless one_way.  No-ops without a target.  The caller has one thread. */
int network_enter(const struct launch_network *network, struct error **err) MUST_CHECK;
int network_leave(const struct launch_network *network, struct error **err) MUST_CHECK;

/*
 * The namespace that a hook in the container's namespaces belongs in: a new FD, or negative when there is none, or none that
 * we have a right to.
 */
int network_of_container(const struct spec *spec, const struct launch_network *network);

/* The child's part when of_child, as root of its user namespace.  0 or negative errno. */
int network_set_up_own(void) MUST_CHECK;

/*
 * Writes the net.* parameters of linux.sysctl to the namespace: after the hooks, which bring the
 * interfaces that some of them are about.
 */
int network_set_sysctls(const struct spec *spec, const struct launch_network *network,
			struct error **err) MUST_CHECK;
