/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's children, the stub processes.
 * Host calls: kill, tgkill, waitid(P_PID), pidfd_open, process_vm_readv/writev,
 * epoll_create1/ctl/wait.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "sentry/host/host_procfs.h"
#include "util/compiler.h"

/* SIGKILL; a process already gone is no error.  The pid must be un-reaped. */
void host_process_kill(pid_t pid);
void host_thread_signal(pid_t tgid, pid_t tid, int signo);
/* Waits for the death of exactly @pid and reaps it; *status in wait4(2) form; *usage (or NULL): rss_pages at its most. */
int host_process_reap(pid_t pid, int *status, struct host_usage *usage) MUST_CHECK;
int host_pidfd_open(pid_t pid) MUST_CHECK;
/* Bytes moved or negative errno; stops at the first bad page. */
ssize_t host_process_read(pid_t pid, uint64_t addr, void *buf, size_t size) MUST_CHECK;
ssize_t host_process_write(pid_t pid, uint64_t addr, const void *buf, size_t size) MUST_CHECK;

/* A set of pidfds to wait on; each carries a cookie. */
int host_death_set_new(void) MUST_CHECK;
int host_death_set_add(int set, int pidfd, uint64_t cookie) MUST_CHECK;
/* No-op if absent. */
void host_death_set_remove(int set, int pidfd);
/* Sleeps until at least one died: how many cookies were stored (<= max). */
int host_death_set_wait(int set, uint64_t *cookies, int max) MUST_CHECK;
