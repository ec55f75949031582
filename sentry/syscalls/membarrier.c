/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier(2).  Guest threads are host threads.  What a process asks for among its own
 * threads, its stub asks the host for; what goes beyond it is the host's
 * MEMBARRIER_CMD_GLOBAL, which orders every running thread of the machine.  The RSEQ
 * commands are not there, as in a kernel without rseq.
 */
#include "sentry/abi/prctl.h"
#include "sentry/host/host_membarrier.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/handlers.h"

#define REGISTRATIONS                                          \
	(LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |       \
	 LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |      \
	 LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
#define COMMANDS                                                                          \
	(LINUX_MEMBARRIER_CMD_GLOBAL | LINUX_MEMBARRIER_CMD_GLOBAL_EXPEDITED |             \
	 LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED |                                          \
	 LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | REGISTRATIONS |                \
	 LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS)

/* Only for those who registered; @registration is the command that does. */
static int64_t private_expedited(struct task *t, int32_t command, uint32_t registration)
{
	if (!(atomic_load(&t->mm->membarrier) & registration))
		return -EPERM;
	return platform_membarrier(t->context, command);
}

static int64_t register_private(struct task *t, int32_t command)
{
	int rc = platform_membarrier(t->context, command);

	if (rc == 0)
		atomic_fetch_or(&t->mm->membarrier, (uint32_t)command);
	return rc;
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
	case LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		atomic_fetch_or(&t->mm->membarrier, (uint32_t)command);
		return 0;
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return private_expedited(t, command,
					 LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return private_expedited(t, command,
					 LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		return register_private(t, command);
	case LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS:
		return atomic_load(&t->mm->membarrier);
	default:
		return -EINVAL;
	}
}
