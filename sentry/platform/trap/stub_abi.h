/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stub and the sentry agree on: the layout of the reserved top of the
 * guest's address space, the slots, and the two numbers that are not system
 * calls of Linux.  Included by both sides; freestanding.
 *
 * Everything in a slot can be written by the guest at any time: the sentry
 * copies once, checks, and uses its copy.
 */
#pragma once

#include <stdint.h>

/* The reserved area: [STUB_AREA, 2^47).  The host's vDSO and initial stack of the
 * template (started without address randomisation) lie in it too. */
#define STUB_AREA 0x7fffe0000000UL
#define STUB_TEXT STUB_AREA
#define STUB_TEXT_LIMIT 0x7fffe0010000UL

/* For each system call how it uses memory (enum platform_copy), 32 bits each: private, read-only. */
#define STUB_COPY_TABLE 0x7fffe0020000UL
#define STUB_COPY_TABLE_COUNT 512UL
#define STUB_COPY_TABLE_SIZE (STUB_COPY_TABLE_COUNT * 4)

/* One signal stack per host thread, by thread index: private, copied by fork. */
#define STUB_STACKS 0x7fffe1000000UL
#define STUB_STACK_SIZE 0x10000UL
#define STUB_THREADS_MAX 2048UL
/* Where a new thread's stack pointer starts; the frame copied for it is above. */
#define STUB_THREAD_START 0x4000UL

/* One slot per host thread, by thread index: one shared memfd per address space. */
#define STUB_SLOTS 0x7ffff1000000UL
#define STUB_SLOT_SIZE 0x2000UL
#define STUB_SLOTS_SIZE (STUB_SLOT_SIZE * STUB_THREADS_MAX)

/* The template is executed with one long argument, to have room for a guest's command line. */
#define STUB_ARGUMENTS_SIZE 2048

/* Numbers far above Linux's, always notified. */
#define STUB_NR_REPORT 0x6d6f6101 /* the thread stopped: its slot has the event */
#define STUB_NR_HELLO 0x6d6f6102  /* (ticket): first call of a new thread or process */

/* Signal that asks a thread to stop (ignored by default, so never harmful). */
#define STUB_KICK_SIGNAL 23 /* SIGURG */

/*
 * Whose turn it is, while the stub spins instead of sleeping in a notification.  Every step is
 * a compare-and-exchange, so that "I take it" and "I go to sleep" exclude each other.
 */
enum stub_hand {
	STUB_HAND_IDLE,
	STUB_HAND_POSTED,   /* stub: an event is in the slot; I spin */
	STUB_HAND_TAKEN,    /* sentry: I have it; keep spinning */
	STUB_HAND_BLOCKED,  /* sentry: it will take long; sleep */
	STUB_HAND_ANSWERED, /* sentry: the next command is in the slot */
	STUB_HAND_ASLEEP,   /* stub: I report by notification */
};

#define STUB_CPU_UNKNOWN UINT32_MAX

/* Answers the clone by which a stub reports a guest's fork: no child, a command is in the slot. */
#define STUB_CLONE_ANSWERED (1L << 40)
/* Flags of the host clone for a fork. */
#define STUB_FORK_FLAGS 0x8000UL /* CLONE_PARENT */

/* Argument of STUB_NR_REPORT: whether the sentry had taken the event before the stub slept. */
#define STUB_REPORT_EVENT 0
#define STUB_REPORT_LATE 1

enum stub_event {
	STUB_EVENT_NONE,
	STUB_EVENT_SYSCALL,
	STUB_EVENT_FAULT,
	STUB_EVENT_KICK,
	STUB_EVENT_DONE, /* the ordered command was executed: result */
};

enum stub_command {
	STUB_RESUME,	     /* load regs and return to guest code */
	STUB_RESUME_FRAME,   /* the same, by rt_sigreturn: the vector state was changed */
	STUB_CALL,	     /* result = host call nr(args) */
	STUB_CALL_WITH_FD,   /* the same, then close(args[4]) */
	STUB_FORK,	     /* result = clone(STUB_FORK_FLAGS); the child says hello with ticket */
	STUB_THREAD,	     /* the same with a stack of its own: thread index args[1], TLS base args[2] */
	STUB_CMPXCHG,	     /* *(u32 *)args[0]: args[1] -> args[2]; found = old value */
	STUB_EXIT,	     /* exit(0) of this host thread */
};

/* In the order of Linux's gregs in struct sigcontext. */
struct stub_regs {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
};

/*
 * Guest memory in the slot's copy page.  With an event: what the stub put there (in), or
 * found writable (out).  With STUB_RESUME: how many bytes of it to put back.
 */
struct stub_copy {
	uint64_t addr;
	uint32_t size;
	uint16_t offset;
	uint16_t out;
};
#define STUB_COPIES 3

struct stub_slot {
	/* both ways, polled: a cache line of their own */
	uint32_t hand;
	uint32_t spin; /* how often the stub looks at hand before it sleeps; 0: sleeps at once */
	uint32_t cpu;  /* where the stub runs; STUB_CPU_UNKNOWN */
	uint32_t pad[13];
	/* read by the host kernel at each system call of the thread (syscall user dispatch) */
	uint8_t selector;
	uint8_t pad2[63];
	/* stub to sentry */
	uint32_t event;
	int32_t signo, code;
	uint32_t arch;
	uint64_t nr;
	uint64_t fault_addr, trapno, error_code;
	uint64_t xstate_addr; /* the XSAVE image in the thread's signal frame */
	int64_t result;
	uint64_t found;
	/* both ways */
	struct stub_regs regs;
	uint64_t fs_base, gs_base;
	uint32_t cs; /* STUB_CS_32, or 64-bit code */
	uint32_t copy_count;
	struct stub_copy copies[STUB_COPIES];
	/* sentry to stub */
	uint32_t command;
	uint32_t fsgsbase; /* the CPU lets user code read and write the FS and GS base */
	uint32_t xsave;	   /* and load the vector state as it is in a signal frame */
	uint32_t kicked;   /* the stub's own: a kick came while it was in its handler of SIGSYS */
	uint64_t call_nr;
	uint64_t args[6];
	uint64_t ticket; /* of the next child */
	char name[16]; /* argument of prctl(PR_SET_NAME) */
	/* template only, at boot; the filter program is in the copy page */
	uint32_t ready;	       /* futex: set by the template when the filter is in place */
	int32_t listener;      /* its number in the template, or a negative errno */
	uint64_t vdso;	       /* AT_SYSINFO_EHDR */
	uint64_t hwcap2;
	uint64_t arguments;    /* argv[0]: STUB_ARGUMENTS_SIZE bytes that the host's ps shows */
	uint32_t filter_flags; /* for seccomp(2) */
	uint32_t filter_count; /* struct sock_filter */
};

/* The host's segment of 32-bit code, which the guest enters by itself. */
#define STUB_CS_32 0x23U
#define STUB_CS_64 0x33U

#define STUB_COPY_PAGE 4096UL /* offset of the copy buffer in a slot */
#define STUB_COPY_SIZE 4096UL
/* At boot the table of copies is in the template's second slot. */
#define STUB_BOOT_COPY_TABLE STUB_SLOT_SIZE

_Static_assert(sizeof(struct stub_slot) <= 4096, "the slot's control page");
