/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace(2): one task, the tracer, watches and changes others, its tracees.
 *
 * A tracee stops on its own pool thread, inside handle(), with all its registers
 * there.  Meanwhile its tracer reads and changes what the signal lock guards, and
 * posts jobs for what only the tracee's own thread may do (vector state, memory
 * that is not writable): struct ptrace_job.
 *
 * Locks: tasklist, then the signal lock of the tracee's group.  `tracer` changes
 * under both.  No two groups' signal locks are ever held at once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/list.h"

struct context;
struct credentials;
struct linux_siginfo;
struct platform_event;
struct ptrace_job;
struct ptrace_watch;
struct task;
struct task_pid;
struct thread_group;

/* How a tracee was told to go on. */
enum ptrace_run {
	PTRACE_RUN_SYSCALLS = 1 << 0, /* stop at entry and exit of system calls */
	PTRACE_RUN_EMULATE = 1 << 1,  /* stop at entry, and do not run them */
	PTRACE_RUN_STEP = 1 << 2,
};

/* Part of struct task. */
struct task_ptrace {
	/* as a tracer */
	struct list_node tracees; /* tasks by `node`; tasklist */
	/* as a tracee */
	struct list_node node;	  /* tasklist */
	_Atomic(struct task *) tracer; /* borrowed: it lets go before it dies; changed under
					  tasklist and the signal lock */
	const struct credentials *tracer_cred; /* reference: the tracer's at attach; signal lock */
	_Atomic uint32_t run;	  /* enum ptrace_run; changed under the signal lock */
	/* protected by the signal lock */
	uint32_t options;
	bool seized;
	bool stopped;		  /* registers and siginfo are the tracer's until it is false */
	bool listening;
	bool trap_stop, trap_notify; /* a PTRACE_EVENT_STOP is due */
	bool killed_again;	  /* with its namespace: it does not stop at its exit */
	int code;		  /* of the stop until a wait reports it; then what resumes it */
	uint64_t message;
	struct linux_siginfo *siginfo; /* borrowed from the stopped tracee; NULL: a group stop */
	struct ptrace_job *job;	  /* reference */
	bool executing;		  /* in execve: nobody attaches */
	uint32_t executions;	  /* counts them */
	uint32_t links;		  /* counts tracers, for what belongs to one of them */
	bool zombie;		  /* dead and not leader: kept for the tracer; tasklist */
	/* only the task itself */
	bool regs_valid;	  /* in the event being served */
	bool kicked_in_call;	  /* the KICK that comes is at the end of a system call */
	bool call_deferred;	  /* and that call has yet to be run */
	bool forced_step;	  /* the trap flag in its registers is ours */
	bool stepped;		  /* it was, until the event being served */
	bool exit_kicked;	  /* its registers were asked for, for the stop at its exit */
	int stop_signo;		  /* of the last group stop it took part in */
	struct ptrace_watch *watch; /* debug registers, or NULL; changed by jobs; owned */
};

void ptrace_task_init(struct task *t);
void ptrace_task_free(struct task *t);

static inline bool ptrace_traced(const struct task_ptrace *p)
{
	return atomic_load_explicit(&p->tracer, memory_order_relaxed) != NULL;
}

/* --- links: ptrace_attach.c -------------------------------------------------------------- */

int64_t ptrace_traceme(struct task *t) MUST_CHECK;
/* -EPERM, -EIO; waits for an execve of @target to end. */
int64_t ptrace_attach(struct task *tracer, struct task *target, bool seize, uint64_t addr,
		      uint64_t flags) MUST_CHECK;
/* PTRACE_SETOPTIONS' argument: 0, -EINVAL, -EPERM. */
int64_t ptrace_check_options(struct task *tracer, uint64_t options) MUST_CHECK;
int64_t ptrace_detach(struct task *tracer, struct task *target, uint64_t signo) MUST_CHECK;
/* Ends the tracing of @t: tasklist held. */
void ptrace_unlink_locked(struct task *t);
/* A new child of @parent, being published: tasklist and signal lock held. */
void ptrace_inherit_locked(struct task *parent, struct task *child);
/* Whether the tracer of @t's group leader belongs to @g: tasklist held. */
bool ptrace_traced_by_group(const struct task *t, const struct thread_group *g);
/* The tracer's number in @ns for TracerPid; 0 none. */
struct pid_namespace;
int32_t ptrace_tracer_pid(struct task *t, struct pid_namespace *ns);
/* execve keeps attachers out; whether set-id bits may work. */
void ptrace_exec_begin(struct task *t);
void ptrace_exec_end(struct task *t);
bool ptrace_exec_may_gain(struct task *t);

/* --- stops of the current task: ptrace_stop.c; no lock held ------------------------------ */

/*
 * Stops with the wait status @code (signal | event << 8) and returns the signal that
 * the tracer resumed it with, or PTRACE_NOT_STOPPED: nobody traces it, or it is being
 * killed.  @info NULL: a group stop.  @how: LINUX_CLD_*.
 */
#define PTRACE_NOT_STOPPED (-1)
int ptrace_stop(struct task *t, int code, int how, uint64_t message, struct linux_siginfo *info);
bool ptrace_event_enabled(struct task *t, int event);
/* PTRACE_EVENT_@event with @message, if the tracer asked for it. */
void ptrace_event(struct task *t, int event, uint64_t message);
/* fork, vfork and clone: which event the call is, 0 none. */
int ptrace_clone_event(struct task *t, uint64_t flags, int exit_signal);
/* PTRACE_EVENT_@event; its message is @id in the tracer's namespace. */
void ptrace_event_child(struct task *t, int event, const struct task_pid *id);
/* After execve by who was @old: the event, or the SIGTRAP of old. */
void ptrace_event_exec(struct task *t, const struct task_pid *old);
/* SECCOMP_RET_TRACE: false when nobody traces it or the call is not to be run; *result is what
 * it gets then.  The number and arguments may be others afterwards. */
bool ptrace_event_seccomp(struct task *t, uint32_t data, int64_t *result);
/* Signal @signo was dequeued: what is to be delivered instead, 0 nothing. */
int ptrace_signal(struct task *t, int signo, struct linux_siginfo *info);
/* Group stops and PTRACE_EVENT_STOP; the signal lock is held. */
bool ptrace_trap_due_locked(const struct task *t);
void ptrace_trap(struct task *t);
/* Before task_exit.  True: resume and kick, it needs its registers for the stop. */
bool ptrace_exit_needs_registers(struct task *t, bool regs_valid);
void ptrace_event_exit(struct task *t);

/* --- guest code and system calls of a tracee: ptrace_run.c ------------------------------- */

/* A new event, before it is served. */
void ptrace_event_begin(struct task *t, struct context *ctx, const struct platform_event *event);
/* Before guest code runs. */
void ptrace_resume_guest(struct task *t, struct context *ctx, bool regs_valid);
/* True: the call can only be served with registers: resume and kick. */
bool ptrace_defer_call(struct task *t, struct context *ctx, bool regs_valid);
/* False: the call is not to be run, its result is in rax. */
bool ptrace_syscall_enter(struct task *t, struct context *ctx);
/* What is in rax in the end; @set: @result goes there first. */
int64_t ptrace_syscall_leave(struct task *t, struct context *ctx, int64_t result, bool set);
/* The guest itself runs the interrupted call again, when it was traced.  False: it was not. */
bool ptrace_restart_in_guest(struct task *t, struct context *ctx);
/* A SIGTRAP after one instruction: false when it was only for a watchpoint that did not hit. */
bool ptrace_step_done(struct task *t, struct context *ctx, struct linux_siginfo *info);
/* A handler was entered. */
void ptrace_handler_entered(struct task *t);

/* --- for waiters and senders ------------------------------------------------------------- */

/* SIGCONT or a stop signal reached the group: the signal lock is held. */
void ptrace_notify_locked(struct task *t);
/* The end of a namespace: the threads of @g stop no more on their way out. */
void ptrace_kill_again(struct thread_group *g);

/* --- waiting: ptrace_wait.c; tasklist held ----------------------------------------------- */

struct graveyard;
struct wait_request;
/* A tracee of @t's group (or of @t, by __WNOTHREAD) with news: 1; 0 none has; -ECHILD no tracee. */
int ptrace_wait_locked(struct task *t, struct wait_request *rq, struct graveyard *dead) MUST_CHECK;

/* --- requests: ptrace_request.c ---------------------------------------------------------- */

int64_t ptrace_request(struct task *tracer, struct task *target, uint64_t request, uint64_t addr,
		       uint64_t data) MUST_CHECK;
/*
 * Memory of @t as a debugger has it: against its protection, too, if a thread with that
 * memory is a stopped tracee of @tracer.  Otherwise only what @t itself could access.
 * -EFAULT, -ESRCH, -ENOMEM.
 */
int ptrace_access(struct task *tracer, struct task *t, uint64_t addr, void *buf, size_t size,
		  bool write) MUST_CHECK;
