/* SPDX-License-Identifier: Apache-2.0 */
/* Options of super blocks: how a value is read by the row of a type's table, and what is said of a
 * bad one. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/fs_config.h"
#include "util/cleanup.h"
#include "util/parse.h"

/* --- numbers -------------------------------------------------------------------------------- */

static unsigned take_prefix(const char **text)
{
	const char *t = *text;

	if (t[0] != '0')
		return 10;
	if ((t[1] | 0x20) == 'x' && isxdigit((unsigned char)t[2])) {
		*text = t + 2;
		return 16;
	}
	return 8;
}

int fs_parse_number(const char *text, unsigned base, uint64_t max, uint64_t *out)
{
	AUTO_FREE char *digits = NULL;
	size_t size;

	text += *text == '+';
	if (!base)
		base = take_prefix(&text);
	size = strlen(text);
	if (size && text[size - 1] == '\n')
		size--;
	digits = strndup(text, size);
	if (!digits)
		return -ENOMEM;
	return parse_u64(digits, base, max, out) < 0 ? -EINVAL : 0;
}

static int parse_integer(const char *text, uint32_t *out)
{
	bool negative = *text == '-';
	uint64_t number;

	if (negative && text[1] == '+')
		return -EINVAL;
	if (fs_parse_number(text + negative, 0, (uint64_t)INT32_MAX + negative, &number) < 0)
		return -EINVAL;
	*out = (uint32_t)(negative ? -number : number);
	return 0;
}

/* --- values --------------------------------------------------------------------------------- */

static int bad_value(struct fs_config *c, const struct fs_parameter *p)
{
	return fs_config_invalid(c, "%s: Bad value for '%s'", c->name, p->key);
}

static int read_number(struct fs_config *c, const struct fs_parameter *p, unsigned base,
		       uint32_t *out)
{
	uint64_t number;

	if (p->kind != FS_VALUE_STRING || fs_parse_number(p->text, base, UINT32_MAX, &number) < 0)
		return bad_value(c, p);
	*out = (uint32_t)number;
	return 0;
}

/* Linux says twice that it is no number. */
static int read_id(struct fs_config *c, const struct credentials *caller,
		   const struct fs_parameter *p, bool group, uint32_t *out)
{
	uint32_t id = ID_INVALID;

	if (read_number(c, p, 0, &id) < 0)
		return bad_value(c, p);
	id = group ? gid_to_kernel(caller->user_ns, id) : uid_to_kernel(caller->user_ns, id);
	if (id == ID_INVALID)
		return fs_config_invalid(c, "%s: Invalid %s '%s'", c->name, group ? "gid" : "uid",
					 p->text);
	*out = id;
	return 0;
}

static int read_word(struct fs_config *c, const struct fs_parameter *p, const char *const *words,
		     uint32_t *out)
{
	for (uint32_t i = 0; p->kind == FS_VALUE_STRING && words[i]; i++) {
		if (!strcmp(words[i], p->text)) {
			*out = i;
			return 0;
		}
	}
	return bad_value(c, p);
}

static int read_value(struct fs_config *c, const struct credentials *caller,
		      const struct fs_option *o, const struct fs_parameter *p,
		      struct fs_option_value *out)
{
	switch (o->kind) {
	case FS_OPTION_FLAG:
		if (p->kind != FS_VALUE_NONE)
			return fs_config_invalid(c, "%s: Unexpected value for '%s'", c->name,
						 p->key);
		return 0;
	case FS_OPTION_STRING:
		return p->kind == FS_VALUE_STRING && *p->text ? 0 : bad_value(c, p);
	case FS_OPTION_NUMBER:
		return read_number(c, p, 0, &out->number);
	case FS_OPTION_OCTAL:
		return read_number(c, p, 8, &out->number);
	case FS_OPTION_INTEGER:
		if (p->kind != FS_VALUE_STRING || parse_integer(p->text, &out->number) < 0)
			return bad_value(c, p);
		return 0;
	case FS_OPTION_UID:
	case FS_OPTION_GID:
		return read_id(c, caller, p, o->kind == FS_OPTION_GID, &out->number);
	case FS_OPTION_WORD:
		return read_word(c, p, o->words, &out->number);
	}
	return -EINVAL;
}

/* --- options -------------------------------------------------------------------------------- */

/* Those of every type; whatever value they are given. */
static bool set_flag(struct fs_config *c, const char *key)
{
	static const struct {
		const char *name;
		uint32_t set, clear;
	} names[] = {
		{ "dirsync", LINUX_MS_DIRSYNC, 0 },	{ "lazytime", LINUX_MS_LAZYTIME, 0 },
		{ "mand", LINUX_MS_MANDLOCK, 0 },	{ "ro", LINUX_MS_RDONLY, 0 },
		{ "sync", LINUX_MS_SYNCHRONOUS, 0 },	{ "async", 0, LINUX_MS_SYNCHRONOUS },
		{ "nolazytime", 0, LINUX_MS_LAZYTIME }, { "nomand", 0, LINUX_MS_MANDLOCK },
		{ "rw", 0, LINUX_MS_RDONLY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, key) != 0)
			continue;
		c->flags = (c->flags & ~names[i].clear) | names[i].set;
		c->flags_mask |= names[i].set | names[i].clear;
		return true;
	}
	return false;
}

static int set_source(struct fs_config *c, const struct fs_parameter *p)
{
	if (p->kind != FS_VALUE_STRING)
		return fs_config_invalid(c, "Non-string source");
	if (c->source)
		return fs_config_invalid(c, "Multiple sources");
	c->source = strdup(p->text);
	return c->source ? 0 : -ENOMEM;
}

static const struct fs_option *find_option(const struct file_system_type *type, const char *key)
{
	for (size_t i = 0; i < type->option_count; i++) {
		if (!strcmp(type->options[i].name, key))
			return &type->options[i];
	}
	return NULL;
}

int fs_config_set(struct fs_config *c, const struct credentials *caller,
		  const struct fs_parameter *p)
{
	struct fs_option_value value = { .text = p->text };
	const struct fs_option *option;
	int rc;

	if (set_flag(c, p->key))
		return 0;
	/* As an overlay on Linux, which is what most of them are. */
	if (!c->type)
		return c->monolithic ? 0
				     : fs_config_invalid(c, "%s: No changes allowed in reconfigure",
							 c->name);
	option = find_option(c->type, p->key);
	if (!option && !strcmp(p->key, "source"))
		return set_source(c, p);
	if (!option)
		return c->type->any_option ? 0
					   : fs_config_invalid(c, "%s: Unknown parameter '%s'",
							       c->name, p->key);
	rc = read_value(c, caller, option, p, &value);
	if (rc < 0)
		return rc;
	value.id = option->id;
	return c->type->set(c, &value);
}

int fs_config_set_all(struct fs_config *c, const struct credentials *caller, const char *text)
{
	AUTO_FREE char *copy = strdup(text ? text : "");
	char *rest = copy, *key;
	int rc = copy ? 0 : -ENOMEM;

	while (rc == 0 && (key = strsep(&rest, ","))) {
		char *value = strchr(key, '=');
		struct fs_parameter p = { .key = key };

		if (!*key || value == key)
			continue;
		if (value) {
			*value++ = '\0';
			p.kind = FS_VALUE_STRING;
			p.text = value;
		}
		rc = fs_config_set(c, caller, &p);
	}
	return rc;
}
