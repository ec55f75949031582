/* SPDX-License-Identifier: Apache-2.0
 *
 * process_madvise, process_mrelease, cachestat and membarrier.
 */
#include "conformance.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#define SELF_THREAD (-10000)
#define SELF_GROUP (-10001)

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t pages)
{
	char *base = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST((long)base);
	memset(base, 'x', pages * PAGE);
	return base;
}

static long advise(int pidfd, const struct iovec *v, size_t count, int advice)
{
	return syscall(SYS_process_madvise, pidfd, v, count, advice, 0);
}

CASE(process_madvise_self)
{
	char *base = map(16);
	struct iovec v[] = { { base, PAGE }, { base + 2 * PAGE, 2 * PAGE }, { base + 8 * PAGE, 100 } };
	int self = (int)MUST(syscall(SYS_pidfd_open, getpid(), 0));

	show("dontneed", advise(self, v, 3, MADV_DONTNEED));
	note("%d %d %d %d %d", base[0], base[PAGE], base[2 * PAGE], base[3 * PAGE], base[8 * PAGE]);
	show("no segments", advise(self, v, 0, MADV_DONTNEED));
	show("no segments, bad advice", advise(self, v, 0, 999));
	show("bad advice", advise(self, v, 1, 999));
	show("flags", syscall(SYS_process_madvise, self, v, 1, MADV_COLD, 1));
	show("too many segments", advise(self, v, 1025, MADV_COLD));
	show("bad segments", advise(self, bad_ptr(), 1, MADV_COLD));
	show("bad fd", advise(99, v, 1, MADV_COLD));
	show("no pidfd", advise((int)MUST(open(".", O_RDONLY)), v, 1, MADV_COLD));
	show("order: flags before fd", syscall(SYS_process_madvise, 99, v, 1, MADV_COLD, 1));
	show("order: segments before fd", advise(99, bad_ptr(), 1, MADV_COLD));
	v[1].iov_base = base + 1;
	show("second not aligned", advise(self, v, 2, MADV_COLD));
	v[1].iov_base = (void *)PAGE;
	show("second not there", advise(self, v, 3, MADV_COLD));
	show("only that", advise(self, v + 1, 1, MADV_COLD));
	v[1].iov_len = 0;
	show("empty one", advise(self, v + 1, 1, MADV_COLD));
	v[1].iov_len = (size_t)-1;
	show("negative size", advise(self, v, 2, MADV_COLD));
	v[1] = (struct iovec){ kernel_ptr(), PAGE };
	show("kernel half", advise(self, v, 2, MADV_COLD));
	v[1] = (struct iovec){ base + 4 * PAGE, PAGE };
	show("dontfork", advise(self, v, 2, MADV_DONTFORK));
	show("this thread", advise(SELF_THREAD, v, 2, MADV_COLD));
	show("this process", advise(SELF_GROUP, v, 2, MADV_COLD));
}

CASE(process_madvise_other)
{
	char *base = map(4);
	struct iovec v = { base, 2 * PAGE };
	int ends[2];

	MUST(pipe(ends));
	pid_t child = (pid_t)MUST(fork());
	if (child == 0) {
		char byte;

		close(ends[1]);
		if (read(ends[0], &byte, 1) < 0)
			_exit(2);
		_exit(base[0] == 'x' ? 0 : 1);
	}
	int fd = (int)MUST(syscall(SYS_pidfd_open, child, 0));

	show("cold", advise(fd, &v, 1, MADV_COLD));
	show("pageout", advise(fd, &v, 1, MADV_PAGEOUT));
	show("willneed", advise(fd, &v, 1, MADV_WILLNEED));
	show("dontneed", advise(fd, &v, 1, MADV_DONTNEED));
	show("free", advise(fd, &v, 1, MADV_FREE));
	show("unknown", advise(fd, &v, 1, 999));
	v.iov_base = (void *)PAGE;
	show("not there", advise(fd, &v, 1, MADV_COLD));
	RUN_CHILD("another user")
	{
		v.iov_base = base;
		become_user(1000);
		show("cold", advise(fd, &v, 1, MADV_COLD));
		show("dontneed", advise(fd, &v, 1, MADV_DONTNEED));
	}
	close(ends[1]);
	MUST(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT));
	show("zombie", advise(fd, &v, 1, MADV_COLD));
	show_wait("child", child);
	show("reaped", advise(fd, &v, 1, MADV_COLD));
}

CASE(process_mrelease)
{
	pid_t child = (pid_t)MUST(fork());

	if (child == 0)
		for (;;)
			pause();
	int fd = (int)MUST(syscall(SYS_pidfd_open, child, 0));

	show("flags", syscall(SYS_process_mrelease, fd, 1));
	show("bad fd", syscall(SYS_process_mrelease, 99, 0));
	show("flags and bad fd", syscall(SYS_process_mrelease, 99, 1));
	show("no pidfd", syscall(SYS_process_mrelease, (int)MUST(open(".", O_RDONLY)), 0));
	show("alive", syscall(SYS_process_mrelease, fd, 0));
	show("self", syscall(SYS_process_mrelease, SELF_GROUP, 0));
	MUST(kill(child, SIGKILL));
	long rc = syscall(SYS_process_mrelease, fd, 0);
	show_int("killed: released, or gone by itself", rc == 0 || errno == ESRCH);
	MUST(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT));
	show("zombie", syscall(SYS_process_mrelease, fd, 0));
	show_wait("child", child);
	show("reaped", syscall(SYS_process_mrelease, fd, 0));
}

struct range {
	uint64_t off, len;
};

struct cache {
	uint64_t cached, dirty, writeback, evicted, recently;
};

static long stat_cache(int fd, uint64_t off, uint64_t len, struct cache *c)
{
	struct range range = { off, len };

	memset(c, 0xff, sizeof(*c));
	return syscall(SYS_cachestat, fd, &range, c, 0);
}

static void show_cached(const char *label, int fd, uint64_t off, uint64_t len)
{
	struct cache c;
	long rc = stat_cache(fd, off, len, &c);

	if (rc < 0)
		show(label, rc);
	else
		note("%s: %llu pages, evicted %llu", label, (unsigned long long)c.cached,
		     (unsigned long long)c.evicted);
}

CASE(cachestat_counts)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	char data[5 * 4096 - 100];
	struct cache c;

	if (stat_cache(fd, 0, 0, &c) < 0 && errno == ENOSYS)
		skip("no cachestat here");
	show_cached("empty", fd, 0, 0);
	memset(data, 'x', sizeof(data));
	MUST(write(fd, data, sizeof(data)));
	show_cached("all", fd, 0, 0);
	show_cached("from the third page", fd, 2 * PAGE, 0);
	show_cached("one byte", fd, 5000, 1);
	show_cached("across a border", fd, 8000, 1000);
	show_cached("more than there is", fd, PAGE, 1 << 30);
	show_cached("behind the end", fd, 100 * PAGE, PAGE);
	show_cached("wraps", fd, UINT64_MAX - 5, 100);
	show_cached("wraps to the start", fd, UINT64_MAX, 2);
}

CASE(cachestat_errors)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0644)), ends[2];
	struct range range = { 0, 0 };
	struct cache c;

	if (stat_cache(fd, 0, 0, &c) < 0 && errno == ENOSYS)
		skip("no cachestat here");
	MUST(pipe(ends));
	show("bad fd", syscall(SYS_cachestat, 99, bad_ptr(), &c, 1));
	show("O_PATH", stat_cache((int)MUST(open("f", O_PATH)), 0, 0, &c));
	show("bad range", syscall(SYS_cachestat, fd, bad_ptr(), &c, 1));
	show("bad result", syscall(SYS_cachestat, fd, &range, bad_ptr(), 0));
	show("flags", syscall(SYS_cachestat, fd, &range, bad_ptr(), 1));
	show_cached("directory", (int)MUST(open("/proc", O_RDONLY)), 0, 0);
	show_cached("pipe", ends[0], 0, 0);
	show_cached("/dev/null", (int)MUST(open("/dev/null", O_RDONLY)), 0, 0);
	show_cached("/proc/self/stat", (int)MUST(open("/proc/self/stat", O_RDONLY)), 0, 0);
	write_file("shared", "", 0644);
	MUST(chmod("shared", 0646));
	int ro = (int)MUST(open("f", O_RDONLY)), other = (int)MUST(open("shared", O_RDONLY));
	become_user(1000);
	show_cached("may not write, opened to read", ro, 0, 0);
	show("and flags", syscall(SYS_cachestat, ro, &range, &c, 1));
	show_cached("may write, opened to read", other, 0, 0);
	show_cached("opened to write", fd, 0, 0);
}

static long barrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void *idle(void *arg)
{
	char byte;

	if (read(*(int *)arg, &byte, 1) < 0)
		return arg;
	return NULL;
}

CASE(membarrier_commands)
{
	static const struct {
		const char *name;
		int use, registration;
	} kinds[] = {
		{ "private", MEMBARRIER_CMD_PRIVATE_EXPEDITED,
		  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
		{ "sync core", MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
		  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	};
	const long offered = barrier(MEMBARRIER_CMD_QUERY);
	int ends[2];
	pthread_t thread;

	MUST(pipe(ends));
	if (pthread_create(&thread, NULL, idle, &ends[0]) != 0)
		skip("no thread");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		note("%s", kinds[i].name);
		show_int("offered", !!(offered & kinds[i].use));
		show_int("to register", !!(offered & kinds[i].registration));
		show("unregistered", barrier(kinds[i].use));
		show("register", barrier(kinds[i].registration));
		show("again", barrier(kinds[i].registration));
		show("use", barrier(kinds[i].use));
		show("flags", syscall(SYS_membarrier, kinds[i].use, 1, 0));
		RUN_CHILD("fork")
			show("use", barrier(kinds[i].use));
	}
	show("two at once", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED |
				    MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE));
	show("global", barrier(MEMBARRIER_CMD_GLOBAL));
	show("global expedited, unregistered", barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED));
	show("register", barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED));
	show("global expedited", barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED));
	show("query with flags", syscall(SYS_membarrier, 0, 1, 0));
	close(ends[1]);
	show_err("join", pthread_join(thread, NULL));
}

HELPER(membarrier_show)
{
	(void)argc;
	(void)argv;
	show("registrations", barrier(512));
	show("use", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	return 0;
}

CASE(membarrier_exec)
{
	MUST(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
	MUST(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
	show("registrations", barrier(512));
	RUN_CHILD("fork")
		show("registrations", barrier(512));
	execl(self_exe(), "conformance", "@membarrier_show", (char *)NULL);
	show("execl", -1);
}
