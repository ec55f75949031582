/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a super block is to be made or changed with: its type's options, one by one, and the flags
 * that all types have.  mount(2) and the contexts of fsopen(2) fill it by the same tables.
 *
 * Not locked: it belongs to one call, or to who has the lock of the context it is in.
 */
#pragma once

#include "sentry/vfs/vfs.h"

enum fs_option_kind {
	FS_OPTION_FLAG,	   /* has no value */
	FS_OPTION_STRING,  /* any but the empty one */
	FS_OPTION_NUMBER,  /* unsigned, in C's notations */
	FS_OPTION_INTEGER, /* the same with a sign */
	FS_OPTION_OCTAL,
	FS_OPTION_UID, /* of the caller's user namespace; the kernel's in .number */
	FS_OPTION_GID,
	FS_OPTION_WORD, /* one of .words; its index in .number */
};

/* A row of a type's table. */
struct fs_option {
	const char *name;
	enum fs_option_kind kind;
	int id;			  /* the type's own */
	const char *const *words; /* ends with NULL */
};

/* A value that is good for the row's kind. */
struct fs_option_value {
	int id;
	const char *text; /* NULL for a flag */
	uint32_t number;
};

/* An option as it is asked for. */
enum fs_value_kind {
	FS_VALUE_NONE,
	FS_VALUE_STRING,
	FS_VALUE_OTHER, /* bytes, a path, a descriptor: no option takes one */
};

struct fs_parameter {
	const char *key;
	enum fs_value_kind kind;
	const char *text; /* FS_VALUE_STRING */
};

#define FS_LOG_MESSAGES 8 /* the latest are kept, as Linux does */

struct fs_config {
	const struct file_system_type *type; /* NULL: guests cannot mount it */
	const char *name;		     /* static: the type's, for messages */
	const struct credentials *cred;	     /* reference: who began it */
	struct user_namespace *user_ns;	     /* reference: whose administrator may make it */
	struct super_block *sb;		     /* reference: made, or to be changed; NULL before */
	char *source;			     /* owned; NULL: not said */
	uint32_t flags;			     /* LINUX_MS_* of the super block */
	uint32_t flags_mask;		     /* what was said of them */
	bool monolithic;		     /* by mount(2) */
	void *options;			     /* the type's, from begin to end */
	bool logs;			     /* messages are kept for somebody */
	char *messages[FS_LOG_MESSAGES];     /* owned; a ring */
	uint32_t message_first, message_count;
};

/* @cred begins to make a super block of @type. */
int fs_config_begin(const struct file_system_type *type, const struct credentials *cred,
		    struct fs_config *out) MUST_CHECK;
/* The same to change @sb. */
int fs_config_begin_change(struct super_block *sb, const struct credentials *cred,
			   struct fs_config *out) MUST_CHECK;
/* From one that has made or changed its super block to one that may change it. */
int fs_config_begin_again(struct fs_config *c) MUST_CHECK;
/* What was set is forgotten; the super block is kept. */
void fs_config_clear(struct fs_config *c);
void fs_config_end(struct fs_config *c);

/* One option, set by @caller: -EINVAL for one that is unknown or bad, said in the log. */
int fs_config_set(struct fs_config *c, const struct credentials *caller,
		  const struct fs_parameter *p) MUST_CHECK;
/* mount(2)'s "size=64k,ro"; NULL is nothing. */
int fs_config_set_all(struct fs_config *c, const struct credentials *caller, const char *text)
	MUST_CHECK;
/* 0 or -EPERM: whether @caller may make it. */
int fs_config_may_create(const struct fs_config *c, const struct credentials *caller) MUST_CHECK;
/* Makes c->sb.  @exclusive: -EBUSY for one that others have, too. */
int fs_config_create(struct fs_config *c, bool exclusive) MUST_CHECK;
/* Changes c->sb. */
int fs_config_reconfigure(struct fs_config *c) MUST_CHECK;

/* --- for types ------------------------------------------------------------------------------ */

/* @level: 'e', 'w'. */
void fs_config_log(struct fs_config *c, char level, const char *format, ...) PRINTF_LIKE(3, 4);
/* Logs an error; -EINVAL. */
int fs_config_invalid(struct fs_config *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* As Linux's kstrtouint: @base 0 for 0x and 0 in front, a plus sign and an end of line are no
 * error.  -EINVAL. */
int fs_parse_number(const char *text, unsigned base, uint64_t max, uint64_t *out) MUST_CHECK;

/* The oldest message, which is the caller's then: -ENODATA, -EMSGSIZE when it has more than @size
 * bytes. */
int fs_config_take_message(struct fs_config *c, size_t size, char **out) MUST_CHECK;
