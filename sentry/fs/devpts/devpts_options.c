/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options of devpts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/fs/devpts/devpts_private.h"
#include "sentry/vfs/fs_config.h"

enum option { MODE, PTMX_MODE, UID, GID, MAX, NEW_INSTANCE };

const struct fs_option devpts_option_table[DEVPTS_OPTION_COUNT] = {
	{ "mode", FS_OPTION_OCTAL, MODE, NULL },
	{ "ptmxmode", FS_OPTION_OCTAL, PTMX_MODE, NULL },
	{ "uid", FS_OPTION_UID, UID, NULL },
	{ "gid", FS_OPTION_GID, GID, NULL },
	{ "max", FS_OPTION_INTEGER, MAX, NULL },
	{ "newinstance", FS_OPTION_FLAG, NEW_INSTANCE, NULL },
};

int devpts_begin(struct fs_config *c)
{
	struct devpts_options *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	*o = (struct devpts_options){ .mode = 0600, .max = DEVPTS_MAX };
	c->options = o;
	return 0;
}

int devpts_set(struct fs_config *c, const struct fs_option_value *v)
{
	struct devpts_options *o = c->options;

	switch ((enum option)v->id) {
	case MODE:
		o->mode = v->number & 0777;
		return 0;
	case PTMX_MODE:
		o->ptmx_mode = v->number & 0777;
		return 0;
	case UID:
		o->uid = v->number;
		o->has_uid = true;
		return 0;
	case GID:
		o->gid = v->number;
		o->has_gid = true;
		return 0;
	case MAX:
		if (v->number > DEVPTS_MAX)
			return fs_config_invalid(c, "max out of range");
		o->max = v->number;
		return 0;
	case NEW_INSTANCE: /* every one is */
		return 0;
	}
	return -EINVAL;
}

void devpts_end(struct fs_config *c)
{
	free(c->options);
}

void devpts_format_options(const struct devpts_options *o, char *buf, size_t size)
{
	char uid[24] = "", gid[24] = "", max[24] = "";

	if (o->has_uid)
		snprintf(uid, sizeof(uid), ",uid=%u", o->uid);
	if (o->has_gid)
		snprintf(gid, sizeof(gid), ",gid=%u", o->gid);
	if (o->max < DEVPTS_MAX)
		snprintf(max, sizeof(max), ",max=%u", o->max);
	snprintf(buf, size, "%s%s,mode=%03o,ptmxmode=%03o%s", uid, gid, o->mode, o->ptmx_mode, max);
}
