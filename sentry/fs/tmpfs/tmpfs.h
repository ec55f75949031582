/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs: files in memory; and memfds, which are its files without a name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct credentials;
struct file;
struct super_block;
struct user_namespace;

struct tmpfs_options {
	uint64_t max_bytes;  /* 0: no limit */
	uint64_t max_inodes; /* 0: no limit */
	uint32_t mode;	     /* of the root directory */
	uint32_t uid, gid;   /* kernel ids */
	bool overlay_upper;  /* see super_block.below_overlay */
	bool inode64, no_swap; /* shown only: numbers have 64 bits, and the host swaps what it likes */
	const char *huge;    /* static: shown only; NULL: never */
	const char *fs_type; /* static: what mountinfo calls it; NULL: tmpfs */
};

/* @options NULL: no limits, mode 1777, root. */
int tmpfs_new(const struct tmpfs_options *options, struct user_namespace *user_ns,
	      struct super_block **out) MUST_CHECK;
/* Half of the memory, Linux's default for a mount; 0 (no limit) when that is not known. */
uint64_t tmpfs_default_size(void);
/* Registers "tmpfs" for mount(2) and prepares memfds.  @memory: what the default size limit
 * is half of, UINT64_MAX when unlimited.  Boot, once. */
int tmpfs_init(uint64_t memory, struct user_namespace *user_ns) MUST_CHECK;

/* memfd_create(2) without the FD: @name as given, @flags LINUX_MFD_*, checked. */
int memfd_new(const char *name, uint32_t flags, const struct credentials *cred,
	      struct file **out) MUST_CHECK;
