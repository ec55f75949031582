/* SPDX-License-Identifier: Apache-2.0 */
/* Giving new files their FDs, for calls that return one or two. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"

struct file;
struct task;

/* Installs @file at the lowest free FD and puts the caller's reference, on failure too. */
int64_t install_new_file(struct task *t, struct file *file, bool close_on_exec) MUST_CHECK;
/* Two files, their FDs stored as int[2] at @out; takes both references. */
int64_t install_file_pair(struct task *t, struct file *first, struct file *second,
			  bool close_on_exec, guest_addr_t out) MUST_CHECK;
