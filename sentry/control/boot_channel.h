/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot channel: a SOCK_SEQPACKET pair between the command line and the sentry it
 * starts.  The sentry finds its end at BOOT_CHANNEL_FD and takes everything else from it.
 *
 *   CLI -> sentry   one or more boot_fds messages, each with a role per FD; the last has
 *                   `last` set
 *   sentry -> CLI   one boot_status: ready (init is loaded, START will be honoured), or why not
 *
 * The channel is closed by both after that.
 *
 * One more container of a sandbox comes by a channel of the same kind, whose other end is the FD of
 * a CREATE request: all its messages are there before the request is, and the answer is the request's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/control/protocol.h"
#include "util/compiler.h"

#define BOOT_CHANNEL_FD 3
#define BOOT_FDS_PER_MESSAGE 128
#define BOOT_MAX_ATTACH 1024
#define BOOT_MAX_EXTRA 1024

/* Whose files: those of a sandbox with its root container, or of one more container. */
enum boot_kind { BOOT_SANDBOX = 1, BOOT_CONTAINER = 2 };

/* X(NAME, name, required, allowed) of which there is one at most: the kinds that must and may have it */
#define BOOT_SINGLE_FDS(X)                                                  \
	X(CONFIG, config, BOOT_SANDBOX | BOOT_CONTAINER, BOOT_SANDBOX | BOOT_CONTAINER)       \
	X(CONTROL, control, BOOT_SANDBOX, BOOT_SANDBOX)                                       \
	X(STDIN, stdin_fd, BOOT_SANDBOX | BOOT_CONTAINER, BOOT_SANDBOX | BOOT_CONTAINER)      \
	X(STDOUT, stdout_fd, BOOT_SANDBOX | BOOT_CONTAINER, BOOT_SANDBOX | BOOT_CONTAINER)    \
	X(STDERR, stderr_fd, BOOT_SANDBOX | BOOT_CONTAINER, BOOT_SANDBOX | BOOT_CONTAINER)    \
	X(LOG, log, 0, BOOT_SANDBOX)                                                          \
	X(DEBUG_LOG, debug_log, 0, BOOT_SANDBOX)

enum boot_role {
	BOOT_ROLE_NONE,
#define X(NAME, name, required, allowed) BOOT_ROLE_##NAME,
	BOOT_SINGLE_FDS(X)
#undef X
	BOOT_ROLE_ATTACH, /* in the order of the attach points */
	BOOT_ROLE_EXTRA,  /* in the order of the guest's FDs, from 3 */
	BOOT_ROLE_COUNT,
};

struct boot_fds {
	uint32_t magic;
	uint32_t version;
	uint32_t count;
	uint32_t last;
	uint8_t roles[BOOT_FDS_PER_MESSAGE];
};

struct boot_status {
	uint32_t magic;
	int32_t status; /* 0: ready; else a negative errno */
	char message[CONTROL_MESSAGE_SIZE];
};

/* FDs of the sentry, all O_CLOEXEC; -1 where not given.  Whoever keeps one sets it to -1 here. */
struct boot_files {
	int config;    /* the encoded boot_config */
	int control;   /* listening control socket */
	int stdin_fd;  /* of the container's init */
	int stdout_fd;
	int stderr_fd;
	int log;       /* --log: errors as one line each */
	int debug_log; /* --debug-log */
	int *attach;   /* gofer connections by attach index */
	uint32_t attach_count;
	int *extra; /* --preserve-fds */
	uint32_t extra_count;
};

/* No file in it. */
void boot_files_init(struct boot_files *files);
/* Reads all boot_fds messages.  -EPROTO on anything unexpected; then nothing is left open. */
int boot_channel_receive(int channel, enum boot_kind kind, struct boot_files *out) MUST_CHECK;
/* Closes what is still owned. */
void boot_files_close(struct boot_files *files);

/* Answers; @status 0 is "ready".  The text is shown to the user after "moat create ID: ". */
int boot_channel_answer(int channel, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
