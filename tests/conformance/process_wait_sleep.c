/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sleeps in a wait for children: what wakes it, and what it is to others meanwhile.
 */
#include "ptrace.h"

#include <pthread.h>
#include <sys/prctl.h>

#define CHILDREN 64

static volatile sig_atomic_t handled;

static void count(int signo)
{
	(void)signo;
	handled++;
}

static pid_t sleeper(void)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* A child that waits for a child of its own, tells its pid, and ends with the status that it got. */
static pid_t waiter(pid_t *inner, int sa_flags)
{
	int fds[2], status = 0;
	pid_t pid;

	MUST(pipe(fds));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		struct sigaction sa = { .sa_handler = count, .sa_flags = sa_flags };
		pid_t child;
		long rc;

		MUST(sigaction(SIGUSR1, &sa, NULL));
		child = sleeper();
		MUST(write(fds[1], &child, sizeof(child)));
		rc = waitpid(child, &status, 0);
		show_ok("waited", rc);
		show_int("handled", handled);
		kill(child, SIGKILL);
		_exit(rc < 0 ? 1 : WTERMSIG(status));
	}
	MUST(read(fds[0], inner, sizeof(*inner)));
	close(fds[0]);
	close(fds[1]);
	wait_blocked(pid, pid);
	return pid;
}

CASE(wait_sleep_handler)
{
	pid_t inner, pid = waiter(&inner, 0);

	kill(pid, SIGUSR1);
	show_wait("interrupted", pid);
	pid = waiter(&inner, SA_RESTART);
	for (int i = 0; i < 3; i++) {
		kill(pid, SIGUSR1);
		/* Signals of one kind do not queue. */
		sleep_ms(20);
		wait_blocked(pid, pid);
	}
	kill(inner, SIGTERM);
	show_wait("restarted", pid);
}

CASE(wait_sleep_stopped)
{
	pid_t inner, pid = waiter(&inner, 0);
	int status;

	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show_status("stopped", status);
	kill(inner, SIGINT);
	show("nothing yet", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGCONT);
	show_wait("goes on", pid);
}

CASE(wait_sleep_killed)
{
	pid_t inner, pid;

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = waiter(&inner, 0);
	kill(pid, SIGKILL);
	show_wait("killed", pid);
	kill(inner, SIGHUP);
	show_wait("its child is ours", inner);
}

CASE(wait_sleep_traced)
{
	pid_t inner, pid = waiter(&inner, 0);
	struct user_regs_struct regs;

	show("attach", TRACE(PTRACE_ATTACH, pid, 0, 0));
	show_stop("stop", pid);
	regs = regs_of(pid);
	show_int("call", (long long)regs.orig_rax);
	show_int("result", (long long)regs.rax);
	show("child", (pid_t)regs.rdi == inner);
	show("detach", TRACE(PTRACE_DETACH, pid, 0, 0));
	wait_blocked(pid, pid);
	show("seize", TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	show("interrupt", TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	show_stop("stop", pid);
	show("to the call's end", TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("its restart", pid);
	show("go on", TRACE(PTRACE_SYSCALL, pid, 0, 0));
	kill(inner, SIGTERM);
	show_stop("its end", pid);
	regs = regs_of(pid);
	show("child", (pid_t)regs.rax == inner);
	/* From then on it prints. */
	MUST(TRACE(PTRACE_DETACH, pid, 0, 0));
	show_wait("waiter", pid);
}

static void *wait_for(void *arg)
{
	pid_t *child = arg;
	int status = 0;

	if (waitpid(*child, &status, 0) != *child)
		return NULL;
	*child = WTERMSIG(status);
	return child;
}

/* Each thread has its own child, which end in another order. */
CASE(wait_sleep_threads)
{
	static const int signals[] = { SIGUSR2, SIGTERM, SIGKILL };
	pid_t children[ARRAY_SIZE(signals)], seen[ARRAY_SIZE(signals)];
	pthread_t threads[ARRAY_SIZE(signals)];
	void *result;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		children[i] = seen[i] = sleeper();
		MUST(pthread_create(&threads[i], NULL, wait_for, &seen[i]));
	}
	for (size_t i = ARRAY_SIZE(signals); i-- > 0;)
		kill(children[i], signals[i]);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pthread_join(threads[i], &result);
		show_int("ended by", result ? *(pid_t *)result : -1);
	}
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	waitpid(-1, NULL, 0);
	return NULL;
}

/* The thread that waits ends with its group, or goes on when the child does. */
CASE(wait_sleep_group_ends)
{
	RUN_CHILD("another thread ends the child")
	{
		pid_t child = sleeper();
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, wait_for_ever, NULL));
		sleep_ms(20);
		kill(child, SIGKILL);
		pthread_join(thread, NULL);
	}
	RUN_CHILD("exit_group beside a waiter")
	{
		pthread_t thread;

		if (MUST(fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		MUST(pthread_create(&thread, NULL, wait_for_ever, NULL));
		sleep_ms(20);
		_exit(7);
	}
}

HELPER(wait_after_exec)
{
	int status = 0;
	pid_t child = (pid_t)strtol(argv[1], NULL, 10);

	(void)argc;
	kill(child, SIGTERM);
	show("still a child", waitpid(child, &status, 0) == child);
	show_status("it", status);
	return 0;
}

/* Whose thread waits: the program that comes has its children. */
static void *exec_beside(void *arg)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", *(pid_t *)arg);
	sleep_ms(20);
	execl(self_exe(), "conformance", "@wait_after_exec", text, (char *)NULL);
	return NULL;
}

CASE(wait_sleep_exec)
{
	RUN_CHILD("exec of the leader")
	{
		pid_t child = sleeper();
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, wait_for_ever, NULL));
		exec_beside(&child);
	}
	RUN_CHILD("exec of another thread, the leader waits")
	{
		pid_t child = sleeper();
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, exec_beside, &child));
		wait_for_ever(NULL);
	}
}

/* Many end at once, while one after the other is waited for. */
CASE(wait_sleep_many)
{
	int fds[2], status, ended = 0;
	char byte;

	MUST(pipe(fds));
	for (int i = 0; i < CHILDREN; i++) {
		if (MUST(fork()) == 0) {
			close(fds[1]);
			_exit(read(fds[0], &byte, 1) == 0 ? i % 7 : 99);
		}
	}
	close(fds[1]);
	while (waitpid(-1, &status, 0) > 0)
		ended += WEXITSTATUS(status);
	show_int("sum", ended);
	show("afterwards", waitpid(-1, &status, 0));
}

/* waitid with WNOWAIT, and a stop that is waited for. */
CASE(wait_sleep_waitid)
{
	pid_t child = sleeper(), killer;
	siginfo_t info = { 0 };

	killer = (pid_t)MUST(fork());
	if (killer == 0) {
		wait_blocked(getppid(), getppid());
		kill(child, SIGSTOP);
		wait_state(child, child, "T");
		sleep_ms(20);
		kill(child, SIGCONT);
		sleep_ms(20);
		kill(child, SIGTERM);
		_exit(0);
	}
	show("stop", waitid(P_PID, (id_t)child, &info, WSTOPPED));
	show_int("code", info.si_code);
	show("continue", waitid(P_PID, (id_t)child, &info, WCONTINUED));
	show_int("code", info.si_code);
	show("end, left", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	show_int("code", info.si_code);
	show("end", waitid(P_PID, (id_t)child, &info, WEXITED));
	show_int("status", info.si_status);
	show_wait("killer", killer);
}
