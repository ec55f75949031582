/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running guest code, and what its stops mean.
 *
 * No signal is ever delivered to guest code.
 *
 * A leader's death shows in waitid(2) only when no other thread of its process is
 * left, and those may be asleep in the sentry for ever.  So PTRACE_O_TRACEEXIT
 * is set while the leader of several threads runs guest code, and only then: a
 * stopped leader that is killed must not stop once more.
 */
#include "sentry/platform/ptrace/ptrace.h"

#include <asm/ptrace-abi.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include "sentry/platform/ptrace/stub.h"
#include "util/log.h"

#define STOP_SYSCALL (SIGTRAP | 0x80)
#define TRACE_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)
#define CODE_SECCOMP 1 /* SYS_SECCOMP */

struct platform_event ptrace_event_died(const struct ptrace_context *c)
{
	return (struct platform_event){ .kind = PLATFORM_EVENT_DIED,
					.host_status = c->tracee.status };
}

static bool get_regs(struct ptrace_context *c)
{
	return tracee_request(&c->tracee, PTRACE_GETREGS, 0, &c->regs) == 0;
}

/* --- system calls -------------------------------------------------------------------- */

static bool syscall_event(struct ptrace_context *c, struct platform_event *e)
{
	struct ptrace_syscall_info info = { 0 };
	int rc = tracee_request(&c->tracee, PTRACE_GET_SYSCALL_INFO, sizeof(info), &info);

	if (rc < 0 || !get_regs(c) || info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	*e = (struct platform_event){
		.kind = PLATFORM_EVENT_SYSCALL,
		.regs_valid = true,
		.arch = info.arch,
		.nr = (uint32_t)info.entry.nr,
		.rip = c->regs.rip,
	};
	for (unsigned i = 0; i < 6; i++)
		e->args[i] = info.entry.args[i];
	c->regs.rax = c->regs.orig_rax;
	c->regs.orig_rax = UINT64_MAX;
	return true;
}

/* The host has emulated the return from the vsyscall already. */
static void vsyscall_event(struct ptrace_context *c, const siginfo_t *info,
			   struct platform_event *e)
{
	const struct guest_regs *r = &c->regs;

	*e = (struct platform_event){
		.kind = PLATFORM_EVENT_SYSCALL,
		.regs_valid = true,
		.arch = AUDIT_ARCH_X86_64,
		.nr = (uint32_t)info->si_syscall,
		.args = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 },
		.rip = r->rip,
	};
}

/* --- faults ---------------------------------------------------------------------------- */

/*
 * siginfo does not have the trap number and the error code; the host tells them
 * only to the thread itself.  So the signal is delivered after all: onto the
 * scratch area, to a handler that is a breakpoint.
 */
static int read_trap(struct ptrace_context *c, int signo, struct platform_event *e)
{
	uint8_t xstate[PTRACE_XSTATE_MAX];
	struct guest_regs regs = { .rsp = STUB_SCRATCH + STUB_SCRATCH_SIZE };
	uint64_t words[2] = { 0, 0 }; /* REG_ERR, REG_TRAPNO */
	int rc = ptrace_xstate_save(c, xstate);

	if (rc < 0)
		return rc;
	mutex_lock(&c->as->fd_lock);
	rc = tracee_deliver(&c->tracee, signo, &regs);
	/* rdx: the handler's ucontext.  Only this guest's own threads can falsify it. */
	if (rc == 0 && ptrace_as_read(&c->as->base,
				      regs.rdx + offsetof(ucontext_t, uc_mcontext.gregs[REG_ERR]),
				      words, sizeof(words)) != sizeof(words))
		log_debug("no signal frame in stub thread %d", c->tracee.tid);
	mutex_unlock(&c->as->fd_lock);
	if (rc < 0)
		return rc;
	e->error_code = words[0];
	e->trapno = words[1];
	return ptrace_xstate_restore(c, xstate);
}

static bool fault_event(struct ptrace_context *c, const siginfo_t *info, struct platform_event *e)
{
	*e = (struct platform_event){
		.kind = PLATFORM_EVENT_FAULT,
		.regs_valid = true,
		.signo = info->si_signo,
		.code = info->si_code,
		.fault_addr = info->si_code == SI_KERNEL ? 0 : (uint64_t)(uintptr_t)info->si_addr,
	};
	return read_trap(c, info->si_signo, e) == 0;
}

static bool is_fault(const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
		return info->si_code > 0;
	default:
		return false;
	}
}

/* A signal about to be delivered.  True: *e is for the client. */
static bool signal_event(struct ptrace_context *c, struct platform_event *e)
{
	siginfo_t info;

	if (tracee_request(&c->tracee, PTRACE_GETSIGINFO, 0, &info) < 0 || !get_regs(c))
		return false;
	if (info.si_signo == SIGSYS && info.si_code == CODE_SECCOMP) {
		vsyscall_event(c, &info, e);
		return true;
	}
	if (is_fault(&info))
		return fault_event(c, &info, e);
	if (!atomic_exchange(&c->kicked, false))
		return false;
	*e = (struct platform_event){ .kind = PLATFORM_EVENT_KICK, .regs_valid = true };
	return true;
}

/* --- the loop ----------------------------------------------------------------------------- */

static void watch_exit(struct ptrace_context *c, bool on)
{
	struct tracee *t = &c->tracee;
	uint64_t options = TRACE_OPTIONS | (on ? PTRACE_O_TRACEEXIT : 0);

	if (t->exit_watched == on)
		return;
	t->exit_watched = on;
	/* On failure it is dead, which the next request finds too. */
	if (tracee_request(t, PTRACE_SETOPTIONS, 0, (void *)(uintptr_t)options) < 0)
		log_debug("stub thread %d was killed", t->tid);
}

/* The leader stopped on its way out. */
static void leader_exits(struct tracee *t)
{
	unsigned long status = SIGKILL;

	if (tracee_request(t, PTRACE_GETEVENTMSG, 0, &status) < 0 ||
	    tracee_request(t, PTRACE_DETACH, 0, NULL) < 0)
		return;
	t->attached = false;
	t->dead = true;
	t->status = (int)status;
}

static bool event_of(struct ptrace_context *c, int stop, struct platform_event *e)
{
	if (stop == STOP_SYSCALL)
		return syscall_event(c, e);
	if (stop >> 8 == PTRACE_EVENT_EXIT)
		leader_exits(&c->tracee);
	if (stop >> 8)
		return false;
	return signal_event(c, e);
}

void ptrace_run_until_event(struct ptrace_context *c, struct platform_event *event)
{
	struct tracee *t = &c->tracee;
	int stop;

	watch_exit(c, t->leader && ptrace_process_live(c->as, c->process, 0, NULL) > 1);
	if (tracee_set_regs(t, &c->regs) < 0)
		goto dead;
	while (tracee_request(t, PTRACE_SYSEMU, 0, NULL) == 0 && tracee_wait(t, &stop) == 0)
		if (event_of(c, stop, event)) {
			watch_exit(c, false);
			return;
		}
dead:
	*event = ptrace_event_died(c);
}
