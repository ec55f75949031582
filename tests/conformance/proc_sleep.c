/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/PID/wchan, syscall and stack: where a task is, and who may know.
 */
#include "conformance.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static char data[1 << 16];
static int fds[2];

static ssize_t slurp(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return n;
}

static void state_becomes(pid_t pid, char state)
{
	char text[512];

	for (int i = 0; i < 2000; i++) {
		if (slurp(pid, "stat", text, sizeof(text)) > 0 && strrchr(text, ')')[2] == state)
			return;
		sleep_ms(2);
	}
	note("never in state %c", state);
}

/* --- wchan -------------------------------------------------------------------------------------- */

static void in_time(void)
{
	struct timespec t = { 1000, 0 };

	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
}

static void in_cpu_time(void)
{
	struct timespec t = { 1000, 0 };

	syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &t, NULL);
}

static void in_poll(void)
{
	syscall(SYS_poll, NULL, 0, -1);
}

static void in_select(void)
{
	syscall(SYS_select, 0, NULL, NULL, NULL, NULL);
}

static void in_epoll(void)
{
	struct epoll_event e;

	epoll_wait(epoll_create1(0), &e, 1, -1);
}

static void in_suspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigsuspend(&none);
}

static void in_sigwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwaitinfo(&set, NULL);
}

static void nap(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void in_wait(void)
{
	if (fork() == 0)
		nap();
	syscall(SYS_wait4, -1, NULL, 0, NULL);
}

static void in_waitid(void)
{
	siginfo_t info;

	if (fork() == 0)
		nap();
	waitid(P_ALL, 0, &info, WEXITED);
}

static void in_vfork(void)
{
	syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) ? _exit(0) : nap();
}

static void in_futex(void)
{
	syscall(SYS_futex, data, 0, 0, NULL);
}

static void in_futex_bitset(void)
{
	syscall(SYS_futex, data, 9, 0, NULL, NULL, 1);
}

static void in_pipe_read(void)
{
	(void)!read(fds[0], data, 1);
}

static void in_pipe_write(void)
{
	while (write(fds[1], data, 4096) > 0)
		;
}

static void in_fifo(void)
{
	mkfifo("fifo", 0600);
	open("fifo", O_RDONLY);
}

static void in_eventfd(void)
{
	(void)!read(eventfd(0, 0), data, 8);
}

static void in_timerfd(void)
{
	(void)!read(timerfd_create(CLOCK_MONOTONIC, 0), data, 8);
}

static void in_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	(void)!read(signalfd(-1, &set, 0), data, 1024);
}

static void in_inotify(void)
{
	(void)!read(inotify_init(), data, 4096);
}

static void in_socket(void)
{
	int s[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	(void)!read(s[0], data, 1);
}

static void in_datagram(void)
{
	int s[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	(void)!recv(s[0], data, 1, 0);
}

static void in_accept(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(s, (struct sockaddr *)&name, sizeof(name.sun_family));
	listen(s, 1);
	accept(s, NULL, NULL);
}

static void in_msgrcv(void)
{
	msgrcv(msgget(IPC_PRIVATE, 0600), data, 1, 0, 0);
}

static void in_msgsnd(void)
{
	int q = msgget(IPC_PRIVATE, 0600);

	data[0] = 1;
	while (msgsnd(q, data, 4096, 0) == 0)
		;
}

static void in_semop(void)
{
	struct sembuf down = { 0, -1, 0 };

	semop(semget(IPC_PRIVATE, 1, 0600), &down, 1);
}

static void in_mq(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 10 };
	mqd_t q = mq_open("/sleeper", O_RDWR | O_CREAT, 0600, &attr);

	mq_unlink("/sleeper");
	mq_receive(q, data, 10, NULL);
}

static void in_flock(void)
{
	flock(open("lock", O_RDWR | O_CREAT, 0600), LOCK_EX);
	flock(open("lock", O_RDWR), LOCK_EX);
}

static void in_setlk(void)
{
	struct flock all = { .l_type = F_WRLCK };

	fcntl(open("lock", O_RDWR | O_CREAT, 0600), F_OFD_SETLKW, &all);
	fcntl(open("lock", O_RDWR), F_OFD_SETLKW, &all);
}

/* A name that changed from one Linux to the next is told as "a name". */
static const struct {
	const char *what;
	void (*sleep)(void);
	bool stable;
} sleepers[] = {
	{ "pause", nap, true },		     { "time", in_time, true },
	{ "CPU time", in_cpu_time, true },   { "poll", in_poll, true },
	{ "select", in_select, true },	     { "epoll", in_epoll, false },
	{ "suspend", in_suspend, true },     { "sigwait", in_sigwait, true },
	{ "wait", in_wait, true },	     { "waitid", in_waitid, true },
	{ "vfork", in_vfork, true },	     { "futex", in_futex, false },
	{ "bitset", in_futex_bitset, false }, { "pipe read", in_pipe_read, false },
	{ "pipe write", in_pipe_write, false }, { "fifo", in_fifo, true },
	{ "eventfd", in_eventfd, false },    { "timerfd", in_timerfd, false },
	{ "signalfd", in_signalfd, false },  { "inotify", in_inotify, true },
	{ "socket", in_socket, true },	     { "datagram", in_datagram, true },
	{ "accept", in_accept, true },	     { "msgrcv", in_msgrcv, true },
	{ "msgsnd", in_msgsnd, true },	     { "semop", in_semop, true },
	{ "mq", in_mq, true },		     { "flock", in_flock, true },
	{ "setlk", in_setlk, true },
};

/* What the compiler adds to a name (.part.0) is left out. */
static void show_wchan(const char *what, pid_t pid, bool stable)
{
	char text[128], state[512];
	/* One that sleeps may be on its feet for the moment, and one that stopped may not lie yet. */
	for (int i = 0; i < 20; i++) {
		if (slurp(pid, "wchan", text, sizeof(text)) < 0) {
			show(what, -1);
			return;
		}
		if (slurp(pid, "stat", state, sizeof(state)) <= 0)
			return;
		if (strchr("SDTt", strrchr(state, ')')[2]) == NULL || strcmp(text, "0") != 0)
			break;
		sleep_ms(2);
	}
	text[strcspn(text, ".")] = '\0';
	note("%s: %s, state %c", what,
	     stable || strcmp(text, "0") == 0 || !text[0] ? text : "a name",
	     strrchr(state, ')')[2]);
}

CASE(proc_wchan)
{
	MUST(pipe(fds));
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		pid_t pid = (pid_t)MUST(fork());
		int status;

		if (pid == 0) {
			setpgid(0, 0);
			sleepers[i].sleep();
			note("%s did not sleep", sleepers[i].what);
			_exit(0);
		}
		setpgid(pid, pid);
		const char *asleep = sleepers[i].sleep == in_vfork ? "D" : "SZXT";

		wait_state(pid, pid, asleep);
		/* on its way there it may have waited for something else */
		sleep_ms(10);
		wait_state(pid, pid, asleep);
		show_wchan(sleepers[i].what, pid, sleepers[i].stable);
		kill(-pid, SIGKILL);
		MUST(waitpid(pid, &status, 0));
	}
}

CASE(proc_wchan_of_others)
{
	int status;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGUSR1);
		for (;;)
			__asm__ volatile("");
	}
	MUST(waitpid(pid, &status, 0));
	show_wchan("traced", pid, true);
	MUST(ptrace(PTRACE_DETACH, pid, NULL, NULL));
	state_becomes(pid, 'R');
	show_wchan("spinning", pid, true);
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show_wchan("stopped", pid, true);
	RUN_CHILD("another user")
	{
		become_user(1234);
		show_wchan("stopped", pid, true);
	}
	kill(pid, SIGKILL);
	state_becomes(pid, 'Z');
	show_wchan("zombie", pid, true);
	show_wait("end", pid);
	show_wchan("oneself", getpid(), true);
}

/* --- syscall ------------------------------------------------------------------------------------- */

struct place {
	uint64_t sp, ip;
};

/* A call whose place in the program is known. */
static long call_from(struct place *p, long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("movq %%rsp, (%[p])\n\t"
			 "leaq 1f(%%rip), %%r11\n\t"
			 "movq %%r11, 8(%[p])\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), [p] "r"(p)
			 : "rcx", "r11", "memory");
	return result;
}

static void show_place(const char *what, pid_t pid, const struct place *p)
{
	char text[512], *save = NULL;
	uint64_t words[9] = { 0 };
	int count = 0;

	show_int(what, slurp(pid, "syscall", text, sizeof(text)) > 0);
	for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (count < 9)
			words[count++] = strtoull(word, NULL, 0);
	show_int("words", count);
	show_int("number", (long long)words[0]);
	if (count == 9)
		note("first three: %lld %lld %lld", (long long)words[1], (long long)words[2],
		     (long long)words[3]);
	if (count < 3)
		return;
	show_int("stack", words[count - 2] == p->sp);
	show_int("instruction", words[count - 1] == p->ip);
}

CASE(proc_syscall_place)
{
	struct place *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		call_from(p, SYS_poll, 0, 0, -1);
		_exit(0);
	}
	wait_blocked(pid, pid);
	show_place("asleep", pid, p);
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show_place("stopped in it", pid, p);
	kill(pid, SIGCONT);
	wait_blocked(pid, pid);
	show_place("asleep again", pid, p);
	kill(pid, SIGKILL);
	state_becomes(pid, 'Z');
	show_place("zombie", pid, &(struct place){ 0, 0 });
	show_wait("end", pid);
}

/* Many calls first: the way a call takes may depend on what came before. */
CASE(proc_syscall_place_busy)
{
	struct place *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		for (int i = 0; i < 2000; i++)
			syscall(SYS_getppid);
		call_from(p, SYS_pause, 1, 2, 3);
		_exit(0);
	}
	wait_blocked(pid, pid);
	show_place("asleep", pid, p);
	kill(pid, SIGKILL);
	show_wait("end", pid);
}

/* Outside of any call. */
CASE(proc_syscall_spinning)
{
	struct place *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char text[512];
	int status;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		__asm__ volatile("movq %%rsp, (%0)\n\t"
				 "leaq 1f(%%rip), %%r11\n\t"
				 "movq %%r11, 8(%0)\n"
				 "1:	jmp 1b"
				 :
				 : "r"(p)
				 : "r11", "memory");
	while (__atomic_load_n(&p->ip, __ATOMIC_ACQUIRE) == 0)
		sleep_ms(1);
	slurp(pid, "syscall", text, sizeof(text));
	show_str("spinning", text);
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	show_place("stopped", pid, p);
	kill(pid, SIGKILL);
	show_wait("end", pid);
	MUST(slurp(getpid(), "syscall", text, sizeof(text)));
	show_int("of oneself: read", atoi(text));
}

/* --- who may know ---------------------------------------------------------------------------------- */

static void try_read(const char *what, int fd)
{
	char text[64];

	show(what, pread(fd, text, sizeof(text), 0) > 0);
	show_err("error", pread(fd, text, sizeof(text), 0) < 0 ? errno : 0);
}

CASE(proc_where_rights)
{
	static const char *const files[] = { "stack", "syscall", "wchan" };
	pid_t pid = (pid_t)MUST(fork()), other;

	if (pid == 0)
		nap();
	other = (pid_t)MUST(fork());
	if (other == 0) {
		become_user(1234);
		nap();
	}
	wait_blocked(pid, pid);
	wait_blocked(other, other);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[64];
		int fd;

		note("%s", files[i]);
		snprintf(path, sizeof(path), "/proc/%d/%s", other, files[i]);
		fd = open(path, O_RDONLY);
		show_ok("open another user's", fd);
		try_read("another user's", fd);
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY);
		show_ok("open", fd);
		try_read("one's own", fd);
		RUN_CHILD("by somebody else")
		{
			become_user(1234);
			try_read("opened by root", fd);
		}
	}
	kill(pid, SIGKILL);
	kill(other, SIGKILL);
	show_wait("end", pid);
	show_wait("end", other);
}
