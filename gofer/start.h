/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime hands to `moat gofer --start-fd N`.  FD N (a memfd, pipe or
 * socket) holds one struct gofer_start and then its struct gofer_start_mount
 * records, and nothing after them.  Every FD named in it is inherited across
 * the execve (not O_CLOEXEC); all others are closed before the first request.
 *
 * The runtime has, before: entered the user, mount, network, IPC (and, if it
 * likes, PID) namespaces; made the attach points' mounts with the options that
 * the container asked for (ro; always nosuid and nodev; never noexec, because the
 * guest's code is mapped from donated FDs and the sentry enforces noexec itself);
 * opened each root O_PATH; and pivoted into an empty directory, since everything is
 * reached by FD.  The gofer then drops its capabilities, sets no_new_privs and
 * loads its seccomp filter.
 *
 * The gofer is ready when it answers ATTACH; if it cannot start it exits with
 * status 1 after one line to @log_fd, and every socket gives EOF.  It exits
 * with 0 once all its sockets are closed by the peer: the runtime must keep no copy.
 */
#pragma once

#include <stdint.h>

#define GOFER_START_MAGIC 0x52464f47u /* "GOFR" */
#define GOFER_START_VERSION 1u
#define GOFER_START_MOUNTS_MAX 256u

#define GOFER_START_DEBUG 1u	/* honour DEBUG_ATTACK; log at debug level */
#define GOFER_START_LOG_JSON 2u /* else text */

struct gofer_start {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t mount_count; /* 1..GOFER_START_MOUNTS_MAX; the rootfs comes first */
	int32_t log_fd; /* -1: none */
	/*
	 * A procfs directory (O_PATH), or -1.  Only its self/fd is used and it is
	 * closed at once.  With -1 the gofer makes a private procfs by
	 * fsopen(2), which needs CAP_SYS_ADMIN at its start, else tries /proc.
	 */
	int32_t proc_fd;
};

#define GOFER_MOUNT_READ_ONLY 1u

struct gofer_start_mount {
	int32_t root_fd; /* O_PATH of the directory or single file */
	int32_t socket_fd; /* the gofer's end, SOCK_SEQPACKET */
	uint32_t flags;
	uint32_t reserved;
};

/*
 * The hidden subcommand; @argv[0] is "gofer".  Ends the process when it has served;
 * returns the exit status when it could not start.
 */
int gofer_main(int argc, char **argv);
