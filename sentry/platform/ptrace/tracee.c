/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host thread under ptrace: attaching, waiting, host calls on order, letting go.
 *
 * A ptrace-stopped thread leaves its stop only for its tracer or for SIGKILL, so
 * a request that fails with ESRCH means that it was killed.  A leader is never
 * reaped here: its pid names the process, which ends in address_space.c.
 */
#include "sentry/platform/ptrace/ptrace.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_ptrace.h"
#include "sentry/platform/ptrace/stub.h"
#include "util/log.h"

#define TRACE_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)
#define SELECTOR_CODE 0x33
#define SELECTOR_CODE_32 0x23
#define SELECTOR_DATA 0x2b
#define EFLAGS_TF 0x100UL
#define ADDRESS_LIMIT 0x7ffffffff000UL /* the host's TASK_SIZE_MAX */
#define ERRNO_MAX 4095

_Static_assert(sizeof(struct guest_regs) == 27 * sizeof(uint64_t), "struct user_regs_struct of the host");

/* --- death ----------------------------------------------------------------------- */

static int died(struct tracee *t, int status)
{
	t->dead = true;
	t->status = status;
	if (!t->leader)
		t->reaped = true;
	return -ESRCH;
}

void tracee_reap(struct tracee *t)
{
	struct host_trace_stop stop;

	while (!t->leader && t->attached && !t->reaped) {
		if (host_trace_wait(t->tid, false, &stop) < 0)
			stop = (struct host_trace_stop){ true, SIGKILL };
		if (stop.dead)
			died(t, stop.status);
	}
}

/* A request found it gone.  A leader's death may not show yet, but only SIGKILL
 * takes a thread out of a ptrace stop.  Who was never attached is not ours to reap. */
static int lost(struct tracee *t)
{
	t->dead = true;
	t->status = SIGKILL;
	tracee_reap(t);
	return -ESRCH;
}

int tracee_request(struct tracee *t, unsigned request, uint64_t addr, void *data)
{
	int rc = t->dead ? -ESRCH
			 : host_ptrace(request, t->tid, addr, (uint64_t)(uintptr_t)data);

	return rc == -ESRCH && !t->dead ? lost(t) : rc;
}

int tracee_wait(struct tracee *t, int *stop)
{
	struct host_trace_stop s;
	int rc;

	if (t->dead)
		return -ESRCH;
	rc = host_trace_wait(t->tid, t->leader, &s);
	if (rc < 0) {
		log_warning("wait for stub thread %d: error %d", t->tid, -rc);
		return died(t, SIGKILL);
	}
	if (s.dead)
		return died(t, s.status);
	*stop = s.status;
	return 0;
}

/* --- attaching ---------------------------------------------------------------------- */

int tracee_attach(struct tracee *t)
{
	int stop;

	if (t->attached || t->dead)
		return t->dead ? -ESRCH : 0;
	if (host_ptrace(PTRACE_SEIZE, t->tid, 0, TRACE_OPTIONS) < 0)
		return lost(t);
	t->attached = true;
	if (host_ptrace(PTRACE_INTERRUPT, t->tid, 0, 0) < 0)
		return lost(t);
	return tracee_wait(t, &stop);
}

void tracee_park(struct tracee *t)
{
	struct guest_regs regs = { .rip = stub_entry_address(STUB_PARK) };

	if (tracee_set_regs(t, &regs) < 0 || tracee_request(t, PTRACE_DETACH, 0, NULL) < 0)
		return;
	t->attached = false;
}

void tracee_exit(struct tracee *t)
{
	const struct guest_regs none = { 0 };
	const struct host_call call = { .nr = __NR_exit };
	int64_t result;

	if (tracee_attach(t) < 0 || tracee_call(t, &none, &call, &result) != -ESRCH)
		log_debug("stub thread %d was killed before its exit", t->tid);
	tracee_reap(t);
}

/* --- registers ------------------------------------------------------------------------- */

static uint64_t valid_selector(uint64_t selector)
{
	return (selector & 3) == 3 ? selector & 0xffff : 0;
}

static uint64_t valid_base(uint64_t base)
{
	return base < ADDRESS_LIMIT ? base : 0;
}

int tracee_set_regs(struct tracee *t, const struct guest_regs *regs)
{
	struct guest_regs r = *regs;
	int rc;

	/* Not in a system call: the host has nothing to restart. */
	r.orig_rax = UINT64_MAX;
	if (r.cs != SELECTOR_CODE_32)
		r.cs = SELECTOR_CODE;
	r.ss = SELECTOR_DATA;
	r.ds = valid_selector(r.ds);
	r.es = valid_selector(r.es);
	r.fs = valid_selector(r.fs);
	r.gs = valid_selector(r.gs);
	r.fs_base = valid_base(r.fs_base);
	r.gs_base = valid_base(r.gs_base);
	rc = tracee_request(t, PTRACE_SETREGS, 0, &r);
	if (rc == 0 || rc == -ESRCH)
		return rc;
	/* A bug of ours; it must not go on with other registers than it should have. */
	log_error("registers of stub thread %d: error %d", t->tid, -rc);
	host_process_kill(t->tid);
	return lost(t);
}

/* --- the stub's code ---------------------------------------------------------------------- */

static bool at_breakpoint(int stop, const struct guest_regs *regs)
{
	return stop == SIGTRAP && regs->rip > stub_entry_address(STUB_PARK) &&
	       regs->rip <= stub_text_end();
}

/* Runs with @regs, and delivers @signo first, up to the next breakpoint of the stub. */
static int run_stub(struct tracee *t, struct guest_regs *regs, int signo)
{
	int stop, rc = tracee_set_regs(t, regs);

	while (rc == 0) {
		rc = tracee_request(t, PTRACE_CONT, 0, (void *)(intptr_t)signo);
		signo = 0;
		if (rc == 0)
			rc = tracee_wait(t, &stop);
		if (rc == 0 && (stop == SIGTRAP || stop == SIGSEGV || stop == SIGBUS)) {
			rc = tracee_request(t, PTRACE_GETREGS, 0, regs);
			if (rc == 0)
				return at_breakpoint(stop, regs) ? 0 : -EFAULT;
		}
		/* A kick or an interrupt: suppressed, and a call it ended is restarted. */
	}
	return rc;
}

int tracee_execute(struct tracee *t, uint64_t entry, struct guest_regs *regs)
{
	regs->rip = entry;
	regs->cs = SELECTOR_CODE;
	regs->eflags &= ~EFLAGS_TF;
	return run_stub(t, regs, 0);
}

int tracee_deliver(struct tracee *t, int signo, struct guest_regs *regs)
{
	return run_stub(t, regs, signo);
}

static int execute_call(struct tracee *t, uint64_t entry, const struct guest_regs *guest,
			const struct host_call *call, int64_t *result)
{
	struct guest_regs regs = *guest;
	int rc;

	regs.rax = call->nr;
	regs.rdi = call->args[0];
	regs.rsi = call->args[1];
	regs.rdx = call->args[2];
	regs.r10 = call->args[3];
	regs.r8 = call->args[4];
	regs.r9 = call->args[5];
	rc = tracee_execute(t, entry, &regs);
	if (rc < 0)
		return rc;
	*result = (int64_t)regs.rax;
	return 0;
}

int tracee_call(struct tracee *t, const struct guest_regs *guest, const struct host_call *call,
		int64_t *result)
{
	return execute_call(t, stub_entry_address(STUB_HOST_CALL), guest, call, result);
}

int tracee_clone(struct tracee *t, const struct guest_regs *guest, uint64_t flags, pid_t *child)
{
	const struct host_call call = { __NR_clone, { flags } };
	int64_t result;
	int rc = execute_call(t, stub_entry_address(STUB_CLONE), guest, &call, &result);

	if (rc < 0)
		return rc;
	if (result <= 0)
		return result < 0 && result >= -ERRNO_MAX ? (int)result : -EAGAIN;
	*child = (pid_t)result;
	return 0;
}
