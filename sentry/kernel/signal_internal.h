/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals inside sentry/kernel.  "_locked": the group's handlers->lock is held.
 *
 * task->work_pending and the sleeper's interrupt flag are set together, by whoever
 * makes work for a task, and cleared together by the task itself, under the lock,
 * when it finds none left.
 */
#pragma once

#include "sentry/abi/signal.h"
#include "sentry/kernel/task.h"

#define SIGNAL_STOP_SET                                                            \
	(SIGNAL_BIT(LINUX_SIGSTOP) | SIGNAL_BIT(LINUX_SIGTSTP) | SIGNAL_BIT(LINUX_SIGTTIN) | \
	 SIGNAL_BIT(LINUX_SIGTTOU))
#define SIGNAL_UNBLOCKABLE (SIGNAL_BIT(LINUX_SIGKILL) | SIGNAL_BIT(LINUX_SIGSTOP))
#define SIGNAL_SYNCHRONOUS                                                             \
	(SIGNAL_BIT(LINUX_SIGSEGV) | SIGNAL_BIT(LINUX_SIGBUS) | SIGNAL_BIT(LINUX_SIGILL) | \
	 SIGNAL_BIT(LINUX_SIGTRAP) | SIGNAL_BIT(LINUX_SIGFPE) | SIGNAL_BIT(LINUX_SIGSYS))
/* Default action: nothing. */
#define SIGNAL_DEFAULT_IGNORED                                                        \
	(SIGNAL_BIT(LINUX_SIGCONT) | SIGNAL_BIT(LINUX_SIGCHLD) | SIGNAL_BIT(LINUX_SIGWINCH) | \
	 SIGNAL_BIT(LINUX_SIGURG))
/* Default action: death with a core dump. */
#define SIGNAL_COREDUMP_SET                                                                        \
	(SIGNAL_SYNCHRONOUS | SIGNAL_BIT(LINUX_SIGQUIT) | SIGNAL_BIT(LINUX_SIGABRT) |              \
	 SIGNAL_BIT(LINUX_SIGXCPU) | SIGNAL_BIT(LINUX_SIGXFSZ))
#define SIGNAL_ALL UINT64_MAX

static inline bool signal_in(uint64_t set, int signo)
{
	return set & SIGNAL_BIT(signo);
}

void signal_queue_init(struct signal_queue *q);
/* Drops the pending signals of @mask. */
void signal_queue_flush(struct signal_queue *q, uint64_t mask);

/* Makes @t look at its work: out of guest code, out of a sleep. */
void task_wake_locked(struct task *t);
/* As task_wake_locked, for one that is to die. */
void task_kill_locked(struct task *t);
/* Recomputes work_pending; only clears it for the current task itself. */
void signal_recalc_locked(struct task *t);
bool signal_has_work_locked(struct task *t);
void signal_set_blocked_locked(struct task *t, uint64_t mask);
/* Hands group signals that @t will not take to other threads. */
void signal_retarget_locked(struct task *t, uint64_t mask);

/* What must be done without the lock after a dequeue. */
struct signal_dequeued {
	void *posix_timer; /* reference */
	bool itimer;	   /* SIGALRM: re-arm ITIMER_REAL */
};
/* The next signal of @mask; 0 none. */
int signal_dequeue_locked(struct task *t, uint64_t mask, struct linux_siginfo *info,
			  struct signal_dequeued *after);
void signal_dequeue_finish(struct task *t, const struct signal_dequeued *after,
			   struct linux_siginfo *info);

/*
 * @t NULL: to the group.  @force: may reach an init that has no handler (SIGKILL
 * and SIGSTOP from an ancestor namespace, the kernel's own).
 */
int signal_send_locked(struct thread_group *g, struct task *t, const struct linux_siginfo *info,
		       bool force);
/* The thread behind @t in its group, around; handlers->lock. */
struct task *thread_next_locked(struct task *t);
/* A timer of @g's CPU time is set: what was used before is nobody's credit.  Takes tasklist. */
void cpu_taker_reset(struct thread_group *g);
/* A reference on the thread that hears of @g's CPU time now; NULL: it has none any more.  Takes tasklist. */
struct task *cpu_taker_get(struct thread_group *g) MUST_CHECK;
/* A timer's own, preallocated entry: queued unless it is already, to @t alone, or (@t NULL) to the group, of
 * which @first (NULL: the leader) is asked first. True if it was queued now; false: pending or ignored. */
bool signal_send_entry(struct thread_group *g, struct task *t, struct task *first,
		       struct queued_signal *entry);

/* For exec: caught signals get their default action. */
void signal_handlers_reset(struct signal_handlers *h, bool ignored_too);

/* The signal frame: sentry/kernel/signal_frame.c.  Registers valid, no lock held. */
int signal_frame_push(struct task *t, struct context *ctx, int signo,
		      const struct linux_siginfo *info, const struct linux_sigaction *action,
		      uint64_t old_mask) MUST_CHECK;
/* rt_sigreturn: 0, or -EFAULT when the frame is bad. */
int signal_frame_pop(struct task *t, struct context *ctx) MUST_CHECK;
/* sigaltstack(2)'s rules; @sp is the guest's stack pointer. */
int signal_stack_set(struct task *t, uint64_t sp, const struct linux_stack *ss) MUST_CHECK;
void signal_stack_get(struct task *t, uint64_t sp, struct linux_stack *out);
void signal_stack_reset(struct task *t);

/*
 * @t was kicked, outside of a call and with valid registers.  True: it stands at a call's instruction, the
 * call goes first (resume it; in_guest is set) and the signals' handlers run at its end.  See signal_defer.c.
 */
bool signal_waits_for_call(struct task *t, struct context *ctx);

enum work_result {
	WORK_DONE,	  /* in_guest is set: resume */
	WORK_NEED_REGS,	  /* a handler must run and there are no registers */
	WORK_EXIT,	  /* the task must exit */
	WORK_RESTART,	  /* no handler ran: run the system call again */
};
/* The exit work; see task_run.c. */
enum work_result task_work(struct task *t, struct context *ctx, bool regs_valid);
