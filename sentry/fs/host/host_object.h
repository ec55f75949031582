/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object behind the inode of a handed-in host FD.  It lives and dies with
 * the inode; the host FD is closed with it, so that the caller's end of a pipe
 * sees end of file.
 */
#pragma once

#include <stddef.h>

#include "sentry/wait/host_poller.h"
#include "sentry/host/host_stream.h"
#include "sentry/wait/wait.h"
#include "util/lock.h"

struct host_object {
	int fd;			     /* owned; does not change */
	enum host_stream_kind kind;  /* does not change */
	bool append;		     /* host O_APPEND; does not change */
	bool owned;		     /* uid and gid are what the guest sees; do not change */
	uint32_t uid, gid;
	bool always_ready;	     /* regular file, /dev/null: cannot be waited for */
	struct wait_queue queue;
	struct host_poll_entry poll;
	struct mutex lock;	     /* LOCK_RANK_LEAF */
	/* Bytes read from a stream that the guest's memory refused; protected by lock. */
	char *leftover;
	size_t leftover_size;
};

/* host_io.c: file operations of the inode's files. */
extern const struct file_ops host_file_ops, host_ready_file_ops;
