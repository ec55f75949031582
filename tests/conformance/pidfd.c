/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pidfd stands for: a process, whichever of its threads has the process's number now, or with
 * PIDFD_THREAD one thread.
 */
#include "conformance.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#define PIDFD_THREAD O_EXCL
#define PIDFD_SELF_THREAD (-10000)
#define PIDFD_SELF_THREAD_GROUP (-10001)
#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static char stack[65536] __attribute__((aligned(16)));
static int ready[2], go[2]; /* pipes */

static int open_pidfd(pid_t pid, unsigned int flags)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, flags));
}

static long send_signal(int fd, int signo, unsigned int flags)
{
	return syscall(SYS_pidfd_send_signal, fd, signo, NULL, flags);
}

static void show_poll(const char *label, int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int rc = poll(&p, 1, timeout);

	note("%s: %d, events %x", label, rc, (unsigned int)p.revents);
}

/* The descriptor's flags, and whose numbers it shows. */
static void show_fdinfo(const char *label, int fd, pid_t pid)
{
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		int number;

		if (strncmp(line, "flags:", 6) == 0)
			note("%s: %s", label, strtok(line, "\n"));
		else if (sscanf(line, "Pid: %d", &number) == 1)
			note("%s: Pid %s", label, number == pid ? "its own" : number == -1 ? "-1" : "?");
	}
	if (file != NULL)
		fclose(file);
}

static void await(int *channel)
{
	char c;

	while (read(channel[0], &c, 1) != 1)
		continue;
}

static void tell(int *channel)
{
	MUST(write(channel[1], "x", 1));
}

/* Says that it is there, waits, and says it again as another program. */
HELPER(pidfd_program)
{
	(void)argc;
	if (write(atoi(argv[1]), "x", 1) != 1)
		return 1;
	pause();
	return 2;
}

static int exec_thread(void *arg)
{
	char fd[12], *argv[] = { (char *)"x", (char *)"@pidfd_program", fd, NULL };

	(void)arg;
	snprintf(fd, sizeof(fd), "%d", ready[1]);
	await(go);
	execv(self_exe(), argv);
	_exit(9);
}

/* A child whose second thread calls exec when told; its leader goes on, or is dead already. */
static pid_t start_exec_child(bool leader_exits)
{
	pid_t pid;

	MUST(pipe(ready));
	MUST(pipe(go));
	pid = (pid_t)MUST(fork());
	if (pid != 0)
		return pid;
	clone(exec_thread, stack + sizeof(stack), THREAD_FLAGS, NULL);
	if (leader_exits)
		syscall(SYS_exit, 0);
	for (;;)
		pause();
}

static void exec_of_thread(bool leader_exits)
{
	pid_t pid = start_exec_child(leader_exits);
	int process = open_pidfd(pid, 0), leader = open_pidfd(pid, PIDFD_THREAD);
	siginfo_t info = { 0 };

	show_poll("before", process, 0);
	tell(go);
	await(ready);
	show_poll("process", process, 0);
	show_poll("leader", leader, 0);
	show_fdinfo("process", process, pid);
	show_fdinfo("leader", leader, pid);
	show("signal to process", send_signal(process, 0, 0));
	show("signal to leader", send_signal(leader, 0, 0));
	show_ok("descriptor", syscall(SYS_pidfd_getfd, process, 1, 0));
	show("not dead", waitid(P_PIDFD, (id_t)process, &info, WEXITED | WNOHANG));
	show("kill", send_signal(leader, SIGKILL, 0));
	show_poll("killed", process, 10000);
	show("wait", waitid(P_PIDFD, (id_t)process, &info, WEXITED));
	note("code %d status %d", info.si_code, info.si_status);
	show_poll("reaped", leader, 0);
	show_fdinfo("reaped", leader, pid);
}

CASE(pidfd_exec_of_thread)
{
	exec_of_thread(false);
}

CASE(pidfd_exec_of_thread_after_leader)
{
	exec_of_thread(true);
}

static int waiting_thread(void *arg)
{
	(void)arg;
	await(go);
	syscall(SYS_exit, 0);
	return 0;
}

CASE(pidfd_of_thread)
{
	int made = -1;

	MUST(pipe(go));
	pid_t tid = (pid_t)MUST(clone(waiting_thread, stack + sizeof(stack), THREAD_FLAGS | CLONE_PIDFD,
				      NULL, &made));
	int opened = open_pidfd(tid, PIDFD_THREAD);

	show("not a process", syscall(SYS_pidfd_open, tid, 0));
	show_hex("flags of CLONE_PIDFD", (unsigned long long)fcntl(made, F_GETFL));
	show_hex("flags of pidfd_open", (unsigned long long)fcntl(opened, F_GETFL));
	MUST(fcntl(opened, F_SETFL, O_NONBLOCK));
	show_hex("flags set", (unsigned long long)fcntl(opened, F_GETFL));
	show_fdinfo("made", made, tid);
	show_fdinfo("opened", opened, tid);
	show("signal", send_signal(made, 0, 0));
	show("to the process group of that number", send_signal(made, 0, 4));
	show_poll("alive", made, 0);
	tell(go);
	show_poll("dead", made, 10000);
	show_poll("opened", opened, 10000);
	show_fdinfo("dead", made, tid);
	show("signal", send_signal(made, 0, 0));
	show_poll("own process", open_pidfd(getpid(), 0), 0);
}

static int reached[2];
static __thread int own;

static void count_signal(int signo)
{
	(void)signo;
	reached[own]++;
}

static void *count_thread(void *arg)
{
	own = 1;
	*(pid_t *)arg = get_tid();
	tell(ready);
	await(go);
	return NULL;
}

CASE(pidfd_signal_to_thread)
{
	pthread_t thread;
	pid_t tid;

	MUST(pipe(ready));
	MUST(pipe(go));
	signal(SIGUSR1, count_signal);
	pthread_create(&thread, NULL, count_thread, &tid);
	await(ready);
	show("other thread", send_signal(open_pidfd(tid, PIDFD_THREAD), SIGUSR1, 0));
	while (reached[0] + reached[1] < 1)
		sleep_ms(1);
	note("reached %d %d", reached[0], reached[1]);
	show("own thread", send_signal(open_pidfd(getpid(), PIDFD_THREAD), SIGUSR1, 0));
	note("reached %d %d", reached[0], reached[1]);
	tell(go);
	pthread_join(thread, NULL);
}

CASE(pidfd_self)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	signal(SIGUSR1, count_signal);
	show("own thread", send_signal(PIDFD_SELF_THREAD, SIGUSR1, 0));
	show("own process", send_signal(PIDFD_SELF_THREAD_GROUP, SIGUSR1, 0));
	show_int("reached", reached[0]);
	show("forged", syscall(SYS_pidfd_send_signal, PIDFD_SELF_THREAD, SIGUSR1, &info, 0));
	info.si_code = SI_USER;
	show("as of kill", syscall(SYS_pidfd_send_signal, PIDFD_SELF_THREAD, SIGUSR1, &info, 0));
	show("next number", send_signal(-10002, 0, 0));
	show("getfd", syscall(SYS_pidfd_getfd, PIDFD_SELF_THREAD, 1, 0));
	show("wait", syscall(SYS_waitid, P_PIDFD, PIDFD_SELF_THREAD, &info, WEXITED, NULL));
}

CASE(pidfd_file)
{
	int fd = open_pidfd(getpid(), 0), pidfd = 0;
	char path[64], link[64] = "";
	struct stat st;
	uint64_t args[11] = { [0] = CLONE_PIDFD | CLONE_PARENT_SETTID, [1] = (uint64_t)(uintptr_t)&pidfd,
			      [3] = (uint64_t)(uintptr_t)&pidfd, [4] = SIGCHLD };

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST(readlink(path, link, sizeof(link) - 1));
	show_str("link", link);
	MUST(fstat(fd, &st));
	note("mode %o", st.st_mode);
	/* Number and descriptor cannot be in one place. */
	show("clone3", syscall(SYS_clone3, args, sizeof(args)));
}

#define NAMESPACE(number) _IO(0xff, number)
#define LAST_NAMESPACE 10
#define GET_INFO(size) _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, size)
#define INFO_PID 1
#define INFO_CREDS 2
#define INFO_CGROUP 4
#define INFO_EXIT 8
#define INFO_COREDUMP 16

struct info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t exit_code;
	uint32_t coredump_mask, reserved;
	uint64_t later[2];
};

static void show_namespaces(const char *label, int fd, const char *dir)
{
	static const char *const names[] = { "", "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children",
					     "time", "time_for_children", "user", "uts" };

	for (unsigned int i = 1; i <= LAST_NAMESPACE; i++) {
		int ns = ioctl(fd, NAMESPACE(i), 0);
		char path[64];
		struct stat made, named;

		if (ns == -1) {
			note("%s, %s: %s", label, names[i], errno_name(errno));
			continue;
		}
		snprintf(path, sizeof(path), "%s/ns/%s", dir, names[i]);
		MUST(fstat(ns, &made));
		MUST(stat(path, &named));
		note("%s, %s: the same %d, flags %x %x", label, names[i], made.st_ino == named.st_ino,
		     (unsigned int)fcntl(ns, F_GETFL), (unsigned int)fcntl(ns, F_GETFD));
		close(ns);
	}
}

CASE(pidfd_namespaces)
{
	pid_t pid = (pid_t)MUST(fork());
	int fd;
	char dir[32];
	siginfo_t info;

	if (pid == 0)
		for (;;)
			pause();
	fd = open_pidfd(pid, 0);
	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	show_namespaces("child", fd, dir);
	show("argument", ioctl(fd, NAMESPACE(2), 1));
	show("number 0", ioctl(fd, NAMESPACE(0), 0));
	show("number 12", ioctl(fd, NAMESPACE(12), 0));
	RUN_CHILD("user")
	{
		become_user(1000);
		show_namespaces("of root's", fd, dir);
	}
	MUST(kill(pid, SIGKILL));
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show_namespaces("zombie", fd, dir);
	show_wait("end", pid);
	show_namespaces("reaped", fd, dir);
	show("argument", ioctl(fd, NAMESPACE(2), 1));
}

/* Without the control group, which has no number in a sandbox. */
static void show_pidfd_info(const char *label, int fd, pid_t pid, uint64_t mask, size_t size)
{
	struct info info;

	memset(&info, 0xaa, sizeof(info));
	info.mask = mask;
	if (ioctl(fd, GET_INFO(size), &info) == -1) {
		note("%s, %zu bytes: %s", label, size, errno_name(errno));
		return;
	}
	note("%s, %zu bytes: mask %llx", label, size, (unsigned long long)info.mask & ~INFO_CGROUP);
	note(" pid %d tgid %d ppid %d", info.pid == (uint32_t)pid, info.tgid == (uint32_t)pid,
	     info.ppid == (uint32_t)getpid());
	for (int i = 0; i < 8; i++)
		note(" id %u", info.ids[i]);
	note(" exit %x core %x later %llx", info.exit_code, info.coredump_mask,
	     (unsigned long long)info.later[0]);
}

CASE(pidfd_info)
{
	static const size_t sizes[] = { 0, 8, 63, 64, 68, 72, 80, 88 };
	pid_t pid;
	int fd;
	siginfo_t info;
	char byte;

	MUST(pipe(ready));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		if (setresgid(10, 11, 12) == -1 || setresuid(1, 2, 3) == -1)
			_exit(1);
		tell(ready);
		for (;;)
			pause();
	}
	await(ready);
	fd = open_pidfd(pid, 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		show_pidfd_info("all", fd, pid, ~0ULL, sizes[i]);
	for (int bit = 0; bit < 6; bit++)
		show_pidfd_info("bit", fd, pid, 1ULL << bit, 72);
	show("no memory", ioctl(fd, GET_INFO(64), NULL));
	show("bad address", ioctl(fd, GET_INFO(64), bad_ptr()));
	show("read only", ioctl(fd, _IOC(_IOC_READ, 0xff, 11, 64), &byte));
	show_pidfd_info("parent", open_pidfd(getpid(), 0), getpid(), INFO_COREDUMP, 72);
	MUST(kill(pid, SIGKILL));
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show_pidfd_info("zombie", fd, pid, ~0ULL, 72);
	show_wait("end", pid);
	show_pidfd_info("reaped", fd, pid, ~0ULL, 72);
	show_pidfd_info("reaped, exit", fd, pid, INFO_EXIT, 64);
	show_pidfd_info("reaped, ids", fd, pid, INFO_PID | INFO_CREDS, 64);
}

/* What nobody waits for is told by the descriptor alone. */
CASE(pidfd_info_of_ignored)
{
	int fd = -1;
	uint64_t args[11] = { [0] = CLONE_PIDFD, [1] = (uint64_t)(uintptr_t)&fd, [4] = SIGCHLD };
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = (pid_t)MUST(syscall(SYS_clone3, args, sizeof(args)));
	if (pid == 0)
		_exit(5);
	while (kill(pid, 0) == 0)
		sleep_ms(1);
	show_poll("gone", fd, 0);
	show_pidfd_info("gone", fd, pid, INFO_EXIT, 64);
}

CASE(pidfd_info_of_thread)
{
	pid_t tid;
	int fd;

	MUST(pipe(go));
	tid = (pid_t)MUST(clone(waiting_thread, stack + sizeof(stack), THREAD_FLAGS, NULL));
	fd = open_pidfd(tid, PIDFD_THREAD);
	show_pidfd_info("thread", fd, tid, INFO_EXIT, 64);
	tell(go);
	show_poll("dead", fd, 10000);
	show_pidfd_info("dead", fd, tid, INFO_EXIT, 64);
}
