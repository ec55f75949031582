/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other ways into the host's kernel: int 0x80, compatibility mode, sysenter, x32
 * numbers and the vsyscall page.  None of them executes anything on the host.
 */
#include "attack.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define X32 0x40000000L

static const char host_path[] = "/etc/passwd";

/* The registers of int 0x80: a no-pie program has everything below 4 GiB. */
struct foreign {
	const char *name;
	uint32_t nr, a, b, c;
};

static int64_t int80(const struct foreign *f)
{
	int64_t result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((uint64_t)f->nr), "b"((uint64_t)f->a), "c"((uint64_t)f->b),
			   "d"((uint64_t)f->c), "S"(0UL), "D"(0UL)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* 40: refused; 41: it did something. */
static int try_int80(void *arg)
{
	int64_t rc = int80(arg);

	return rc == -ENOSYS || rc == -EPERM ? 40 : 41;
}

/*
 * The same in 32-bit code: a far jump to the compatibility segment and back.
 * The code is below 4 GiB, and its stack too.
 */
static int try_compat(void *arg)
{
	const struct foreign *f = arg;
	static const uint8_t code[] = {
		0xcd, 0x80, /* int $0x80 */
		0xcb,	    /* lret (32-bit) */
	};
	uint8_t *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int64_t rc;

	if (low == MAP_FAILED)
		return 40;
	memcpy(low, code, sizeof(code));
	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %[stack], %%rsp\n\t"
			 "subq $8, %%rsp\n\t"
			 "movl $1f, (%%rsp)\n\t"
			 "movl $0x33, 4(%%rsp)\n\t"
			 "subq $16, %%rsp\n\t"
			 "movl %[entry], (%%rsp)\n\t"
			 "movl $0, 4(%%rsp)\n\t"
			 "movq $0x23, 8(%%rsp)\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %%r12, %%rsp"
			 : "=a"(rc)
			 : "a"((uint64_t)f->nr), "b"((uint64_t)f->a), "c"((uint64_t)f->b),
			   "d"((uint64_t)f->c), [entry] "D"((uint32_t)(uintptr_t)low),
			   [stack] "S"((uint64_t)low + 8192)
			 : "memory", "r8", "r9", "r10", "r11", "r12");
	return (int32_t)rc == -ENOSYS || (int32_t)rc == -EPERM ? 40 : 41;
}

static int try_sysenter(void *arg)
{
	const struct foreign *f = arg;
	int64_t rc;

	__asm__ volatile("push %%rbp\n\tmov %%rsp, %%rbp\n\tsysenter\n\tpop %%rbp"
			 : "=a"(rc)
			 : "a"((uint64_t)f->nr), "b"((uint64_t)f->a), "c"((uint64_t)f->b),
			   "d"((uint64_t)f->c)
			 : "memory", "r8", "r9", "r10", "r11");
	return rc == -ENOSYS ? 40 : 41;
}

static const struct foreign foreign[] = {
	{ "exit", 1, 42, 0, 0 },
	{ "exit_group", 252, 42, 0, 0 },
	{ "getpid", 20, 0, 0, 0 },
	{ "fork", 2, 0, 0, 0 },
	{ "clone", 120, 0x8000, 0, 0 },
	{ "open", 5, 0, 0, 0 }, /* a: host_path */
	{ "socketcall", 102, 1, 0, 0 },
	{ "kill", 37, 1, 9, 0 },
	{ "mmap", 90, 0, 0, 0 },
	{ "old select", 82, 0, 0, 0 },
	{ "number 11", 11, 0, 0, 0 }, /* munmap for x86-64, execve for i386 */
	{ "number -1", 0xffffffff, 0, 0, 0 },
};

static void judge_foreign(int (*body)(void *), const struct foreign *f, const char *way)
{
	struct outcome o = in_child(body, (void *)(uintptr_t)f, 2000);

	/* Refused, or the end of the child by its own fault; a timeout is no system call either. */
	if (o.unkillable || (!o.timed_out && WIFEXITED(o.status) && WEXITSTATUS(o.status) != 40))
		fail("%s %s: %s", way, f->name, outcome_text(&o));
}

static int try_x32(void *arg)
{
	static const long numbers[] = { SYS_getpid, SYS_read,	SYS_open, SYS_mmap,
					SYS_exit,   SYS_execve, SYS_fork, SYS_clone,
					SYS_kill,   15,		512,	  513,
					515,	    520,	545,	  547 };

	(void)arg;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		errno = 0;
		if (syscall(X32 | numbers[i], host_path, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS)
			fail("x32 number %ld: errno %d", numbers[i], errno);
	}
	/* The upper half of rax is none of the kernel's business. */
	CHECK(syscall(SYS_getpid | 1L << 32) == getpid());
	CHECK(syscall(-1L) == -1 && errno == ENOSYS);
	CHECK(syscall(1L << 31) == -1 && errno == ENOSYS);
	return 0;
}

void attack_foreign_calls(void)
{
	struct outcome o = in_child(try_x32, NULL, 3000);

	if (!exited_with(&o, 0))
		fail("x32 numbers: %s", outcome_text(&o));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct foreign f = foreign[i];

		if (f.nr == 5)
			f.a = (uint32_t)(uintptr_t)host_path;
		judge_foreign(try_int80, &f, "int 0x80");
		judge_foreign(try_compat, &f, "32-bit int 0x80");
		judge_foreign(try_sysenter, &f, "sysenter");
	}
}

/* --- vsyscall ------------------------------------------------------------------------------ */

#define VSYSCALL 0xffffffffff600000UL

static uint64_t offset;

/* Returns 0 when the result is right. */
static int call_vsyscall(void *arg)
{
	(void)arg;
	if (offset == 0) {
		int (*gettimeofday_there)(struct timeval *, void *) = (void *)(uintptr_t)VSYSCALL;
		struct timeval tv = { 0 };

		return gettimeofday_there(&tv, NULL) == 0 && tv.tv_sec - time(NULL) <= 1 &&
				       time(NULL) - tv.tv_sec <= 1
			       ? 0
			       : 1;
	}
	if (offset == 0x400) {
		time_t (*time_there)(time_t *) = (void *)(uintptr_t)(VSYSCALL + offset);
		time_t t = time_there(NULL) - time(NULL);

		return t >= -1 && t <= 1 ? 0 : 1;
	}
	if (offset == 0x800) {
		long (*getcpu_there)(unsigned *, unsigned *, void *) =
			(void *)(uintptr_t)(VSYSCALL + offset);
		unsigned cpu = 12345;

		return getcpu_there(&cpu, NULL, NULL) == 0 && cpu < 12345 ? 0 : 1;
	}
	((void (*)(void))(uintptr_t)(VSYSCALL + offset))();
	return 2;
}

static int call_vsyscall_badly(void *arg)
{
	long rc;

	(void)arg;
	__asm__ volatile("call *%1"
			 : "=a"(rc)
			 : "r"(VSYSCALL + offset), "D"(8UL), "S"(16UL), "d"(0UL), "a"(59UL)
			 : "rcx", "r11", "memory");
	return rc < 0 ? 0 : 1;
}

void attack_vsyscall(void)
{
	static const uint64_t entries[] = { 0, 0x400, 0x800 },
			      elsewhere[] = { 7, 9, 0x200, 0xc00, 0xfff };
	struct outcome o;

	for (size_t i = 0; i < 3; i++) {
		offset = entries[i];
		o = in_child(call_vsyscall, NULL, 2000);
		if (!exited_with(&o, 0) && !killed_by(&o, SIGSEGV))
			fail("vsyscall at %#llx: %s", (unsigned long long)offset, outcome_text(&o));
		/* Bad pointers; time() writes to no pointer of value 8 either. */
		o = in_child(call_vsyscall_badly, NULL, 2000);
		if (!exited_with(&o, 0) && !killed_by(&o, SIGSEGV))
			fail("vsyscall at %#llx with bad pointers: %s", (unsigned long long)offset,
			     outcome_text(&o));
	}
	for (size_t i = 0; i < 5; i++) {
		offset = elsewhere[i];
		o = in_child(call_vsyscall, NULL, 2000);
		if (!killed_by(&o, SIGSEGV))
			fail("jump to the vsyscall page at %#llx: %s", (unsigned long long)offset,
			     outcome_text(&o));
	}
}
