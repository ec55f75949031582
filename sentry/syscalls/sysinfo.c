/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysinfo(2).  With a memory limit the machine is as large as the limit, and what the
 * guest's processes do not hold of it is free; else it is the host's figure.
 */
#include "sentry/abi/resource.h"
#include "sentry/host/host_system.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/kernel/timer.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

static uint64_t memory_in_use(struct task *t)
{
	struct pid_namespace *ns = t->kernel->root_pid_ns;
	uint64_t pages = 0;
	struct task *each;
	int32_t at = 0;

	while ((each = task_next_group(ns, at + 1, &at))) {
		struct host_statm usage;
		struct mm *mm = each->group->container == t->group->container ? task_mm_get(each) : NULL;

		if (mm) {
			address_space_statm(mm->as, &usage);
			pages += usage.rss_pages;
		}
		mm_put(mm);
		task_put(each);
	}
	return pages * GUEST_PAGE_SIZE;
}

int64_t sys_sysinfo(struct task *t, const struct syscall_args *a)
{
	struct kernel *k = t->kernel;
	uint64_t limit = task_container_memory_limit(t->group->container);
	struct linux_sysinfo info = { .mem_unit = 1 };
	struct host_system host;
	uint64_t up_ns;

	host_system_read(&host);
	/* A second that has begun counts. */
	up_ns = time_to_guest(t, LINUX_CLOCK_BOOTTIME, clock_now(LINUX_CLOCK_MONOTONIC) - k->boot_time_ns);
	info.uptime = (int64_t)((up_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
	for (unsigned i = 0; i < 3; i++)
		info.loads[i] = host.loads[i];
	info.totalram = MIN(host.total_bytes, limit);
	info.freeram = host.free_bytes;
	if (limit < host.total_bytes) {
		uint64_t used = memory_in_use(t);

		info.freeram = used < info.totalram ? info.totalram - used : 0;
	}
	info.procs = (uint16_t)MIN(atomic_load(&t->group->container->task_count), (int64_t)UINT16_MAX);
	return copy_out(t->mm, arg_addr(a, 0), &info, sizeof(info));
}
