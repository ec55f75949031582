/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs super blocks, mount options, statfs. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/parse.h"

static uint64_t memory_size = UINT64_MAX; /* written by tmpfs_init */

/* --- options ------------------------------------------------------------------------- */

/* "64k", "10m", "1g", "50%" (of @whole), "4096". */
static int parse_size(const char *text, uint64_t whole, uint64_t *out)
{
	static const char suffixes[] = "kmgtp";
	size_t length = strlen(text);
	char digits[24], last;
	const char *suffix;
	uint64_t value;

	if (!length || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length + 1);
	last = digits[length - 1];
	suffix = strchr(suffixes, last | 0x20);
	if (last == '%' || suffix)
		digits[length - 1] = '\0';
	if (parse_u64(digits, 10, UINT64_MAX, &value) < 0)
		return -EINVAL;
	if (last == '%')
		value = whole == UINT64_MAX ? 0 : whole / 100 * value;
	else if (suffix && mul_overflows(value, 1ULL << (10 * (suffix - suffixes + 1)), &value))
		return -EINVAL;
	*out = value;
	return 0;
}

static int parse_id(const char *value, struct user_namespace *ns, bool group, uint32_t *out)
{
	uint32_t id;

	if (parse_u32(value, &id) < 0)
		return -EINVAL;
	id = group ? gid_to_kernel(ns, id) : uid_to_kernel(ns, id);
	if (id == ID_INVALID)
		return -EINVAL;
	*out = id;
	return 0;
}

static int parse_option(char *key, struct user_namespace *ns, struct tmpfs_options *o)
{
	static const char *const ignored[] = { "inode32", "inode64", "noswap", "huge", "mpol" };
	char *value = strchr(key, '=');
	uint64_t number;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		if (!strcmp(key, ignored[i]))
			return 0;
	}
	if (!value)
		return -EINVAL;
	if (!strcmp(key, "size"))
		return parse_size(value, memory_size, &o->max_bytes);
	if (!strcmp(key, "nr_inodes"))
		return parse_size(value, 0, &o->max_inodes);
	if (!strcmp(key, "uid"))
		return parse_id(value, ns, false, &o->uid);
	if (!strcmp(key, "gid"))
		return parse_id(value, ns, true, &o->gid);
	if (!strcmp(key, "nr_blocks")) {
		if (parse_size(value, 0, &number) < 0 || mul_overflows(number, TMPFS_PAGE, &o->max_bytes))
			return -EINVAL;
		return 0;
	}
	if (!strcmp(key, "mode")) {
		if (parse_u64(value, 8, 07777, &number) < 0)
			return -EINVAL;
		o->mode = (uint32_t)number;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(const char *options, struct user_namespace *ns, struct tmpfs_options *o)
{
	AUTO_FREE char *copy = strdup(options ? options : "");
	char *rest = copy, *key;

	if (!copy)
		return -ENOMEM;
	while ((key = strsep(&rest, ","))) {
		int rc = *key ? parse_option(key, ns, o) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- super block operations ------------------------------------------------------------- */

static int tmpfs_statfs(struct super_block *sb, struct statfs_result *out)
{
	struct tmpfs_super *ts = sb->private_data;
	uint64_t used = ts->used_pages, inodes = ts->used_inodes;

	*out = (struct statfs_result){
		.type = LINUX_TMPFS_MAGIC, .bsize = TMPFS_PAGE, .frsize = TMPFS_PAGE,
		.namelen = VFS_NAME_MAX, .fsid = sb->dev,
	};
	if (ts->max_pages) {
		out->blocks = ts->max_pages;
		out->bfree = ts->max_pages > used ? ts->max_pages - used : 0;
		out->bavail = out->bfree;
	}
	if (ts->max_inodes) {
		out->files = ts->max_inodes;
		out->ffree = ts->max_inodes > inodes ? ts->max_inodes - inodes : 0;
	}
	return 0;
}

/* As many pages, and as many inodes, as fill half of memory. */
static uint64_t default_pages(void)
{
	return memory_size == UINT64_MAX ? 0 : memory_size / 2 / TMPFS_PAGE;
}

static void tmpfs_show_options(struct super_block *sb, char *buf, size_t size)
{
	struct tmpfs_super *ts = sb->private_data;
	const struct tmpfs_options *o = &ts->options;
	uint64_t max = ts->max_pages, inodes = ts->max_inodes;
	size_t n = 0;

	buf[0] = '\0';
	if (max && max != default_pages())
		n += (size_t)snprintf(buf + n, size - n, ",size=%lluk", (unsigned long long)max * 4);
	if (inodes && inodes != default_pages() && n < size)
		n += (size_t)snprintf(buf + n, size - n, ",nr_inodes=%llu", (unsigned long long)inodes);
	if (o->mode != 01777 && n < size)
		n += (size_t)snprintf(buf + n, size - n, ",mode=%03o", o->mode);
	if (o->uid && n < size)
		n += (size_t)snprintf(buf + n, size - n, ",uid=%u", o->uid);
	if (o->gid && n < size)
		snprintf(buf + n, size - n, ",gid=%u", o->gid);
}

static uint64_t pages_of(uint64_t bytes)
{
	return bytes / TMPFS_PAGE + (bytes % TMPFS_PAGE != 0);
}

/* Limits may change, not below what is in use. */
static int tmpfs_remount(struct super_block *sb, const char *options)
{
	struct tmpfs_super *ts = sb->private_data;
	struct tmpfs_options o = ts->options;
	int rc;

	o.max_bytes = ts->max_pages * TMPFS_PAGE;
	o.max_inodes = ts->max_inodes;
	rc = parse_options(options, sb->user_ns, &o);
	if (rc < 0)
		return rc;
	if ((o.max_bytes && pages_of(o.max_bytes) < ts->used_pages) ||
	    (o.max_inodes && o.max_inodes < ts->used_inodes))
		return -EINVAL;
	ts->max_pages = pages_of(o.max_bytes);
	ts->max_inodes = o.max_inodes;
	return 0;
}

static void tmpfs_destroy(struct super_block *sb)
{
	free(sb->private_data);
}

static const struct super_block_ops tmpfs_super_ops = {
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
	.destroy = tmpfs_destroy,
	.path_of_ino = tmpfs_path_of_ino,
};

int tmpfs_new(const struct tmpfs_options *options, struct user_namespace *user_ns,
	      struct super_block **out)
{
	static const struct tmpfs_options defaults = { .mode = 01777 };
	const struct tmpfs_options *o = options ? options : &defaults;
	struct inode_create root = { .mode = LINUX_S_IFDIR | (o->mode & 07777), .uid = o->uid, .gid = o->gid };
	struct tmpfs_super *ts = calloc(1, sizeof(*ts));
	struct super_block *sb;
	struct inode *inode;
	int rc;

	if (!ts)
		return -ENOMEM;
	rc = super_block_new(&tmpfs_super_ops, o->fs_type ? o->fs_type : "tmpfs", LINUX_TMPFS_MAGIC, user_ns, &sb);
	if (rc < 0) {
		free(ts);
		return rc;
	}
	ts->options = *o;
	ts->max_pages = pages_of(o->max_bytes);
	ts->max_inodes = o->max_inodes;
	sb->private_data = ts;
	sb->below_overlay = o->overlay_upper;
	rc = tmpfs_inode_new(sb, &root, &inode);
	if (rc == 0)
		rc = super_block_set_root(sb, inode);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}

/* --- mount(2) ------------------------------------------------------------------------------ */

static int tmpfs_mount(const char *source, const char *options, const struct credentials *cred,
		       void *kernel, struct super_block **out)
{
	struct tmpfs_options o = { .mode = 01777, .uid = cred->fsuid, .gid = cred->fsgid };
	struct super_block *sb;
	int rc;

	o.max_inodes = default_pages();
	o.max_bytes = o.max_inodes * TMPFS_PAGE;
	rc = parse_options(options, cred->user_ns, &o);
	if (rc < 0)
		return rc;
	rc = tmpfs_new(&o, cred->user_ns, &sb);
	if (rc < 0)
		return rc;
	if (source && *source) {
		sb->source = strdup(source);
		if (!sb->source) {
			super_block_put(sb);
			return -ENOMEM;
		}
	}
	*out = sb;
	return 0;
}

static const struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.user_mountable = true,
	.mount = tmpfs_mount,
};

uint64_t tmpfs_default_size(void)
{
	return memory_size == UINT64_MAX ? 0 : memory_size / 2;
}

int tmpfs_init(uint64_t memory, struct user_namespace *user_ns)
{
	int rc;

	memory_size = memory;
	rc = memfd_init(user_ns);
	return rc < 0 ? rc : file_system_register(&tmpfs_type);
}
