/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See boot_copy.h.  Source and target are two trees, each the root of a context of its own; one
 * relative path names an object in both.
 */
#include "sentry/boot/boot_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/string_list.h"

#define DEPTH_MAX 64
#define CHUNK_SIZE (256UL * 1024)

struct copying {
	struct builder from, to;
	struct super_block *source; /* other file systems are mounts: left out */
	char *buffer;		    /* CHUNK_SIZE */
};

static int copy_directory(struct copying *c, const char *path, unsigned depth);

/* --- one object ------------------------------------------------------------------------------ */

static int copy_bytes(struct copying *c, struct file *in, struct file *out)
{
	uint64_t pos = 0;

	for (;;) {
		ssize_t n = vfs_read_kernel(in, c->buffer, CHUNK_SIZE, pos);
		struct io_iter it;
		ssize_t written;

		if (n <= 0)
			return (int)n;
		io_iter_init_buffer(&it, c->buffer, (uint64_t)n);
		written = vfs_write(out, &it, &pos, UINT64_MAX);
		if (written != n)
			return written < 0 ? (int)written : -ENOSPC;
	}
}

static int copy_file(struct copying *c, const struct path *source, const char *path)
{
	const struct open_how how = { .flags = LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_EXCL, .mode = 0600 };
	struct file *in, *out;
	int rc = vfs_open_path(&c->from.ctx, source, LINUX_O_RDONLY, &in);

	if (rc < 0)
		return rc;
	rc = vfs_open(&c->to.ctx, LINUX_AT_FDCWD, path, &how, &out);
	if (rc == 0) {
		rc = copy_bytes(c, in, out);
		file_put(out);
	}
	file_put(in);
	return rc;
}

static int copy_link(struct copying *c, const struct path *source, const char *path)
{
	AUTO_FREE char *target = NULL;
	int rc = vfs_readlink(source, &target);

	return rc < 0 ? rc : vfs_symlink(&c->to.ctx, target, LINUX_AT_FDCWD, path);
}

static int make(struct copying *c, const struct path *source, const struct inode_attr *attr,
		const char *path)
{
	switch (attr->mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		return vfs_mkdir(&c->to.ctx, LINUX_AT_FDCWD, path, 0700);
	case LINUX_S_IFREG:
		return copy_file(c, source, path);
	case LINUX_S_IFLNK:
		return copy_link(c, source, path);
	default:
		return vfs_mknod(&c->to.ctx, LINUX_AT_FDCWD, path, (attr->mode & LINUX_S_IFMT) | 0600, attr->rdev);
	}
}

/* The mode last: a change of owner takes set-id bits away. */
static int settle(struct copying *c, const struct inode_attr *attr, const char *path)
{
	struct setattr owner = { .mask = SETATTR_UID | SETATTR_GID, .uid = attr->uid, .gid = attr->gid };
	struct setattr mode = { .mask = SETATTR_MODE, .mode = attr->mode & 07777 };
	struct path made;
	int rc = vfs_lookup(&c->to.ctx, LINUX_AT_FDCWD, path, 0, &made);

	if (rc < 0)
		return rc;
	rc = vfs_setattr(&c->to.ctx, &made, &owner);
	if (rc == 0 && (attr->mode & LINUX_S_IFMT) != LINUX_S_IFLNK)
		rc = vfs_setattr(&c->to.ctx, &made, &mode);
	path_put(&made);
	return rc;
}

static int copy_object(struct copying *c, const char *path, unsigned depth)
{
	struct inode_attr attr;
	struct path source;
	int rc = vfs_lookup(&c->from.ctx, LINUX_AT_FDCWD, path, 0, &source);

	if (rc < 0)
		return rc;
	rc = vfs_getattr(&source, &attr);
	if (rc == 0 && source.dentry->sb == c->source) {
		rc = make(c, &source, &attr, path);
		if (rc == 0 && (attr.mode & LINUX_S_IFMT) == LINUX_S_IFDIR)
			rc = copy_directory(c, path, depth + 1);
		if (rc == 0)
			rc = settle(c, &attr, path);
	}
	path_put(&source);
	return rc;
}

/* --- directories ------------------------------------------------------------------------------ */

struct listing {
	struct dir_context ctx;
	struct string_list names;
	int error;
};

static bool take_name(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
		      uint64_t ino, uint32_t d_type)
{
	struct listing *l = (struct listing *)(void *)ctx;
	char *copy;

	(void)next_pos;
	(void)ino;
	(void)d_type;
	if ((name_size == 1 && name[0] == '.') || (name_size == 2 && !memcmp(name, "..", 2)))
		return true;
	copy = strndup(name, name_size);
	l->error = string_list_take(&l->names, copy);
	return l->error == 0;
}

static int list_names(struct copying *c, const char *path, struct listing *l)
{
	const struct open_how how = { .flags = LINUX_O_RDONLY | LINUX_O_DIRECTORY };
	struct file *dir;
	uint64_t before;
	int rc = vfs_open(&c->from.ctx, LINUX_AT_FDCWD, path, &how, &dir);

	if (rc < 0)
		return rc;
	do {
		before = l->ctx.pos;
		rc = vfs_iterate(dir, &l->ctx);
	} while (rc == 0 && l->error == 0 && l->ctx.pos != before);
	file_put(dir);
	return rc < 0 ? rc : l->error;
}

static int copy_directory(struct copying *c, const char *path, unsigned depth)
{
	struct listing l = { .ctx.emit = take_name };
	int rc = depth > DEPTH_MAX ? -ELOOP : list_names(c, path, &l);

	for (size_t i = 0; rc == 0 && i < l.names.count; i++) {
		char *child;

		if (asprintf(&child, "%s/%s", path, l.names.items[i]) < 0)
			rc = -ENOMEM;
		if (rc == 0) {
			rc = copy_object(c, child, depth);
			free(child);
		}
	}
	string_list_free(&l.names);
	return rc;
}

/* --- the two trees ---------------------------------------------------------------------------- */

static int open_source(struct sandbox_container *c, const struct path *from, struct builder *b)
{
	struct fs_context *fs;
	int rc = builder_open(c, b);

	if (rc < 0)
		return rc;
	rc = fs_context_new(from, from, 0, &fs);
	if (rc < 0) {
		builder_close(b);
		return rc;
	}
	fs_context_put(b->fs);
	b->fs = fs;
	b->ctx.fs = fs;
	return 0;
}

int boot_copy_tree(struct sandbox_container *container, const struct path *from, struct super_block *to)
{
	AUTO_FREE char *buffer = malloc(CHUNK_SIZE);
	struct copying c = { .source = from->dentry->sb, .buffer = buffer };
	struct user_namespace *ns = container->sandbox->kernel->container_user_ns;
	struct mount_namespace *mounts;
	int rc;

	if (!buffer)
		return -ENOMEM;
	rc = mount_namespace_new(to, 0, ns, &mounts);
	if (rc < 0)
		return rc;
	rc = builder_open_in(mounts, ns, &c.to);
	if (rc == 0) {
		rc = open_source(container, from, &c.from);
		if (rc == 0) {
			rc = copy_directory(&c, ".", 0);
			builder_close(&c.from);
		}
		builder_close(&c.to);
	}
	mount_namespace_put(mounts);
	return rc;
}
