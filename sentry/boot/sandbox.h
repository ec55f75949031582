/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox as boot puts it together: its containers, their inits, what the control server may do
 * with them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sentry/control/boot_channel.h"
#include "sentry/control/boot_config.h"
#include "sentry/control/control_server.h"
#include "sentry/kernel/kernel.h"
#include "util/list.h"
#include "util/refcount.h"

struct console;
struct notify_socket;
struct sandbox;
struct task_cgroup;

/*
 * One container of the sandbox: what its processes are made of.  It lives as long as it is in the
 * sandbox's list, and for those of its processes that are watched.
 */
struct sandbox_container {
	struct refcount refs;
	struct list_node node;		/* sandbox->containers, which has a reference; sandbox->lock */
	struct sandbox *sandbox;	/* these do not change once it is built */
	uint32_t handle;		/* as requests name it; 0: the root container */
	struct kernel *kernel;
	struct boot_config config;
	struct boot_files files;	/* what is left of them is closed when it is built */
	struct task_container *members;	/* reference: its processes */
	struct pid_namespace *pid_ns;	/* reference */
	struct uts_namespace *uts;	/* reference, or NULL: the sandbox's, as ipc */
	struct ipc_namespace *ipc;
	struct mount_namespace *mounts;
	struct time_namespace *time;	/* reference, or NULL: without offsets */
	struct thread_group *init;	/* reference */
	struct console *console;	/* reference or NULL: init's */
	struct notify_socket *notify;	/* owned, or NULL */
	int console_watch_fd;		/* of init's console, until that is made; or -1 */
	_Atomic bool started;
	bool init_exited;		/* sandbox->lock */
	int init_status;		/* wait status form; lock; does not change once exited */
	struct list_node watches;	/* struct watch; lock */
	struct list_node execs;		/* struct watch of execs with a console; lock */
};

struct sandbox {
	struct platform *platform;
	struct kernel *kernel;
	struct control_server *server;
	struct sandbox_container *root;	/* reference; does not change */
	struct list_node containers;	/* all of them; lock */
	uint32_t last_handle;		/* lock */
	int debug_log;			/* does not change; -1: none */
	_Atomic uint32_t finished;	/* futex: the root's init has ended and everybody was told */
	struct mutex lock;		/* LOCK_RANK_LEAF */
};

/* sandbox_container.c */
/* An empty one, not in the list. */
struct sandbox_container *sandbox_container_new(struct sandbox *s);
struct sandbox_container *sandbox_container_get(struct sandbox_container *c);
/* NULL is a no-op. */
void sandbox_container_put(struct sandbox_container *c);
/* A reference, or NULL. */
struct sandbox_container *sandbox_find_container(struct sandbox *s, uint32_t handle) MUST_CHECK;
/* A number that no container has had, for @c.  -EOVERFLOW. */
int sandbox_container_number(struct sandbox_container *c) MUST_CHECK;
/* It can be found from here on; the list gets a reference. */
void sandbox_container_publish(struct sandbox_container *c);
/* It cannot any more.  Whoever comes second does nothing. */
void sandbox_container_withdraw(struct sandbox_container *c);
/* The leader of its init: a reference, or NULL when it is gone. */
struct task *sandbox_container_init(struct sandbox_container *c) MUST_CHECK;
/* Its processes in the order of their pids in its namespace, as task_next_group. */
struct task *sandbox_container_next(struct sandbox_container *c, int32_t from,
				    int32_t *pid) MUST_CHECK;
/* What is left of its files is closed. */
void sandbox_container_close_files(struct sandbox_container *c);

/* What failed, in the words the user gets. */
struct boot_failure {
	char text[CONTROL_MESSAGE_SIZE];
};

/* Sets the text once (the innermost words win) and returns @code. */
int boot_failed(struct boot_failure *why, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same, with what @code means after it. */
int boot_failed_errno(struct boot_failure *why, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* boot_platform.c: starts s->platform; the root's config.platform is the one it became. */
int boot_platform(struct sandbox *s, struct boot_failure *why) MUST_CHECK;

/* boot_mounts.c: the container's file system tree. */
int boot_mounts(struct sandbox_container *c, struct boot_failure *why) MUST_CHECK;
/* boot_tree.c: paths within it, as the container's root user.  mode of what is missing:
 * a directory when @directory, else an empty file. */
int boot_make_path(struct sandbox_container *c, const char *path, bool directory,
		   struct path *out) MUST_CHECK;
int boot_find_path(struct sandbox_container *c, const char *path, struct path *out) MUST_CHECK;

/* The container's root user in its tree, for set-up. */
struct builder {
	struct vfs_context ctx;
	struct fs_context *fs;
	struct credentials *cred;
};
int builder_open(struct sandbox_container *c, struct builder *b) MUST_CHECK;
/* @ns's root in another tree. */
int builder_open_in(struct mount_namespace *mounts, struct user_namespace *ns,
		    struct builder *b) MUST_CHECK;
void builder_close(struct builder *b);

/* boot_process.c */
/* Makes c->time if the container has a time namespace of its own. */
int boot_time_namespace(struct sandbox_container *c, struct boot_failure *why) MUST_CHECK;
/*
 * The process's files: stdin, stdout, stderr and more; each entry taken is set to -1.  With a
 * terminal the first three are one host terminal, and *console is what stands for it, to be
 * started once the process exists; else NULL.
 */
int boot_fd_table(struct sandbox_container *c, const struct boot_process *process, bool is_init,
		  int *fds, size_t count, struct fd_table **out, struct console **console,
		  struct boot_failure *why) MUST_CHECK;
/* @cgroup: borrowed, or NULL: the container's own. */
int boot_create_process(struct sandbox_container *c, const struct boot_process *process,
			struct fd_table *fds, struct task_cgroup *cgroup,
			void (*on_exit)(void *, int), void *arg, struct thread_group **out,
			struct boot_failure *why) MUST_CHECK;

/* boot_refusal.c: for struct create_process_args. */
struct boot_refusal {
	const char *filename;
	const struct credentials *cred;
};
int boot_refused(void *arg, int error, struct file **out) MUST_CHECK;

/*
 * boot_cgroup.c: the process's cgroup, with stubs that whoever is at the other end of @socket has put there:
 * waits for that.  The caller lives in it (task_cgroup_leave), and has a reference.
 */
int boot_cgroup(struct sandbox_container *c, const struct boot_process *process, int socket,
		struct task_cgroup **out, struct boot_failure *why) MUST_CHECK;

/* boot_env.c: the variables of a process, NULL-terminated; boot_env_free frees what it owns. */
struct boot_env {
	const char **items; /* owned; the strings are the process's but for home */
	char *home;
};
int boot_env_make(struct sandbox_container *c, const struct boot_process *process,
		  struct boot_env *out) MUST_CHECK;
void boot_env_free(struct boot_env *env);

/* boot.c */
struct container_limits boot_limits(const struct boot_config *c);
/*
 * Everything but the files' arrival and the kernel: mounts, namespaces, init loaded and
 * stopped.  The files that are not used are closed.
 */
int boot_container(struct sandbox_container *c, void (*init_exited)(void *, int),
		   struct boot_failure *why) MUST_CHECK;

/* boot_control.c */
extern const struct control_ops sandbox_control_ops;
/* @arg: the root container; the sandbox ends. */
void sandbox_init_exited(void *arg, int wait_status);
/* The same for another one: no more than that everybody is told. */
void sandbox_tell_exit(struct sandbox_container *c, int wait_status);
/* The server hears of the end of the container's init. */
int sandbox_watch_init(struct sandbox_container *c, uint64_t token) MUST_CHECK;

/* boot_subcontainer.c: operations of the same kind */
int sandbox_op_create(void *arg, struct control_create *create, struct control_create_reply *out,
		      struct control_failure *why);
void sandbox_op_abandoned(void *arg);
int sandbox_op_destroy(void *arg, struct control_failure *why);

/* boot_debug.c: operations of the same kind */
int sandbox_op_tasks(void *arg, const struct control_tasks_request *request,
		     struct control_tasks_reply *out, struct control_failure *why);
int sandbox_op_strace(void *arg, bool on, struct control_failure *why);

/* boot_attack.c: attempts something forbidden; for tests, debug builds only. */
int64_t boot_attack_self(uint32_t what);
