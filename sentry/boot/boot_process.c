/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process from outside: container init or exec.  Finds the program as runc
 * does (in the PATH of the process's own environment) and says in runc's words
 * why it cannot be run, since Docker derives exit codes from them.
 */
#include "sentry/boot/console.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/host/host.h"
#include "sentry/host/host_limits.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/sched_attr.h"
#include "util/cleanup.h"

/* Standard files are the process's own, as runc makes them: it can open them again by /proc/self/fd. */
static int add_fd(struct sandbox_container *owner, const struct boot_process *p,
		  struct fd_table *table, int *fd, int number)
{
	struct user_namespace *ns = owner->kernel->container_user_ns;
	uint32_t uid = uid_to_kernel(ns, p->uid);
	struct file *file;
	int access, rc;

	access = fcntl(*fd, F_GETFL);
	if (access < 0)
		return -errno;
	rc = host_file_new(move_fd(fd), (uint32_t)access & O_ACCMODE, &file);
	if (rc < 0)
		return rc;
	if (number <= STDERR_FILENO && uid != ID_INVALID)
		host_file_set_owner(file, uid, gid_to_kernel(ns, 0));
	rc = fd_table_install_at(table, file, number, UINT32_MAX, false);
	file_put(file);
	return rc < 0 ? rc : 0;
}

int boot_time_namespace(struct sandbox_container *owner, struct boot_failure *why)
{
	const struct boot_config *c = &owner->config;
	int rc;

	if (!(c->new_namespaces & LINUX_CLONE_NEWTIME))
		return 0;
	rc = time_namespace_new(owner->kernel->container_user_ns, 0, &owner->time);
	for (uint32_t i = 0; rc == 0 && i < c->time_offset_count; i++) {
		const struct boot_time_offset *from = &c->time_offsets[i];
		const struct time_offset offset = { from->clock, from->sec, from->nsec };

		rc = time_namespace_set_offsets(owner->time, &offset, 1);
	}
	if (rc < 0)
		return boot_failed_errno(why, rc, "linux.timeOffsets");
	time_namespace_freeze(owner->time);
	return 0;
}

int boot_fd_table(struct sandbox_container *owner, const struct boot_process *process, bool is_init,
		  int *fds, size_t count, struct fd_table **out, struct console **console,
		  struct boot_failure *why)
{
	struct fd_table *table;
	int rc = fd_table_new(&table);

	*console = NULL;
	if (rc < 0)
		return boot_failed(why, rc, "files: %s", strerror(-rc));
	if (process->terminal)
		rc = console_open(owner, process, is_init, move_fd(&fds[0]),
				  is_init ? move_fd(&owner->console_watch_fd) : -1, table, console, why);
	for (size_t i = process->terminal ? 3 : 0; i < count && rc == 0; i++)
		if (fds[i] >= 0)
			rc = add_fd(owner, process, table, &fds[i], (int)i);
	if (rc < 0) {
		console_put(*console);
		*console = NULL;
		fd_table_put(table);
		return boot_failed(why, rc, "standard input and output: %s", strerror(-rc));
	}
	*out = table;
	return 0;
}

static int make_groups(struct user_namespace *ns, const struct boot_process *p,
		       struct group_list **out, struct boot_failure *why)
{
	uint32_t *gids = calloc(p->additional_gid_count + 1, sizeof(*gids));
	int rc = gids ? 0 : -ENOMEM;

	for (uint32_t i = 0; rc == 0 && i < p->additional_gid_count; i++) {
		gids[i] = p->gids_of_host ? p->additional_gids[i] : gid_to_kernel(ns, p->additional_gids[i]);
		if (gids[i] == ID_INVALID)
			rc = boot_failed_errno(why, -EINVAL, "unable to setup user: setgroups");
	}
	if (rc == 0)
		rc = group_list_new(gids, p->additional_gid_count, out);
	free(gids);
	return rc;
}

/* In runc's words. */
static int set_ids(struct user_namespace *ns, const struct boot_process *p, struct credentials *c,
		   struct boot_failure *why)
{
	uint32_t uid = uid_to_kernel(ns, p->uid);
	uint32_t gid = gid_to_kernel(ns, p->gid);

	if (uid == ID_INVALID)
		return boot_failed(why, -EINVAL, "unable to setup user: cannot set uid to unmapped user in user namespace");
	if (gid == ID_INVALID)
		return boot_failed(why, -EINVAL, "unable to setup user: cannot set gid to unmapped user in user namespace");
	c->uid = c->euid = c->suid = c->fsuid = uid;
	c->gid = c->egid = c->sgid = c->fsgid = gid;
	return 0;
}

static int make_credentials(struct sandbox_container *owner, const struct boot_process *p,
			    struct credentials **out, struct boot_failure *why)
{
	struct user_namespace *ns = owner->kernel->container_user_ns;
	struct credentials *c = credentials_new_root(ns);
	struct group_list *groups = NULL;
	int rc;

	if (!c)
		return -ENOMEM;
	rc = set_ids(ns, p, c, why);
	if (rc == 0)
		rc = make_groups(ns, p, &groups, why);
	if (rc < 0) {
		credentials_put(c);
		return rc;
	}
	group_list_put(c->groups);
	c->groups = groups;
	c->bounding = p->capabilities[BOOT_CAP_BOUNDING];
	c->permitted = p->capabilities[BOOT_CAP_PERMITTED];
	c->inheritable = p->capabilities[BOOT_CAP_INHERITABLE];
	/* The command line refuses the first; runc as well goes on without what cannot be ambient. */
	c->effective = p->capabilities[BOOT_CAP_EFFECTIVE] & c->permitted;
	c->ambient = p->capabilities[BOOT_CAP_AMBIENT] & c->permitted & c->inheritable;
	c->no_new_privs = p->no_new_privileges;
	*out = c;
	return 0;
}

/* What config.json does not name is as the command line's caller has it. */
static void set_limits(const struct boot_process *p, struct rlimit64 *limits)
{
	for (int i = 0; i < RLIMIT_COUNT; i++)
		host_limit(i, &limits[i].soft, &limits[i].hard);
	for (uint32_t i = 0; i < p->rlimit_count; i++)
		if (p->rlimits[i].resource < RLIMIT_COUNT)
			limits[p->rlimits[i].resource] =
				(struct rlimit64){ p->rlimits[i].soft, p->rlimits[i].hard };
}

static const char *path_of(const struct boot_process *p)
{
	for (uint32_t i = 0; i < p->env.count; i++)
		if (strncmp(p->env.items[i], "PATH=", 5) == 0)
			return p->env.items[i] + 5;
	return "";
}

/* Go's exec.LookPath, which knows the mode bits alone: *exists, and 0 for a file with one of them. */
static int look_at(const struct vfs_context *ctx, const char *name, bool *exists)
{
	struct path p;
	uint32_t mode;
	int rc = vfs_lookup(ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, &p);

	*exists = rc == 0;
	if (rc < 0)
		return rc;
	mode = p.dentry->inode->attr.mode;
	path_put(&p);
	return (mode & LINUX_S_IFMT) != LINUX_S_IFDIR && (mode & 0111) ? 0 : -EACCES;
}

/* eaccess(name, X_OK) of a regular file. */
static bool may_execute(const struct vfs_context *ctx, const char *name)
{
	struct path p;
	int rc = vfs_lookup(ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, &p);

	if (rc < 0)
		return false;
	rc = path_permission(&p, LINUX_MAY_EXEC, ctx->cred);
	path_put(&p);
	return rc == 0;
}

/*
 * The first in $PATH that the process may execute, or else the first that has a bit for it: runc refuses that,
 * unless its Go is a newer one, which goes on.
 */
static int search_path(const struct vfs_context *ctx, const char *path, const char *name,
		       char **out)
{
	char *found = NULL;

	/* Nothing is found without one, as under runc. */
	for (const char *p = path; *path; p++) {
		size_t size = strcspn(p, ":");
		char *candidate;
		bool exists;

		if (asprintf(&candidate, "%.*s%s%s", (int)size, p, size ? "/" : "./", name) < 0) {
			free(found);
			return -ENOMEM;
		}
		if (look_at(ctx, candidate, &exists) == 0 &&
		    (!found || (*candidate == '/' && may_execute(ctx, candidate)))) {
			free(found);
			found = move_ptr(candidate);
		}
		free(candidate);
		p += size;
		if (*p == '\0' || (found && (*found != '/' || may_execute(ctx, found))))
			break;
	}
	if (!found)
		return -ENOENT;
	*out = found;
	return 0;
}

/* In runc's words. */
static int find_in_path(const struct vfs_context *ctx, const struct boot_process *p, const char *name,
			char **out, struct boot_failure *why)
{
	char *found;
	int rc = search_path(ctx, path_of(p), name, &found);

	if (rc < 0)
		return boot_failed(why, rc, "exec: \"%s\": executable file not found in $PATH", name);
	if (*found == '/') {
		*out = found;
		return 0;
	}
	free(found);
	return boot_failed(why, -EACCES,
			   "exec: \"%s\": cannot run executable found relative to current directory", name);
}

static int find_by_name(const struct vfs_context *ctx, const char *name, char **out,
			struct boot_failure *why)
{
	bool exists;
	int rc = look_at(ctx, name, &exists);

	/* A long one twice would leave no room for the reason. */
	if (rc < 0 && !exists && strlen(name) < CONTROL_MESSAGE_SIZE / 3)
		return boot_failed_errno(why, rc, "exec: \"%s\": stat %s", name, name);
	if (rc < 0)
		return boot_failed_errno(why, rc, "exec: \"%s\"", name);
	*out = strdup(name);
	return *out ? 0 : -ENOMEM;
}

/* As the container's root: the user need not be allowed to search it. */
static int check_cwd(struct sandbox_container *owner, const struct boot_process *p,
		     struct boot_failure *why)
{
	struct builder b;
	struct path cwd;
	int rc = builder_open(owner, &b);

	if (rc < 0)
		return rc;
	rc = vfs_lookup(&b.ctx, LINUX_AT_FDCWD, p->cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &cwd);
	if (rc == 0)
		path_put(&cwd);
	else
		boot_failed_errno(why, rc, "chdir to cwd (\"%s\") set in config.json failed", p->cwd);
	builder_close(&b);
	return rc;
}

static int find_program(struct sandbox_container *owner, const struct boot_process *p,
			const struct credentials *cred, char **out, struct boot_failure *why)
{
	const char *name = *p->program ? p->program : p->args.items[0];
	struct builder b;
	struct path cwd;
	int rc = builder_open(owner, &b);

	if (rc < 0)
		return rc;
	b.ctx.cred = cred;
	if (vfs_lookup(&b.ctx, LINUX_AT_FDCWD, p->cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &cwd) == 0) {
		/* Relative names are relative to the process's directory. */
		path_put(&b.fs->cwd);
		b.fs->cwd = cwd;
	}
	rc = strchr(name, '/') ? find_by_name(&b.ctx, name, out, why)
			       : find_in_path(&b.ctx, p, name, out, why);
	if (rc == 0 && !may_execute(&b.ctx, *out))
		rc = boot_failed_errno(why, -EACCES, "%s %s", owner->init ? "eaccess" : "exec", *out);
	builder_close(&b);
	return rc;
}

/* config.json's filter, below all that the process may install itself; NULL without one. */
static int make_filter(const struct boot_config *c, struct seccomp_filter **out)
{
	size_t size = c->seccomp_count * sizeof(struct linux_sock_filter);
	struct linux_sock_filter *insns;

	*out = NULL;
	if (!c->seccomp_count)
		return 0;
	insns = malloc(size);
	if (!insns)
		return -ENOMEM;
	memcpy(insns, c->seccomp, size);
	return seccomp_filter_new(insns, c->seccomp_count, out);
}

/* One filter on a new task is within every limit. */
static void attach_filter(const struct boot_config *c, struct task *t, struct seccomp_filter *f)
{
	int rc = seccomp_attach(t, f, c->seccomp_log ? LINUX_SECCOMP_FILTER_FLAG_LOG : 0);

	assert(rc == 0);
	(void)rc;
}

struct preparation {
	const struct sandbox_container *owner;
	const struct boot_process *process;
	struct boot_failure *why;
};

static int set_schedule(const struct boot_schedule *s, struct task *t)
{
	const struct linux_sched_attr attr = {
		.size = sizeof(attr),
		.policy = (uint32_t)s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};

	return s->policy < 0 ? 0 : sched_attr_apply(t, &attr);
}

static int prepare_task(void *arg, struct task *t)
{
	struct preparation *p = arg;
	int rc = set_schedule(&p->process->schedule, t);

	if (rc < 0)
		return boot_failed_errno(p->why, rc, "process.scheduler");
	t->io_priority = (uint16_t)p->process->io_priority;
	t->personality = p->owner->config.personality;
	return 0;
}

int boot_create_process(struct sandbox_container *owner, const struct boot_process *process,
			struct fd_table *fds, struct task_cgroup *cgroup,
			void (*on_exit)(void *, int), void *arg, struct thread_group **out,
			struct boot_failure *why)
{
	struct preparation preparation = { owner, process, why };
	struct boot_refusal refusal = { 0 };
	struct create_process_args args = {
		.argv = (const char *const *)process->args.items,
		.cwd = process->cwd,
		.umask = process->umask,
		.fds = fds,
		.mounts = owner->mounts,
		.pid_ns = owner->pid_ns,
		.uts = owner->uts,
		.ipc = owner->ipc,
		.time = owner->time,
		.prepare = prepare_task,
		.prepare_arg = &preparation,
		.refused = boot_refused,
		.refused_arg = &refusal,
		.container = owner->members,
		.cgroup = cgroup,
		.oom_score_adj = process->has_oom_score_adj ? process->oom_score_adj : 0,
		.on_exit = on_exit,
		.on_exit_arg = arg,
	};
	struct credentials *cred;
	struct seccomp_filter *filter;
	struct boot_env env;
	char *filename = NULL;
	int rc;

	rc = boot_env_make(owner, process, &env);
	if (rc < 0)
		return rc;
	args.envv = env.items;
	rc = make_filter(&owner->config, &filter);
	if (rc < 0) {
		boot_env_free(&env);
		return boot_failed(why, rc, "linux.seccomp: the filter is not valid");
	}
	rc = make_credentials(owner, process, &cred, why);
	if (rc < 0) {
		seccomp_filter_free(filter);
		boot_env_free(&env);
		return rc;
	}
	set_limits(process, args.limits);
	rc = check_cwd(owner, process, why);
	if (rc == 0)
		rc = find_program(owner, process, cred, &filename, why);
	if (rc == 0) {
		args.cred = refusal.cred = cred;
		args.filename = refusal.filename = filename;
		rc = kernel_create_process(owner->kernel, &args, out);
		if (rc < 0)
			boot_failed_errno(why, rc, "exec %s", filename);
	}
	if (rc == 0 && filter)
		attach_filter(&owner->config, (*out)->leader, move_ptr(filter));
	seccomp_filter_free(filter);
	free(filename);
	boot_env_free(&env);
	credentials_put(cred);
	return rc;
}
