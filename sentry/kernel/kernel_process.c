/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes from outside: a container's init, and exec into a container.  They
 * have no parent, start a session of their own, and vanish when they die; on_exit
 * tells how.  The image is loaded before the process becomes visible.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/user_account.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/task_exec.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "util/cleanup.h"
#include "util/log.h"

struct birth {
	struct kernel *k;
	struct task_container *container; /* borrowed */
	const struct create_process_args *args;
	struct thread_group *group;
	struct task *task;
	struct file *file;
	struct program *program;
	struct pid *pid;
	bool counted;
};

static void birth_abandon(struct birth *b)
{
	if (b->program)
		kernel_upcalls()->program_free(b->program);
	if (b->file)
		file_put(b->file);
	if (b->task) {
		if (b->task->context)
			context_destroy(b->task->context);
		b->task->context = NULL;
		task_put(b->task);
	}
	if (b->group)
		task_cgroup_leave(b->group->cgroup);
	thread_group_put(b->group);
	pid_put(b->pid);
	if (b->counted)
		task_container_uncharge(b->container);
}

static int make_group(struct birth *b)
{
	const struct create_process_args *a = b->args;
	struct signal_handlers *handlers;
	int rc = signal_handlers_new(&handlers);

	if (rc)
		return rc;
	rc = thread_group_alloc(b->k, handlers, &b->group);
	signal_handlers_put(handlers);
	if (rc)
		return rc;
	memcpy(b->group->limits, a->limits, sizeof(b->group->limits));
	atomic_store(&b->group->oom_score_adj, a->oom_score_adj);
	b->group->has_execed = true;
	b->group->container = task_container_get(b->container);
	b->group->cgroup = task_cgroup_enter(a->cgroup);
	return task_alloc(b->k, b->group, &b->task);
}

static int make_namespaces(struct birth *b)
{
	const struct create_process_args *a = b->args;
	struct time_namespace *time = a->time ? a->time : b->k->root_time_ns;
	struct namespaces ours = {
		.mount = a->mounts,
		.uts = a->uts ? a->uts : b->k->root_uts_ns,
		.ipc = a->ipc ? a->ipc : b->k->root_ipc_ns,
		.net = b->k->root_net_ns,
		.pid_for_children = a->pid_ns ? a->pid_ns : b->k->root_pid_ns,
		.cgroup = b->k->root_cgroup_ns,
		.time = time,
		.time_for_children = time,
	};

	return namespaces_copy(&ours, &b->task->namespaces);
}

/* The working directory may be one that the user cannot search: looked up as root. */
static int make_fs(struct birth *b)
{
	const struct create_process_args *a = b->args;
	struct credentials *root_cred = credentials_new_root(b->k->container_user_ns);
	struct vfs_context ctx = { .cred = root_cred, .fds = a->fds, .fsize_limit = UINT64_MAX };
	const char *cwd = a->cwd && *a->cwd ? a->cwd : "/";
	struct path root, at = { NULL, NULL };
	struct fs_context *start;
	int rc;

	if (!root_cred)
		return -ENOMEM;
	mount_namespace_root(a->mounts, &root);
	rc = fs_context_new(&root, &root, a->umask, &start);
	if (!rc) {
		ctx.fs = start;
		rc = vfs_lookup(&ctx, LINUX_AT_FDCWD, cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &at);
		if (!rc)
			rc = fs_context_new(&root, &at, a->umask, &b->task->fs);
		path_put(&at);
		fs_context_put(start);
	}
	path_put(&root);
	credentials_put(root_cred);
	return rc;
}

static int make_vector(const char *const *strings, struct string_vector *out)
{
	size_t size = 0, at = 0;
	uint32_t count = 0;

	for (; strings && strings[count]; count++)
		size += strlen(strings[count]) + 1;
	out->bytes = malloc(size ? size : 1);
	if (!out->bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(strings[i]) + 1;

		memcpy(out->bytes + at, strings[i], length);
		at += length;
	}
	out->size = size;
	out->count = count;
	return 0;
}

/* Of b->file. */
static int prepare_program(struct birth *b, const struct vfs_context *ctx)
{
	const struct create_process_args *a = b->args;
	struct string_vector argv = { 0 }, envv = { 0 };
	const char *name = a->filename;
	int rc;

	if (!name)
		name = a->argv && a->argv[0] ? a->argv[0] : "";
	rc = make_vector(a->argv, &argv);
	if (!rc)
		rc = make_vector(a->envv, &envv);
	if (!rc)
		rc = kernel_upcalls()->program_prepare(ctx, b->file, name, &argv, &envv,
						       a->limits[RLIM_STACK].soft, &b->program);
	free(argv.bytes);
	free(envv.bytes);
	return rc;
}

static int make_program(struct birth *b)
{
	const struct create_process_args *a = b->args;
	struct vfs_context ctx = task_vfs_context(b->task);
	int rc;

	if (a->filename)
		rc = exec_open(&ctx, LINUX_AT_FDCWD, a->filename, LOOKUP_FOLLOW, &b->file);
	else
		rc = (b->file = a->file ? file_get(a->file) : NULL) ? 0 : -ENOENT;
	if (!rc)
		rc = prepare_program(b, &ctx);
	if (!rc || rc == -ENOMEM || !a->refused)
		return rc;
	if (b->file)
		file_put(move_ptr(b->file));
	rc = a->refused(a->refused_arg, rc, &b->file);
	return rc ? rc : prepare_program(b, &ctx);
}

static int make_memory(struct birth *b)
{
	struct task *t = b->task;
	struct address_space *as;
	int rc = address_space_new(b->k->platform, thread_group_stubs(b->group), &as);

	if (rc)
		return rc;
	rc = mm_new(b->k->platform, as, &t->mm);
	if (rc) {
		address_space_put(as);
		return rc;
	}
	atomic_store(&t->mm->users, 1);
	t->mm->clock_offsets = !t->namespaces->time->is_root;
	return context_new(b->k->platform, t->mm->as, t, &t->context);
}

/* All that is started from outside shares one, as with runc. */
static int join_session(struct task *t, const char *container_id)
{
	char *name;
	int rc;

	if (asprintf(&name, "_ses.%s", container_id) < 0)
		return -ENOMEM;
	rc = task_keys_new_session(t, name);
	free(name);
	return rc;
}

static int load(struct birth *b)
{
	const struct kernel_upcalls *up = kernel_upcalls();
	struct task *t = b->task;
	struct program_identity identity;
	struct credentials *cred;
	bool secure;
	int rc = exec_credentials(t->cred, up->program_file(b->program), false, &cred, &secure);

	if (rc)
		return rc;
	identity = exec_identity(cred, secure);
	credentials_put(t->cred);
	t->cred = cred;
	atomic_store(&t->mm->dumpable, cred->euid == cred->uid && cred->egid == cred->gid);
	memccpy(t->comm, up->program_comm(b->program), 0, sizeof(t->comm) - 1);
	task_choose_layout(t);
	rc = up->program_load(b->program, t->mm, t->context, &identity,
			      b->args->limits[RLIM_STACK].soft);
	if (!rc && b->container->id)
		rc = join_session(t, b->container->id);
	if (!rc && platform_set_host_name(t->context, t->comm))
		log_debug("the host's ps will not show the name of %s", t->comm);
	return rc;
}

static int charge(struct birth *b)
{
	int rc = user_charge(b->task->cred->uid, USER_PROCESSES, UINT64_MAX);

	if (rc)
		return rc;
	b->task->charged_uid = b->task->cred->uid;
	rc = task_container_charge(b->container);
	b->counted = rc == 0;
	return rc;
}

/* Visible to all, not yet running. */
static int publish(struct birth *b) NO_LOCK_ANALYSIS
{
	struct thread_group *g = b->group;
	struct kernel *k = b->k;
	struct process_group *pg;
	struct signal_handlers *h;
	int rc;

	mutex_lock(&k->tasklist_lock);
	rc = session_new_locked(b->pid, g, &pg);
	if (!rc) {
		h = signal_lock(g);
		g->pid_object = pid_get(b->pid);
		g->pid = b->pid->id;
		pid_namespace_get(g->pid.ns);
		b->pid->group = g;
		list_add_tail(&k->groups, &g->all_node);
		if (g->pid.numbers[g->pid.ns->level] == 1) {
			g->pid.ns->init = g;
			g->unkillable = true;
		}
		task_attach_pid_locked(b->task, b->pid);
		list_add_tail(&g->threads, &b->task->thread_node);
		g->leader = b->task;
		g->thread_count = 1;
		atomic_store(&g->live, 1);
		g->on_exit = b->args->on_exit;
		g->on_exit_arg = b->args->on_exit_arg;
		signal_unlock(h);
		process_group_join_locked(g, pg);
		process_group_put_locked(pg);
		thread_group_get(g); /* the list's; the other is the caller's */
	}
	mutex_unlock(&k->tasklist_lock);
	return rc;
}

int kernel_create_process(struct kernel *k, const struct create_process_args *args,
			  struct thread_group **out)
{
	struct birth b = {
		.k = k,
		.container = args->container ? args->container : k->root_container,
		.args = args,
	};
	int rc = make_group(&b);

	if (!rc) {
		b.task->cred = credentials_get(args->cred);
		rc = charge(&b);
	}
	if (!rc)
		rc = make_namespaces(&b);
	if (!rc)
		rc = fd_table_copy(args->fds, &b.task->fds);
	if (!rc)
		rc = make_fs(&b);
	if (!rc)
		rc = pid_alloc(b.task->namespaces->pid_for_children, NULL, 0, &b.pid);
	if (rc)
		goto fail;
	/* Look-ups of the caller need a number for locks; it is not published yet. */
	b.group->pid = b.pid->id;
	if (args->prepare)
		rc = args->prepare(args->prepare_arg, b.task);
	if (!rc)
		rc = make_program(&b);
	if (!rc)
		rc = make_memory(&b);
	if (!rc)
		rc = load(&b);
	b.group->pid.ns = NULL; /* publish takes its own reference */
	atomic_store(&b.task->state, TASK_SLEEPING); /* until kernel_start_process */
	if (!rc)
		rc = publish(&b);
	if (rc)
		goto fail;
	fd_table_close_on_exec(b.task->fds);
	kernel_upcalls()->program_free(b.program);
	file_put(b.file);
	pid_put(b.pid);
	*out = b.group;
	return 0;
fail:
	birth_abandon(&b);
	return rc;
}

void kernel_start_process(struct thread_group *g)
{
	struct task *leader = NULL;

	mutex_lock(&g->kernel->tasklist_lock);
	if (g->leader)
		leader = task_get(g->leader);
	mutex_unlock(&g->kernel->tasklist_lock);
	if (leader) {
		atomic_store(&leader->state, TASK_RUNNING);
		atomic_store(&leader->in_guest, true);
		context_start(leader->context);
	}
	task_put(leader);
}
