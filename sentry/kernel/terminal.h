/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job control half of a terminal: whose controlling terminal it is, its foreground process
 * group, and the signals that follow from both.  Data, modes and files are sentry/fs/tty's, which
 * embeds a struct terminal in each of its terminals.
 *
 * As on Linux a process has its own pointer to its controlling terminal: children inherit it,
 * setsid drops it, and TIOCSCTTY gives it to the session's leader only.
 *
 * Everything is guarded by tasklist, which the functions take unless they end in _locked.  No
 * lock of a terminal's data may be held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/refcount.h"

struct kernel;
struct pid;
struct pid_namespace;
struct task;
struct terminal;
struct thread_group;

struct terminal {
	struct refcount refs;
	/* The last reference went.  May be called with tasklist held: frees, and takes no lock
	 * that ranks below it. */
	void (*release)(struct terminal *terminal);
	uint64_t device;	/* as stat's st_rdev; does not change */
	struct pid *session;	/* reference or NULL; tasklist */
	struct pid *foreground; /* reference or NULL: a process group's name; tasklist */
};

void terminal_init(struct terminal *terminal, void (*release)(struct terminal *), uint64_t device);
struct terminal *terminal_get(struct terminal *terminal);
void terminal_put(struct terminal *terminal); /* NULL is a no-op */

/* The task's controlling terminal: a reference, or NULL. */
struct terminal *terminal_of(struct task *t) MUST_CHECK;
/* For /proc/PID/stat: 0 and -1 without a terminal. */
void terminal_describe(struct task *t, const struct pid_namespace *ns, uint64_t *device,
		       int32_t *foreground);

/*
 * May the current task change or (@signo SIGTTIN) read its terminal?  0; -EIO when its group is in
 * the background and cannot be stopped; else @signo was sent to the group: -ERESTARTSYS.
 */
int terminal_check_change(struct task *t, struct terminal *terminal, int signo) MUST_CHECK;
/* From the kernel to the foreground process group, if there is one. */
void terminal_signal(struct kernel *k, struct terminal *terminal, int signo);

/* A terminal was opened without O_NOCTTY: a leader without terminal gets it. */
void terminal_opened(struct task *t, struct terminal *terminal, bool readable);
/* TIOCSCTTY. */
int terminal_set_controlling(struct task *t, struct terminal *terminal, bool steal, bool readable);
/* TIOCNOTTY. */
int terminal_give_up(struct task *t, struct terminal *terminal);
/* TIOCGPGRP and TIOCGSID; @any: also when it is not the caller's. */
int terminal_get_foreground(struct task *t, struct terminal *terminal, bool any, int32_t *out);
int terminal_get_session(struct task *t, struct terminal *terminal, bool any, int32_t *out);
/* TIOCSPGRP's second half; terminal_check_change came first. */
int terminal_set_foreground(struct task *t, struct terminal *terminal, int32_t pgid);

/* A process made from outside, not yet running, and leader of its session. */
void terminal_adopt(struct thread_group *g, struct terminal *terminal);
/* The terminal was hung up: its session's leader hears SIGHUP and SIGCONT, and nobody has it any more. */
void terminal_hangup(struct kernel *k, struct terminal *terminal);
/* Both ends are closed: nobody has it any more. */
void terminal_closed(struct kernel *k, struct terminal *terminal);

/* For the rest of sentry/kernel. */
void terminal_inherit_locked(struct thread_group *child, const struct thread_group *parent);
/* setsid: the group has no terminal any more. */
void terminal_forget_locked(struct thread_group *g);
/* The last thread of @g leaves: if it leads a session, that loses its terminal. */
void terminal_leader_exits(struct thread_group *g);
/* Drops what @g still refers to; it is about to be freed. */
void terminal_group_freed(struct thread_group *g);
