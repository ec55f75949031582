/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in the container's tree while it is built: what is missing is made, as
 * the container's root.  Look-ups stay in the container by construction: this
 * is the sentry's own VFS, and its root is the container's.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"

int builder_open(struct sandbox_container *c, struct builder *b)
{
	return builder_open_in(c->mounts, c->kernel->container_user_ns, b);
}

int builder_open_in(struct mount_namespace *mounts, struct user_namespace *ns, struct builder *b)
{
	struct path root;
	int rc;

	memset(b, 0, sizeof(*b));
	b->cred = credentials_new_root(ns);
	if (!b->cred)
		return -ENOMEM;
	mount_namespace_root(mounts, &root);
	rc = fs_context_new(&root, &root, 0022, &b->fs);
	path_put(&root);
	if (rc < 0) {
		credentials_put(b->cred);
		return rc;
	}
	b->ctx = (struct vfs_context){ .cred = b->cred, .fs = b->fs, .fsize_limit = UINT64_MAX };
	return 0;
}

void builder_close(struct builder *b)
{
	fs_context_put(b->fs);
	credentials_put(b->cred);
}

/* Makes each missing directory of @path up to its last component. */
static int make_parents(const struct builder *b, char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		int rc;

		*p = '\0';
		rc = vfs_mkdir(&b->ctx, LINUX_AT_FDCWD, path, 0755);
		*p = '/';
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return 0;
}

static int make_last(const struct builder *b, const char *path, bool directory)
{
	int rc = directory ? vfs_mkdir(&b->ctx, LINUX_AT_FDCWD, path, 0755)
			   : vfs_mknod(&b->ctx, LINUX_AT_FDCWD, path, LINUX_S_IFREG | 0755, 0);

	return rc == -EEXIST ? 0 : rc;
}

int boot_make_path(struct sandbox_container *c, const char *path, bool directory, struct path *out)
{
	struct builder b;
	char *copy;
	int rc = builder_open(c, &b);

	if (rc < 0)
		return rc;
	rc = vfs_lookup(&b.ctx, LINUX_AT_FDCWD, path, LOOKUP_FOLLOW, out);
	if (rc != -ENOENT)
		goto out;
	copy = strdup(path);
	rc = copy ? make_parents(&b, copy) : -ENOMEM;
	free(copy);
	if (rc == 0)
		rc = make_last(&b, path, directory);
	if (rc == 0)
		rc = vfs_lookup(&b.ctx, LINUX_AT_FDCWD, path, LOOKUP_FOLLOW, out);
out:
	builder_close(&b);
	return rc;
}

int boot_find_path(struct sandbox_container *c, const char *path, struct path *out)
{
	struct builder b;
	int rc = builder_open(c, &b);

	if (rc < 0)
		return rc;
	rc = vfs_lookup(&b.ctx, LINUX_AT_FDCWD, path, LOOKUP_FOLLOW, out);
	builder_close(&b);
	return rc;
}
