/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time namespaces: offsets of the monotonic and the boot-time clock.  The sentry
 * counts in the host's time throughout; absolute times are converted where they come
 * from a guest and where they go to it.
 */
#pragma once

#include <stdint.h>

#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/lock.h"
#include "util/refcount.h"

struct credentials;
struct task;
struct user_namespace;

struct time_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* reference */
	uint64_t number;
	struct namespace_count count;
	struct mutex lock;	      /* LOCK_RANK_LEAF */
	/* What is added to the host's clock, in ns; written under lock until frozen. */
	_Atomic int64_t monotonic, boottime;
	bool frozen;		      /* has had a member; protected by lock */
	bool is_root;		      /* no offsets: the vDSO may answer; does not change */
};

/* Without offsets.  @kuid ID_INVALID: the first one, not counted. */
int time_namespace_new(struct user_namespace *user_ns, uint32_t kuid,
		       struct time_namespace **out) MUST_CHECK;
struct time_namespace *time_namespace_get(struct time_namespace *ns);
void time_namespace_put(struct time_namespace *ns);

/* One line of timens_offsets. */
struct time_offset {
	int clock; /* LINUX_CLOCK_MONOTONIC or LINUX_CLOCK_BOOTTIME */
	int64_t sec;
	uint32_t nsec;
};
/* -ERANGE, or -EACCES when it has members. */
int time_namespace_set_offsets(struct time_namespace *ns, const struct time_offset *offsets,
			       unsigned count) MUST_CHECK;
/* No change from now on. */
void time_namespace_freeze(struct time_namespace *ns);

/* What the guest sees at host time @ns of @clock, and back (saturating); @t is the calling
 * task or NULL (no offset). */
uint64_t time_to_guest(struct task *t, int clock, uint64_t ns);
uint64_t time_from_guest(struct task *t, int clock, uint64_t ns);
