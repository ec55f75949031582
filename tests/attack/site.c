/* SPDX-License-Identifier: Apache-2.0 */
/* Jumping into the stub's text, coming back, and putting code of our own there. */
#include "attack.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL
#define GADGET_PAGE (STUB_TEXT + 0x8000)
#define STACK_SIZE 65536

uint64_t sites[SITES_MAX];

static sigjmp_buf back;
static volatile int64_t back_rax;
static volatile int back_signal;
static _Alignas(16) char jump_stack[STACK_SIZE];

static void on_fault(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	back_signal = signo;
	back_rax = uc->uc_mcontext.gregs[REG_RAX];
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

int with_faults(void (*body)(void *), void *arg)
{
	catch_faults();
	if (sigsetjmp(back, 1))
		return back_signal;
	body(arg);
	return 0;
}

struct scan {
	const uint8_t *page;
	unsigned *count;
};

static void scan_page(void *arg)
{
	const struct scan *s = arg;

	for (size_t i = 0; i + 1 < PAGE; i++)
		if (s->page[i] == 0x0f && s->page[i + 1] == 0x05 && *s->count < SITES_MAX)
			sites[(*s->count)++] = (uint64_t)(s->page + i);
}

unsigned sites_find(void)
{
	unsigned count = 0;

	for (uint64_t at = STUB_TEXT; at < STUB_TEXT_LIMIT; at += PAGE)
		with_faults(scan_page, &(struct scan){ (const uint8_t *)at, &count });
	if (count == 0)
		fail("no system call instruction found in the stub's text");
	return count;
}

/*
 * Loads the call's registers, clears the others and jumps.  Whatever the stub
 * makes of them afterwards ends in a fault of ours: the stack is all zeroes.
 */
__attribute__((noreturn)) static void jump(uint64_t site, const struct call *call)
{
	const char *sp = jump_stack + STACK_SIZE / 2;

	memset(jump_stack, 0, sizeof(jump_stack));
	__asm__ volatile("mov %0, %%r11\n\t"
			 "mov %2, %%rsp\n\t"
			 "mov (%1), %%rax\n\t"
			 "mov 8(%1), %%rdi\n\t"
			 "mov 16(%1), %%rsi\n\t"
			 "mov 24(%1), %%rdx\n\t"
			 "mov 32(%1), %%r10\n\t"
			 "mov 40(%1), %%r8\n\t"
			 "mov 48(%1), %%r9\n\t"
			 "xor %%ebx, %%ebx\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "xor %%r12d, %%r12d\n\t"
			 "xor %%r13d, %%r13d\n\t"
			 "xor %%r14d, %%r14d\n\t"
			 "xor %%r15d, %%r15d\n\t"
			 "jmp *%%r11"
			 :
			 : "a"(site), "c"(call), "d"(sp)
			 : "memory");
	__builtin_unreachable();
}

bool site_call(uint64_t site, const struct call *call, int64_t *result)
{
	catch_faults();
	if (sigsetjmp(back, 1) == 0)
		jump(site, call);
	*result = back_rax;
	return true;
}

uint64_t site_returning(void)
{
	unsigned count = sites_find();

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *p = (const uint8_t *)sites[i];

		if ((p[2] == 0x0f && p[3] == 0x0b) || p[2] == 0xcc)
			return sites[i];
	}
	fail("no call site followed by ud2 or int3");
	_exit(98);
}

void gadget_install(void)
{
	static const uint8_t code[] = { 0x0f, 0x05, 0xc3 }; /* syscall; ret */
	struct call map = { SYS_mmap,
			    { GADGET_PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0 } };
	int64_t result = -1;

	site_call(site_returning(), &map, &result);
	if (result != (int64_t)GADGET_PAGE) {
		fail("no page in the stub's text: %lld", (long long)result);
		_exit(98);
	}
	memcpy((void *)GADGET_PAGE, code, sizeof(code));
}

int64_t gadget(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t result;

	__asm__ volatile("mov %[page], %%rcx\n\tcall *%%rcx"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9), [page] "i"(GADGET_PAGE)
			 : "rcx", "r11", "memory");
	return result;
}
