/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tracer sees and changes of system calls: PTRACE_GET_SYSCALL_INFO and
 * SET_SYSCALL_INFO, and the settings of syscall user dispatch.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/prctl.h"
#include "sentry/kernel/ptrace_internal.h"
#include "util/checked.h"

#define AUDIT_ARCH_X86_64 0xC000003EU
#define SYSCALL_GOOD 0x80
#define ERRNO_MAX 4095

/* --- one call ---------------------------------------------------------------------------- */

static uint8_t stop_op(const struct linux_siginfo *stop, uint64_t message)
{
	switch (stop ? stop->code : 0) {
	case LINUX_SIGTRAP | SYSCALL_GOOD:
		if (message == LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY)
			return LINUX_PTRACE_SYSCALL_INFO_ENTRY;
		if (message == LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT)
			return LINUX_PTRACE_SYSCALL_INFO_EXIT;
		break;
	case LINUX_SIGTRAP | LINUX_PTRACE_EVENT_SECCOMP << 8:
		return LINUX_PTRACE_SYSCALL_INFO_SECCOMP;
	default:
		break;
	}
	return LINUX_PTRACE_SYSCALL_INFO_NONE;
}

static void get_call(const struct guest_regs *r, uint64_t *nr, uint64_t args[6])
{
	const uint64_t values[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	*nr = r->orig_rax;
	memcpy(args, values, sizeof(values));
}

static size_t fill_info(uint8_t op, uint64_t message, const struct guest_regs *r,
			struct linux_ptrace_syscall_info *out)
{
	memset(out, 0, sizeof(*out));
	out->op = op;
	out->arch = AUDIT_ARCH_X86_64;
	out->instruction_pointer = r->rip;
	out->stack_pointer = r->rsp;
	switch (op) {
	case LINUX_PTRACE_SYSCALL_INFO_ENTRY:
		get_call(r, &out->entry.nr, out->entry.args);
		return offsetof(struct linux_ptrace_syscall_info, entry) + sizeof(out->entry);
	case LINUX_PTRACE_SYSCALL_INFO_EXIT:
		out->exit.rval = (int64_t)r->rax;
		out->exit.is_error = r->rax >= (uint64_t)-ERRNO_MAX;
		return offsetof(struct linux_ptrace_syscall_info, exit.is_error) + 1;
	case LINUX_PTRACE_SYSCALL_INFO_SECCOMP:
		get_call(r, &out->seccomp.nr, out->seccomp.args);
		out->seccomp.ret_data = (uint32_t)message;
		return offsetof(struct linux_ptrace_syscall_info, seccomp.reserved2);
	default:
		return offsetof(struct linux_ptrace_syscall_info, entry);
	}
}

int64_t ptrace_get_syscall_info(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_ptrace_syscall_info info;
	struct signal_handlers *h = signal_lock(t->group);
	size_t actual = 0;

	if (ptrace_stopped_for_locked(t, tracer))
		actual = fill_info(stop_op(t->ptrace.siginfo, t->ptrace.message), t->ptrace.message,
				   context_regs(t->context), &info);
	signal_unlock(h);
	if (!actual)
		return -ESRCH;
	if (copy_out(tracer->mm, guest_addr(data), &info, MIN(actual, size)))
		return -EFAULT;
	return (int64_t)actual;
}

/* The number is an int, or one made longer. */
static int set_call(struct guest_regs *r, uint64_t nr, const uint64_t args[6])
{
	int32_t number = (int32_t)nr;

	if ((uint64_t)number != nr)
		return -ERANGE;
	r->orig_rax = nr;
	if (number == -1)
		return 0;
	r->rdi = args[0];
	r->rsi = args[1];
	r->rdx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
	return 0;
}

static int change_call(struct guest_regs *r, const struct linux_ptrace_syscall_info *info)
{
	switch (info->op) {
	case LINUX_PTRACE_SYSCALL_INFO_ENTRY:
		return set_call(r, info->entry.nr, info->entry.args);
	case LINUX_PTRACE_SYSCALL_INFO_SECCOMP:
		return set_call(r, info->seccomp.nr, info->seccomp.args);
	case LINUX_PTRACE_SYSCALL_INFO_EXIT:
		/* is_error says nothing that rval does not, on this architecture. */
		r->rax = (uint64_t)info->exit.rval;
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t ptrace_set_syscall_info(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_ptrace_syscall_info info;
	struct signal_handlers *h;
	struct guest_regs regs;
	uint8_t op;
	int rc;

	if (size < sizeof(info))
		return -EINVAL;
	rc = copy_in(tracer->mm, &info, guest_addr(data), sizeof(info));
	if (rc)
		return rc;
	if (info.flags || info.reserved)
		return -EINVAL;
	h = signal_lock(t->group);
	rc = ptrace_stopped_for_locked(t, tracer) ? 0 : -ESRCH;
	op = stop_op(t->ptrace.siginfo, t->ptrace.message);
	signal_unlock(h);
	if (!rc && info.op != op)
		rc = -EINVAL;
	if (!rc)
		rc = ptrace_get_regs(tracer, t, &regs);
	if (!rc)
		rc = change_call(&regs, &info);
	return rc ? rc : ptrace_set_regs(tracer, t, &regs);
}

/* --- user dispatch ----------------------------------------------------------------------- */

int64_t ptrace_get_user_dispatch(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_ptrace_sud_config conf = { 0 };
	struct signal_handlers *h;
	bool stopped;

	if (size != sizeof(conf))
		return -EINVAL;
	h = signal_lock(t->group);
	stopped = ptrace_stopped_for_locked(t, tracer);
	conf.mode = t->user_dispatch.on ? LINUX_PR_SYS_DISPATCH_ON : LINUX_PR_SYS_DISPATCH_OFF;
	conf.offset = t->user_dispatch.offset;
	conf.len = t->user_dispatch.length;
	conf.selector = t->user_dispatch.selector;
	signal_unlock(h);
	return stopped ? copy_out(tracer->mm, guest_addr(data), &conf, sizeof(conf)) : -ESRCH;
}

int64_t ptrace_set_user_dispatch(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_ptrace_sud_config conf;
	struct signal_handlers *h;
	int rc;

	if (size != sizeof(conf))
		return -EINVAL;
	rc = copy_in(tracer->mm, &conf, guest_addr(data), sizeof(conf));
	if (rc)
		return rc;
	h = signal_lock(t->group);
	rc = ptrace_stopped_for_locked(t, tracer) ?
		     user_dispatch_set(t, conf.mode, conf.offset, conf.len, conf.selector) : -ESRCH;
	signal_unlock(h);
	return rc;
}
