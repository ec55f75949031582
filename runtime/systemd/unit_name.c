/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/systemd/unit_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define SLICE_SUFFIX ".slice"
#define UNIT_NAME_MAX 255
#define UNIT_CHARACTERS                                                         \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@"

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	return length >= suffix_length && !strcmp(text + length - suffix_length, suffix);
}

bool unit_name_is_slice(const char *unit)
{
	return has_suffix(unit, SLICE_SUFFIX);
}

static int refuse_slice(const char *slice, struct error **err)
{
	return error_set(err, -EINVAL, "invalid slice name: %s", slice);
}

int unit_slice_expand(const char *slice, char **out, struct error **err)
{
	AUTO_FREE char *path = strdup("");
	size_t length = strlen(slice);

	if (!path)
		return error_set(err, -ENOMEM, "out of memory");
	if (!has_suffix(slice, SLICE_SUFFIX) || strchr(slice, '/'))
		return refuse_slice(slice, err);
	length -= strlen(SLICE_SUFFIX);
	/* The root. */
	if (length == 1 && *slice == '-') {
		*out = move_ptr(path);
		return 0;
	}
	for (size_t start = 0; start <= length;) {
		size_t end = start + strcspn(slice + start, "-");
		char *longer;

		if (end > length)
			end = length;
		if (end == start)
			return refuse_slice(slice, err);
		if (asprintf(&longer, "%s/%.*s" SLICE_SUFFIX, path, (int)end, slice) < 0)
			return error_set(err, -ENOMEM, "out of memory");
		free(path);
		path = longer;
		start = end + 1;
	}
	*out = move_ptr(path);
	return 0;
}

/*
 * systemd refuses others; but from the name comes a path whose processes are killed if it does, so it
 * is looked at first.
 */
static int check_unit(const char *unit, struct error **err)
{
	if (strlen(unit) > UNIT_NAME_MAX || unit[strspn(unit, UNIT_CHARACTERS)])
		return error_set(err, -EINVAL, "Unit name %s is not valid.", unit);
	return 0;
}

/* Cuts @text. */
static int split(char *text, char *parts[3])
{
	for (int i = 0; i < 3; i++) {
		parts[i] = text;
		text = strchr(text, ':');
		if (!text != (i == 2))
			return -EINVAL;
		if (text)
			*text++ = '\0';
	}
	return 0;
}

static int make(const char *slice, const char *prefix, const char *name, struct unit_name *out)
{
	out->slice = strdup(slice);
	out->name = strdup(name);
	if (unit_name_is_slice(name))
		out->unit = strdup(name);
	else if (asprintf(&out->unit, "%s-%s.scope", prefix, name) < 0)
		out->unit = NULL;
	return out->slice && out->name && out->unit ? 0 : -ENOMEM;
}

int unit_name_parse(const char *cgroups_path, const char *id, bool user, struct unit_name *out,
		    struct error **err)
{
	char empty[] = "", prefix[] = "runc";
	AUTO_FREE char *text = strdup(cgroups_path ? cgroups_path : "");
	AUTO_FREE char *expanded = NULL;
	char *parts[3] = { empty, prefix, NULL };
	const char *slice = user ? "user.slice" : "system.slice";

	memset(out, 0, sizeof(*out));
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (*text && split(text, parts) < 0)
		return error_set(err, -EINVAL, "expected cgroupsPath to be of format "
				 "\"slice:prefix:name\" for systemd cgroups, got \"%s\" instead",
				 cgroups_path);
	if (*parts[0])
		slice = parts[0];
	if (make(slice, parts[1], parts[2] ? parts[2] : id, out) < 0) {
		unit_name_free(out);
		return error_set(err, -ENOMEM, "out of memory");
	}
	if (unit_slice_expand(slice, &expanded, err) < 0 || check_unit(slice, err) < 0 ||
	    check_unit(out->unit, err) < 0) {
		unit_name_free(out);
		return error_code(*err);
	}
	return 0;
}

void unit_name_free(struct unit_name *unit)
{
	free(unit->slice);
	free(unit->name);
	free(unit->unit);
	memset(unit, 0, sizeof(*unit));
}
