/* SPDX-License-Identifier: Apache-2.0 */
/* Super blocks and the list of file system types; lifetime rules in super.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/super.h"
#include "sentry/vfs/vfs.h"

/* Anonymous device numbers: major 0, as Linux gives them. */
static _Atomic uint32_t next_device = 20;

int super_block_new(const struct super_block_ops *ops, const char *fs_type, uint64_t magic,
		    struct user_namespace *user_ns, struct super_block **out)
{
	struct super_block *sb = calloc(1, sizeof(*sb));

	if (!sb)
		return -ENOMEM;
	refcount_init(&sb->refs);
	sb->ops = ops;
	sb->fs_type = fs_type;
	sb->magic = magic;
	sb->dev = linux_makedev(0, atomic_fetch_add(&next_device, 1));
	sb->max_file_size = INT64_MAX;
	sb->user_ns = user_namespace_get(user_ns);
	mutex_init(&sb->rename_lock, LOCK_RANK_RENAME);
	sb->next_ino = 1;
	sb->inode_count = 1; /* the references' */
	*out = sb;
	return 0;
}

struct super_block *super_block_get(struct super_block *sb)
{
	refcount_get(&sb->refs);
	return sb;
}

void super_block_inode_added(struct super_block *sb)
{
	atomic_fetch_add(&sb->inode_count, 1);
}

void super_block_inode_gone(struct super_block *sb)
{
	if (atomic_fetch_sub(&sb->inode_count, 1) != 1)
		return;
	if (sb->ops && sb->ops->destroy)
		sb->ops->destroy(sb);
	user_namespace_put(sb->user_ns);
	mutex_destroy(&sb->rename_lock);
	free(sb->source);
	free(sb);
}

void super_block_put(struct super_block *sb)
{
	if (!sb || !refcount_put(&sb->refs))
		return;
	dentry_cache_prune(sb);
	dentry_put(sb->root);
	super_block_inode_gone(sb);
}

int super_block_set_root(struct super_block *sb, struct inode *inode)
{
	int rc = dentry_new_root(sb, inode, &sb->root);

	inode_put(inode);
	return rc;
}

/* --- types ---------------------------------------------------------------------- */

#define TYPES_MAX 32

/* Registered at boot by one thread, read-only afterwards. */
static const struct file_system_type *types[TYPES_MAX];
static unsigned type_count;

int file_system_register(const struct file_system_type *type)
{
	if (file_system_find(type->name))
		return -EBUSY;
	if (type_count == TYPES_MAX)
		return -ENOSPC;
	types[type_count++] = type;
	return 0;
}

const struct file_system_type *file_system_find(const char *name)
{
	for (unsigned i = 0; i < type_count; i++) {
		if (!strcmp(types[i]->name, name))
			return types[i];
	}
	return NULL;
}

void file_system_for_each(void (*fn)(const struct file_system_type *, void *), void *arg)
{
	for (unsigned i = 0; i < type_count; i++)
		fn(types[i], arg);
}
