/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: numbers, the capget/capset structures, file capabilities, securebits. */
#pragma once

#include <stdint.h>

#define LINUX_CAP_CHOWN 0
#define LINUX_CAP_DAC_OVERRIDE 1
#define LINUX_CAP_DAC_READ_SEARCH 2
#define LINUX_CAP_FOWNER 3
#define LINUX_CAP_FSETID 4
#define LINUX_CAP_KILL 5
#define LINUX_CAP_SETGID 6
#define LINUX_CAP_SETUID 7
#define LINUX_CAP_SETPCAP 8
#define LINUX_CAP_LINUX_IMMUTABLE 9
#define LINUX_CAP_NET_BIND_SERVICE 10
#define LINUX_CAP_NET_BROADCAST 11
#define LINUX_CAP_NET_ADMIN 12
#define LINUX_CAP_NET_RAW 13
#define LINUX_CAP_IPC_LOCK 14
#define LINUX_CAP_IPC_OWNER 15
#define LINUX_CAP_SYS_MODULE 16
#define LINUX_CAP_SYS_RAWIO 17
#define LINUX_CAP_SYS_CHROOT 18
#define LINUX_CAP_SYS_PTRACE 19
#define LINUX_CAP_SYS_PACCT 20
#define LINUX_CAP_SYS_ADMIN 21
#define LINUX_CAP_SYS_BOOT 22
#define LINUX_CAP_SYS_NICE 23
#define LINUX_CAP_SYS_RESOURCE 24
#define LINUX_CAP_SYS_TIME 25
#define LINUX_CAP_SYS_TTY_CONFIG 26
#define LINUX_CAP_MKNOD 27
#define LINUX_CAP_LEASE 28
#define LINUX_CAP_AUDIT_WRITE 29
#define LINUX_CAP_AUDIT_CONTROL 30
#define LINUX_CAP_SETFCAP 31
#define LINUX_CAP_MAC_OVERRIDE 32
#define LINUX_CAP_MAC_ADMIN 33
#define LINUX_CAP_SYSLOG 34
#define LINUX_CAP_WAKE_ALARM 35
#define LINUX_CAP_BLOCK_SUSPEND 36
#define LINUX_CAP_AUDIT_READ 37
#define LINUX_CAP_PERFMON 38
#define LINUX_CAP_BPF 39
#define LINUX_CAP_CHECKPOINT_RESTORE 40

/* Capabilities that go with fsuid 0 (CAP_FS_SET). */
#define LINUX_CAP_FS_SET                                                                   \
	((1ULL << LINUX_CAP_CHOWN) | (1ULL << LINUX_CAP_MKNOD) |                           \
	 (1ULL << LINUX_CAP_DAC_OVERRIDE) | (1ULL << LINUX_CAP_DAC_READ_SEARCH) |          \
	 (1ULL << LINUX_CAP_FOWNER) | (1ULL << LINUX_CAP_FSETID) |                         \
	 (1ULL << LINUX_CAP_LINUX_IMMUTABLE) | (1ULL << LINUX_CAP_MAC_OVERRIDE))

#define LINUX_CAPABILITY_VERSION_1 0x19980330U
#define LINUX_CAPABILITY_VERSION_2 0x20071026U
#define LINUX_CAPABILITY_VERSION_3 0x20080522U

struct linux_cap_header {
	uint32_t version;
	int32_t pid;
};
struct linux_cap_data {
	uint32_t effective, permitted, inheritable;
};

#define LINUX_XATTR_NAME_CAPS "security.capability"
#define LINUX_VFS_CAP_REVISION_MASK 0xff000000U
#define LINUX_VFS_CAP_REVISION_1 0x01000000U
#define LINUX_VFS_CAP_REVISION_2 0x02000000U
#define LINUX_VFS_CAP_REVISION_3 0x03000000U
#define LINUX_VFS_CAP_FLAGS_EFFECTIVE 0x000001U
struct linux_vfs_cap_data {
	uint32_t magic_etc;
	struct {
		uint32_t permitted, inheritable;
	} data[2];
	uint32_t rootid; /* revision 3 */
};
_Static_assert(sizeof(struct linux_vfs_cap_data) == 24, "vfs_ns_cap_data");
#define LINUX_VFS_CAP_SIZE_1 12
#define LINUX_VFS_CAP_SIZE_2 20
#define LINUX_VFS_CAP_SIZE_3 24

#define LINUX_SECBIT_NOROOT (1U << 0)
#define LINUX_SECBIT_NOROOT_LOCKED (1U << 1)
#define LINUX_SECBIT_NO_SETUID_FIXUP (1U << 2)
#define LINUX_SECBIT_NO_SETUID_FIXUP_LOCKED (1U << 3)
#define LINUX_SECBIT_KEEP_CAPS (1U << 4)
#define LINUX_SECBIT_KEEP_CAPS_LOCKED (1U << 5)
#define LINUX_SECBIT_NO_CAP_AMBIENT_RAISE (1U << 6)
#define LINUX_SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED (1U << 7)
/* With EXEC_RESTRICT_FILE, EXEC_DENY_INTERACTIVE and their locks. */
#define LINUX_SECURE_ALL_BITS 0x555U
#define LINUX_SECURE_ALL_LOCKS 0xaaaU
#define LINUX_SECURE_ALL_UNPRIVILEGED 0xf00U
