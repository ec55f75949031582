/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/sys: the tree that the sorted paths of sysctl_table form.  An entry's
 * number is the first row below it and its prefix the length of its own path.
 */
#include <errno.h>
#include <string.h>

#include "sentry/fs/proc/proc_internal.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/proc/sys/sysctl.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/vfs/dir_emit.h"

#define TEXT_SIZE 160
#define SYSCTL_FLAGS (PROC_PLAIN_MODE | PROC_PLAIN_FILE | PROC_FAR)

static const struct proc_node sysctl_dir_node, sysctl_read_node, sysctl_write_node;

static const struct sysctl *row_of(const struct proc_entry *e)
{
	return &sysctl_table[e->number];
}

/* --- files ------------------------------------------------------------------------------ */

static int sysctl_show(const struct proc_call *c, struct strbuf *out)
{
	const struct sysctl *s = row_of(c->entry);
	char text[TEXT_SIZE];

	if (s->show)
		return s->show(c, out);
	sysctl_text(s, text, sizeof(text));
	strbuf_addf(out, "%s\n", text);
	return 0;
}

static int sysctl_write(const struct proc_call *c, char *text, size_t size)
{
	const struct sysctl *s = row_of(c->entry);

	/* As with kernel.sysctl_writes_strict: a number is written at the beginning, or not at all. */
	if (!size || (c->pos && !s->positioned))
		return 0;
	return s->store ? s->store(c, text, size) : sysctl_store(s, text);
}

static const struct proc_node sysctl_read_node =
	PROC_CHECKED("SYSCTL", 0444, sysctl_show, SYSCTL_FLAGS);
static const struct proc_node sysctl_write_node = {
	.name = "SYSCTL",
	.mode = LINUX_S_IFREG | 0644,
	.show = sysctl_show,
	.store = sysctl_write,
	.flags = SYSCTL_FLAGS,
};

static const struct proc_node sysctl_net_node = {
	.name = "SYSCTL",
	.mode = LINUX_S_IFREG | 0644,
	.show = sysctl_show,
	.store = sysctl_write,
	.flags = SYSCTL_FLAGS | PROC_NET_ADMIN,
};
static const struct proc_node sysctl_limit_node = {
	.name = "SYSCTL",
	.mode = LINUX_S_IFREG | 0644,
	.show = sysctl_show,
	.store = sysctl_write,
	.flags = SYSCTL_FLAGS | PROC_USER_LIMIT,
};
static const struct proc_node sysctl_open_node = {
	.name = "SYSCTL",
	.mode = LINUX_S_IFREG | 0666,
	.show = sysctl_show,
	.store = sysctl_write,
	.flags = SYSCTL_FLAGS,
};

static const struct proc_node *file_node(const struct sysctl *s)
{
	if (s->mode == 0666)
		return &sysctl_open_node;
	if (!strncmp(s->path, "user/", 5))
		return &sysctl_limit_node;
	if (!strncmp(s->path, "net/", 4) && s->mode & 0222)
		return &sysctl_net_node;
	return s->mode & 0222 ? &sysctl_write_node : &sysctl_read_node;
}

/* --- owners --------------------------------------------------------------------------------- */

static bool is_of_ipc(const char *path)
{
	static const char *const rows[] = { "fs/mqueue/", "kernel/auto_msgmni", "kernel/msg",
					    "kernel/sem", "kernel/shm" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strncmp(path, rows[i], strlen(rows[i])))
			return true;
	}
	return false;
}

/* Parameters of a namespace of the caller belong to root of its owner. */
static void set_owner(struct inode *inode, const char *path, size_t prefix)
{
	struct task *t = task_current();
	enum namespace_kind kind;
	struct namespace_ref ref;
	uint32_t uid, gid;

	if (!strncmp(path, "net/", 4) && (!prefix || prefix > strlen("net/")))
		kind = NAMESPACE_NET;
	else if (is_of_ipc(path) && (!prefix || prefix > strlen("kernel/")))
		kind = NAMESPACE_IPC;
	else
		return;
	if (!t)
		return;
	ref = task_namespace_get(t, kind, false);
	if (!ref.ns)
		return;
	uid = uid_to_kernel(namespace_ref_owner(ref), 0);
	gid = gid_to_kernel(namespace_ref_owner(ref), 0);
	inode->attr.uid = uid == ID_INVALID ? 0 : uid;
	inode->attr.gid = gid == ID_INVALID ? 0 : gid;
	namespace_ref_put(ref);
}

/* --- directories --------------------------------------------------------------------------- */

/* Is @row below the directory, whose path with its slash is the first @prefix bytes of a row's? */
static bool in_directory(const struct proc_entry *dir, size_t row)
{
	return row < sysctl_count &&
	       (!dir->prefix ||
		!strncmp(sysctl_table[row].path, sysctl_table[dir->number].path, dir->prefix));
}

/* The first row of @dir; the root's entry has the index of its own table instead. */
static size_t first_row(const struct proc_entry *dir)
{
	return dir->prefix ? (size_t)dir->number : 0;
}

/* The component of @row's path that names a child of @dir; *is_dir: more follows. */
static const char *child_name(const struct proc_entry *dir, size_t row, size_t *size, bool *is_dir)
{
	const char *name = sysctl_table[row].path + dir->prefix, *slash = strchr(name, '/');

	*is_dir = slash != NULL;
	*size = slash ? (size_t)(slash - name) : strlen(name);
	return name;
}

static struct proc_entry child_of(const struct proc_entry *dir, size_t row, size_t size, bool is_dir)
{
	struct proc_entry e = { .number = (int32_t)row };

	e.node = is_dir ? &sysctl_dir_node : file_node(&sysctl_table[row]);
	e.prefix = is_dir ? dir->prefix + size + 1 : 0;
	return e;
}

static int sysctl_lookup(struct inode *inode, const char *name, struct inode **out)
{
	const struct proc_entry *dir = proc_entry(inode);

	for (size_t row = first_row(dir); in_directory(dir, row); row++) {
		size_t size;
		bool is_dir;
		const char *child = child_name(dir, row, &size, &is_dir);

		if (strlen(name) == size && !memcmp(child, name, size)) {
			struct proc_entry e = child_of(dir, row, size, is_dir);

			int rc = proc_inode_new(inode->sb, &e, out);

			if (rc == 0)
				set_owner(*out, sysctl_table[row].path, e.prefix);
			return rc;
		}
	}
	return -ENOENT;
}

/* Does @row bring the same directory as the row before it? */
static bool repeats(const struct proc_entry *dir, size_t row)
{
	size_t size, before_size;
	bool is_dir, before_dir;
	const char *name, *before;

	if (row == first_row(dir))
		return false;
	name = child_name(dir, row, &size, &is_dir);
	before = child_name(dir, row - 1, &before_size, &before_dir);
	return is_dir && before_dir && size == before_size && !memcmp(name, before, size);
}

static int sysctl_iterate(struct file *file, struct dir_context *ctx)
{
	const struct proc_entry *dir = proc_entry(file->inode);

	for (;;) {
		size_t row = first_row(dir) + (size_t)(ctx->pos - PROC_DYNAMIC), size;
		struct proc_entry e;
		const char *name;
		bool is_dir;

		if (!in_directory(dir, row))
			return 0;
		if (repeats(dir, row)) {
			ctx->pos++;
			continue;
		}
		name = child_name(dir, row, &size, &is_dir);
		e = child_of(dir, row, size, is_dir);
		if (!dir_emit(ctx, name, size, ctx->pos + 1,
			      proc_ino(e.node, 0, false, e.number, e.prefix), LINUX_DT(e.node->mode)))
			return 0;
	}
}

const struct proc_dir proc_sys_dir = { .lookup = sysctl_lookup, .iterate = sysctl_iterate };
static const struct proc_node sysctl_dir_node = PROC_SUBDIR("SYSCTL", 0555, &proc_sys_dir);
