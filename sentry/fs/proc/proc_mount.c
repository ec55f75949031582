/* SPDX-License-Identifier: Apache-2.0 */
/* The file system type "proc": options, super blocks. */
#include "sentry/abi/capability.h"
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/proc/system/proc_system.h"
#include "sentry/vfs/fs_config.h"
#include "util/cleanup.h"

enum option { GID, HIDEPID, SUBSET };

static const struct fs_option options[] = {
	{ "gid", FS_OPTION_NUMBER, GID, NULL },
	{ "hidepid", FS_OPTION_STRING, HIDEPID, NULL },
	{ "subset", FS_OPTION_STRING, SUBSET, NULL },
};

/* What was set, and which of it. */
struct proc_config {
	struct pid_namespace *ns; /* reference */
	enum proc_hidepid hidepid;
	uint32_t gid;
	bool only_pids, has_hidepid, has_gid, has_subset;
};

/* --- options ------------------------------------------------------------------------- */

static int parse_hidepid(const char *text, enum proc_hidepid *out)
{
	static const char *const names[] = { [HIDEPID_OFF] = "off", [HIDEPID_NO_ACCESS] = "noaccess",
					     [HIDEPID_INVISIBLE] = "invisible",
					     [HIDEPID_PTRACEABLE] = "ptraceable" };
	uint64_t number;

	if (!fs_parse_number(text, 0, UINT32_MAX, &number)) {
		if (number >= ARRAY_SIZE(names) || !names[number])
			return -EINVAL;
		*out = (enum proc_hidepid)number;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i] && !strcmp(names[i], text)) {
			*out = (enum proc_hidepid)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_hidepid(struct fs_config *c, struct proc_config *p, const char *text)
{
	if (parse_hidepid(text, &p->hidepid) < 0)
		return fs_config_invalid(c, "proc: unknown value of hidepid - %s\n", text);
	p->has_hidepid = true;
	return 0;
}

/* A list, whose only word so far is "pid". */
static int set_subset(struct fs_config *c, struct proc_config *p, const char *text)
{
	AUTO_FREE char *copy = strdup(text);
	char *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, ","))) {
		if (*word && strcmp(word, "pid") != 0)
			return fs_config_invalid(c, "proc: unsupported subset option - %s\n", word);
		p->only_pids |= *word;
	}
	p->has_subset = true;
	return 0;
}

static int proc_set(struct fs_config *c, const struct fs_option_value *v)
{
	struct proc_config *p = c->options;

	switch ((enum option)v->id) {
	case GID:
		/* One that has no name here is nobody's. */
		p->gid = gid_to_kernel(c->cred->user_ns, v->number);
		p->has_gid = true;
		return 0;
	case HIDEPID:
		return set_hidepid(c, p, v->text);
	case SUBSET:
		return set_subset(c, p, v->text);
	}
	return -EINVAL;
}

static void apply(const struct proc_config *p, struct proc_super *ps)
{
	if (p->has_gid)
		ps->gid = p->gid;
	if (p->has_hidepid)
		ps->hidepid = p->hidepid;
	if (p->has_subset)
		ps->only_pids = p->only_pids;
}

/* --- super blocks ------------------------------------------------------------------------ */

static void proc_show_options(struct super_block *sb, char *buf, size_t size)
{
	static const char *const names[] = { [HIDEPID_NO_ACCESS] = ",hidepid=noaccess",
					     [HIDEPID_INVISIBLE] = ",hidepid=invisible",
					     [HIDEPID_PTRACEABLE] = ",hidepid=ptraceable" };
	const struct proc_super *ps = sb->private_data;
	char gid[24] = "";

	if (ps->gid)
		snprintf(gid, sizeof(gid), ",gid=%u", ps->gid == ID_INVALID ? ID_OVERFLOW : ps->gid);
	snprintf(buf, size, "%s%s%s", gid, ps->hidepid ? names[ps->hidepid] : "",
		 ps->only_pids ? ",subset=pid" : "");
}

static void super_free(struct proc_super *ps)
{
	pid_namespace_put(ps->ns);
	free(ps);
}

static void proc_destroy(struct super_block *sb)
{
	super_free(sb->private_data);
}

static const struct super_block_ops proc_super_ops = {
	.show_options = proc_show_options,
	.destroy = proc_destroy,
};

/* --- the type ------------------------------------------------------------------------ */

void proc_config_set_namespace(struct fs_config *c, struct pid_namespace *ns)
{
	struct proc_config *p = c->options;

	pid_namespace_get(ns);
	pid_namespace_put(p->ns);
	p->ns = ns;
	user_namespace_put(c->user_ns);
	c->user_ns = user_namespace_get(ns->user_ns);
}

/* Of the namespace that who began it is in. */
static int proc_begin(struct fs_config *c)
{
	struct task *caller = task_current();

	c->options = calloc(1, sizeof(struct proc_config));
	if (!c->options)
		return -ENOMEM;
	proc_config_set_namespace(c, caller ? task_pid_namespace(caller) : kernel_get()->root_pid_ns);
	return 0;
}

static int proc_create(struct fs_config *c, struct super_block **out)
{
	const struct proc_entry root = { .node = &proc_root_node };
	const struct proc_config *p = c->options;
	struct proc_super *ps = calloc(1, sizeof(*ps));
	struct super_block *sb;
	struct inode *inode;
	int rc;

	if (!ps)
		return -ENOMEM;
	ps->ns = pid_namespace_get(p->ns);
	apply(p, ps);
	rc = super_block_new(&proc_super_ops, "proc", PROC_MAGIC, p->ns->user_ns, &sb);
	if (rc < 0) {
		super_free(ps);
		return rc;
	}
	sb->private_data = ps;
	sb->no_cache = true;
	sb->revalidate = true;
	rc = proc_inode_new(sb, &root, &inode);
	if (rc == 0)
		rc = super_block_set_root(sb, inode);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}

static int proc_reconfigure(struct fs_config *c)
{
	apply(c->options, c->sb->private_data);
	return 0;
}

static void proc_end(struct fs_config *c)
{
	struct proc_config *p = c->options;

	pid_namespace_put(p->ns);
	free(p);
}

static const struct file_system_type proc_type = {
	.name = "proc",
	.user_mountable = true,
	.revealing = true,
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.begin = proc_begin,
	.set = proc_set,
	.create = proc_create,
	.reconfigure = proc_reconfigure,
	.end = proc_end,
};

int proc_init(struct kernel *k)
{
	int rc = proc_ns_init(k);

	system_cpu_init();
	return rc < 0 ? rc : file_system_register(&proc_type);
}
