/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for signals, restart and interruption of system calls, signalfd.
 */
#include "conformance.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static void on_signal(int sig)
{
	note("handler %d", sig);
}

static void catch_with(int sig, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	MUST(sigaction(sig, &action, NULL));
}

static sigset_t one_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* A child that signals this process once it sleeps, and then does more after another such wait. */
static pid_t sender(int sig, int write_fd)
{
	pid_t parent = getpid(), pid = (pid_t)MUST(fork());

	if (pid != 0)
		return pid;
	wait_blocked(parent, parent);
	kill(parent, sig);
	if (write_fd != -1) {
		sleep_ms(50);
		wait_blocked(parent, parent);
		if (write(write_fd, "x", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

CASE(restart_pipe_read)
{
	int ends[2];
	char byte;

	MUST(pipe(ends));
	catch_with(SIGUSR1, 0);
	pid_t pid = sender(SIGUSR1, -1);
	show("no SA_RESTART", read(ends[0], &byte, 1));
	show_wait("sender", pid);
	catch_with(SIGUSR1, SA_RESTART);
	pid = sender(SIGUSR1, ends[1]);
	show("SA_RESTART", read(ends[0], &byte, 1));
	show_wait("sender", pid);
}

CASE(restart_partial_write)
{
	int ends[2];
	static char data[200000];

	MUST(pipe(ends));
	catch_with(SIGUSR1, SA_RESTART);
	pid_t pid = sender(SIGUSR1, -1);
	show("partial write counts", write(ends[1], data, sizeof(data)));
	show_wait("sender", pid);
}

CASE(restart_poll_never)
{
	int ends[2];
	struct epoll_event event;

	MUST(pipe(ends));
	catch_with(SIGUSR1, SA_RESTART);
	struct pollfd pfd = { ends[0], POLLIN, 0 };
	pid_t pid = sender(SIGUSR1, -1);
	show("poll", poll(&pfd, 1, -1));
	show_wait("sender", pid);
	pid = sender(SIGUSR1, -1);
	show("ppoll", ppoll(&pfd, 1, NULL, NULL));
	show_wait("sender", pid);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	pid = sender(SIGUSR1, -1);
	show("select", select(ends[0] + 1, &set, NULL, NULL, NULL));
	show_wait("sender", pid);
	int ep = (int)MUST(epoll_create1(0));
	pid = sender(SIGUSR1, -1);
	show("epoll_wait", epoll_wait(ep, &event, 1, -1));
	show_wait("sender", pid);
	pid = sender(SIGUSR1, -1);
	show("pause", pause());
	show_wait("sender", pid);
}

CASE(restart_nanosleep)
{
	struct timespec request = { 50, 0 }, left = { 0, 0 };

	catch_with(SIGUSR1, SA_RESTART);
	pid_t pid = sender(SIGUSR1, -1);
	show("nanosleep", nanosleep(&request, &left));
	show_int("left", left.tv_sec >= 20 && left.tv_sec <= 50);
	show_wait("sender", pid);
	clock_gettime(CLOCK_MONOTONIC, &request);
	request.tv_sec += 50;
	left = (struct timespec){ 7, 7 };
	pid = sender(SIGUSR1, -1);
	show_err("clock_nanosleep absolute",
		 clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &request, &left));
	note("left untouched %ld %ld", (long)left.tv_sec, left.tv_nsec);
	show_wait("sender", pid);
}

CASE(restart_after_stop)
{
	int ends[2];
	char byte;
	pid_t parent = getpid();

	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		wait_blocked(parent, parent);
		kill(parent, SIGSTOP);
		sleep_ms(30);
		kill(parent, SIGCONT);
		sleep_ms(30);
		if (write(ends[1], "y", 1) != 1)
			_exit(1);
		_exit(0);
	}
	show("read goes on", read(ends[0], &byte, 1));
	show_wait("sender", pid);
	struct timespec request = { 0, 200000000 };
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		wait_blocked(parent, parent);
		kill(parent, SIGSTOP);
		sleep_ms(30);
		kill(parent, SIGCONT);
		_exit(0);
	}
	long long before = now_ms();
	show("nanosleep goes on", nanosleep(&request, NULL));
	show_int("long enough", now_ms() - before >= 199);
	show_wait("sender", pid);
}

CASE(restart_ignored_signal)
{
	int ends[2];
	char byte;

	MUST(pipe(ends));
	signal(SIGUSR1, SIG_IGN);
	pid_t pid = sender(SIGUSR1, ends[1]);
	show("read", read(ends[0], &byte, 1));
	show_wait("sender", pid);
	pid = sender(SIGWINCH, ends[1]);
	struct pollfd pfd = { ends[0], POLLIN, 0 };
	show("poll, default-ignored signal", poll(&pfd, 1, -1));
	show_wait("sender", pid);
}

CASE(sigsuspend_basics)
{
	sigset_t block = one_signal(SIGUSR1), none, now;

	catch_with(SIGUSR1, SA_RESTART);
	MUST(sigprocmask(SIG_BLOCK, &block, NULL));
	raise(SIGUSR1);
	note("still blocked");
	sigemptyset(&none);
	show("pending one", sigsuspend(&none));
	sigprocmask(SIG_BLOCK, NULL, &now);
	show_int("mask is back", sigismember(&now, SIGUSR1));
	pid_t pid = sender(SIGUSR1, -1);
	show("blocking", sigsuspend(&none));
	show_wait("sender", pid);
	show("bad size", syscall(SYS_rt_sigsuspend, &none, 4));
	show("bad pointer", syscall(SYS_rt_sigsuspend, bad_ptr(), 8));
}

CASE(ppoll_mask)
{
	sigset_t block = one_signal(SIGUSR1), none;
	struct timespec timeout = { 5, 0 };

	catch_with(SIGUSR1, 0);
	MUST(sigprocmask(SIG_BLOCK, &block, NULL));
	raise(SIGUSR1);
	sigemptyset(&none);
	show("ppoll", ppoll(NULL, 0, &timeout, &none));
	raise(SIGUSR1);
	show("pselect", pselect(0, NULL, NULL, NULL, &timeout, &none));
	raise(SIGUSR1);
	struct epoll_event event;
	show("epoll_pwait", epoll_pwait((int)MUST(epoll_create1(0)), &event, 1, 5000, &none));
	struct timespec zero = { 0, 0 };
	raise(SIGUSR1);
	show("ppoll without mask", ppoll(NULL, 0, &zero, NULL));
	show("ppoll bad size", syscall(SYS_ppoll, NULL, 0, &zero, &none, 4));
}

CASE(sigtimedwait_basics)
{
	sigset_t set = one_signal(SIGUSR1);
	siginfo_t info;
	struct timespec zero = { 0, 0 }, some = { 0, 20000000 }, bad = { 0, -1 };

	sigaddset(&set, SIGRTMIN);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	show("nothing", sigtimedwait(&set, &info, &zero));
	show("20 ms", sigtimedwait(&set, &info, &some));
	show("bad timeout", sigtimedwait(&set, &info, &bad));
	MUST(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 5 }));
	raise(SIGUSR1);
	show("lower first", sigwaitinfo(&set, &info));
	note("signo %d code %d", info.si_signo, info.si_code);
	show_int("realtime", sigwaitinfo(&set, &info) == SIGRTMIN);
	note("code %d value %d", info.si_code, info.si_value.sival_int);
	pid_t pid = sender(SIGUSR1, -1);
	show("blocking", sigwaitinfo(&set, NULL));
	show_wait("sender", pid);
	catch_with(SIGUSR2, SA_RESTART);
	pid = sender(SIGUSR2, -1);
	show("another signal", sigtimedwait(&set, &info, NULL));
	show_wait("sender", pid);
	show("bad set", syscall(SYS_rt_sigtimedwait, bad_ptr(), NULL, &zero, 8));
	show("bad size", syscall(SYS_rt_sigtimedwait, &set, NULL, &zero, 16));
	raise(SIGUSR1);
	show("bad info", syscall(SYS_rt_sigtimedwait, &set, bad_ptr(), &zero, 8));
	show("it was taken", sigtimedwait(&set, &info, &zero));
}

CASE(signalfd_basics)
{
	sigset_t set = one_signal(SIGUSR1);
	struct signalfd_siginfo info[3];

	sigaddset(&set, SIGRTMIN);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	show_ok("create", fd);
	show_hex("flags", (unsigned int)fcntl(fd, F_GETFL));
	show("cloexec", fcntl(fd, F_GETFD));
	show("empty", read(fd, info, sizeof(info)));
	raise(SIGUSR1);
	MUST(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 8 }));
	struct pollfd pfd = { fd, POLLIN | POLLOUT, 0 };
	show("poll", poll(&pfd, 1, 0));
	show_hex("revents", (unsigned int)pfd.revents);
	show("short buffer", read(fd, info, 64));
	show("read two", read(fd, info, sizeof(info)));
	for (int i = 0; i < 2; i++)
		note("signo %u code %d int %d uid %u pid ok %d", info[i].ssi_signo,
		     info[i].ssi_code, info[i].ssi_int, info[i].ssi_uid,
		     info[i].ssi_pid == (uint32_t)getpid());
	show("write", write(fd, info, 128));
	set = one_signal(SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	show_int("change the set", signalfd(fd, &set, 0) == fd);
	raise(SIGUSR1);
	show("USR1 no longer", read(fd, info, sizeof(info)));
	raise(SIGUSR2);
	show("USR2 now", read(fd, info, sizeof(info)));
}

CASE(signalfd_errors)
{
	sigset_t set = one_signal(SIGUSR1);
	int null = (int)MUST(open("/dev/null", O_RDONLY));

	show("bad flags", signalfd(-1, &set, 0x10));
	show("not a signalfd", signalfd(null, &set, 0));
	show("bad fd", signalfd(99, &set, 0));
	show("bad size", syscall(SYS_signalfd4, -1, &set, 4, 0));
	show("bad pointer", syscall(SYS_signalfd4, -1, bad_ptr(), 8, 0));
}

CASE(signalfd_blocking_read)
{
	sigset_t set = one_signal(SIGUSR1);
	struct signalfd_siginfo info;

	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = (int)MUST(signalfd(-1, &set, 0));
	pid_t pid = sender(SIGUSR1, -1);
	show("read", read(fd, &info, sizeof(info)));
	show_int("pid is the sender's", info.ssi_pid == (uint32_t)pid);
	show_wait("sender", pid);
}
