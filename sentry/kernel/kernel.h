/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct kernel: what is one per sandbox, and the way processes come into being
 * from outside (container init, exec).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/task_container.h"
#include "sentry/kernel/task.h"

struct kernel_config {
	struct platform *platform;
	unsigned cpus;		 /* what the guest sees as online */
	const char *container_id; /* of the root container; copied, or NULL */
	struct container_limits limits; /* its own */
	int nice;		 /* of processes without a parent */
	const char *hostname, *domainname; /* copied */
	/* The first container's user namespace, copied; count 0: it is the root one. */
	const struct id_map_extent *uid_map, *gid_map;
	unsigned uid_map_count, gid_map_count;
	bool deny_setgroups; /* in that */
};

struct kernel {
	struct platform *platform;
	struct mutex tasklist_lock;	 /* LOCK_RANK_TASK_TREE */
	struct list_node groups;	 /* all thread groups; tasklist */
	uint64_t gone_user_ns, gone_system_ns; /* used by groups that have been released; tasklist */
	struct user_namespace *root_user_ns;
	/* Owns the root namespaces of the other kinds: a child of the root one, or that itself. */
	struct user_namespace *container_user_ns;
	struct pid_namespace *root_pid_ns;
	struct uts_namespace *root_uts_ns;
	struct ipc_namespace *root_ipc_ns;
	struct net_namespace *root_net_ns;
	struct cgroup_namespace *root_cgroup_ns;
	struct time_namespace *root_time_ns;
	unsigned cpus;
	_Atomic uint64_t deadline_bandwidth; /* of all SCHED_DEADLINE tasks, see sched_deadline.h */
	int nice;			 /* of new processes; does not change */
	struct task_container *root_container; /* reference; does not change */
	_Atomic unsigned paused_count;	 /* containers that are paused: kernel_pause.h */
	struct wait_queue pause_wait;	 /* woken when one no longer is */
	uint64_t boot_time_ns;		 /* CLOCK_MONOTONIC at start: uptime's zero */
	int64_t boot_realtime_sec;	 /* btime of /proc/stat */
	_Atomic uint64_t total_forks, context_switches;
};

extern const struct context_client_ops kernel_context_ops;

/* Also starts the timer service: before or after confinement, once. */
int kernel_new(const struct kernel_config *config, struct kernel **out) MUST_CHECK;
/* The one there is. */
struct kernel *kernel_get(void);

struct create_process_args {
	const char *filename;	      /* resolved against root and cwd; NULL: use file */
	struct file *file;	      /* borrowed; or NULL */
	const char *const *argv, *const *envv; /* NULL-terminated */
	const char *cwd;	      /* may be unsearchable by the user; "" means "/" */
	const struct credentials *cred; /* borrowed */
	uint32_t umask;
	struct rlimit64 limits[RLIMIT_COUNT];
	struct fd_table *fds;	      /* borrowed; shared no further: copied */
	struct mount_namespace *mounts; /* borrowed */
	struct pid_namespace *pid_ns; /* borrowed; NULL: the kernel's root */
	struct uts_namespace *uts;    /* NULL: root ones */
	struct ipc_namespace *ipc;
	struct time_namespace *time;
	/* NULL, or changes the new task before its program is loaded; an error fails the creation. */
	int (*prepare)(void *arg, struct task *t);
	void *prepare_arg;
	/*
	 * NULL, or the program to run in place of one that execve(2) refuses with @error: 0 and a
	 * file, or the error of the creation.
	 */
	int (*refused)(void *arg, int error, struct file **out);
	void *refused_arg;
	struct task_container *container;  /* borrowed; NULL: the root one */
	struct task_cgroup *cgroup;	   /* borrowed; NULL: the container's own */
	int32_t oom_score_adj;
	void (*on_exit)(void *arg, int wait_status); /* runs without locks on a pool thread */
	void *on_exit_arg;
};

/*
 * Creates a thread group without parent, its image loaded, not yet running.
 * Errors are those of execve: -ENOENT, -EACCES, -ENOEXEC, -EISDIR ...
 * Called on any sentry thread; no lock held.
 */
int kernel_create_process(struct kernel *k, const struct create_process_args *args,
			  struct thread_group **out) MUST_CHECK;
/*
 * Somebody outside of the kernel waits for the end of a process.  @fn runs on a pool thread, without
 * locks, once; the watch is its to free.
 */
struct exit_watch {
	struct list_node node;
	void (*fn)(struct exit_watch *w, int wait_status);
};
/* 1: it has ended already, *status is how, and @w is not used.  -ESRCH: it is gone altogether. */
int thread_group_watch_exit(struct thread_group *g, struct exit_watch *w, int *status) MUST_CHECK;
/* Lets it run.  Cannot fail. */
void kernel_start_process(struct thread_group *g);
/* Ends every task (SIGKILL) of @ns and below, or of the whole kernel when NULL. */
void kernel_kill_all(struct kernel *k, struct pid_namespace *ns);

/* --- pid namespaces ---------------------------------------------------------- */

/* Counts for @kuid unless it is the first (no parent). */
int pid_namespace_new(struct pid_namespace *parent, struct user_namespace *user_ns, uint32_t kuid,
		      struct pid_namespace **out) MUST_CHECK;
/* Whether it has, or had, an init. */
bool pid_namespace_was_born(struct pid_namespace *ns);
struct pid_namespace *pid_namespace_get(struct pid_namespace *ns);
void pid_namespace_put(struct pid_namespace *ns);
int32_t pid_namespace_last_pid(struct pid_namespace *ns);
/* The next number is the first free one after @last. */
void pid_namespace_set_last_pid(struct pid_namespace *ns, int32_t last);

/* --- uts ---------------------------------------------------------------------- */

#define UTS_NAME_SIZE 65
struct uts_namespace {
	struct refcount refs;
	struct mutex lock; /* LOCK_RANK_LEAF */
	char nodename[UTS_NAME_SIZE], domainname[UTS_NAME_SIZE]; /* protected by lock */
	struct user_namespace *user_ns;
	uint64_t ino;
	struct namespace_count count;
};

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns);
void uts_namespace_put(struct uts_namespace *ns); /* NULL is a no-op */
/* A copy of @from, counted for @kuid; without one the root's, with neither name nor count. */
int uts_namespace_new(struct uts_namespace *from, struct user_namespace *user_ns, uint32_t kuid,
		      struct uts_namespace **out) MUST_CHECK;
/* What is too long is cut off. */
void uts_namespace_set_names(struct uts_namespace *ns, const char *nodename, const char *domainname);

/*
 * The namespaces in which the calling thread, which is no task's, builds a container: its sysctls and
 * mounts are meant for them.  NULL: the root's.  Borrowed; until the next call.
 */
void kernel_build_in(struct uts_namespace *uts, struct ipc_namespace *ipc);
struct uts_namespace *kernel_built_uts(void);
struct ipc_namespace *kernel_built_ipc(void);

/* What uname(2) and /proc/version say, in one place. */
#define GUEST_SYSNAME "Linux"
#define GUEST_RELEASE "6.12.0-moat"
#define GUEST_VERSION "#1 SMP PREEMPT_DYNAMIC moat"
#define GUEST_MACHINE "x86_64"
#define GUEST_MACHINE_32 "i686\0" /* as long as the other */
