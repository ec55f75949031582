/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct kernel: what is one per sandbox, and the way processes come into being
 * from outside (container init, exec).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/task.h"

struct kernel_config {
	struct platform *platform;
	unsigned cpus;		 /* what the guest sees as online */
	uint64_t memory_limit;	 /* bytes; UINT64_MAX: the host's */
	int64_t pids_limit;	 /* guest tasks; <= 0: none */
	int nice;		 /* of processes without a parent */
	const char *hostname, *domainname; /* copied */
};

struct kernel {
	struct platform *platform;
	struct mutex tasklist_lock;	 /* LOCK_RANK_TASK_TREE */
	struct list_node groups;	 /* all thread groups; tasklist */
	struct user_namespace *root_user_ns;
	struct pid_namespace *root_pid_ns;
	struct uts_namespace *root_uts_ns;
	struct ipc_namespace *root_ipc_ns;
	struct net_namespace *root_net_ns;
	struct cgroup_namespace *root_cgroup_ns;
	struct time_namespace *root_time_ns;
	unsigned cpus;
	_Atomic uint64_t memory_limit;	 /* bytes; UINT64_MAX: the host's */
	_Atomic uint64_t deadline_bandwidth; /* of all SCHED_DEADLINE tasks, see sched_deadline.h */
	int nice;			 /* of new processes; does not change */
	_Atomic int64_t pids_limit, task_count;
	_Atomic bool paused;		 /* kernel_pause.h */
	struct wait_queue pause_wait;	 /* woken when it no longer is */
	uint64_t boot_time_ns;		 /* CLOCK_MONOTONIC at start: uptime's zero */
	int64_t boot_realtime_sec;	 /* btime of /proc/stat */
	_Atomic uint64_t total_forks, context_switches;
};

extern const struct context_client_ops kernel_context_ops;

/* Also starts the timer service: before or after confinement, once. */
int kernel_new(const struct kernel_config *config, struct kernel **out) MUST_CHECK;
/* The one there is. */
struct kernel *kernel_get(void);

struct container; /* opaque here: see sentry/control */

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
	const char *container_id;
	bool is_container_init;
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

/* What uname(2) and /proc/version say, in one place. */
#define GUEST_SYSNAME "Linux"
#define GUEST_RELEASE "6.12.0-moat"
#define GUEST_VERSION "#1 SMP PREEMPT_DYNAMIC moat"
#define GUEST_MACHINE "x86_64"
