/* SPDX-License-Identifier: Apache-2.0 */
/* The file system type "proc": options, super blocks. */
#include "sentry/abi/capability.h"
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/proc/system/proc_system.h"
#include "util/parse.h"

/* --- options ------------------------------------------------------------------------- */

static int parse_hidepid(const char *value, enum proc_hidepid *out)
{
	static const struct {
		const char *text;
		enum proc_hidepid value;
	} names[] = {
		{ "0", HIDEPID_OFF },	    { "off", HIDEPID_OFF },
		{ "1", HIDEPID_NO_ACCESS }, { "noaccess", HIDEPID_NO_ACCESS },
		{ "2", HIDEPID_INVISIBLE }, { "invisible", HIDEPID_INVISIBLE },
		{ "4", HIDEPID_PTRACEABLE }, { "ptraceable", HIDEPID_PTRACEABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i].text, value)) {
			*out = names[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_option(struct proc_super *ps, const char *option, const struct credentials *cred)
{
	uint32_t gid;

	if (!strncmp(option, "hidepid=", 8))
		return parse_hidepid(option + 8, &ps->hidepid);
	if (!strncmp(option, "gid=", 4)) {
		if (parse_u32(option + 4, &gid) < 0)
			return -EINVAL;
		gid = cred ? gid_to_kernel(cred->user_ns, gid) : gid;
		if (gid == ID_INVALID)
			return -EINVAL;
		ps->gid = gid;
		return 0;
	}
	if (!strcmp(option, "subset=pid")) {
		ps->only_pids = true;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(struct proc_super *ps, const char *options, const struct credentials *cred)
{
	char *copy = strdup(options ? options : ""), *save = NULL;
	int rc = copy ? 0 : -ENOMEM;

	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; rc == 0 && o;
	     o = strtok_r(NULL, ",", &save))
		rc = parse_option(ps, o, cred);
	free(copy);
	return rc;
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
		snprintf(gid, sizeof(gid), ",gid=%u", ps->gid);
	snprintf(buf, size, "%s%s%s", gid, ps->hidepid ? names[ps->hidepid] : "",
		 ps->only_pids ? ",subset=pid" : "");
}

/* New options replace what they name. */
static int proc_remount(struct super_block *sb, const char *options)
{
	struct proc_super *ps = sb->private_data, changed = *ps;
	struct task *caller = task_current();
	int rc = parse_options(&changed, options, caller ? caller->cred : NULL);

	if (rc < 0)
		return rc;
	ps->gid = changed.gid;
	ps->hidepid = changed.hidepid;
	return 0;
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
	.remount = proc_remount,
	.destroy = proc_destroy,
};

int proc_super_new(struct pid_namespace *ns, const char *source, const char *options,
		   const struct credentials *cred, struct super_block **out)
{
	const struct proc_entry root = { .node = &proc_root_node };
	struct proc_super *ps = calloc(1, sizeof(*ps));
	struct super_block *sb;
	struct inode *inode;
	int rc = ps ? parse_options(ps, options, cred) : -ENOMEM;

	if (rc < 0) {
		free(ps);
		return rc;
	}
	ps->ns = pid_namespace_get(ns);
	rc = super_block_new(&proc_super_ops, "proc", PROC_MAGIC, ns->user_ns, &sb);
	if (rc < 0) {
		super_free(ps);
		return rc;
	}
	sb->private_data = ps;
	sb->source = strdup(source ? source : "proc");
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

static int proc_mount(const char *source, const char *options, const struct credentials *cred,
		      void *kernel, struct super_block **out)
{
	struct task *caller = task_current();
	struct pid_namespace *ns =
		caller ? task_pid_namespace(caller) : ((struct kernel *)kernel)->root_pid_ns;

	if (caller && !credentials_ns_capable(cred, ns->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return proc_super_new(ns, source, options, cred, out);
}

static const struct file_system_type proc_type = {
	.name = "proc",
	.user_mountable = true,
	.revealing = true,
	.mount = proc_mount,
};

int proc_init(struct kernel *k)
{
	int rc = proc_ns_init(k);

	system_cpu_init();
	return rc < 0 ? rc : file_system_register(&proc_type);
}
