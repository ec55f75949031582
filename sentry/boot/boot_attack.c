/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry attacks its own confinement, on request of a test, in debug builds:
 * each attempt must be refused by the host or end the process.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum attack {
	ATTACK_OPEN_HOST_PATH,
	ATTACK_OPEN_FOR_WRITING,
	ATTACK_SOCKET,
	ATTACK_PTRACE,
	ATTACK_EXECVE,
	ATTACK_FORK,
	ATTACK_NEW_NAMESPACE,
	ATTACK_MOUNT,
	/* with --network=host, which has sockets */
	ATTACK_UNIX_SOCKET,
	ATTACK_PACKET_SOCKET,
	ATTACK_RAW_SOCKET,
	ATTACK_NETLINK_SOCKET,
	ATTACK_SOCKET_OPTION,
	ATTACK_COUNT,
};

int64_t boot_attack_self(uint32_t what)
{
	long rc;

	switch ((enum attack)what) {
	case ATTACK_OPEN_HOST_PATH:
		rc = syscall(SYS_open, "/etc/passwd", O_RDONLY);
		break;
	case ATTACK_OPEN_FOR_WRITING:
		rc = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY);
		break;
	case ATTACK_SOCKET:
		/* exactly one that --network=host lets pass */
		rc = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
		break;
	case ATTACK_PTRACE:
		rc = syscall(SYS_ptrace, PTRACE_ATTACH, 2, 0, 0);
		break;
	case ATTACK_EXECVE:
		rc = syscall(SYS_execve, "/proc/self/exe", NULL, NULL);
		break;
	case ATTACK_FORK:
		rc = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		break;
	case ATTACK_NEW_NAMESPACE:
		rc = syscall(SYS_unshare, CLONE_NEWUSER);
		break;
	case ATTACK_MOUNT:
		rc = syscall(SYS_mount, "none", "/proc", "tmpfs", 0, NULL);
		break;
	case ATTACK_UNIX_SOCKET:
		rc = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		break;
	case ATTACK_PACKET_SOCKET:
		rc = syscall(SYS_socket, AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		break;
	case ATTACK_RAW_SOCKET:
		rc = syscall(SYS_socket, AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
		break;
	case ATTACK_NETLINK_SOCKET:
		rc = syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		break;
	case ATTACK_SOCKET_OPTION:
		rc = syscall(SYS_setsockopt, -1, SOL_TCP, TCP_ULP, "tls", 4);
		break;
	default:
		return -EINVAL;
	}
	return rc < 0 ? -errno : rc;
}
