/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/fd: magic links to open files; /proc/PID/fdinfo: their state as text. */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/permission.h"
#include "util/parse.h"

#define LINK_SIZE 64 /* what stat says of the link, whatever its target */

/* The file behind @fd of @t; NULL: not open, or the task is gone. */
static struct file *task_file(struct task *t, int32_t fd)
{
	struct fd_table *fds = t ? task_fds_get(t) : NULL;
	struct file *file = fds ? fd_table_lookup_path(fds, fd) : NULL;

	if (fds)
		fd_table_put(fds);
	return file;
}

static bool may_look(struct task *t)
{
	return proc_may_access(t, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS);
}

/* --- links ------------------------------------------------------------------------------ */

static int text_of(struct file *file, char **out)
{
	struct path p = { file->mount, file->dentry };
	char *buf;

	if (!file->ops || !file->ops->describe)
		return proc_path_text(&p, out);
	buf = malloc(VFS_PATH_MAX);
	if (!buf)
		return -ENOMEM;
	file->ops->describe(file, buf, VFS_PATH_MAX);
	*out = buf;
	return 0;
}

static int fd_readlink(const struct proc_call *c, char **out)
{
	struct file *file;
	int rc;

	if (!may_look(c->task))
		return -EACCES;
	file = task_file(c->task, c->entry->number);
	if (!file)
		return -ENOENT;
	rc = text_of(file, out);
	file_put(file);
	return rc;
}

static int fd_get_link(const struct proc_call *c, struct path *out)
{
	struct path p;
	struct file *file;

	if (!may_look(c->task))
		return -EACCES;
	file = task_file(c->task, c->entry->number);
	if (!file)
		return -ENOENT;
	p = (struct path){ file->mount, file->dentry };
	*out = path_get(&p);
	file_put(file);
	return 0;
}

/* One node for each combination of the owner's rights, which show how the file is open. */
#define FD_LINK(m) \
	{ .name = "FD", .mode = LINUX_S_IFLNK | (m), .readlink = fd_readlink, .get_link = fd_get_link }
static const struct proc_node fd_nodes[] = { FD_LINK(0), FD_LINK(0500), FD_LINK(0300), FD_LINK(0700) };

static const struct proc_node *link_node(const struct file *file)
{
	return &fd_nodes[(file->can_read ? 1 : 0) | (file->can_write ? 2 : 0)];
}

/* --- text ---------------------------------------------------------------------------------- */

static void add_position(const struct proc_call *c, struct file *file, bool cloexec,
			 struct strbuf *out)
{
	uint32_t flags = file->flags;
	uint64_t position;

	if (cloexec)
		flags |= LINUX_O_CLOEXEC;
	mutex_lock(&file->position_lock);
	position = file->position;
	mutex_unlock(&file->position_lock);
	/* a 64-bit program's files are opened with O_LARGEFILE */
	if (!file->is_path && (file->mount || file->seekable))
		flags |= LINUX_O_LARGEFILE;
	strbuf_addf(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", (long long)position,
		    flags, file->mount ? file->mount->id : 15,
		    (unsigned long long)file->inode->ino);
}

static int fdinfo_show(const struct proc_call *c, struct strbuf *out)
{
	struct fd_table *fds = task_fds_get(c->task);
	struct file *file = task_file(c->task, c->entry->number);

	if (!file || !fds) {
		if (fds)
			fd_table_put(fds);
		file_put(file);
		return -ENOENT;
	}
	add_position(c, file, fd_table_get_cloexec(fds, c->entry->number) > 0, out);
	proc_show_file_locks(c, file, fds, out);
	if (file->ops && file->ops->show_fdinfo)
		file->ops->show_fdinfo(file, out);
	file_put(file);
	fd_table_put(fds);
	return 0;
}

static const struct proc_node fdinfo_node = PROC_FILE("FDINFO", 0444, fdinfo_show);

/* --- directories ---------------------------------------------------------------------------- */

static int parse_fd(const char *name, int32_t *fd)
{
	uint32_t number;

	if ((name[0] == '0' && name[1]) || parse_u32(name, &number) < 0 || number > INT32_MAX)
		return -ENOENT;
	*fd = (int32_t)number;
	return 0;
}

static int lookup_common(struct inode *dir, const char *name, bool info, struct inode **out)
{
	struct task *t = proc_task(dir);
	struct file *file;
	int32_t fd;
	int rc = parse_fd(name, &fd);

	file = rc == 0 ? task_file(t, fd) : NULL;
	task_put(t);
	if (!file)
		return -ENOENT;
	rc = proc_child_new(dir, info ? &fdinfo_node : link_node(file), fd, out);
	if (rc == 0 && !info)
		(*out)->attr.size = LINK_SIZE;
	file_put(file);
	return rc;
}

static int fd_lookup(struct inode *dir, const char *name, struct inode **out)
{
	return lookup_common(dir, name, false, out);
}

static int fdinfo_lookup(struct inode *dir, const char *name, struct inode **out)
{
	return lookup_common(dir, name, true, out);
}

static int iterate_common(struct file *dir, struct dir_context *ctx, bool info)
{
	struct task *t = proc_task(dir->inode);
	struct fd_table *fds = t ? task_fds_get(t) : NULL;
	int fd;

	while (fds && (fd = fd_table_next(fds, (int)(ctx->pos - PROC_DYNAMIC))) >= 0) {
		struct file *file = fd_table_lookup_path(fds, fd);
		const struct proc_node *node;
		char name[16];
		bool room;

		ctx->pos = PROC_DYNAMIC + (uint64_t)fd;
		if (!file) {
			ctx->pos++;
			continue;
		}
		node = info ? &fdinfo_node : link_node(file);
		room = dir_emit(ctx, name, (size_t)snprintf(name, sizeof(name), "%d", fd),
				ctx->pos + 1, proc_child_ino(dir->inode, node, fd),
				LINUX_DT(node->mode));
		file_put(file);
		if (!room)
			break;
	}
	if (fds)
		fd_table_put(fds);
	task_put(t);
	return t ? 0 : -ENOENT;
}

static int fd_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_common(file, ctx, false);
}

static int fdinfo_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_common(file, ctx, true);
}

/* A process may look at its own FDs and mappings, whoever the directory belongs to. */
int proc_own_permission(struct inode *dir, int mask, const struct credentials *cred)
{
	int rc = inode_permission_by_mode(dir, mask, cred);
	struct task *caller = task_current();
	struct task *t;

	if (rc == 0 || !caller)
		return rc;
	t = proc_task(dir);
	if (t && t->group == caller->group)
		rc = 0;
	task_put(t);
	return rc;
}

static int fdinfo_permission(struct inode *dir, int mask, const struct credentials *cred)
{
	struct task *t = proc_task(dir);
	bool may;

	if (!t)
		return -ESRCH;
	may = may_look(t);
	task_put(t);
	return may ? inode_permission_by_mode(dir, mask, cred) : -EACCES;
}

const struct proc_dir proc_fd_dir = {
	.lookup = fd_lookup,
	.iterate = fd_iterate,
	.permission = proc_own_permission,
};
const struct proc_dir proc_fdinfo_dir = {
	.lookup = fdinfo_lookup,
	.iterate = fdinfo_iterate,
	.permission = fdinfo_permission,
};
