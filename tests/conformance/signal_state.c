/* SPDX-License-Identifier: Apache-2.0
 *
 * Register, x87, SSE and AVX state over signal handlers and system calls; the red zone and flags.
 */
#include "conformance.h"

#include <cpuid.h>
#include <ucontext.h>

static volatile sig_atomic_t handled;

/* Leaves every vector register and the FP control words dirty. */
static void on_dirty(int sig)
{
	uint32_t mxcsr = 0x1f80 | 0x6000;
	uint16_t fcw = 0x0f7f;

	(void)sig;
	handled++;
	__asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fld1; fldpi" : : "m"(mxcsr), "m"(fcw));
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm7; "
			 "movdqa %%xmm0, %%xmm15"
			 :
			 :
			 : "xmm0", "xmm1", "xmm7", "xmm15");
}

CASE(state_general_registers)
{
	uint64_t before[6] = { 0x1111, 0x2222222222222222, 0x33, 0x4444444444444444, 0x5555, 0x66 },
		 after[6];

	signal(SIGUSR1, on_dirty);
	__asm__ volatile("movq 0(%[in]), %%rbx\n movq 8(%[in]), %%r12\n movq 16(%[in]), %%r13\n "
			 "movq 24(%[in]), %%r14\n"
			 "movq 32(%[in]), %%r15\n movq 40(%[in]), %%r10\n"
			 "syscall\n"
			 "movq %%rbx, 0(%[out])\n movq %%r12, 8(%[out])\n movq %%r13, 16(%[out])\n "
			 "movq %%r14, 24(%[out])\n"
			 "movq %%r15, 32(%[out])\n movq %%r10, 40(%[out])"
			 :
			 : "a"(SYS_kill), "D"((long)getpid()),
			   "S"((long)SIGUSR1), [in] "r"(before), [out] "r"(after)
			 : "rbx", "r10", "r11", "r12", "r13", "r14", "r15", "rcx", "memory");
	show_int("handled", handled);
	show_int("kept", memcmp(before, after, sizeof(before)) == 0);
}

CASE(state_syscall_clobbers)
{
	uint64_t rcx, r11, rip, flags, rdx = 0x77, rsi = 0x88, rdi = 0x99, r8, r9;

	__asm__ volatile("movq $0x1234, %%r8\n movq $0x5678, %%r9\n"
			 "leaq 1f(%%rip), %%rbx\n pushfq\n popq %%r15\n syscall\n 1:\n"
			 "movq %%rcx, %[rcx]\n movq %%r11, %[r11]\n movq %%rbx, %[rip]\n movq "
			 "%%r15, %[flags]\n movq %%r8, %[o8]\n movq %%r9, %[o9]"
			 : [rcx] "=m"(rcx), [r11] "=m"(r11), [rip] "=m"(rip), [flags] "=m"(flags),
			   [o8] "=m"(r8), [o9] "=m"(r9), "+d"(rdx), "+S"(rsi), "+D"(rdi)
			 : "a"(SYS_getpid)
			 : "rcx", "r8", "r9", "r11", "rbx", "r15", "memory", "cc");
	show_int("rcx is the next rip", rcx == rip);
	show_int("r11 has the flags", (r11 & ~0x10000ULL) == (flags & ~0x10000ULL));
	note("rdx 0x%lx rsi 0x%lx rdi 0x%lx r8 0x%lx r9 0x%lx", rdx, rsi, rdi, r8, r9);
}

CASE(state_direction_flag)
{
	uint64_t flags;

	__asm__ volatile("std\n syscall\n pushfq\n popq %0\n cld"
			 : "=r"(flags)
			 : "a"(SYS_getppid)
			 : "rcx", "r11", "memory", "cc");
	show_int("DF kept over a system call", !!(flags & 0x400));
	signal(SIGUSR1, on_dirty);
	__asm__ volatile("std\n syscall\n pushfq\n popq %0\n cld"
			 : "=r"(flags)
			 : "a"(SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	show_int("DF kept over a handler", !!(flags & 0x400));
}

CASE(state_sse)
{
	static const uint8_t in[32] __attribute__((aligned(16))) =
		"0123456789abcdefFEDCBA987654321";
	uint8_t out[32] __attribute__((aligned(16)));
	uint32_t mxcsr = 0x1f80 | 0x2000, mxcsr_after;
	long result;

	signal(SIGUSR1, on_dirty);
	__asm__ volatile(
		"ldmxcsr %[m]\n movdqa (%[in]), %%xmm0\n movdqa 16(%[in]), %%xmm15\n syscall\n"
		"movdqa %%xmm0, (%[out])\n movdqa %%xmm15, 16(%[out])\n stmxcsr %[ma]"
		: "=a"(result), [ma] "=m"(mxcsr_after)
		: "a"(SYS_kill), "D"((long)getpid()),
		  "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out), [m] "m"(mxcsr)
		: "rcx", "r11", "memory", "xmm0", "xmm15");
	show_int("handled", handled);
	show_int("xmm kept", memcmp(in, out, sizeof(in)) == 0);
	show_hex("mxcsr", mxcsr_after);
}

CASE(state_x87)
{
	uint16_t fcw = 0x0c7f, fcw_after;
	double value;
	long result;

	signal(SIGUSR1, on_dirty);
	__asm__ volatile("fninit\n fldcw %[in]\n fldpi\n fld1\n syscall\n faddp\n fstpl %[v]\n "
			 "fnstcw %[out]\n fninit"
			 : "=a"(result), [v] "=m"(value), [out] "=m"(fcw_after)
			 : "a"(SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1), [in] "m"(fcw)
			 : "rcx", "r11", "memory");
	note("value %.6f control 0x%x", value, fcw_after);
}

static void on_default_state(int sig)
{
	uint32_t mxcsr;
	uint16_t fcw;

	(void)sig;
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	note("in the handler: mxcsr 0x%x control 0x%x", mxcsr, fcw);
}

CASE(state_fresh_in_handler)
{
	uint32_t mxcsr = 0x1f80 | 0x6000;
	uint16_t fcw = 0x0f7f;

	signal(SIGUSR1, on_default_state);
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
	kill(getpid(), SIGUSR1);
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	note("after: mxcsr 0x%x control 0x%x", mxcsr, fcw);
}

static void on_dirty_avx(int sig)
{
	(void)sig;
	handled++;
	__asm__ volatile("vzeroall" : : : "memory");
}

CASE(state_avx)
{
	static const uint8_t in[64] __attribute__((aligned(32))) =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+";
	uint8_t out[64] __attribute__((aligned(32)));
	long result;

	if (!__builtin_cpu_supports("avx"))
		skip("no AVX");
	signal(SIGUSR1, on_dirty_avx);
	__asm__ volatile("vmovdqa (%[in]), %%ymm1\n vmovdqa 32(%[in]), %%ymm14\n syscall\n"
			 "vmovdqa %%ymm1, (%[out])\n vmovdqa %%ymm14, 32(%[out])\n vzeroupper"
			 : "=a"(result)
			 : "a"(SYS_kill), "D"((long)getpid()),
			   "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
			 : "rcx", "r11", "memory", "xmm1", "xmm14");
	show_int("handled", handled);
	show_int("ymm kept", memcmp(in, out, sizeof(in)) == 0);
}

CASE(state_avx512)
{
	static const uint8_t in[64] __attribute__((aligned(64))) =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+";
	uint8_t out[64] __attribute__((aligned(64)));
	uint32_t mask = 0xa5a5, mask_after;
	long result;

	if (!__builtin_cpu_supports("avx512f"))
		skip("no AVX-512");
	signal(SIGUSR1, on_dirty_avx);
	__asm__ volatile("kmovw %[k], %%k3\n vmovdqa64 (%[in]), %%zmm20\n syscall\n"
			 "vmovdqa64 %%zmm20, (%[out])\n kmovw %%k3, %[ka]\n vzeroupper"
			 : "=a"(result), [ka] "=&r"(mask_after)
			 : "a"(SYS_kill), "D"((long)getpid()),
			   "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out), [k] "r"(mask)
			 : "rcx", "r11", "memory");
	show_int("zmm kept", memcmp(in, out, sizeof(in)) == 0);
	show_hex("mask", mask_after);
}

CASE(state_vector_over_fork)
{
	static const uint8_t in[16] __attribute__((aligned(16))) = "fork keeps this";
	uint8_t out[16] __attribute__((aligned(16)));
	long pid;

	__asm__ volatile("movdqa (%[in]), %%xmm9\n syscall\n movdqa %%xmm9, (%[out])"
			 : "=a"(pid)
			 : "a"(SYS_fork), [in] "r"(in), [out] "r"(out)
			 : "rcx", "r11", "memory", "xmm9");
	if (pid == 0)
		_exit(memcmp(in, out, sizeof(in)) == 0 ? 0 : 1);
	show_int("parent", memcmp(in, out, sizeof(in)) == 0);
	show_wait("child", (pid_t)pid);
}

CASE(state_red_zone)
{
	uint64_t kept;
	long result;

	signal(SIGUSR1, on_dirty);
	__asm__ volatile("movabsq $0x1122334455667788, %%rbx\n movq %%rbx, -128(%%rsp)\n movq "
			 "%%rbx, -8(%%rsp)\n syscall\n"
			 "movq -128(%%rsp), %1\n xorq -8(%%rsp), %1"
			 : "=a"(result), "=&r"(kept)
			 : "a"(SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "rbx", "memory", "cc");
	show_int("handled", handled);
	show_hex("difference", kept);
}

static void on_context(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	const greg_t *regs = uc->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	note("rbx 0x%llx r12 0x%llx rax %lld", regs[REG_RBX], regs[REG_R12], regs[REG_RAX]);
	show_int("fp state present", uc->uc_mcontext.fpregs != NULL);
	show_int("frame is aligned", ((uintptr_t)__builtin_frame_address(0) & 15) == 0);
	show_hex("cs", (unsigned long long)regs[REG_CSGSFS] & 0xffff);
	show_int("oldmask", regs[REG_OLDMASK]);
}

CASE(state_context_registers)
{
	struct sigaction action = { .sa_sigaction = on_context, .sa_flags = SA_SIGINFO };
	long result;

	MUST(sigaction(SIGUSR1, &action, NULL));
	__asm__ volatile("movq $0xabc, %%rbx\n movq $0xdef, %%r12\n syscall"
			 : "=a"(result)
			 : "a"(SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "rbx", "r12", "memory");
	show("result", result);
}
