/* SPDX-License-Identifier: Apache-2.0 */
/* execve(2): the image, the credentials, and the change of a task into it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/program.h"
#include "sentry/vfs/vfs.h"

struct credentials;
struct task;

/*
 * Opens @p for execution: regular, executable, not on a noexec mount.  The file can be
 * read even where the caller may only execute it.  -EACCES, -ETXTBSY, ...
 */
int exec_open_path(const struct vfs_context *ctx, const struct path *p, struct file **out) MUST_CHECK;
/* The same by name; @flags: LOOKUP_*. */
int exec_open(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
	      struct file **out) MUST_CHECK;

/*
 * The credentials after executing @file with @old: set-id bits, file capabilities,
 * ambient set, securebits.  *secure: AT_SECURE.  @watched: by a tracer that may not see
 * more than the caller could do before.
 */
int exec_credentials(const struct credentials *old, struct file *file, bool watched,
		     struct credentials **out, bool *secure) MUST_CHECK;
/* What the auxiliary vector shows of @cred. */
/* Whether addresses of the program to be loaded into @t's mm are random, as its personality wants it. */
void task_choose_layout(struct task *t);
struct program_identity exec_identity(const struct credentials *cred, bool secure);

/* What refuses @t an exec, whatever the program: -EAGAIN. */
int task_exec_check(struct task *t) MUST_CHECK;
/*
 * Executes @file (borrowed), called @name by the guest.  @argv, @envv: emptied on
 * success.  -SYSCALL_NO_RETURN when the registers are the new program's; an errno
 * when nothing has changed; after the point of no return the task is killed.
 */
int64_t task_exec(struct task *t, struct file *file, const char *name, struct string_vector *argv,
		  struct string_vector *envv);
