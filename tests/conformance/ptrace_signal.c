/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: signals on their way to a tracee, group stops, and what the tracer hears of them.
 */
#include "ptrace.h"

static volatile sig_atomic_t caught, caught_code, caught_from_parent;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	caught = signo;
	caught_code = info->si_code;
	caught_from_parent = info->si_pid == getppid();
}

static void catch(int signo)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	sigaction(signo, &action, NULL);
}

static void raise_body(void)
{
	catch(SIGUSR1);
	catch(SIGUSR2);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR1);
	_exit(caught);
}

CASE(ptrace_signal_delivered)
{
	pid_t pid = tracee_start(raise_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	memset(&info, 0, sizeof(info));
	show("siginfo", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("signo %d code %d from itself %d", info.si_signo, info.si_code, info.si_pid == pid);
	show("siginfo to a bad address", TRACE(PTRACE_GETSIGINFO, pid, 0, bad_ptr()));
	show("set siginfo from a bad address", TRACE(PTRACE_SETSIGINFO, pid, 0, bad_ptr()));
	show("deliver", TRACE(PTRACE_CONT, pid, 0, SIGUSR1));
	show_stop("end", pid);
}

CASE(ptrace_signal_suppressed)
{
	pid_t pid = tracee_start(raise_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	show("suppress", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

CASE(ptrace_signal_changed)
{
	pid_t pid = tracee_start(raise_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	show("another", TRACE(PTRACE_CONT, pid, 0, SIGUSR2));
	show_stop("end", pid);
}

static void code_body(void)
{
	catch(SIGUSR1);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR1);
	_exit(caught_code == SI_QUEUE ? 1 : caught_code == SI_USER && caught_from_parent ? 2 : 3);
}

CASE(ptrace_setsiginfo)
{
	pid_t pid = tracee_start(code_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	info.si_code = SI_QUEUE;
	show("set", TRACE(PTRACE_SETSIGINFO, pid, 0, &info));
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	show_stop("end", pid);
}

CASE(ptrace_signal_injected_info)
{
	pid_t pid = tracee_start(code_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	info.si_signo = SIGUSR2;
	MUST(TRACE(PTRACE_SETSIGINFO, pid, 0, &info));
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	show_stop("end", pid);
}

static void ignored_body(void)
{
	signal(SIGUSR1, SIG_IGN);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR1);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGCHLD);
	_exit(0);
}

CASE(ptrace_signal_ignored)
{
	pid_t pid = tracee_start(ignored_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("ignored signal", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	show_stop("default-ignored signal", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGCHLD);
	show_stop("end", pid);
}

static void fatal_body(void)
{
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGTERM);
	_exit(6);
}

CASE(ptrace_signal_fatal)
{
	pid_t pid = tracee_start(fatal_body);

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("suppressed", pid);
	pid = tracee_start(fatal_body);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGTERM);
	show_stop("delivered", pid);
}

static void fault_body(void)
{
	*(volatile char *)bad_ptr() = 1;
}

CASE(ptrace_signal_fault)
{
	pid_t pid = tracee_start(fault_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("signo %d code %d address %d", info.si_signo, info.si_code, info.si_addr == bad_ptr());
	TRACE(PTRACE_CONT, pid, 0, SIGSEGV);
	show_stop("end", pid);
}

static void blocked_body(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR1);
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGUSR2);
	kill(getpid(), SIGHUP);
	raise(SIGSTOP);
	_exit(0);
}

CASE(ptrace_sigmask)
{
	struct ptrace_peeksiginfo_args args = { 0, 0, 10 };
	pid_t pid = tracee_start(blocked_body);
	unsigned long mask = 0;
	siginfo_t infos[10];

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	show("mask", TRACE(PTRACE_GETSIGMASK, pid, 8, &mask));
	show_hex("value", mask);
	show("wrong size", TRACE(PTRACE_GETSIGMASK, pid, 4, &mask));
	show("to a bad address", TRACE(PTRACE_GETSIGMASK, pid, 8, bad_ptr()));
	memset(infos, 0, sizeof(infos));
	show("own pending", TRACE(PTRACE_PEEKSIGINFO, pid, &args, infos));
	note("%d %d", infos[0].si_signo, infos[1].si_signo);
	args.off = 1;
	show("from the second", TRACE(PTRACE_PEEKSIGINFO, pid, &args, infos));
	note("%d", infos[0].si_signo);
	args.off = 0;
	args.flags = PTRACE_PEEKSIGINFO_SHARED;
	show("shared pending", TRACE(PTRACE_PEEKSIGINFO, pid, &args, infos));
	note("%d", infos[0].si_signo);
	args.nr = -1;
	show("negative count", TRACE(PTRACE_PEEKSIGINFO, pid, &args, infos));
	args.nr = 1;
	args.flags = 8;
	show("unknown flags", TRACE(PTRACE_PEEKSIGINFO, pid, &args, infos));
	show("bad arguments", TRACE(PTRACE_PEEKSIGINFO, pid, bad_ptr(), infos));
	mask = ~(1UL << (SIGUSR2 - 1));
	show("unblock one", TRACE(PTRACE_SETSIGMASK, pid, 8, &mask));
	show("mask", TRACE(PTRACE_GETSIGMASK, pid, 8, &mask));
	show_hex("value", mask);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("it comes", pid);
	tracee_end(pid);
}

/* --- group stops ------------------------------------------------------------------------- */

static void pause_body(void)
{
	for (;;)
		pause();
}

CASE(ptrace_group_stop)
{
	pid_t pid = tracee_start(pause_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	wait_blocked(pid, pid);
	kill(pid, SIGTSTP);
	show_stop("signal", pid);
	show("has siginfo", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	TRACE(PTRACE_CONT, pid, 0, SIGTSTP);
	show_stop("group stop", pid);
	show("has none", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	show("go on in spite of it", TRACE(PTRACE_CONT, pid, 0, 0));
	wait_blocked(pid, pid);
	kill(pid, SIGCONT);
	show_stop("SIGCONT", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGCONT);
	wait_blocked(pid, pid);
	tracee_end(pid);
}

CASE(ptrace_group_stop_seized)
{
	pid_t pid = child_start(pause_body);
	siginfo_t info;

	wait_blocked(pid, pid);
	MUST(TRACE(PTRACE_SEIZE, pid, 0, 0));
	kill(pid, SIGSTOP);
	show_stop("signal", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGSTOP);
	show_stop("group stop", pid);
	show("siginfo", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("signo %d code %x", info.si_signo, (unsigned)info.si_code);
	show("listen", TRACE(PTRACE_LISTEN, pid, 0, 0));
	show("listen again", TRACE(PTRACE_LISTEN, pid, 0, 0));
	show("interrupt", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show_stop("still stopped", pid);
	show("listen", TRACE(PTRACE_LISTEN, pid, 0, 0));
	kill(pid, SIGCONT);
	show_stop("over", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("SIGCONT", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	wait_blocked(pid, pid);
	tracee_end(pid);
}

/* --- SIGCHLD for the tracer -------------------------------------------------------------- */

CASE(ptrace_sigchld)
{
	pid_t pid;

	catch(SIGCHLD);
	pid = tracee_start(raise_body);
	show_int("SIGCHLD", caught);
	show_int("code", caught_code);
	caught = 0;
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	show_int("SIGCHLD", caught);
	show_int("code", caught_code);
	tracee_end(pid);
}

CASE(ptrace_waitid)
{
	pid_t pid = tracee_start(raise_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	memset(&info, 0, sizeof(info));
	show("look", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
	note("code %d status %d", info.si_code, info.si_status);
	show("take", waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	show("no more", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG));
	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show("event", waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED));
	note("code %d status %x", info.si_code, (unsigned)info.si_status);
	TRACE(PTRACE_CONT, pid, 0, 0);
	tracee_end(pid);
}

/* --- interrupted system calls ------------------------------------------------------------ */

static int pipe_fds[2];

static void read_body(void)
{
	char c = 0;
	long n = syscall(SYS_read, pipe_fds[0], &c, 1);

	_exit(n == 1 ? c : errno);
}

CASE(ptrace_interrupted_call)
{
	struct user_regs_struct r;
	pid_t pid;

	MUST(pipe(pipe_fds));
	pid = child_start(read_body);
	wait_blocked(pid, pid);
	MUST(TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	r = regs_of(pid);
	show_int("orig_rax", (long)r.orig_rax);
	show_int("rax", (long)r.rax);
	MUST(TRACE(PTRACE_CONT, pid, 0, 0));
	wait_blocked(pid, pid);
	MUST(write(pipe_fds[1], "A", 1));
	show_stop("it was restarted", pid);
}

CASE(ptrace_interrupted_call_changed)
{
	struct user_regs_struct r;
	pid_t pid;

	MUST(pipe(pipe_fds));
	pid = child_start(read_body);
	wait_blocked(pid, pid);
	MUST(TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	r = regs_of(pid);
	r.orig_rax = ~0UL;
	r.rax = (unsigned long)-ENOSPC;
	MUST(TRACE(PTRACE_SETREGS, pid, 0, &r));
	MUST(TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("it was not", pid);
}

static void sleep_body(void)
{
	struct timespec time = { 0, 100 * 1000 * 1000 };

	_exit(syscall(SYS_nanosleep, &time, &time) ? errno : 0);
}

CASE(ptrace_interrupted_sleep)
{
	struct user_regs_struct r;
	pid_t pid = child_start(sleep_body);

	wait_blocked(pid, pid);
	MUST(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	MUST(TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show_stop("stop", pid);
	r = regs_of(pid);
	show_int("orig_rax", (long)r.orig_rax);
	show_int("rax", (long)r.rax);
	MUST(TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("entry", pid);
	r = regs_of(pid);
	show_int("orig_rax", (long)r.orig_rax);
	MUST(TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("exit", pid);
	r = regs_of(pid);
	show_int("rax", (long)r.rax);
	MUST(TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

static void eintr_body(void)
{
	catch(SIGUSR1);
	read_body();
}

CASE(ptrace_interrupted_by_handler)
{
	struct user_regs_struct r;
	pid_t pid;

	MUST(pipe(pipe_fds));
	pid = tracee_start(eintr_body);
	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	do {
		MUST(TRACE(PTRACE_SYSCALL, pid, 0, 0));
		next_stop(pid);
		r = regs_of(pid);
	} while ((long)r.orig_rax != SYS_read);
	MUST(TRACE(PTRACE_SYSCALL, pid, 0, 0));
	wait_blocked(pid, pid);
	kill(pid, SIGUSR1);
	show_stop("exit of the call", pid);
	r = regs_of(pid);
	show_int("rax", (long)r.rax);
	MUST(TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("signal", pid);
	r = regs_of(pid);
	show_int("rax", (long)r.rax);
	MUST(TRACE(PTRACE_SYSCALL, pid, 0, SIGUSR1));
	show_stop("in the handler", pid);
	MUST(TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}
