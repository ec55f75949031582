/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See boot_devices.h.  A /dev that is a bind mount is the operator's own: left alone.
 *
 * In a user namespace nobody may make a node: there, as with runc, each is a file system of the
 * root namespace, which owns it, mounted on an empty file.
 */
#include "sentry/boot/boot_devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/fs/tmpfs/tmpfs.h"

static bool dev_is_bind(const struct sandbox_container *c)
{
	for (uint32_t i = 0; i < c->config.mount_count; i++) {
		const struct boot_mount *m = &c->config.mounts[i];

		if (strcmp(m->type, "bind") == 0 && strcmp(m->destination, "/dev") == 0)
			return true;
	}
	return false;
}

/* A node may be deeper, as /dev/net/tun is. */
static int make_folder_of(struct sandbox_container *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct path folder;
	char *name;
	int rc;

	if (!slash || slash == path)
		return 0;
	name = strndup(path, (size_t)(slash - path));
	if (!name)
		return -ENOMEM;
	rc = boot_make_path(c, name, true, &folder);
	free(name);
	if (rc == 0)
		path_put(&folder);
	return rc;
}

static int make_device(const struct builder *b, const struct boot_device *d)
{
	struct setattr owner = { .mask = SETATTR_UID | SETATTR_GID | SETATTR_MODE };
	struct path p;
	int rc = vfs_mknod(&b->ctx, LINUX_AT_FDCWD, d->path, d->type | d->mode,
			   linux_makedev(d->major, d->minor));

	if (rc < 0)
		return rc == -EEXIST ? 0 : rc;
	rc = vfs_lookup(&b->ctx, LINUX_AT_FDCWD, d->path, 0, &p);
	if (rc < 0)
		return rc;
	owner.uid = d->uid;
	owner.gid = d->gid;
	owner.mode = d->mode;
	rc = vfs_setattr(&b->ctx, &p, &owner);
	path_put(&p);
	return rc;
}

/* --- as nodes --------------------------------------------------------------------------------- */

static int make_devices(struct sandbox_container *c, const struct builder *b, const struct path *dev,
			struct boot_failure *why)
{
	int rc = dev_populate_nodes(&b->ctx, dev);

	if (rc < 0)
		return boot_failed_errno(why, rc, "/dev");
	for (uint32_t i = 0; rc == 0 && i < c->config.device_count; i++) {
		const struct boot_device *d = &c->config.devices[i];

		rc = make_folder_of(c, d->path);
		if (rc == 0)
			rc = make_device(b, d);
		if (rc < 0)
			rc = boot_failed_errno(why, rc, "%s", d->path);
	}
	return rc;
}

/* --- in a user namespace ---------------------------------------------------------------------- */

/* A directory with no name anywhere, and root of the root namespace in it. */
struct node_store {
	struct super_block *sb;
	struct mount_namespace *mounts;
	struct builder b;
};

static void store_close(struct node_store *store)
{
	builder_close(&store->b);
	mount_namespace_put(store->mounts);
	super_block_put(store->sb);
}

static int store_open(struct sandbox_container *c, struct node_store *store)
{
	const struct tmpfs_options options = { .mode = 0755, .fs_type = "devtmpfs" };
	struct user_namespace *ns = c->kernel->root_user_ns;
	int rc = tmpfs_new(&options, ns, &store->sb);

	if (rc < 0)
		return rc;
	store->sb->source = strdup("devtmpfs");
	rc = mount_namespace_new(store->sb, MOUNT_RELATIME, ns, &store->mounts);
	if (rc == 0) {
		rc = builder_open_in(store->mounts, ns, &store->b);
		if (rc < 0)
			mount_namespace_put(store->mounts);
	}
	if (rc < 0)
		super_block_put(store->sb);
	return rc;
}

/* What is at @path already stays, as without a user namespace. */
static int mount_node(struct sandbox_container *c, struct node_store *store, const char *name,
		      const char *path)
{
	struct path node, at;
	int rc = boot_find_path(c, path, &at);

	if (rc != -ENOENT) {
		if (rc == 0)
			path_put(&at);
		return rc;
	}
	rc = vfs_lookup(&store->b.ctx, LINUX_AT_FDCWD, name, 0, &node);
	if (rc < 0)
		return rc;
	rc = boot_make_path(c, path, false, &at);
	if (rc == 0) {
		rc = vfs_mount_sb(store->sb, node.dentry, &at, MOUNT_RELATIME);
		path_put(&at);
	}
	path_put(&node);
	return rc;
}

static int mount_default(struct sandbox_container *c, struct node_store *store)
{
	char path[64];
	const char *name;
	struct path root;
	int rc;

	mount_namespace_root(store->mounts, &root);
	rc = dev_populate_nodes(&store->b.ctx, &root);
	path_put(&root);
	for (size_t i = 0; rc == 0 && (name = dev_node_name(i)) != NULL; i++) {
		snprintf(path, sizeof(path), "/dev/%s", name);
		rc = mount_node(c, store, name, path);
	}
	return rc;
}

static int mount_listed(struct sandbox_container *c, struct node_store *store)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < c->config.device_count; i++) {
		const struct boot_device *d = &c->config.devices[i];
		char name[24];
		struct boot_device inside = *d;

		snprintf(name, sizeof(name), "/listed%u", i);
		inside.path = name;
		rc = make_device(&store->b, &inside);
		if (rc == 0)
			rc = mount_node(c, store, name, d->path);
	}
	return rc;
}

static int mount_devices(struct sandbox_container *c, struct boot_failure *why)
{
	struct node_store store;
	int rc = store_open(c, &store);

	if (rc == 0) {
		rc = mount_default(c, &store);
		if (rc == 0)
			rc = mount_listed(c, &store);
		store_close(&store);
	}
	return rc < 0 ? boot_failed_errno(why, rc, "device nodes") : 0;
}

/* --- everywhere ------------------------------------------------------------------------------- */

int boot_devices(struct sandbox_container *c, struct boot_failure *why)
{
	struct builder b;
	struct path dev;
	int rc;

	if (dev_is_bind(c))
		return 0;
	rc = boot_make_path(c, "/dev", true, &dev);
	if (rc < 0)
		return boot_failed_errno(why, rc, "/dev");
	rc = builder_open(c, &b);
	if (rc < 0) {
		path_put(&dev);
		return boot_failed_errno(why, rc, "/dev");
	}
	if (c->kernel->container_user_ns == c->kernel->root_user_ns)
		rc = make_devices(c, &b, &dev, why);
	else
		rc = mount_devices(c, why);
	if (rc == 0) {
		rc = dev_populate_links(&b.ctx, &dev);
		if (rc < 0)
			rc = boot_failed_errno(why, rc, "/dev");
	}
	builder_close(&b);
	path_put(&dev);
	return rc;
}
