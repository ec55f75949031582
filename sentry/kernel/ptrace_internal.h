/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of ptrace. */
#pragma once

#include "sentry/abi/ptrace.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"

/*
 * Work that a stopped tracee does for its tracer.  Refcounted, for a tracer that is
 * killed does not wait for it; so it owns what it refers to.
 */
struct ptrace_job {
	struct refcount refs;
	int (*run)(struct task *t, struct ptrace_job *job); /* on the tracee's pool thread */
	struct task *waiter; /* reference */
	_Atomic bool done;
	int result;
	uint64_t addr;
	bool write;
	size_t size;
	uint8_t buf[];
};

struct ptrace_job *ptrace_job_new(struct task *waiter,
				  int (*run)(struct task *t, struct ptrace_job *job), size_t size)
	MUST_CHECK;
void ptrace_job_put(struct ptrace_job *job);
/* What @run returned; -ESRCH when @target is not (any more) a stopped tracee of the waiter. */
int ptrace_job_run(struct task *target, struct ptrace_job *job) MUST_CHECK;

/* Whether @tracer may make requests of @t now: its signal lock is held. */
bool ptrace_stopped_for_locked(const struct task *t, const struct task *tracer);

/* A copy of the stopped tracee's registers, or a change of them; -ESRCH. */
int ptrace_get_regs(struct task *tracer, struct task *t, struct guest_regs *out) MUST_CHECK;
int ptrace_set_regs(struct task *tracer, struct task *t, const struct guest_regs *regs) MUST_CHECK;

/* ptrace_regs.c */
int64_t ptrace_peek_user(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
	MUST_CHECK;
int64_t ptrace_poke_user(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
	MUST_CHECK;
int64_t ptrace_regs_request(struct task *tracer, struct task *t, uint64_t request, uint64_t data)
	MUST_CHECK;
int64_t ptrace_regset_request(struct task *tracer, struct task *t, uint64_t request, uint64_t type,
			      uint64_t data) MUST_CHECK;
int64_t ptrace_arch_prctl(struct task *tracer, struct task *t, uint64_t option, uint64_t addr)
	MUST_CHECK;

/* ptrace_syscall.c */
int64_t ptrace_get_syscall_info(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
	MUST_CHECK;
int64_t ptrace_set_syscall_info(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
	MUST_CHECK;
int64_t ptrace_get_user_dispatch(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
	MUST_CHECK;
int64_t ptrace_set_user_dispatch(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
	MUST_CHECK;

/* ptrace_seccomp.c: number of instructions, and bytes of struct seccomp_metadata that were written. */
int64_t ptrace_get_filter(struct task *tracer, struct task *t, uint64_t number, uint64_t data)
	MUST_CHECK;
int64_t ptrace_get_filter_metadata(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
	MUST_CHECK;

/* ptrace_thread_area.c */
int64_t ptrace_get_thread_area(struct task *tracer, uint64_t number, uint64_t data) MUST_CHECK;
int64_t ptrace_set_thread_area(struct task *tracer, uint64_t number, uint64_t data) MUST_CHECK;

/* ptrace_memory.c */
int64_t ptrace_peek(struct task *tracer, struct task *t, uint64_t addr, uint64_t data) MUST_CHECK;
int64_t ptrace_poke(struct task *tracer, struct task *t, uint64_t addr, uint64_t data) MUST_CHECK;

/* ptrace_watch.c: debug registers; ptrace_watch_get and _set are run by jobs. */
int ptrace_watch_get(struct task *t, unsigned number, uint64_t *out) MUST_CHECK;
int ptrace_watch_set(struct task *t, unsigned number, uint64_t value) MUST_CHECK;
bool ptrace_watch_active(const struct task *t);
void ptrace_watch_arm(struct task *t);
/* After an instruction: whether a watchpoint hit. */
bool ptrace_watch_hit(struct task *t, struct context *ctx);
void ptrace_watch_stepped(struct task *t);

/* ptrace_stop.c */
void ptrace_trap_info(struct task *t, struct linux_siginfo *info, int signo, int code);
/* SIGCHLD and a wake-up for the tracer of @t: tasklist held. */
void ptrace_tell_tracer_locked(struct task *t, struct linux_siginfo *info);
void ptrace_syscall_stop(struct task *t, uint64_t message);
/* ptrace_run.c: number and arguments from the registers; false: number -1, no call. */
bool ptrace_take_call(struct task *t, struct context *ctx);
