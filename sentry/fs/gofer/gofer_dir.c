/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing directories.  An open directory holds one batch of entries with their
 * attributes; those also go to the child cache, under the directory's lock, so
 * that no name removed meanwhile comes back.  A host cookie c is position c + 2,
 * except for the huge ones (ext4's hashes end at INT64_MAX), which are themselves.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/vfs/dir_emit.h"
#include "util/cleanup.h"

#define COOKIE_HUGE (1ull << 62)

struct listing {
	struct gofer_batch batch; /* what is left of it */
	uint64_t next;		  /* position of the first entry left */
	bool valid;
	uint64_t buffer[];
};

static uint64_t cookie_to_position(uint64_t cookie)
{
	return cookie < COOKIE_HUGE ? cookie + DIR_EMIT_FIRST : cookie;
}

static uint64_t position_to_cookie(uint64_t position)
{
	return position < COOKIE_HUGE + DIR_EMIT_FIRST ? position - DIR_EMIT_FIRST : position;
}

int gofer_op_open_dir(struct inode *inode, struct file *file)
{
	(void)inode;
	file->ops = &gofer_dir_file_ops;
	return 0;
}

static void gofer_dir_release(struct file *file)
{
	free(file->private_data);
}

/* The node that came with a first batch by name. */
static int adopt_directory(struct gofer_fs *fs, struct gofer_inode *g, const struct gofer_entry *entry)
{
	uint64_t none = 0;

	if (entry->attr.dev != g->dev || entry->attr.ino != g->ino) {
		gofer_release(fs->client, entry->node);
		return -ESTALE;
	}
	if (!atomic_compare_exchange_strong(&g->node, &none, entry->node))
		gofer_release(fs->client, entry->node);
	return 0;
}

static int request_batch(struct inode *dir, uint64_t cookie, uint64_t *buffer,
			 struct gofer_batch *batch)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_address address;
	uint32_t flags = fs->shared ? 0 : GOFER_READDIR_ATTR;
	bool by_name;
	int err;

	rwlock_read_lock(&fs->names);
	err = gofer_address(dir, &address);
	by_name = !err && *address.name;
	if (!err)
		err = gofer_readdir(fs->client, address.node, address.name, cookie,
				    flags | (by_name ? GOFER_READDIR_NODE : 0), buffer,
				    GOFER_READDIR_MAX, batch);
	rwlock_read_unlock(&fs->names);
	if (!err && by_name)
		err = adopt_directory(fs, gofer_inode_of(dir), &batch->directory);
	return err;
}

/* What the listing keeps: a buffer as long as the batch needs, not the longest. */
static struct listing *listing_store(struct file *file, const struct gofer_batch *batch,
				     const uint64_t *buffer, uint64_t position)
{
	struct gofer_batch rest = *batch;
	struct listing *listing;
	const char *name;
	size_t size;

	while (gofer_batch_next(&rest, &name))
		;
	size = (size_t)(rest.next - (const uint8_t *)buffer);
	listing = realloc(file->private_data, sizeof(*listing) + size);
	if (!listing)
		return NULL;
	file->private_data = listing;
	memcpy(listing->buffer, buffer, size);
	listing->batch = *batch;
	listing->batch.next = (const uint8_t *)listing->buffer;
	listing->next = position;
	listing->valid = true;
	return listing;
}

/* Protected by the file's position_lock. */
static int fetch(struct file *file, uint64_t position, struct listing **out)
{
	uint64_t cookie = position_to_cookie(position);
	AUTO_FREE uint64_t *buffer = malloc(GOFER_READDIR_MAX);
	struct inode *dir = file->inode;
	struct gofer_batch batch;
	int err;

	if (!buffer)
		return -ENOMEM;
	mutex_lock(&dir->lock);
	err = request_batch(dir, cookie, buffer, &batch);
	if (!err)
		gofer_children_add(dir, &batch, cookie);
	mutex_unlock(&dir->lock);
	if (err)
		return err;
	*out = listing_store(file, &batch, buffer, position);
	return *out ? 0 : -ENOMEM;
}

/* Delivers what is left of the batch; false when the guest's buffer is full. */
static bool emit_batch(struct gofer_fs *fs, struct listing *listing, struct dir_context *ctx)
{
	struct gofer_batch *batch = &listing->batch;
	const struct gofer_dirent *entry;
	const char *name;

	while ((entry = gofer_batch_next(batch, &name))) {
		uint64_t dev = entry->has_attr ? entry->attr.dev : batch->directory.attr.dev;

		if (!dir_emit(ctx, name, entry->name_length, cookie_to_position(entry->cookie),
			      gofer_ino(fs, dev, entry->attr.ino), entry->type)) {
			gofer_batch_back(batch, entry);
			return false;
		}
		listing->next = ctx->pos;
	}
	return true;
}

static int gofer_dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct gofer_fs *fs = gofer_fs_of(file->inode->sb);
	struct listing *listing = file->private_data;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (;;) {
		/* From the start a listing is always a new one: rewinddir(3). */
		if (!listing || !listing->valid || listing->next != ctx->pos ||
		    ctx->pos == DIR_EMIT_FIRST) {
			int err = fetch(file, ctx->pos, &listing);

			if (err)
				return err;
		}
		if (!emit_batch(fs, listing, ctx) || listing->batch.end)
			return 0;
		listing->valid = false;
	}
}

static int gofer_dir_fsync(struct file *file, bool data_only)
{
	struct gofer_fs *fs = gofer_fs_of(file->inode->sb);
	uint64_t node;
	int err;

	if (fs->sb->read_only)
		return 0;
	err = gofer_node(file->inode, &node);
	return err ? err : gofer_fsync(fs->client, node, data_only);
}

const struct file_ops gofer_dir_file_ops = {
	.release = gofer_dir_release,
	.llseek = vfs_llseek_cookie,
	.iterate = gofer_dir_iterate,
	.fsync = gofer_dir_fsync,
};
