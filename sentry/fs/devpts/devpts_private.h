/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of sentry/fs/devpts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/fs/devpts/devpts.h"
#include "sentry/vfs/fs_config.h"
#include "util/lock.h"

struct setattr;
struct super_block;

#define DEVPTS_MAGIC 0x1cd1
#define DEVPTS_MAX (1U << 20)
/* Of all instances together: what kernel.pty.max and kernel.pty.reserve say. */
#define DEVPTS_TOTAL_MAX 4096
#define DEVPTS_TOTAL_RESERVED 1024
#define DEVPTS_ROOT_INO 1
#define DEVPTS_PTMX_INO 2
#define DEVPTS_FIRST_INO 3

struct devpts_options {
	uint32_t ptmx_mode, mode, uid, gid, max;
	bool has_uid, has_gid;
};

struct devpts_slot {
	bool used;
	struct pty *pty; /* reference while it has a name; NULL: only the number is in use */
};

struct devpts {
	struct super_block *sb; /* whose private_data this is */
	struct mutex lock;	/* LOCK_RANK_FS_PRIVATE */
	struct devpts_options options; /* lock; changed by a remount */
	struct devpts_slot *slots; /* by number; lock */
	uint32_t slot_count;	   /* lock */
};

/* inode_ops.setattr of all that is here: modes, owners and times are kept in the inode. */
int devpts_setattr(struct inode *inode, const struct setattr *attr);

/* Of the file system type; config->options is a struct devpts_options. */
#define DEVPTS_OPTION_COUNT 6
extern const struct fs_option devpts_option_table[DEVPTS_OPTION_COUNT];
int devpts_begin(struct fs_config *config) MUST_CHECK;
int devpts_set(struct fs_config *config, const struct fs_option_value *value) MUST_CHECK;
void devpts_end(struct fs_config *config);
void devpts_format_options(const struct devpts_options *o, char *buf, size_t size);
