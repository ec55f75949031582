/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp(2) inside the sandbox: filters of tasks and what their verdicts do.
 *
 * A filter does not change once made; filters form a tree by `prev`, and a task has the
 * end of a path in it.  t->seccomp_mode and t->seccomp_filter change under the group's
 * handlers->lock; the task itself reads them without it: what replaces a filter is always
 * a descendant that keeps it alive.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/seccomp.h"
#include "util/compiler.h"

struct file;
struct seccomp_filter;
struct task;

/* As struct task.seccomp_mode after a fatal verdict. */
#define SECCOMP_MODE_DEAD 3

/* --- filters ----------------------------------------------------------------------- */

/*
 * Checks @insns (malloc'ed, @count of them; taken over, on failure too).
 * -EINVAL, -ENOMEM.  The rights to install one are the caller's to check.
 */
int seccomp_filter_new(struct linux_sock_filter *insns, uint32_t count,
		       struct seccomp_filter **out) MUST_CHECK;
/* Drops one that was not attached, or whose attaching failed. */
void seccomp_filter_free(struct seccomp_filter *f);
/* A listener for @f, which is not attached yet.  The file keeps @f. */
int seccomp_listener_new(struct seccomp_filter *f, struct file **out) MUST_CHECK;

/*
 * For the current task: @f becomes its newest filter, with LINUX_SECCOMP_FILTER_FLAG_TSYNC
 * everyone's in its group.  0; -EINVAL (strict mode), -EBUSY (a second listener), -ENOMEM
 * (too long a path), -ESRCH, or the tid of a thread that cannot be synchronised.  Takes @f
 * over unless it fails.
 */
int seccomp_attach(struct task *t, struct seccomp_filter *f, uint32_t flags) MUST_CHECK;
/* -EINVAL when filters are there. */
int seccomp_set_strict(struct task *t) MUST_CHECK;

/* The child of a clone gets its parent's; the parent's handlers->lock is held, nobody sees @child. */
void seccomp_inherit_locked(struct task *child, struct task *parent);
/* At exit. */
void seccomp_task_exit(struct task *t);
/* PR_GET_SECCOMP and /proc. */
int seccomp_mode(struct task *t);
uint32_t seccomp_filter_count(struct task *t);
/*
 * no_new_privs that another thread's TSYNC gave: for the task itself to take into its
 * credentials, before each call and in exec.  -ENOMEM.
 */
int seccomp_take_no_new_privs(struct task *t) MUST_CHECK;

/* --- verdicts ------------------------------------------------------------------------ */

enum seccomp_verdict {
	SECCOMP_GO,	 /* the call is made */
	SECCOMP_SKIP,	 /* it is not; *result is what the guest gets, whatever number it is */
	SECCOMP_WAITED,	 /* it is not; *result may be a restart code */
};
/*
 * Before a system call of the current task, which has a mode.  @rip is behind the
 * instruction.  May sleep for a listener.
 */
enum seccomp_verdict seccomp_check_call(struct task *t, int32_t nr, const uint64_t args[6],
					uint64_t rip, int64_t *result) MUST_CHECK;
