/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel object: root namespaces, limits, and the end of everything.  There is
 * one per sandbox; kernel_get() finds it where no task leads to it.
 */
#include "sentry/kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/user_account.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/klog.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/kernel/task_reap.h"
#include "sentry/kernel/timer.h"

static struct kernel *instance; /* does not change after boot */

struct kernel *kernel_get(void)
{
	return instance;
}

static _Thread_local struct {
	struct uts_namespace *uts;
	struct ipc_namespace *ipc;
} built;

void kernel_build_in(struct uts_namespace *uts, struct ipc_namespace *ipc)
{
	built.uts = uts;
	built.ipc = ipc;
}

struct uts_namespace *kernel_built_uts(void)
{
	return built.uts ? built.uts : kernel_get()->root_uts_ns;
}

struct ipc_namespace *kernel_built_ipc(void)
{
	return built.ipc ? built.ipc : kernel_get()->root_ipc_ns;
}

/* As runc makes it: by root of the host, whose ids the root namespace has. */
static int make_container_user_ns(struct kernel *k, const struct kernel_config *config)
{
	struct user_namespace *ns;
	int rc;

	if (!config->uid_map_count) {
		k->container_user_ns = user_namespace_get(k->root_user_ns);
		return 0;
	}
	rc = user_namespace_new(k->root_user_ns, 0, 0, &ns);
	if (rc)
		return rc;
	k->container_user_ns = ns;
	ns->setgroups_allowed = !config->deny_setgroups; /* nobody else has it yet */
	rc = user_namespace_set_map(ns, ID_MAP_UID, config->uid_map, config->uid_map_count);
	return rc ? rc : user_namespace_set_map(ns, ID_MAP_GID, config->gid_map, config->gid_map_count);
}

static int make_root_namespaces(struct kernel *k, const struct kernel_config *config)
{
	int rc = user_namespace_new_root(&k->root_user_ns);

	if (!rc)
		rc = make_container_user_ns(k, config);
	if (!rc)
		rc = pid_namespace_new(NULL, k->container_user_ns, ID_INVALID, &k->root_pid_ns);
	if (!rc)
		rc = uts_namespace_new(NULL, k->container_user_ns, ID_INVALID, &k->root_uts_ns);
	if (!rc)
		rc = cgroup_namespace_new(k->container_user_ns, ID_INVALID, &k->root_cgroup_ns);
	if (!rc)
		rc = time_namespace_new(k->container_user_ns, ID_INVALID, &k->root_time_ns);
	if (rc)
		return rc;
	uts_namespace_set_names(k->root_uts_ns, config->hostname ? config->hostname : "localhost",
				config->domainname ? config->domainname : "(none)");
	return 0;
}

static void kernel_free(struct kernel *k)
{
	wait_queue_destroy(&k->pause_wait);
	task_container_put(k->root_container);
	time_namespace_put(k->root_time_ns);
	cgroup_namespace_put(k->root_cgroup_ns);
	uts_namespace_put(k->root_uts_ns);
	pid_namespace_put(k->root_pid_ns);
	user_namespace_put(k->container_user_ns);
	user_namespace_put(k->root_user_ns);
	free(k);
}

int kernel_new(const struct kernel_config *config, struct kernel **out)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	k->platform = config->platform;
	mutex_init(&k->tasklist_lock, LOCK_RANK_TASK_TREE);
	list_init(&k->groups);
	wait_queue_init(&k->pause_wait);
	k->cpus = config->cpus ? config->cpus : 1;
	k->nice = config->nice;
	k->boot_time_ns = clock_now(LINUX_CLOCK_MONOTONIC);
	k->boot_realtime_sec = (int64_t)(clock_now(LINUX_CLOCK_REALTIME) / NSEC_PER_SEC);
	rc = make_root_namespaces(k, config);
	if (!rc)
		rc = task_container_new(k, config->container_id, &config->limits, &k->root_container);
	if (!rc)
		rc = timer_service_start();
	if (rc) {
		kernel_free(k);
		return rc;
	}
	futex_init();
	task_room_init();
	task_fault_init();
	klog_init(k->cpus);
	instance = k;
	*out = k;
	return 0;
}

void kernel_kill_namespace(struct kernel *k, struct pid_namespace *ns, struct thread_group *except)
{
	struct linux_siginfo info = { .signo = LINUX_SIGKILL, .code = LINUX_SI_KERNEL };
	struct thread_group *g;

	mutex_lock(&k->tasklist_lock);
	list_for_each(g, &k->groups, all_node) {
		if ((except && g == except) || (ns && !pid_number_in(&g->pid, ns)))
			continue;
		int rc = signal_send_group(g, &info);

		(void)rc; /* one that dies already may stand in the stop before its exit */
		/* No tracer holds up the end of a namespace. */
		ptrace_kill_again(g);
	}
	mutex_unlock(&k->tasklist_lock);
}

void kernel_kill_all(struct kernel *k, struct pid_namespace *ns)
{
	kernel_kill_namespace(k, ns, NULL);
}
