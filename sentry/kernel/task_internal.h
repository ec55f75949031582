/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of sentry/kernel that carry tasks from birth to death. */
#pragma once

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/process_group.h"
#include "sentry/kernel/task.h"

/* The parent of a vfork child sleeps on it. */
struct vfork_completion {
	struct refcount refs;
	_Atomic bool done;
	struct wait_queue wait;
};
struct vfork_completion *vfork_completion_new(void) MUST_CHECK;
void vfork_completion_put(struct vfork_completion *v);
/* Lets the parent of @t go on, if it waits. */
void task_release_vfork_parent(struct task *t);
/*
 * The end of a task's use of @mm, with its reference; by a task that runs no guest code of it any more.
 * @usage: NULL, or the task's context was alone, and this is what its host process used.
 */
void task_mm_leave(struct mm *mm, struct host_usage *usage);

/* To what @t used in host threads it has no more.  t->lock held. */
void task_usage_add(struct task *t, const struct host_usage *more);

/* Objects with nothing published; fields at defaults. Lists empty, refs 1. */
int thread_group_alloc(struct kernel *k, struct signal_handlers *handlers,
		       struct thread_group **out) MUST_CHECK;
/* Takes a reference on @g. */
int task_alloc(struct kernel *k, struct thread_group *g, struct task **out) MUST_CHECK;

/* Borrowed, tasklist held; only tasks not yet released. */
struct task *task_find_locked(struct pid_namespace *ns, int32_t tid);
struct thread_group *thread_group_find_locked(struct pid_namespace *ns, int32_t tgid);

/* Counts @t against the namespaces and the pids limit; the first half of publishing. */
void task_attach_pid_locked(struct task *t, struct pid *pid);
void task_detach_pid_locked(struct task *t);
void task_enter_current(struct task *t);
/* Whether the calling task's system call may end with -SYSCALL_SHELVED. */
bool task_can_shelve(struct task *t);
void task_init_shelf(struct task *t);

struct platform_event;
/* Page faults. True: the access of @event can be tried again. */
bool task_fault(struct task *t, struct context *ctx, const struct platform_event *event) MUST_CHECK;
/* It is killed, or its group is: for whoever does not hold the signal lock. */
bool task_is_dying(struct task *t);
/* In a call of the current task @t: its thread can be given orders from now on, see platform_fetch_registers(). */
int task_fetch_registers(struct task *t) MUST_CHECK;
/* System calls may fault, too. */
void task_fault_init(void);

/* Ends the current task: in handle(), on its own pool thread. Consumes t->context. */
void task_exit(struct task *t);
/*
 * Removes a dead group (or a dead thread) for good.  tasklist held; returns
 * references that the caller puts after dropping it.
 */
void thread_group_release_locked(struct thread_group *g);
void thread_group_release_finish(struct thread_group *g);

/* Starts the death of @g if it has not begun; its handlers->lock is held. */
void thread_group_exit_locked(struct thread_group *g, int wait_status);
void thread_group_exit(struct thread_group *g, int wait_status);
/* The same by a signal, which @t took: it would write the core dump. */
void thread_group_die_locked(struct task *t, int signo);
void thread_group_die(struct task *t, int signo);
/* The dying @in_guest was kicked: its host process is killed if it does not come back. */
void thread_group_expect_locked(struct thread_group *g, struct task *in_guest);
/* Adds @status of child to the parent: SIGCHLD and wake; tasklist held. */
void notify_parent_stopped(struct thread_group *g, int code);

struct namespaces *namespaces_get(struct namespaces *ns);
int namespaces_copy(struct namespaces *from, struct namespaces **out) MUST_CHECK;
/* Makes a set with new ones for the CLONE_NEW* flags, which belong to @cred's user namespace
 * and count for @t's user.  @fs is re-rooted in a new mount namespace. */
int namespaces_unshare(struct task *t, uint64_t flags, const struct credentials *cred,
		       struct fs_context *fs, struct namespaces **out) MUST_CHECK;
/* The set, not yet installed, moves to the time namespace meant for children. */
void namespaces_enter_time(struct namespaces *ns);
/* Makes the calling task's vDSO agree with @ns, which is or will be its time namespace. */
int task_adopt_time(struct task *t, const struct time_namespace *ns) MUST_CHECK;
/* Whether the calling task's root is another than its mount namespace's. */
bool task_chrooted(struct task *t);
/* Gives up what the calling task has in its IPC namespace. */
void namespaces_leave_ipc(struct task *t);
