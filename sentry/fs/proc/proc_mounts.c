/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts, mountinfo and mountstats: the mounts below the process's root.  poll
 * reports changes of the namespace since the file was last polled.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/fs/proc/proc_internal.h"

#define SPECIAL " \t\n\\#"

struct mount_list {
	struct mount_info *infos; /* owned */
	size_t count;
};

static int list_mounts(struct task *t, struct mount_list *out)
{
	struct namespaces *ns = task_namespaces_get(t);
	struct fs_context *fs = task_fs_get(t);
	struct path root = { NULL, NULL };
	int rc = -EINVAL; /* as Linux has it for a zombie */

	if (ns && fs) {
		mutex_lock(&fs->lock);
		root = path_get(&fs->root);
		mutex_unlock(&fs->lock);
		rc = mount_namespace_list(ns->mount, &root, &out->infos, &out->count);
		path_put(&root);
	}
	fs_context_put(fs);
	namespaces_put(ns);
	return rc;
}

static void add_flags(const struct mount_info *m, struct strbuf *out)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} names[] = {
		{ MOUNT_NOSUID, ",nosuid" },	     { MOUNT_NODEV, ",nodev" },
		{ MOUNT_NOEXEC, ",noexec" },	     { MOUNT_NOATIME, ",noatime" },
		{ MOUNT_NODIRATIME, ",nodiratime" }, { MOUNT_RELATIME, ",relatime" },
		{ MOUNT_NOSYMFOLLOW, ",nosymfollow" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (m->flags & names[i].flag)
			strbuf_add(out, names[i].text);
	}
}

static void add_super_flags(const struct mount_info *m, struct strbuf *out)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} names[] = {
		{ LINUX_MS_SYNCHRONOUS, ",sync" },
		{ LINUX_MS_DIRSYNC, ",dirsync" },
		{ LINUX_MS_MANDLOCK, ",mand" },
		{ LINUX_MS_LAZYTIME, ",lazytime" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (m->sb_flags & names[i].flag)
			strbuf_add(out, names[i].text);
	}
}

static void add_source(const struct mount_info *m, struct strbuf *out)
{
	if (m->source)
		proc_add_escaped(out, m->source, SPECIAL);
	else
		strbuf_add(out, "none");
}

int proc_show_mounts(const struct proc_call *c, struct strbuf *out)
{
	struct mount_list list = { NULL, 0 };
	int rc = list_mounts(c->task, &list);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		const struct mount_info *m = &list.infos[i];

		add_source(m, out);
		strbuf_add_char(out, ' ');
		proc_add_escaped(out, m->mountpoint, SPECIAL);
		strbuf_addf(out, " %s %s", m->fs_type,
			    m->sb_read_only || m->flags & MOUNT_READONLY ? "ro" : "rw");
		add_super_flags(m, out);
		add_flags(m, out);
		strbuf_addf(out, "%s 0 0\n", m->super_options);
	}
	mount_info_free(list.infos, list.count);
	return 0;
}

static void add_propagation(const struct mount_info *m, struct strbuf *out)
{
	if (m->group)
		strbuf_addf(out, " shared:%d", m->group);
	if (m->master)
		strbuf_addf(out, " master:%d", m->master);
	if (m->dominating && m->dominating != m->master)
		strbuf_addf(out, " propagate_from:%d", m->dominating);
	if (m->unbindable)
		strbuf_add(out, " unbindable");
}

int proc_show_mountinfo(const struct proc_call *c, struct strbuf *out)
{
	struct mount_list list = { NULL, 0 };
	int rc = list_mounts(c->task, &list);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		const struct mount_info *m = &list.infos[i];

		strbuf_addf(out, "%d %d %u:%u ", m->id, m->parent_id, linux_dev_major(m->dev),
			    linux_dev_minor(m->dev));
		proc_add_escaped(out, m->root, SPECIAL);
		strbuf_add_char(out, ' ');
		proc_add_escaped(out, m->mountpoint, SPECIAL);
		strbuf_add(out, m->flags & MOUNT_READONLY ? " ro" : " rw");
		add_flags(m, out);
		add_propagation(m, out);
		strbuf_addf(out, " - %s ", m->fs_type);
		add_source(m, out);
		strbuf_addf(out, " %s", m->sb_read_only ? "ro" : "rw");
		add_super_flags(m, out);
		strbuf_addf(out, "%s\n", m->super_options);
	}
	mount_info_free(list.infos, list.count);
	return 0;
}

int proc_show_mountstats(const struct proc_call *c, struct strbuf *out)
{
	struct mount_list list = { NULL, 0 };
	int rc = list_mounts(c->task, &list);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		strbuf_add(out, "device ");
		add_source(&list.infos[i], out);
		strbuf_add(out, " mounted on ");
		proc_add_escaped(out, list.infos[i].mountpoint, SPECIAL);
		strbuf_addf(out, " with fstype %s\n", list.infos[i].fs_type);
	}
	mount_info_free(list.infos, list.count);
	return 0;
}

/* --- poll --------------------------------------------------------------------------------- */

/*
 * The namespace as of the open, kept for the file's life, since its queue must
 * outlive whoever polls.
 */
struct mounts_watch {
	struct mount_namespace *ns;    /* reference */
	_Atomic uint64_t generation;
};

static struct mounts_watch *watch_new(struct file *file)
{
	struct task *t = proc_task(file->inode);
	struct namespaces *ns = t ? task_namespaces_get(t) : NULL;
	struct mounts_watch *w = ns ? calloc(1, sizeof(*w)) : NULL;

	if (w) {
		w->ns = mount_namespace_get(ns->mount);
		w->generation = w->ns->generation;
	}
	namespaces_put(ns);
	task_put(t);
	return w;
}

void *proc_mounts_open(struct file *file)
{
	return watch_new(file);
}

static void mounts_release(struct file *file)
{
	struct mounts_watch *w = proc_file_extra(file);

	if (w)
		mount_namespace_put(w->ns);
	free(w);
	proc_text_release(file);
}

static uint32_t mounts_poll(struct file *file)
{
	struct mounts_watch *w = proc_file_extra(file);
	uint64_t now;

	if (!w)
		return LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	now = w->ns->generation;
	if (atomic_exchange(&w->generation, now) == now)
		return LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	return LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLERR | LINUX_EPOLLPRI;
}

static struct wait_queue *mounts_poll_queue(struct file *file)
{
	struct mounts_watch *w = proc_file_extra(file);

	return w ? &w->ns->changes : NULL;
}

const struct file_ops proc_mounts_ops = {
	.release = mounts_release,
	.read = proc_text_read,
	.llseek = proc_text_llseek,
	.poll = mounts_poll,
	.poll_queue = mounts_poll_queue,
	.unlocked_position = true,
	.no_pwrite = true,
};
