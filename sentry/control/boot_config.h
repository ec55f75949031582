/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sentry must know to build a container and its processes.  The command
 * line derives it from config.json (runtime/boot_config_build.c) and hands it over
 * as one encoded blob in a memfd; the sentry decodes it in place, so every pointer
 * below points into one block of memory owned by the receiver.  Encoder and decoder are
 * one walk over the fields (boot_config.c), so they cannot disagree.
 *
 * A decoded structure is complete: strings are never NULL and NUL-terminated, arrays have
 * the size their count says (NULL if it is 0), enumerations are in range.
 * Numeric constants are those of the guest's Linux ABI on x86_64.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

enum boot_cap_set {
	BOOT_CAP_BOUNDING,
	BOOT_CAP_EFFECTIVE,
	BOOT_CAP_INHERITABLE,
	BOOT_CAP_PERMITTED,
	BOOT_CAP_AMBIENT,
	BOOT_CAP_SET_COUNT,
};

enum boot_platform {
	BOOT_PLATFORM_ANY, /* trap, or ptrace where that cannot start */
	BOOT_PLATFORM_TRAP,
	BOOT_PLATFORM_PTRACE,
	BOOT_PLATFORM_COUNT,
};
enum boot_overlay { BOOT_OVERLAY_MEMORY, BOOT_OVERLAY_NONE, BOOT_OVERLAY_COUNT };
enum boot_network { BOOT_NETWORK_NONE, BOOT_NETWORK_HOST, BOOT_NETWORK_COUNT };

#define BOOT_SECCOMP_MAX 4096 /* BPF_MAXINSNS */

/* Where a container with `notify` has its socket, as under runc. */
#define BOOT_NOTIFY_DIRECTORY "/run/notify"
#define BOOT_NOTIFY_NAME "notify.sock"

/* @items has @count strings and a NULL after the last, as execve wants it. */
struct boot_strings {
	char **items;
	uint32_t count;
};

struct boot_rlimit {
	uint32_t resource; /* RLIMIT_* */
	uint64_t soft;
	uint64_t hard;
};

/* As in sched_setattr(2), by root; policy -1: not given. */
struct boot_schedule {
	int32_t policy;
	int32_t nice;
	uint32_t priority;
	uint64_t flags;
	uint64_t runtime, deadline, period; /* ns */
};

struct boot_process {
	char *program; /* path of the file to execute; "": args[0], looked for in PATH */
	struct boot_strings args; /* at least one */
	struct boot_strings env;
	struct boot_strings cgroups; /* of an exec: what task_cgroup_new takes; none: the container's own */
	char *cwd; /* absolute */
	uint32_t uid;
	uint32_t gid;
	uint32_t umask;
	uint32_t *additional_gids;
	uint32_t additional_gid_count;
	bool gids_of_host; /* additional_gids are the sandbox's root namespace's, and need have no name inside */
	uint64_t capabilities[BOOT_CAP_SET_COUNT]; /* bit n is capability n */
	struct boot_rlimit *rlimits;
	uint32_t rlimit_count;
	struct boot_schedule schedule;
	uint32_t io_priority; /* as in ioprio_set(2); 0: not given */
	int32_t oom_score_adj; /* valid if has_oom_score_adj */
	uint32_t extra_fd_count; /* --preserve-fds: guest FDs 3 .. 3 + n - 1 */
	bool has_oom_score_adj;
	bool no_new_privileges;
	bool exact_env; /* nothing is added to env */
	bool terminal;	     /* FD 0 of the caller is a host terminal, and the others are too */
	bool terminal_plain; /* its output has no CR before NL: the caller adds them */
};

struct boot_mount {
	char *destination; /* absolute, resolved inside the container by the sentry */
	char *type;	   /* "proc", "tmpfs", ...; "bind" for every bind mount */
	char *source;	   /* as written in config.json; may be empty */
	char *data;	   /* options that are no flag, comma separated: "mode=755,size=65536k" */
	uint64_t flags;	   /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_*ATIME, MS_REC, MS_BIND */
	uint32_t propagation; /* MS_PRIVATE etc., | MS_REC; 0 when not given */
	int32_t attach;	      /* index of the gofer attach point that serves it, or -1 */
	uint32_t copy_up;     /* of a tmpfs: not 0: it begins with what it hides */
	uint64_t volume_dev, volume_ino; /* of a bind mount: which host object it shows, as in struct
					    gofer_attr; 0: not known */
	uint64_t *volume_within; /* the directories it is in, by number, on the same file system */
	uint32_t volume_within_count;
};

struct boot_device {
	char *path;
	uint32_t type; /* S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t major;
	uint32_t minor;
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
};

/* A line of timens_offsets. */
struct boot_time_offset {
	int32_t clock; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
	uint32_t nsec;
	int64_t sec;
};

struct boot_id_map {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct boot_config {
	char *id;
	char *hostname;	  /* "" when not given */
	char *domainname; /* "" when not given */
	char *cgroups_path; /* as shown in /proc/self/cgroup of a task outside a cgroup namespace */
	struct boot_process process;

	/* Attach point 0 is the root file system; mounts name theirs. */
	struct boot_mount *mounts;
	uint32_t mount_count;
	uint32_t attach_count;
	uint64_t rootfs_propagation; /* MS_*, 0 when not given */
	struct boot_strings masked_paths;
	struct boot_strings readonly_paths;
	struct boot_device *devices; /* beyond the default ones */
	uint32_t device_count;

	uint64_t new_namespaces; /* CLONE_NEW*: those the container gets of its own */
	struct boot_id_map *uid_maps; /* of the container's own user namespace, if any */
	uint32_t uid_map_count;
	struct boot_id_map *gid_maps;
	uint32_t gid_map_count;
	bool deny_setgroups; /* in that namespace */

	struct boot_time_offset *time_offsets; /* of its own time namespace */
	uint32_t time_offset_count;
	uint32_t personality; /* as in personality(2), of every process from outside */

	struct boot_strings annotations; /* key, value, key, value, ... */
	struct boot_strings sysctl;	 /* key, value, key, value, ... */

	uint64_t *seccomp; /* struct sock_filter, not checked yet; for every process */
	uint32_t seccomp_count; /* 0: no filter */
	bool seccomp_log;

	uint64_t pids_limit;	     /* guest tasks; 0: none */
	uint64_t memory_limit;	     /* bytes; 0: none */
	uint64_t memory_swap_limit;  /* bytes, memory + swap; 0: none */
	uint64_t cpu_shares;	     /* 0: default */
	int64_t cpu_quota_us;	     /* <= 0: none */
	uint64_t cpu_period_us;	     /* 0: default */
	uint32_t cpu_count;	     /* CPUs the container may use: affinity, cpuset, quota rounded up */

	uint32_t platform; /* enum boot_platform */
	uint32_t overlay;  /* enum boot_overlay */
	uint32_t network;  /* enum boot_network */
	bool rootfs_readonly;
	bool notify; /* it has a socket to say on that it is ready (sentry/boot/notify_socket.c) */
	bool debug;
	bool strace;
	bool strict_memory; /* the trap platform's stubs make no memory call without an order */

	void *blob; /* what the pointers point into; owned */
};

/*
 * Reads the encoded configuration from @fd (a memfd; borrowed).  On success @out
 * owns its memory: boot_config_destroy.  -EPROTO: not an encoded boot_config.
 */
int boot_config_read(int fd, struct boot_config *out) MUST_CHECK;
void boot_config_destroy(struct boot_config *config);

/* The same for the process of an EXEC request.  *blob is to be freed by the caller. */
int boot_process_read(int fd, struct boot_process *out, void **blob) MUST_CHECK;

/*
 * The CLI's half: a malloc'ed blob.  -E2BIG when a limit is exceeded, -ENOMEM.
 */
int boot_config_encode(const struct boot_config *config, void **blob, size_t *size) MUST_CHECK;
int boot_process_encode(const struct boot_process *process, void **blob, size_t *size) MUST_CHECK;
