/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7): marks on inodes and the queues they report to.  The VFS calls the
 * inotify_* hooks; each returns at once while no mark exists anywhere.  A mark
 * holds the inode, and the dentry it was made by while that has its name, so that
 * the inode stays in the cache.  As in Linux an inode is deleted when the last user
 * of one of its dentries leaves and no link is left: until then its marks hear of it.
 *
 * Lock: one mutex (LOCK_RANK_FS_PRIVATE) guards all marks and queues; nothing but
 * wait queues is taken inside.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sentry/vfs/inode.h"
#include "util/compiler.h"

struct dentry;
struct file;
struct inode;

extern _Atomic uint32_t inotify_mark_count;

/* --- hooks ---------------------------------------------------------------------- */

void inotify_report(struct inode *inode, uint32_t mask, uint32_t cookie, const char *name);
/* To the inode itself and, with its name, to the directory it is in. */
void inotify_report_dentry(struct dentry *d, uint32_t mask);
uint32_t inotify_next_cookie(void);

static inline bool inotify_active(void)
{
	return atomic_load_explicit(&inotify_mark_count, memory_order_relaxed) != 0;
}

static inline void inotify_entry(struct inode *dir, uint32_t mask, const char *name)
{
	if (inotify_active())
		inotify_report(dir, mask, 0, name);
}

static inline void inotify_object(struct dentry *d, uint32_t mask)
{
	if (d && inotify_active())
		inotify_report_dentry(d, mask);
}

static inline bool inode_is_watched(struct inode *inode)
{
	return inotify_active() && atomic_load(&inode_anchor(inode)->watches);
}

/* The name of @d went (unlink, rmdir, rename over it); the caller has a reference, and puts it soon. */
void inotify_unlinked(struct dentry *d);
/* The last user of @d, whose inode is watched, is leaving: IN_DELETE_SELF when no link is left. */
void inotify_dentry_gone(struct dentry *d);
/* It got a name more or less: IN_ATTRIB, which a directory that holds it does not hear of. */
void inotify_link_count(struct inode *inode);

/* --- system calls ------------------------------------------------------------------ */

int inotify_file_new(uint32_t flags, struct file **out) MUST_CHECK;
bool inotify_is_file(const struct file *file);
/* The watch descriptor, or -ENOSPC, -ENOMEM, -EEXIST. */
int inotify_add(struct file *file, struct dentry *dentry, uint32_t mask) MUST_CHECK;
int inotify_remove(struct file *file, int32_t wd) MUST_CHECK;
