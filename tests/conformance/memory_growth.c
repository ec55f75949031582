/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings that grow down when a system call, not the program, touches memory below them: which
 * calls make them grow, how far, and what forbids it.
 */
#include "conformance.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define PAGE 4096UL
#define ROOM 2048UL /* pages around the mapping */
#define TOP 1024UL  /* where in them it starts */

/* A mapping of one page that grows down, in the middle of addresses that nobody uses. */
static char *growing(int prot)
{
	char *area = mmap(NULL, ROOM * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(area == MAP_FAILED ? -1 : 0);
	MUST(munmap(area, ROOM * PAGE));
	char *base = mmap(area + TOP * PAGE, PAGE, prot,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	MUST(base == MAP_FAILED ? -1 : 0);
	return base;
}

/* How many pages below base are mapped. */
static void show_growth(const char *base)
{
	unsigned char present;
	int pages = 0;

	while (mincore((void *)(base - (pages + 1) * PAGE), PAGE, &present) == 0)
		pages++;
	show_int("  grown", pages);
}

static int filled_pipe(void)
{
	int ends[2];

	MUST(pipe(ends));
	MUST(write(ends[1], "0123456789abcdef", 16));
	return ends[0];
}

static void *page_below(char *base, unsigned long pages)
{
	return base - pages * PAGE;
}

CASE(growth_by_writing_calls)
{
	struct timespec now;
	struct iovec parts[2];
	char *base = growing(PROT_READ | PROT_WRITE);

	show("read", read(filled_pipe(), page_below(base, 1), 8));
	show_data("  got", base - PAGE, 8);
	show_growth(base);
	show("read across the edge", read(filled_pipe(), base - 2 * PAGE - 8, 16));
	show_growth(base);
	parts[0] = (struct iovec){ &now, 4 };
	parts[1] = (struct iovec){ page_below(base, 10), 4 };
	show("readv", readv(filled_pipe(), parts, 2));
	show_growth(base);
	show("clock_gettime", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page_below(base, 20)));
	show_growth(base);
	show("fstat", fstat(filled_pipe(), page_below(base, 30)));
	show_growth(base);
	show_ok("getcwd", syscall(SYS_getcwd, page_below(base, 40), 100));
	show_growth(base);
	show("pipe2", syscall(SYS_pipe2, page_below(base, 50), 0));
	show_growth(base);
	show("getrandom", syscall(SYS_getrandom, page_below(base, 60), 3 * PAGE, 0));
	show_growth(base);
	show("sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, page_below(base, 70), 8));
	show_growth(base);
	show("pread of a file", pread((int)MUST(open(self_exe(), O_RDONLY)), page_below(base, 90), 5 * PAGE, 0));
	show_growth(base);
}

CASE(growth_by_reading_calls)
{
	struct iovec part = { NULL, 3 };
	int ends[2];
	char *base = growing(PROT_READ | PROT_WRITE);

	MUST(pipe(ends));
	show("write", write(ends[1], page_below(base, 1), 8));
	show_growth(base);
	show("open", open(page_below(base, 10), O_RDONLY));
	show_growth(base);
	show("path across the edge", open(base - 11 * PAGE - 1, O_RDONLY));
	show_growth(base);
	part.iov_base = page_below(base, 20);
	show("writev", writev(ends[1], &part, 1));
	show_growth(base);
	show("iovec there", readv(ends[0], page_below(base, 30), 1));
	show_growth(base);
	show("sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, page_below(base, 40), NULL, 8));
	show_growth(base);
	show("nanosleep", syscall(SYS_nanosleep, page_below(base, 50), NULL));
	show_growth(base);
	show("futex wait", syscall(SYS_futex, page_below(base, 60), FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	show_growth(base);
	show("futex wake", syscall(SYS_futex, page_below(base, 70), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show_growth(base);
	show("exec", syscall(SYS_execve, page_below(base, 80), NULL, NULL));
	show_growth(base);
}

/* Calls in quick succession may come another way than single ones. */
CASE(growth_in_a_loop)
{
	char *base = growing(PROT_READ | PROT_WRITE);
	int good = 0;

	for (unsigned long page = 1; page <= 500; page++)
		good += syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page_below(base, page)) == 0;
	show_int("good", good);
	show_growth(base);
}

static void *grow_by_calls(void *base)
{
	for (unsigned long page = 1; page <= 500; page++)
		if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page_below(base, page)))
			return "failed";
	return NULL;
}

static pthread_barrier_t both;

static void *grow_when_mapped(void *base)
{
	pthread_barrier_wait(&both);
	return grow_by_calls(*(char **)base);
}

CASE(growth_by_two_threads)
{
	pthread_t thread;
	void *other;
	char *base;

	/* Its stack is mapped before, so that it does not lie in the way. */
	MUST(pthread_barrier_init(&both, NULL, 2));
	show_err("thread", pthread_create(&thread, NULL, grow_when_mapped, &base));
	base = growing(PROT_READ | PROT_WRITE);
	pthread_barrier_wait(&both);
	show_int("one failed", grow_by_calls(base) != NULL);
	show_err("join", pthread_join(thread, &other));
	show_int("the other failed", other != NULL);
	show_growth(base);
}

/* What looks at memory from outside. */
CASE(growth_from_outside)
{
	char *base = growing(PROT_READ | PROT_WRITE), byte = 'x';
	struct iovec local = { &byte, 1 }, remote = { page_below(base, 1), 1 };
	int mem = (int)MUST(open("/proc/self/mem", O_RDWR));

	show("process_vm_readv", process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	show_growth(base);
	show("process_vm_writev", process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	show_growth(base);
	show("read of mem", pread(mem, &byte, 1, (off_t)(uintptr_t)(base - 10 * PAGE)));
	show_growth(base);
	show("write of mem", pwrite(mem, &byte, 1, (off_t)(uintptr_t)(base - 20 * PAGE)));
	show_growth(base);
	show("madvise", madvise(page_below(base, 21), PAGE, MADV_WILLNEED));
	show("mprotect", mprotect(page_below(base, 21), PAGE, PROT_READ));
	show("mlock", mlock(page_below(base, 21), PAGE));
	show_growth(base);
}

CASE(growth_by_a_tracer)
{
	char *base = growing(PROT_READ | PROT_WRITE), byte = 'x', name[64];
	struct iovec local = { &byte, 1 }, remote = { page_below(base, 1), 1 };
	pid_t pid = (pid_t)MUST(fork());
	int status;

	if (pid == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		show_growth(base);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	show("process_vm_readv", process_vm_readv(pid, &local, 1, &remote, 1, 0));
	show("peek", ptrace(PTRACE_PEEKDATA, pid, page_below(base, 10), NULL));
	show("poke", ptrace(PTRACE_POKEDATA, pid, page_below(base, 20), NULL));
	show("mem", pread((int)MUST(open(name, O_RDONLY)), &byte, 1, (off_t)(uintptr_t)(base - 30 * PAGE)));
	MUST(ptrace(PTRACE_CONT, pid, NULL, NULL));
	show_wait("child", pid);
	show_growth(base);
}

CASE(growth_protection)
{
	int ends[2];
	char *base = growing(PROT_READ);

	MUST(pipe(ends));
	show("read, below a read-only one", read(filled_pipe(), page_below(base, 1), 8));
	show_growth(base);
	show("write, below a read-only one", write(ends[1], page_below(base, 2), 8));
	show_growth(base);
	base = growing(PROT_NONE);
	show("read, below none", read(filled_pipe(), page_below(base, 1), 8));
	show("write, below none", write(ends[1], page_below(base, 1), 8));
	show_growth(base);
	base = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(munmap(base, 2 * PAGE));
	show("below an ordinary one", read(filled_pipe(), base + PAGE, 8));
}

CASE(growth_guard_gap)
{
	static const struct {
		const char *name;
		int prot, flags;
	} below[] = { { "writable", PROT_READ | PROT_WRITE, 0 },
		      { "read-only", PROT_READ, 0 },
		      { "none", PROT_NONE, 0 },
		      { "another that grows", PROT_READ | PROT_WRITE, MAP_GROWSDOWN } };

	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		char *base = growing(PROT_READ | PROT_WRITE);
		char *other = mmap(base - 300 * PAGE, PAGE, below[i].prot,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | below[i].flags, -1, 0);

		MUST(other == MAP_FAILED ? -1 : 0);
		note("%s", below[i].name);
		show("gap of 257", read(filled_pipe(), other + 258 * PAGE, 8));
		show("gap of 256", read(filled_pipe(), other + 257 * PAGE, 8));
		show("gap of 255", read(filled_pipe(), other + 256 * PAGE, 8));
		show("gap of 1", read(filled_pipe(), other + 2 * PAGE, 8));
		show_growth(base);
	}
}

CASE(growth_limits)
{
	struct rlimit stack = { 16 * PAGE, 16 * PAGE }, memory;
	char *base = growing(PROT_READ | PROT_WRITE);

	RUN_CHILD("RLIMIT_STACK")
	{
		MUST(setrlimit(RLIMIT_STACK, &stack));
		show("17 pages", read(filled_pipe(), page_below(base, 16), 8));
		show_growth(base);
		show("16 pages", read(filled_pipe(), page_below(base, 15), 8));
		show_growth(base);
	}
	RUN_CHILD("RLIMIT_AS")
	{
		memory.rlim_cur = memory.rlim_max = 16 * PAGE;
		MUST(setrlimit(RLIMIT_AS, &memory));
		show("a page", read(0, page_below(base, 1), 8));
		show_growth(base);
	}
	RUN_CHILD("RLIMIT_MEMLOCK")
	{
		memory.rlim_cur = memory.rlim_max = 4 * PAGE;
		MUST(mlock(base, PAGE));
		become_user(1000);
		MUST(setrlimit(RLIMIT_MEMLOCK, &memory));
		show("5 pages", read(filled_pipe(), page_below(base, 4), 8));
		show_growth(base);
		show("4 pages", read(filled_pipe(), page_below(base, 3), 8));
		show_growth(base);
	}
}

/* --- the stack --------------------------------------------------------------------------- */

static void *read_below(void *here)
{
	return (void *)read(filled_pipe(), (char *)here - 400 * PAGE, 8);
}

/* Whether the stack was mapped as a whole or has to grow for it. */
CASE(growth_of_the_stack)
{
	char local, *volatile from = &local, *here = from;
	pthread_t thread;
	void *got;

	show("read", read(filled_pipe(), here - 100 * PAGE, 8));
	show_data("  got", here - 100 * PAGE, 8);
	show("read far below", read(filled_pipe(), here - 300 * PAGE, 8));
	show_err("thread", pthread_create(&thread, NULL, read_below, here));
	show_err("join", pthread_join(thread, &got));
	show_int("read in a thread", (long)got);
	RUN_CHILD("child")
	{
		show("read", read(filled_pipe(), here - 500 * PAGE, 8));
	}
	show("too far", read(filled_pipe(), here - 9UL * 1024 * 1024, 8));
}

/* --- signal frames ------------------------------------------------------------------------ */

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

CASE(growth_by_a_signal_frame)
{
	char *base = growing(PROT_READ | PROT_WRITE);
	stack_t stack = { .ss_sp = base - 64 * PAGE, .ss_size = 64 * PAGE };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	unsigned char present;

	MUST(sigaltstack(&stack, NULL));
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	show_int("handled", handled);
	show("grew", mincore(base - PAGE, PAGE, &present));
	base = growing(PROT_READ);
	stack.ss_sp = base - 64 * PAGE;
	MUST(sigaltstack(&stack, NULL));
	RUN_CHILD("below a read-only one")
	{
		raise(SIGUSR1);
		note("not reached");
	}
}
