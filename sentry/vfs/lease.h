/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases (F_SETLEASE): who has one on a file is told by a signal before another one opens it in
 * a way that conflicts, and that one waits until the lease is given up or its time is over.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sentry/vfs/file_lock.h"
#include "util/compiler.h"

struct credentials;
struct file;
struct inode;

/* fs.leases-enable, and fs.lease-break-time in seconds (0: no limit). */
extern _Atomic bool leases_enabled;
extern _Atomic uint32_t lease_break_seconds;

/* @file's lease becomes @type (LINUX_F_*LCK); its signals name @fd.  -EINVAL, -EACCES, -EAGAIN,
 * -ENOMEM. */
int lease_set(struct file *file, int fd, int type, const struct credentials *cred) MUST_CHECK;
/* What it has, or is to have when a break is over. */
int lease_get(struct file *file);
/*
 * Before @inode is opened, or cut short: tells and waits.  The opening is already counted.
 * -EAGAIN (@nonblock), -EINTR.  No lock is held.
 */
int lease_break(struct inode *inode, bool write, bool nonblock) MUST_CHECK;
/* The description is going away. */
void lease_forget(struct file *file);
void leases_evict(struct inode *inode);
/* As file_locks_list; @show runs under a lock of LOCK_RANK_ASYNC. */
void leases_list(lock_line_fn show, void *arg);
/* The one of @file, if it has one. */
void lease_of(const struct file *file, lock_line_fn show, void *arg);
