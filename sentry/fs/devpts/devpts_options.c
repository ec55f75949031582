/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options of devpts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/credentials.h"
#include "sentry/fs/devpts/devpts_private.h"
#include "util/cleanup.h"
#include "util/parse.h"

static int parse_id(const char *text, uint32_t (*to_kernel)(struct user_namespace *ns, uint32_t id),
		    struct user_namespace *ns, uint32_t *id, bool *given)
{
	uint64_t value;
	uint32_t kernel_id;

	if (parse_u64(text, 10, UINT32_MAX - 1, &value) < 0)
		return -EINVAL;
	kernel_id = to_kernel(ns, (uint32_t)value);
	if (kernel_id == ID_INVALID)
		return -EINVAL;
	*id = kernel_id;
	*given = true;
	return 0;
}

static int parse_mode(const char *text, uint32_t *mode)
{
	uint64_t value;

	if (parse_u64(text, 8, UINT32_MAX, &value) < 0)
		return -EINVAL;
	*mode = (uint32_t)value & 0777;
	return 0;
}

static int parse_max(const char *text, uint32_t *max)
{
	uint64_t value;

	if (parse_u64(text, 10, DEVPTS_MAX, &value) < 0)
		return -EINVAL;
	*max = (uint32_t)value;
	return 0;
}

static int parse_option(const char *option, struct user_namespace *ns, struct devpts_options *out)
{
	if (!strcmp(option, "newinstance"))
		return 0;
	if (!strncmp(option, "ptmxmode=", 9))
		return parse_mode(option + 9, &out->ptmx_mode);
	if (!strncmp(option, "mode=", 5))
		return parse_mode(option + 5, &out->mode);
	if (!strncmp(option, "uid=", 4))
		return parse_id(option + 4, uid_to_kernel, ns, &out->uid, &out->has_uid);
	if (!strncmp(option, "gid=", 4))
		return parse_id(option + 4, gid_to_kernel, ns, &out->gid, &out->has_gid);
	if (!strncmp(option, "max=", 4))
		return parse_max(option + 4, &out->max);
	return -EINVAL;
}

int devpts_parse_options(const char *text, struct user_namespace *ns, struct devpts_options *out)
{
	AUTO_FREE char *copy = strdup(text ? text : "");
	char *save = NULL;
	int rc = copy ? 0 : -ENOMEM;

	*out = (struct devpts_options){ .mode = 0600, .max = DEVPTS_MAX };
	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; rc == 0 && o;
	     o = strtok_r(NULL, ",", &save))
		rc = parse_option(o, ns, out);
	return rc;
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
