/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls.  syscalls.def is the single source: number, name, handler flags,
 * typed arguments.  A handler is
 *
 *	int64_t sys_name(struct task *t, const struct syscall_args *a);
 *
 * returning the result or a negative errno (or a restart code, kernel/restart.h).  It runs
 * on the pool thread that serves @t, holds no lock, and may sleep.
 */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"

struct syscall_args {
	uint64_t v[6];
};

typedef int64_t (*syscall_fn)(struct task *t, const struct syscall_args *a);

static inline guest_addr_t arg_addr(const struct syscall_args *a, unsigned i)
{
	return guest_addr(a->v[i]);
}

static inline int32_t arg_int(const struct syscall_args *a, unsigned i)
{
	return (int32_t)a->v[i];
}

static inline uint32_t arg_u32(const struct syscall_args *a, unsigned i)
{
	return (uint32_t)a->v[i];
}

/* How a typed argument is decoded by --strace and prefetched by the stub. */
enum arg_type {
	ARG_NONE, ARG_INT, ARG_UINT, ARG_HEX, ARG_FD, ARG_DIRFD, ARG_PATH, ARG_STR, ARG_ADDR,
	ARG_SIZE, ARG_OFFSET, ARG_MODE, ARG_OPEN_FLAGS, ARG_BUF_IN, ARG_BUF_OUT, ARG_IOVEC_IN,
	ARG_IOVEC_OUT, ARG_PROT, ARG_MAP_FLAGS, ARG_SIGNAL, ARG_SIGSET, ARG_SIGACTION, ARG_PID,
	ARG_CLONE_FLAGS, ARG_TIMESPEC, ARG_TIMEVAL, ARG_STAT_OUT, ARG_ARGV, ARG_FUTEX_OP,
	ARG_SOCKADDR, ARG_INT_PTR, ARG_WHENCE, ARG_CMD, ARG_RESOURCE, ARG_EPOLL_EVENT, ARG_CLOCK,
};

/* Needs all registers, so it must come by the SIGSYS path; and: changes the address space. */
enum syscall_flags {
	SYSCALL_REGS = 1 << 0,	/* clone, fork, execve, rt_sigreturn, and address-space calls */
	SYSCALL_BLOCKS = 1 << 1, /* may sleep for long: the platform keeps another pool thread ready */
};

struct syscall_entry {
	const char *name; /* NULL: unused number */
	syscall_fn fn;	  /* NULL: ENOSYS, counted */
	uint32_t flags;
	uint8_t arg_count;
	uint8_t arg_types[6]; /* enum arg_type */
};

#define SYSCALL_TABLE_SIZE 480
extern const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE];

/* The SYSCALL event of the current task: runs the handler, traces. */
int64_t syscall_dispatch(struct task *t, uint64_t nr, const struct syscall_args *a);
