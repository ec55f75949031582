/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that come while a 64-bit process is in 32-bit code, which it enters by a far return: the
 * handler runs in 64-bit code, and what it returns to is as the frame says.
 */
#include "conformance.h"

#include <sys/time.h>
#include <ucontext.h>

#define LOW_SIZE 65536UL
#define CODE_32 0x23
#define CODE_64 0x33
#define RESULT 0x12345678

static struct low {
	uint8_t code[64];
	uint8_t back[64];
	uint32_t flag;
	uint8_t stack[LOW_SIZE - 4096];
	uint64_t entry, entry_segment; /* taken by the far return that goes there */
	uint32_t exit, exit_segment;   /* and the one that comes back */
} * low;

static uint64_t saved_stack;

static void set_up(const uint8_t *code, size_t size)
{
	/* mov $0, %r11; jmp *%r11 */
	static const uint8_t back[] = { 0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3 };

	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	MUST(low == MAP_FAILED ? -1 : 0);
	memcpy(low->code, code, size);
	memcpy(low->back, back, sizeof(back));
	low->entry = (uintptr_t)low->code;
	low->entry_segment = CODE_32;
	low->exit = (uint32_t)(uintptr_t)low->back;
	low->exit_segment = CODE_64;
}

/* EAX as the 32-bit code left it; EDI has the address of the flag. */
static uint32_t run(void)
{
	uint32_t result;

	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, 2(%[back])\n\t"
			 "mov %%rsp, %[saved]\n\t"
			 "mov %[entry], %%rsp\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %[saved], %%rsp"
			 : "=&a"(result), [saved] "+m"(saved_stack)
			 : [back] "r"(low->back), [entry] "r"(&low->entry), "D"(&low->flag)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return result;
}

static void show_segment(const ucontext_t *uc)
{
	uint16_t here;

	__asm__("mov %%cs, %0" : "=r"(here));
	note("interrupted 0x%llx handler 0x%x",
	     (unsigned long long)uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff, here);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	note("SIG%s code %d at %lld", sigabbrev_np(sig), info->si_code,
	     (long long)(uc->uc_mcontext.gregs[REG_RIP] - (long long)(uintptr_t)low->code));
	show_segment(uc);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void catch (int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	MUST(sigaction(sig, &action, NULL));
}

/* mov $RESULT, %eax; ud2; inc %eax; lret */
static const uint8_t fault_code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0x0f, 0x0b, 0x40, 0xcb };

CASE(compat_fault)
{
	set_up(fault_code, sizeof(fault_code));
	catch (SIGILL, on_fault);
	for (int i = 0; i < 3; i++) {
		low->entry = (uintptr_t)low->code;
		show_hex("result", run());
	}
}

static void leave_to(ucontext_t *uc, unsigned segment, uintptr_t address)
{
	unsigned long long segments = (unsigned long long)uc->uc_mcontext.gregs[REG_CSGSFS];

	uc->uc_mcontext.gregs[REG_CSGSFS] = (long long)((segments & ~0xffffULL) | segment);
	uc->uc_mcontext.gregs[REG_RIP] = (long long)address;
}

static void on_fault_leave(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	show_segment(uc);
	leave_to(uc, CODE_64, (uintptr_t)low->back);
}

CASE(compat_fault_left_by_frame)
{
	set_up(fault_code, sizeof(fault_code));
	catch (SIGILL, on_fault_leave);
	show_hex("result", run());
}

CASE(compat_fault_not_handled)
{
	RUN_CHILD("child")
	{
		set_up(fault_code, sizeof(fault_code));
		run();
	}
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	show_segment(context);
	low->flag = RESULT;
}

/* 1: mov %ss:(%edi), %eax; test %eax, %eax; je 1b; lret */
static const uint8_t spin_code[] = { 0x36, 0x8b, 0x07, 0x85, 0xc0, 0x74, 0xf9, 0xcb };

CASE(compat_interrupted)
{
	struct itimerval timer = { .it_value = { .tv_usec = 20000 } };

	set_up(spin_code, sizeof(spin_code));
	catch (SIGALRM, on_alarm);
	for (int i = 0; i < 3; i++) {
		low->entry = (uintptr_t)low->code;
		low->flag = 0;
		MUST(setitimer(ITIMER_REAL, &timer, NULL));
		show_hex("result", run());
	}
}

/* A frame of 64-bit code that is sent to 32-bit code. */
static void on_signal_enter(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	show_segment(uc);
	leave_to(uc, CODE_32, (uintptr_t)low->code);
}

CASE(compat_entered_by_frame)
{
	long pid = getpid();
	uint32_t result;

	set_up(fault_code, sizeof(fault_code));
	catch (SIGILL, on_fault);
	catch (SIGUSR1, on_signal_enter);
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, 2(%[back])\n\t"
			 "mov %%rsp, %[saved]\n\t"
			 "mov %[exit], %%rsp\n\t"
			 "mov %[kill], %%eax\n\t"
			 "syscall\n\t"
			 "ud2\n"
			 "1:\n\t"
			 "mov %[saved], %%rsp"
			 : "=&a"(result), [saved] "+m"(saved_stack)
			 : [back] "r"(low->back), [exit] "r"(&low->exit), "D"(pid),
			   "S"(SIGUSR1), [kill] "i"(SYS_kill)
			 : "memory", "cc", "rcx", "r8", "r9", "r10", "r11");
	show_hex("result", result);
}
