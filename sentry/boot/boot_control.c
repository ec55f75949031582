/* SPDX-License-Identifier: Apache-2.0 */
/* What the control server may do with a container: the operations behind its requests. */
#include "config.h"

#include "sentry/boot/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/boot/notify_socket.h"
#include "sentry/host/host_futex.h"
#include "sentry/kernel/kernel_pause.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/process_group.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/terminal.h"
#include "util/checked.h"
#include "util/log.h"

/* Somebody outside waits for a process; freed when it was told. */
struct watch {
	struct list_node node; /* of the container; sandbox->lock */
	struct sandbox_container *container; /* reference */
	struct console *console; /* of an exec; reference or NULL */
	int32_t pid;		 /* of an exec with a console */
	uint64_t token;
};

/* --- the end of processes -------------------------------------------------------- */

static struct watch *watch_new(struct sandbox_container *c, uint64_t token)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->container = sandbox_container_get(c);
	w->token = token;
	return w;
}

static void watch_free(struct watch *w)
{
	console_put(w->console);
	sandbox_container_put(w->container);
	free(w);
}

void sandbox_tell_exit(struct sandbox_container *c, int wait_status)
{
	struct sandbox *s = c->sandbox;
	struct list_node told;
	struct watch *w, *next;

	if (c->console)
		console_drain(c->console);
	list_init(&told);
	mutex_lock(&s->lock);
	c->init_exited = true;
	c->init_status = wait_status;
	list_splice_tail(&told, &c->watches);
	mutex_unlock(&s->lock);
	list_for_each_safe(w, next, &told, node) {
		control_server_process_exited(s->server, w->token, (uint32_t)wait_status);
		watch_free(w);
	}
	if (c->notify)
		notify_socket_ended(c->notify, (uint32_t)wait_status);
}

void sandbox_init_exited(void *arg, int wait_status)
{
	struct sandbox_container *root = arg;
	struct sandbox *s = root->sandbox;

	sandbox_tell_exit(root, wait_status);
	/* Only now may the sentry end: everybody has been told. */
	atomic_store(&s->finished, 1);
	host_futex_wake(&s->finished, 1);
}

static void exec_exited(void *arg, int wait_status)
{
	struct watch *w = arg;

	struct sandbox *s = w->container->sandbox;

	if (w->console) {
		console_drain(w->console);
		mutex_lock(&s->lock);
		list_remove(&w->node);
		mutex_unlock(&s->lock);
	}
	control_server_process_exited(s->server, w->token, (uint32_t)wait_status);
	watch_free(w);
}

/* --- operations -------------------------------------------------------------------- */

static int op_start(void *arg, struct control_failure *why)
{
	struct sandbox_container *c = arg;

	if (atomic_exchange(&c->started, true)) {
		control_failure_set(why, "cannot start an already running container");
		return -EINVAL;
	}
	stub_family_settled(c->members->stubs);
	kernel_start_process(c->init);
	return 0;
}

static void kill_process(struct thread_group *g)
{
	const struct linux_siginfo info = { .signo = LINUX_SIGKILL, .code = LINUX_SI_KERNEL };

	if (signal_send_group(g, &info) < 0)
		log_debug("kill: the process is gone");
}

/* It can be found by RESIZE from here on. */
static int start_console(struct watch *w, struct thread_group *g, int32_t pid)
{
	struct sandbox_container *c = w->container;

	w->pid = pid;
	mutex_lock(&c->sandbox->lock);
	list_add_tail(&c->execs, &w->node);
	mutex_unlock(&c->sandbox->lock);
	return console_start(w->console, g);
}

static int exec_process(struct watch *w, struct control_exec *exec, struct thread_group **out,
			struct boot_failure *failure)
{
	struct task_cgroup *cgroup = NULL;
	struct fd_table *table;
	int rc = boot_fd_table(w->container, exec->process, false, exec->fds, exec->fd_count, &table,
			       &w->console, failure);

	if (rc < 0)
		return rc;
	if (exec->place_fd >= 0)
		rc = boot_cgroup(w->container, exec->process, exec->place_fd, &cgroup, failure);
	if (rc >= 0)
		rc = boot_create_process(w->container, exec->process, table, cgroup, exec_exited, w,
					 out, failure);
	task_cgroup_leave(cgroup);
	task_cgroup_put(cgroup);
	fd_table_put(table);
	return rc;
}

static int op_exec(void *arg, struct control_exec *exec, int32_t *pid, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	struct boot_failure failure = { "" };
	struct thread_group *g;
	struct watch *w;
	int rc;

	if (atomic_load(&c->members->paused) && !exec->ignore_paused) {
		control_failure_set(why, "the container is paused");
		return -EBUSY;
	}
	w = watch_new(c, exec->token);
	if (!w)
		return -ENOMEM;
	rc = exec_process(w, exec, &g, &failure);
	if (rc < 0) {
		control_failure_set(why, "%s", failure.text);
		watch_free(w);
		return rc;
	}
	*pid = task_tgid_in(g->leader, c->pid_ns);
	if (w->console && start_console(w, g, *pid) < 0) {
		/* Only a thread was missing: the process runs without being heard, and is ended. */
		log_error("exec: the console of process %d could not be started", *pid);
		kill_process(g);
	}
	kernel_start_process(g);
	return 0;
}

/* Somebody outside waits for a process that is neither init nor an exec of its own. */
struct process_watch {
	struct exit_watch watch;
	struct sandbox *sandbox; /* does not end before its server */
	uint64_t token;
};

static void watched_exited(struct exit_watch *watch, int wait_status)
{
	struct process_watch *w = container_of(watch, struct process_watch, watch);

	control_server_process_exited(w->sandbox->server, w->token, (uint32_t)wait_status);
	free(w);
}

static int wait_for_process(struct sandbox_container *c, int32_t pid, uint64_t token)
{
	struct process_watch *w = calloc(1, sizeof(*w));
	struct task *t;
	int status;
	int rc;

	if (!w)
		return -ENOMEM;
	*w = (struct process_watch){ .watch.fn = watched_exited, .sandbox = c->sandbox,
				     .token = token };
	t = task_lookup_group_leader(c->pid_ns, pid);
	rc = t ? thread_group_watch_exit(t->group, &w->watch, &status) : -ESRCH;
	task_put(t);
	if (rc == 1)
		watched_exited(&w->watch, status);
	else if (rc < 0)
		free(w);
	return rc < 0 ? rc : 0;
}

int sandbox_watch_init(struct sandbox_container *c, uint64_t token)
{
	struct watch *w = watch_new(c, token);
	struct sandbox *s = c->sandbox;
	bool exited;

	if (!w)
		return -ENOMEM;
	mutex_lock(&s->lock);
	exited = c->init_exited;
	if (!exited)
		list_add_tail(&c->watches, &w->node);
	mutex_unlock(&s->lock);
	if (!exited)
		return 0;
	control_server_process_exited(s->server, token, (uint32_t)c->init_status);
	watch_free(w);
	return 0;
}

static int op_wait(void *arg, int32_t pid, uint64_t token, struct control_failure *why)
{
	struct sandbox_container *c = arg;

	if (pid != CONTROL_PID_INIT) {
		int rc = wait_for_process(c, pid, token);

		if (rc == -ESRCH)
			control_failure_set(why, "there is no process %d in the container", pid);
		return rc;
	}
	return sandbox_watch_init(c, token);
}

static int op_notify(void *arg, uint64_t token, struct control_failure *why)
{
	struct sandbox_container *c = arg;

	if (!c->notify) {
		control_failure_set(why, "the container was created without NOTIFY_SOCKET");
		return -ENOENT;
	}
	return notify_socket_watch(c->notify, token);
}

static int signal_all(struct sandbox_container *c, const struct linux_siginfo *info)
{
	int32_t pid = 0;
	struct task *t;

	while ((t = sandbox_container_next(c, pid + 1, &pid))) {
		if (signal_send_group(t->group, info) < 0)
			log_debug("signal %d to process %d: gone", info->signo, pid);
		task_put(t);
	}
	return 0;
}

static struct task *find_process(struct sandbox_container *c, int32_t pid)
{
	return pid == CONTROL_PID_INIT ? sandbox_container_init(c)
				       : task_lookup_group_leader(c->pid_ns, pid);
}

static int op_signal(void *arg, const struct control_signal_request *r,
		     struct control_failure *why)
{
	struct sandbox_container *c = arg;
	struct linux_siginfo info = { .signo = r->signal };
	struct task *t;
	int rc;

	if (r->signal < 0 || r->signal > SIGNAL_COUNT)
		return -EINVAL;
	if (r->all)
		return signal_all(c, &info);
	t = find_process(c, r->pid);
	if (!t) {
		if (r->pid == CONTROL_PID_INIT)
			control_failure_set(why, "container not running");
		return -ESRCH;
	}
	rc = 0;
	if (r->signal != 0 && r->group)
		process_group_signal(c->kernel, t->group->process_group, r->signal);
	else if (r->signal != 0)
		rc = signal_send_group(t->group, &info);
	/* One that has not started has nothing to die in: it does so on its way to the first instruction. */
	if (rc == 0 && r->signal == LINUX_SIGKILL && t->group == c->init &&
	    !atomic_exchange(&c->started, true))
		kernel_start_process(c->init);
	task_put(t);
	return rc;
}

static int op_pause(void *arg, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	int rc = task_container_pause(c->members);

	if (rc < 0)
		control_failure_set(why, "a process of the container does not stop");
	return rc;
}

static int op_resume(void *arg, struct control_failure *why)
{
	struct sandbox_container *c = arg;

	(void)why;
	task_container_resume(c->members);
	return 0;
}

static int op_update(void *arg, const struct control_update_request *r, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	struct container_limits limits = task_container_limits(c->members);

	(void)why;
	if (r->fields & CONTROL_UPDATE_MEMORY)
		limits.memory_limit = r->memory_limit;
	if (r->fields & CONTROL_UPDATE_SWAP)
		limits.swap_limit = r->swap_limit;
	if (r->fields & CONTROL_UPDATE_SHARES)
		limits.cpu_shares = r->cpu_shares;
	if (r->fields & CONTROL_UPDATE_QUOTA)
		limits.cpu_quota_us = r->cpu_quota_us;
	if (r->fields & CONTROL_UPDATE_PERIOD)
		limits.cpu_period_us = r->cpu_period_us;
	if (r->fields & CONTROL_UPDATE_PIDS)
		limits.pids_limit = r->pids_limit;
	task_container_set_limits(c->members, &limits);
	return 0;
}

static int op_resize(void *arg, int32_t pid, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	struct console *console = NULL;
	struct watch *w;

	(void)why;
	mutex_lock(&c->sandbox->lock);
	list_for_each(w, &c->execs, node)
		if (w->pid == pid)
			console = console_get(w->console);
	mutex_unlock(&c->sandbox->lock);
	if (pid == CONTROL_PID_INIT && c->console)
		console = console_get(c->console);
	if (!console)
		return -ESRCH;
	console_resize(console);
	console_put(console);
	return 0;
}

static int op_state(void *arg, struct control_state_reply *out, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	int32_t pid = 0;
	struct task *t;
	bool exited;

	(void)why;
	mutex_lock(&c->sandbox->lock);
	exited = c->init_exited;
	mutex_unlock(&c->sandbox->lock);
	out->status = CONTROL_SANDBOX_CREATED;
	if (exited)
		out->status = CONTROL_SANDBOX_STOPPED;
	else if (atomic_load(&c->members->paused))
		out->status = CONTROL_SANDBOX_PAUSED;
	else if (atomic_load(&c->started))
		out->status = CONTROL_SANDBOX_RUNNING;
	out->task_count = (uint64_t)MAX(atomic_load(&c->members->task_count), 0);
	out->task_limit = (uint64_t)MAX(atomic_load(&c->members->pids_limit), 0);
	while ((t = sandbox_container_next(c, pid + 1, &pid))) {
		out->process_count++;
		task_put(t);
	}
	return 0;
}

static void read_cmdline(struct task *t, struct control_process *p)
{
	struct mm *mm = task_mm_get(t);
	uint64_t start, end;
	ssize_t n;

	if (!mm)
		return;
	mutex_lock(&mm->lock);
	start = mm->arg_start;
	end = mm->arg_end;
	mutex_unlock(&mm->lock);
	if (end > start) {
		size_t size = end - start < sizeof(p->cmdline) ? end - start : sizeof(p->cmdline);

		n = copy_in_partial(mm, p->cmdline, guest_addr(start), size);
		p->cmdline_size = n > 0 ? (uint32_t)n : 0;
	}
	p->sandbox_pid = (int32_t)address_space_host_pid(mm->as);
	mm_put(mm);
}

static void describe_process(struct sandbox_container *c, struct task *t, int32_t pid,
			     struct control_process *p)
{
	const struct credentials *cred = task_cred(t);
	struct host_usage usage;
	struct task *parent;
	uint64_t terminal;
	int32_t foreground;

	p->pid = pid;
	p->uid = cred->uid;
	credentials_put(cred);
	terminal_describe(t, c->pid_ns, &terminal, &foreground);
	p->tty = (uint32_t)terminal;
	p->state = (char)atomic_load(&t->state);
	mutex_lock(&t->lock);
	memcpy(p->comm, t->comm, sizeof(p->comm));
	mutex_unlock(&t->lock);
	mutex_lock(&c->kernel->tasklist_lock);
	parent = t->group->parent ? t->group->parent->leader : NULL;
	p->ppid = parent ? task_tgid_in(parent, c->pid_ns) : 0;
	mutex_unlock(&c->kernel->tasklist_lock);
	p->start_time = (uint64_t)c->kernel->boot_realtime_sec +
			(t->start_time_ns - c->kernel->boot_time_ns) / 1000000000ULL;
	thread_group_usage(t->group, &usage);
	p->cpu_time = (usage.user_ns + usage.system_ns) / 1000;
	read_cmdline(t, p);
}

static int op_ps(void *arg, int32_t after, struct control_ps_reply *out,
		 struct control_failure *why)
{
	struct sandbox_container *c = arg;
	int32_t pid = after;
	struct task *t;

	(void)why;
	while ((t = sandbox_container_next(c, pid + 1, &pid))) {
		bool gone = atomic_load(&t->state) == TASK_ZOMBIE && t->group->thread_count == 0;

		if (!gone && out->count == CONTROL_PS_PAGE) {
			out->more = 1;
			task_put(t);
			break;
		}
		if (!gone)
			describe_process(c, t, pid, &out->processes[out->count++]);
		task_put(t);
	}
	return 0;
}

static int op_shutdown(void *arg, struct control_failure *why)
{
	struct sandbox *s = ((struct sandbox_container *)arg)->sandbox;

	(void)why;
	/* An init that never started has no task to be killed in: end it here. */
	if (!atomic_load(&s->root->started))
		sandbox_init_exited(s->root, 9);
	else
		kernel_kill_all(s->kernel, NULL);
	return 0;
}

#ifdef MOAT_DEBUG
static int op_attack(void *arg, const struct control_attack_request *request,
		     struct control_attack_reply *out, struct control_failure *why)
{
	(void)arg;
	(void)why;
	if (request->who != 0)
		return -EINVAL;
	out->result = boot_attack_self(request->what);
	return 0;
}
#endif

static void *op_container_get(void *arg, uint32_t handle)
{
	return sandbox_find_container(arg, handle);
}

static void op_container_put(void *container)
{
	sandbox_container_put(container);
}

const struct control_ops sandbox_control_ops = {
	.container_get = op_container_get,
	.container_put = op_container_put,
	.start = op_start,
	.exec = op_exec,
	.wait = op_wait,
	.notify = op_notify,
	.signal = op_signal,
	.pause = op_pause,
	.resume = op_resume,
	.update = op_update,
	.resize = op_resize,
	.state = op_state,
	.ps = op_ps,
	.tasks = sandbox_op_tasks,
	.strace = sandbox_op_strace,
#ifdef MOAT_DEBUG
	.attack = op_attack,
#endif
	.create = sandbox_op_create,
	.abandoned = sandbox_op_abandoned,
	.destroy = sandbox_op_destroy,
	.shutdown = op_shutdown,
};
