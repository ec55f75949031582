/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and FIFOs.
 *
 * A pipe is a queue of slots; a slot is a range of a reference-counted page.
 * Readers take references on the pages under the lock and copy to the guest
 * outside it; writers copy from the guest to private memory first.  So the lock
 * is held only to link and unlink slots, or to merge a small write into the last
 * page.  A reader that faults puts back what it could not deliver, which is why
 * the queue may for a moment hold more slots than its capacity.
 *
 * Lock order: pipe->lock (LOCK_RANK_PIPE), then the wait queue's.  Two pipes
 * (tee) are never locked together.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

#define PIPE_DEFAULT_SLOTS 16
#define PIPE_MAX_SIZE (1U << 20) /* fs.pipe-max-size */
#define PIPE_BUF_ATOMIC 4096

struct credentials;
struct file;
struct inode;
struct io_iter;
struct pipe;
struct user_namespace;
struct wait_queue;

/* Makes the internal file system and registers FIFO opening (vfs/fifo.h).  Boot, once. */
int pipe_init(struct user_namespace *user_ns) MUST_CHECK;

/* pipe2: the read and the write end.  @flags: LINUX_O_NONBLOCK | O_DIRECT | O_CLOEXEC
 * (the last is the FD's and is ignored here). */
int pipe_files_new(uint32_t flags, struct file **read_end, struct file **write_end) MUST_CHECK;

/* The pipe behind a file, borrowed from it; NULL when it is not a pipe or FIFO. */
struct pipe *pipe_from_file(struct file *file);

uint32_t pipe_size(struct pipe *pipe); /* F_GETPIPE_SZ */
/* F_SETPIPE_SZ: the size now in force; -EBUSY, -EPERM (beyond the maximum without
 * CAP_SYS_RESOURCE), -EINVAL, -ENOMEM. */
int64_t pipe_set_size(struct pipe *pipe, uint64_t size, bool may_exceed) MUST_CHECK;
uint64_t pipe_bytes(struct pipe *pipe);

/* --- for splice: non-blocking, sentry memory ------------------------------------ */

/* Takes up to @size bytes: count, 0 at the end (no writers), -EAGAIN. */
ssize_t pipe_read_to_buffer(struct pipe *pipe, void *buffer, size_t size) MUST_CHECK;
/* Gives back to the front what a consumer could not use. */
int pipe_unread(struct pipe *pipe, const void *buffer, size_t size) MUST_CHECK;
/* Appends up to @size bytes: count, -EAGAIN when full, -EPIPE without readers. */
ssize_t pipe_write_from_buffer(struct pipe *pipe, const void *buffer, size_t size) MUST_CHECK;
/* Free space in bytes, counted in whole slots. */
uint64_t pipe_free_bytes(struct pipe *pipe);
/* tee(2): shares up to @size bytes of @in with @out: count, 0 at the end, -EAGAIN
 * (which side in *wait_in), -EPIPE, -EINVAL when both are one pipe. */
ssize_t pipe_tee(struct pipe *in, struct pipe *out, size_t size, bool *wait_in) MUST_CHECK;
struct wait_queue *pipe_wait_queue(struct pipe *pipe);
bool pipe_has_readers(struct pipe *pipe);
