/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jumps into every call site of the stub with arguments of the guest's own:
 * unordered calls are harmless or fatal.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL
#define ANON_FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define ALL_PROT (PROT_READ | PROT_WRITE | PROT_EXEC)

static const char path[] = "/tmp/made-at-a-site";
static const char host_path[] = "/etc/passwd";
static char buffer[PAGE] __attribute__((aligned(PAGE)));

struct named_call {
	const char *name;
	struct call call;
};

#define ARG(p) ((uint64_t)(p))
/* clang-format off */
#define CALL(nr, ...) { #nr, { SYS_##nr, { __VA_ARGS__ } } }
#define VARIANT(text, nr, ...) { text, { (uint64_t)(nr), { __VA_ARGS__ } } }
/* clang-format on */

static const struct named_call forbidden[] = {
	CALL(open, ARG(path), O_RDWR | O_CREAT, 0666),
	CALL(openat, ARG(AT_FDCWD), ARG(host_path), O_RDONLY),
	CALL(socket, AF_UNIX, SOCK_STREAM, 0),
	CALL(execve, ARG(host_path), 0, 0),
	CALL(ptrace, 16, 1, 0, 0),
	CALL(fork),
	CALL(vfork),
	VARIANT("clone for a parent", SYS_clone, CLONE_PARENT),
	VARIANT("clone with a signal", SYS_clone, SIGCHLD),
	VARIANT("clone with a new user namespace", SYS_clone, CLONE_NEWUSER | CLONE_PARENT),
	VARIANT("clone of a thread", SYS_clone,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		ARG(buffer) + PAGE),
	CALL(clone3, ARG(buffer), 88),
	VARIANT("mmap of an FD", SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 0, 0),
	VARIANT("shared mmap of an FD", SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 1,
		0),
	CALL(mremap, ARG(buffer), PAGE, PAGE, MREMAP_MAYMOVE),
	CALL(kill, ARG(-1), SIGKILL),
	CALL(tgkill, 1, 1, SIGKILL),
	VARIANT("kill of a neighbour", SYS_kill, 3, SIGKILL),
	CALL(process_vm_readv, 1, ARG(buffer), 1, ARG(buffer), 1, 0),
	CALL(process_vm_writev, 1, ARG(buffer), 1, ARG(buffer), 1, 0),
	CALL(prctl, 4, 1), /* PR_SET_DUMPABLE */
	VARIANT("prctl PR_SET_NAME", SYS_prctl, 15, ARG(path)),
	CALL(seccomp, 1, 8, ARG(buffer)),
	CALL(close, 0),
	CALL(dup, 0),
	CALL(read, 0, ARG(buffer), 1),
	CALL(write, 1, ARG(path), 1),
	CALL(ioctl, 0, 0xc0502100, ARG(buffer)),
	CALL(sendmsg, 0, ARG(buffer), 0),
	CALL(pidfd_open, 1, 0),
	CALL(pidfd_getfd, 0, 0, 0),
	CALL(memfd_create, ARG(path), 0),
	CALL(userfaultfd, 0),
	CALL(bpf, 0, 0, 0),
	CALL(io_uring_setup, 1, ARG(buffer)),
	CALL(perf_event_open, ARG(buffer), 0, 0, 0, 0),
	CALL(unshare, CLONE_NEWUSER),
	CALL(setns, 0, 0),
	CALL(mount, ARG(path), ARG(path), 0, 0, 0),
	CALL(arch_prctl, 0x1002, 0),
	CALL(set_robust_list, ARG(buffer), 24),
	CALL(set_tid_address, ARG(buffer)),
	CALL(rseq, ARG(buffer), 32, 0, 0),
	CALL(membarrier, 1, 0, 0),
	CALL(rt_sigaction, SIGUSR1, ARG(buffer), 0, 8),
	CALL(rt_sigprocmask, 0, ARG(buffer), 0, 8),
	CALL(prlimit64, 0, 4, ARG(buffer), 0),
	CALL(setrlimit, 4, ARG(buffer)),
	CALL(personality, 0),
	CALL(mlockall, 1),
	CALL(remap_file_pages, ARG(buffer), PAGE, 0, 0, 0),
	CALL(pkey_mprotect, ARG(buffer), PAGE, PROT_READ, 0),
	CALL(process_madvise, 0, ARG(buffer), 1, 4, 0),
	CALL(mbind, ARG(buffer), PAGE, 0, 0, 0, 0),
	CALL(shmat, 0, 0, 0),
	CALL(nanosleep, ARG(buffer), 0),
	CALL(pause),
	CALL(getpid),
	VARIANT("a number of x32", 0x40000000 | SYS_mmap, 0, PAGE, ALL_PROT, ANON_FIXED, 0, 0),
	VARIANT("rt_sigreturn of x32", 0x40000000 | 513),
	VARIANT("a number out of range", 100000),
	VARIANT("the number -1", -1),
	VARIANT("hello", STUB_NR_HELLO, 1),
	VARIANT("hello without a ticket", STUB_NR_HELLO, 0),
	/* Almost the calls that are let through. */
	VARIANT("mprotect with a flag", SYS_mprotect, ARG(buffer), PAGE, 0x01000000 | PROT_READ),
	VARIANT("mprotect with high bits", SYS_mprotect, ARG(buffer), PAGE, 1UL << 32 | PROT_READ),
	VARIANT("mmap without FIXED", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS, ARG(-1), 0),
	VARIANT("mmap with high flags", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		1UL << 32 | ANON_FIXED, ARG(-1), 0),
	VARIANT("mmap with a high protection", SYS_mmap, ARG(buffer), PAGE, 1UL << 32 | PROT_READ,
		ANON_FIXED, ARG(-1), 0),
	VARIANT("mmap that grows down", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		ANON_FIXED | MAP_GROWSDOWN, ARG(-1), 0),
	VARIANT("mmap of huge pages", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		ANON_FIXED | MAP_HUGETLB, ARG(-1), 0),
	VARIANT("locked mmap", SYS_mmap, ARG(buffer), PAGE, PROT_READ, ANON_FIXED | MAP_LOCKED,
		ARG(-1), 0),
	VARIANT("shared anonymous mmap", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, ARG(-1), 0),
	VARIANT("private fixed mmap of an FD", SYS_mmap, ARG(buffer), PAGE, PROT_READ,
		MAP_PRIVATE | MAP_FIXED, 0, 0),
	VARIANT("futex requeue", SYS_futex, STUB_SLOTS, FUTEX_REQUEUE, 0, 1, ARG(buffer), 0),
	VARIANT("futex compare and requeue", SYS_futex, STUB_SLOTS, FUTEX_CMP_REQUEUE, 0, 1,
		ARG(buffer), 0),
	VARIANT("futex wake-op", SYS_futex, STUB_SLOTS, FUTEX_WAKE_OP, 1, 1, ARG(buffer), 0),
	VARIANT("futex lock of PI", SYS_futex, STUB_SLOTS, FUTEX_LOCK_PI, 0, 0, 0, 0),
	VARIANT("futex wait by the clock", SYS_futex, STUB_SLOTS,
		FUTEX_WAIT | FUTEX_CLOCK_REALTIME),
};

#define FORBIDDEN_COUNT (sizeof(forbidden) / sizeof(forbidden[0]))

struct attempt {
	uint64_t site;
	const struct call *call;
};

static int make_attempt(void *arg)
{
	const struct attempt *a = arg;
	int64_t result = 0;

	site_call(a->site, a->call, &result);
	printf("# call %lld at %#llx gave %lld\n", (long long)a->call->nr,
	       (unsigned long long)a->site, (long long)result);
	return 1;
}

/* On ptrace a call in the stub's text is a guest call like any other, and the sentry's to judge. */
static bool emulated(const struct outcome *o)
{
	return !on_trap() && !o->unkillable;
}

static void judge(const struct named_call *c, uint64_t site)
{
	struct attempt a = { site, &c->call };
	struct outcome o = in_child(make_attempt, &a, 2000);

	if (!killed_by(&o, SIGKILL) && !emulated(&o))
		fail("%s at %#llx: %s", c->name, (unsigned long long)site, outcome_text(&o));
}

static bool reaches_others(const struct named_call *c)
{
	/* Which a container's init must not do to its own children, the bystander among them. */
	return c->call.nr == SYS_kill || c->call.nr == SYS_tgkill;
}

void attack_sites_forbidden(void)
{
	unsigned count = sites_find();

	if (!count)
		return;
	/* Each call at one site; each site with a few calls; in the long form all with all. */
	for (unsigned i = 0; i < FORBIDDEN_COUNT; i++)
		if (on_trap() || !reaches_others(&forbidden[i]))
			judge(&forbidden[i], sites[i % count]);
	for (unsigned s = 0; s < count; s++)
		for (unsigned i = 0; i < FORBIDDEN_COUNT; i++)
			if (long_form() ? on_trap() : (i == 0 || i == 3 || i == 7 || i == 12))
				judge(&forbidden[i], sites[s]);
	if (on_trap())
		CHECK(access(path, F_OK) < 0);
}

/* --- what is let through harms only the caller -------------------------------------------- */

static const struct named_call direct[] = {
	VARIANT("munmap of everything", SYS_munmap, 0x10000, 0x7ffffffe0000UL),
	VARIANT("munmap of the stub's text", SYS_munmap, STUB_TEXT, STUB_TEXT_LIMIT - STUB_TEXT),
	VARIANT("munmap of the slots", SYS_munmap, STUB_SLOTS, STUB_SLOTS_SIZE),
	VARIANT("munmap of the signal stacks", SYS_munmap, STUB_STACKS,
		STUB_STACK_SIZE *STUB_THREADS_MAX),
	VARIANT("slots without access", SYS_mprotect, STUB_SLOTS, STUB_SLOTS_SIZE, PROT_NONE),
	VARIANT("text without access", SYS_mprotect, STUB_TEXT, PAGE * 2, PROT_NONE),
	VARIANT("stacks without access", SYS_mprotect, STUB_STACKS, STUB_STACK_SIZE, PROT_NONE),
	VARIANT("text replaced by zeroes", SYS_mmap, STUB_TEXT, 0x10000, ALL_PROT, ANON_FIXED,
		ARG(-1), 0),
	VARIANT("slots replaced by zeroes", SYS_mmap, STUB_SLOTS, STUB_SLOTS_SIZE, ALL_PROT,
		ANON_FIXED, ARG(-1), 0),
	VARIANT("stacks replaced by zeroes", SYS_mmap, STUB_STACKS, STUB_STACK_SIZE * 16, ALL_PROT,
		ANON_FIXED, ARG(-1), 0),
	VARIANT("slots dropped", SYS_madvise, STUB_SLOTS, STUB_SLOTS_SIZE, MADV_DONTNEED),
	VARIANT("stacks dropped", SYS_madvise, STUB_STACKS, STUB_STACK_SIZE, MADV_DONTNEED),
	VARIANT("stacks not forked", SYS_madvise, STUB_STACKS, STUB_STACK_SIZE, MADV_DONTFORK),
	VARIANT("text not forked", SYS_madvise, STUB_TEXT, PAGE * 2, MADV_DONTFORK),
	VARIANT("sigreturn from zeroes", SYS_rt_sigreturn, 0),
	VARIANT("no alternate stack", SYS_sigaltstack, ARG(buffer), 0),
	VARIANT("futex wait for ever", SYS_futex, ARG(buffer), FUTEX_WAIT, 0, 0),
	VARIANT("futex wake of the slots", SYS_futex, STUB_SLOTS, FUTEX_WAKE, 1 << 30),
};

/* The call, and then a life as if nothing had happened. */
static int live_on(void *arg)
{
	const struct attempt *a = arg;
	int64_t result = 0;
	int status = 0, p[2];
	char c = 'x';

	last_resort_ms = 1000;
	site_call(a->site, a->call, &result);
	for (int i = 0; i < 3; i++) {
		void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);
		struct outcome o;
		pid_t pid;

		if (map == MAP_FAILED || pipe(p) < 0 || write(p[1], &c, 1) != 1 ||
		    read(p[0], &c, 1) != 1)
			return 1;
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid < 0)
			return 1;
		o = await(pid, 500);
		if (o.unkillable)
			return 7;
		status |= o.status;
		munmap(map, PAGE);
	}
	return status ? 2 : 0;
}

/* Any end will do: only that there is one, for SIGKILL at the latest. */
void attack_sites_direct(void)
{
	static struct {
		uint64_t sp;
		uint64_t flags;
		uint64_t size;
	} no_stack = { 0, 2 /* SS_DISABLE */, 0 };
	unsigned count = sites_find();

	__builtin_memcpy(buffer, &no_stack, sizeof(no_stack));
	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		for (unsigned s = 0; s < (long_form() ? count : 1); s++) {
			uint64_t site = long_form() ? sites[s] : site_returning();
			struct attempt a = { site, &direct[i].call };
			struct outcome o;

			note(direct[i].name);
			o = in_child(live_on, &a, 2500);
			if (o.unkillable || exited_with(&o, 7))
				fail("%s at %#llx: %s%s", direct[i].name, (unsigned long long)site,
				     outcome_text(&o),
				     exited_with(&o, 7) ? " (a child of it cannot be killed)" : "");
		}
}

/* In strict mode the memory calls are fatal like all others. */
void attack_sites_strict(void)
{
	static const int memory_calls[] = { SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise };
	unsigned count = sites_find();

	if (!strict_memory())
		skip("about --strict-memory");
	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		for (size_t c = 0; c < 4; c++)
			for (unsigned s = 0; s < count; s++)
				if (direct[i].call.nr == (uint64_t)memory_calls[c])
					judge(&direct[i], sites[s]);
}

/* --- a silent end ------------------------------------------------------------------------------
 */

static const struct named_call ends[] = {
	CALL(exit, 0),
	CALL(exit_group, 0),
};

void attack_sites_exit(void)
{
	unsigned count = sites_find();

	for (unsigned s = 0; s < count; s++)
		for (size_t i = 0; i < 2; i++)
			judge(&ends[i], sites[s]);
}

/* --- the memory that the sentry works on disappears under it -----------------------------------
 */

struct unmapping {
	uint64_t at, size;
};

static void *pull_away(void *arg)
{
	const struct unmapping *u = arg;

	for (volatile int i = 0; i < 20000; i++)
		;
	GADGET(SYS_munmap, u->at, u->size);
	for (;;)
		;
	return NULL;
}

/* One thread pulls the memory away while the other one calls. */
static int unmap_around_calls(void *arg)
{
	static char data[65536];
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC),
	    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pthread_t thread;

	gadget_install();
	if (pthread_create(&thread, NULL, pull_away, arg) != 0)
		return 1;
	for (int i = 0; i < 200000; i++)
		if (read(fd, data, 8192) != 8192 || write(null, data, 8192) != 8192 ||
		    madvise(data, PAGE, MADV_NORMAL) < 0)
			break;
	_exit(0);
}

void attack_sites_unmap(void)
{
	static struct unmapping places[] = {
		{ STUB_SLOTS, STUB_SLOTS_SIZE },
		{ STUB_STACKS, STUB_STACK_SIZE * STUB_THREADS_MAX },
		{ STUB_TEXT, 0x8000 },
		{ STUB_TEXT, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct outcome o = in_child(unmap_around_calls, &places[i], 2000);

		if (o.unkillable)
			fail("memory unmapped at %#llx under a call: %s",
			     (unsigned long long)places[i].at, outcome_text(&o));
	}
}
