/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's mounts: the root file system (a writable memory layer over the
 * gofer's tree, or that tree itself), then config.json's mounts in order, then
 * devices, read-only and masked paths.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/boot/boot_copy.h"
#include "sentry/boot/boot_devices.h"
#include "sentry/boot/boot_proc_mount.h"
#include "sentry/boot/notify_socket.h"
#include "sentry/fs/gofer/gofer_fs.h"
#include "sentry/fs/gofer/gofer_volume.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/fs_config.h"
#include "util/cleanup.h"
#include "util/log.h"

static int take_attach(struct sandbox_container *c, int32_t index)
{
	if (index < 0 || (uint32_t)index >= c->files.attach_count)
		return -EINVAL;
	return move_fd(&c->files.attach[index]);
}

/* The root: what is writable in it decides --overlay. */
static int make_root(struct sandbox_container *c, struct super_block **out)
{
	/* What the container writes is host memory: never more than half of what there is. */
	const struct tmpfs_options upper_options = {
		.mode = 0755,
		.overlay_upper = true,
		.max_bytes = tmpfs_default_size(),
	};
	struct user_namespace *ns = c->kernel->root_user_ns;
	struct super_block *lower, *upper;
	int fd = take_attach(c, 0);
	int rc;

	if (fd < 0)
		return fd;
	rc = gofer_fs_new(fd, GOFER_EXCLUSIVE, ns, "root", NULL, &lower);
	if (rc < 0)
		return rc;
	if (c->config.overlay == BOOT_OVERLAY_NONE) {
		*out = lower;
		return 0;
	}
	rc = tmpfs_new(&upper_options, ns, &upper);
	if (rc < 0) {
		super_block_put(lower);
		return rc;
	}
	rc = overlay_new(lower, upper, ns, out);
	super_block_put(upper);
	super_block_put(lower);
	return rc;
}

static int make_bind(struct sandbox_container *c, const struct boot_mount *m, struct super_block **out)
{
	const struct gofer_volume_id volume = { m->volume_dev, m->volume_ino, m->volume_within,
						m->volume_within_count };
	bool follows = m->propagation & (LINUX_MS_SLAVE | LINUX_MS_SHARED);
	int fd = take_attach(c, m->attach);

	if (fd < 0)
		return fd;
	return gofer_fs_new(fd, follows ? GOFER_FOLLOWING : GOFER_SHARED, c->kernel->root_user_ns, m->source,
			    volume.ino ? &volume : NULL, out);
}

static int fill_config(struct sandbox_container *c, const struct boot_mount *m, struct fs_config *config)
{
	const char *source = m->source && *m->source ? m->source : m->type;
	const struct fs_parameter p = { "source", FS_VALUE_STRING, source };
	int rc;

	/* No task is the current one, to say whose processes are to be seen. */
	if (strcmp(m->type, "proc") == 0)
		proc_config_set_namespace(config, c->pid_ns);
	rc = fs_config_set(config, config->cred, &p);
	if (rc == 0)
		rc = fs_config_set_all(config, config->cred, m->data);
	return rc < 0 ? rc : fs_config_create(config, false);
}

static int make_typed(struct sandbox_container *c, const struct boot_mount *m, struct super_block **out)
{
	const struct file_system_type *type = file_system_find(m->type);
	struct credentials *cred;
	struct fs_config config;
	int rc;

	if (!type)
		return -ENODEV;
	cred = credentials_new_root(c->kernel->container_user_ns);
	if (!cred)
		return -ENOMEM;
	rc = fs_config_begin(type, cred, &config);
	credentials_put(cred);
	if (rc < 0)
		return rc;
	rc = fill_config(c, m, &config);
	if (rc >= 0)
		*out = super_block_get(config.sb);
	fs_config_end(&config);
	return rc;
}

static bool is_there(struct sandbox_container *c, const char *path)
{
	struct path p;

	if (boot_find_path(c, path, &p) < 0)
		return false;
	path_put(&p);
	return true;
}

/* As runc: a tmpfs over a directory of the image has that one's mode, whatever its options say. */
static int prepare_tmpfs(struct sandbox_container *c, const struct boot_mount *m,
			 const struct path *at, bool was_there,
			 struct super_block *sb)
{
	struct inode *root = sb->root->inode;
	struct inode_attr hidden;
	int rc = was_there ? vfs_getattr(at, &hidden) : 0;

	if (rc == 0 && m->copy_up)
		rc = boot_copy_tree(c, at, sb);
	if (rc == 0 && was_there) {
		mutex_lock(&root->attr_lock);
		root->attr.mode = (root->attr.mode & LINUX_S_IFMT) | (hidden.mode & 07777);
		mutex_unlock(&root->attr_lock);
	}
	return rc;
}

/* Of what is mounted on @at; 0: as it is. */
static int change_propagation(const struct path *at, uint64_t ms)
{
	const uint64_t types = LINUX_MS_SHARED | LINUX_MS_SLAVE | LINUX_MS_PRIVATE | LINUX_MS_UNBINDABLE;

	return ms & types ? vfs_change_propagation(NULL, at, ms & types, ms & LINUX_MS_REC) : 0;
}

/* By its text; where it leads to is looked at when it is known. */
static int check_destination(struct sandbox_container *c, const struct boot_mount *m,
			     struct boot_failure *why)
{
	if (strcmp(m->type, "bind") == 0)
		return boot_check_proc_bind(m->destination, why);
	if (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0)
		return boot_check_ordinary(c, m->type, m->destination, why);
	return 0;
}

static int mount_one(struct sandbox_container *c, const struct boot_mount *m, struct boot_failure *why)
{
	bool bind = strcmp(m->type, "bind") == 0;
	bool tmpfs = strcmp(m->type, "tmpfs") == 0;
	bool was_there = tmpfs && is_there(c, m->destination);
	struct super_block *sb;
	struct path at;
	int rc = check_destination(c, m, why);

	if (rc < 0)
		return rc;
	rc = bind ? make_bind(c, m, &sb) : make_typed(c, m, &sb);
	if (rc < 0)
		return rc;
	rc = boot_make_path(c, m->destination, inode_type(sb->root->inode) == LINUX_S_IFDIR, &at);
	if (rc == 0) {
		bool directory = inode_type(sb->root->inode) == LINUX_S_IFDIR;

		rc = bind ? boot_check_proc_target(c, &at, why) : 0;
		if (rc == 0 && directory != (inode_type(at.dentry->inode) == LINUX_S_IFDIR))
			rc = -ENOTDIR;
		else if (rc == 0 && tmpfs)
			rc = prepare_tmpfs(c, m, &at, was_there, sb);
		if (rc == 0)
			rc = vfs_mount_sb(sb, NULL, &at, mount_flags_from_ms(m->flags));
		if (rc == 0)
			rc = change_propagation(&at, m->propagation);
		path_put(&at);
	}
	super_block_put(sb);
	return rc;
}

static int mount_all(struct sandbox_container *c, struct boot_failure *why)
{
	for (uint32_t i = 0; i < c->config.mount_count; i++) {
		const struct boot_mount *m = &c->config.mounts[i];
		struct boot_failure inner = { "" };
		int rc = mount_one(c, m, &inner);

		if (rc < 0 && inner.text[0])
			return boot_failed(why, rc, "error mounting \"%s\" to rootfs at \"%s\": %s",
					   m->source, m->destination, inner.text);
		if (rc < 0)
			return boot_failed_errno(why, rc, "error mounting \"%s\" to rootfs at \"%s\"",
						 m->source, m->destination);
	}
	return 0;
}

static int propagate_root(struct sandbox_container *c, struct boot_failure *why)
{
	struct path p;
	int rc;

	mount_namespace_root(c->mounts, &p);
	rc = change_propagation(&p, c->config.rootfs_propagation);
	path_put(&p);
	return rc < 0 ? boot_failed_errno(why, rc, "propagation of the root file system") : 0;
}

/* A bind of the path onto itself that can only be read. */
static int make_read_only(struct sandbox_container *c, const char *name)
{
	struct path p;
	int rc = boot_find_path(c, name, &p);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc < 0)
		return rc;
	rc = vfs_bind_mount(&p, &p, true, MOUNT_READONLY);
	path_put(&p);
	return rc;
}

/* An empty directory or /dev/null over what must not be seen. */
static int mask(struct sandbox_container *c, const char *name)
{
	struct user_namespace *ns = c->kernel->container_user_ns;
	const struct tmpfs_options options = { .mode = 01777, .uid = uid_to_kernel(ns, 0),
					       .gid = gid_to_kernel(ns, 0) };
	struct path p, null;
	int rc = boot_find_path(c, name, &p);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc < 0)
		return rc;
	if (inode_type(p.dentry->inode) == LINUX_S_IFDIR) {
		struct super_block *sb;

		rc = tmpfs_new(&options, ns, &sb);
		if (rc == 0) {
			rc = vfs_mount_sb(sb, NULL, &p, MOUNT_READONLY | MOUNT_RELATIME);
			super_block_put(sb);
		}
	} else {
		rc = boot_find_path(c, "/dev/null", &null);
		if (rc == 0) {
			rc = vfs_bind_mount(&null, &p, false, 0);
			path_put(&null);
		}
	}
	path_put(&p);
	return rc;
}

static int restrict_paths(struct sandbox_container *c, struct boot_failure *why)
{
	const struct boot_strings *read_only = &c->config.readonly_paths;
	const struct boot_strings *masked = &c->config.masked_paths;

	for (uint32_t i = 0; i < read_only->count; i++) {
		int rc = make_read_only(c, read_only->items[i]);

		if (rc < 0)
			return boot_failed_errno(why, rc, "readonly path %s", read_only->items[i]);
	}
	for (uint32_t i = 0; i < masked->count; i++) {
		int rc = mask(c, masked->items[i]);

		if (rc < 0)
			return boot_failed_errno(why, rc, "mask path %s", masked->items[i]);
	}
	return 0;
}

/* The gofer, too, changes nothing any more. */
static int make_root_read_only(struct sandbox_container *c)
{
	struct path p;
	int rc = 0;

	mount_namespace_root(c->mounts, &p);
	atomic_fetch_or(&p.mount->flags, MOUNT_READONLY);
	if (c->config.overlay == BOOT_OVERLAY_NONE)
		rc = gofer_fs_seal(p.dentry->inode->sb);
	path_put(&p);
	return rc;
}

int boot_mounts(struct sandbox_container *c, struct boot_failure *why)
{
	struct super_block *root;
	struct path p;
	int rc = make_root(c, &root);

	if (rc < 0)
		return boot_failed_errno(why, rc, "root file system");
	rc = mount_namespace_new(root, MOUNT_RELATIME, c->kernel->container_user_ns, &c->mounts);
	super_block_put(root);
	if (rc < 0)
		return boot_failed_errno(why, rc, "root file system");
	rc = mount_all(c, why);
	if (rc == 0 && c->config.notify) {
		rc = notify_socket_open(c, &c->notify);
		if (rc < 0)
			rc = boot_failed_errno(why, rc, "notify socket at \"%s\"", BOOT_NOTIFY_DIRECTORY);
	}
	if (rc == 0)
		rc = boot_devices(c, why);
	if (rc == 0)
		rc = propagate_root(c, why);
	/* runc makes the working directory when the image lacks it. */
	if (rc == 0 && boot_make_path(c, c->config.process.cwd, true, &p) == 0)
		path_put(&p);
	if (rc == 0)
		rc = restrict_paths(c, why);
	if (rc == 0 && c->config.rootfs_readonly) {
		rc = make_root_read_only(c);
		if (rc < 0)
			rc = boot_failed_errno(why, rc, "read-only root file system");
	}
	return rc;
}
