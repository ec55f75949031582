/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals raised by the processor: memory faults, arithmetic, illegal instructions, breakpoints.
 */
#include "conformance.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf jump;
static uintptr_t expected;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	const char *address = "other";

	if ((uintptr_t)info->si_addr == expected)
		address = "as expected";
	else if ((uintptr_t)info->si_addr == (uintptr_t)uc->uc_mcontext.gregs[REG_RIP])
		address = "rip";
	else if (info->si_addr == NULL)
		address = "null";
	note("SIG%s code %d address %s trap %lld error 0x%llx", sigabbrev_np(sig), info->si_code,
	     address, uc->uc_mcontext.gregs[REG_TRAPNO],
	     (unsigned long long)uc->uc_mcontext.gregs[REG_ERR]);
	siglongjmp(jump, 1);
}

static void catch_faults(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		MUST(sigaction(signals[i], &action, NULL));
}

#define FAULTS(label, address, statement)        \
	do {                                     \
		expected = (uintptr_t)(address); \
		note("%s", label);               \
		if (sigsetjmp(jump, 1) == 0) {   \
			statement;               \
			note("no fault");        \
		}                                \
	} while (0)

static char *map_page(int prot)
{
	void *page = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST((long)page);
	return page;
}

CASE(fault_maperr)
{
	volatile char *page = map_page(PROT_READ | PROT_WRITE);

	catch_faults();
	MUST(munmap((void *)(uintptr_t)page, 4096));
	FAULTS("read unmapped", page + 5, (void)page[5]);
	FAULTS("write unmapped", page + 6, page[6] = 1);
	volatile char *low = bad_ptr();
	FAULTS("read page zero", low, (void)*low);
	volatile char *high = kernel_ptr();
	FAULTS("read kernel half", high, (void)*high);
	void (*call)(void) = (void (*)(void))(uintptr_t)page;
	FAULTS("call unmapped", page, call());
}

CASE(fault_accerr)
{
	volatile char *page = map_page(PROT_READ);

	catch_faults();
	FAULTS("read", page, (void)page[0]);
	FAULTS("write read-only", page + 9, page[9] = 1);
	void (*call)(void) = (void (*)(void))(uintptr_t)page;
	FAULTS("call not executable", page, call());
	MUST(mprotect((void *)(uintptr_t)page, 4096, PROT_NONE));
	FAULTS("read PROT_NONE", page + 1, (void)page[1]);
	MUST(mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_WRITE));
	FAULTS("write again", page, page[0] = 1);
}

CASE(fault_non_canonical)
{
	volatile char *pointer = (char *)(uintptr_t)0x1234567800000000UL;

	catch_faults();
	__asm__("" : "+r"(pointer));
	FAULTS("read non-canonical", 1, (void)*pointer);
}

CASE(fault_bus_past_end)
{
	catch_faults();
	write_file("f", "hello", 0600);
	int fd = (int)MUST(open("f", O_RDWR));
	volatile char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	volatile char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	FAULTS("shared, rest of the last page", shared + 4095, (void)shared[4095]);
	FAULTS("shared, next page", shared + 4096, (void)shared[4096]);
	FAULTS("shared, write", shared + 4100, shared[4100] = 1);
	FAULTS("private, next page", private + 5000, (void)private[5000]);
	MUST(ftruncate(fd, 8192));
	FAULTS("grown", shared + 4096, shared[4096] = 'x');
	show_int("byte", shared[4096]);
	MUST(ftruncate(fd, 0));
	FAULTS("truncated", shared, (void)shared[0]);
}

CASE(fault_arithmetic)
{
	volatile int zero = 0, one = 1, smallest = INT32_MIN, minus = -1;

	catch_faults();
	FAULTS("1 / 0", 1, one = one / zero);
	one = 1;
	FAULTS("1 % 0", 1, one = one % zero);
	FAULTS("INT_MIN / -1", 1, one = smallest / minus);
}

CASE(fault_sse_exception)
{
	uint32_t mxcsr = 0x1f80 & ~0x200U; /* divide by zero unmasked */
	volatile double zero = 0, one = 1;

	catch_faults();
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	FAULTS("1.0 / 0.0 unmasked", 1, one = one / zero);
}

CASE(fault_illegal)
{
	catch_faults();
	FAULTS("ud2", 1, __asm__ volatile("ud2"));
	FAULTS("hlt", 1, __asm__ volatile("hlt"));
	FAULTS("cli", 1, __asm__ volatile("cli"));
	FAULTS("in", 1, __asm__ volatile("inb $0x60, %%al" : : : "rax"));
	FAULTS("mov cr3", 1, __asm__ volatile("mov %%cr3, %%rax" : : : "rax"));
}

CASE(fault_breakpoint)
{
	catch_faults();
	FAULTS("int3", 1, __asm__ volatile("int3"));
	FAULTS("int 3", 1, __asm__ volatile(".byte 0xcd, 3"));
	FAULTS("int 0x99", 1, __asm__ volatile("int $0x99"));
}

static volatile int steps;

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	if (++steps == 1)
		note("code %d trap %lld", info->si_code, uc->uc_mcontext.gregs[REG_TRAPNO]);
	if (steps == 5)
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100LL;
}

CASE(fault_single_step)
{
	struct sigaction action = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };

	MUST(sigaction(SIGTRAP, &action, NULL));
	__asm__ volatile(
		"pushfq; orq $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop; nop; nop; nop"
		:
		:
		: "memory", "cc");
	show_int("steps", steps);
}

static void on_skip(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 0x1234567890abcdef;
}

CASE(fault_handler_changes_registers)
{
	struct sigaction action = { .sa_sigaction = on_skip, .sa_flags = SA_SIGINFO };
	uint64_t value;

	MUST(sigaction(SIGILL, &action, NULL));
	__asm__ volatile("xorl %%eax, %%eax; ud2; movq %%rax, %0" : "=r"(value) : : "rax");
	show_hex("rax", value);
}

CASE(fault_default_kills)
{
	volatile int zero = 0, one = 1;
	volatile char *low = bad_ptr();

	RUN_CHILD("segv")
	{
		*low = 1;
	}
	RUN_CHILD("fpe")
	{
		one = one / zero;
	}
	RUN_CHILD("ill")
	{
		__asm__ volatile("ud2");
	}
	RUN_CHILD("trap")
	{
		__asm__ volatile("int3");
	}
}

CASE(fault_blocked_or_ignored_kills)
{
	volatile char *low = bad_ptr();

	RUN_CHILD("ignored")
	{
		signal(SIGSEGV, SIG_IGN);
		*low = 1;
	}
	RUN_CHILD("blocked with handler")
	{
		sigset_t set;
		catch_faults();
		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		MUST(sigprocmask(SIG_BLOCK, &set, NULL));
		*low = 1;
	}
	RUN_CHILD("kill() while ignored")
	{
		signal(SIGSEGV, SIG_IGN);
		kill(getpid(), SIGSEGV);
		note("survived");
	}
}

static void on_segv_again(int sig)
{
	volatile char *low = bad_ptr();

	(void)sig;
	note("in handler");
	*low = 2;
}

CASE(fault_in_handler_kills)
{
	volatile char *low = bad_ptr();

	RUN_CHILD("fault in the handler")
	{
		signal(SIGSEGV, on_segv_again);
		*low = 1;
	}
}

static int overflow(int n)
{
	volatile char block[4096];

	block[0] = (char)n;
	return n < 0 ? 0 : overflow(n + 1) + block[0];
}

CASE(fault_stack_overflow)
{
	static char space[65536];
	stack_t stack = { .ss_sp = space, .ss_size = sizeof(space) };

	RUN_CHILD("no alternate stack")
	{
		catch_faults();
		note("%d", overflow(1));
	}
	RUN_CHILD("alternate stack")
	{
		struct sigaction action = { .sa_sigaction = on_fault,
					    .sa_flags = SA_SIGINFO | SA_ONSTACK };
		MUST(sigaltstack(&stack, NULL));
		MUST(sigaction(SIGSEGV, &action, NULL));
		if (sigsetjmp(jump, 1) == 0)
			note("%d", overflow(1));
		else
			note("recovered");
	}
}

CASE(fault_bad_stack_pointer)
{
	RUN_CHILD("handler cannot be built")
	{
		struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
		MUST(sigaction(SIGUSR1, &action, NULL));
		long self = getpid();
		__asm__ volatile("movq $16, %%rsp; syscall; ud2"
				 :
				 : "a"(SYS_kill), "D"(self), "S"(SIGUSR1)
				 : "rcx", "r11", "memory");
	}
}

CASE(fault_bad_sigreturn)
{
	RUN_CHILD("sigreturn without a frame")
	{
		__asm__ volatile("movq $4096, %%rsp; syscall; ud2"
				 :
				 : "a"(SYS_rt_sigreturn)
				 : "rcx", "r11", "memory");
	}
}
