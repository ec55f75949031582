/* SPDX-License-Identifier: Apache-2.0 */
/* One read or write of an open file for a task: what all calls that do one share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;
struct io_iter;
struct task;

struct file_transfer {
	struct task *task;
	struct file *file;
	uint64_t pos;
	bool positioned;
	uint32_t rwf; /* LINUX_RWF_* */
};

/* The bytes moved, a negative errno or a restart code.  The file is open for it; may sleep. */
int64_t file_transfer(struct file_transfer *x, struct io_iter *it, bool write) MUST_CHECK;
/* LINUX_RWF_* of a call: -EOPNOTSUPP, -EINVAL. */
int file_transfer_check_flags(const struct file *file, uint32_t rwf, bool write) MUST_CHECK;
