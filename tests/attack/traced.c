/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace as a way round the stub: its memory named by requests, a tracee put into its text with
 * registers of the tracer's choice, and registers that no program ever has.
 */
#include "attack.h"

#include <elf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL
#define LINUX_TOP 0x800000000000UL

/* Addresses that are not the guest's, or not whole. */
static const uint64_t outside[] = {
	STUB_TEXT - 4,
	STUB_TEXT,
	STUB_TEXT + PAGE,
	STUB_COPY_TABLE,
	STUB_STACKS,
	STUB_STACKS + STUB_STACK_SIZE - 8,
	STUB_SLOTS,
	STUB_SLOTS + STUB_COPY_PAGE,
	STUB_SLOTS + STUB_SLOTS_SIZE - 8,
	LINUX_TOP - PAGE,
	LINUX_TOP - 8,
	LINUX_TOP,
	0xffffffffff600000UL,
	(uint64_t)-8,
	(uint64_t)-1,
};

#define OUTSIDE_COUNT (sizeof(outside) / sizeof(outside[0]))

/* A tracee in its first stop, or -1.  It calls and computes until it is killed. */
static pid_t tracee_new(void)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		volatile uint64_t turns = 0;

		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(97);
		raise(SIGSTOP);
		for (;;)
			if (++turns % 100 == 0)
				syscall(SYS_getppid);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		return pid;
	fail("no tracee: %#x", status);
	return -1;
}

/* --- memory -------------------------------------------------------------------------------- */

static void by_request(pid_t pid, uint64_t at)
{
	struct user_regs_struct regs;
	struct iovec iov = { (void *)at, sizeof(regs) };
	void *where = (void *)at;

	errno = 0;
	CHECK(ptrace(PTRACE_PEEKDATA, pid, where, NULL) == -1 && errno == EIO);
	CHECK(ptrace(PTRACE_POKEDATA, pid, where, 0x0b0f0b0f0b0f0b0fUL) == -1 && errno == EIO);
	CHECK(ptrace(PTRACE_POKETEXT, pid, where, 0x0b0f0b0f0b0f0b0fUL) == -1 && errno == EIO);
	/* The tracer's own stub, by the address of the answer. */
	CHECK(ptrace(PTRACE_GETREGS, pid, NULL, where) == -1 && errno == EFAULT);
	CHECK(ptrace(PTRACE_SETREGS, pid, NULL, where) == -1 && errno == EFAULT);
	CHECK(ptrace(PTRACE_GETSIGINFO, pid, NULL, where) == -1 && errno == EFAULT);
	CHECK(ptrace(PTRACE_SETSIGINFO, pid, NULL, where) == -1 && errno == EFAULT);
	CHECK(ptrace(PTRACE_GETSIGMASK, pid, (void *)8UL, where) == -1 && errno == EFAULT);
	CHECK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov) == -1 && errno == EFAULT);
	iov.iov_len = sizeof(regs);
	CHECK(ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov) == -1 && errno == EFAULT);
	iov.iov_len = PAGE;
	CHECK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &iov) == -1);
	CHECK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, where) == -1 && errno == EFAULT);
	/* Watchpoints and bases there. */
	CHECK(ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, u_debugreg[0]), where) == -1 ||
	      at < STUB_AREA);
	CHECK(ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, regs.fs_base), where) == -1 ||
	      at < STUB_AREA);
}

static void by_copy(pid_t pid, int mem, uint64_t at)
{
	uint64_t word = 0x0b0f0b0f0b0f0b0fUL;
	struct iovec local = { &word, 8 }, remote = { (void *)at, 8 };
	/* What is below the stub's area may be the guest's. */
	ssize_t most = at < STUB_AREA ? (ssize_t)(STUB_AREA - at) : -1;

	CHECK(process_vm_readv(pid, &local, 1, &remote, 1, 0) <= most);
	CHECK(process_vm_writev(pid, &local, 1, &remote, 1, 0) <= most);
	CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) <= most);
	/* As the near side. */
	remote.iov_base = &word;
	local.iov_base = (void *)at;
	CHECK(process_vm_readv(pid, &local, 1, &remote, 1, 0) <= most);
	CHECK(process_vm_writev(pid, &local, 1, &remote, 1, 0) <= most);
	if (at <= INT64_MAX) {
		CHECK(pread(mem, &word, 8, (off_t)at) <= most);
		CHECK(pwrite(mem, &word, 8, (off_t)at) <= most);
	}
}

/* A guest page up to the stub's area, and a copy over the border. */
static void over_the_border(void)
{
	static char buffer[3 * PAGE];
	char *last = mmap((void *)(STUB_AREA - PAGE), PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct iovec local = { buffer, sizeof(buffer) }, remote = { last, sizeof(buffer) };
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (last == MAP_FAILED)
		return;
	CHECK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) <= (ssize_t)PAGE);
	CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) <= (ssize_t)PAGE);
	CHECK(read(zero, last, sizeof(buffer)) <= (ssize_t)PAGE);
	CHECK(mprotect(last, 2 * PAGE, PROT_READ) == -1);
	CHECK(munmap(last, 2 * PAGE) == -1);
	CHECK(mremap(last, PAGE, 2 * PAGE, 0) == MAP_FAILED);
	CHECK(madvise(last, 2 * PAGE, MADV_DONTNEED) == -1);
	close(zero);
}

static int traced_memory(void *arg)
{
	char path[64];
	pid_t pid = tracee_new();
	int mem;

	(void)arg;
	if (pid < 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	CHECK(mem >= 0);
	for (size_t i = 0; i < OUTSIDE_COUNT; i++) {
		by_request(pid, outside[i]);
		by_copy(pid, mem, outside[i]);
	}
	over_the_border();
	close(mem);
	/* Both stubs are as they were: calls, a fork, a tracee that goes on. */
	CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	kill(pid, SIGKILL);
	return 0;
}

void attack_traced_memory(void)
{
	struct outcome o = in_child(traced_memory, NULL, 10000);

	if (!exited_with(&o, 0))
		fail("the stub's memory by ptrace: %s", outcome_text(&o));
}

/* --- jumps --------------------------------------------------------------------------------- */

/* What a tracee is resumed with; its stops are passed, its signals delivered. */
static const int resumptions[] = { PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_SYSEMU };

#define RESUMPTIONS (sizeof(resumptions) / sizeof(resumptions[0]))

/* Until it dies: its wait status; -1 when it did not in @timeout_ms. */
static int run_down(pid_t pid, int request, int timeout_ms)
{
	uint64_t deadline = now_ms() + (uint64_t)timeout_ms;
	int status;

	ptrace(request, pid, NULL, NULL);
	for (;;) {
		pid_t rc = waitpid(pid, &status, WNOHANG | __WALL);
		int signo;

		if (rc == pid && !WIFSTOPPED(status))
			return status;
		if (rc < 0 || now_ms() >= deadline)
			return -1;
		if (rc == 0) {
			sleep_ms(1);
			continue;
		}
		signo = WSTOPSIG(status) & 0x7f;
		ptrace(PTRACE_CONT, pid, NULL, signo == SIGTRAP || signo == SIGSTOP ? 0 : signo);
	}
}

static const struct call jumps[] = {
	{ SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ SYS_execve, { STUB_SLOTS, 0, 0 } },
	{ SYS_openat, { (uint64_t)-100, STUB_SLOTS, 0 } },
	{ SYS_exit, { 0 } },
	{ SYS_ptrace, { PTRACE_ATTACH, 1, 0, 0 } },
	{ SYS_mmap, { 0, PAGE, PROT_READ, MAP_PRIVATE, 0, 0 } },
	{ STUB_NR_HELLO, { 1 } },
	{ (uint64_t)-1, { 0 } },
};

#define JUMPS (sizeof(jumps) / sizeof(jumps[0]))

static void jump_to(uint64_t site, const struct call *c, int request)
{
	struct user_regs_struct regs;
	pid_t pid = tracee_new();
	int status;

	if (pid < 0 || ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return;
	regs.rip = site;
	regs.rax = c->nr;
	regs.orig_rax = (uint64_t)-1;
	regs.rdi = c->args[0];
	regs.rsi = c->args[1];
	regs.rdx = c->args[2];
	regs.r10 = c->args[3];
	regs.r8 = c->args[4];
	regs.r9 = c->args[5];
	CHECK(ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0);
	status = run_down(pid, request, 3000);
	if (on_trap() && (status == -1 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		fail("request %d into %#llx with call %lld: status %#x", request,
		     (unsigned long long)site, (long long)c->nr, status);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int traced_jumps(void *arg)
{
	unsigned count = sites_find();

	(void)arg;
	for (unsigned s = 0; s < count; s++)
		for (size_t j = 0; j < JUMPS; j++)
			for (size_t r = 0; r < RESUMPTIONS; r++)
				if (long_form() || (s + j) % RESUMPTIONS == r)
					jump_to(sites[s], &jumps[j], resumptions[r]);
	return 0;
}

void attack_traced_jumps(void)
{
	struct outcome o = in_child(traced_jumps, NULL, long_form() ? 200000 : 60000);

	if (!exited_with(&o, 0))
		fail("a tracee put into the stub's text: %s", outcome_text(&o));
}

/* --- registers that no program has ----------------------------------------------------------- */

static uint64_t wild(uint64_t *state)
{
	static const uint64_t values[] = {
		0, 1, 4, 0x23, 0x2b, 0x33, 0xffff, 0x80000000UL, 0xffffffffUL, STUB_TEXT,
		STUB_TEXT + 0x40, STUB_STACKS + 0x8000, STUB_SLOTS, STUB_SLOTS + 0x80,
		LINUX_TOP - 1, LINUX_TOP, 1UL << 63, 0xffffffffff600400UL, (uint64_t)-512,
		(uint64_t)-516, (uint64_t)-1,
	};
	uint64_t pick = random_next(state);

	if (pick % 4 == 0)
		return (uint64_t)random_next(state) << 32 | random_next(state);
	return values[pick / 4 % (sizeof(values) / sizeof(values[0]))];
}

static void wild_request(pid_t pid, uint64_t *state)
{
	uint64_t words[PAGE / 8];
	struct iovec iov = { words, 8 * (random_next(state) % 512) };
	uint64_t offset = random_next(state) % (sizeof(struct user) / 8 + 8) * 8;
	const char *text = (const char *)words;

	for (size_t i = 0; i < PAGE / 8; i++)
		words[i] = wild(state);
	switch (random_next(state) % 8) {
	case 0:
		ptrace(PTRACE_SETREGS, pid, NULL, words);
		break;
	case 1:
		ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &iov);
		break;
	case 2: /* a whole image with a few wild words */
		iov.iov_len = PAGE;
		if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &iov) == 0) {
			words[random_next(state) % 80] = wild(state);
			ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &iov);
		}
		break;
	case 3:
		ptrace(PTRACE_SETFPREGS, pid, NULL, words);
		break;
	case 4:
		ptrace(PTRACE_SETSIGINFO, pid, NULL, text);
		break;
	case 5:
		ptrace(PTRACE_SETOPTIONS, pid, NULL, wild(state) & 0xff);
		break;
	default:
		ptrace(PTRACE_POKEUSER, pid, (void *)offset, wild(state));
		break;
	}
}

/* What /proc says of each thread of @pid, one line each. */
static void show_threads(pid_t pid)
{
	char path[300], text[512];
	struct dirent *entry;
	ssize_t n;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, entry->d_name);
		fd = entry->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (n > 0)
			printf("  %s", text);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

/* It may stop once more on its way, but it ends. */
static void reap(pid_t pid)
{
	uint64_t deadline = now_ms() + 10000;
	int status = 0;

	kill(pid, SIGKILL);
	/* One that was seen in the stop before its exit is dying already, and deaf to the signal. */
	ptrace(PTRACE_CONT, pid, NULL, 0);
	while (waitpid(pid, &status, WNOHANG | __WALL) != pid || WIFSTOPPED(status)) {
		/* With PTRACE_O_TRACEEXIT also one that was killed waits for this. */
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, pid, NULL, 0);
		if (now_ms() >= deadline) {
			show_threads(pid);
			fail("a tracee that cannot be reaped: last status %#x", status);
			return;
		}
		sleep_ms(1);
	}
}

/* A tracee with wild registers, resumed in every way, until it dies of it or is killed. */
static void wild_life(uint64_t *state)
{
	pid_t pid = tracee_new();

	for (int turn = 0; pid > 0 && turn < 20; turn++) {
		uint64_t deadline = now_ms() + 20;
		int status = 0;
		pid_t rc;

		for (unsigned i = random_next(state) % 4; i > 0; i--)
			wild_request(pid, state);
		ptrace(resumptions[random_next(state) % RESUMPTIONS], pid, NULL,
		       random_next(state) % 4 ? 0 : random_next(state) % 65);
		while ((rc = waitpid(pid, &status, WNOHANG | __WALL)) == 0 && now_ms() < deadline)
			sleep_ms(1);
		if (rc < 0 || (rc == pid && !WIFSTOPPED(status)))
			return;
		if (rc == 0)
			kill(pid, SIGSTOP);
	}
	reap(pid);
}

static int traced_registers(void *arg)
{
	uint64_t state = 4711 + (uint64_t)*(int *)arg;

	for (int i = 0; i < (long_form() ? 300 : 15); i++)
		wild_life(&state);
	return 0;
}

/*
 * A container ends with its init, whatever that leaves behind: a tracee that runs, and one that was
 * killed and stands in the stop before its exit, where only its tracer could let it go.
 */
void attack_traced_exit_stop(void)
{
	pid_t pid = tracee_new(), running = tracee_new();
	int status = 0;

	if (running <= 0 || ptrace(PTRACE_CONT, running, NULL, 0) != 0 || pid <= 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT) != 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, 0) != 0) {
		fail("no tracee");
		return;
	}
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, __WALL) != pid || status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
		fail("no stop before the exit: status %#x", status);
		return;
	}
	/* Not by return: the end of every attack kills and reaps what is left. */
	puts("pass");
	fflush(stdout);
	_exit(0);
}

void attack_traced_registers(void)
{
	for (int seed = 0; seed < 4; seed++) {
		struct outcome o = in_child(traced_registers, &seed, 60000);

		if (!exited_with(&o, 0))
			fail("wild registers, seed %d: %s", seed, outcome_text(&o));
	}
}
