/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: either side dies at any moment, and the other goes on.
 */
#include "ptrace.h"

#include <pthread.h>

enum { ROUNDS = 40 };

static volatile long *progress;

static void calls_body(void)
{
	for (;;) {
		syscall(SYS_getppid);
		++*progress;
	}
}

static void share_progress(void)
{
	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void kill_later(pid_t pid, long us)
{
	struct timespec time = { 0, us * 1000 };

	nanosleep(&time, NULL);
	kill(pid, SIGKILL);
	_exit(0);
}

/* The tracee is killed while its tracer asks this and that. */
CASE(ptrace_race_tracee_killed)
{
	int killed = 0;

	share_progress();
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = tracee_start(calls_body), killer;
		int status = 0;

		killer = (pid_t)MUST(fork());
		if (killer == 0)
			kill_later(pid, 100 + i * 97 % 3000);
		for (int j = 0;; j++) {
			struct user_regs_struct regs;
			struct user_fpregs_struct fp;
			long word;

			TRACE(j % 7 ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, pid, 0, 0);
			if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
				break;
			TRACE(PTRACE_GETREGS, pid, 0, &regs);
			TRACE(PTRACE_GETFPREGS, pid, 0, &fp);
			TRACE(PTRACE_SETREGS, pid, 0, &regs);
			TRACE(PTRACE_PEEKTEXT, pid, calls_body, &word);
			TRACE(PTRACE_POKETEXT, pid, calls_body, word);
		}
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		waitpid(killer, &status, 0);
	}
	show_int("killed", killed);
	show("children left", waitpid(-1, NULL, __WALL));
}

static void trace_on(pid_t pid)
{
	int status;

	/* A plain SIGTRAP that nobody took would kill the tracee. */
	MUST(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	MUST(TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		struct user_regs_struct regs;

		TRACE(PTRACE_GETREGS, pid, 0, &regs);
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
	}
	_exit(0);
}

/* The tracer is killed; the tracee, stopped or not, goes on. */
CASE(ptrace_race_tracer_killed)
{
	pid_t pid;
	int alive = 0;

	share_progress();
	pid = child_start(calls_body);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t tracer = (pid_t)MUST(fork()), killer;
		long before;

		if (tracer == 0)
			trace_on(pid);
		killer = (pid_t)MUST(fork());
		if (killer == 0)
			kill_later(tracer, 100 + i * 97 % 3000);
		waitpid(killer, NULL, 0);
		waitpid(tracer, NULL, 0);
		before = *progress;
		for (int j = 0; j < 5000 && *progress == before; j++)
			sleep_ms(1);
		alive += *progress != before;
	}
	show_int("rounds that it survived", alive);
	kill(pid, SIGKILL);
	show_wait("end", pid);
}

static void *call_thread(void *arg)
{
	calls_body();
	return arg;
}

static void threads_body(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, call_thread, NULL);
	sleep_ms(3);
	execl(self_exe(), "conformance", "@ptrace_race", NULL);
}

HELPER(ptrace_race)
{
	(void)argc;
	(void)argv;
	return 6;
}

/* All threads traced, call by call, when one of them executes a program. */
CASE(ptrace_race_exec)
{
	int good = 0;

	share_progress();
	for (int i = 0; i < ROUNDS / 4; i++) {
		pid_t pid = tracee_start(threads_body), other;
		int status = 0, leader = 0;

		MUST(TRACE(PTRACE_SETOPTIONS, pid, 0,
			   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT));
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		while ((other = waitpid(-1, &status, __WALL)) > 0) {
			if (WIFSTOPPED(status))
				TRACE(PTRACE_SYSCALL, other, 0, 0);
			else if (other == pid)
				leader = status;
		}
		good += WIFEXITED(leader) && WEXITSTATUS(leader) == 6;
	}
	show_int("executed", good);
}
