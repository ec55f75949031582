/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freestanding support for the stub: raw host calls, the kernel's signal
 * structures in their 64-bit layout, and the routines of stub_entry.S.
 */
#pragma once

#include <asm/signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "sentry/platform/copy_kind.h"
#include "sentry/platform/trap/stub_abi.h"

/* struct sigcontext_64 of the kernel */
struct sigcontext64 {
	struct stub_regs regs;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};

struct ucontext {
	uint64_t flags;
	uint64_t link;
	uint64_t stack_sp;
	int32_t stack_flags;
	int32_t pad;
	uint64_t stack_size;
	struct sigcontext64 mcontext;
	uint64_t sigmask;
};

struct signal_info {
	int32_t signo, err, code, pad;
	union {
		struct {
			uint64_t addr;
		} fault;
		struct {
			uint64_t call_addr;
			int32_t nr;
			uint32_t arch;
		} sys;
	};
};

struct signal_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

static inline int64_t stub_syscall6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
				    uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline int64_t stub_syscall3(long nr, uint64_t a, uint64_t b, uint64_t c)
{
	return stub_syscall6(nr, a, b, c, 0, 0, 0);
}

static inline int64_t stub_syscall1(long nr, uint64_t a)
{
	return stub_syscall6(nr, a, 0, 0, 0, 0, 0);
}

/* The segment whose limit the kernel made the number of the CPU, as for its vDSO. */
#define CPU_NUMBER_SEGMENT 0x7b
#define CPU_NUMBER_MASK 0xfff

static inline uint32_t read_cpu(void)
{
	uint32_t limit = CPU_NUMBER_MASK;

	__asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(CPU_NUMBER_SEGMENT) : "cc");
	return limit & CPU_NUMBER_MASK;
}

static inline uint64_t read_fs_base(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static inline uint64_t read_gs_base(void)
{
	uint64_t v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

static inline void write_fs_base(uint64_t v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}

static inline void write_gs_base(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v));
}

/* Reached relative to the instruction pointer: there is nobody to relocate the stub. */
#pragma GCC visibility push(hidden)

/* stub_entry.S */
void stub_restorer(void);
__attribute__((noreturn)) void stub_sigreturn(struct ucontext *uc);
/* clone(flags, stack): the child runs stub_thread_main(uc, ticket) on @stack. */
int64_t stub_clone_thread(uint64_t flags, uint64_t stack, struct ucontext *uc, uint64_t ticket,
			  uint64_t tls);
/* 0, or -EFAULT (-14) when the address is bad. */
int64_t stub_cmpxchg(uint64_t addr, uint32_t expected, uint32_t desired, uint64_t *found);
/* Guest memory: 0, or -EFAULT half-way. */
int64_t stub_copy(uint64_t to, uint64_t from, uint64_t size);
/* The byte can be written; it is not changed. */
int64_t stub_probe(uint64_t addr);
/* Bytes copied with the NUL; 0: longer than @max; -EFAULT. */
int64_t stub_copy_string(uint64_t to, uint64_t from, uint64_t max);
extern const char stub_fault_begin[], stub_fault_end[], stub_fault_landing[];
/* Raises SIGTRAP at stub_blocked, whose handler sees to it that signals are blocked at the return. */
void stub_block(void);
extern const char stub_blocked[];
/*
 * To the guest with @regs and the vector state at @fpstate, without the kernel, in the mask of signals
 * that is in force; or, if *@kicked, to stub_kicked(@uc).  Between the marks a kick has to be sent there.
 */
__attribute__((noreturn)) void stub_leave(const struct stub_regs *regs, struct ucontext *uc,
					  uint64_t fpstate, const uint32_t *kicked);
extern const char stub_leave_begin[], stub_leave_end[], stub_leave_kicked[];

/* stub.c, called from stub_entry.S and by the kernel */
__attribute__((noreturn)) void stub_main(const uint64_t *sp);
__attribute__((noreturn)) void stub_thread_main(struct ucontext *uc, uint64_t ticket);
__attribute__((noreturn)) void stub_kicked(struct ucontext *uc);
/* stub_copy.c: before the report of a system call; with the resume */
void fill_copies(struct stub_slot *slot, const struct ucontext *uc);
void put_copies(const struct stub_slot *slot);
void stub_handler(int sig, const struct signal_info *info, struct ucontext *uc);

#pragma GCC visibility pop
