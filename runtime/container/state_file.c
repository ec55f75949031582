/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json, our own record (what `moat state` prints is container_write_state).  Strings go
 * through one table for writing, reading and freeing.
 */
#include "runtime/container/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "oci/json.h"
#include "oci/json_write.h"
#include "oci/state.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define STATE_FILE "state.json"
#define STATE_SIZE_MAX (16u << 20)

static const struct {
	const char *key;
	size_t offset;
} string_rows[] = {
	{ "bundle", offsetof(struct container, bundle) },
	{ "rootfs", offsetof(struct container, rootfs) },
	{ "created", offsetof(struct container, created) },
	{ "sandbox", offsetof(struct container, sandbox) },
	{ "pidNamespace", offsetof(struct container, pid_namespace) },
	{ "systemdUnit", offsetof(struct container, systemd_unit) },
};

static const struct {
	const char *key;
	const char *start_key;
	size_t offset;
} process_rows[] = {
	{ "sentryPid", "sentryStart", offsetof(struct container, sentry) },
	{ "goferPid", "goferStart", offsetof(struct container, gofer) },
	{ "monitorPid", "monitorStart", offsetof(struct container, monitor) },
};

static char **string_field(struct container *c, size_t row)
{
	return (char **)(void *)((char *)c + string_rows[row].offset);
}

static struct process_id *process_field(struct container *c, size_t row)
{
	return (struct process_id *)(void *)((char *)c + process_rows[row].offset);
}

void state_file_clear(struct container *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(string_rows); i++) {
		free(*string_field(c, i));
		*string_field(c, i) = NULL;
	}
	for (size_t i = 0; i < c->annotations.count; i++) {
		free(c->annotations.items[i].key);
		free(c->annotations.items[i].value);
	}
	string_list_free(&c->cgroups);
	free(c->annotations.items);
	c->annotations.items = NULL;
	c->annotations.count = 0;
}

static void write_annotations(struct json_writer *w, const struct string_map *map)
{
	json_put_object(w, "annotations");
	for (size_t i = 0; i < map->count; i++)
		json_put_string(w, map->items[i].key, map->items[i].value);
	json_write_object_end(w);
}

int container_save(const struct container *container, struct error **err)
{
	struct container *c = (struct container *)(uintptr_t)container; /* read only */
	AUTO_FREE char *text = NULL;
	struct json_writer w;
	int ret;

	json_writer_init(&w, NULL);
	json_write_object_begin(&w);
	json_put_string(&w, "id", c->id);
	json_put_string(&w, "status", oci_status_name(c->status));
	for (size_t i = 0; i < ARRAY_SIZE(string_rows); i++) {
		if (*string_field(c, i))
			json_put_string(&w, string_rows[i].key, *string_field(c, i));
	}
	for (size_t i = 0; i < ARRAY_SIZE(process_rows); i++) {
		json_put_int(&w, process_rows[i].key, process_field(c, i)->pid);
		json_put_uint(&w, process_rows[i].start_key, process_field(c, i)->start_time);
	}
	json_put_uint(&w, "handle", c->handle);
	json_put_uint(&w, "owner", c->owner);
	json_put_strings(&w, "cgroups", &c->cgroups);
	json_put_bool(&w, "cgroupRootless", c->cgroup_rootless);
	write_annotations(&w, &c->annotations);
	json_write_object_end(&w);
	text = json_writer_finish(&w);
	ret = text ? file_write_atomic(c->dir_fd, STATE_FILE, text, strlen(text), 0644) : -ENOMEM;
	if (ret < 0)
		return error_set_errno(err, ret, "write %s/%s/" STATE_FILE, c->root, c->id);
	return 0;
}

static int read_string(const struct json_value *value, char **out)
{
	if (value->kind != JSON_STRING)
		return -EINVAL;
	free(*out);
	*out = strdup(value->text);
	return *out ? 0 : -ENOMEM;
}

static int read_number(const struct json_value *value, uint64_t max, uint64_t *out)
{
	return value->kind == JSON_NUMBER ? parse_u64(value->text, 10, max, out) : -EINVAL;
}

static int read_u32(const struct json_value *value, uint32_t *out)
{
	uint64_t number;
	int ret = read_number(value, UINT32_MAX, &number);

	if (ret == 0)
		*out = (uint32_t)number;
	return ret;
}

static int read_status(const struct json_value *value, enum oci_status *out)
{
	for (unsigned i = OCI_CREATING; value->kind == JSON_STRING && i <= OCI_STOPPED; i++) {
		if (!strcmp(value->text, oci_status_name(i))) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_strings(const struct json_value *array, struct string_list *list)
{
	if (array->kind != JSON_ARRAY)
		return -EINVAL;
	for (const struct json_value *v = array->first; v; v = v->next) {
		int ret = v->kind == JSON_STRING ? string_list_add(list, v->text) : -EINVAL;

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_annotations(const struct json_value *object, struct string_map *map)
{
	if (object->kind != JSON_OBJECT)
		return -EINVAL;
	map->items = calloc(object->count + 1, sizeof(*map->items));
	if (!map->items)
		return -ENOMEM;
	for (const struct json_value *v = object->first; v; v = v->next) {
		struct string_pair *pair = &map->items[map->count];

		if (v->kind != JSON_STRING)
			return -EINVAL;
		map->count++;
		pair->key = strdup(v->key);
		pair->value = strdup(v->text);
		if (!pair->key || !pair->value)
			return -ENOMEM;
	}
	return 0;
}

/* 1: @value is no field of this kind. */
static int read_process_field(struct container *c, const struct json_value *value)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(process_rows); i++) {
		struct process_id *process = process_field(c, i);
		int ret;

		if (!strcmp(value->key, process_rows[i].start_key))
			return read_number(value, UINT64_MAX, &process->start_time);
		if (strcmp(value->key, process_rows[i].key) != 0)
			continue;
		ret = read_number(value, INT32_MAX, &number);
		if (ret == 0)
			process->pid = (pid_t)number;
		return ret;
	}
	return 1;
}

static int read_field(struct container *c, const struct json_value *value)
{
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(string_rows); i++) {
		if (!strcmp(value->key, string_rows[i].key))
			return read_string(value, string_field(c, i));
	}
	ret = read_process_field(c, value);
	if (ret <= 0)
		return ret;
	if (!strcmp(value->key, "status"))
		return read_status(value, &c->status);
	if (!strcmp(value->key, "annotations"))
		return read_annotations(value, &c->annotations);
	if (!strcmp(value->key, "cgroups"))
		return read_strings(value, &c->cgroups);
	if (!strcmp(value->key, "cgroupRootless")) {
		c->cgroup_rootless = value->kind == JSON_BOOL && value->boolean;
		return 0;
	}
	if (!strcmp(value->key, "owner"))
		return read_u32(value, &c->owner);
	return strcmp(value->key, "handle") ? 0 : read_u32(value, &c->handle);
}

static int read_fields(struct container *c, const struct json_value *root, struct error **err)
{
	if (root->kind != JSON_OBJECT)
		return error_set(err, -EINVAL, "%s/%s/" STATE_FILE ": expected an object", c->root,
				 c->id);
	for (const struct json_value *v = root->first; v; v = v->next) {
		int ret = read_field(c, v);

		if (ret < 0)
			return error_set_errno(err, ret, "%s/%s/" STATE_FILE ": %s", c->root,
					       c->id, v->key);
	}
	return 0;
}

int state_file_read(struct container *c, struct error **err)
{
	AUTO_JSON_DOCUMENT struct json_document *document = NULL;
	AUTO_FREE char *text = NULL;
	size_t size;
	int ret = file_read_all(c->dir_fd, STATE_FILE, STATE_SIZE_MAX, &text, &size);

	c->status = OCI_CREATING;
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_set_errno(err, ret, "read %s/%s/" STATE_FILE, c->root, c->id);
	if (json_parse(text, size, STATE_FILE, &document, err) < 0)
		return error_code(*err);
	return read_fields(c, json_root(document), err);
}

void container_write_state(const struct container *c, const char *owner, struct json_writer *w)
{
	json_write_object_begin(w);
	json_put_string(w, "ociVersion", OCI_VERSION);
	json_put_string(w, "id", c->id);
	json_put_int(w, "pid", container_pid(c));
	json_put_string(w, "status", oci_status_name(c->status));
	json_put_string(w, "bundle", c->bundle ? c->bundle : "");
	json_put_string(w, "rootfs", c->rootfs ? c->rootfs : "");
	json_put_string(w, "created", c->created ? c->created : "");
	if (c->annotations.count > 0)
		write_annotations(w, &c->annotations);
	json_put_string(w, "owner", owner);
	json_write_object_end(w);
}
