/* SPDX-License-Identifier: Apache-2.0 */
/* Super blocks made and changed by what is set in an fs_config; see there. */
#include "sentry/vfs/fs_config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"

/* What a super block keeps of its flags, besides being read-only. */
#define KEPT_FLAGS (LINUX_MS_SYNCHRONOUS | LINUX_MS_DIRSYNC | LINUX_MS_LAZYTIME | LINUX_MS_MANDLOCK)
#define CHANGEABLE_FLAGS \
	(LINUX_MS_RDONLY | LINUX_MS_SYNCHRONOUS | LINUX_MS_LAZYTIME | LINUX_MS_MANDLOCK)

static struct mutex reconfigure_lock = MUTEX_INIT(LOCK_RANK_SUPER_CHANGE);

/* --- lifetime ------------------------------------------------------------------------------- */

static int begin_type(struct fs_config *c)
{
	return c->type && c->type->begin ? c->type->begin(c) : 0;
}

static void end_type(struct fs_config *c)
{
	if (c->options && c->type->end)
		c->type->end(c);
	c->options = NULL;
}

int fs_config_begin(const struct file_system_type *type, const struct credentials *cred,
		    struct fs_config *out)
{
	int rc;

	*out = (struct fs_config){
		.type = type,
		.name = type->name,
		.cred = credentials_get(cred),
		.user_ns = user_namespace_get(cred->user_ns),
	};
	rc = begin_type(out);
	if (rc < 0)
		fs_config_end(out);
	return rc;
}

static const struct file_system_type *type_of(const struct super_block *sb)
{
	return sb->ops && sb->ops->type ? sb->ops->type : file_system_find(sb->fs_type);
}

int fs_config_begin_change(struct super_block *sb, const struct credentials *cred,
			   struct fs_config *out)
{
	int rc;

	*out = (struct fs_config){
		.type = type_of(sb),
		.name = sb->fs_type,
		.cred = credentials_get(cred),
		.user_ns = user_namespace_get(sb->user_ns),
		.sb = super_block_get(sb),
	};
	rc = begin_type(out);
	if (rc < 0)
		fs_config_end(out);
	return rc;
}

int fs_config_begin_again(struct fs_config *c)
{
	return begin_type(c);
}

void fs_config_clear(struct fs_config *c)
{
	end_type(c);
	free(c->source);
	c->source = NULL;
	/* The mask stays, as it does on Linux: the next change takes back what this one set. */
	c->flags = 0;
}

void fs_config_end(struct fs_config *c)
{
	fs_config_clear(c);
	for (size_t i = 0; i < FS_LOG_MESSAGES; i++)
		free(c->messages[i]);
	super_block_put(c->sb);
	user_namespace_put(c->user_ns);
	credentials_put(c->cred);
	*c = (struct fs_config){ 0 };
}

/* --- the log -------------------------------------------------------------------------------- */

static void add_message(struct fs_config *c, char *message)
{
	uint32_t at = (c->message_first + c->message_count) % FS_LOG_MESSAGES;

	if (c->message_count == FS_LOG_MESSAGES) {
		free(c->messages[at]);
		c->message_first = (at + 1) % FS_LOG_MESSAGES;
	} else {
		c->message_count++;
	}
	c->messages[at] = message;
}

static void PRINTF_LIKE(3, 0)
	log_args(struct fs_config *c, char level, const char *format, va_list args)
{
	char text[1024], *message;

	if (!c->logs)
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (asprintf(&message, "%c %s\n", level, text) >= 0)
		add_message(c, message);
}

void fs_config_log(struct fs_config *c, char level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_args(c, level, format, args);
	va_end(args);
}

int fs_config_invalid(struct fs_config *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_args(c, 'e', format, args);
	va_end(args);
	return -EINVAL;
}

int fs_config_take_message(struct fs_config *c, size_t size, char **out)
{
	char **oldest = &c->messages[c->message_first];

	if (!c->message_count)
		return -ENODATA;
	if (strlen(*oldest) > size)
		return -EMSGSIZE;
	*out = *oldest;
	*oldest = NULL;
	c->message_first = (c->message_first + 1) % FS_LOG_MESSAGES;
	c->message_count--;
	return 0;
}

/* --- making and changing -------------------------------------------------------------------- */

int fs_config_may_create(const struct fs_config *c, const struct credentials *caller)
{
	bool may = c->type->user_mountable
			   ? credentials_ns_capable(caller, c->user_ns, LINUX_CAP_SYS_ADMIN)
			   : credentials_root_capable(caller, LINUX_CAP_SYS_ADMIN);

	return may ? 0 : -EPERM;
}

static void set_flags(struct super_block *sb, uint32_t flags, uint32_t mask)
{
	if (mask & LINUX_MS_RDONLY)
		sb->read_only = flags & LINUX_MS_RDONLY;
	mask &= KEPT_FLAGS;
	sb->flags = (sb->flags & ~mask) | (flags & mask);
}

/* What others have already keeps its source and flags. */
static int finish(struct fs_config *c, struct super_block *sb)
{
	if (!c->type->shared)
		set_flags(sb, c->flags, UINT32_MAX);
	if (!sb->source)
		sb->source = strdup(c->source ? c->source : "none");
	return sb->source ? 0 : -ENOMEM;
}

int fs_config_create(struct fs_config *c, bool exclusive)
{
	struct super_block *sb;
	int rc;

	if (exclusive && c->type->shared) {
		fs_config_log(c, 'w', "%s: reusing existing filesystem not allowed", c->name);
		return -EBUSY;
	}
	rc = c->type->create(c, &sb);
	if (rc < 0)
		return rc;
	rc = finish(c, sb);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	c->sb = sb;
	return 0;
}

int fs_config_reconfigure(struct fs_config *c)
{
	int rc = 0;

	if (c->flags_mask & ~(uint32_t)CHANGEABLE_FLAGS)
		return -EINVAL;
	mutex_lock(&reconfigure_lock);
	if (c->type && c->type->reconfigure)
		rc = c->type->reconfigure(c);
	if (rc == 0)
		set_flags(c->sb, c->flags, c->flags_mask);
	mutex_unlock(&reconfigure_lock);
	return rc;
}
