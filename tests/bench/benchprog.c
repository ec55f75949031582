/* SPDX-License-Identifier: Apache-2.0
 *
 * The program ./bench runs in each container, and its stop-watch outside of them:
 *
 *     benchprog micro [NAME...]     prints NAME<tab>nanoseconds per operation, one line each
 *     benchprog time COMMAND...     prints the nanoseconds COMMAND took; exits with its status
 *     benchprog pss COMMAND...      starts COMMAND, waits until it is idle, prints the bytes of
 * proportional memory of it and all its descendants, then one line for each; kills them all
 *     benchprog true | sleep        does nothing, at once or for ever
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "benchprog.h"

enum { PAGE = 4096, ROUND_NS = 60000000, ROUNDS = 3 };

static char buffer[PAGE];
static int read_fd, write_fd, to_child, from_child;

int64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_die(const char *what)
{
	perror(what);
	exit(1);
}

static void op_getpid(void)
{
	syscall(SYS_getpid);
}

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void setup_read(void)
{
	read_fd = open("/bench.data", O_RDONLY | O_CLOEXEC);
	if (read_fd == -1)
		bench_die("/bench.data");
}

static void op_pread(void)
{
	if (pread(read_fd, buffer, PAGE, 0) != PAGE)
		bench_die("pread");
}

static void setup_write(void)
{
	write_fd = open("/tmp/bench.out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (write_fd == -1)
		bench_die("/tmp/bench.out");
}

static void op_pwrite(void)
{
	if (pwrite(write_fd, buffer, PAGE, 0) != PAGE)
		bench_die("pwrite");
}

static void op_open_close(void)
{
	int fd = open("/bench.data", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		bench_die("open");
	close(fd);
}

static void op_stat(void)
{
	struct stat st;

	if (stat("/bench.data", &st) == -1)
		bench_die("stat");
}

static void setup_pipes(void)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC) == -1 || pipe2(back, O_CLOEXEC) == -1)
		bench_die("pipe");
	if (fork() == 0) {
		char byte;
		close(there[1]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			continue;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	to_child = there[1];
	from_child = back[0];
}

static void op_pipe(void)
{
	char byte = 0;

	if (write(to_child, &byte, 1) != 1 || read(from_child, &byte, 1) != 1)
		bench_die("pipe");
}

static void op_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid == -1 || waitpid(pid, NULL, 0) != pid)
		bench_die("fork");
}

static void op_vfork_exec(void)
{
	static char name[] = "/benchprog", mode[] = "true";
	char *argv[] = { name, mode, NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execv(name, argv);
		_exit(127);
	}
	int status;
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		bench_die("vfork+exec");
}

static void *thread_main(void *arg)
{
	return arg;
}

static void op_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
		bench_die("pthread_create");
	pthread_join(thread, NULL);
}

enum { PARALLEL_CALLS = 100, PARALLEL_NS = 100000 };
static long parallel_turns;

static void compute(long turns)
{
	for (volatile long i = 0; i < turns; i++)
		continue;
}

static void setup_parallel(void)
{
	long turns = 20000000;
	int64_t start;

	compute(turns);
	start = bench_now();
	compute(turns);
	parallel_turns = (long)((double)turns * PARALLEL_NS / (double)(bench_now() - start));
}

static void *parallel_main(void *arg)
{
	for (int i = 0; i < PARALLEL_CALLS; i++) {
		compute(parallel_turns);
		op_getppid();
	}
	return arg;
}

/* Two threads, 100 times 100 us of computing and a call each: ten milliseconds on two CPUs. */
static void op_parallel(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, parallel_main, NULL) != 0)
		bench_die("pthread_create");
	parallel_main(NULL);
	pthread_join(thread, NULL);
}

static void op_mmap16(void)
{
	char *base =
		mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		bench_die("mmap");
	for (int i = 0; i < 16; i++)
		base[i * PAGE] = 1;
	munmap(base, 16 * PAGE);
}

struct bench {
	const char *name;
	void (*setup)(void);
	void (*op)(void);
};

static const struct bench benches[] = {
	{ "getpid", NULL, op_getpid },
	{ "syscall_spinning", NULL, op_getppid },
	{ "pread_4k", setup_read, op_pread },
	{ "pwrite_4k", setup_write, op_pwrite },
	{ "open_close", NULL, op_open_close },
	{ "stat", NULL, op_stat },
	{ "pipe_ping_pong", setup_pipes, op_pipe },
	{ "fork_exit_wait", NULL, op_fork },
	{ "vfork_exec", NULL, op_vfork_exec },
	{ "thread_create_join", NULL, op_thread },
	{ "two_threads_compute", setup_parallel, op_parallel },
	{ "mmap_16_faults_munmap", NULL, op_mmap16 },
};

static double run_for(void (*op)(void), int64_t length)
{
	int64_t start = bench_now(), end;
	long batch = 1, count = 0;

	do {
		for (long i = 0; i < batch; i++)
			op();
		count += batch;
		end = bench_now();
		if (end - start < length / 10)
			batch *= 2;
	} while (end - start < length);
	return (double)(end - start) / (double)count;
}

static double best_of_rounds(void (*op)(void))
{
	double best = 0;

	run_for(op, ROUND_NS / 4);
	for (int i = 0; i < ROUNDS; i++) {
		double value = run_for(op, ROUND_NS);
		if (i == 0 || value < best)
			best = value;
	}
	return best;
}

/* A call after half a millisecond of computing: whoever served the last one has gone to sleep. */
static double syscall_sleeping(void)
{
	enum { CALLS = 200 };
	int64_t total = 0;

	for (int i = 0; i < CALLS; i++) {
		int64_t until = bench_now() + BENCH_PAUSE_NS, before;
		while ((before = bench_now()) < until)
			continue;
		op_getppid();
		total += bench_now() - before;
	}
	return (double)total / CALLS;
}

static double page_fault(void)
{
	enum { PAGES = 8192 };
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		char *base = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (base == MAP_FAILED)
			bench_die("mmap");
		madvise(base, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
		int64_t start = bench_now();
		for (size_t i = 0; i < PAGES; i++)
			base[i * PAGE] = 1;
		double value = (double)(bench_now() - start) / PAGES;
		munmap(base, (size_t)PAGES * PAGE);
		if (round == 0 || value < best)
			best = value;
	}
	return best;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 0;
}

static int run_micro(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
		const struct bench *bench = &benches[i];
		if (!wanted(bench->name, argc, argv))
			continue;
		if (bench->setup != NULL)
			bench->setup();
		printf("%s\t%.1f\n", bench->name, best_of_rounds(bench->op));
	}
	if (wanted("syscall_sleeping", argc, argv))
		printf("syscall_sleeping\t%.1f\n", syscall_sleeping());
	if (wanted("notification", argc, argv))
		printf("notification\t%.1f\n", bench_notification(BENCH_PAUSE_NS));
	/* Only by name: `bench` runs it bound to one CPU. */
	if (argc > 0 && wanted("notification_at_once", argc, argv))
		printf("notification_at_once\t%.1f\n", bench_notification(0));
	if (wanted("page_fault", argc, argv))
		printf("page_fault\t%.1f\n", page_fault());
	return 0;
}

static int run_timed(char **argv)
{
	int64_t start = bench_now();
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		bench_die("fork");
	printf("%lld\n", (long long)(bench_now() - start));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "true") == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "sleep") == 0)
		for (;;)
			pause();
	if (argc > 1 && strcmp(argv[1], "micro") == 0)
		return run_micro(argc - 2, argv + 2);
	if (argc > 2 && strcmp(argv[1], "time") == 0)
		return run_timed(argv + 2);
	if (argc > 2 && strcmp(argv[1], "pss") == 0)
		return bench_pss(argv + 2);
	fprintf(stderr, "usage: benchprog micro [NAME...] | time COMMAND... | pss COMMAND... | "
			"true | sleep\n");
	return 2;
}
