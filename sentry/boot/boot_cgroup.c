/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process from outside that goes into a control group below its container's.  On the host only who asked
 * can put somebody there: the template of the process's stubs, before one is forked of it.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>

#include "sentry/host/host_control.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/platform/platform.h"

/* Who asked says himself what went wrong, and waits for no answer. */
static int have_placed(const struct task_cgroup *cgroup, int socket)
{
	const struct control_place place = {
		.template_pid = stub_family_host_pid(task_cgroup_stubs(cgroup)),
	};
	struct control_placed placed;
	size_t fd_count;
	ssize_t size;
	int rc = host_control_send(socket, &place, sizeof(place));

	if (rc < 0)
		return rc;
	size = host_control_receive(socket, &placed, sizeof(placed), NULL, 0, &fd_count);
	if (size < 0)
		return (int)size;
	return size == sizeof(placed) ? 0 : -EPIPE;
}

int boot_cgroup(struct sandbox_container *c, const struct boot_process *process, int socket,
		struct task_cgroup **out, struct boot_failure *why)
{
	int rc = task_cgroup_new(c->kernel, process->cgroups.items, process->cgroups.count, out);

	if (rc < 0)
		return boot_failed_errno(why, rc, "stubs for a cgroup");
	rc = have_placed(*out, socket);
	if (rc < 0) {
		task_cgroup_leave(*out);
		task_cgroup_put(*out);
		*out = NULL;
		return boot_failed_errno(why, rc, "put stubs into a cgroup");
	}
	stub_family_settled(task_cgroup_stubs(*out));
	return 0;
}
