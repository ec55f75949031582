/* SPDX-License-Identifier: Apache-2.0 */
/* See subsystems.h.  Runs before confinement; starts the service threads. */
#include "sentry/boot/subsystems.h"

#include <stdio.h>
#include <string.h>

#include "sentry/fs/anon/epoll.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/fs/devpts/devpts.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/fs/sysfs/sysfs.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/host/host_system.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/file_owner.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/loader/loader.h"
#include "sentry/net/net_namespace.h"
#include "sentry/syscalls/kernel_hooks.h"
#include "util/checked.h"

static int start_vfs(struct kernel *k)
{
	(void)k;
	file_owner_init();
	return vfs_init();
}

static int start_pidfs(struct kernel *k)
{
	return pidfs_init(k->root_user_ns);
}

static int start_loader(struct kernel *k)
{
	kernel_hooks_register();
	return vdso_init(k->platform);
}

static int start_tmpfs(struct kernel *k)
{
	struct host_system host;

	host_system_read(&host);
	return tmpfs_init(MIN(task_container_memory_limit(k->root_container), host.total_bytes), k->root_user_ns);
}

static int start_pipes(struct kernel *k)
{
	return pipe_init(k->root_user_ns);
}

static int start_host_files(struct kernel *k)
{
	return host_fs_init(k->root_user_ns);
}

static int start_epoll(struct kernel *k)
{
	(void)k;
	epoll_init();
	return 0;
}

static const struct {
	const char *name;
	int (*start)(struct kernel *k);
} order[] = {
	{ "vfs", start_vfs },
	{ "pidfs", start_pidfs },
	{ "loader", start_loader },
	{ "tmpfs", start_tmpfs },
	{ "pipes", start_pipes },
	{ "host files", start_host_files },
	{ "epoll", start_epoll },
	{ "ipc", ipc_init },
	{ "network", net_init },
	{ "proc", proc_init },
	{ "devices", dev_init },
	{ "sysfs", sysfs_init },
	{ "devpts", devpts_init },
	{ "mqueue", mqueue_init },
	{ "cgroups", cgroup_init },
};

int subsystems_start(const struct kernel_config *config, struct kernel **out, char *why,
		     size_t size)
{
	int rc = kernel_new(config, out);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		rc = order[i].start(*out);
		if (rc < 0) {
			snprintf(why, size, "start %s: %s", order[i].name, strerror(-rc));
			return rc;
		}
	}
	return 0;
}
