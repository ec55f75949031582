/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task is doing: wchan, stack, syscall.  It is looked at as it goes by; what is told of one that does
 * not sleep is a moment's truth.
 */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/program.h"

static const char *sleep_symbol(struct task *t)
{
	uint64_t nr, args[6];

	switch (task_state_char(t)) {
	case TASK_SLEEPING:
	case TASK_UNINTERRUPTIBLE:
		nr = task_call_look(t, args);
		return kernel_upcalls()->sleep_symbol(t, nr, args);
	case TASK_STOPPED:
		return "do_signal_stop";
	case TASK_TRACED:
		return "ptrace_stop";
	default:
		return NULL;
	}
}

/* As Linux: no line feed, and 0 too for whoever may not know. */
int proc_show_wchan(const struct proc_call *c, struct strbuf *out)
{
	const char *symbol = NULL;

	if (proc_may_access(c->task, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		symbol = sleep_symbol(c->task);
	strbuf_add(out, symbol ? symbol : "0");
	return 0;
}

/* The opener's right comes first.  There is no kernel stack to show. */
int proc_show_stack(const struct proc_call *c, struct strbuf *out)
{
	if (c->cred &&
	    !credentials_ns_capable(c->cred, kernel_get()->root_user_ns, LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	if (!proc_may_access(c->task, PTRACE_MODE_ATTACH | PTRACE_MODE_FSCREDS))
		return -EPERM;
	return 0;
}

int proc_show_syscall(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = c->task;
	struct task_position at;
	uint64_t args[6];
	int state = task_state_char(t);

	if (state == TASK_ZOMBIE || state == TASK_DEAD) {
		strbuf_add(out, "-1 0x0 0x0\n");
		return 0;
	}
	if ((state == TASK_RUNNING && t != task_current()) || !task_position(t, &at)) {
		strbuf_add(out, "running\n");
		return 0;
	}
	strbuf_addf(out, "%d", at.call);
	task_call_look(t, args);
	for (unsigned i = 0; at.call >= 0 && i < ARRAY_SIZE(args); i++)
		strbuf_addf(out, " 0x%llx", (unsigned long long)args[i]);
	strbuf_addf(out, " 0x%llx 0x%llx\n", (unsigned long long)at.sp, (unsigned long long)at.ip);
	return 0;
}
