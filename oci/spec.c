/* SPDX-License-Identifier: Apache-2.0 */
/* Loading of config.json and of the parts of it that commands take alone. */
#include "oci/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/spec_types.h"
#include "util/cleanup.h"
#include "util/file.h"

const char *string_map_get(const struct string_map *map, const char *key)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, map->items[middle].key);

		if (!order)
			return map->items[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int read_spec_file(const char *path, char **text, size_t *size, struct error **err)
{
	int error = file_read_all(AT_FDCWD, path, SPEC_SIZE_MAX, text, size);

	if (error == -EFBIG)
		return error_set(err, error, "%s: larger than %u MiB", path, SPEC_SIZE_MAX >> 20);
	if (error)
		return error_set_errno(err, error, "%s %s", error == -EISDIR ? "read" : "open", path);
	return 0;
}

/*
 * A relative destination is deprecated and counts from "/"; everyone after us
 * sees an absolute one.
 */
static int normalise_mounts(struct spec *spec, const char *name, struct error **err)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		struct spec_mount *m = &spec->mounts.items[i];
		char *absolute;

		if (*m->destination == '/')
			continue;
		if (!*m->destination)
			return error_set(err, -EINVAL, "%s: mounts[%zu].destination: is empty", name,
					 i);
		if (asprintf(&absolute, "/%s", m->destination) < 0)
			return error_set_errno(err, -ENOMEM, "%s", name);
		free(m->destination);
		m->destination = absolute;
		if (string_list_addf(&spec->warnings,
				     "%s: mounts[%zu].destination: relative, taken as %s", name, i,
				     absolute))
			return error_set_errno(err, -ENOMEM, "%s", name);
	}
	return 0;
}

int spec_parse(const char *json, size_t size, const char *name, struct spec **out,
	       struct error **err)
{
	AUTO_STRING_LIST struct string_list warnings = STRING_LIST_INIT;
	struct spec *spec;
	void *object;
	int error = json_load(&spec_type, json, size, name, &object, &warnings, err);

	if (error)
		return error;
	spec = object;
	spec->warnings = warnings;
	warnings = (struct string_list)STRING_LIST_INIT;
	error = normalise_mounts(spec, name, err);
	if (error)
		spec_free(spec);
	else
		*out = spec;
	return error;
}

int spec_load(const char *path, struct spec **out, struct error **err)
{
	AUTO_FREE char *text = NULL;
	struct spec *spec;
	size_t size;
	int error = read_spec_file(path, &text, &size, err);

	if (!error)
		error = spec_parse(text, size, path, &spec, err);
	if (error)
		return error;
	error = spec_validate(spec, err);
	if (error) {
		spec_free(spec);
		return error;
	}
	*out = spec;
	return 0;
}

void spec_free(struct spec *spec)
{
	if (!spec)
		return;
	string_list_free(&spec->warnings);
	json_load_free(&spec_type, spec);
}

int spec_parse_process(const char *json, size_t size, const char *name, struct spec_process **out,
		       struct error **err)
{
	void *object;
	int error = json_load(&spec_process_type, json, size, name, &object, NULL, err);

	if (error)
		return error;
	error = spec_validate_process(object, err);
	if (error) {
		json_load_free(&spec_process_type, object);
		return error;
	}
	*out = object;
	return 0;
}

int spec_load_process(const char *path, struct spec_process **out, struct error **err)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	int error = read_spec_file(path, &text, &size, err);

	return error ? error : spec_parse_process(text, size, path, out, err);
}

void spec_process_free(struct spec_process *process)
{
	json_load_free(&spec_process_type, process);
}

int spec_parse_resources(const char *json, size_t size, const char *name,
			 struct spec_resources **out, struct error **err)
{
	void *object;
	int error = json_load(&spec_resources_type, json, size, name, &object, NULL, err);

	if (!error)
		*out = object;
	return error;
}

void spec_resources_free(struct spec_resources *resources)
{
	json_load_free(&spec_resources_type, resources);
}

const struct spec_namespace *spec_namespace_find(const struct spec *spec, const char *type)
{
	if (!spec->linux_config)
		return NULL;
	for (size_t i = 0; i < spec->linux_config->namespaces.count; i++)
		if (!strcmp(spec->linux_config->namespaces.items[i].type, type))
			return &spec->linux_config->namespaces.items[i];
	return NULL;
}

const char *spec_annotation(const struct spec *spec, const char *key)
{
	return string_map_get(&spec->annotations, key);
}
