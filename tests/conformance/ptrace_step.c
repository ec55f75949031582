/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: single steps, breakpoints, debug registers.
 */
#include "ptrace.h"

extern const char step_start[];

__asm__(".text\n.globl step_code\n.type step_code, @function\nstep_code:\n"
	"int3\nstep_start: nop\nmov $39, %eax\nsyscall\nnop\nnop\nret\n");
void step_code(void);

static void step_body(void)
{
	step_code();
	_exit(7);
}

static void show_place(const char *label, pid_t pid)
{
	unsigned long rip = (unsigned long)regs_of(pid).rip;

	note("%s: start %+ld", label, (long)(rip - (unsigned long)step_start));
}

static void show_code(pid_t pid)
{
	siginfo_t info;

	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("code %d address is rip %d", info.si_code,
	     (unsigned long)info.si_addr == (unsigned long)regs_of(pid).rip);
}

CASE(ptrace_singlestep)
{
	pid_t pid = tracee_start(step_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("breakpoint", pid);
	show_place("at", pid);
	for (int i = 0; i < 5; i++) {
		show("step", TRACE(PTRACE_SINGLESTEP, pid, 0, 0));
		show_stop("stop", pid);
		show_place("at", pid);
		show_code(pid);
		show_hex("trap flag", regs_of(pid).eflags & 0x100);
	}
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

CASE(ptrace_sysemu_singlestep)
{
	pid_t pid = tracee_start(step_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	next_stop(pid);
	for (int i = 0; i < 5; i++) {
		show("step", TRACE(PTRACE_SYSEMU_SINGLESTEP, pid, 0, 0));
		show_stop("stop", pid);
		show_place("at", pid);
	}
	tracee_end(pid);
}

static volatile sig_atomic_t handled;

static void on_usr1(int signo)
{
	handled = signo;
}

static void handler_body(void)
{
	signal(SIGUSR1, on_usr1);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR1);
	_exit(handled);
}

CASE(ptrace_step_into_handler)
{
	pid_t pid = tracee_start(handler_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("signal", pid);
	show("step", TRACE(PTRACE_SINGLESTEP, pid, 0, SIGUSR1));
	show_stop("stop", pid);
	show_int("at the handler", regs_of(pid).rip == (unsigned long)on_usr1);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	show_int("code", info.si_code);
	show("step", TRACE(PTRACE_SINGLESTEP, pid, 0, 0));
	show_stop("stop", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

static void trap_body(void)
{
	__asm__ volatile("int3");
	_exit(1);
}

CASE(ptrace_breakpoint)
{
	pid_t pid = tracee_start(trap_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("signo %d code %x", info.si_signo, (unsigned)info.si_code);
	show_int("orig_rax", (long)regs_of(pid).orig_rax);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("suppressed", pid);
	pid = tracee_start(trap_body);
	TRACE(PTRACE_CONT, pid, 0, 0);
	next_stop(pid);
	TRACE(PTRACE_CONT, pid, 0, SIGTRAP);
	show_stop("delivered", pid);
}

/* --- debug registers --------------------------------------------------------------------- */

#define DEBUGREG(n) offsetof(struct user, u_debugreg[n])

CASE(ptrace_debugreg_errors)
{
	pid_t pid = tracee_start(step_body);
	long value = 0;

	show("a kernel address", TRACE(PTRACE_POKEUSR, pid, DEBUGREG(0), kernel_ptr()));
	show("dr4", TRACE(PTRACE_POKEUSR, pid, DEBUGREG(4), 1));
	show("dr5", TRACE(PTRACE_POKEUSR, pid, DEBUGREG(5), 1));
	show("peek dr4", TRACE(PTRACE_PEEKUSR, pid, DEBUGREG(4), &value));
	show("I/O", TRACE(PTRACE_POKEUSR, pid, DEBUGREG(7), 1 | 2 << 16));
	show("long execution", TRACE(PTRACE_POKEUSR, pid, DEBUGREG(7), 1 | 3 << 18));
	show("dr7 is", TRACE(PTRACE_PEEKUSR, pid, DEBUGREG(7), &value));
	show_hex("value", (unsigned long)value);
	tracee_end(pid);
}
