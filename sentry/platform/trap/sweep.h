/* SPDX-License-Identifier: Apache-2.0 */
/* Ends and reaps host processes that no ticket and no process of the platform accounts for. */
#pragma once

#include "sentry/platform/trap/trap.h"

/* The thread that sweeps.  After confinement. */
int trap_sweep_start(struct trap_platform *p) MUST_CHECK;
/* A ticket was lost, or a process killed that nobody reaps: look.  Any lock may be held. */
void trap_sweep_request(struct trap_platform *p);
/* It is condemned: whatever it says comes too late.  lookup_lock held. */
bool trap_orphan_known(struct trap_platform *p, pid_t pid);
/* For the reaper: it is dead.  No-op if unknown. */
void trap_orphan_reap(struct trap_platform *p, pid_t pid);
