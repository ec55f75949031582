/* SPDX-License-Identifier: Apache-2.0 */
/* See mqueue.h. */
#include "sentry/fs/mqueue/mqueue.h"

#include <errno.h>

#include "sentry/cred/credentials.h"
#include "sentry/fs/sysfs/tree_fs.h"
#include "sentry/vfs/vfs.h"

#define MQUEUE_MAGIC 0x19800202

static int mqueue_mount(const char *source, const char *options, const struct credentials *cred,
			void *kernel, struct super_block **out)
{
	const struct tree_fs_config config = {
		.type = "mqueue", .source = source, .magic = MQUEUE_MAGIC, .user_ns = cred->user_ns,
	};

	if (options && *options)
		return -EINVAL;
	return tree_fs_finish(tree_new(01777), &config, out);
}

static const struct file_system_type mqueue_type = {
	.name = "mqueue",
	.user_mountable = true,
	.mount = mqueue_mount,
};

int mqueue_init(struct kernel *k)
{
	return file_system_register(&mqueue_type);
}
