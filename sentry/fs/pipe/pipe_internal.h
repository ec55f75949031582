/* SPDX-License-Identifier: Apache-2.0 */
/* The structures behind sentry/fs/pipe/pipe.h, shared by the files of this folder. */
#pragma once

#include "sentry/fs/pipe/pipe.h"
#include "sentry/vfs/async.h"
#include "sentry/wait/wait.h"
#include "util/lock.h"
#include "util/refcount.h"

#define PIPE_PAGE_SIZE 4096U

/* Bytes below a slot's end never change, so they are read without a lock. */
struct pipe_page {
	struct refcount refs;
	char data[PIPE_PAGE_SIZE];
};

struct pipe_slot {
	struct pipe_page *page; /* reference */
	uint32_t offset, size;
	bool packet;	/* O_DIRECT: one read takes it whole */
	bool can_merge; /* later small writes may be appended to the page */
};

struct pipe {
	struct mutex lock;	 /* LOCK_RANK_PIPE */
	struct pipe_slot *ring;	 /* allocated by the first write; protected by lock */
	uint32_t ring_size;	 /* power of two; protected by lock */
	uint32_t first, count;	 /* slots in use; protected by lock */
	uint32_t capacity;	 /* in slots, what writers respect; protected by lock */
	uint64_t bytes;		 /* protected by lock */
	uint32_t readers, writers; /* open ends; protected by lock */
	uint64_t reader_opens, writer_opens; /* counters for FIFO opens; protected by lock */
	bool polled;		 /* every write notifies, for edge-triggered epoll; under lock */
	_Atomic uint32_t in_flight; /* slots taken by readers that may come back */
	uint32_t files;		 /* protected by the inode's lock */
	struct wait_queue queue;
	struct async_list async;
};

/* What hangs on file->private_data. */
struct pipe_end {
	struct pipe *pipe;	 /* kept by pipe->files */
	uint64_t writer_opens_seen; /* O_NONBLOCK FIFO readers: no POLLHUP until a writer came */
};

/* pipe_ring.c */
struct pipe *pipe_new(void) MUST_CHECK; /* NULL: no memory */
void pipe_free(struct pipe *p);
struct pipe_page *pipe_page_new(void) MUST_CHECK;
void pipe_page_put(struct pipe_page *page);
bool pipe_full_locked(const struct pipe *p) REQUIRES(p->lock);
/* Room in the ring for @count more slots and those in flight. */
int pipe_reserve_locked(struct pipe *p, uint32_t count) MUST_CHECK REQUIRES(p->lock);
/* Takes the slot's page reference; space was reserved. */
void pipe_push_locked(struct pipe *p, const struct pipe_slot *slot) REQUIRES(p->lock);
void pipe_push_front_locked(struct pipe *p, const struct pipe_slot *slot) REQUIRES(p->lock);
struct pipe_slot *pipe_slot_locked(struct pipe *p, uint32_t index) REQUIRES(p->lock);
void pipe_pop_locked(struct pipe *p) REQUIRES(p->lock); /* does not put the page */
/* Can @size bytes be appended to the last page? */
bool pipe_can_merge_locked(struct pipe *p, uint32_t size) REQUIRES(p->lock);
void pipe_merge_locked(struct pipe *p, const void *data, uint32_t size) REQUIRES(p->lock);

/* pipe_io.c */
ssize_t pipe_read(struct pipe *p, struct io_iter *to) MUST_CHECK;
ssize_t pipe_write(struct pipe *p, struct io_iter *from, bool packet) MUST_CHECK;

/* pipe_file.c */
extern const struct file_ops pipe_file_ops;
