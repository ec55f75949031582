/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls in quick succession. A thread that makes many may be served in another way than one that
 * makes a few, and goes back from them in another way: what a call has to leave alone is looked at
 * after each of many.
 */
#include "conformance.h"

#include <cpuid.h>
#include <pthread.h>
#include <ucontext.h>

#define CALLS 2000
#define SIGNALS 200

/* --- registers ----------------------------------------------------------------------------- */

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15,
		flags;
};

extern struct registers quick_in, quick_out;
struct registers quick_in, quick_out;
uint64_t quick_sp;

/* One call with the registers of quick_in; all of them afterwards in quick_out.  No stack is used
 * between. */
void quick_call(void);
extern char quick_after[];
__asm__(".pushsection .text\n"
	"quick_call:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, quick_sp(%rip)\n"
	"	push quick_in+128(%rip); popfq\n"
	"	mov quick_in(%rip), %rax;     mov quick_in+8(%rip), %rbx\n"
	"	mov quick_in+24(%rip), %rdx;  mov quick_in+32(%rip), %rsi\n"
	"	mov quick_in+40(%rip), %rdi;  mov quick_in+48(%rip), %rbp\n"
	"	mov quick_in+56(%rip), %rsp;  mov quick_in+64(%rip), %r8\n"
	"	mov quick_in+72(%rip), %r9;   mov quick_in+80(%rip), %r10\n"
	"	mov quick_in+96(%rip), %r12;  mov quick_in+104(%rip), %r13\n"
	"	mov quick_in+112(%rip), %r14; mov quick_in+120(%rip), %r15\n"
	"	syscall\n"
	"quick_after:\n"
	"	mov %rax, quick_out(%rip);     mov %rbx, quick_out+8(%rip)\n"
	"	mov %rcx, quick_out+16(%rip);  mov %rdx, quick_out+24(%rip)\n"
	"	mov %rsi, quick_out+32(%rip);  mov %rdi, quick_out+40(%rip)\n"
	"	mov %rbp, quick_out+48(%rip);  mov %rsp, quick_out+56(%rip)\n"
	"	mov %r8, quick_out+64(%rip);   mov %r9, quick_out+72(%rip)\n"
	"	mov %r10, quick_out+80(%rip);  mov %r11, quick_out+88(%rip)\n"
	"	mov %r12, quick_out+96(%rip);  mov %r13, quick_out+104(%rip)\n"
	"	mov %r14, quick_out+112(%rip); mov %r15, quick_out+120(%rip)\n"
	"	mov quick_sp(%rip), %rsp\n"
	"	pushfq; pop quick_out+128(%rip)\n"
	"	push $0x202; popfq\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".popsection\n");

static void set_registers(uint64_t seed)
{
	uint64_t *r = (uint64_t *)&quick_in;

	for (size_t i = 0; i < sizeof(quick_in) / sizeof(*r); i++)
		r[i] = seed * 0x9e3779b97f4a7c15 + i * 0x0101010101010101;
	quick_in.rax = SYS_getppid;
	quick_in.flags = 0x202;
	quick_call();
}

static bool registers_kept(void)
{
	struct registers want = quick_in;

	want.rax = (uint64_t)getppid();
	want.rcx = (uint64_t)quick_after;
	want.r11 = want.flags;
	return memcmp(&want, &quick_out, sizeof(want)) == 0;
}

CASE(quick_registers)
{
	int kept = 0;

	/* Stack pointers that point nowhere among them: a call does not need one. */
	for (uint64_t i = 0; i < CALLS; i++) {
		set_registers(i);
		kept += registers_kept();
	}
	show_int("kept", kept);
}

CASE(quick_flags)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} flags[] = {
		{ "CF", 1 },	   { "PF", 4 },	       { "AF", 0x10 },	    { "ZF", 0x40 },
		{ "SF", 0x80 },	   { "DF", 0x400 },    { "OF", 0x800 },	    { "NT", 0x4000 },
		{ "AC", 0x40000 }, { "ID", 0x200000 }, { "all", 0x244cd5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int kept = 0, r11 = 0;

		quick_in.rax = SYS_getppid;
		for (int n = 0; n < 300; n++) {
			/* On and off by turns, so that each way of going back follows the other. */
			quick_in.flags = n % 3 ? 0x202 | flags[i].flag : 0x202;
			quick_call();
			kept += quick_out.flags == quick_in.flags;
			r11 += quick_out.r11 == quick_in.flags;
		}
		show_int(flags[i].name, kept);
		show_int("in r11", r11);
	}
}

static volatile int steps;

static void count_step(int signo)
{
	(void)signo;
	steps++;
}

CASE(quick_steps)
{
	MUST(signal(SIGTRAP, count_step) == SIG_ERR ? -1 : 0);
	for (int i = 0; i < 300; i++) {
		set_registers((uint64_t)i);
		/* The stack has to be one while there are handlers. */
		quick_in.rsp = (uint64_t)__builtin_frame_address(0) - 65536;
		quick_in.flags = i % 10 ? 0x202 : 0x302;
		quick_call();
	}
	show_int("steps", steps);
}

/* --- vector state ---------------------------------------------------------------------------- */

#define X87_AND_SSE 3
#define AVX 4
#define XMM_OFFSET 160
#define YMM_OFFSET 576

static uint8_t vectors_in[1024] __attribute__((aligned(64)));
static uint8_t vectors_out[1024] __attribute__((aligned(64)));

/* XSAVE and user code may use it, or 0. */
static uint32_t vector_features(void)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		skip("this processor has no XSAVE");
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & (X87_AND_SSE | AVX);
}

static void vector_call(uint32_t features)
{
	static const uint32_t usual_mxcsr = 0x1f80;
	uint32_t eax = features;

	__asm__ volatile("xrstor64 %[in]\n"
			 "mov %[nr], %%eax\n"
			 "syscall\n"
			 "mov %[features], %%eax\n"
			 "xor %%edx, %%edx\n"
			 "xsave64 %[out]\n"
			 "fninit\n"
			 "ldmxcsr %[usual]\n"
			 : "+&a"(eax), [out] "+m"(vectors_out)
			 : [in] "m"(vectors_in), [nr] "i"(SYS_getppid), [usual] "m"(usual_mxcsr),
			   [features] "r"(features), "d"(0)
			 : "rcx", "r11", "memory", "st", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			   "xmm13", "xmm14", "xmm15");
}

static void set_vectors(uint32_t features, int round)
{
	uint64_t header = features;
	uint16_t control =
		(uint16_t)(0x37f | round % 4 << 10); /* precision and rounding of the x87 */
	uint32_t mxcsr = 0x1f80 | (uint32_t)(round % 4) << 13; /* rounding */

	memset(vectors_in, 0, sizeof(vectors_in));
	memcpy(vectors_in, &control, sizeof(control));
	memcpy(vectors_in + 24, &mxcsr, sizeof(mxcsr));
	memcpy(vectors_in + 512, &header, sizeof(header));
	for (int i = 0; i < 256; i++) {
		vectors_in[XMM_OFFSET + i] = (uint8_t)(i * 7 + round);
		if (features & AVX)
			vectors_in[YMM_OFFSET + i] = (uint8_t)(i * 11 + round);
	}
}

static bool vectors_kept(uint32_t features)
{
	return memcmp(vectors_in, vectors_out, 2) == 0 &&
	       memcmp(vectors_in + 24, vectors_out + 24, 4) == 0 &&
	       memcmp(vectors_in + XMM_OFFSET, vectors_out + XMM_OFFSET, 256) == 0 &&
	       (!(features & AVX) ||
		memcmp(vectors_in + YMM_OFFSET, vectors_out + YMM_OFFSET, 256) == 0);
}

static bool vectors_kept_in(int round, uint32_t features)
{
	set_vectors(features, round);
	vector_call(features);
	return vectors_kept(features);
}

CASE(quick_vectors)
{
	uint32_t features = vector_features();
	int kept = 0;

	for (int i = 0; i < CALLS; i++)
		kept += vectors_kept_in(i, features);
	show_int("kept", kept);
}

/* --- interrupted -------------------------------------------------------------------------------
 */

static volatile int handled;

static void spoil_vectors(int signo)
{
	(void)signo;
	__asm__ volatile("pxor %%xmm0, %%xmm0\n pxor %%xmm7, %%xmm7\n pxor %%xmm15, %%xmm15" ::
				 : "xmm0", "xmm7", "xmm15");
	handled++;
}

struct sender {
	pthread_t target, thread;
	volatile bool stop;
};

static void *send_many(void *arg)
{
	struct sender *s = arg;

	for (int seen = handled; !s->stop;) {
		pthread_kill(s->target, SIGUSR1);
		/* One at a time. */
		while (handled == seen && !s->stop)
			sched_yield();
		seen = handled;
	}
	return NULL;
}

static void start_sender(struct sender *s)
{
	MUST(signal(SIGUSR1, spoil_vectors) == SIG_ERR ? -1 : 0);
	s->target = pthread_self();
	MUST(pthread_create(&s->thread, NULL, send_many, s) ? -1 : 0);
	while (!handled)
		sched_yield();
}

static void stop_sender(struct sender *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
}

CASE(quick_vectors_and_signals)
{
	uint32_t features = vector_features();
	struct sender s = { .stop = false };
	int spoilt = 0;

	start_sender(&s);
	for (int i = 0; i < CALLS || handled < SIGNALS; i++)
		spoilt += !vectors_kept_in(i, features);
	stop_sender(&s);
	show_int("spoilt", spoilt);
}

CASE(quick_registers_and_signals)
{
	struct sender s = { .stop = false };
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = spoil_vectors, .sa_flags = SA_ONSTACK };
	int spoilt = 0;

	start_sender(&s);
	/* The stack pointer of some calls points nowhere. */
	MUST(sigaltstack(&alternate, NULL));
	MUST(sigaction(SIGUSR1, &action, NULL));
	for (uint64_t i = 0; i < CALLS || handled < SIGNALS; i++) {
		set_registers(i);
		spoilt += !registers_kept();
	}
	stop_sender(&s);
	show_int("spoilt", spoilt);
}

static volatile int wanted;

static void *interrupt_each(void *arg)
{
	pthread_t target = *(pthread_t *)arg;

	for (int i = 1; i <= CALLS; i++) {
		while (wanted < i)
			;
		/* At another moment each time. */
		for (volatile int n = 0; n < i % 97 * 4; n++)
			;
		pthread_kill(target, SIGUSR1);
	}
	return NULL;
}

/* A signal that comes in the last of many calls, or just after, finds a thread that makes no other.
 */
CASE(quick_then_busy)
{
	pthread_t self = pthread_self(), other;

	MUST(signal(SIGUSR1, spoil_vectors) == SIG_ERR ? -1 : 0);
	MUST(pthread_create(&other, NULL, interrupt_each, &self) ? -1 : 0);
	for (int i = 1; i <= CALLS; i++) {
		for (int n = 0; n < 30; n++) {
			if (n == 29 - i % 5)
				wanted = i;
			syscall(SYS_getppid);
		}
		while (handled < i)
			;
	}
	pthread_join(other, NULL);
	show_int("handled", handled);
}

static void *call_often(void *arg)
{
	for (int i = 0; i < 50; i++)
		syscall(SYS_getppid);
	return arg;
}

CASE(quick_children_and_signals)
{
	struct sender s = { .stop = false };
	int threads = 0, children = 0;

	start_sender(&s);
	for (int i = 0; i < 100; i++) {
		pthread_t thread;
		pid_t pid;
		int status;

		call_often(NULL);
		if (pthread_create(&thread, NULL, call_often, &s) == 0) {
			void *result;

			pthread_join(thread, &result);
			threads += result == &s;
		}
		call_often(NULL);
		/* The library's own blocks signals meanwhile. */
		pid = (pid_t)syscall(SYS_fork);
		if (pid == 0) {
			call_often(NULL);
			_exit(i);
		}
		children += waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			    WEXITSTATUS(status) == i;
	}
	stop_sender(&s);
	show_int("threads", threads);
	show_int("children", children);
}

static void *send_bursts(void *arg)
{
	struct sender *s = arg;

	/* Not one at a time: they come while the last is being taken.  But its target should get on
	 * between bursts. */
	for (int i = 0; !s->stop; i++) {
		pthread_kill(s->target, SIGUSR1);
		for (volatile int n = 0; i % 8 == 0 && n < 2000; n++)
			;
	}
	return NULL;
}

CASE(quick_memory_and_signals)
{
	struct sender s = { .target = pthread_self() };
	struct sigaction action = { .sa_handler = spoil_vectors, .sa_flags = SA_RESTART };
	int good = 0;

	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(pthread_create(&s.thread, NULL, send_bursts, &s) ? -1 : 0);
	for (int i = 0; i < 1000; i++) {
		char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			continue;
		p[0] = p[16383] = 1;
		good += mprotect(p + 4096, 4096, PROT_NONE) == 0 &&
			madvise(p, 4096, MADV_DONTNEED) == 0 && p[0] == 0 && p[16383] == 1 &&
			munmap(p, 16384) == 0;
	}
	stop_sender(&s);
	show_int("good", good);
}
