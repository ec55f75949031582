/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: memory and registers of a stopped tracee.
 */
#include "ptrace.h"

#include <pthread.h>

/* The kernel's struct user has two words more than the C library's. */
#define USER_SIZE (sizeof(struct user) + 16)

static volatile long word = 0x1122334455667788;
static char *readonly_page, *hidden_page, *shared_readonly, *shared_page;

static void look_body(void)
{
	_exit(word == 0x55 ? 3 : 4);
}

CASE(ptrace_peek_poke)
{
	pid_t pid = tracee_start(look_body);
	long value = 0;

	show("peek", TRACE(PTRACE_PEEKDATA, pid, &word, &value));
	show_hex("value", (unsigned long)value);
	show("peek text", TRACE(PTRACE_PEEKTEXT, pid, &word, &value));
	show("peek unaligned", TRACE(PTRACE_PEEKDATA, pid, (char *)&word + 1, &value));
	show("peek of a bad address", TRACE(PTRACE_PEEKDATA, pid, bad_ptr(), &value));
	show("peek of a kernel address", TRACE(PTRACE_PEEKDATA, pid, kernel_ptr(), &value));
	show("peek to a bad address", TRACE(PTRACE_PEEKDATA, pid, &word, bad_ptr()));
	show("poke of a bad address", TRACE(PTRACE_POKEDATA, pid, bad_ptr(), 1));
	show("poke", TRACE(PTRACE_POKEDATA, pid, &word, 0x55));
	show_hex("own copy", (unsigned long)word);
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

int ptrace_answer(void);
__asm__(".text\n.globl ptrace_answer\n.type ptrace_answer, @function\n"
	"ptrace_answer: mov $1, %eax\nret\n.balign 16\n");

static void answer_body(void)
{
	_exit(ptrace_answer());
}

CASE(ptrace_poke_text)
{
	pid_t pid = tracee_start(answer_body);
	long code = 0;

	show("peek", TRACE(PTRACE_PEEKTEXT, pid, ptrace_answer, &code));
	show_hex("code", (unsigned long)code & 0xffffffffff);
	code = (code & ~0xff00L) | 9 << 8;
	show("poke", TRACE(PTRACE_POKETEXT, pid, ptrace_answer, code));
	show_int("own answer", ptrace_answer());
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

static void pages_body(void)
{
	/* What was poked is there, and the protection as before. */
	_exit(mprotect(hidden_page, 4096, PROT_READ) == 0 ? hidden_page[0] + readonly_page[0] : 99);
}

CASE(ptrace_forced)
{
	long value = 0;
	pid_t pid;

	readonly_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hidden_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared_readonly = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = tracee_start(pages_body);
	show("poke read-only", TRACE(PTRACE_POKEDATA, pid, readonly_page, 1));
	show("poke inaccessible", TRACE(PTRACE_POKEDATA, pid, hidden_page, 2));
	show("peek inaccessible", TRACE(PTRACE_PEEKDATA, pid, hidden_page, &value));
	show_int("value", value);
	show("poke shared read-only", TRACE(PTRACE_POKEDATA, pid, shared_readonly, 1));
	show("peek shared read-only", TRACE(PTRACE_PEEKDATA, pid, shared_readonly, &value));
	show("poke shared", TRACE(PTRACE_POKEDATA, pid, shared_page, 7));
	show_int("own page", shared_page[0]);
	show_int("own read-only page", readonly_page[0]);
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

/* A file's private mapping takes the change, the file does not. */
static char *file_page;

static void file_body(void)
{
	_exit(file_page[0]);
}

CASE(ptrace_poke_file)
{
	pid_t pid;
	int fd;

	write_file("file", "abcdefgh", 0644);
	fd = (int)MUST(open("file", O_RDONLY));
	file_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	pid = tracee_start(file_body);
	show("poke", TRACE(PTRACE_POKEDATA, pid, file_page, 0x2a));
	show_file("file", "file");
	file_page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
	pid = tracee_start(file_body);
	show("poke shared", TRACE(PTRACE_POKEDATA, pid, file_page, 0x2a));
	tracee_end(pid);
}

CASE(ptrace_proc_mem)
{
	pid_t pid = tracee_start(answer_body);
	char path[64], buf[8];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = (int)MUST(open(path, O_RDWR));
	show("read", pread(fd, buf, sizeof(buf), (off_t)(unsigned long)&word));
	show_data("data", buf, sizeof(buf));
	show("write text", pwrite(fd, "\xb8\x0b\0\0\0", 5, (off_t)(unsigned long)ptrace_answer));
	show("write nowhere", pwrite(fd, "x", 1, (off_t)(unsigned long)bad_ptr()));
	show("read nowhere", pread(fd, buf, 1, (off_t)(unsigned long)bad_ptr()));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
	show("read of a dead one", pread(fd, buf, sizeof(buf), (off_t)(unsigned long)&word));
}

/* --- registers --------------------------------------------------------------------------- */

/* Calls getppid with known registers; exits with its result's low bits. */
static void regs_body(void)
{
	register long r10 __asm__("r10") = 0x1010, r8 __asm__("r8") = 0x808, r9 __asm__("r9") = 0x909;
	long result;

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(SYS_getppid), "D"(0xd1L), "S"(0x51L), "d"(0xd0L), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	_exit(result == 0x77 ? 7 : 1);
}

static void show_call(const char *label, const struct user_regs_struct *r)
{
	note("%s: orig_rax %lld rax %lld rdi %llx rsi %llx rdx %llx r10 %llx r8 %llx r9 %llx cs %llx ss %llx",
	     label, (long long)r->orig_rax, (long long)r->rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8,
	     r->r9, r->cs, r->ss);
}

CASE(ptrace_getregs)
{
	pid_t pid = tracee_start(regs_body);
	struct user_regs_struct r = regs_of(pid);

	show_int("signal stop: orig_rax", (long)r.orig_rax);
	show_int("signal stop: rax", (long)r.rax);
	show("bad address", TRACE(PTRACE_GETREGS, pid, 0, bad_ptr()));
	show("set from a bad address", TRACE(PTRACE_SETREGS, pid, 0, bad_ptr()));
	show("to the next call", TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("entry", pid);
	r = regs_of(pid);
	show_call("entry", &r);
	show("to its end", TRACE(PTRACE_SYSCALL, pid, 0, 0));
	show_stop("exit", pid);
	r = regs_of(pid);
	show_int("result is the parent", (pid_t)r.rax == getpid());
	r.rax = 0x77;
	show("change it", TRACE(PTRACE_SETREGS, pid, 0, &r));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

CASE(ptrace_setregs_errors)
{
	pid_t pid = tracee_start(regs_body);
	struct user_regs_struct r = regs_of(pid), bad;

	bad = r;
	bad.cs = 0;
	show("cs 0", TRACE(PTRACE_SETREGS, pid, 0, &bad));
	bad = r;
	bad.ss = 0x10;
	show("a kernel's ss", TRACE(PTRACE_SETREGS, pid, 0, &bad));
	bad = r;
	bad.fs_base = (unsigned long)kernel_ptr();
	show("fs_base", TRACE(PTRACE_SETREGS, pid, 0, &bad));
	bad = r;
	bad.ds = 0x10;
	show("a kernel's ds", TRACE(PTRACE_SETREGS, pid, 0, &bad));
	bad = r;
	bad.eflags |= 0x3000 | 1 << 17 | 1;
	show("eflags", TRACE(PTRACE_SETREGS, pid, 0, &bad));
	bad = regs_of(pid);
	show_hex("eflags that were taken", (unsigned long)(bad.eflags & (0x3001 | 1 << 17)));
	show("the old ones", TRACE(PTRACE_SETREGS, pid, 0, &r));
	tracee_end(pid);
}

CASE(ptrace_user_area)
{
	pid_t pid = tracee_start(regs_body);
	struct user_regs_struct r = regs_of(pid);
	long value = 0;

	show("rip", TRACE(PTRACE_PEEKUSR, pid, offsetof(struct user, regs.rip), &value));
	show_int("same", value == (long)r.rip);
	show("unaligned", TRACE(PTRACE_PEEKUSR, pid, 1, &value));
	show("behind it", TRACE(PTRACE_PEEKUSR, pid, USER_SIZE, &value));
	show("the last word", TRACE(PTRACE_PEEKUSR, pid, USER_SIZE - 8, &value));
	value = 1;
	show("floating point", TRACE(PTRACE_PEEKUSR, pid, offsetof(struct user, i387), &value));
	show_int("value", value);
	show("poke there", TRACE(PTRACE_POKEUSR, pid, offsetof(struct user, i387), 1));
	show("poke rbx", TRACE(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rbx), 0xb0b));
	show("poke behind", TRACE(PTRACE_POKEUSR, pid, USER_SIZE, 1));
	show("poke cs 0", TRACE(PTRACE_POKEUSR, pid, offsetof(struct user, regs.cs), 0));
	r = regs_of(pid);
	show_hex("rbx", (unsigned long)r.rbx);
	tracee_end(pid);
}

CASE(ptrace_regset)
{
	static char buf[16384];
	pid_t pid = tracee_start(regs_body);
	struct iovec iov = { buf, sizeof(buf) };
	struct user_regs_struct r = regs_of(pid);

	show("prstatus", TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	show_int("size", (long)iov.iov_len);
	show_int("same as GETREGS", memcmp(buf, &r, sizeof(r)));
	iov.iov_len = 16;
	show("a part", TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	show_int("size", (long)iov.iov_len);
	iov.iov_len = 13;
	show("an odd part", TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	iov.iov_len = sizeof(buf);
	show("unknown set", TRACE(PTRACE_GETREGSET, pid, 0x7777, &iov));
	show("bad iovec", TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, bad_ptr()));
	iov.iov_base = bad_ptr();
	show("bad buffer", TRACE(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	iov = (struct iovec){ buf, sizeof(buf) };
	show("prfpreg", TRACE(PTRACE_GETREGSET, pid, NT_PRFPREG, &iov));
	show_int("size", (long)iov.iov_len);
	iov.iov_len = 64;
	show("set a part of it", TRACE(PTRACE_SETREGSET, pid, NT_PRFPREG, &iov));
	iov.iov_len = sizeof(buf);
	show("xstate", TRACE(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov));
	show_int("more than legacy", iov.iov_len > 576);
	show("set it", TRACE(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &iov));
	buf[512 + 7] = 0x40;
	show("set an unknown feature", TRACE(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &iov));
	iov.iov_len = 576;
	show("set a part of it", TRACE(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &iov));
	tracee_end(pid);
}

/* Sets of other programs, and of other machines. */
CASE(ptrace_regset_types)
{
	static const unsigned types[] = { 0, 3, 4, 6, 0x100, 0x200, 0x201, 0x203, 0x46e62b7f, -1U };
	static const size_t sizes[] = { 16384, 8, 0, 13, 4 };
	static char buf[16384];
	pid_t pid = tracee_start(regs_body);

	for (size_t i = 0; i < ARRAY_SIZE(types) * ARRAY_SIZE(sizes); i++) {
		unsigned type = types[i / ARRAY_SIZE(sizes)];
		struct iovec iov = { buf, sizes[i % ARRAY_SIZE(sizes)] };

		note("set %#x of %zu", type, iov.iov_len);
		show("  get", TRACE(PTRACE_GETREGSET, pid, type, &iov));
		show("  set", TRACE(PTRACE_SETREGSET, pid, type, &iov));
		show_int("  size", (long)iov.iov_len);
	}
	show("bad iovec", TRACE(PTRACE_GETREGSET, pid, 0x201, bad_ptr()));
	tracee_end(pid);
}

static void show_area(const char *label, pid_t pid, unsigned long number)
{
	unsigned desc[4] = { 7, 7, 7, 7 };

	show(label, TRACE(PTRACE_GET_THREAD_AREA, pid, number, desc));
	note("  %u %x %x %x", desc[0], desc[1], desc[2], desc[3]);
}

static void set_area(const char *label, pid_t pid, unsigned long number, unsigned base, unsigned flags)
{
	unsigned desc[4] = { 13, base, 0, flags };

	show(label, TRACE(PTRACE_SET_THREAD_AREA, pid, number, desc));
}

/* Bits of the flags: 32-bit, contents (two), read-only, pages, not present, useable, long mode. */
CASE(ptrace_thread_area)
{
	static const unsigned long numbers[] = { 0, 11, 12, 14, 15, 1UL << 31, 1UL << 32 | 12, -1UL };
	pid_t pid = tracee_start(regs_body);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		note("%#lx", numbers[i]);
		show_area("  get", pid, numbers[i]);
		show("  get to a bad address", TRACE(PTRACE_GET_THREAD_AREA, pid, numbers[i], bad_ptr()));
		set_area("  set to zeroes", pid, numbers[i], 0, 0);
		set_area("  set to nothing", pid, numbers[i], 0, 0x28);
		set_area("  junk behind the flags", pid, numbers[i], 0, 0xffffff00);
		show_area("  get again", pid, numbers[i]);
		set_area("  of 16 bits", pid, numbers[i], 0x1000, 0x40);
		set_area("  code", pid, numbers[i], 0x1000, 0x45);
		set_area("  not present", pid, numbers[i], 0x1000, 0x61);
		show("  from a bad address", TRACE(PTRACE_SET_THREAD_AREA, pid, numbers[i], bad_ptr()));
	}
	set_area("valid, at a bad place", pid, 0, 0x1000, 0x51);
	show_area("nothing is left of it", pid, 13);
	tracee_end(pid);
}

static void float_body(void)
{
	double value = 0;

	__asm__ volatile("movq %1, %%xmm5\nint3\nmovq %%xmm5, %0" : "=r"(value) : "r"(1.5) : "xmm5", "memory");
	_exit((int)value);
}

CASE(ptrace_fpregs)
{
	pid_t pid = tracee_start(float_body);
	struct user_fpregs_struct fp;
	double value = 0;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("breakpoint", pid);
	show("get", TRACE(PTRACE_GETFPREGS, pid, 0, &fp));
	memcpy(&value, (char *)fp.xmm_space + 5 * 16, sizeof(value));
	show_int("xmm5 * 10", (long)(value * 10));
	show_hex("cwd", fp.cwd);
	show_hex("mxcsr", fp.mxcsr);
	value = 42;
	memcpy((char *)fp.xmm_space + 5 * 16, &value, sizeof(value));
	show("set", TRACE(PTRACE_SETFPREGS, pid, 0, &fp));
	show("bad address", TRACE(PTRACE_SETFPREGS, pid, 0, bad_ptr()));
	fp.mxcsr = 0xffffffff;
	show("bad mxcsr", TRACE(PTRACE_SETFPREGS, pid, 0, &fp));
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

CASE(ptrace_arch_prctl)
{
	pid_t pid = tracee_start(regs_body);
	struct user_regs_struct r = regs_of(pid);
	unsigned long value = 0;

	show("get fs", TRACE(30, pid, &value, 0x1003));
	show_int("same", value == r.fs_base);
	show("set gs", TRACE(30, pid, 0x12345000, 0x1001));
	r = regs_of(pid);
	show_hex("gs_base", (unsigned long)r.gs_base);
	show("a kernel address", TRACE(30, pid, kernel_ptr(), 0x1001));
	show("bad option", TRACE(30, pid, 0, 0x7777));
	tracee_end(pid);
}

/* --- /proc/PID/mem against protection -------------------------------------------------------- */

static void try_mem(const char *what, int mem, const void *at)
{
	char got = '?';

	note("%s", what);
	show("  read", pread(mem, &got, 1, (off_t)(uintptr_t)at));
	note("  got %c", got);
	show("  write", pwrite(mem, "w", 1, (off_t)(uintptr_t)at));
	got = '?';
	show("  read again", pread(mem, &got, 1, (off_t)(uintptr_t)at));
	note("  got %c", got);
}

struct protected_pages {
	char *read_only, *none, *shared_read_only, *file_read_only, *file_private, *unmapped;
};

static char *one_page(int flags, int fd)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, fd, 0);

	MUST(page == MAP_FAILED ? -1 : 0);
	return page;
}

static void map_protected(struct protected_pages *p)
{
	write_file("data", "f", 0600);
	int rw = (int)MUST(open("data", O_RDWR)), ro = (int)MUST(open("data", O_RDONLY));

	p->read_only = one_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	p->none = one_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	p->shared_read_only = one_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	p->file_private = one_page(MAP_PRIVATE, ro);
	p->unmapped = one_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	*p->read_only = *p->none = *p->shared_read_only = 'x';
	MUST(mprotect(p->read_only, 4096, PROT_READ));
	MUST(mprotect(p->none, 4096, PROT_NONE));
	MUST(mprotect(p->shared_read_only, 4096, PROT_READ));
	MUST(mprotect(p->file_private, 4096, PROT_READ));
	p->file_read_only = mmap(NULL, 4096, PROT_READ, MAP_SHARED, rw, 0);
	MUST(p->file_read_only == MAP_FAILED ? -1 : 0);
	MUST(munmap(p->unmapped, 4096));
}

static void try_all(int mem, const struct protected_pages *p)
{
	try_mem("read-only", mem, p->read_only);
	try_mem("none", mem, p->none);
	try_mem("shared read-only", mem, p->shared_read_only);
	try_mem("file", mem, p->file_read_only);
	try_mem("private file", mem, p->file_private);
	try_mem("unmapped", mem, p->unmapped);
	show_file("file's content", "data");
}

CASE(mem_of_itself_against_protection)
{
	struct protected_pages p;

	map_protected(&p);
	try_all((int)MUST(open("/proc/self/mem", O_RDWR)), &p);
	note("seen: %c %c", *(volatile char *)p.read_only, *(volatile char *)p.file_private);
	RUN_CHILD("none is none still")
	{
		*(volatile char *)p.none = 'y';
	}
	RUN_CHILD("read-only is read-only still")
	{
		*(volatile char *)p.read_only = 'y';
	}
}

static int answer(void)
{
	return 1;
}

/* As a program that patches its own code. */
CASE(mem_patches_its_text)
{
	int (*volatile call)(void) = answer;
	static const unsigned char return_two[] = { 0xb8, 2, 0, 0, 0, 0xc3 };
	int mem = (int)MUST(open("/proc/self/mem", O_RDWR));

	show_int("before", call());
	show("patch", pwrite(mem, return_two, sizeof(return_two), (off_t)(uintptr_t)answer));
	show_int("after", call());
	RUN_CHILD("child has it, too")
	{
		show_int("in it", call());
	}
}

static void *patch_from_thread(void *arg)
{
	struct protected_pages *p = arg;
	int mem = (int)MUST(open("/proc/thread-self/mem", O_RDWR));

	for (int i = 0; i < 200; i++)
		if (pwrite(mem, "t", 1, (off_t)(uintptr_t)p->read_only) != 1 ||
		    pwrite(mem, "t", 1, (off_t)(uintptr_t)p->none) != 1)
			return "failed";
	close(mem);
	return NULL;
}

CASE(mem_of_itself_by_threads)
{
	struct protected_pages p;
	pthread_t threads[3];
	void *result;

	map_protected(&p);
	for (int i = 0; i < 3; i++)
		MUST(pthread_create(&threads[i], NULL, patch_from_thread, &p) ? -1 : 0);
	for (int i = 0; i < 3; i++) {
		MUST(pthread_join(threads[i], &result) ? -1 : 0);
		show_int("failed", result != NULL);
	}
	note("seen: %c", *p.read_only);
}
