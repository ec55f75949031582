/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on a system call, and what it does to the task. */
#include <errno.h>
#include <string.h>

#include "sentry/kernel/bpf_classic.h"
#include "sentry/kernel/seccomp_internal.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "util/log.h"

#define NR_READ 0
#define NR_WRITE 1
#define NR_RT_SIGRETURN 15
#define NR_EXIT 60

/*
 * All filters are asked, the newest first.  Actions are ordered as signed numbers, the
 * lowest wins; among equals the newest filter's answer counts.
 */
static uint32_t run_filters(struct seccomp_filter *f, const struct linux_seccomp_data *data,
			    struct seccomp_filter **match)
{
	uint32_t verdict = LINUX_SECCOMP_RET_ALLOW;

	if ((uint32_t)data->nr < SECCOMP_CACHED_CALLS &&
	    (f->allowed[data->nr / 64] >> (data->nr % 64) & 1))
		return verdict;
	for (; f; f = f->prev) {
		uint32_t answer = bpf_run(f->insns, data);

		if ((int32_t)(answer & LINUX_SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(verdict & LINUX_SECCOMP_RET_ACTION_FULL)) {
			verdict = answer;
			*match = f;
		}
	}
	return verdict;
}

/* --- fatal verdicts ------------------------------------------------------------------------ */

static void die(struct task *t, int signo, bool group)
{
	atomic_store(&t->seccomp_mode, SECCOMP_MODE_DEAD);
	if (group) {
		thread_group_die(t, signo);
		return;
	}
	t->exit_code = signo;
	t->exit_requested = true;
}

static void log_verdict(struct task *t, const struct linux_seccomp_data *data, const char *what)
{
	log_debug("seccomp: %s system call %d of task %d", what, data->nr, task_tid_in(t, t->pid.ns));
}

static enum seccomp_verdict trap(struct task *t, const struct linux_seccomp_data *data,
				 uint32_t verdict, int64_t *result)
{
	struct linux_siginfo info = {
		.signo = LINUX_SIGSYS,
		.err = (int32_t)(verdict & LINUX_SECCOMP_RET_DATA),
		.code = LINUX_SYS_SECCOMP,
		.sys = { data->instruction_pointer, data->nr, data->arch },
	};

	/* The registers are those before the call: its number is back in rax. */
	*result = data->nr;
	signal_force(t, &info);
	return SECCOMP_SKIP;
}

/* --- the check ------------------------------------------------------------------------------ */

static enum seccomp_verdict act(struct task *t, const struct linux_seccomp_data *data,
				uint32_t verdict, struct seccomp_filter *match, int64_t *result)
{
	enum seccomp_verdict how = SECCOMP_GO;
	uint32_t error;

	switch (verdict & LINUX_SECCOMP_RET_ACTION_FULL) {
	case LINUX_SECCOMP_RET_ALLOW:
		return SECCOMP_GO;
	case LINUX_SECCOMP_RET_LOG:
		log_verdict(t, data, "allowed");
		return SECCOMP_GO;
	case LINUX_SECCOMP_RET_ERRNO:
		error = verdict & LINUX_SECCOMP_RET_DATA;
		*result = -(int64_t)(error > LINUX_MAX_ERRNO ? LINUX_MAX_ERRNO : error);
		return SECCOMP_SKIP;
	case LINUX_SECCOMP_RET_TRAP:
		return trap(t, data, verdict, result);
	case LINUX_SECCOMP_RET_TRACE:
		/* Its tracer, if there is one, has seen the call by now: check(). */
		return SECCOMP_GO;
	case LINUX_SECCOMP_RET_USER_NOTIF:
		return seccomp_notify(t, match, data, &how, result) ? SECCOMP_GO : how;
	default: /* KILL_THREAD, KILL_PROCESS, and what is none */
		log_verdict(t, data, "killed for");
		*result = data->nr;
		die(t, LINUX_SIGSYS,
		    (verdict & LINUX_SECCOMP_RET_ACTION_FULL) != LINUX_SECCOMP_RET_KILL_THREAD ||
			    atomic_load(&t->group->live) == 1);
		return SECCOMP_SKIP;
	}
}

static enum seccomp_verdict check_strict(struct task *t, int32_t nr, int64_t *result)
{
	if (nr == NR_READ || nr == NR_WRITE || nr == NR_EXIT || nr == NR_RT_SIGRETURN)
		return SECCOMP_GO;
	*result = nr;
	die(t, LINUX_SIGKILL, false);
	return SECCOMP_SKIP;
}

static enum seccomp_verdict check(struct task *t, int32_t nr, const uint64_t args[6],
				  uint64_t rip, bool traced, int64_t *result)
{
	struct linux_seccomp_data data = {
		.nr = nr,
		.arch = LINUX_AUDIT_ARCH_X86_64,
		.instruction_pointer = rip,
	};
	struct seccomp_filter *match = NULL;
	uint32_t answer;

	memcpy(data.args, args, sizeof(data.args));
	answer = run_filters(t->seccomp_filter, &data, &match);
	if (traced || (answer & LINUX_SECCOMP_RET_ACTION_FULL) != LINUX_SECCOMP_RET_TRACE)
		return act(t, &data, answer, match, result);
	if (!ptrace_event_seccomp(t, answer & LINUX_SECCOMP_RET_DATA, result))
		return SECCOMP_SKIP;
	/* The call may be another one now; where TRACE comes again it means go. */
	return check(t, (int32_t)t->syscall_nr, t->syscall_args, rip, true, result);
}

enum seccomp_verdict seccomp_check_call(struct task *t, int32_t nr, const uint64_t args[6],
					uint64_t rip, int64_t *result)
{
	int rc;

	if (atomic_load(&t->seccomp_mode) != LINUX_SECCOMP_MODE_FILTER)
		return check_strict(t, nr, result);
	rc = seccomp_take_no_new_privs(t);
	if (rc) {
		*result = rc;
		return SECCOMP_SKIP;
	}
	return check(t, nr, args, rip, false, result);
}
