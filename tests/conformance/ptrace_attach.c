/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: becoming a tracer and ceasing to be one, who may, and what happens when one side dies.
 */
#include "ptrace.h"

#include <pthread.h>
#include <sys/prctl.h>

static void sleep_body(void)
{
	for (;;)
		pause();
}

static void exit_body(void)
{
	_exit(5);
}

CASE(ptrace_traceme)
{
	pid_t pid = tracee_start(exit_body);

	show("attach to own tracee", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
	show("afterwards", TRACE(PTRACE_CONT, pid, 0, 0));
}

CASE(ptrace_traceme_twice)
{
	RUN_CHILD("child")
	{
		show("first", TRACE(PTRACE_TRACEME, 0, 0, 0));
		show("second", TRACE(PTRACE_TRACEME, 0, 0, 0));
	}
}

CASE(ptrace_errors)
{
	pid_t pid = child_start(sleep_body);

	show("nobody", TRACE(PTRACE_ATTACH, 0x3fffffff, 0, 0));
	show("pid 0", TRACE(PTRACE_ATTACH, 0, 0, 0));
	show("negative", TRACE(PTRACE_ATTACH, -1, 0, 0));
	show("itself", TRACE(PTRACE_ATTACH, getpid(), 0, 0));
	show("cont of no tracee", TRACE(PTRACE_CONT, pid, 0, 0));
	show("detach of no tracee", TRACE(PTRACE_DETACH, pid, 0, 0));
	show("kill of no tracee", TRACE(PTRACE_KILL, pid, 0, 0));
	show("interrupt of no tracee", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show("unknown request, no tracee", TRACE(0x7777, pid, 0, 0));
	show("seize with an address", TRACE(PTRACE_SEIZE, pid, 1, 0));
	show("seize with unknown options", TRACE(PTRACE_SEIZE, pid, 0, 1 << 27));
	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	show("unknown request", TRACE(0x7777, pid, 0, 0));
	show("unknown options", TRACE(PTRACE_SETOPTIONS, pid, 0, 1 << 27));
	show("cont with signal 65", TRACE(PTRACE_CONT, pid, 0, 65));
	show("detach with signal 65", TRACE(PTRACE_DETACH, pid, 0, 65));
	show("listen of an attached one", TRACE(PTRACE_LISTEN, pid, 0, 0));
	show("interrupt of an attached one", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	tracee_end(pid);
}

CASE(ptrace_attach_detach)
{
	pid_t pid = child_start(sleep_body);
	int status;

	wait_blocked(pid, pid);
	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	show("a second time", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show("seize too", TRACE(PTRACE_SEIZE, pid, 0, 0));
	show("detach", TRACE(PTRACE_DETACH, pid, 0, 0));
	show("detach again", TRACE(PTRACE_DETACH, pid, 0, 0));
	wait_blocked(pid, pid);
	show("runs", waitpid(pid, &status, WNOHANG | WUNTRACED));
	show("attach again", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop again", pid);
	show("detach with SIGTERM", TRACE(PTRACE_DETACH, pid, 0, SIGTERM));
	show_stop("end", pid);
}

CASE(ptrace_detach_stop)
{
	pid_t pid = child_start(sleep_body);
	int status;

	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	show("detach with SIGSTOP", TRACE(PTRACE_DETACH, pid, 0, SIGSTOP));
	MUST(waitpid(pid, &status, WUNTRACED));
	show_status("the parent sees", status);
	kill(pid, SIGCONT);
	MUST(waitpid(pid, &status, WCONTINUED));
	show_status("and", status);
	tracee_end(pid);
}

CASE(ptrace_seize)
{
	pid_t pid = child_start(sleep_body);
	siginfo_t info;
	int status;

	wait_blocked(pid, pid);
	show("seize", TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	show("it runs", waitpid(pid, &status, WNOHANG | __WALL));
	show("regs of a running one", TRACE(PTRACE_GETREGS, pid, 0, &info));
	show("listen of a running one", TRACE(PTRACE_LISTEN, pid, 0, 0));
	show("interrupt", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show_stop("stop", pid);
	memset(&info, 0, sizeof(info));
	show("siginfo", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	show_int("signo", info.si_signo);
	show_hex("code", (unsigned)info.si_code);
	show("interrupt in a stop", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("the second interrupt", pid);
	show("detach", TRACE(PTRACE_DETACH, pid, 0, 0));
	wait_blocked(pid, pid);
	show("it runs", waitpid(pid, &status, WNOHANG));
	tracee_end(pid);
}

CASE(ptrace_attach_stopped)
{
	pid_t pid = child_start(sleep_body);
	siginfo_t info;
	int status;

	wait_blocked(pid, pid);
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show_status("stopped", status);
	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_int("wait at once", waitpid(pid, &status, WNOHANG | __WALL) == pid);
	show_stop_status("stop", status);
	show("siginfo of a group stop", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("the SIGSTOP of the attach", pid);
	show("siginfo", TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	show("detach", TRACE(PTRACE_DETACH, pid, 0, 0));
	sleep_ms(20);
	show_int("the parent's news", waitpid(pid, &status, WNOHANG | WUNTRACED));
	kill(pid, SIGCONT);
	tracee_end(pid);
}

CASE(ptrace_seize_stopped)
{
	pid_t pid = child_start(sleep_body);
	int status;

	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show("seize", TRACE(PTRACE_SEIZE, pid, 0, 0));
	show_int("wait at once", waitpid(pid, &status, WNOHANG | __WALL) == pid);
	show_stop_status("stop", status);
	show("listen", TRACE(PTRACE_LISTEN, pid, 0, 0));
	show("regs while it listens", TRACE(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGCONT);
	show_stop("SIGCONT", pid);
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("its delivery", pid);
	tracee_end(pid);
}

CASE(ptrace_permission)
{
	pid_t pid = child_start(sleep_body);

	wait_blocked(pid, pid);
	RUN_CHILD("another user")
	{
		become_user(1000);
		show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
		show("seize", TRACE(PTRACE_SEIZE, pid, 0, 0));
	}
	tracee_end(pid);
}

static void undumpable_body(void)
{
	become_user(1000);
	prctl(PR_SET_DUMPABLE, 0);
	sleep_body();
}

static void user_body(void)
{
	become_user(1000);
	prctl(PR_SET_DUMPABLE, 1);
	sleep_body();
}

CASE(ptrace_dumpable)
{
	pid_t hidden = child_start(undumpable_body), open = child_start(user_body);

	wait_blocked(hidden, hidden);
	wait_blocked(open, open);
	RUN_CHILD("the same user")
	{
		become_user(1000);
		show("not dumpable", TRACE(PTRACE_ATTACH, hidden, 0, 0));
		show("dumpable", TRACE(PTRACE_SEIZE, open, 0, 0));
		show("detach of a running one", TRACE(PTRACE_DETACH, open, 0, 0));
	}
	tracee_end(hidden);
	tracee_end(open);
}

CASE(ptrace_zombie)
{
	pid_t pid = child_start(exit_body);
	siginfo_t info;

	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show("seize", TRACE(PTRACE_SEIZE, pid, 0, 0));
	show_wait("end", pid);
}

/* The tracer dies while its tracee runs, or stops. */
static void tracer_dies(unsigned long options, bool stopped)
{
	pid_t pid = child_start(sleep_body), tracer;
	int status;

	wait_blocked(pid, pid);
	tracer = (pid_t)MUST(fork());
	if (tracer == 0) {
		MUST(TRACE(PTRACE_SEIZE, pid, 0, options));
		if (stopped) {
			MUST(TRACE(PTRACE_INTERRUPT, pid, 0, 0));
			MUST(waitpid(pid, &status, __WALL));
		}
		_exit(0);
	}
	show_wait("tracer", tracer);
	if (!(options & PTRACE_O_EXITKILL)) {
		wait_blocked(pid, pid);
		show("tracee lives", waitpid(pid, &status, WNOHANG));
		kill(pid, SIGTERM);
	}
	show_wait("tracee", pid);
}

CASE(ptrace_tracer_death)
{
	tracer_dies(0, false);
}

CASE(ptrace_tracer_death_stopped)
{
	tracer_dies(0, true);
}

CASE(ptrace_exitkill)
{
	tracer_dies(PTRACE_O_EXITKILL, false);
	tracer_dies(PTRACE_O_EXITKILL, true);
}

CASE(ptrace_kill_stopped)
{
	pid_t pid = tracee_start(exit_body);
	struct user_regs_struct regs;

	kill(pid, SIGKILL);
	show_stop("end", pid);
	show("regs", TRACE(PTRACE_GETREGS, pid, 0, &regs));
	pid = tracee_start(exit_body);
	show("PTRACE_KILL", TRACE(PTRACE_KILL, pid, 0, 0));
	show_stop("end", pid);
}

/* The tracer is not the parent: the parent learns of the death after it. */
CASE(ptrace_not_parent)
{
	int go[2], done[2];
	char c;
	pid_t pid, tracer;
	siginfo_t info;
	int status;

	MUST(pipe(go));
	MUST(pipe(done));
	pid = child_start(sleep_body);
	wait_blocked(pid, pid);
	tracer = (pid_t)MUST(fork());
	if (tracer == 0) {
		show("seize", TRACE(PTRACE_SEIZE, pid, 0, 0));
		MUST(write(done[1], "a", 1));
		MUST(read(go[0], &c, 1));
		show("tracer sees", waitpid(pid, &status, __WALL) == pid);
		show_stop_status("stop", status);
		show("deliver", TRACE(PTRACE_CONT, pid, 0, SIGTERM));
		MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
		MUST(write(done[1], "a", 1));
		MUST(read(go[0], &c, 1));
		show_stop("end", pid);
		_exit(0);
	}
	MUST(read(done[0], &c, 1));
	show("parent's wait", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGTERM);
	sleep_ms(20);
	show("before its tracer", waitpid(pid, &status, WNOHANG));
	MUST(write(go[1], "a", 1));
	MUST(read(done[0], &c, 1));
	show("dead, and before its tracer", waitpid(pid, &status, WNOHANG));
	MUST(write(go[1], "a", 1));
	show_wait("tracer", tracer);
	show_wait("parent sees", pid);
}

CASE(ptrace_tracer_pid)
{
	pid_t pid = tracee_start(exit_body);
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "State:", 6))
			show_str("state", line);
		if (!strncmp(line, "TracerPid:", 10))
			show_int("tracer is this", atoi(line + 10) == getpid());
	}
	if (f)
		fclose(f);
	tracee_end(pid);
}

/* --- requests come from the tracing thread only ------------------------------------------ */

static void *other_thread(void *arg)
{
	pid_t pid = *(pid_t *)arg;
	struct user_regs_struct regs;
	int status;

	show("another thread's request", TRACE(PTRACE_GETREGS, pid, 0, &regs));
	show("its wait for the tracee with __WNOTHREAD",
	     waitpid(pid, &status, WNOHANG | __WALL | __WNOTHREAD));
	return NULL;
}

CASE(ptrace_other_thread)
{
	pid_t pid = tracee_start(exit_body);
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, other_thread, &pid));
	pthread_join(thread, NULL);
	tracee_end(pid);
}
