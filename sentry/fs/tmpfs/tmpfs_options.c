/* SPDX-License-Identifier: Apache-2.0 */
/* The file system type "tmpfs": its options, as they are set, shown and changed. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "sentry/vfs/fs_config.h"
#include "util/checked.h"

static uint64_t memory_size = UINT64_MAX; /* written at boot */

enum option { SIZE, BLOCKS, INODES, MODE, UID, GID, HUGE_PAGES, POLICY, INODE32, INODE64, NO_SWAP };

static const char *const huge_words[] = { "never", "always", "within_size", "advise", NULL };

static const struct fs_option options[] = {
	{ "size", FS_OPTION_STRING, SIZE, NULL },
	{ "nr_blocks", FS_OPTION_STRING, BLOCKS, NULL },
	{ "nr_inodes", FS_OPTION_STRING, INODES, NULL },
	{ "mode", FS_OPTION_OCTAL, MODE, NULL },
	{ "uid", FS_OPTION_UID, UID, NULL },
	{ "gid", FS_OPTION_GID, GID, NULL },
	{ "huge", FS_OPTION_WORD, HUGE_PAGES, huge_words },
	{ "mpol", FS_OPTION_STRING, POLICY, NULL },
	{ "inode32", FS_OPTION_FLAG, INODE32, NULL },
	{ "inode64", FS_OPTION_FLAG, INODE64, NULL },
	{ "noswap", FS_OPTION_FLAG, NO_SWAP, NULL },
};

/* What was set, and what of the limits was. */
struct tmpfs_config {
	struct tmpfs_options options;
	bool has_size, has_inodes;
};

/* --- values --------------------------------------------------------------------------------- */

/* "64k", "4096", "0x1000", and nothing before a suffix for 0; *rest: what follows. */
static int parse_size(const char *text, uint64_t *out, const char **rest)
{
	static const char suffixes[] = "kmgtpe";
	char *end = NULL;
	const char *suffix;
	uint64_t value = 0;

	*rest = text;
	if (isdigit((unsigned char)*text)) {
		errno = 0;
		value = strtoull(text, &end, 0);
		if (errno)
			return -EINVAL;
		*rest = end;
	}
	suffix = **rest ? strchr(suffixes, **rest | 0x20) : NULL;
	if (suffix) {
		if (mul_overflows(value, 1ULL << (10 * (suffix - suffixes + 1)), &value))
			return -EINVAL;
		++*rest;
	}
	*out = value;
	return 0;
}

static int bad_value(struct fs_config *c, const struct fs_option_value *v)
{
	return fs_config_invalid(c, "%s: Bad value for '%s'", c->name, options[v->id].name);
}

/* Of memory whose size is not known, a part is no limit. */
static int set_size(struct fs_config *c, struct tmpfs_config *t, const struct fs_option_value *v)
{
	const char *rest;
	uint64_t size;

	if (parse_size(v->text, &size, &rest) < 0)
		return bad_value(c, v);
	if (*rest == '%') {
		rest++;
		if (memory_size == UINT64_MAX)
			size = 0;
		else if (mul_overflows(size, memory_size / 100, &size))
			return bad_value(c, v);
	}
	if (*rest)
		return bad_value(c, v);
	t->options.max_bytes = size;
	t->has_size = true;
	return 0;
}

static int set_blocks(struct fs_config *c, struct tmpfs_config *t, const struct fs_option_value *v)
{
	const char *rest;
	uint64_t blocks;

	if (parse_size(v->text, &blocks, &rest) < 0 || *rest || blocks > INT64_MAX)
		return bad_value(c, v);
	if (mul_overflows(blocks, TMPFS_PAGE, &blocks))
		blocks = UINT64_MAX & ~(uint64_t)(TMPFS_PAGE - 1);
	t->options.max_bytes = blocks;
	t->has_size = true;
	return 0;
}

static int set_inodes(struct fs_config *c, struct tmpfs_config *t, const struct fs_option_value *v)
{
	const char *rest;
	uint64_t inodes;

	if (parse_size(v->text, &inodes, &rest) < 0 || *rest || inodes > UINT64_MAX / 1024)
		return bad_value(c, v);
	t->options.max_inodes = inodes;
	t->has_inodes = true;
	return 0;
}

static int set_no_swap(struct fs_config *c, struct tmpfs_config *t)
{
	if (c->user_ns->parent || !credentials_root_capable(c->cred, LINUX_CAP_SYS_ADMIN))
		return fs_config_invalid(
			c, "%s: Turning off swap in unprivileged tmpfs mounts unsupported",
			c->name);
	t->options.no_swap = true;
	return 0;
}

static int tmpfs_set(struct fs_config *c, const struct fs_option_value *v)
{
	struct tmpfs_config *t = c->options;

	switch ((enum option)v->id) {
	case SIZE:
		return set_size(c, t, v);
	case BLOCKS:
		return set_blocks(c, t, v);
	case INODES:
		return set_inodes(c, t, v);
	case MODE:
		t->options.mode = v->number & 07777;
		return 0;
	case UID:
		t->options.uid = v->number;
		return 0;
	case GID:
		t->options.gid = v->number;
		return 0;
	case HUGE_PAGES:
		t->options.huge = huge_words[v->number];
		return 0;
	case INODE32:
	case INODE64:
		t->options.inode64 = v->id == INODE64;
		return 0;
	case NO_SWAP:
		return set_no_swap(c, t);
	case POLICY: /* there is one node */
		return 0;
	}
	return -EINVAL;
}

/* --- limits --------------------------------------------------------------------------------- */

uint64_t tmpfs_pages(uint64_t bytes)
{
	return bytes / TMPFS_PAGE + (bytes % TMPFS_PAGE != 0);
}

void tmpfs_set_memory(uint64_t memory)
{
	memory_size = memory;
}

uint64_t tmpfs_default_size(void)
{
	return memory_size == UINT64_MAX ? 0 : memory_size / 2;
}

/* As many pages, and as many inodes, as fill half of memory. */
static uint64_t default_pages(void)
{
	return tmpfs_default_size() / TMPFS_PAGE;
}

void tmpfs_show_options(struct super_block *sb, char *buf, size_t size)
{
	struct tmpfs_super *ts = sb->private_data;
	const struct tmpfs_options *o = &ts->options;
	uint64_t max = ts->max_pages, inodes = ts->max_inodes;
	FILE *out = fmemopen(buf, size, "w");

	buf[0] = '\0';
	if (!out)
		return;
	if (max ? max != default_pages() : ts->unlimited_size)
		fprintf(out, ",size=%lluk", (unsigned long long)max * (TMPFS_PAGE / 1024));
	if (inodes ? inodes != default_pages() : ts->unlimited_inodes)
		fprintf(out, ",nr_inodes=%llu", (unsigned long long)inodes);
	if (o->mode != 01777)
		fprintf(out, ",mode=%03o", o->mode);
	if (o->uid)
		fprintf(out, ",uid=%u", o->uid);
	if (o->gid)
		fprintf(out, ",gid=%u", o->gid);
	if (o->inode64)
		fprintf(out, ",inode64");
	if (o->huge && strcmp(o->huge, "never") != 0)
		fprintf(out, ",huge=%s", o->huge);
	if (o->no_swap)
		fprintf(out, ",noswap");
	fclose(out);
}

static const char *why_not(const struct tmpfs_super *ts, const struct tmpfs_config *t)
{
	const struct tmpfs_options *o = &t->options;

	if (t->has_inodes && o->max_inodes) {
		if (!ts->max_inodes)
			return "Cannot retroactively limit inodes";
		if (o->max_inodes < ts->used_inodes)
			return "Too few inodes for current use";
	}
	if (t->has_size && o->max_bytes) {
		if (!ts->max_pages)
			return "Cannot retroactively limit size";
		if (tmpfs_pages(o->max_bytes) < ts->used_pages)
			return "Too small a size for current use";
	}
	return o->no_swap && !ts->options.no_swap ? "Cannot disable swap on remount" : NULL;
}

/* The limits; a root directory that there is keeps its mode and owner. */
static int tmpfs_reconfigure(struct fs_config *c)
{
	struct tmpfs_super *ts = c->sb->private_data;
	const struct tmpfs_config *t = c->options;
	const char *why = why_not(ts, t);

	if (why)
		return fs_config_invalid(c, "%s: %s", c->name, why);
	if (t->has_size) {
		ts->max_pages = tmpfs_pages(t->options.max_bytes);
		ts->unlimited_size = !t->options.max_bytes;
	}
	if (t->has_inodes) {
		ts->max_inodes = t->options.max_inodes;
		ts->unlimited_inodes = !t->options.max_inodes;
	}
	return 0;
}

/* --- the type ------------------------------------------------------------------------------- */

static int tmpfs_begin(struct fs_config *c)
{
	struct tmpfs_config *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->options = (struct tmpfs_options){
		.mode = 01777,
		.uid = c->cred->fsuid,
		.gid = c->cred->fsgid,
		.max_inodes = default_pages(),
		.max_bytes = default_pages() * TMPFS_PAGE,
	};
	c->options = t;
	return 0;
}

static int tmpfs_create(struct fs_config *c, struct super_block **out)
{
	const struct tmpfs_config *t = c->options;
	struct tmpfs_super *ts;
	int rc = tmpfs_new(&t->options, c->user_ns, out);

	if (rc < 0)
		return rc;
	ts = (*out)->private_data;
	ts->unlimited_size = t->has_size && !t->options.max_bytes;
	ts->unlimited_inodes = t->has_inodes && !t->options.max_inodes;
	return 0;
}

static void tmpfs_end(struct fs_config *c)
{
	free(c->options);
}

const struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.user_mountable = true,
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.begin = tmpfs_begin,
	.set = tmpfs_set,
	.create = tmpfs_create,
	.reconfigure = tmpfs_reconfigure,
	.end = tmpfs_end,
};
