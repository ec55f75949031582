/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID/io counts: bytes and calls of read and write. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct task;
struct thread_group;

enum task_io { TASK_IO_READ_BYTES, TASK_IO_WRITE_BYTES, TASK_IO_READS, TASK_IO_WRITES, TASK_IO_COUNT };

/* A call of the current task ended with @result; what failed is a call, too. */
void task_io_count(struct task *t, bool write, int64_t result);
/* Adds what @t counted; @t may be counting. */
void task_io_add(const struct task *t, uint64_t sum[TASK_IO_COUNT]);
/* Of all threads, those that ended and children that were waited for. */
void thread_group_io(struct thread_group *g, uint64_t sum[TASK_IO_COUNT]);
