/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of x86-64 Linux: numbers, flags, and the layout of a signal frame. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_SIGHUP 1
#define LINUX_SIGINT 2
#define LINUX_SIGQUIT 3
#define LINUX_SIGILL 4
#define LINUX_SIGTRAP 5
#define LINUX_SIGABRT 6
#define LINUX_SIGBUS 7
#define LINUX_SIGFPE 8
#define LINUX_SIGKILL 9
#define LINUX_SIGUSR1 10
#define LINUX_SIGSEGV 11
#define LINUX_SIGUSR2 12
#define LINUX_SIGPIPE 13
#define LINUX_SIGALRM 14
#define LINUX_SIGTERM 15
#define LINUX_SIGSTKFLT 16
#define LINUX_SIGCHLD 17
#define LINUX_SIGCONT 18
#define LINUX_SIGSTOP 19
#define LINUX_SIGTSTP 20
#define LINUX_SIGTTIN 21
#define LINUX_SIGTTOU 22
#define LINUX_SIGURG 23
#define LINUX_SIGXCPU 24
#define LINUX_SIGXFSZ 25
#define LINUX_SIGVTALRM 26
#define LINUX_SIGPROF 27
#define LINUX_SIGWINCH 28
#define LINUX_SIGIO 29
#define LINUX_SIGPWR 30
#define LINUX_SIGSYS 31
#define LINUX_SIGRTMIN 32
#define LINUX_NSIG 64

#define LINUX_SIG_DFL 0ULL
#define LINUX_SIG_IGN 1ULL

#define LINUX_SIG_BLOCK 0
#define LINUX_SIG_UNBLOCK 1
#define LINUX_SIG_SETMASK 2

#define LINUX_SA_NOCLDSTOP 0x00000001ULL
#define LINUX_SA_NOCLDWAIT 0x00000002ULL
#define LINUX_SA_SIGINFO 0x00000004ULL
#define LINUX_SA_UNSUPPORTED 0x00000400ULL
#define LINUX_SA_EXPOSE_TAGBITS 0x00000800ULL
#define LINUX_SA_RESTORER 0x04000000ULL
#define LINUX_SA_ONSTACK 0x08000000ULL
#define LINUX_SA_RESTART 0x10000000ULL
#define LINUX_SA_NODEFER 0x40000000ULL
#define LINUX_SA_RESETHAND 0x80000000ULL
/* What rt_sigaction keeps on x86-64; other bits are cleared. */
#define LINUX_SA_KNOWN                                                                   \
	(LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_SIGINFO | LINUX_SA_ONSTACK | \
	 LINUX_SA_RESTART | LINUX_SA_NODEFER | LINUX_SA_RESETHAND |                      \
	 LINUX_SA_EXPOSE_TAGBITS | LINUX_SA_RESTORER)

#define LINUX_SS_ONSTACK 1U
#define LINUX_SS_DISABLE 2U
#define LINUX_SS_AUTODISARM (1U << 31)
#define LINUX_MINSIGSTKSZ 2048

/* si_code */
#define LINUX_SI_USER 0
#define LINUX_SI_KERNEL 0x80
#define LINUX_SI_QUEUE (-1)
#define LINUX_SI_TIMER (-2)
#define LINUX_SI_MESGQ (-3)
#define LINUX_SI_ASYNCIO (-4)
#define LINUX_SI_SIGIO (-5)
#define LINUX_SI_TKILL (-6)
#define LINUX_CLD_EXITED 1
#define LINUX_CLD_KILLED 2
#define LINUX_CLD_DUMPED 3
#define LINUX_CLD_TRAPPED 4
#define LINUX_CLD_STOPPED 5
#define LINUX_CLD_CONTINUED 6
#define LINUX_SEGV_MAPERR 1
#define LINUX_SEGV_ACCERR 2
#define LINUX_ILL_ILLOPN 2
#define LINUX_TRAP_TRACE 2

/* sigevent.sigev_notify */
#define LINUX_SIGEV_SIGNAL 0
#define LINUX_SIGEV_NONE 1
#define LINUX_SIGEV_THREAD 2
#define LINUX_SIGEV_THREAD_ID 4

struct linux_sigevent {
	uint64_t value;
	int32_t signo;
	int32_t notify;
	int32_t tid;
	uint8_t pad[44];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "sigevent");

struct linux_stack {
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};
_Static_assert(sizeof(struct linux_stack) == 24, "stack_t");

struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate;
	uint64_t reserved1[8];
};
_Static_assert(sizeof(struct linux_sigcontext) == 256, "sigcontext");

#define LINUX_UC_FP_XSTATE 1ULL
#define LINUX_UC_SIGCONTEXT_SS 2ULL
#define LINUX_UC_STRICT_RESTORE_SS 4ULL

struct linux_ucontext {
	uint64_t flags;
	uint64_t link;
	struct linux_stack stack;
	struct linux_sigcontext mcontext;
	uint64_t sigmask;
};
_Static_assert(sizeof(struct linux_ucontext) == 304, "ucontext");

/* pretcode, ucontext, siginfo; the floating point state follows, 64-byte aligned. */
#define LINUX_RT_SIGFRAME_UC 8
#define LINUX_RT_SIGFRAME_INFO (8 + sizeof(struct linux_ucontext))
#define LINUX_RT_SIGFRAME_SIZE (LINUX_RT_SIGFRAME_INFO + 128)
_Static_assert(LINUX_RT_SIGFRAME_SIZE == 440, "rt_sigframe");

/* The software bytes of the FXSAVE area in a frame. */
struct linux_fpx_sw_bytes {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};
_Static_assert(sizeof(struct linux_fpx_sw_bytes) == 48, "fpx_sw_bytes");
#define LINUX_FXSAVE_SIZE 512
#define LINUX_FXSAVE_SW_OFFSET 464
#define LINUX_FP_XSTATE_MAGIC1 0x46505853U
#define LINUX_FP_XSTATE_MAGIC2 0x46505845U
#define LINUX_XFEATURE_FPSSE 3ULL

#define LINUX_EFLAGS_CF 0x1ULL
#define LINUX_EFLAGS_FIXED 0x2ULL
#define LINUX_EFLAGS_PF 0x4ULL
#define LINUX_EFLAGS_AF 0x10ULL
#define LINUX_EFLAGS_ZF 0x40ULL
#define LINUX_EFLAGS_SF 0x80ULL
#define LINUX_EFLAGS_TF 0x100ULL
#define LINUX_EFLAGS_IF 0x200ULL
#define LINUX_EFLAGS_DF 0x400ULL
#define LINUX_EFLAGS_OF 0x800ULL
#define LINUX_EFLAGS_RF 0x10000ULL
#define LINUX_EFLAGS_AC 0x40000ULL
/* What a signal frame may change. */
#define LINUX_EFLAGS_USER                                                                      \
	(LINUX_EFLAGS_AC | LINUX_EFLAGS_OF | LINUX_EFLAGS_DF | LINUX_EFLAGS_TF |               \
	 LINUX_EFLAGS_SF | LINUX_EFLAGS_ZF | LINUX_EFLAGS_AF | LINUX_EFLAGS_PF |               \
	 LINUX_EFLAGS_CF | LINUX_EFLAGS_RF)

#define LINUX_USER_CS 0x33
#define LINUX_USER32_CS 0x23
#define LINUX_USER_DS 0x2b
