/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that stand for a thread group: of pidfs, a file system of their own.  All of one process have one
 * inode number, which no other process ever has.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;
struct mm;
struct super_block;
struct task;
struct thread_group;
struct user_namespace;

/* At boot, once. */
int pidfs_init(struct user_namespace *owner) MUST_CHECK;
/* Borrowed. */
struct super_block *pidfs_super_block(void);
/* @flags: LINUX_PIDFD_*.  Holds @t (the leader, or a thread with PIDFD_THREAD), which has or gets
 * the pid with @ino. */
int pidfd_new_file(struct task *t, uint64_t ino, uint32_t flags, struct file **out) MUST_CHECK;
/* For @g; -ESRCH when it has been reaped. */
int pidfd_new_of_group(struct thread_group *g, struct file **out) MUST_CHECK;
/* The group of a pidfd, reaped or not, borrowed from the file; NULL when it is not one. */
struct thread_group *pidfd_group(struct file *file);
/* The task that a pidfd stands for now; a reference.  -EBADF: not one; -ESRCH: reaped. */
int pidfd_task(struct file *file, struct task **out) MUST_CHECK;
/* What wait4 says of a reaped one, -1 before. */
int pidfd_exit_status(struct file *file);
/* file_ops.ioctl (pidfd_ioctl.c). */
int64_t pidfd_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg) MUST_CHECK;
/*
 * The task that @fd of @t stands for: of a pidfd, or LINUX_PIDFD_SELF_*; a reference.
 * -EBADF; -ESRCH when it has been reaped.
 */
int pidfd_get_task(struct task *t, int fd, struct task **out) MUST_CHECK;
/* Whether it was made with LINUX_PIDFD_THREAD. */
bool pidfd_is_thread(struct file *file);
