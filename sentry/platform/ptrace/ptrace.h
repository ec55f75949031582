/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ptrace platform's objects.
 *
 *   ptrace_platform       the template, the socket that donates FDs
 *   ptrace_address_space  one guest mm and its host processes
 *   ptrace_process        one host process (thread group) of an address space
 *   ptrace_context        one guest thread, with its tracer thread in the sentry
 *   tracee                the host thread that runs it; execve changes it
 *
 * Guest code runs under PTRACE_SYSEMU only.  A host thread that is not traced
 * (new, or left behind by its guest thread) sits in the stub's park loop; its
 * seccomp filter kills it for any call from elsewhere.
 *
 * Locks, in order: ptrace_context.lock and fd_lock, ptrace_address_space.lock,
 * ptrace_platform.lock.  fd_lock and platform.lock are held while a stub makes
 * a call that cannot block: fd_lock only against threads of the same guest mm,
 * platform.lock for a recvmsg(MSG_DONTWAIT) or a clone of the template.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/platform/platform_ops.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

#define PTRACE_KICK_SIGNAL 23 /* SIGURG, ignored by default: never harmful */
#define PTRACE_XSTATE_MAX 16384

/* A host thread.  Everything here is its tracer thread's. */
struct tracee {
	pid_t tid;	   /* does not change */
	bool leader;	   /* of its host process: never reaped here; does not change */
	bool attached;
	bool dead;	   /* status says how */
	bool reaped;
	bool exit_watched; /* PTRACE_O_TRACEEXIT is set */
	int status;	   /* wait4(2) form */
};

struct ptrace_process {
	struct list_node node;		/* in as->processes; as->lock */
	pid_t pid;			/* does not change; not reaped while this exists */
	unsigned live;			/* contexts; as->lock */
	_Atomic uint32_t pins;		/* remote copies under way: no reaping */
};

struct ptrace_address_space {
	struct address_space base;
	struct refcount refs;
	struct mutex fd_lock;		/* the stub's FD number, its scratch area, forking */
	struct mutex lock;
	struct list_node processes;	/* lock */
	struct ptrace_process *named;	/* whose memory remote copies name; lock */
};

enum tracer_request {
	TRACER_IDLE,
	TRACER_CALL,  /* run call(ctx, call_argument) */
	TRACER_START, /* run the guest */
	TRACER_QUIT,  /* release the tracee and end */
};

struct ptrace_context {
	struct context base;
	struct ptrace_platform *platform;  /* does not change */
	void *owner;			   /* does not change */
	struct ptrace_address_space *as;   /* borrowed; changes in exec */
	struct mutex lock;
	struct ptrace_process *process;	   /* lock to change, or to use off the tracer */
	struct tracee tracee;
	struct guest_regs regs;		   /* whoever owns the stopped context */
	_Atomic pid_t tid;		   /* of the tracee, for kicks */
	_Atomic bool kicked;		   /* a kick is due */
	_Atomic bool running;		   /* in the guest: a kick needs a signal */
	/* Requests to the tracer, by the one owner of a context that was not started. */
	_Atomic uint32_t request;	   /* futex: enum tracer_request */
	_Atomic uint32_t done;		   /* futex */
	int (*call)(struct ptrace_context *c, void *argument);
	void *call_argument;
	int call_result;
};

struct ptrace_platform {
	struct platform base;
	struct platform_config config;
	struct tracee template;		   /* lock */
	struct mutex lock;
	int donate_socket, receive_socket; /* lock; the stubs' FD 0 is the receiving end */
	uint64_t vdso_base;
	size_t xstate_size;		   /* of a signal frame's image with its closing magic */
	uint64_t xstate_features;
	size_t regset_size;		   /* of NT_X86_XSTATE */
	uint8_t xstate_initial[PTRACE_XSTATE_MAX]; /* as the regset has it */
};

struct ptrace_family {
	struct stub_family base;
	struct tracee tracee; /* of its template; platform->lock */
};

extern const struct platform_ops ptrace_ops;

static inline struct ptrace_platform *ptrace_platform(struct platform *p)
{
	return container_of(p, struct ptrace_platform, base);
}

static inline struct ptrace_context *ptrace_context(struct context *c)
{
	return container_of(c, struct ptrace_context, base);
}

static inline struct ptrace_address_space *ptrace_address_space(struct address_space *as)
{
	return container_of(as, struct ptrace_address_space, base);
}

/* --- tracee.c: all by the tracer thread; -ESRCH: it is dead ------------------ */

struct host_call {
	uint64_t nr;
	uint64_t args[6];
};

/* Seizes and stops it. */
int tracee_attach(struct tracee *t) MUST_CHECK;
/* Waits for the next stop: signal | event << 8. */
int tracee_wait(struct tracee *t, int *stop) MUST_CHECK;
/* A request on the stopped tracee. */
int tracee_request(struct tracee *t, unsigned request, uint64_t addr, void *data) MUST_CHECK;
/* What the kernel would refuse or must not act upon is put right. */
int tracee_set_regs(struct tracee *t, const struct guest_regs *regs) MUST_CHECK;
/*
 * Lets the stopped tracee run the stub's code at @entry with @regs (rip aside) up
 * to its breakpoint; *regs is then what it left.  -EFAULT: the code faulted.
 */
int tracee_execute(struct tracee *t, uint64_t entry, struct guest_regs *regs) MUST_CHECK;
/* Stopped with @signo, which is delivered on the stack in @regs: *regs is then what the
 * handler begins with. */
int tracee_deliver(struct tracee *t, int signo, struct guest_regs *regs) MUST_CHECK;
/* A host call by the stub; @guest: the registers it has otherwise. */
int tracee_call(struct tracee *t, const struct guest_regs *guest, const struct host_call *call,
		int64_t *result) MUST_CHECK;
/* clone(2): the child parks; *child is its host tid. */
int tracee_clone(struct tracee *t, const struct guest_regs *guest, uint64_t flags, pid_t *child)
	MUST_CHECK;
/* Sends it into the park loop and lets go. */
void tracee_park(struct tracee *t);
/* Ends and reaps the host thread of a process that goes on (not the leader's). */
void tracee_exit(struct tracee *t);
/* Of a non-leader whose process was killed. */
void tracee_reap(struct tracee *t);

/* --- tracer.c -------------------------------------------------------------------- */

/* Starts @c's tracer thread, which waits for requests. */
int tracer_start(struct ptrace_context *c) MUST_CHECK;
bool tracer_is_current(const struct ptrace_context *c);
/* Runs @fn on the tracer with the tracee stopped; its result, or -ESRCH. */
int tracer_call(struct ptrace_context *c, int (*fn)(struct ptrace_context *, void *),
		void *argument) MUST_CHECK;
void tracer_run_guest(struct ptrace_context *c);
/* Runs @release on the tracer, which ends then; returns when it has. */
void tracer_quit(struct ptrace_context *c,
		 int (*release)(struct ptrace_context *, void *));

/* --- event.c ------------------------------------------------------------------------ */

/* Runs guest code until the client must know. */
void ptrace_run_until_event(struct ptrace_context *c, struct platform_event *event);
struct platform_event ptrace_event_died(const struct ptrace_context *c);

/* --- address_space.c ------------------------------------------------------------------- */

/* Without a process. */
struct ptrace_address_space *ptrace_as_alloc(void);
void ptrace_as_free(struct ptrace_address_space *as);
struct ptrace_process *ptrace_process_alloc(void);
/* Makes it one of @as; @process->pid is set. */
void ptrace_process_add(struct ptrace_address_space *as, struct ptrace_process *process);
/* Contexts of the process, changed by @change; the new count.  @alone: it is the
 * only process of @as. */
unsigned ptrace_process_live(struct ptrace_address_space *as, struct ptrace_process *process,
			     int change, bool *alone);
/* SIGKILL, reap, free.  Its other threads were reaped or were never traced. */
void ptrace_process_end(struct ptrace_address_space *as, struct ptrace_process *process);
void ptrace_as_get(struct address_space *as);
void ptrace_as_put(struct address_space *as);
ssize_t ptrace_as_read(struct address_space *as, uint64_t addr, void *buf, size_t size);
ssize_t ptrace_as_write(struct address_space *as, uint64_t addr, const void *buf, size_t size);
pid_t ptrace_as_host_pid(const struct address_space *as);

/* --- template.c ------------------------------------------------------------------------- */

int ptrace_template_start(struct ptrace_platform *p) MUST_CHECK;
/* A pristine stub, parked. */
int ptrace_family_new(struct platform *p, struct stub_family **out) MUST_CHECK;
void ptrace_family_free(struct stub_family *family);
int ptrace_address_space_new(struct platform *p, struct stub_family *family,
			     struct address_space **out) MUST_CHECK;

/* --- xstate.c ------------------------------------------------------------------------------ */

/* Learns sizes and the initial state from the freshly executed template. */
int ptrace_xstate_init(struct ptrace_platform *p, struct tracee *t) MUST_CHECK;
/* The tracee's whole state as the host has it; by the tracer. */
int ptrace_xstate_save(struct ptrace_context *c, uint8_t regset[PTRACE_XSTATE_MAX]) MUST_CHECK;
int ptrace_xstate_restore(struct ptrace_context *c, const uint8_t regset[PTRACE_XSTATE_MAX])
	MUST_CHECK;
