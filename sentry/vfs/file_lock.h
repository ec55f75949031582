/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory locks on files: POSIX (owner: an fd table), OFD and flock (owner: an
 * open file description).  One mutex guards all of them, since deadlock detection
 * looks at every waiter; each inode with locks has a queue that waiters sleep on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct fd_table;
struct file;
struct inode;

enum file_lock_kind { FILE_LOCK_POSIX, FILE_LOCK_OFD, FILE_LOCK_FLOCK };

struct file_lock_request {
	enum file_lock_kind kind;
	bool exclusive;
	bool any_of_owner;   /* file_lock_test: asks for what the owner has, not for what is in its way */
	uint64_t start, end; /* last byte included; UINT64_MAX... INT64_MAX is the end of file */
	const void *owner;   /* fd_table or file */
	int32_t pid;	     /* tgid of the requester in the sandbox's first namespace; -1 for OFD */
};

/* What /proc/locks says of a lock, of a lease, or of who waits for one. */
struct lock_line {
	enum lock_line_kind {
		LOCK_LINE_POSIX, LOCK_LINE_OFD, LOCK_LINE_FLOCK, LOCK_LINE_LEASE,
		LOCK_LINE_LEASE_BREAKING,
		LOCK_LINE_LEASE_BREAKER, /* without dev and ino */
	} kind;
	unsigned depth;	     /* 0: it is held; else who waits, with so many before it */
	int type;	     /* LINUX_F_*LCK */
	int32_t pid;	     /* as above */
	uint64_t dev, ino;
	uint64_t start, end; /* last byte included; INT64_MAX is the end of file */
};
typedef void (*lock_line_fn)(const struct lock_line *line, void *arg);
/* Every lock, each followed by those who wait for it.  @show runs under a lock of LOCK_RANK_FS_PRIVATE. */
void file_locks_list(lock_line_fn show, void *arg);
/* Those that were taken by @file and are its own or of @files, as /proc/PID/fdinfo shows them. */
void file_locks_of(const struct file *file, const struct fd_table *files, lock_line_fn show, void *arg);

/* Sets, replaces or splits.  @wait: sleeps until granted.  -EAGAIN, -EDEADLK, -ENOLCK,
 * -EINTR (interrupted). */
int file_lock_set(struct file *file, const struct file_lock_request *r, bool wait) MUST_CHECK;
int file_lock_clear(struct inode *inode, const struct file_lock_request *r) MUST_CHECK;
/* The first lock that @r conflicts with or asks for, into *r (kind, exclusive, range, pid); false: none. */
bool file_lock_test(struct inode *inode, struct file_lock_request *r);
/* close(2): POSIX locks of @owner.  file_put: what the description owns. */
void file_locks_remove_posix(struct inode *inode, const struct fd_table *owner);
void file_locks_remove_file(struct file *file);
void file_locks_evict(struct inode *inode);
/* For tests. */
unsigned file_lock_count(struct inode *inode);
unsigned file_lock_waiter_count(void); /* POSIX only */
