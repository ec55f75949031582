/* SPDX-License-Identifier: Apache-2.0 */
/* Files that stand for a thread group. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;
struct task;
struct thread_group;

/* @flags: LINUX_PIDFD_*.  Holds @t (the leader, or a thread with PIDFD_THREAD). */
int pidfd_new_file(struct task *t, uint32_t flags, struct file **out) MUST_CHECK;
/* The task of a pidfd, borrowed from the file; NULL when it is not one. */
struct task *pidfd_task(struct file *file);
/*
 * The task that @fd of @t stands for: of a pidfd, or LINUX_PIDFD_SELF_*; a reference.
 * -EBADF; -ESRCH when it has been reaped.
 */
int pidfd_get_task(struct task *t, int fd, struct task **out) MUST_CHECK;
/* Whether it was made with LINUX_PIDFD_THREAD. */
bool pidfd_is_thread(struct file *file);
