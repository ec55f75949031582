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
struct fs_config;
struct kernel;
struct pid_namespace;
struct super_block;
struct task;

/* Registers the file system type and the files behind namespaces; once, at boot, after kernel_new. */
int proc_init(struct kernel *k) MUST_CHECK;
/* For a container's own mount, made before it has a task: the processes that @config's will show. */
void proc_config_set_namespace(struct fs_config *config, struct pid_namespace *ns);
/* The process whose directory @file is, as a reference; -EBADF: it is none, -ESRCH: gone. */
int proc_task_of_directory(const struct file *file, struct task **out) MUST_CHECK;
