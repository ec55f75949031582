/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier(2).  Guest threads are host threads, so the host's MEMBARRIER_CMD_GLOBAL,
 * which orders every running thread of the machine, does for each of the guest's
 * commands but those that promise more than order (SYNC_CORE, RSEQ): they are not offered.
 */
#include "sentry/abi/prctl.h"
#include "sentry/host/host_membarrier.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/handlers.h"

#define REGISTRATIONS \
	(LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | \
	 LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
#define COMMANDS                                                              \
	(LINUX_MEMBARRIER_CMD_GLOBAL | LINUX_MEMBARRIER_CMD_GLOBAL_EXPEDITED | \
	 LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED | REGISTRATIONS |              \
	 LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS)

/* To be registered for, and without effect on a process of one thread. */
static int64_t private_expedited(struct mm *mm)
{
	if (!(atomic_load(&mm->membarrier) & LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return -EPERM;
	return atomic_load(&mm->users) == 1 ? 0 : host_membarrier_global();
}

int64_t sys_membarrier(struct task *t, const struct syscall_args *a)
{
	int32_t command = arg_int(a, 0);

	if (arg_u32(a, 1))
		return -EINVAL;
	if (!host_membarrier_has_global())
		return command == LINUX_MEMBARRIER_CMD_QUERY ? 0 : -EINVAL;
	switch (command) {
	case LINUX_MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case LINUX_MEMBARRIER_CMD_GLOBAL:
	case LINUX_MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return host_membarrier_global();
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return private_expedited(t->mm);
	case LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		atomic_fetch_or(&t->mm->membarrier, (uint32_t)command);
		return 0;
	case LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS:
		return atomic_load(&t->mm->membarrier);
	default:
		return -EINVAL;
	}
}
