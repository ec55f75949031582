/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2) of x86-64 Linux: requests, options, events, layouts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_PTRACE_TRACEME 0
#define LINUX_PTRACE_PEEKTEXT 1
#define LINUX_PTRACE_PEEKDATA 2
#define LINUX_PTRACE_PEEKUSER 3
#define LINUX_PTRACE_POKETEXT 4
#define LINUX_PTRACE_POKEDATA 5
#define LINUX_PTRACE_POKEUSER 6
#define LINUX_PTRACE_CONT 7
#define LINUX_PTRACE_KILL 8
#define LINUX_PTRACE_SINGLESTEP 9
#define LINUX_PTRACE_GETREGS 12
#define LINUX_PTRACE_SETREGS 13
#define LINUX_PTRACE_GETFPREGS 14
#define LINUX_PTRACE_SETFPREGS 15
#define LINUX_PTRACE_ATTACH 16
#define LINUX_PTRACE_DETACH 17
#define LINUX_PTRACE_OLDSETOPTIONS 21
#define LINUX_PTRACE_SYSCALL 24
#define LINUX_PTRACE_GET_THREAD_AREA 25
#define LINUX_PTRACE_SET_THREAD_AREA 26
#define LINUX_PTRACE_ARCH_PRCTL 30
#define LINUX_PTRACE_SYSEMU 31
#define LINUX_PTRACE_SYSEMU_SINGLESTEP 32
#define LINUX_PTRACE_SETOPTIONS 0x4200
#define LINUX_PTRACE_GETEVENTMSG 0x4201
#define LINUX_PTRACE_GETSIGINFO 0x4202
#define LINUX_PTRACE_SETSIGINFO 0x4203
#define LINUX_PTRACE_GETREGSET 0x4204
#define LINUX_PTRACE_SETREGSET 0x4205
#define LINUX_PTRACE_SEIZE 0x4206
#define LINUX_PTRACE_INTERRUPT 0x4207
#define LINUX_PTRACE_LISTEN 0x4208
#define LINUX_PTRACE_PEEKSIGINFO 0x4209
#define LINUX_PTRACE_GETSIGMASK 0x420a
#define LINUX_PTRACE_SETSIGMASK 0x420b
#define LINUX_PTRACE_SECCOMP_GET_FILTER 0x420c
#define LINUX_PTRACE_SECCOMP_GET_METADATA 0x420d
#define LINUX_PTRACE_GET_SYSCALL_INFO 0x420e
#define LINUX_PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#define LINUX_PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG 0x4210
#define LINUX_PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#define LINUX_PTRACE_SET_SYSCALL_INFO 0x4212

#define LINUX_PTRACE_EVENT_FORK 1
#define LINUX_PTRACE_EVENT_VFORK 2
#define LINUX_PTRACE_EVENT_CLONE 3
#define LINUX_PTRACE_EVENT_EXEC 4
#define LINUX_PTRACE_EVENT_VFORK_DONE 5
#define LINUX_PTRACE_EVENT_EXIT 6
#define LINUX_PTRACE_EVENT_SECCOMP 7
#define LINUX_PTRACE_EVENT_STOP 128

/* Option n of the events is bit n. */
#define LINUX_PTRACE_O_TRACESYSGOOD 1U
#define LINUX_PTRACE_O_EXITKILL (1U << 20)
#define LINUX_PTRACE_O_SUSPEND_SECCOMP (1U << 21)
#define LINUX_PTRACE_O_MASK (0xffU | LINUX_PTRACE_O_EXITKILL | LINUX_PTRACE_O_SUSPEND_SECCOMP)

#define LINUX_PTRACE_PEEKSIGINFO_SHARED 1U

#define LINUX_NT_PRSTATUS 1
#define LINUX_NT_PRFPREG 2
#define LINUX_NT_386_IOPERM 0x201
#define LINUX_NT_X86_XSTATE 0x202

#define LINUX_TRAP_BRKPT 1
#define LINUX_TRAP_HWBKPT 4

/* struct user, of the kernel: general registers, debug registers and two words at the end. */
#define LINUX_USER_SIZE 928
#define LINUX_USER_DEBUGREG 848
#define LINUX_DEBUGREG_COUNT 8

struct linux_ptrace_peeksiginfo_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

#define LINUX_PTRACE_SYSCALL_INFO_NONE 0
#define LINUX_PTRACE_SYSCALL_INFO_ENTRY 1
#define LINUX_PTRACE_SYSCALL_INFO_EXIT 2
#define LINUX_PTRACE_SYSCALL_INFO_SECCOMP 3

struct linux_ptrace_syscall_info {
	uint8_t op;
	uint8_t reserved;
	uint16_t flags;
	uint32_t arch;
	uint64_t instruction_pointer, stack_pointer;
	union {
		struct { uint64_t nr, args[6]; } entry;
		struct { int64_t rval; uint8_t is_error; } exit;
		struct { uint64_t nr, args[6]; uint32_t ret_data, reserved2; } seccomp;
	};
};
_Static_assert(offsetof(struct linux_ptrace_syscall_info, entry) == 24, "ptrace_syscall_info");
_Static_assert(sizeof(struct linux_ptrace_syscall_info) == 88, "ptrace_syscall_info");

struct linux_ptrace_sud_config {
	uint64_t mode, selector, offset, len;
};

struct linux_ptrace_rseq_configuration {
	uint64_t rseq_abi_pointer;
	uint32_t rseq_abi_size, signature, flags, pad;
};

/* Of PTRACE_GET_THREAD_AREA: a segment descriptor. */
struct linux_user_desc {
	uint32_t entry_number, base_addr, limit, flags;
};
_Static_assert(sizeof(struct linux_user_desc) == 16, "user_desc");

#define LINUX_USER_DESC_SEG_32BIT 0x01U
#define LINUX_USER_DESC_CODE 0x04U /* the upper bit of the contents */
#define LINUX_USER_DESC_READ_EXEC_ONLY 0x08U
#define LINUX_USER_DESC_SEG_NOT_PRESENT 0x20U
#define LINUX_USER_DESC_FLAGS 0xffU

#define LINUX_GDT_ENTRY_TLS_MIN 12
#define LINUX_GDT_ENTRY_TLS_MAX 14

/* What GETEVENTMSG says at a system call stop. */
#define LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY 1
#define LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT 2
