/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory notification, fcntl(F_NOTIFY): a signal to the open directory's owner when something in it
 * changes.  A request is of an open file and the FD table by which it was made; closing a
 * descriptor of that file in that table takes it back.  Lock: inotify's.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct fd_table;
struct file;

extern _Atomic bool dnotify_enabled; /* fs.dir-notify-enable */

/* @what: LINUX_DN_*; added to what the same request had.  @fd is named by the signals.  -ENOMEM. */
int dnotify_add(struct file *file, const struct fd_table *table, int fd, uint32_t what) MUST_CHECK;
/* Requests of @file made by @table, or all (NULL). */
void dnotify_forget(struct file *file, const struct fd_table *table);
