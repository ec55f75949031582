/* SPDX-License-Identifier: Apache-2.0 */
/* Between inotify.c and dnotify.c, whose marks hang in the same lists. */
#pragma once

#include "sentry/vfs/inotify.h"
#include "util/list.h"
#include "util/lock.h"

struct inode;

/* A rename within one directory: an event of dnotify only. */
#define INOTIFY_RENAME 0x1000U

struct inotify_mark {
	struct inotify *instance; /* NULL: the mark of a struct dnotify */
	struct list_node in_instance;
	struct inotify_mark *next; /* on the same inode */
	struct inode *inode;	   /* reference */
	struct dentry *dentry;	   /* reference, or NULL: the name is gone; inotify_mutex */
	int32_t wd;
	uint32_t mask;
};

extern struct mutex inotify_mutex;

void inotify_mark_link_locked(struct inotify_mark *m);
/* Off its inode and instance; the caller frees it. */
void inotify_mark_unlink_locked(struct inotify_mark *m);
/* Puts inode and dentry.  A chain linked by next. */
void inotify_marks_free(struct inotify_mark *m);

/* An event @m wants to hear of; true: once only, and @m has left its file. */
bool dnotify_event_locked(struct inotify_mark *m) MUST_CHECK;
