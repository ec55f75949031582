/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching, statfs, and the end of a gofer file system. */
#include "config.h"

#include "sentry/fs/gofer/gofer_fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_volume.h"
#include "sentry/host/host_socket.h"
#include "util/log.h"

/* The magic number that statfs(2) shows when the host's cannot be had: 9p's, as gVisor's. */
#define GOFER_MAGIC 0x01021997

static int gofer_statfs_op(struct super_block *sb, struct statfs_result *out)
{
	struct gofer_fs *fs = gofer_fs_of(sb);
	struct gofer_statfs_reply host;
	int err = gofer_statfs(fs->client, gofer_client_root(fs->client)->node, &host);

	if (err)
		return err;
	*out = (struct statfs_result){
		.type = host.type,
		.bsize = host.block_size,
		.blocks = host.blocks,
		.bfree = host.blocks_free,
		.bavail = host.blocks_available,
		.files = host.files,
		.ffree = host.files_free,
		.fsid = sb->dev,
		.namelen = host.name_max,
		.frsize = host.fragment_size,
	};
	return 0;
}

static void fs_free(struct gofer_fs *fs)
{
	ASSERT(list_empty(&fs->cached) && list_empty(&fs->idle));
	gofer_client_free(fs->client);
	gofer_volume_leave(&fs->member);
	super_block_put(fs->volume);
	hash_table_destroy(&fs->inodes);
	rwlock_destroy(&fs->names);
	mutex_destroy(&fs->table_lock);
	free(fs);
}

static void gofer_destroy(struct super_block *sb)
{
	if (sb->private_data)
		fs_free(sb->private_data);
}

static const struct super_block_ops gofer_super_ops = {
	.statfs = gofer_statfs_op,
	.destroy = gofer_destroy,
};

/* Takes over @socket. */
static int fs_new(int socket, struct gofer_fs **out)
{
	struct gofer_fs *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs) {
		host_socket_close(socket);
		return -ENOMEM;
	}
	rwlock_init(&fs->names, LOCK_RANK_FS_PRIVATE);
	mutex_init(&fs->table_lock, LOCK_RANK_LEAF);
	hash_table_init(&fs->inodes);
	list_init(&fs->idle);
	list_init(&fs->cached);
	err = gofer_client_new(socket, &fs->client);
	if (err) {
		fs_free(fs);
		return err;
	}
	*out = fs;
	return 0;
}

/*
 * The command line saw what @id says; where the gofer serves something else (a createContainer hook has
 * mounted over it) what else is served from there has nothing to do with it.
 */
static int join_volume(struct gofer_fs *fs, const struct gofer_volume_id *id)
{
	const struct gofer_attr *root = &gofer_client_root(fs->client)->attr;
	int err;

	if (!id || root->dev != id->dev || root->ino != id->ino)
		return 0;
	err = gofer_volume_join(id, fs->sb->user_ns, &fs->member, &fs->volume);
	if (!err)
		fs->sb->dev = fs->volume->dev;
	return err;
}

static int fill_super(struct super_block *sb, const char *source, const struct gofer_volume_id *volume)
{
	struct gofer_fs *fs = gofer_fs_of(sb);
	struct inode *root;
	int err = join_volume(fs, volume);

	if (err)
		return err;

	sb->source = strdup(source);
	if (!sb->source)
		return -ENOMEM;
	sb->revalidate = fs->shared;
	sb->read_only = gofer_client_read_only(fs->client);
	err = gofer_inode_root(fs, &root);
	return err ? err : super_block_set_root(sb, root);
}

int gofer_fs_seal(struct super_block *sb)
{
	int err = gofer_client_seal(gofer_fs_of(sb)->client);

	if (!err)
		sb->read_only = true;
	return err;
}

int gofer_fs_new(int socket, enum gofer_sharing sharing, struct user_namespace *user_ns,
		 const char *source, const struct gofer_volume_id *volume, struct super_block **out)
{
	struct super_block *sb;
	struct gofer_fs *fs;
	int err = fs_new(socket, &fs);

	if (err)
		return err;
	err = super_block_new(&gofer_super_ops, "gofer", GOFER_MAGIC, user_ns, &sb);
	if (err) {
		fs_free(fs);
		return err;
	}
	fs->shared = sharing != GOFER_EXCLUSIVE;
	fs->follows = sharing == GOFER_FOLLOWING;
	fs->sb = sb;
	sb->private_data = fs;
	err = fill_super(sb, source, volume);
	if (err) {
		super_block_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}
