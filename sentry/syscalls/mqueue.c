/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues are not there yet: as on a kernel built without them. */
#include <errno.h>

#include "sentry/syscalls/handlers.h"

int64_t sys_mq_open(struct task *t, const struct syscall_args *a)
{
	return -ENOSYS;
}

int64_t sys_mq_unlink(struct task *t, const struct syscall_args *a)
{
	return -ENOSYS;
}
