/* SPDX-License-Identifier: Apache-2.0 */
/* clone(2) flags and scheduling constants. */
#pragma once

#include <stdint.h>

#define LINUX_CSIGNAL 0xffULL
#define LINUX_CLONE_NEWTIME 0x80ULL /* clone3 and unshare only */
#define LINUX_CLONE_VM 0x100ULL
#define LINUX_CLONE_FS 0x200ULL
#define LINUX_CLONE_FILES 0x400ULL
#define LINUX_CLONE_SIGHAND 0x800ULL
#define LINUX_CLONE_PIDFD 0x1000ULL
#define LINUX_CLONE_PTRACE 0x2000ULL
#define LINUX_CLONE_VFORK 0x4000ULL
#define LINUX_CLONE_PARENT 0x8000ULL
#define LINUX_CLONE_THREAD 0x10000ULL
#define LINUX_CLONE_NEWNS 0x20000ULL
#define LINUX_CLONE_SYSVSEM 0x40000ULL
#define LINUX_CLONE_SETTLS 0x80000ULL
#define LINUX_CLONE_PARENT_SETTID 0x100000ULL
#define LINUX_CLONE_CHILD_CLEARTID 0x200000ULL
#define LINUX_CLONE_DETACHED 0x400000ULL
#define LINUX_CLONE_UNTRACED 0x800000ULL
#define LINUX_CLONE_CHILD_SETTID 0x1000000ULL
#define LINUX_CLONE_NEWCGROUP 0x2000000ULL
#define LINUX_CLONE_NEWUTS 0x4000000ULL
#define LINUX_CLONE_NEWIPC 0x8000000ULL
#define LINUX_CLONE_NEWUSER 0x10000000ULL
#define LINUX_CLONE_NEWPID 0x20000000ULL
#define LINUX_CLONE_NEWNET 0x40000000ULL
#define LINUX_CLONE_IO 0x80000000ULL
#define LINUX_CLONE_CLEAR_SIGHAND 0x100000000ULL
#define LINUX_CLONE_INTO_CGROUP 0x200000000ULL
#define LINUX_CLONE_LEGACY_FLAGS 0xffffffffULL
#define LINUX_CLONE_ARGS_SIZE_VER0 64
#define LINUX_CLONE_ARGS_SIZE_VER1 80
#define LINUX_CLONE_ARGS_SIZE_VER2 88

struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size;
	uint64_t cgroup;
};
_Static_assert(sizeof(struct linux_clone_args) == LINUX_CLONE_ARGS_SIZE_VER2, "clone_args");

#define LINUX_SCHED_NORMAL 0
#define LINUX_SCHED_FIFO 1
#define LINUX_SCHED_RR 2
#define LINUX_MAX_RT_PRIO 100
#define LINUX_DEFAULT_PRIO 120 /* of nice 0 */
#define LINUX_SCHED_BATCH 3
#define LINUX_SCHED_IDLE 5
#define LINUX_SCHED_DEADLINE 6
#define LINUX_SCHED_EXT 7
#define LINUX_SCHED_RESET_ON_FORK 0x40000000

struct linux_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
#define LINUX_SCHED_ATTR_SIZE_VER0 48
_Static_assert(sizeof(struct linux_sched_attr) == 56, "sched_attr");

#define LINUX_PRIO_PROCESS 0
#define LINUX_PRIO_PGRP 1
#define LINUX_PRIO_USER 2

#define LINUX_IOPRIO_CLASS_SHIFT 13
#define LINUX_IOPRIO_CLASS_NONE 0
#define LINUX_IOPRIO_CLASS_RT 1
#define LINUX_IOPRIO_CLASS_BE 2
#define LINUX_IOPRIO_CLASS_IDLE 3
#define LINUX_IOPRIO_WHO_PROCESS 1
#define LINUX_IOPRIO_WHO_PGRP 2
#define LINUX_IOPRIO_WHO_USER 3

#define LINUX_KCMP_FILE 0
#define LINUX_KCMP_VM 1
#define LINUX_KCMP_FILES 2
#define LINUX_KCMP_FS 3
#define LINUX_KCMP_SIGHAND 4
#define LINUX_KCMP_IO 5
#define LINUX_KCMP_SYSVSEM 6
#define LINUX_KCMP_EPOLL_TFD 7

struct linux_kcmp_epoll_slot {
	uint32_t efd, tfd, toff;
};
