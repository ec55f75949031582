/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Program images: ELF (static, static-pie, dynamic) and #! scripts.
 *
 * Two phases, so that a failing execve leaves the caller untouched: prepare
 * opens and validates everything that can be validated without the new address
 * space; load fills a pristine mm through the context bound to it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/program.h"
#include "sentry/mm/mm.h"
#include "sentry/platform/platform.h"
#include "sentry/vfs/vfs.h"

struct program;

/*
 * @file: the executable, opened for exec (reference taken); @name: the path as
 * the caller gave it (for #! argv and AT_EXECFN).  @argv, @envv: moved from
 * (emptied) on success.  @stack_limit: RLIMIT_STACK soft, for the argument size limit.
 * Errors as execve(2): -ENOEXEC, -EACCES, -ELIBBAD, -E2BIG, -ENOENT (interpreter), -ELOOP.
 */
int program_prepare(const struct vfs_context *ctx, struct file *file, const char *name,
		    struct string_vector *argv, struct string_vector *envv, uint64_t stack_limit,
		    struct program **out) MUST_CHECK;
void program_free(struct program *p);
/* The file whose set-uid bits and capabilities count (the script's interpreter for #!). */
struct file *program_file(struct program *p); /* borrowed */
/* Base name for task->comm. */
const char *program_comm(const struct program *p);

/*
 * Maps segments, interpreter, stack, vDSO through @ctx (bound to mm->as, not
 * started or stopped) and sets @ctx's registers to the entry point.  A failure
 * after the point of no return makes the caller kill the task with SIGSEGV/SIGKILL.
 */
int program_load(struct program *p, struct mm *mm, struct context *ctx,
		 const struct program_identity *identity, uint64_t stack_limit) MUST_CHECK;

/* Builds moat's vDSO image once at boot. */
int vdso_init(struct platform *platform) MUST_CHECK;
/* Puts the vDSO that mm->clock_offsets asks for in the place of the other one; the caller is the
 * mm's only user, @ctx stopped.  An error leaves it half done. */
int program_adopt_clock(struct mm *mm, struct context *ctx) MUST_CHECK;
