/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2): modes, actions, and the messages of user notification. */
#pragma once

#include <stdint.h>

#define LINUX_SECCOMP_MODE_DISABLED 0
#define LINUX_SECCOMP_MODE_STRICT 1
#define LINUX_SECCOMP_MODE_FILTER 2

#define LINUX_SECCOMP_SET_MODE_STRICT 0
#define LINUX_SECCOMP_SET_MODE_FILTER 1
#define LINUX_SECCOMP_GET_ACTION_AVAIL 2
#define LINUX_SECCOMP_GET_NOTIF_SIZES 3

#define LINUX_SECCOMP_FILTER_FLAG_TSYNC (1U << 0)
#define LINUX_SECCOMP_FILTER_FLAG_LOG (1U << 1)
#define LINUX_SECCOMP_FILTER_FLAG_SPEC_ALLOW (1U << 2)
#define LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER (1U << 3)
#define LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1U << 4)
#define LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1U << 5)
#define LINUX_SECCOMP_FILTER_FLAG_MASK 0x3fU

#define LINUX_SECCOMP_RET_KILL_PROCESS 0x80000000U
#define LINUX_SECCOMP_RET_KILL_THREAD 0x00000000U
#define LINUX_SECCOMP_RET_TRAP 0x00030000U
#define LINUX_SECCOMP_RET_ERRNO 0x00050000U
#define LINUX_SECCOMP_RET_USER_NOTIF 0x7fc00000U
#define LINUX_SECCOMP_RET_TRACE 0x7ff00000U
#define LINUX_SECCOMP_RET_LOG 0x7ffc0000U
#define LINUX_SECCOMP_RET_ALLOW 0x7fff0000U
#define LINUX_SECCOMP_RET_ACTION_FULL 0xffff0000U
#define LINUX_SECCOMP_RET_DATA 0x0000ffffU

#define LINUX_SYS_SECCOMP 1 /* si_code of its SIGSYS */
#define LINUX_SYS_USER_DISPATCH 2
#define LINUX_MAX_ERRNO 4095
#define LINUX_AUDIT_ARCH_X86_64 0xc000003eU

struct linux_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
};
_Static_assert(sizeof(struct linux_seccomp_data) == 64, "seccomp_data");

struct linux_seccomp_metadata {
	uint64_t filter_off, flags;
};
_Static_assert(sizeof(struct linux_seccomp_metadata) == 16, "seccomp_metadata");

/* Classic BPF. */
struct linux_sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
_Static_assert(sizeof(struct linux_sock_filter) == 8, "sock_filter");

struct linux_sock_fprog {
	uint16_t len;
	uint16_t pad[3];
	uint64_t filter; /* guest address */
};
_Static_assert(sizeof(struct linux_sock_fprog) == 16, "sock_fprog");

#define LINUX_BPF_MAXINSNS 4096
#define LINUX_BPF_MEMWORDS 16

/* --- user notification --------------------------------------------------------- */

struct linux_seccomp_notif_sizes {
	uint16_t notif, response, data;
};

struct linux_seccomp_notif {
	uint64_t id;
	uint32_t pid;
	uint32_t flags;
	struct linux_seccomp_data data;
};
_Static_assert(sizeof(struct linux_seccomp_notif) == 80, "seccomp_notif");

struct linux_seccomp_notif_resp {
	uint64_t id;
	int64_t val;
	int32_t error;
	uint32_t flags;
};
_Static_assert(sizeof(struct linux_seccomp_notif_resp) == 24, "seccomp_notif_resp");

struct linux_seccomp_notif_addfd {
	uint64_t id;
	uint32_t flags;
	uint32_t srcfd;
	uint32_t newfd;
	uint32_t newfd_flags;
};
_Static_assert(sizeof(struct linux_seccomp_notif_addfd) == 24, "seccomp_notif_addfd");

#define LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE 1U
#define LINUX_SECCOMP_ADDFD_FLAG_SETFD 1U
#define LINUX_SECCOMP_ADDFD_FLAG_SEND 2U
#define LINUX_SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ULL

#define LINUX_SECCOMP_IOCTL_NOTIF_RECV 0xc0502100U
#define LINUX_SECCOMP_IOCTL_NOTIF_SEND 0xc0182101U
#define LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID 0x40082102U
#define LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG 0x80082102U
#define LINUX_SECCOMP_IOCTL_NOTIF_ADDFD 0x40182103U
#define LINUX_SECCOMP_IOCTL_NOTIF_SET_FLAGS 0x40082104U
/* An ioctl number without direction and size, and its size. */
#define LINUX_IOC_BASE(cmd) ((cmd) & 0x0000ffffU)
#define LINUX_IOC_SIZE_SHIFT 16
#define LINUX_IOC_SIZE(cmd) (((cmd) >> LINUX_IOC_SIZE_SHIFT) & 0x3fffU)
