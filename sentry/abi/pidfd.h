/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of a pidfd: <linux/pidfd.h>. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_PIDFD_GET_CGROUP_NAMESPACE 0xff01U
#define LINUX_PIDFD_GET_IPC_NAMESPACE 0xff02U
#define LINUX_PIDFD_GET_MNT_NAMESPACE 0xff03U
#define LINUX_PIDFD_GET_NET_NAMESPACE 0xff04U
#define LINUX_PIDFD_GET_PID_NAMESPACE 0xff05U
#define LINUX_PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE 0xff06U
#define LINUX_PIDFD_GET_TIME_NAMESPACE 0xff07U
#define LINUX_PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE 0xff08U
#define LINUX_PIDFD_GET_USER_NAMESPACE 0xff09U
#define LINUX_PIDFD_GET_UTS_NAMESPACE 0xff0aU

/* PIDFD_GET_INFO names the size of the caller's structure in the bits between. */
#define LINUX_PIDFD_GET_INFO 0xc000ff0bU
#define LINUX_PIDFD_GET_INFO_SIZE_MASK 0x3fff0000U
#define LINUX_PIDFD_GET_INFO_SIZE_SHIFT 16
#define LINUX_PIDFD_INFO_SIZE_VER0 64U

#define LINUX_PIDFD_INFO_PID 0x01U
#define LINUX_PIDFD_INFO_CREDS 0x02U
#define LINUX_PIDFD_INFO_EXIT 0x08U
#define LINUX_PIDFD_INFO_COREDUMP 0x10U

#define LINUX_PIDFD_COREDUMP_SKIP 0x02U
#define LINUX_PIDFD_COREDUMP_USER 0x04U
#define LINUX_PIDFD_COREDUMP_ROOT 0x08U

struct linux_pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
	uint32_t coredump_mask, reserved;
};
_Static_assert(offsetof(struct linux_pidfd_info, exit_code) == 60, "pidfd_info");
_Static_assert(sizeof(struct linux_pidfd_info) == 72, "pidfd_info");
