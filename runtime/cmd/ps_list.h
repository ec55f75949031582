/* SPDX-License-Identifier: Apache-2.0 */
/* What the sentry says of its processes, with the pids the host knows them by. */
#pragma once

#include "runtime/container/container.h"
#include "sentry/control/protocol.h"
#include "util/error.h"

struct ps_entry {
	struct control_process process; /* checked, text made harmless */
	pid_t host_pid;			/* 0: none (any more) */
	pid_t host_parent;
};

struct ps_list {
	struct ps_entry *items;
	size_t count;
};

/* A stopped container has none, which is no error. */
int ps_list_read(const struct container *container, struct ps_list *out,
		 struct error **err) MUST_CHECK;
void ps_list_free(struct ps_list *list);
