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
#include "sentry/boot/boot_devices.h"
#include "sentry/fs/gofer/gofer_fs.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "util/cleanup.h"
#include "util/log.h"

static uint32_t mount_flags_of(uint64_t ms)
{
	static const struct {
		uint64_t ms;
		uint32_t flag;
	} map[] = {
		{ LINUX_MS_RDONLY, MOUNT_READONLY }, { LINUX_MS_NOSUID, MOUNT_NOSUID },
		{ LINUX_MS_NODEV, MOUNT_NODEV },     { LINUX_MS_NOEXEC, MOUNT_NOEXEC },
		{ LINUX_MS_NOATIME, MOUNT_NOATIME }, { LINUX_MS_NODIRATIME, MOUNT_NODIRATIME },
		{ LINUX_MS_RELATIME, MOUNT_RELATIME },
	};
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (ms & map[i].ms)
			flags |= map[i].flag;
	/* As mount(2): relative access times unless something else is asked for. */
	if (!(ms & (LINUX_MS_NOATIME | LINUX_MS_STRICTATIME)))
		flags |= MOUNT_RELATIME;
	return flags;
}

static int take_attach(struct sandbox *s, int32_t index)
{
	if (index < 0 || (uint32_t)index >= s->files.attach_count)
		return -EINVAL;
	return move_fd(&s->files.attach[index]);
}

/* The root: what is writable in it decides --overlay. */
static int make_root(struct sandbox *s, struct super_block **out)
{
	/* What the container writes is host memory: never more than half of what there is. */
	const struct tmpfs_options upper_options = {
		.mode = 0755,
		.overlay_upper = true,
		.max_bytes = tmpfs_default_size(),
	};
	struct user_namespace *ns = s->kernel->root_user_ns;
	struct super_block *lower, *upper;
	int fd = take_attach(s, 0);
	int rc;

	if (fd < 0)
		return fd;
	rc = gofer_fs_new(fd, GOFER_EXCLUSIVE, ns, "root", &lower);
	if (rc < 0)
		return rc;
	if (s->config.overlay == BOOT_OVERLAY_NONE) {
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

static int make_bind(struct sandbox *s, const struct boot_mount *m, struct super_block **out)
{
	int fd = take_attach(s, m->attach);

	if (fd < 0)
		return fd;
	return gofer_fs_new(fd, GOFER_SHARED, s->kernel->root_user_ns, m->source, out);
}

static int make_typed(struct sandbox *s, const struct boot_mount *m, struct super_block **out)
{
	const struct file_system_type *type = file_system_find(m->type);
	struct credentials *cred;
	int rc;

	if (!type)
		return -ENODEV;
	cred = credentials_new_root(s->kernel->root_user_ns);
	if (!cred)
		return -ENOMEM;
	rc = type->mount(m->source, m->data, cred, s->kernel, out);
	credentials_put(cred);
	return rc;
}

static int mount_one(struct sandbox *s, const struct boot_mount *m)
{
	bool bind = strcmp(m->type, "bind") == 0;
	struct super_block *sb;
	struct path at;
	int rc = bind ? make_bind(s, m, &sb) : make_typed(s, m, &sb);

	if (rc < 0)
		return rc;
	rc = boot_make_path(s, m->destination, inode_type(sb->root->inode) == LINUX_S_IFDIR, &at);
	if (rc == 0) {
		bool directory = inode_type(sb->root->inode) == LINUX_S_IFDIR;

		if (directory != (inode_type(at.dentry->inode) == LINUX_S_IFDIR))
			rc = -ENOTDIR;
		else
			rc = vfs_mount_sb(sb, NULL, &at, mount_flags_of(m->flags));
		path_put(&at);
	}
	super_block_put(sb);
	return rc;
}

static int mount_all(struct sandbox *s, struct boot_failure *why)
{
	for (uint32_t i = 0; i < s->config.mount_count; i++) {
		const struct boot_mount *m = &s->config.mounts[i];
		int rc = mount_one(s, m);

		if (rc < 0)
			return boot_failed_errno(why, rc, "error mounting \"%s\" to rootfs at \"%s\"",
						 m->source, m->destination);
	}
	return 0;
}

/* A bind of the path onto itself that can only be read. */
static int make_read_only(struct sandbox *s, const char *name)
{
	struct path p;
	int rc = boot_find_path(s, name, &p);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc < 0)
		return rc;
	rc = vfs_bind_mount(&p, &p, true, MOUNT_READONLY);
	path_put(&p);
	return rc;
}

/* An empty directory or /dev/null over what must not be seen. */
static int mask(struct sandbox *s, const char *name)
{
	struct path p, null;
	int rc = boot_find_path(s, name, &p);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc < 0)
		return rc;
	if (inode_type(p.dentry->inode) == LINUX_S_IFDIR) {
		struct super_block *sb;

		rc = tmpfs_new(NULL, s->kernel->root_user_ns, &sb);
		if (rc == 0) {
			rc = vfs_mount_sb(sb, NULL, &p, MOUNT_READONLY);
			super_block_put(sb);
		}
	} else {
		rc = boot_find_path(s, "/dev/null", &null);
		if (rc == 0) {
			rc = vfs_bind_mount(&null, &p, false, 0);
			path_put(&null);
		}
	}
	path_put(&p);
	return rc;
}

static int restrict_paths(struct sandbox *s, struct boot_failure *why)
{
	const struct boot_strings *read_only = &s->config.readonly_paths;
	const struct boot_strings *masked = &s->config.masked_paths;

	for (uint32_t i = 0; i < read_only->count; i++) {
		int rc = make_read_only(s, read_only->items[i]);

		if (rc < 0)
			return boot_failed_errno(why, rc, "readonly path %s", read_only->items[i]);
	}
	for (uint32_t i = 0; i < masked->count; i++) {
		int rc = mask(s, masked->items[i]);

		if (rc < 0)
			return boot_failed_errno(why, rc, "mask path %s", masked->items[i]);
	}
	return 0;
}

int boot_mounts(struct sandbox *s, struct boot_failure *why)
{
	struct super_block *root;
	struct path p;
	int rc = make_root(s, &root);

	if (rc < 0)
		return boot_failed_errno(why, rc, "root file system");
	rc = mount_namespace_new(root, MOUNT_RELATIME, s->kernel->root_user_ns, &s->mounts);
	super_block_put(root);
	if (rc < 0)
		return boot_failed_errno(why, rc, "root file system");
	rc = mount_all(s, why);
	if (rc == 0)
		rc = boot_devices(s, why);
	/* runc makes the working directory when the image lacks it. */
	if (rc == 0 && boot_make_path(s, s->config.process.cwd, true, &p) == 0)
		path_put(&p);
	if (rc == 0)
		rc = restrict_paths(s, why);
	if (rc == 0 && s->config.rootfs_readonly) {
		mount_namespace_root(s->mounts, &p);
		atomic_fetch_or(&p.mount->flags, MOUNT_READONLY);
		path_put(&p);
	}
	return rc;
}
