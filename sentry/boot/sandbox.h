/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox as boot puts it together: one container, its init, what the
 * control server may do with it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sentry/control/boot_channel.h"
#include "sentry/control/boot_config.h"
#include "sentry/control/control_server.h"
#include "sentry/kernel/kernel.h"

struct console;
struct watch;

struct sandbox {
	struct boot_config config;
	struct boot_files files;
	struct platform *platform;
	struct kernel *kernel;
	struct mount_namespace *mounts;
	struct thread_group *init;	/* reference; does not change once created */
	struct control_server *server;
	_Atomic bool started;
	_Atomic uint32_t finished;	/* futex: init has ended and everybody was told */
	struct mutex lock;		/* LOCK_RANK_LEAF */
	bool init_exited;		/* lock */
	int init_status;		/* wait status form; lock; does not change once exited */
	struct list_node watches;	/* struct watch; lock */
	struct list_node execs;		/* struct watch of execs with a console; lock */
	struct console *console;	/* reference or NULL: init's; does not change once created */
	int console_watch_fd;		/* of init's console, until that is made; or -1 */
};

/* What failed, in the words the user gets. */
struct boot_failure {
	char text[CONTROL_MESSAGE_SIZE];
};

/* Sets the text once (the innermost words win) and returns @code. */
int boot_failed(struct boot_failure *why, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same, with what @code means after it. */
int boot_failed_errno(struct boot_failure *why, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* boot_platform.c: starts s->platform; s->config.platform is the one it became. */
int boot_platform(struct sandbox *s, struct boot_failure *why) MUST_CHECK;

/* boot_mounts.c: the container's file system tree. */
int boot_mounts(struct sandbox *s, struct boot_failure *why) MUST_CHECK;
/* boot_tree.c: paths within it, as the container's root user.  mode of what is missing:
 * a directory when @directory, else an empty file. */
int boot_make_path(struct sandbox *s, const char *path, bool directory, struct path *out) MUST_CHECK;
int boot_find_path(struct sandbox *s, const char *path, struct path *out) MUST_CHECK;

/* The container's root user in its tree, for set-up. */
struct builder {
	struct vfs_context ctx;
	struct fs_context *fs;
	struct credentials *cred;
};
int builder_open(struct sandbox *s, struct builder *b) MUST_CHECK;
void builder_close(struct builder *b);

/* boot_process.c */
/*
 * The process's files: stdin, stdout, stderr and more; each entry taken is set to -1.  With a
 * terminal the first three are one host terminal, and *console is what stands for it, to be
 * started once the process exists; else NULL.  @watch_fd: console_open's; taken.
 */
int boot_fd_table(struct sandbox *s, const struct boot_process *process, int *fds, size_t count,
		  int watch_fd, struct fd_table **out, struct console **console,
		  struct boot_failure *why) MUST_CHECK;
int boot_create_process(struct sandbox *s, const struct boot_process *process,
			struct fd_table *fds, bool is_init, void (*on_exit)(void *, int), void *arg,
			struct thread_group **out, struct boot_failure *why) MUST_CHECK;

/* boot_env.c: the variables of a process, NULL-terminated; boot_env_free frees what it owns. */
struct boot_env {
	const char **items; /* owned; the strings are the process's but for home */
	char *home;
};
int boot_env_make(struct sandbox *s, const struct boot_process *process,
		  struct boot_env *out) MUST_CHECK;
void boot_env_free(struct boot_env *env);

/* boot_control.c */
extern const struct control_ops sandbox_control_ops;
void sandbox_init_exited(void *arg, int wait_status);

/* boot_attack.c: attempts something forbidden; for tests, debug builds only. */
int64_t boot_attack_self(uint32_t what);
