/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers that guests own survive system calls, signals and kicks: general and
 * vector registers, FS and GS base, TF, DF, AC, and the red zone.
 */
#include "attack.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define HWCAP2_FSGSBASE 2UL
#define EFLAGS_TF 0x100UL
#define EFLAGS_DF 0x400UL
#define EFLAGS_AC 0x40000UL

struct image {
	uint64_t rbx, rbp, r12, r13, r14, r15, rdi, rsi, rdx, r10, r8, r9, rax, flags;
	uint64_t red_zone[16];
	uint8_t vector[16][32];
	uint32_t mxcsr;
	uint16_t fpu_control;
};

/*
 * Loads @in, makes the call, stores what is there afterwards in @out.  In the frame of
 * a fresh stack, whose red zone is part of the image.
 */
static void call_with_image(uint64_t nr, struct image *in, struct image *out, char *stack, bool avx)
{
	/* in r11 would be clobbered by syscall: the addresses lie on the stack. */
	struct {
		struct image *in, *out;
		uint64_t rsp, nr;
	} *frame = (void *)(stack - 32);

	frame->in = in;
	frame->out = out;
	frame->nr = nr;
/* clang-format off */
#define AT(field) "%c[" #field "]"
#define LOAD_VECTORS(insn, reg) \
	insn " 0(%%rax), %%" reg "0\n\t" insn " 32(%%rax), %%" reg "1\n\t" \
	insn " 64(%%rax), %%" reg "2\n\t" insn " 96(%%rax), %%" reg "3\n\t" \
	insn " 224(%%rax), %%" reg "7\n\t" insn " 480(%%rax), %%" reg "15\n\t"
#define STORE_VECTORS(insn, reg) \
	insn " %%" reg "0, 0(%%rax)\n\t" insn " %%" reg "1, 32(%%rax)\n\t" \
	insn " %%" reg "2, 64(%%rax)\n\t" insn " %%" reg "3, 96(%%rax)\n\t" \
	insn " %%" reg "7, 224(%%rax)\n\t" insn " %%" reg "15, 480(%%rax)\n\t"
#define BODY(load, store, reg)                                                              \
	"push %%rbp\n\tpush %%rbx\n\t"                                                      \
	"mov %%rsp, 16(%[frame])\n\t"                                                       \
	"mov %[frame], %%rsp\n\t"                                                           \
	"mov (%%rsp), %%rcx\n\t"                                                            \
	"lea " AT(vector) "(%%rcx), %%rax\n\t" LOAD_VECTORS(load, reg)                      \
	"ldmxcsr " AT(mxcsr) "(%%rcx)\n\tfldcw " AT(fpu) "(%%rcx)\n\t"                      \
	"xor %%eax, %%eax\n"                                                                \
	"3:\tmov " AT(red) "(%%rcx,%%rax,8), %%rdx\n\t"                                     \
	"mov %%rdx, -128(%%rsp,%%rax,8)\n\tinc %%eax\n\tcmp $16, %%eax\n\tjne 3b\n\t"       \
	"mov 0(%%rcx), %%rbx\n\tmov 8(%%rcx), %%rbp\n\tmov 16(%%rcx), %%r12\n\t"            \
	"mov 24(%%rcx), %%r13\n\tmov 32(%%rcx), %%r14\n\tmov 40(%%rcx), %%r15\n\t"          \
	"mov 48(%%rcx), %%rdi\n\tmov 56(%%rcx), %%rsi\n\tmov 64(%%rcx), %%rdx\n\t"          \
	"mov 72(%%rcx), %%r10\n\tmov 80(%%rcx), %%r8\n\tmov 88(%%rcx), %%r9\n\t"            \
	"mov " AT(flags) "(%%rcx), %%rcx\n\t"                                               \
	/* flags by way of a stack beside the red zone */                                   \
	"sub $256, %%rsp\n\tpush %%rcx\n\tmov 288(%%rsp), %%rax\n\tpopfq\n\t"               \
	"lea 256(%%rsp), %%rsp\n\t"                                                         \
	"syscall\n\t"                                                                       \
	"mov 8(%%rsp), %%rcx\n\t"                                                           \
	"mov %%rbx, 0(%%rcx)\n\tmov %%rbp, 8(%%rcx)\n\tmov %%r12, 16(%%rcx)\n\t"            \
	"mov %%r13, 24(%%rcx)\n\tmov %%r14, 32(%%rcx)\n\tmov %%r15, 40(%%rcx)\n\t"          \
	"mov %%rdi, 48(%%rcx)\n\tmov %%rsi, 56(%%rcx)\n\tmov %%rdx, 64(%%rcx)\n\t"          \
	"mov %%r10, 72(%%rcx)\n\tmov %%r8, 80(%%rcx)\n\tmov %%r9, 88(%%rcx)\n\t"            \
	"mov %%rax, 96(%%rcx)\n\tmov %%r11, " AT(flags) "(%%rcx)\n\t"                       \
	"lea -256(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x40400, (%%rsp)\n\tpopfq\n\t"          \
	"lea 256(%%rsp), %%rsp\n\t"                                                         \
	"xor %%eax, %%eax\n"                                                                \
	"4:\tmov -128(%%rsp,%%rax,8), %%rdx\n\t"                                            \
	"mov %%rdx, " AT(red) "(%%rcx,%%rax,8)\n\tinc %%eax\n\tcmp $16, %%eax\n\tjne 4b\n\t" \
	"lea " AT(vector) "(%%rcx), %%rax\n\t" STORE_VECTORS(store, reg)                    \
	"stmxcsr " AT(mxcsr) "(%%rcx)\n\tfnstcw " AT(fpu) "(%%rcx)\n\t"                     \
	"mov 16(%%rsp), %%rsp\n\tpop %%rbx\n\tpop %%rbp"
#define OPERANDS                                                                            \
	: : [frame] "a"(frame), [vector] "i"(offsetof(struct image, vector)),               \
	  [mxcsr] "i"(offsetof(struct image, mxcsr)), [fpu] "i"(offsetof(struct image, fpu_control)), \
	  [red] "i"(offsetof(struct image, red_zone)), [flags] "i"(offsetof(struct image, flags)) \
	: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", \
	  "xmm0", "xmm1", "xmm2", "xmm3", "xmm7", "xmm15", "cc"

	/* clang-format on */
	if (avx)
		__asm__ volatile(BODY("vmovdqu", "vmovdqu", "ymm") OPERANDS);
	else
		__asm__ volatile(BODY("movdqu", "movdqu", "xmm") OPERANDS);
}

static bool has_avx(void)
{
	return __builtin_cpu_supports("avx");
}

static void fill_image(struct image *i, uint64_t seed)
{
	uint8_t *p = (uint8_t *)i;

	for (size_t n = 0; n < sizeof(*i); n++)
		p[n] = (uint8_t)random_next(&seed);
	i->mxcsr = 0x1f80 | (uint32_t)(seed & 0x6000);
	i->fpu_control = 0x37f & (uint16_t) ~((seed >> 16) & 0x300);
	i->flags = 0x202 | (seed & 0x8d5);
}

static void compare_images(const char *what, const struct image *in, const struct image *out,
			   bool avx)
{
	static const int used[] = { 0, 1, 2, 3, 7, 15 };

	if (memcmp(in, out, offsetof(struct image, rax)) != 0)
		fail("%s: a general register changed", what);
	if ((in->flags ^ out->flags) & (EFLAGS_DF | EFLAGS_AC | 0x8d5))
		fail("%s: flags %#llx became %#llx", what, (unsigned long long)in->flags,
		     (unsigned long long)out->flags);
	if (memcmp(in->red_zone, out->red_zone, sizeof(in->red_zone)) != 0)
		fail("%s: the red zone changed", what);
	for (size_t i = 0; i < 6; i++)
		if (memcmp(in->vector[used[i]], out->vector[used[i]], avx ? 32 : 16) != 0)
			fail("%s: vector register %d changed", what, used[i]);
	if (in->mxcsr != out->mxcsr || in->fpu_control != out->fpu_control)
		fail("%s: a control register changed", what);
}

static void set_arguments(struct image *i, const uint64_t args[6])
{
	i->rdi = args[0];
	i->rsi = args[1];
	i->rdx = args[2];
	i->r10 = args[3];
	i->r8 = args[4];
	i->r9 = args[5];
}

static void on_signal(int signo)
{
	(void)signo;
	/* A handler of its own mind about vector registers. */
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15"
			 :
			 :
			 : "xmm0", "xmm7", "xmm15");
}

static struct timespec short_time = { 0, 100000 };
static char page[PAGE] __attribute__((aligned(PAGE)));
static char stack[65536] __attribute__((aligned(64)));

static void each_kind_of_call(bool avx)
{
	static const struct {
		const char *name;
		uint64_t nr, args[6];
	} calls[] = {
		{ "getppid", SYS_getppid, { 1, 2, 3, 4, 5, 6 } },
		{ "madvise", SYS_madvise, { (uint64_t)page, PAGE, 0, 4, 5, 6 } },
		{ "mprotect", SYS_mprotect, { (uint64_t)page, PAGE, 3, 4, 5, 6 } },
		{ "nanosleep", SYS_nanosleep, { (uint64_t)&short_time, 0, 3, 4, 5, 6 } },
		{ "a number there is not", 999, { 1, 2, 3, 4, 5, 6 } },
		{ "sched_yield", SYS_sched_yield, { 1, 2, 3, 4, 5, 6 } },
	};
	static struct image in, out;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) * 8; i++) {
		size_t c = i / 8;

		fill_image(&in, i + 1);
		set_arguments(&in, calls[c].args);
		if (i & 1)
			in.flags |= EFLAGS_DF;
		if (i & 2)
			in.flags |= EFLAGS_AC;
		memset(&out, 0, sizeof(out));
		call_with_image(calls[c].nr, &in, &out, stack + 32768, avx);
		compare_images(calls[c].name, &in, &out, avx);
	}
}

/* A signal that is delivered at the end of the call: its own frame, over the red zone. */
static void call_that_signals(bool avx)
{
	static struct image in, out;
	uint64_t args[6] = { (uint64_t)getpid(), (uint64_t)syscall(SYS_gettid), SIGUSR1, 4, 5, 6 };

	signal(SIGUSR1, on_signal);
	for (uint64_t i = 0; i < 8; i++) {
		fill_image(&in, i + 100);
		set_arguments(&in, args);
		call_with_image(SYS_tgkill, &in, &out, stack + 32768, avx);
		compare_images("tgkill of itself", &in, &out, avx);
	}
}

/* --- segment bases and single steps ------------------------------------------------------- */

static void segment_bases(void)
{
	uint64_t base = 0x123456789000UL, got = 0;

	syscall(SYS_arch_prctl, ARCH_SET_GS, base);
	for (int i = 0; i < 20; i++) {
		madvise(page, PAGE, MADV_NORMAL);
		sched_yield();
	}
	syscall(SYS_arch_prctl, ARCH_GET_GS, &got);
	if (got != base)
		fail("GS base %#llx became %#llx", (unsigned long long)base,
		     (unsigned long long)got);
	/*
	 * And when the guest sets it by itself, where the kernel lets it.  (A processor may execute
	 * the instruction under a kernel that does not keep what it set.)
	 */
	if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) {
		base = 0x7fffdeadb000UL;
		__asm__ volatile("wrgsbase %0" : : "r"(base));
		for (int i = 0; i < 20; i++)
			mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		raise(SIGUSR1);
		__asm__ volatile("rdgsbase %0" : "=r"(got));
		if (got != base)
			fail("own GS base %#llx became %#llx", (unsigned long long)base,
			     (unsigned long long)got);
		syscall(SYS_arch_prctl, ARCH_GET_GS, &got);
		if (got != base)
			fail("arch_prctl does not see the GS base that the guest set");
	}
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0UL);
}

static volatile int steps;

static void on_trap_signal(int signo)
{
	(void)signo;
	steps++;
}

static void single_steps(void)
{
	long ppid = getppid(), got;

	signal(SIGTRAP, on_trap_signal);
	steps = 0;
	__asm__ volatile("sub $256, %%rsp\n\t"
			 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "mov $110, %%eax\n\t" /* getppid */
			 "syscall\n\t"
			 "nop\n\tnop\n\tnop\n\tnop\n\t"
			 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
			 "add $256, %%rsp"
			 : "=a"(got)
			 :
			 : "rcx", "r11", "memory", "cc");
	if (got != ppid)
		fail("getppid with TF set gave %ld", got);
	if (steps < 8 || steps > 12)
		fail("%d single steps instead of about 10", steps);
	steps = 0;
	__asm__ volatile("int3");
	if (steps != 1)
		fail("int3 gave %d traps", steps);
}

static int registers_calls(void *arg)
{
	bool avx = has_avx();

	(void)arg;
	each_kind_of_call(avx);
	call_that_signals(avx);
	segment_bases();
	single_steps();
	return 0;
}

void attack_registers_calls(void)
{
	struct outcome o = in_child(registers_calls, NULL, 20000);

	if (!exited_with(&o, 0))
		fail("registers over calls: %s", outcome_text(&o));
}

/* --- a storm of kicks ----------------------------------------------------------------------------
 */

typedef double vector __attribute__((vector_size(16)));

struct sum {
	uint64_t whole;
	vector parts;
};

/* Everything in registers, for a while. */
__attribute__((noinline)) static struct sum compute(uint64_t rounds)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
	vector u = { 1.0, 2.0 }, v = { 3.0, 4.0 }, w = { 0.5, 0.25 };

	for (uint64_t i = 0; i < rounds; i++) {
		a = a * 6364136223846793005UL + b;
		b ^= a >> 7;
		c += b * 3;
		d = (d << 13 | d >> 51) ^ c;
		e += d ^ f;
		f = f * 31 + e;
		u = u * w + v;
		v = v * w + u * 0.125;
	}
	return (struct sum){ a ^ b ^ c ^ d ^ e ^ f, u + v };
}

static atomic_bool storm_over;
static atomic_uint hits;

static void on_storm(int signo)
{
	on_signal(signo);
	atomic_fetch_add(&hits, 1);
}

static void *computer(void *arg)
{
	struct sum *expected = arg;
	uint64_t until = now_ms() + (long_form() ? 20000 : 3000);

	while (now_ms() < until) {
		struct sum got = compute(2000000);

		/* The struct has padding. */
		if (got.whole != expected->whole ||
		    memcmp(&got.parts, &expected->parts, sizeof(got.parts)) != 0) {
			fail("a sum came out wrong under signals");
			break;
		}
	}
	atomic_store(&storm_over, true);
	return NULL;
}

static int registers_kicks(void *arg)
{
	struct sum expected = compute(2000000);
	pthread_t threads[2];
	sigset_t set;

	(void)arg;
	signal(SIGUSR1, on_storm);
	for (size_t i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, computer, &expected) != 0)
			return 1;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	while (!atomic_load(&storm_over))
		for (size_t i = 0; i < 2; i++) {
			pthread_kill(threads[i], SIGUSR1);
			kill(getpid(), SIGUSR1);
		}
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (hits < 100)
		fail("only %u signals arrived", hits);
	return 0;
}

void attack_registers_kicks(void)
{
	struct outcome o = in_child(registers_kicks, NULL, 60000);

	if (!exited_with(&o, 0))
		fail("registers under kicks: %s", outcome_text(&o));
}
