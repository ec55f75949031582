/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs.  A mount shows one pid namespace.  Contents are made when a file is read
 * from its beginning; names are looked up each time.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct credentials;
struct file;
struct kernel;
struct pid_namespace;
struct super_block;
struct task;

/* Registers the file system type and the files behind namespaces; once, at boot, after kernel_new. */
int proc_init(struct kernel *k) MUST_CHECK;
/* For a container's own mount, made before it has a task; mount(2) uses the caller's namespace.
 * @source: NULL for "proc". */
int proc_super_new(struct pid_namespace *ns, const char *source, const char *options,
		   const struct credentials *cred, struct super_block **out) MUST_CHECK;
/* The process whose directory @file is, as a reference; -EBADF: it is none, -ESRCH: gone. */
int proc_task_of_directory(const struct file *file, struct task **out) MUST_CHECK;
