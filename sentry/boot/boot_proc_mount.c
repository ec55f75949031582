/* SPDX-License-Identifier: Apache-2.0 */
/* See boot_proc_mount.h.  The words are runc's. */
#include "sentry/boot/boot_proc_mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/vfs.h"
#include "util/clean_path.h"

static const char *const allowed[] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",  "/proc/stat",    "/proc/swaps",
	"/proc/uptime",	 "/proc/loadavg",   "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
};

static int check_clean(const char *path, struct boot_failure *why)
{
	static const char proc[] = "/proc/";

	if (strncmp(path, proc, strlen(proc)) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (!strcmp(path, allowed[i]))
			return 0;
	}
	return boot_failed(why, -EPERM, "\"%s\" cannot be mounted because it is inside /proc", path);
}

int boot_check_proc_bind(const char *destination, struct boot_failure *why)
{
	char *path = calloc(1, strlen(destination) + 2);
	int rc;

	if (!path)
		return -ENOMEM;
	clean_path_append(path, destination);
	rc = check_clean(path, why);
	free(path);
	return rc;
}

int boot_check_proc_target(struct sandbox_container *c, const struct path *at, struct boot_failure *why)
{
	char *buffer = malloc(VFS_PATH_MAX), *path;
	struct path root;
	int rc = buffer ? 0 : -ENOMEM;

	if (rc == 0) {
		mount_namespace_root(c->mounts, &root);
		rc = vfs_path_string(at, &root, buffer, VFS_PATH_MAX, &path);
		path_put(&root);
	}
	if (rc == 0)
		rc = check_clean(path, why);
	free(buffer);
	return rc;
}

int boot_check_ordinary(struct sandbox_container *c, const char *type, const char *destination,
			struct boot_failure *why)
{
	struct builder b;
	struct path p;
	bool directory = true;
	int rc = builder_open(c, &b);

	if (rc < 0)
		return rc;
	/* What is not there is made. */
	if (vfs_lookup(&b.ctx, LINUX_AT_FDCWD, destination, 0, &p) == 0) {
		directory = inode_type(p.dentry->inode) == LINUX_S_IFDIR;
		path_put(&p);
	}
	builder_close(&b);
	return directory ? 0 : boot_failed(why, -ENOTDIR,
					   "filesystem \"%s\" must be mounted on ordinary directory", type);
}
