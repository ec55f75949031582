/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings.  A directory without an upper is listed by the lower.  Any other is
 * merged into a list of its own when read from the start, which the open file keeps:
 * entry n is position n + DIR_EMIT_FIRST.  Protected by the file's position lock.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"
#include "sentry/vfs/dir_emit.h"
#include "util/hash.h"

/* --- merging ----------------------------------------------------------------------------- */

struct collector {
	struct dir_context ctx; /* first */
	struct overlay_listing *listing;
};

static bool is_dots(const char *name, size_t size)
{
	return name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'));
}

static bool has_entry(struct overlay_listing *l, const char *name)
{
	struct hash_node *at;

	hash_table_for_each_hash(at, &l->names, hash_string(name))
	{
		if (!strcmp(container_of(at, struct overlay_entry, node)->name, name))
			return true;
	}
	return false;
}

/* An upper entry's number and whether it is a whiteout; the upper's lock is held by iterate. */
static bool collect(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
		    uint64_t ino, uint32_t d_type)
{
	struct overlay_listing *l = ((struct collector *)ctx)->listing;
	struct overlay_entry *e;

	if (is_dots(name, name_size))
		return true;
	e = calloc(1, sizeof(*e) + name_size + 1);
	if (!e) {
		l->error = -ENOMEM;
		return false;
	}
	memcpy(e->name, name, name_size);
	e->ino = ino;
	e->type = d_type;
	if (l->lower_part && has_entry(l, e->name)) {
		free(e);
		return true;
	}
	hash_table_insert(&l->names, &e->node, hash_string(e->name));
	*l->tail = e;
	l->tail = &e->next;
	l->count++;
	return true;
}

/* Numbers and whiteouts of upper entries, once the upper's own lock is free again. */
static void resolve_upper(struct overlay_listing *l)
{
	for (struct overlay_entry *e = l->first; e; e = e->next) {
		struct inode *inode = NULL;

		if (overlay_layer_lookup(l->upper, e->name, &inode) < 0)
			continue;
		e->whiteout = overlay_is_whiteout(inode);
		e->ino = overlay_upper_ino(inode);
		inode_put(inode);
	}
}

static int collect_layer(struct inode *dir, struct overlay_listing *l)
{
	struct collector c = { .ctx.emit = collect, .listing = l };
	struct file *file;
	int rc = overlay_open_real(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &file);

	if (rc < 0)
		return rc;
	for (;;) {
		uint64_t before = c.ctx.pos;

		rc = file->ops->iterate(file, &c.ctx);
		if (rc < 0 || l->error || c.ctx.pos == before)
			break;
	}
	file_put(file);
	return rc < 0 ? rc : l->error;
}

void overlay_listing_free(struct overlay_listing *l)
{
	struct overlay_entry *e, *next;

	if (!l)
		return;
	for (e = l->first; e; e = next) {
		next = e->next;
		free(e);
	}
	hash_table_destroy(&l->names);
	free(l);
}

static bool hides_lower(struct inode *upper)
{
	return upper->ops->getxattr(upper, OVERLAY_XATTR_OPAQUE, NULL, 0) > 0;
}

int overlay_list(struct inode *dir, struct overlay_listing **out)
{
	struct overlay_listing *l = calloc(1, sizeof(*l));
	struct inode *lower = overlay_node(dir)->lower;
	int rc = 0;

	if (!l)
		return -ENOMEM;
	hash_table_init(&l->names);
	l->tail = &l->first;
	l->upper = overlay_upper(dir);
	if (l->upper) {
		rc = collect_layer(l->upper, l);
		if (rc == 0)
			resolve_upper(l);
	}
	l->lower_part = true;
	if (rc == 0 && lower && !(l->upper && hides_lower(l->upper)))
		rc = collect_layer(lower, l);
	if (rc < 0) {
		overlay_listing_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

/* --- the open directory -------------------------------------------------------------------- */

struct open_dir {
	struct file *lower;	       /* listed by the lower */
	struct overlay_listing *list;  /* or merged */
	struct overlay_entry *at;      /* the entry of position at_pos */
	uint64_t at_pos;
};

struct skipping {
	struct dir_context ctx; /* first */
	struct dir_context *to;
};

/* The lower's own dots are not the overlay's. */
static bool emit_through(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
			 uint64_t ino, uint32_t d_type)
{
	struct skipping *s = (struct skipping *)ctx;

	if (is_dots(name, name_size))
		return true;
	return s->to->emit(s->to, name, name_size, next_pos, ino, d_type);
}

static int iterate_lower(struct open_dir *o, struct dir_context *ctx)
{
	struct skipping s = { .ctx = { .pos = ctx->pos, .emit = emit_through }, .to = ctx };
	int rc = o->lower->ops->iterate(o->lower, &s.ctx);

	ctx->pos = s.ctx.pos;
	return rc;
}

static void seek_entry(struct open_dir *o, uint64_t pos)
{
	if (!o->at || o->at_pos > pos) {
		o->at = o->list->first;
		o->at_pos = DIR_EMIT_FIRST;
	}
	for (; o->at && o->at_pos < pos; o->at_pos++)
		o->at = o->at->next;
}

static int iterate_list(struct open_dir *o, struct dir_context *ctx)
{
	seek_entry(o, ctx->pos);
	while (o->at) {
		struct overlay_entry *e = o->at;

		if (e->whiteout)
			ctx->pos = o->at_pos + 1;
		else if (!dir_emit(ctx, e->name, strlen(e->name), o->at_pos + 1, e->ino, e->type))
			break;
		o->at = e->next;
		o->at_pos++;
	}
	return 0;
}

static void forget(struct open_dir *o)
{
	file_put(o->lower);
	overlay_listing_free(o->list);
	*o = (struct open_dir){ 0 };
}

/* At the start, and where nothing is kept: look at the layers anew. */
static int prepare(struct file *file, struct open_dir *o)
{
	forget(o);
	if (!overlay_upper(file->inode))
		return overlay_open_real(overlay_node(file->inode)->lower,
					 LINUX_O_RDONLY | LINUX_O_DIRECTORY, &o->lower);
	return overlay_list(file->inode, &o->list);
}

static int overlay_iterate(struct file *file, struct dir_context *ctx)
{
	struct open_dir *o = file->private_data;
	int rc = 0;

	if (ctx->pos == 0 || (!o->lower && !o->list))
		rc = prepare(file, o);
	if (rc < 0)
		return rc;
	if (!dir_emit_dots(file, ctx))
		return 0;
	return o->lower ? iterate_lower(o, ctx) : iterate_list(o, ctx);
}

static void overlay_dir_release(struct file *file)
{
	forget(file->private_data);
	free(file->private_data);
}

static int overlay_dir_fsync(struct file *file, bool data_only)
{
	return 0;
}

static const struct file_ops overlay_dir_file_ops = {
	.iterate = overlay_iterate,
	.llseek = vfs_llseek_cookie,
	.fsync = overlay_dir_fsync,
	.release = overlay_dir_release,
};

int overlay_open_dir(struct inode *inode, struct file *file)
{
	file->private_data = calloc(1, sizeof(struct open_dir));
	if (!file->private_data)
		return -ENOMEM;
	file->ops = &overlay_dir_file_ops;
	return 0;
}
