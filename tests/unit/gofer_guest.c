/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gofer_guest.h"

#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"

void guest_begin_part(struct guest *g, struct fixture *f, const char *part, enum gofer_sharing sharing,
		      bool read_only, const struct gofer_volume_id *volume)
{
	struct path root;
	int socket;

	memset(g, 0, sizeof(*g));
	g->f = f;
	socket = fixture_serve_socket(f, part, read_only, &g->served.thread);
	assert_int_equal(user_namespace_new_root(&g->user_ns), 0);
	g->cred = credentials_new_root(g->user_ns);
	assert_non_null(g->cred);
	assert_int_equal(gofer_fs_new(socket, sharing, g->user_ns, "/", volume, &g->sb), 0);
	assert_int_equal(mount_namespace_new(g->sb, 0, g->user_ns, &g->mounts), 0);
	mount_namespace_root(g->mounts, &root);
	assert_int_equal(fs_context_new(&root, &root, 022, &g->ctx.fs), 0);
	path_put(&root);
	assert_int_equal(fd_table_new(&g->ctx.fds), 0);
	g->ctx.cred = g->cred;
	g->ctx.fsize_limit = UINT64_MAX;
}

void guest_begin_volume(struct guest *g, struct fixture *f, enum gofer_sharing sharing,
			bool read_only, const struct gofer_volume_id *volume)
{
	guest_begin_part(g, f, "root", sharing, read_only, volume);
}

void guest_begin(struct guest *g, struct fixture *f, enum gofer_sharing sharing, bool read_only)
{
	guest_begin_volume(g, f, sharing, read_only, NULL);
}

void guest_end(struct guest *g)
{
	fd_table_put(g->ctx.fds);
	fs_context_put(g->ctx.fs);
	mount_namespace_put(g->mounts);
	super_block_put(g->sb);
	pthread_join(g->served.thread, NULL);
	credentials_put(g->cred);
	user_namespace_put(g->user_ns);
}

struct file *open_file(struct guest *g, const char *name, uint64_t flags)
{
	struct open_how how = { .flags = flags, .mode = 0640 };
	struct file *file = NULL;
	int err = vfs_open(&g->ctx, LINUX_AT_FDCWD, name, &how, &file);

	if (err)
		print_message("open %s: %s\n", name, strerror(-err));
	assert_int_equal(err, 0);
	return file;
}
