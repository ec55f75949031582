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
	uint64_t start, end; /* last byte included; UINT64_MAX... INT64_MAX is the end of file */
	const void *owner;   /* fd_table or file */
	int32_t pid;	     /* tgid of the requester, for F_GETLK; -1 for OFD */
};

/* Sets, replaces or splits.  @wait: sleeps until granted.  -EAGAIN, -EDEADLK, -ENOLCK,
 * -EINTR (interrupted). */
int file_lock_set(struct file *file, const struct file_lock_request *r, bool wait) MUST_CHECK;
int file_lock_clear(struct inode *inode, const struct file_lock_request *r) MUST_CHECK;
/* The first lock that @r conflicts with, into *r (kind, exclusive, range, pid); false: none. */
bool file_lock_test(struct inode *inode, struct file_lock_request *r);
/* close(2): POSIX locks of @owner.  file_put: what the description owns. */
void file_locks_remove_posix(struct inode *inode, const struct fd_table *owner);
void file_locks_remove_file(struct file *file);
void file_locks_evict(struct inode *inode);
/* For tests. */
unsigned file_lock_count(struct inode *inode);
unsigned file_lock_waiter_count(void); /* POSIX only */
