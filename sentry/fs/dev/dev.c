/* SPDX-License-Identifier: Apache-2.0 */
/* Registration of the drivers, and the default contents of /dev. */
#include "sentry/fs/dev/dev.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/dev/dev_internal.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/vfs.h"

#define MEM_MAJOR 1
#define TTY_MAJOR 5
#define NODE_MODE (LINUX_S_IFCHR | 0666)

static const struct {
	const char *name;
	uint32_t major, minor;
} nodes[] = {
	{ "null", MEM_MAJOR, 3 },   { "zero", MEM_MAJOR, 5 },	 { "full", MEM_MAJOR, 7 },
	{ "random", MEM_MAJOR, 8 }, { "urandom", MEM_MAJOR, 9 }, { "tty", TTY_MAJOR, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	  { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },  { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

static const char *const directories[] = { "pts", "shm", "mqueue" };

int dev_init(struct kernel *k)
{
	return device_register(LINUX_S_IFCHR, MEM_MAJOR, 0, 256, "mem", dev_mem_open);
}

/* --- nodes --------------------------------------------------------------------------------- */

/* @ctx as it were with @dev for working directory and no umask. */
static int begin(const struct vfs_context *ctx, const struct path *dev, struct vfs_context *out)
{
	*out = *ctx;
	return fs_context_new(dev, dev, 0, &out->fs);
}

static int unless_there(int rc)
{
	return rc == -EEXIST ? 0 : rc;
}

int dev_add(const struct vfs_context *ctx, const struct path *dev, const char *name, uint32_t mode,
	    uint32_t major, uint32_t minor, uint32_t uid, uint32_t gid)
{
	struct setattr owner = { .mask = SETATTR_UID | SETATTR_GID, .uid = uid, .gid = gid };
	struct path p = { NULL, NULL };
	struct vfs_context at;
	int rc = begin(ctx, dev, &at);

	if (rc < 0)
		return rc;
	rc = vfs_mknod(&at, LINUX_AT_FDCWD, name, mode, linux_makedev(major, minor));
	if (rc == 0 && (uid != ctx->cred->fsuid || gid != ctx->cred->fsgid)) {
		rc = vfs_lookup(&at, LINUX_AT_FDCWD, name, 0, &p);
		if (rc == 0)
			rc = vfs_setattr(&at, &p, &owner);
		path_put(&p);
	}
	fs_context_put(at.fs);
	return rc;
}

const char *dev_node_name(size_t i)
{
	return i < ARRAY_SIZE(nodes) ? nodes[i].name : NULL;
}

int dev_populate_nodes(const struct vfs_context *ctx, const struct path *dev)
{
	struct vfs_context at;
	int rc = begin(ctx, dev, &at);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(nodes); i++)
		rc = unless_there(vfs_mknod(&at, LINUX_AT_FDCWD, nodes[i].name, NODE_MODE,
					    linux_makedev(nodes[i].major, nodes[i].minor)));
	fs_context_put(at.fs);
	return rc;
}

int dev_populate_links(const struct vfs_context *ctx, const struct path *dev)
{
	struct vfs_context at;
	int rc = begin(ctx, dev, &at);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(links); i++)
		rc = unless_there(
			vfs_symlink(&at, links[i].target, LINUX_AT_FDCWD, links[i].name));
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(directories); i++)
		rc = unless_there(vfs_mkdir(&at, LINUX_AT_FDCWD, directories[i], 0755));
	fs_context_put(at.fs);
	return rc;
}
