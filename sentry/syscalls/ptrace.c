/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2): who is meant; the rest is in sentry/kernel/ptrace*.c. */
#include "sentry/abi/ptrace.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/syscalls/handlers.h"

int64_t sys_ptrace(struct task *t, const struct syscall_args *a)
{
	struct task *target;
	int64_t rc;

	if (a->v[0] == LINUX_PTRACE_TRACEME)
		return ptrace_traceme(t);
	target = task_lookup(t->pid.ns, arg_int(a, 1));
	if (!target)
		return -ESRCH;
	rc = ptrace_request(t, target, a->v[0], a->v[2], a->v[3]);
	task_put(target);
	return rc;
}
