/* SPDX-License-Identifier: Apache-2.0
 *
 * wait4, waitid and their flags; SIGCHLD dispositions; stopped and continued children.
 */
#include "conformance.h"

#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t child_exit(int code)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		_exit(code);
	return pid;
}

static pid_t child_sleeper(void)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void show_siginfo(const char *label, const siginfo_t *info, pid_t pid)
{
	note("%s: signo %d code %d status %d errno %d pid ok %d uid %u", label, info->si_signo,
	     info->si_code, info->si_status, info->si_errno, info->si_pid == pid, info->si_uid);
}

CASE(wait_errors)
{
	int status;

	show("no children", wait4(-1, &status, 0, NULL));
	show("not a child", wait4(1, &status, 0, NULL));
	show("bad options", wait4(-1, &status, 0x40, NULL));
	show("INT_MIN", wait4(INT32_MIN, &status, 0, NULL));
	show("empty group", wait4(-getpid(), &status, WNOHANG, NULL));
	pid_t pid = child_exit(3);
	show("bad status pointer", wait4(pid, bad_ptr(), 0, NULL));
	show("it was reaped", wait4(pid, &status, 0, NULL));
	pid = child_exit(3);
	show("bad rusage pointer", wait4(pid, &status, 0, bad_ptr()));
}

CASE(wait_wnohang)
{
	pid_t pid = child_sleeper();
	int status = 1234;

	show("running", waitpid(pid, &status, WNOHANG));
	show_int("status untouched", status);
	kill(pid, SIGTERM);
	show_wait("terminated", pid);
	show("again", waitpid(pid, &status, WNOHANG));
}

CASE(wait_group_selection)
{
	pid_t one = child_sleeper(), two = child_sleeper();
	int status;

	show("move two", setpgid(two, two));
	kill(two, SIGKILL);
	show_int("wait on group two", waitpid(-two, &status, 0) == two);
	show("group two again", waitpid(-two, &status, 0));
	show("own group running", waitpid(0, &status, WNOHANG));
	kill(one, SIGKILL);
	show_int("own group", waitpid(0, &status, 0) == one);
}

CASE(wait_rusage)
{
	struct rusage usage;
	pid_t pid = child_exit(0);

	memset(&usage, 0xff, sizeof(usage));
	show_int("pid", wait4(pid, NULL, 0, &usage) == pid);
	show_int("sane user time", usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
	show_int("sane system time", usage.ru_stime.tv_sec >= 0 && usage.ru_stime.tv_sec < 100);
	show_int("sane maxrss", usage.ru_maxrss >= 0);
}

CASE(waitid_exited)
{
	siginfo_t info;
	pid_t pid = child_exit(7);

	memset(&info, 0, sizeof(info));
	show("waitid", waitid(P_PID, (id_t)pid, &info, WEXITED));
	show_siginfo("info", &info, pid);
	show("again", waitid(P_PID, (id_t)pid, &info, WEXITED));
}

CASE(waitid_killed)
{
	siginfo_t info;
	pid_t pid = child_sleeper();

	memset(&info, 0, sizeof(info));
	kill(pid, SIGUSR1);
	show("waitid", waitid(P_ALL, 0, &info, WEXITED));
	show_siginfo("info", &info, pid);
}

CASE(waitid_nowait)
{
	siginfo_t info;
	pid_t pid = child_exit(8);

	show("first look", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show_siginfo("info", &info, pid);
	show("second look", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show("zombie can be signalled", kill(pid, 0));
	show("reap", waitid(P_PID, (id_t)pid, &info, WEXITED));
	show("gone", kill(pid, 0));
}

CASE(waitid_wnohang_zeroes)
{
	siginfo_t info;
	pid_t pid = child_sleeper();

	memset(&info, 0xff, sizeof(info));
	show("waitid", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
	note("signo %d pid %d", info.si_signo, info.si_pid);
	kill(pid, SIGKILL);
	show("null info", waitid(P_PID, (id_t)pid, NULL, WEXITED));
}

CASE(waitid_errors)
{
	siginfo_t info;
	pid_t pid = child_exit(0);

	show("no event chosen", waitid(P_PID, (id_t)pid, &info, 0));
	show("only WNOHANG", waitid(P_PID, (id_t)pid, &info, WNOHANG));
	show("bad option", waitid(P_PID, (id_t)pid, &info, WEXITED | 0x100));
	show("bad idtype", waitid((idtype_t)9, 1, &info, WEXITED));
	show("P_PID 0", waitid(P_PID, 0, &info, WEXITED));
	show("P_PID negative", waitid(P_PID, (id_t)-5, &info, WEXITED));
	show("P_PGID negative", waitid(P_PGID, (id_t)-5, &info, WEXITED));
	show("other group", waitid(P_PGID, 999999, &info, WEXITED));
	show("P_PIDFD bad fd", waitid((idtype_t)P_PIDFD, 77, &info, WEXITED));
	show("bad info", waitid(P_PID, (id_t)pid, bad_ptr(), WEXITED));
	show("reaped by that", waitid(P_PID, (id_t)pid, &info, WEXITED));
}

CASE(waitid_stop_continue)
{
	siginfo_t info;
	pid_t pid = child_sleeper();

	kill(pid, SIGSTOP);
	show("stopped", waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	show_siginfo("info", &info, pid);
	memset(&info, 0, sizeof(info));
	show("stop is reported once", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG));
	show_int("signo", info.si_signo);
	kill(pid, SIGCONT);
	show("continued", waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	show_siginfo("info", &info, pid);
	kill(pid, SIGTSTP);
	show("stopped again, keep", waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
	show_siginfo("info", &info, pid);
	show("stopped, take", waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	kill(pid, SIGKILL);
	show("kill works on a stopped one", waitid(P_PID, (id_t)pid, &info, WEXITED));
	show_siginfo("info", &info, pid);
}

CASE(wait_untraced_and_continued)
{
	pid_t pid = child_sleeper();
	int status;

	for (int i = 0; i < 3; i++) {
		kill(pid, i == 1 ? SIGTTIN : SIGSTOP);
		MUST(waitpid(pid, &status, WUNTRACED));
		show_status("stop", status);
		kill(pid, SIGCONT);
		MUST(waitpid(pid, &status, WCONTINUED));
		show_status("cont", status);
		note("raw 0x%x", (unsigned int)status);
	}
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	kill(pid, SIGTERM);
	show("SIGTERM waits for SIGCONT", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGCONT);
	show_wait("end", pid);
}

CASE(wait_sigchld_ignored)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = child_exit(1);
	show("waits until all are gone", waitpid(pid, NULL, 0));
	show("any", wait(NULL));
}

CASE(wait_nocldwait)
{
	struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };

	MUST(sigaction(SIGCHLD, &action, NULL));
	child_exit(1);
	child_exit(2);
	show("wait", wait(NULL));
}

static volatile sig_atomic_t chld_count, chld_code, chld_status;

static void on_chld(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	chld_count++;
	chld_code = info->si_code;
	chld_status = info->si_status;
}

CASE(wait_sigchld_siginfo)
{
	struct sigaction action = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART };

	MUST(sigaction(SIGCHLD, &action, NULL));
	pid_t pid = child_exit(55);
	show_wait("exit", pid);
	note("count %d code %d status %d", chld_count, chld_code, chld_status);
	pid = child_sleeper();
	kill(pid, SIGINT);
	show_wait("kill", pid);
	note("count %d code %d status %d", chld_count, chld_code, chld_status);
	pid = child_sleeper();
	kill(pid, SIGSTOP);
	int status;
	MUST(waitpid(pid, &status, WUNTRACED));
	/* The child itself sends this one, and the next, perhaps after the wait. */
	while (chld_count < 3)
		sleep_ms(1);
	note("count %d code %d status %d", chld_count, chld_code, chld_status);
	kill(pid, SIGCONT);
	MUST(waitpid(pid, &status, WCONTINUED));
	while (chld_count < 4)
		sleep_ms(1);
	note("count %d code %d status %d", chld_count, chld_code, chld_status);
	action.sa_flags |= SA_NOCLDSTOP;
	MUST(sigaction(SIGCHLD, &action, NULL));
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	note("no stop signal: count %d", chld_count);
	kill(pid, SIGKILL);
	show_wait("end", pid);
	note("count %d code %d status %d", chld_count, chld_code, chld_status);
}

CASE(wait_interrupted)
{
	struct sigaction action = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO };
	pid_t parent = getpid(), sleeper = child_sleeper();

	MUST(sigaction(SIGUSR1, &action, NULL));
	pid_t sender = (pid_t)MUST(fork());
	if (sender == 0) {
		wait_blocked(parent, parent);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	show("wait4", wait4(sleeper, NULL, 0, NULL));
	show_wait("sender", sender);
	kill(sleeper, SIGKILL);
	show_wait("sleeper", sleeper);
}

/* A directory of /proc is good for pidfd_send_signal, and for nothing else of pidfds. */
CASE(wait_proc_directory_as_pidfd)
{
	siginfo_t info;
	pid_t pid = child_sleeper();
	char path[64];
	int fd, sub, o_path, self = open("/proc/self", O_RDONLY | O_DIRECTORY);
	int root = open("/proc", O_RDONLY), file = open("/proc/self/stat", O_RDONLY);

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	o_path = open(path, O_PATH | O_DIRECTORY);
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, pid);
	sub = open(path, O_RDONLY | O_DIRECTORY);
	show("self", syscall(SYS_pidfd_send_signal, self, 0, NULL, 0));
	show("child", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	show("bad signal", syscall(SYS_pidfd_send_signal, fd, 65, NULL, 0));
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGTERM;
	info.si_code = SI_QUEUE;
	show("other signal", syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
	show("bad address", syscall(SYS_pidfd_send_signal, fd, SIGTERM, 8, 0));
	info.si_code = SI_USER;
	show("forged", syscall(SYS_pidfd_send_signal, fd, SIGTERM, &info, 0));
	show("O_PATH", syscall(SYS_pidfd_send_signal, o_path, 0, NULL, 0));
	show("task directory", syscall(SYS_pidfd_send_signal, sub, 0, NULL, 0));
	show("/proc", syscall(SYS_pidfd_send_signal, root, 0, NULL, 0));
	show("stat", syscall(SYS_pidfd_send_signal, file, 0, NULL, 0));
	show("waitid", waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG));
	show("pidfd_getfd", syscall(SYS_pidfd_getfd, fd, 0, 0));
	show("SIGTERM", syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	show_wait("child", pid);
	show("after reap", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

CASE(wait_pidfd)
{
	siginfo_t info;
	pid_t pid = child_sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	show_ok("pidfd_open", fd);
	show("flags", fcntl(fd, F_GETFD));
	show("send_signal", syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	show("waitid", waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	show_siginfo("info", &info, pid);
	show("send after reap", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	show("open gone", syscall(SYS_pidfd_open, pid, 0));
	show("open bad flags", syscall(SYS_pidfd_open, getpid(), 0x4000000));
	show("open bad pid", syscall(SYS_pidfd_open, -1, 0));
}
