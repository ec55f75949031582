/* SPDX-License-Identifier: Apache-2.0 */
/* What the control server may do with the sandbox: the operations behind its requests. */
#include "config.h"

#include "sentry/boot/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/host/host_futex.h"
#include "sentry/kernel/kernel_pause.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/process_group.h"
#include "sentry/kernel/terminal.h"
#include "util/checked.h"
#include "util/log.h"

/* Somebody outside waits for a process; freed when it was told. */
struct watch {
	struct list_node node; /* sandbox->watches; sandbox->lock */
	struct sandbox *sandbox;
	struct console *console; /* of an exec; reference or NULL */
	int32_t pid;		 /* of an exec with a console */
	uint64_t token;
};

/* --- the end of processes -------------------------------------------------------- */

void sandbox_init_exited(void *arg, int wait_status)
{
	struct sandbox *s = arg;
	struct list_node told;
	struct watch *w, *next;

	if (s->console)
		console_drain(s->console);
	list_init(&told);
	mutex_lock(&s->lock);
	s->init_exited = true;
	s->init_status = wait_status;
	list_splice_tail(&told, &s->watches);
	mutex_unlock(&s->lock);
	list_for_each_safe(w, next, &told, node) {
		control_server_process_exited(s->server, w->token, (uint32_t)wait_status);
		free(w);
	}
	/* Only now may the sentry end: everybody has been told. */
	atomic_store(&s->finished, 1);
	host_futex_wake(&s->finished, 1);
}

static void exec_exited(void *arg, int wait_status)
{
	struct watch *w = arg;

	if (w->console) {
		console_drain(w->console);
		mutex_lock(&w->sandbox->lock);
		list_remove(&w->node);
		mutex_unlock(&w->sandbox->lock);
		console_put(w->console);
	}
	control_server_process_exited(w->sandbox->server, w->token, (uint32_t)wait_status);
	free(w);
}

/* --- operations -------------------------------------------------------------------- */

static int op_start(void *arg, struct control_failure *why)
{
	struct sandbox *s = arg;

	if (atomic_exchange(&s->started, true)) {
		control_failure_set(why, "cannot start an already running container");
		return -EINVAL;
	}
	kernel_start_process(s->init);
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
	w->pid = pid;
	mutex_lock(&w->sandbox->lock);
	list_add_tail(&w->sandbox->execs, &w->node);
	mutex_unlock(&w->sandbox->lock);
	return console_start(w->console, g);
}

static int op_exec(void *arg, struct control_exec *exec, int32_t *pid, struct control_failure *why)
{
	struct sandbox *s = arg;
	struct boot_failure failure = { "" };
	struct thread_group *g;
	struct fd_table *table;
	struct watch *w;
	int rc;

	if (kernel_paused(s->kernel) && !exec->ignore_paused) {
		control_failure_set(why, "the container is paused");
		return -EBUSY;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->sandbox = s;
	w->token = exec->token;
	rc = boot_fd_table(s, exec->process, exec->fds, exec->fd_count, -1, &table, &w->console,
			   &failure);
	if (rc < 0) {
		control_failure_set(why, "%s", failure.text);
		free(w);
		return rc;
	}
	rc = boot_create_process(s, exec->process, table, false, exec_exited, w, &g, &failure);
	fd_table_put(table);
	if (rc < 0) {
		control_failure_set(why, "%s", failure.text);
		console_put(w->console);
		free(w);
		return rc;
	}
	*pid = task_tgid_in(g->leader, s->kernel->root_pid_ns);
	if (w->console && start_console(w, g, *pid) < 0) {
		/* Only a thread was missing: the process runs without being heard, and is ended. */
		log_error("exec: the console of process %d could not be started", *pid);
		kill_process(g);
	}
	kernel_start_process(g);
	return 0;
}

static int op_wait(void *arg, int32_t pid, uint64_t token, struct control_failure *why)
{
	struct sandbox *s = arg;
	struct watch *w;
	bool exited;
	int status;

	(void)why;
	if (pid != 1)
		return -ESRCH;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->sandbox = s;
	w->token = token;
	mutex_lock(&s->lock);
	exited = s->init_exited;
	status = s->init_status;
	if (!exited)
		list_add_tail(&s->watches, &w->node);
	mutex_unlock(&s->lock);
	if (exited) {
		control_server_process_exited(s->server, token, (uint32_t)status);
		free(w);
	}
	return 0;
}

static int signal_all(struct sandbox *s, const struct linux_siginfo *info)
{
	int32_t pid = 0;
	struct task *t;

	while ((t = task_next_group(s->kernel->root_pid_ns, pid + 1, &pid))) {
		if (signal_send_group(t->group, info) < 0)
			log_debug("signal %d to process %d: gone", info->signo, pid);
		task_put(t);
	}
	return 0;
}

static int op_signal(void *arg, const struct control_signal_request *r,
		     struct control_failure *why)
{
	struct sandbox *s = arg;
	struct linux_siginfo info = { .signo = r->signal };
	struct task *t;
	int rc;

	(void)why;
	if (r->signal < 0 || r->signal > SIGNAL_COUNT)
		return -EINVAL;
	if (r->all)
		return signal_all(s, &info);
	t = task_lookup_group_leader(s->kernel->root_pid_ns, r->pid);
	if (!t)
		return -ESRCH;
	rc = 0;
	if (r->signal != 0 && r->group)
		process_group_signal(s->kernel, t->group->process_group, r->signal);
	else if (r->signal != 0)
		rc = signal_send_group(t->group, &info);
	task_put(t);
	return rc;
}

static int op_pause(void *arg, struct control_failure *why)
{
	struct sandbox *s = arg;
	int rc = kernel_pause(s->kernel);

	if (rc < 0)
		control_failure_set(why, "a process of the container does not stop");
	return rc;
}

static int op_resume(void *arg, struct control_failure *why)
{
	struct sandbox *s = arg;

	(void)why;
	kernel_resume(s->kernel);
	return 0;
}

static int op_update(void *arg, const struct control_update_request *r, struct control_failure *why)
{
	struct sandbox *s = arg;
	struct cgroup_config c = cgroup_current();

	(void)why;
	if (r->fields & CONTROL_UPDATE_MEMORY) {
		c.memory_limit = r->memory_limit;
		atomic_store(&s->kernel->memory_limit, r->memory_limit ? r->memory_limit : UINT64_MAX);
	}
	if (r->fields & CONTROL_UPDATE_SWAP)
		c.swap_limit = r->swap_limit;
	if (r->fields & CONTROL_UPDATE_SHARES)
		c.cpu_shares = r->cpu_shares;
	if (r->fields & CONTROL_UPDATE_QUOTA)
		c.cpu_quota_us = r->cpu_quota_us;
	if (r->fields & CONTROL_UPDATE_PERIOD)
		c.cpu_period_us = r->cpu_period_us;
	if (r->fields & CONTROL_UPDATE_PIDS) {
		c.pids_limit = r->pids_limit;
		atomic_store(&s->kernel->pids_limit, (int64_t)MIN(r->pids_limit, (uint64_t)INT64_MAX));
	}
	cgroup_configure(&c);
	return 0;
}

static int op_resize(void *arg, int32_t pid, struct control_failure *why)
{
	struct sandbox *s = arg;
	struct console *console = NULL;
	struct watch *w;

	(void)why;
	mutex_lock(&s->lock);
	list_for_each(w, &s->execs, node)
		if (w->pid == pid)
			console = console_get(w->console);
	mutex_unlock(&s->lock);
	if (!console)
		return -ESRCH;
	console_resize(console);
	console_put(console);
	return 0;
}

static int op_state(void *arg, struct control_state_reply *out, struct control_failure *why)
{
	struct sandbox *s = arg;
	int32_t pid = 0;
	struct task *t;
	bool exited;

	(void)why;
	mutex_lock(&s->lock);
	exited = s->init_exited;
	mutex_unlock(&s->lock);
	out->status = CONTROL_SANDBOX_CREATED;
	if (exited)
		out->status = CONTROL_SANDBOX_STOPPED;
	else if (kernel_paused(s->kernel))
		out->status = CONTROL_SANDBOX_PAUSED;
	else if (atomic_load(&s->started))
		out->status = CONTROL_SANDBOX_RUNNING;
	out->task_count = (uint64_t)MAX(atomic_load(&s->kernel->task_count), 0);
	out->task_limit = (uint64_t)MAX(atomic_load(&s->kernel->pids_limit), 0);
	while ((t = task_next_group(s->kernel->root_pid_ns, pid + 1, &pid))) {
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

static void describe_process(struct sandbox *s, struct task *t, int32_t pid,
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
	terminal_describe(t, s->kernel->root_pid_ns, &terminal, &foreground);
	p->tty = (uint32_t)terminal;
	p->state = (char)atomic_load(&t->state);
	mutex_lock(&t->lock);
	memcpy(p->comm, t->comm, sizeof(p->comm));
	mutex_unlock(&t->lock);
	mutex_lock(&s->kernel->tasklist_lock);
	parent = t->group->parent ? t->group->parent->leader : NULL;
	p->ppid = parent ? task_tgid_in(parent, s->kernel->root_pid_ns) : 0;
	mutex_unlock(&s->kernel->tasklist_lock);
	p->start_time = (uint64_t)s->kernel->boot_realtime_sec +
			(t->start_time_ns - s->kernel->boot_time_ns) / 1000000000ULL;
	thread_group_usage(t->group, &usage);
	p->cpu_time = (usage.user_ns + usage.system_ns) / 1000;
	read_cmdline(t, p);
}

static int op_ps(void *arg, int32_t after, struct control_ps_reply *out,
		 struct control_failure *why)
{
	struct sandbox *s = arg;
	int32_t pid = after;
	struct task *t;

	(void)why;
	while ((t = task_next_group(s->kernel->root_pid_ns, pid + 1, &pid))) {
		bool gone = atomic_load(&t->state) == TASK_ZOMBIE && t->group->thread_count == 0;

		if (!gone && out->count == CONTROL_PS_PAGE) {
			out->more = 1;
			task_put(t);
			break;
		}
		if (!gone)
			describe_process(s, t, pid, &out->processes[out->count++]);
		task_put(t);
	}
	return 0;
}

static int op_shutdown(void *arg, struct control_failure *why)
{
	struct sandbox *s = arg;

	(void)why;
	/* An init that never started has no task to be killed in: end it here. */
	if (!atomic_load(&s->started))
		sandbox_init_exited(s, 9);
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

const struct control_ops sandbox_control_ops = {
	.start = op_start,
	.exec = op_exec,
	.wait = op_wait,
	.signal = op_signal,
	.pause = op_pause,
	.resume = op_resume,
	.update = op_update,
	.resize = op_resize,
	.state = op_state,
	.ps = op_ps,
#ifdef MOAT_DEBUG
	.attack = op_attack,
#endif
	.shutdown = op_shutdown,
};
