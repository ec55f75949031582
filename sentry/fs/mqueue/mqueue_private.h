/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of sentry/fs/mqueue.
 *
 * Locks: the root directory's (names) > mqueue_fs.lock > the IPC namespace's.  A queue's lock
 * is of the same rank as the file system's and never held with it.
 */
#pragma once

#include "sentry/abi/mqueue.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/vfs/vfs.h"
#include "util/list.h"

#define MQUEUE_MAGIC 0x19800202
#define MQUEUE_DIRENT_SIZE 20L
#define MQUEUE_FILE_SIZE 80

struct socket;
struct thread_group;

struct mqueue_fs {
	struct mutex lock;	  /* LOCK_RANK_FS_PRIVATE */
	struct ipc_namespace *ns; /* borrowed; NULL once it has ended; lock */
	struct list_node entries; /* struct mqueue_entry, oldest first; changed under the root
				     directory's lock and this one, read under either */
	uint64_t next_cookie;	  /* the root directory's lock */
};

struct mqueue_entry {
	struct list_node node;
	struct inode *inode; /* reference */
	uint64_t cookie;
	char name[];
};

struct mq_message {
	uint64_t order; /* of arrival, in its queue */
	uint64_t size;
	uint32_t priority;
	char data[];
};

/* Who waits to be told of a message; see mqueue_notify.c.  Protected by the queue's lock. */
struct mq_notification {
	struct thread_group *owner; /* reference; NULL: nobody */
	uint32_t exec_count;	    /* the owner's, then */
	struct user_namespace *user_ns; /* reference: the owner's */
	int32_t notify, signo;
	uint64_t value;
	struct socket *socket; /* reference: SIGEV_THREAD */
	uint8_t cookie[LINUX_MQ_COOKIE_SIZE];
};

struct message_queue_posix {
	struct mutex lock;	/* LOCK_RANK_FS_PRIVATE: everything below but what does not change */
	int64_t max_messages;	/* does not change */
	uint64_t max_size;	/* does not change */
	struct mq_message **heap; /* by priority, then order: the next at [0] */
	uint32_t count, capacity;
	uint64_t bytes, next_order;
	struct list_node senders, receivers; /* struct mq_waiter, the next to be served first */
	struct mq_notification notification;
	struct wait_queue poll_queue;
	uint32_t charged_uid;	/* RLIMIT_MSGQUEUE; does not change */
	uint64_t charged_bytes; /* does not change */
};

static inline struct message_queue_posix *mqueue_of(const struct inode *inode)
{
	return inode->private_data;
}

/* A queue with @attr's or the default limits, counted in @fs's namespace and for the current user.
 * -EACCES, -ENOSPC, -EINVAL, -EOVERFLOW, -EMFILE, -ENOMEM. */
int mqueue_queue_new(struct mqueue_fs *fs, const struct linux_mq_attr *attr,
		     struct message_queue_posix **out) MUST_CHECK;
void mqueue_queue_free(struct mqueue_fs *fs, struct message_queue_posix *q);

/* With the queue's lock: a message came to the empty queue.  What is to be done once the lock is
 * dropped is moved to *out. */
void mqueue_notify_take_locked(struct message_queue_posix *q, struct mq_notification *out);
/* Tells and drops what was taken; a no-op when it was nothing. */
void mqueue_notify_send(struct task *sender, struct mq_notification *n);
/* @g asks no more: as when one of its descriptors is closed. */
void mqueue_notify_remove(struct message_queue_posix *q, struct thread_group *g);
void mqueue_notification_drop(struct mq_notification *n);

extern const struct file_ops mqueue_file_ops;
/* A message was sent or received: Linux sets all three times. */
void mqueue_touch(struct inode *inode);
