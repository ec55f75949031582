/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals once more: what siginfo says for every sender, action flags, queues and their limits,
 * permissions, stopping and continuing, restarts.
 */
#include "conformance.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile sig_atomic_t count;
static siginfo_t last;

static void record(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	count++;
}

static void catch_signal(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = record, .sa_flags = SA_SIGINFO | flags };

	MUST(sigaction(sig, &action, NULL));
}

static void show_last(const char *label)
{
	note("%s: signo %d code %d errno %d pid ok %d uid %u value %d", label, last.si_signo,
	     last.si_code, last.si_errno, last.si_pid == getpid() || last.si_pid == getppid(),
	     last.si_uid, last.si_value.sival_int);
	memset(&last, 0, sizeof(last));
}

static long queue(pid_t pid, int sig, int code, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = code;
	info.si_value.sival_int = value;
	return syscall(SYS_rt_sigqueueinfo, pid, sig, &info);
}

CASE(siginfo_of_alarms)
{
	struct itimerval once = { { 0, 0 }, { 0, 1000 } };
	static const int which[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	static const int signals[] = { SIGALRM, SIGVTALRM, SIGPROF };

	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		catch_signal(signals[i], 0);
		count = 0;
		MUST(setitimer(which[i], &once, NULL));
		while (count == 0)
			getppid();
		note("signo %d code %d pid %d uid %u", last.si_signo, last.si_code, last.si_pid,
		     last.si_uid);
	}
}

CASE(siginfo_of_pipe)
{
	int pipes[2], pair[2];

	catch_signal(SIGPIPE, 0);
	MUST(pipe(pipes));
	close(pipes[0]);
	show("pipe", write(pipes[1], "x", 1));
	show_last("signal");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[0]);
	show("socket", write(pair[1], "x", 1));
	show_last("signal");
	count = 0;
	show("MSG_NOSIGNAL", send(pair[1], "x", 1, MSG_NOSIGNAL));
	show_int("no signal", count);
}

CASE(siginfo_of_file_limit)
{
	/* Above what this case itself prints. */
	struct rlimit limit = { 100000, 200000 };
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	catch_signal(SIGXFSZ, 0);
	MUST(setrlimit(RLIMIT_FSIZE, &limit));
	MUST(lseek(fd, 99996, SEEK_SET));
	show("up to the limit", write(fd, "123456", 6));
	show("past it", write(fd, "7", 1));
	show_last("signal");
	show("ftruncate", ftruncate(fd, 150000));
	show_last("signal");
}

CASE(siginfo_of_cpu_limit)
{
	struct rlimit limit = { 1, 10 };

	catch_signal(SIGXCPU, 0);
	MUST(setrlimit(RLIMIT_CPU, &limit));
	while (count == 0)
		getppid();
	note("signo %d code %d pid %d", last.si_signo, last.si_code, last.si_pid);
}

CASE(cpu_limit_hard_kills)
{
	RUN_CHILD("child")
	{
		struct rlimit limit = { 1, 1 };

		signal(SIGXCPU, SIG_IGN);
		MUST(setrlimit(RLIMIT_CPU, &limit));
		for (;;)
			getppid();
	}
}

CASE(siginfo_of_thread_signal)
{
	catch_signal(SIGUSR1, 0);
	show("tgkill", syscall(SYS_tgkill, getpid(), get_tid(), SIGUSR1));
	show_last("signal");
	show("tkill", syscall(SYS_tkill, get_tid(), SIGUSR1));
	show_last("signal");
	show("raise", raise(SIGUSR1));
	show_last("signal");
	show("kill", kill(getpid(), SIGUSR1));
	show_last("signal");
	show("group", kill(0, SIGUSR1));
	show_last("signal");
	show("sigqueue", sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 }));
	show_last("signal");
}

CASE(sigqueueinfo_codes)
{
	static const int codes[] = { SI_USER, SI_KERNEL, SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO,
				     SI_SIGIO, SI_TKILL, 1, 5, -60, -77 };

	catch_signal(SIGUSR1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char label[24];

		count = 0;
		snprintf(label, sizeof(label), "code %d", codes[i]);
		show(label, queue(getpid(), SIGUSR1, codes[i], 5));
		if (count)
			note("delivered code %d value %d", last.si_code, last.si_value.sival_int);
	}
	RUN_CHILD("to another")
	{
		show("SI_USER", queue(getppid(), 0, SI_USER, 0));
		show("SI_KERNEL", queue(getppid(), 0, SI_KERNEL, 0));
		show("SI_TKILL", queue(getppid(), 0, SI_TKILL, 0));
		show("SI_QUEUE", queue(getppid(), 0, SI_QUEUE, 0));
	}
	show("no such", queue(4000000, SIGUSR1, SI_QUEUE, 0));
	show("bad signal", queue(getpid(), 65, SI_QUEUE, 0));
	show("bad pointer", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, bad_ptr()));
}

CASE(tgsigqueueinfo_rules)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 8;
	catch_signal(SIGUSR2, 0);
	show("self", syscall(SYS_rt_tgsigqueueinfo, getpid(), get_tid(), SIGUSR2, &info));
	show_last("signal");
	show("wrong group", syscall(SYS_rt_tgsigqueueinfo, 1, get_tid(), SIGUSR2, &info));
	show("tgid 0", syscall(SYS_rt_tgsigqueueinfo, 0, get_tid(), SIGUSR2, &info));
	show("tid 0", syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR2, &info));
	show("negative", syscall(SYS_rt_tgsigqueueinfo, -1, -1, SIGUSR2, &info));
	show("bad pointer", syscall(SYS_rt_tgsigqueueinfo, getpid(), get_tid(), SIGUSR2, bad_ptr()));
}

CASE(sigqueue_limit)
{
	RUN_CHILD("user")
	{
		struct rlimit limit = { 3, 3 };
		sigset_t set;

		become_user(4500);
		MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigaddset(&set, SIGUSR1);
		MUST(sigprocmask(SIG_BLOCK, &set, NULL));
		for (int i = 0; i < 5; i++)
			show("queue", queue(getpid(), SIGRTMIN, SI_QUEUE, i));
		show("kill of a real-time one", kill(getpid(), SIGRTMIN));
		show("a standard one", kill(getpid(), SIGUSR1));
		siginfo_t info;
		struct timespec zero = { 0, 0 };
		int got;
		while ((got = sigtimedwait(&set, &info, &zero)) > 0)
			note("got %d code %d value %d", got == SIGRTMIN ? -1 : got, info.si_code,
			     info.si_value.sival_int);
		show("room again", queue(getpid(), SIGRTMIN, SI_QUEUE, 9));
	}
}

CASE(sigqueue_limit_zero)
{
	RUN_CHILD("user")
	{
		struct rlimit limit = { 0, 0 };

		become_user(4501);
		MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
		catch_signal(SIGUSR1, 0);
		show("kill", kill(getpid(), SIGUSR1));
		show_int("delivered", count);
		show("queue of a standard one", queue(getpid(), SIGUSR1, SI_QUEUE, 1));
		show("queue", queue(getpid(), SIGRTMIN + 1, SI_QUEUE, 1));
		timer_t timer;
		show("timer", timer_create(CLOCK_MONOTONIC, NULL, &timer));
	}
}

CASE(signal_permissions)
{
	int pipes[2];
	char byte;

	MUST(pipe(pipes));
	pid_t victim = (pid_t)MUST(fork());
	if (victim == 0) {
		MUST(setresuid(1000, 1001, 1002));
		MUST(write(pipes[1], "x", 1));
		for (;;)
			pause();
	}
	MUST(read(pipes[0], &byte, 1));
	static const uid_t senders[][2] = { { 1000, 5 }, { 5, 1000 }, { 1001, 5 }, { 5, 1001 },
					    { 1002, 5 }, { 5, 1002 }, { 5, 6 } };
	for (size_t i = 0; i < ARRAY_SIZE(senders); i++) {
		char label[40];

		snprintf(label, sizeof(label), "uid %u euid %u", senders[i][0], senders[i][1]);
		RUN_CHILD(label)
		{
			MUST(setresuid(senders[i][0], senders[i][1], senders[i][1]));
			show("kill", kill(victim, 0));
			show("tgkill", syscall(SYS_tgkill, victim, victim, 0));
			show("SIGCONT", kill(victim, SIGCONT));
		}
	}
	RUN_CHILD("SIGCONT from another session")
	{
		setsid();
		become_user(5);
		show("SIGCONT", kill(victim, SIGCONT));
	}
	RUN_CHILD("all")
	{
		become_user(7);
		show("kill -1", kill(-1, 0));
	}
	kill(victim, SIGKILL);
	show_wait("victim", victim);
}

CASE(signal_group_permissions)
{
	pid_t mine = (pid_t)MUST(fork());

	if (mine == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(mine, mine);
	RUN_CHILD("one of two may be signalled")
	{
		pid_t own = (pid_t)MUST(fork());

		if (own == 0) {
			setpgid(0, mine);
			become_user(1234);
			for (;;)
				pause();
		}
		setpgid(own, mine);
		wait_blocked(own, own);
		become_user(1234);
		show("group", kill(-mine, SIGTERM));
		show_wait("own", own);
		show("nobody left to signal", kill(-mine, SIGTERM));
	}
	kill(mine, SIGKILL);
	show_wait("other", mine);
}

CASE(sigaction_flag_values)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = { SIG_IGN, 0xffffffffUL, NULL, ~0UL }, old;

	show("set all", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
	show("get", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
	show_hex("flags", old.flags);
	show_hex("mask", old.mask);
	action.flags = 0x400; /* SA_UNSUPPORTED */
	show("unsupported", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
	show("get", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
	show_hex("flags", old.flags);
	action.flags = 1UL << 40;
	show("high", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
	show("get", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
	show_hex("flags", old.flags);
	show("size", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 4));
	show("old to a bad place", syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad_ptr(), 8));
	show("SIGKILL read", syscall(SYS_rt_sigaction, SIGKILL, NULL, &old, 8));
}

CASE(sigaction_nodefer_and_resethand)
{
	struct sigaction now;

	catch_signal(SIGUSR1, (int)SA_RESETHAND | SA_NODEFER);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &now);
	show_int("default again", now.sa_handler == SIG_DFL);
	show_hex("flags stay", (unsigned int)now.sa_flags & ~0x04000000U);
}

CASE(signal_stop_signals_default)
{
	static const int signals[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pid_t pid = (pid_t)MUST(fork());
		siginfo_t info;

		if (pid == 0)
			for (;;)
				pause();
		kill(pid, signals[i]);
		MUST(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
		note("signal %d status %d code %d", signals[i], info.si_status, info.si_code);
		kill(pid, SIGKILL);
		show_wait("killed while stopped", pid);
	}
}

CASE(signal_stop_in_orphaned_group)
{
	/* SIGTSTP, SIGTTIN and SIGTTOU do nothing there; SIGSTOP does. */
	RUN_CHILD("leader")
	{
		setsid();
		show("SIGTSTP", raise(SIGTSTP));
		show("SIGTTIN", raise(SIGTTIN));
		show("SIGTTOU", raise(SIGTTOU));
	}
}

CASE(signal_cont_discards_stops)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raise(SIGTSTP));
	sigpending(&set);
	show_int("SIGTSTP pending", sigismember(&set, SIGTSTP));
	MUST(raise(SIGCONT));
	sigpending(&set);
	show_int("SIGTSTP pending", sigismember(&set, SIGTSTP));
	show_int("SIGCONT pending", sigismember(&set, SIGCONT));
	MUST(raise(SIGTSTP));
	sigpending(&set);
	show_int("SIGTSTP pending", sigismember(&set, SIGTSTP));
	show_int("SIGCONT pending", sigismember(&set, SIGCONT));
}

CASE(signal_cont_handler_runs)
{
	pid_t pid = (pid_t)MUST(fork());
	int status;

	if (pid == 0) {
		catch_signal(SIGCONT, 0);
		raise(SIGSTOP);
		note("count %d", count);
		_exit(0);
	}
	MUST(waitpid(pid, &status, WUNTRACED));
	kill(pid, SIGCONT);
	show_wait("child", pid);
}

/* --- restarts ----------------------------------------------------------------------- */

static pid_t signal_when_blocked(int sig)
{
	pid_t parent = getpid();
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		wait_blocked(parent, parent);
		kill(parent, sig);
		_exit(0);
	}
	return pid;
}

CASE(restart_table)
{
	int pipes[2], pair[2], timeout = 10000;
	char byte;
	sigset_t empty;
	struct timeval short_time = { 10, 0 };

	sigemptyset(&empty);
	MUST(pipe(pipes));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time)));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int restart = 0; restart < 2; restart++) {
		catch_signal(SIGUSR1, restart ? SA_RESTART : 0);
		note("%s", restart ? "SA_RESTART" : "plain");
		signal_when_blocked(SIGUSR1);
		show("epoll_wait", epoll_wait(epoll, &(struct epoll_event){ 0 }, 1, timeout));
		signal_when_blocked(SIGUSR1);
		show("poll", poll(NULL, 0, timeout));
		signal_when_blocked(SIGUSR1);
		show("select", select(0, NULL, NULL, NULL, &(struct timeval){ 10, 0 }));
		signal_when_blocked(SIGUSR1);
		show("pselect", pselect(0, NULL, NULL, NULL, &(struct timespec){ 10, 0 }, &empty));
		signal_when_blocked(SIGUSR1);
		show("recv with a timeout", recv(pair[0], &byte, 1, 0));
		signal_when_blocked(SIGUSR1);
		show("pause", pause());
		signal_when_blocked(SIGUSR1);
		show("sigtimedwait", sigtimedwait(&empty, NULL, &(struct timespec){ 10, 0 }));
		signal_when_blocked(SIGUSR1);
		show("nanosleep", nanosleep(&(struct timespec){ 10, 0 }, NULL));
		unsigned int word = 1;
		signal_when_blocked(SIGUSR1);
		show("futex with a timeout", syscall(SYS_futex, &word, 0, 1,
						     &(struct timespec){ 10, 0 }, NULL, 0));
		while (wait(NULL) > 0)
			continue;
	}
}

CASE(restart_syscall_alone)
{
	show("without a sleep", syscall(SYS_restart_syscall));
}

CASE(restart_nanosleep_over_stop)
{
	int status, ends[2];

	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		long long start = now_ms();
		show("nanosleep", nanosleep(&(struct timespec){ 0, 300000000 }, NULL));
		show_int("not shorter", now_ms() - start >= 299);
		struct pollfd none = { -1, 0, 0 };
		start = now_ms();
		show("poll", poll(&none, 1, 300));
		show_int("not shorter", now_ms() - start >= 299);
		/* There to be stopped even by a late parent. */
		close(ends[1]);
		(void)!read(ends[0], &status, 1);
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		wait_blocked(pid, pid);
		kill(pid, SIGSTOP);
		MUST(waitpid(pid, &status, WUNTRACED));
		kill(pid, SIGCONT);
		sleep_ms(350);
	}
	close(ends[1]);
	show_wait("child", pid);
}

/* --- death of a blocked task ---------------------------------------------------------- */

static void block_forever(int how)
{
	int pipes[2], pair[2];
	char byte;
	sigset_t all;
	unsigned int word = 1;

	sigfillset(&all);
	MUST(pipe(pipes));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	switch (how) {
	case 0:
		MUST(read(pipes[0], &byte, 1));
		break;
	case 1:
		for (;;)
			if (write(pipes[1], "x", 1) != 1)
				break;
		break;
	case 2:
		recv(pair[0], &byte, 1, 0);
		break;
	case 3:
		syscall(SYS_futex, &word, 0, 1, NULL, NULL, 0);
		break;
	case 4:
		sigprocmask(SIG_SETMASK, &all, NULL);
		pause();
		break;
	case 5:
		if (vfork() == 0)
			for (;;)
				pause();
		break;
	case 6:
		poll(NULL, 0, -1);
		break;
	case 7:
		sigprocmask(SIG_SETMASK, &all, NULL);
		sigsuspend(&all);
		break;
	case 8:
		raise(SIGSTOP);
		break;
	case 9: {
		int fd = open("fifo", O_RDONLY);
		(void)fd;
		break;
	}
	case 10:
		if (fork() == 0)
			for (;;)
				pause();
		wait(NULL);
		break;
	default:
		for (;;)
			;
	}
}

CASE(kill_ends_blocked_tasks)
{
	static const char *const names[] = { "pipe read", "pipe write", "recv", "futex", "pause, all blocked",
					     "vfork", "poll", "sigsuspend", "stopped", "fifo open", "wait",
					     "busy" };

	MUST(mkfifo("fifo", 0600));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pid_t pid = (pid_t)MUST(fork());

		if (pid == 0) {
			setpgid(0, 0);
			block_forever((int)i);
			_exit(0);
		}
		setpgid(pid, pid);
		if (i + 1 < ARRAY_SIZE(names))
			wait_state(pid, pid, strcmp(names[i], "vfork") == 0 ? "D" : "SZXT");
		kill(pid, SIGKILL);
		show_wait(names[i], pid);
		kill(-pid, SIGKILL);
	}
}

/* A call that ends with EINTR and is not made again: no guest code may run behind it. */
CASE(kill_runs_no_more_code)
{
	volatile int *ran = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, went_on = 0;

	for (int i = 0; i < 100; i++) {
		pid_t pid = (pid_t)MUST(fork());

		if (pid == 0) {
			struct epoll_event e;
			int fd = epoll_create1(0);

			epoll_wait(fd, &e, 1, -1);
			*ran = 1;
			pause();
		}
		wait_blocked(pid, pid);
		kill(pid, SIGKILL);
		MUST(waitpid(pid, &status, 0));
		went_on += *ran;
		*ran = 0;
	}
	show_int("went on", went_on);
}

/* --- signalfd --------------------------------------------------------------------------- */

CASE(signalfd_fields)
{
	sigset_t set;
	struct signalfd_siginfo info;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	sigaddset(&set, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	show("empty", read(fd, &info, sizeof(info)));
	kill(getpid(), SIGUSR1);
	queue(getpid(), SIGRTMIN + 2, SI_QUEUE, 4711);
	show("small buffer", read(fd, &info, sizeof(info) - 1));
	show("first", read(fd, &info, sizeof(info)));
	note("signo %u code %d uid %u pid ok %d", info.ssi_signo, info.ssi_code, info.ssi_uid,
	     info.ssi_pid == (unsigned int)getpid());
	show("second", read(fd, &info, sizeof(info)));
	note("code %d int %d ptr %llu", info.ssi_code, info.ssi_int, (unsigned long long)info.ssi_ptr);
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(9);
	struct pollfd wait_for = { fd, POLLIN, 0 };
	show("poll", poll(&wait_for, 1, 30000));
	show("child", read(fd, &info, sizeof(info)));
	note("signo %u code %d status %d pid ok %d", info.ssi_signo, info.ssi_code, info.ssi_status,
	     info.ssi_pid == (unsigned int)pid);
}

CASE(signalfd_change_mask)
{
	sigset_t set;
	struct signalfd_siginfo info;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	sigdelset(&set, SIGUSR2);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	kill(getpid(), SIGUSR2);
	show("not watched", read(fd, &info, sizeof(info)));
	sigaddset(&set, SIGUSR2);
	show_int("change", signalfd(fd, &set, 0) == fd);
	show("watched", read(fd, &info, sizeof(info)));
	sigfillset(&set);
	show_int("SIGKILL is dropped in silence", signalfd(fd, &set, 0) == fd);
	show("other file", signalfd(0, &set, 0));
	show("bad fd", signalfd(77, &set, 0));
	show("bad flags", signalfd(-1, &set, 1));
	show("bad size", syscall(SYS_signalfd4, -1, &set, 4, 0));
}

CASE(sigaltstack_minimum)
{
	static char stack[8192];
	stack_t ss = { .ss_sp = stack, .ss_size = 2047 };

	show("2047", sigaltstack(&ss, NULL));
	ss.ss_size = 0;
	show("0", sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	show("0, disabled", sigaltstack(&ss, NULL));
	ss.ss_flags = 0x55;
	ss.ss_size = sizeof(stack);
	show("bad flags", sigaltstack(&ss, NULL));
	ss.ss_flags = SS_ONSTACK;
	show("SS_ONSTACK", sigaltstack(&ss, NULL));
	show("bad old", sigaltstack(NULL, bad_ptr()));
	show("bad new", sigaltstack(bad_ptr(), NULL));
}

CASE(sigprocmask_values)
{
	unsigned long set = ~0UL, old = 0;

	show("all", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8));
	show("get", syscall(SYS_rt_sigprocmask, 77, NULL, &old, 8));
	show_hex("mask", old);
	show("bad how", syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8));
	show("size 4", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 4));
	show("size 16", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 16));
	show("bad set", syscall(SYS_rt_sigprocmask, SIG_SETMASK, bad_ptr(), NULL, 8));
	show("bad old", syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, bad_ptr(), 8));
	show("pending size 4", syscall(SYS_rt_sigpending, &old, 4));
	show("pending size 9", syscall(SYS_rt_sigpending, &old, 9));
	show("pending bad", syscall(SYS_rt_sigpending, bad_ptr(), 8));
	show("suspend size", syscall(SYS_rt_sigsuspend, &set, 4));
	show("suspend bad", syscall(SYS_rt_sigsuspend, bad_ptr(), 8));
}

CASE(kill_special_pids)
{
	RUN_CHILD("child")
	{
		MUST(setpgid(0, 0));
		signal(SIGUSR1, SIG_IGN);
		show("0", kill(0, SIGUSR1));
		show("INT_MIN", kill(INT32_MIN, 0));
		show("negative signal", kill(getpid(), -1));
		show("65", kill(getpid(), 65));
		show("tkill 0", syscall(SYS_tkill, 0, 0));
		show("tkill -1", syscall(SYS_tkill, -1, 0));
		show("tgkill 0", syscall(SYS_tgkill, 0, get_tid(), 0));
		show("tgkill other", syscall(SYS_tgkill, 1, get_tid(), 0));
		show("tgkill gone", syscall(SYS_tgkill, getpid(), 4000000, 0));
	}
}
