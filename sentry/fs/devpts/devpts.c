/* SPDX-License-Identifier: Apache-2.0 */
/* See devpts.h. */
#include "sentry/fs/devpts/devpts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/sysfs/tree_fs.h"
#include "sentry/vfs/vfs.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define DEVPTS_MAGIC 0x1cd1
#define PTMX_MAJOR 5
#define PTMX_MINOR 2
#define OPTIONS_SIZE 96

struct devpts_options {
	uint32_t ptmx_mode;
	/* of the terminals to come: shown by mountinfo only */
	uint32_t mode, uid, gid;
	bool has_uid, has_gid;
};

static int parse_id(const char *text, uint32_t *id, bool *given)
{
	uint64_t value;

	if (parse_u64(text, 10, UINT32_MAX - 1, &value) < 0)
		return -EINVAL;
	*id = (uint32_t)value;
	*given = true;
	return 0;
}

static int parse_option(const char *option, struct devpts_options *out)
{
	uint64_t value;

	if (!strcmp(option, "newinstance"))
		return 0;
	if (!strncmp(option, "ptmxmode=", 9)) {
		if (parse_u64(option + 9, 8, 07777, &value) < 0)
			return -EINVAL;
		out->ptmx_mode = (uint32_t)value & 0777;
		return 0;
	}
	if (!strncmp(option, "mode=", 5)) {
		if (parse_u64(option + 5, 8, 07777, &value) < 0)
			return -EINVAL;
		out->mode = (uint32_t)value & 0777;
		return 0;
	}
	if (!strncmp(option, "uid=", 4))
		return parse_id(option + 4, &out->uid, &out->has_uid);
	if (!strncmp(option, "gid=", 4))
		return parse_id(option + 4, &out->gid, &out->has_gid);
	if (!strncmp(option, "max=", 4))
		return parse_u64(option + 4, 10, 1U << 20, &value) < 0 ? -EINVAL : 0;
	return -EINVAL;
}

static int parse_options(const char *options, struct devpts_options *out)
{
	AUTO_FREE char *copy = strdup(options ? options : "");
	char *save = NULL;
	int rc = copy ? 0 : -ENOMEM;

	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; rc == 0 && o;
	     o = strtok_r(NULL, ",", &save))
		rc = parse_option(o, out);
	return rc;
}

static void format_options(const struct devpts_options *o, char *buf, size_t size)
{
	char uid[24] = "", gid[24] = "";

	if (o->has_uid)
		snprintf(uid, sizeof(uid), ",uid=%u", o->uid);
	if (o->has_gid)
		snprintf(gid, sizeof(gid), ",gid=%u", o->gid);
	snprintf(buf, size, "%s%s,mode=%03o,ptmxmode=%03o", uid, gid, o->mode, o->ptmx_mode);
}

static int devpts_mount(const char *source, const char *options, const struct credentials *cred,
			void *kernel, struct super_block **out)
{
	char shown[OPTIONS_SIZE];
	const struct tree_fs_config config = {
		.type = "devpts", .source = source,
		.magic = DEVPTS_MAGIC,
		.user_ns = cred->user_ns,
		.options = shown,
	};
	struct devpts_options parsed = { .mode = 0600 };
	struct tree_node *root;
	int rc = parse_options(options, &parsed);

	if (rc < 0)
		return rc;
	format_options(&parsed, shown, sizeof(shown));
	root = tree_new(0755);
	tree_device(root, "ptmx", LINUX_S_IFCHR | parsed.ptmx_mode,
		    linux_makedev(PTMX_MAJOR, PTMX_MINOR));
	return tree_fs_finish(root, &config, out);
}

static const struct file_system_type devpts_type = {
	.name = "devpts",
	.user_mountable = true,
	.mount = devpts_mount,
};

int devpts_init(struct kernel *k)
{
	return file_system_register(&devpts_type);
}
