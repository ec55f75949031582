/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DEBUG_ATTACK: does, from inside the confined gofer, what an attacker who had
 * taken it over would try.  In --enable-debug builds only, and there only when the gofer was
 * started with GOFER_START_DEBUG.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gofer/call.h"

static long attack(struct gofer_call *call, uint32_t kind)
{
	char *argv[] = { (char[]){ "sh" }, NULL };
	int root = call_node_fd(call, call->connection->root_node);

	switch (kind) {
	case GOFER_ATTACK_OPEN_HOST:
		return openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);
	case GOFER_ATTACK_SOCKET:
		return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case GOFER_ATTACK_PTRACE:
		return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
	case GOFER_ATTACK_EXECVE:
		return execve("/bin/sh", argv, argv + 1);
	case GOFER_ATTACK_CLONE:
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	case GOFER_ATTACK_MOUNT:
		return mount("none", "/", "tmpfs", 0, NULL);
	case GOFER_ATTACK_MPROTECT_EXEC:
		return mprotect(call->scratch, 4096, PROT_READ | PROT_EXEC);
	default:
		return mknodat(root, "gofer-attack", S_IFCHR | 0600, makedev(1, 3));
	}
}

int gofer_serve_debug_attack(struct gofer_call *call)
{
	const struct gofer_debug_attack_request *request = call->request;
	struct gofer_debug_attack_reply *reply = call->reply;
	long result;

	if (call_end(call) || !request->attack || request->attack >= GOFER_ATTACK_END ||
	    request->reserved)
		return GOFER_VIOLATION;
	result = attack(call, request->attack);
	reply->result = result < 0 ? -errno : (int32_t)result;
	return 0;
}
