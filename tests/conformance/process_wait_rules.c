/* SPDX-License-Identifier: Apache-2.0
 *
 * wait4 and waitid once more: which children each option selects, what is reported and kept.
 */
#include "conformance.h"

#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000
#define __WALL 0x40000000
#define __WCLONE 0x80000000
#endif

static pid_t child_with_signal(int exit_signal, int code)
{
	struct clone_args args = { .exit_signal = (unsigned int)exit_signal };
	pid_t pid = (pid_t)MUST(syscall(SYS_clone3, &args, sizeof(args)));

	if (pid == 0)
		_exit(code);
	return pid;
}

static long raw_waitid(int type, pid_t id, siginfo_t *info, unsigned int options,
		       struct rusage *usage)
{
	return syscall(SYS_waitid, type, id, info, options, usage);
}

static void show_info(const char *label, const siginfo_t *info, pid_t pid)
{
	note("%s: signo %d code %d status %d uid %u pid ok %d", label, info->si_signo, info->si_code,
	     info->si_status, info->si_uid, info->si_pid == pid);
}

static void await_zombie(pid_t pid)
{
	siginfo_t info;

	MUST(raw_waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL, NULL));
}

CASE(wait4_option_bits)
{
	for (int bit = 0; bit < 32; bit++) {
		char label[16];

		snprintf(label, sizeof(label), "bit %d", bit);
		show(label, syscall(SYS_wait4, -1, NULL, 1U << bit, NULL));
	}
}

CASE(waitid_option_bits)
{
	siginfo_t info;

	for (int bit = 0; bit < 32; bit++) {
		char label[16];

		snprintf(label, sizeof(label), "bit %d", bit);
		show(label, raw_waitid(P_ALL, 0, &info, 1U << bit, NULL));
	}
}

CASE(wait_clone_children)
{
	static const int signals[] = { 0, SIGUSR1, SIGCHLD, SIGCONT };

	signal(SIGUSR1, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pid_t pid = child_with_signal(signals[i], 5);
		int status = 0;

		await_zombie(pid);
		note("exit signal %d", signals[i]);
		show_int("plain", waitpid(pid, &status, WNOHANG) == pid);
		show_int("__WCLONE", waitpid(pid, &status, WNOHANG | (int)__WCLONE) == pid);
		show_int("__WALL", waitpid(pid, &status, WNOHANG | __WALL) == pid);
		show_status("status", status);
	}
}

CASE(wait_clone_is_by_exit_signal)
{
	pid_t plain = child_with_signal(SIGCHLD, 1), odd = child_with_signal(0, 2);
	int status;

	await_zombie(plain);
	await_zombie(odd);
	show_int("any plain", waitpid(-1, &status, 0) == plain);
	show("no more plain", waitpid(-1, &status, 0));
	show_int("any clone", waitpid(-1, &status, (int)__WCLONE) == odd);
	show("no more", waitpid(-1, &status, __WALL));
}

CASE(wait_all_and_clone_together)
{
	pid_t plain = child_with_signal(SIGCHLD, 1);
	int status;

	await_zombie(plain);
	show_int("__WALL wins", waitpid(-1, &status, (int)(__WALL | __WCLONE)) == plain);
}

static int thread_makes_child(void *arg)
{
	pid_t *made = arg;
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0)
		syscall(SYS_exit_group, 4);
	__atomic_store_n(made, pid, __ATOMIC_SEQ_CST);
	for (;;)
		syscall(SYS_pause);
	return 0;
}

CASE(wait_no_thread)
{
	static char stack[65536] __attribute__((aligned(16)));
	static pid_t made;
	int status;

	MUST(clone(thread_makes_child, stack + sizeof(stack),
		   CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, &made));
	while (__atomic_load_n(&made, __ATOMIC_SEQ_CST) == 0)
		sleep_ms(1);
	await_zombie(made);
	show("not mine", waitpid(made, &status, __WNOTHREAD));
	show_int("ours", waitpid(made, &status, 0) == made);
	show_status("status", status);
	syscall(SYS_exit_group, 0);
}

CASE(waitid_rusage)
{
	struct rusage usage;
	siginfo_t info;
	pid_t pid = child_with_signal(SIGCHLD, 0);

	memset(&usage, 0xff, sizeof(usage));
	show("waitid", raw_waitid(P_PID, pid, &info, WEXITED, &usage));
	show_int("filled in", usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
	pid = child_with_signal(SIGCHLD, 0);
	await_zombie(pid);
	show("bad rusage", raw_waitid(P_PID, pid, &info, WEXITED, bad_ptr()));
	show("was it reaped", raw_waitid(P_PID, pid, &info, WEXITED, NULL));
	memset(&usage, 0xff, sizeof(usage));
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		for (;;)
			pause();
	show("nothing", raw_waitid(P_PID, pid, &info, WEXITED | WNOHANG, &usage));
	show_int("untouched", usage.ru_utime.tv_sec == -1);
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

CASE(waitid_codes)
{
	siginfo_t info;
	pid_t pid = child_with_signal(SIGCHLD, 300);

	MUST(raw_waitid(P_PID, pid, &info, WEXITED, NULL));
	show_info("exit 300", &info, pid);
	pid = child_with_signal(SIGCHLD, -1);
	MUST(raw_waitid(P_PID, pid, &info, WEXITED, NULL));
	show_info("exit -1", &info, pid);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(setresuid(1000, 2000, 3000));
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	MUST(raw_waitid(P_PID, pid, &info, WSTOPPED, NULL));
	show_info("stopped", &info, pid);
	kill(pid, SIGCONT);
	MUST(raw_waitid(P_PID, pid, &info, WCONTINUED, NULL));
	show_info("continued", &info, pid);
	kill(pid, SIGABRT);
	MUST(raw_waitid(P_PID, pid, &info, WEXITED, NULL));
	show_info("aborted", &info, pid);
}

CASE(waitid_groups)
{
	siginfo_t info;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(pid, pid);
	await_zombie(pid);
	show("own group", raw_waitid(P_PGID, getpgrp(), &info, WEXITED, NULL));
	show("own group as 0", raw_waitid(P_PGID, 0, &info, WEXITED | WNOHANG, NULL));
	show("its group", raw_waitid(P_PGID, pid, &info, WEXITED, NULL));
	show_info("info", &info, pid);
}

CASE(waitid_all_ignores_id)
{
	siginfo_t info;
	pid_t pid = child_with_signal(SIGCHLD, 3);

	show("P_ALL", raw_waitid(P_ALL, -77, &info, WEXITED, NULL));
	show_info("info", &info, pid);
}

CASE(waitid_pidfd_rules)
{
	siginfo_t info;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int ends[2];
	char byte;

	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		_exit(6);
	}
	int fd = (int)syscall(SYS_pidfd_open, pid, O_NONBLOCK);
	show("negative", raw_waitid(P_PIDFD, -1, &info, WEXITED, NULL));
	show("not a pidfd", raw_waitid(P_PIDFD, file, &info, WEXITED, NULL));
	show("not a child", raw_waitid(P_PIDFD, self, &info, WEXITED, NULL));
	show("non-blocking", raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL));
	show("WNOHANG", raw_waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL));
	show("clear flag", fcntl(fd, F_SETFL, 0));
	close(ends[1]);
	show("blocking", raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL));
	show_info("info", &info, pid);
	show("gone", raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL));
}

CASE(wait_stop_then_death)
{
	siginfo_t info;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	MUST(raw_waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT, NULL));
	kill(pid, SIGKILL);
	await_zombie(pid);
	show("the stop is gone", raw_waitid(P_PID, pid, &info, WSTOPPED | WNOHANG, NULL));
	show("with exit", raw_waitid(P_PID, pid, &info, WSTOPPED | WEXITED, NULL));
	show_info("info", &info, pid);
}

CASE(wait_continue_is_reported_once)
{
	siginfo_t info;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	MUST(raw_waitid(P_PID, pid, &info, WSTOPPED, NULL));
	kill(pid, SIGCONT);
	show("keep", raw_waitid(P_PID, pid, &info, WCONTINUED | WNOWAIT, NULL));
	show_info("info", &info, pid);
	show("take", raw_waitid(P_PID, pid, &info, WCONTINUED, NULL));
	info.si_pid = 0;
	show("again", raw_waitid(P_PID, pid, &info, WCONTINUED | WNOHANG, NULL));
	show_int("nothing", info.si_pid);
	kill(pid, SIGKILL);
	show_wait("end", pid);
}

CASE(wait_children_usage)
{
	struct rusage before, after;
	pid_t pid = (pid_t)MUST(fork());

	MUST(getrusage(RUSAGE_CHILDREN, &before));
	if (pid == 0) {
		pid_t inner = (pid_t)fork();
		if (inner == 0) {
			struct timespec used;
			do
				clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
			while (used.tv_sec == 0 && used.tv_nsec < 60000000);
			_exit(0);
		}
		waitpid(inner, NULL, 0);
		_exit(0);
	}
	show_wait("child", pid);
	MUST(getrusage(RUSAGE_CHILDREN, &after));
	long used = (after.ru_utime.tv_sec + after.ru_stime.tv_sec) * 1000 +
		    (after.ru_utime.tv_usec + after.ru_stime.tv_usec) / 1000;
	show_int("the grandchild counts", used >= 30);
	/* What is not waited for does not. */
	signal(SIGCHLD, SIG_IGN);
	MUST(getrusage(RUSAGE_CHILDREN, &before));
	pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(0);
	show("wait", waitpid(pid, NULL, 0));
	MUST(getrusage(RUSAGE_CHILDREN, &after));
	show_int("ignored children do not count", after.ru_maxrss == before.ru_maxrss &&
							 after.ru_minflt == before.ru_minflt);
}

static volatile sig_atomic_t chld_seen;
static void on_chld(int sig)
{
	(void)sig;
	chld_seen++;
}

CASE(wait_sigchld_handler_and_nocldwait)
{
	struct sigaction action = { .sa_handler = on_chld, .sa_flags = SA_NOCLDWAIT | SA_RESTART };

	MUST(sigaction(SIGCHLD, &action, NULL));
	pid_t pid = child_with_signal(SIGCHLD, 1);
	show("wait", waitpid(pid, NULL, 0));
	show_int("the signal comes all the same", chld_seen);
}

CASE(wait_ignored_after_death)
{
	pid_t pid = child_with_signal(SIGCHLD, 9);

	await_zombie(pid);
	signal(SIGCHLD, SIG_IGN);
	show_wait("a zombie from before stays", pid);
}

CASE(wait_ignored_with_other_signal)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = child_with_signal(0, 7);
	int status;

	show_int("no auto-reap", waitpid(pid, &status, __WALL) == pid);
	show_status("status", status);
}

CASE(wait_exec_makes_sigchld)
{
	pid_t pid;
	char *argv[] = { (char *)"conformance", (char *)"@nothing", NULL };
	struct clone_args args = { .exit_signal = SIGUSR1 };
	int status;

	signal(SIGUSR1, SIG_IGN);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		execv(self_exe(), argv);
		_exit(1);
	}
	await_zombie(pid);
	show_int("plain wait", waitpid(pid, &status, 0) == pid);
	show_status("status", status);
}

CASE(wait_pidfd_poll_and_thread)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), O_EXCL);

	show_ok("thread pidfd", fd);
	show("signal 0", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	show("thread flag", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 1));
	show("group flag", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 2));
	show("process group flag", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 4));
	show("two flags", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 3));
	show("bad flag", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 8));
	show("bad signal", syscall(SYS_pidfd_send_signal, fd, 65, NULL, 0));
	show("bad info", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, bad_ptr(), 0));
	show("not a pidfd", syscall(SYS_pidfd_send_signal, 0, SIGUSR1, NULL, 0));
	show("bad fd", syscall(SYS_pidfd_send_signal, -1, SIGUSR1, NULL, 0));
	siginfo_t info;
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGUSR2;
	show("signo differs", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
	info.si_signo = 0;
	info.si_code = SI_USER;
	show("code of the kernel", syscall(SYS_pidfd_send_signal, fd, 0, &info, 0));
}

CASE(pidfd_permissions)
{
	RUN_CHILD("user")
	{
		int init = (int)syscall(SYS_pidfd_open, 1, 0);

		become_user(1000);
		show("init", syscall(SYS_pidfd_send_signal, init, SIGTERM, NULL, 0));
		show("init, 0", syscall(SYS_pidfd_send_signal, init, 0, NULL, 0));
		show_ok("open by anybody", (int)syscall(SYS_pidfd_open, 1, 0));
	}
	show("open of a thread that is no leader", syscall(SYS_pidfd_open, 0, 0));
	show("unknown", syscall(SYS_pidfd_open, 4000000, 0));
}

static void use_cpu(void)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec == 0 && used.tv_nsec < 60000000);
}

static void show_used(const char *label, const struct rusage *usage)
{
	long ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
		  (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;

	note("%s: time %s, memory %s", label, ms >= 30 && ms < 20000 ? "used" : "wrong",
	     usage->ru_maxrss > 0 ? "used" : "none");
}

CASE(wait_usage_of_stopped)
{
	struct rusage usage;
	pid_t pid = (pid_t)MUST(fork());
	int status;

	if (pid == 0) {
		pid_t inner = (pid_t)fork();

		if (inner == 0) {
			use_cpu();
			_exit(0);
		}
		waitpid(inner, NULL, 0);
		raise(SIGSTOP);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		use_cpu();
		raise(SIGSTOP);
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		MUST(wait4(pid, &status, WUNTRACED, &usage));
		show("stopped", WIFSTOPPED(status));
		show_used("stopped", &usage);
		if (i == 0)
			MUST(kill(pid, SIGCONT));
		else
			MUST(ptrace(PTRACE_CONT, pid, NULL, NULL));
	}
	MUST(wait4(pid, &status, 0, &usage));
	show("status", status);
	show_used("ended", &usage);
}
