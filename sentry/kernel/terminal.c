/* SPDX-License-Identifier: Apache-2.0 */
/* See terminal.h.  Lock order: tasklist, then a group's signal lock. */
#include "sentry/kernel/terminal.h"

#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/signal.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/process_group.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "util/cleanup.h"

/* --- references ------------------------------------------------------------------- */

void terminal_init(struct terminal *terminal, void (*release)(struct terminal *), uint64_t device)
{
	refcount_init(&terminal->refs);
	terminal->release = release;
	terminal->device = device;
	terminal->session = terminal->foreground = NULL;
}

struct terminal *terminal_get(struct terminal *terminal)
{
	refcount_get(&terminal->refs);
	return terminal;
}

void terminal_put(struct terminal *terminal)
{
	if (!terminal || !refcount_put(&terminal->refs))
		return;
	pid_put(terminal->session);
	pid_put(terminal->foreground);
	terminal->release(terminal);
}

static void replace_pid(struct pid **at, struct pid *pid)
{
	struct pid *old = *at;

	*at = pid ? pid_get(pid) : NULL;
	pid_put(old);
}

static void replace_terminal(struct thread_group *g, struct terminal *terminal)
{
	struct terminal *old = g->terminal;

	g->terminal = terminal ? terminal_get(terminal) : NULL;
	terminal_put(old);
}

static struct session *session_of(const struct thread_group *g)
{
	return g->process_group ? g->process_group->session : NULL;
}

static bool leads_session(const struct thread_group *g)
{
	struct session *s = session_of(g);

	return s && s->leader == g;
}

static void signal_pid_locked(struct pid *group, int signo)
{
	struct process_group *pg = group ? group->process_group : NULL;

	if (!pg)
		return;
	process_group_get(pg);
	process_group_signal_locked(pg, signo);
	process_group_put_locked(pg);
}

struct terminal *terminal_of(struct task *t)
{
	struct terminal *terminal;

	mutex_lock(&t->kernel->tasklist_lock);
	terminal = t->group->terminal ? terminal_get(t->group->terminal) : NULL;
	mutex_unlock(&t->kernel->tasklist_lock);
	return terminal;
}

void terminal_describe(struct task *t, const struct pid_namespace *ns, uint64_t *device,
		       int32_t *foreground)
{
	struct terminal *terminal;

	*device = 0;
	*foreground = -1;
	mutex_lock(&t->kernel->tasklist_lock);
	terminal = t->group->terminal;
	if (terminal) {
		*device = terminal->device;
		*foreground = terminal->foreground ? pid_number_in(&terminal->foreground->id, ns) : 0;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
}

/* --- background groups --------------------------------------------------------------- */

static bool ignores(struct task *t, int signo)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool ignored = signal_in(t->blocked, signo) ||
		       h->actions[signo - 1].handler == LINUX_SIG_IGN;

	signal_unlock(h);
	return ignored;
}

static int check_change_locked(struct task *t, struct terminal *terminal, int signo)
{
	struct process_group *pg = t->group->process_group;

	if (t->group->terminal != terminal || !pg || !terminal->foreground ||
	    pg->pid == terminal->foreground)
		return 0;
	if (ignores(t, signo))
		return signo == LINUX_SIGTTIN ? -EIO : 0;
	if (process_group_orphaned_locked(pg, NULL))
		return -EIO;
	process_group_signal_locked(pg, signo);
	return -ERESTARTSYS;
}

int terminal_check_change(struct task *t, struct terminal *terminal, int signo)
{
	int rc;

	mutex_lock(&t->kernel->tasklist_lock);
	rc = check_change_locked(t, terminal, signo);
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

void terminal_signal(struct kernel *k, struct terminal *terminal, int signo)
{
	mutex_lock(&k->tasklist_lock);
	signal_pid_locked(terminal->foreground, signo);
	mutex_unlock(&k->tasklist_lock);
}

/* --- who has it ------------------------------------------------------------------------ */

static void set_controlling_locked(struct thread_group *g, struct terminal *terminal)
{
	replace_pid(&terminal->foreground, g->process_group->pid);
	replace_pid(&terminal->session, session_of(g)->pid);
	replace_terminal(g, terminal);
	replace_pid(&g->terminal_old_group, NULL);
}

/* Nobody of session @pid has a terminal any more.  The caller holds a reference on it. */
static void clear_session_locked(struct kernel *k, struct pid *pid)
{
	struct thread_group *g;

	list_for_each(g, &k->groups, all_node) {
		struct session *s = session_of(g);

		if (s && s->pid == pid)
			replace_terminal(g, NULL);
	}
}

void terminal_opened(struct task *t, struct terminal *terminal, bool readable)
{
	struct thread_group *g = t->group;

	mutex_lock(&t->kernel->tasklist_lock);
	/* Who can only write must not get to read what is typed by way of /dev/tty. */
	if (leads_session(g) && !g->terminal && !terminal->session && readable)
		set_controlling_locked(g, terminal);
	mutex_unlock(&t->kernel->tasklist_lock);
}

static int set_controlling(struct task *t, struct terminal *terminal, bool steal, bool readable)
{
	struct thread_group *g = t->group;
	int rc = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	if (leads_session(g) && session_of(g)->pid == terminal->session)
		goto out;
	rc = -EPERM;
	if (!leads_session(g) || g->terminal)
		goto out;
	if (terminal->session) {
		if (!steal || !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
			goto out;
		clear_session_locked(t->kernel, terminal->session);
	}
	if (!readable && !credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		goto out;
	set_controlling_locked(g, terminal);
	rc = 0;
out:
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

int terminal_set_controlling(struct task *t, struct terminal *terminal, bool steal, bool readable)
{
	return set_controlling(t, terminal, steal, readable);
}

void terminal_adopt(struct thread_group *g, struct terminal *terminal)
{
	mutex_lock(&g->kernel->tasklist_lock);
	if (g->process_group)
		set_controlling_locked(g, terminal);
	mutex_unlock(&g->kernel->tasklist_lock);
}

/*
 * The leader gives its session's terminal up, or dies.  The foreground group of a pseudoterminal
 * hears SIGHUP; stopped jobs are woken by the rule for orphaned groups.
 */
static void disassociate_locked(struct thread_group *g, bool exiting)
{
	struct terminal *terminal = g->terminal ? terminal_get(g->terminal) : NULL;

	if (!terminal) {
		if (exiting && g->terminal_old_group) {
			signal_pid_locked(g->terminal_old_group, LINUX_SIGHUP);
			signal_pid_locked(g->terminal_old_group, LINUX_SIGCONT);
		}
		replace_pid(&g->terminal_old_group, NULL);
		if (!exiting)
			clear_session_locked(g->kernel, session_of(g)->pid);
		return;
	}
	signal_pid_locked(terminal->foreground, LINUX_SIGHUP);
	if (!exiting)
		signal_pid_locked(terminal->foreground, LINUX_SIGCONT);
	replace_pid(&g->terminal_old_group, NULL);
	replace_pid(&terminal->session, NULL);
	replace_pid(&terminal->foreground, NULL);
	clear_session_locked(g->kernel, session_of(g)->pid);
	terminal_put(terminal);
}

int terminal_give_up(struct task *t, struct terminal *terminal)
{
	struct thread_group *g = t->group;
	int rc = -ENOTTY;

	mutex_lock(&t->kernel->tasklist_lock);
	if (g->terminal == terminal) {
		if (leads_session(g))
			disassociate_locked(g, false);
		replace_terminal(g, NULL);
		rc = 0;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

void terminal_leader_exits(struct thread_group *g)
{
	mutex_lock(&g->kernel->tasklist_lock);
	if (leads_session(g))
		disassociate_locked(g, true);
	mutex_unlock(&g->kernel->tasklist_lock);
}

/* --- hanging up ---------------------------------------------------------------------------- */

static void hangup_member_locked(struct thread_group *g, struct terminal *terminal)
{
	if (g->terminal == terminal)
		replace_terminal(g, NULL);
	if (!leads_session(g))
		return;
	/* A leader that is dead already does not mind. */
	(void)!signal_send_kernel(g, LINUX_SIGHUP);
	(void)!signal_send_kernel(g, LINUX_SIGCONT);
	if (terminal->foreground)
		replace_pid(&g->terminal_old_group, terminal->foreground);
}

void terminal_hangup(struct kernel *k, struct terminal *terminal)
{
	struct thread_group *g;

	mutex_lock(&k->tasklist_lock);
	if (terminal->session)
		list_for_each(g, &k->groups, all_node) {
			struct session *s = session_of(g);

			if (s && s->pid == terminal->session)
				hangup_member_locked(g, terminal);
		}
	replace_pid(&terminal->session, NULL);
	replace_pid(&terminal->foreground, NULL);
	mutex_unlock(&k->tasklist_lock);
}

void terminal_closed(struct kernel *k, struct terminal *terminal)
{
	mutex_lock(&k->tasklist_lock);
	if (terminal->session)
		clear_session_locked(k, terminal->session);
	replace_pid(&terminal->session, NULL);
	replace_pid(&terminal->foreground, NULL);
	mutex_unlock(&k->tasklist_lock);
}

/* --- groups and sessions by number ------------------------------------------------------------ */

static int number_of(struct pid *pid, struct task *t)
{
	return pid ? pid_number_in(&pid->id, t->pid.ns) : 0;
}

int terminal_get_foreground(struct task *t, struct terminal *terminal, bool any, int32_t *out)
{
	int rc = -ENOTTY;

	mutex_lock(&t->kernel->tasklist_lock);
	if (any || t->group->terminal == terminal) {
		*out = number_of(terminal->foreground, t);
		rc = 0;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

int terminal_get_session(struct task *t, struct terminal *terminal, bool any, int32_t *out)
{
	int rc = -ENOTTY;

	mutex_lock(&t->kernel->tasklist_lock);
	if ((any || t->group->terminal == terminal) && terminal->session) {
		*out = number_of(terminal->session, t);
		rc = 0;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

/* The session of the group that @pid names, or of the process when it names none. */
static struct session *session_named(struct pid *pid)
{
	if (pid->process_group)
		return pid->process_group->session;
	return pid->task ? session_of(pid->task->group) : NULL;
}

int terminal_set_foreground(struct task *t, struct terminal *terminal, int32_t pgid)
{
	struct session *own;
	struct pid *pid;
	int rc = -ENOTTY;

	mutex_lock(&t->kernel->tasklist_lock);
	own = session_of(t->group);
	if (t->group->terminal != terminal || !own || terminal->session != own->pid)
		goto out;
	pid = pid_find_locked(t->pid.ns, pgid);
	if (!pid) {
		rc = -ESRCH;
	} else if (session_named(pid) != own) {
		rc = -EPERM;
	} else {
		replace_pid(&terminal->foreground, pid);
		rc = 0;
	}
out:
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

/* --- for the life of processes ------------------------------------------------------------------ */

void terminal_inherit_locked(struct thread_group *child, const struct thread_group *parent)
{
	replace_terminal(child, parent->terminal);
}

void terminal_forget_locked(struct thread_group *g)
{
	replace_terminal(g, NULL);
}

void terminal_group_freed(struct thread_group *g)
{
	terminal_put(move_ptr(g->terminal));
	pid_put(move_ptr(g->terminal_old_group));
}
