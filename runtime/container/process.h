/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host processes named by pid and start time, so that a pid used again by another process is
 * never taken for ours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

struct process_id {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot; field 22 of /proc/PID/stat */
};

/* Fills start_time of a process that is certain to exist.  0 or a negative errno. */
int process_identify(pid_t pid, struct process_id *out) MUST_CHECK;
bool process_same(const struct process_id *a, const struct process_id *b);
/* False for a zombie too. */
bool process_alive(const struct process_id *process);
/* A pidfd of the process if it is alive, else -ESRCH. */
int process_open(const struct process_id *process) MUST_CHECK;
/* SIGKILL, and waits until it has ended (at most @timeout_ms): 0, -ESRCH or -ETIMEDOUT. */
int process_kill(const struct process_id *process, int timeout_ms) MUST_CHECK;
/* 1: has ended, 0: time is over. @timeout_ms < 0: no limit. */
int process_wait_pidfd(int pidfd, int timeout_ms) MUST_CHECK;
