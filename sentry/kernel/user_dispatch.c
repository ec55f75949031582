/* SPDX-License-Identifier: Apache-2.0 */
/* See user_dispatch.h. */
#include "sentry/kernel/user_dispatch.h"

#include <errno.h>

#include "sentry/abi/prctl.h"
#include "sentry/abi/seccomp.h"
#include "sentry/abi/signal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/usercopy.h"

int user_dispatch_set(struct task *t, uint64_t mode, uint64_t offset, uint64_t length,
		      uint64_t selector)
{
	switch (mode) {
	case LINUX_PR_SYS_DISPATCH_OFF:
		if (offset || length || selector)
			return -EINVAL;
		break;
	case LINUX_PR_SYS_DISPATCH_ON:
		/* From address 0 and of no length: every call. */
		if (offset && offset + length <= offset)
			return -EINVAL;
		if (selector >= platform_address_max().v)
			return -EFAULT;
		break;
	case LINUX_PR_SYS_DISPATCH_INCLUSIVE_ON:
		if (!length || offset + length <= offset)
			return -EINVAL;
		if (selector >= platform_address_max().v)
			return -EFAULT;
		/* The calls in the range are everything but those outside of it: turned round. */
		offset += length;
		length = -length;
		break;
	default:
		return -EINVAL;
	}
	t->user_dispatch = (struct user_dispatch){
		.on = mode != LINUX_PR_SYS_DISPATCH_OFF,
		.offset = offset,
		.length = length,
		.selector = selector,
	};
	return 0;
}

/* Nothing that a handler or a mask could hold up. */
static bool end(struct task *t, int signo)
{
	thread_group_die(t, signo);
	return true;
}

bool user_dispatch_catches(struct task *t, int64_t *result)
{
	const struct user_dispatch *d = &t->user_dispatch;
	struct linux_siginfo info = {
		.signo = LINUX_SIGSYS,
		.code = LINUX_SYS_USER_DISPATCH,
		.sys = { t->syscall_rip, (int32_t)t->syscall_nr, LINUX_AUDIT_ARCH_X86_64 },
	};
	uint8_t state = LINUX_SYSCALL_DISPATCH_FILTER_BLOCK;

	if (t->syscall_rip - d->offset < d->length)
		return false;
	*result = (int64_t)t->syscall_nr;
	if (d->selector && copy_in(t->mm, &state, guest_addr(d->selector), sizeof(state)))
		return end(t, LINUX_SIGSEGV);
	if (state == LINUX_SYSCALL_DISPATCH_FILTER_ALLOW)
		return false;
	if (state != LINUX_SYSCALL_DISPATCH_FILTER_BLOCK)
		return end(t, LINUX_SIGSYS);
	signal_force(t, &info);
	return true;
}
