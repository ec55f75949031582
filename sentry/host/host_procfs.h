/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's own minimal procfs, which shows the stub processes: what they use
 * of CPU and memory.  Read only by openat on a kept directory FD, with names of
 * numbers made here.
 * Host calls: openat (O_RDONLY|O_CLOEXEC, and O_PATH|O_DIRECTORY once at boot), read, pread64, close.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

struct strbuf;

struct host_usage {
	uint64_t user_ns, system_ns;	 /* CPU time of the host thread or process */
	uint64_t rss_pages;		 /* of its address space, whatever the thread */
	uint64_t minor_faults, major_faults;
};

/* Opens /proc or, where that is no procfs, /; before confinement, once.  0 or negative errno. */
int host_procfs_open(void) MUST_CHECK;
/* The same with an FD of the caller's, which is taken over. */
void host_procfs_set(int proc_fd);
/* Borrowed; -1 before host_procfs_open. */
int host_procfs_fd(void);

/* @tid 0: the whole process.  Zeroes when it is gone or @pid is 0. */
void host_procfs_usage(pid_t pid, pid_t tid, struct host_usage *out);

/* On which CPU the thread runs, or ran last; 0 when it is gone. */
int host_procfs_cpu(pid_t pid, pid_t tid);

struct host_statm {
	uint64_t rss_pages, shared_pages; /* shared: those of files and of shared memory */
};
/* Zeroes when it is gone or @pid is 0. */
void host_procfs_statm(pid_t pid, struct host_statm *out);

/*
 * Where a thread that sleeps in a system call was in user mode: -EAGAIN when it runs, -ESRCH when it is
 * gone or @pid is 0.
 */
int host_procfs_stack_pointer(pid_t pid, pid_t tid, uint64_t *out) MUST_CHECK;

/* Memory of a process from its status file, in KiB; zeroes when gone. */
struct host_memory {
	uint64_t peak_kb, size_kb, high_water_kb, rss_kb, anonymous_kb, file_kb, shmem_kb, pte_kb,
		swap_kb;
	uint64_t voluntary_switches, involuntary_switches; /* of the thread group's leader */
};
void host_procfs_memory(pid_t pid, struct host_memory *out);

/*
 * Appends a file of counters of the sentry's own network namespace ("snmp", "netstat", ...).
 * -ENOENT: not one of those, or the host has none.
 */
int host_procfs_net(const char *file, struct strbuf *out) MUST_CHECK;

/* One mapping of smaps, in KiB. */
enum host_smaps_field {
	SMAPS_RSS, SMAPS_PSS, SMAPS_PSS_DIRTY, SMAPS_SHARED_CLEAN, SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN, SMAPS_PRIVATE_DIRTY, SMAPS_REFERENCED, SMAPS_ANONYMOUS,
	SMAPS_LAZY_FREE, SMAPS_ANON_HUGE, SMAPS_SHMEM_HUGE, SMAPS_FILE_HUGE, SMAPS_SWAP,
	SMAPS_SWAP_PSS, SMAPS_LOCKED, SMAPS_FIELD_COUNT,
};
extern const char *const host_smaps_names[SMAPS_FIELD_COUNT]; /* "Rss" ... */
struct host_smaps_entry {
	uint64_t start, end;
	uint64_t kb[SMAPS_FIELD_COUNT];
};
/*
 * The first @limit mappings that end above @start, in order of address, as a malloc'ed array (NULL
 * when there are none).  -ESRCH when the process is gone.
 */
int host_procfs_smaps(pid_t pid, uint64_t start, size_t limit, struct host_smaps_entry **out,
		      size_t *count) MUST_CHECK;

/*
 * Which of the @count pages from @start are in memory (or in swap: bit 1), one byte a page.
 * 0 or negative errno.
 */
#define HOST_PAGE_PRESENT 1
#define HOST_PAGE_SWAPPED 2
int host_procfs_pages(pid_t pid, uint64_t start, size_t count, uint8_t *out) MUST_CHECK;
/* The same in the host's words, HOST_PAGEMAP_KNOWN bits of them: never where a page is. */
#define HOST_PAGEMAP_PRESENT (1ULL << 63)
#define HOST_PAGEMAP_SWAPPED (1ULL << 62)
#define HOST_PAGEMAP_FILE (1ULL << 61)
#define HOST_PAGEMAP_EXCLUSIVE (1ULL << 56)
#define HOST_PAGEMAP_KNOWN \
	(HOST_PAGEMAP_PRESENT | HOST_PAGEMAP_SWAPPED | HOST_PAGEMAP_FILE | HOST_PAGEMAP_EXCLUSIVE)
int host_procfs_pagemap(pid_t pid, uint64_t start, size_t count, uint64_t *words) MUST_CHECK;
