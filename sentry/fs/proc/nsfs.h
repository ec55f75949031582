/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that stand for namespaces: /proc/PID/ns/NAME, opened for setns(2) and
 * ioctl_ns(2), and compared by inode number.
 */
#pragma once

#include <stdint.h>

#include "sentry/kernel/namespaces.h"
#include "util/compiler.h"

struct file;
struct path;
struct task;

enum nsfs_type { NSFS_CGROUP, NSFS_IPC, NSFS_MNT, NSFS_NET, NSFS_PID, NSFS_PID_FOR_CHILDREN,
		 NSFS_TIME, NSFS_TIME_FOR_CHILDREN, NSFS_USER, NSFS_UTS, NSFS_TYPE_COUNT };

/* The namespace behind @file, borrowed from it.  -EINVAL: not such a file. */
int nsfs_from_file(struct file *file, struct namespace_ref *out) MUST_CHECK;
/* References in *out.  -ENOENT: exited, or no such namespace. */
int nsfs_path(struct task *t, enum nsfs_type type, struct path *out) MUST_CHECK;
/* An FD of the calling task @t for @ref, which is taken over. */
int64_t nsfs_open_namespace(struct task *t, struct namespace_ref ref) MUST_CHECK;
