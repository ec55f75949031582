/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The soak test's program.  In the container, `soak serve` reads lines "KIND COUNT" from standard
 * input, does the thing that often, leaves nothing behind, and answers "done KIND" or "failed KIND
 * why".  `soak list` prints the kinds.  On the host, `soak adopt COMMAND...` executes the command as
 * the one that inherits orphans, so that a process left behind is a child of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u

extern char **environ;

static int wait_for(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int do_fork(unsigned turn)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return wait_for(pid);
}

static int do_exec(unsigned turn)
{
	char *argv[] = { (char[]){ "/soak" }, (char[]){ "nothing" }, NULL };
	pid_t pid;

	return posix_spawn(&pid, "/soak", NULL, NULL, argv, environ) ? -1 : wait_for(pid);
}

static void *thread_main(void *arg)
{
	return arg;
}

static int do_thread(unsigned turn)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, NULL))
		return -1;
	return pthread_join(thread, NULL) ? -1 : 0;
}

/* Private and shared memory, a hole in the middle, other rights on a part. */
static int do_mmap(unsigned turn)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | (turn % 2 ? MAP_PRIVATE : MAP_SHARED), -1, 0);

	if (p == MAP_FAILED)
		return -1;
	p[0] = p[7 * PAGE] = 1;
	if (mprotect(p + PAGE, PAGE, PROT_READ) || munmap(p + 3 * PAGE, PAGE) ||
	    madvise(p, PAGE, MADV_DONTNEED))
		return -1;
	return munmap(p, 8 * PAGE);
}

/* A file of the root file system, by the gofer: one of many names. */
static int do_open(unsigned turn)
{
	char name[64];
	struct stat st;
	char byte;
	int fd;

	snprintf(name, sizeof(name), "/files/%u", turn % 500);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || stat(name, &st) || read(fd, &byte, 1) != 1)
		return -1;
	return close(fd);
}

static int do_map_file(unsigned turn)
{
	char name[64];
	volatile char *p;
	int fd;

	snprintf(name, sizeof(name), "/files/%u", turn % 500);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED || p[0] != 'x')
		return -1;
	return munmap((void *)(uintptr_t)p, PAGE);
}

/* A file and a directory made, renamed and removed. */
static int make_and_remove(const char *base, unsigned turn)
{
	char a[64], b[64];
	int fd;

	snprintf(a, sizeof(a), "%s/a%u", base, turn);
	snprintf(b, sizeof(b), "%s/b%u", base, turn);
	fd = open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, a, sizeof(a)) != (ssize_t)sizeof(a) || ftruncate(fd, 3 * PAGE) ||
	    rename(a, b) || unlink(b) || close(fd))
		return -1;
	return mkdir(a, 0700) || rmdir(a) ? -1 : 0;
}

static int do_create(unsigned turn)
{
	return make_and_remove("/scratch", turn);
}

static int do_tmpfs(unsigned turn)
{
	return make_and_remove("/tmp", turn);
}

static int do_socket(unsigned turn)
{
	int pair[2], one;
	char byte = 'x';

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || write(pair[0], &byte, 1) != 1 ||
	    read(pair[1], &byte, 1) != 1)
		return -1;
	one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (one < 0)
		return -1;
	return close(one) || close(pair[0]) || close(pair[1]) ? -1 : 0;
}

/* A socket that is sent over itself and closed: only the collector of flights can free it. */
static int do_flight(unsigned turn)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control.room) };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &pair[1], sizeof(int));
	if (sendmsg(pair[0], &m, 0) != 1)
		return -1;
	return close(pair[0]) || close(pair[1]) ? -1 : 0;
}

static int do_pipe(unsigned turn)
{
	int ends[2];
	char text[100] = { 0 };

	if (pipe2(ends, O_CLOEXEC) || write(ends[1], text, sizeof(text)) != (ssize_t)sizeof(text) ||
	    read(ends[0], text, sizeof(text)) != (ssize_t)sizeof(text))
		return -1;
	return close(ends[0]) || close(ends[1]) ? -1 : 0;
}

static int do_epoll(unsigned turn)
{
	int set = epoll_create1(EPOLL_CLOEXEC), event = eventfd(1, EFD_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec soon = { .it_value = { 1000, 0 } };
	struct epoll_event e = { .events = EPOLLIN };

	if (set < 0 || event < 0 || timer < 0 || timerfd_settime(timer, 0, &soon, NULL) ||
	    epoll_ctl(set, EPOLL_CTL_ADD, event, &e) || epoll_ctl(set, EPOLL_CTL_ADD, timer, &e) ||
	    epoll_wait(set, &e, 1, 1000) != 1)
		return -1;
	return close(event) || close(timer) || close(set) ? -1 : 0;
}

static volatile sig_atomic_t signals;

static void on_signal(int signo)
{
	signals++;
}

static int do_signal(unsigned turn)
{
	sig_atomic_t before = signals;

	signal(SIGUSR1, on_signal);
	return raise(SIGUSR1) || signals == before ? -1 : 0;
}

static int do_timer(unsigned turn)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	struct itimerspec soon = { .it_value = { 1000, 0 } };
	timer_t timer;

	return timer_create(CLOCK_MONOTONIC, &none, &timer) || timer_settime(timer, 0, &soon, NULL) ||
			       timer_delete(timer)
		       ? -1
		       : 0;
}

static int do_ipc(unsigned turn)
{
	int shm = shmget(IPC_PRIVATE, PAGE, 0600), sem = semget(IPC_PRIVATE, 2, 0600);
	char *p = shm < 0 ? NULL : shmat(shm, NULL, 0);

	if (sem < 0 || !p || p == (void *)-1)
		return -1;
	p[0] = 1;
	return shmdt(p) || shmctl(shm, IPC_RMID, NULL) || semctl(sem, 0, IPC_RMID) ? -1 : 0;
}

static int do_proc(unsigned turn)
{
	char text[4096];
	int fd = open(turn % 2 ? "/proc/self/maps" : "/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
		return -1;
	return close(fd);
}

static const struct kind {
	const char *name;
	int (*run)(unsigned turn);
} kinds[] = {
	{ "fork", do_fork },	 { "exec", do_exec },	  { "thread", do_thread },
	{ "mmap", do_mmap },	 { "open", do_open },	  { "map_file", do_map_file },
	{ "create", do_create }, { "tmpfs", do_tmpfs },	  { "socket", do_socket },
	{ "flight", do_flight }, { "pipe", do_pipe },	  { "epoll", do_epoll },
	{ "signal", do_signal }, { "timer", do_timer },	  { "ipc", do_ipc },
	{ "proc", do_proc },
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static void serve_one(const char *name, unsigned count)
{
	const struct kind *kind = NULL;

	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			kind = &kinds[i];
	if (!kind) {
		printf("failed %s unknown\n", name);
		return;
	}
	for (unsigned turn = 0; turn < count; turn++) {
		errno = 0;
		if (kind->run(turn)) {
			printf("failed %s turn %u: %s\n", name, turn, strerror(errno));
			return;
		}
	}
	printf("done %s\n", name);
}

static int serve(void)
{
	char line[128], name[64];
	unsigned count;

	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%63s %u", name, &count) == 2)
			serve_one(name, count);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "stay"))
		for (;;)
			pause();
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < KIND_COUNT; i++)
			puts(kinds[i].name);
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "adopt")) {
		if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
			execvp(argv[2], argv + 2);
		perror("soak: adopt");
		return 127;
	}
	fprintf(stderr, "usage: soak serve | stay | nothing | list | adopt COMMAND...\n");
	return 2;
}
