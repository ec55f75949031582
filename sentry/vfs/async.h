/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal-driven I/O: which open files asked, by O_ASYNC, to hear when an object becomes ready
 * (Linux's fasync lists).  Whom the signal goes to is the file's owner, above the VFS
 * (sentry/kernel/file_owner.h).
 *
 * Lock: the list's (LOCK_RANK_ASYNC), held while the signals are sent.  So a report is made without
 * any lock of a task, a socket, a pipe or a terminal.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"

struct file;

/* Why: the si_code of the signal. */
enum async_reason {
	ASYNC_IN = 1, /* POLL_IN: something to read or to accept */
	ASYNC_OUT = 2, /* POLL_OUT: room to write */
	ASYNC_MSG = 3, /* POLL_MSG: a watched directory changed, a lease is broken */
	ASYNC_HUP = 6, /* POLL_HUP: the other side is gone */
};

/* Part of an object that can be waited for. */
struct async_list {
	struct mutex lock;	  /* LOCK_RANK_ASYNC */
	struct list_node entries; /* async_entry; protected by lock */
	_Atomic unsigned count;	  /* of them: changes under lock, read without */
	bool by_mode;		  /* readers hear of ASYNC_IN only, writers of ASYNC_OUT; does not change */
};

void async_list_init(struct async_list *list);
/* No file of the object is left. */
void async_list_destroy(struct async_list *list);

void async_report_slow(struct async_list *list, enum async_reason reason);

/* Signals every owner. */
static inline void async_report(struct async_list *list, enum async_reason reason)
{
	if (atomic_load_explicit(&list->count, memory_order_relaxed))
		async_report_slow(list, reason);
}

/*
 * O_ASYNC is switched, by descriptor @fd, which the signals will name: 0, -ENOMEM, or -ENOTTY when the
 * object knows no signals.  The file's flag is changed unless that fails.
 */
int file_set_async(struct file *file, int fd, bool on) MUST_CHECK;
/* The file is going away. */
void file_leave_async(struct file *file);
