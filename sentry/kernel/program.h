/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve needs of the layers above, as operations registered at boot: the
 * program loader and the system call dispatcher; and the types they share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/namespaces.h"
#include "util/compiler.h"

struct context;
struct file;
struct mm;
struct program;
struct task;
struct vfs_context;

/* Argument or environment strings already copied into the sentry. */
struct string_vector {
	char *bytes;	 /* count NUL-terminated strings, one after the other; owned */
	uint64_t size;
	uint32_t count;
};

struct program_identity { /* for auxv */
	uint32_t uid, euid, gid, egid; /* as the guest sees them */
	bool secure;		       /* AT_SECURE */
};

/* As declared in sentry/loader/loader.h, sentry/fs/proc/nsfs.h and sentry/syscalls/syscall.h. */
struct kernel_upcalls {
	int64_t (*syscall)(struct task *t, uint64_t nr, const uint64_t args[6]);
	/* The function of Linux in which a task that sleeps in a call does so; NULL: not known. */
	const char *(*sleep_symbol)(struct task *t, uint64_t nr, const uint64_t args[6]);
	int (*program_prepare)(const struct vfs_context *ctx, struct file *file, const char *name,
			       struct string_vector *argv, struct string_vector *envv,
			       uint64_t stack_limit, struct program **out);
	void (*program_free)(struct program *p);
	struct file *(*program_file)(struct program *p);
	const char *(*program_comm)(const struct program *p);
	int (*program_load)(struct program *p, struct mm *mm, struct context *ctx,
			    const struct program_identity *identity, uint64_t stack_limit);
	int (*program_adopt_clock)(struct mm *mm, struct context *ctx);
	/* An FD of @t for @ref, which is taken over. */
	int64_t (*namespace_open)(struct task *t, struct namespace_ref ref);
	/* No task uses @mm any more; what hangs on it goes.  NULL: nothing can. */
	void (*mm_unused)(struct mm *mm);
};

/* Static storage; once, at boot. */
void kernel_set_upcalls(const struct kernel_upcalls *upcalls);
const struct kernel_upcalls *kernel_upcalls(void);
