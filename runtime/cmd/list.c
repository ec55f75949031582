/* SPDX-License-Identifier: Apache-2.0 */
/* moat list: the containers below --root. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cmd/user_name.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "util/cleanup.h"
#include "util/log.h"

#define COLUMN_COUNT 6
#define COLUMN_MIN 12 /* runc's tabwriter */
#define COLUMN_GAP 3

struct options {
	const char *format;
	bool quiet;
};

static const struct option_row rows[] = {
	{ "format", "f", OPTION_STRING, offsetof(struct options, format),
	  "select one of: table or json", "table" },
	{ "quiet", "q", OPTION_BOOL, offsetof(struct options, quiet),
	  "display only container IDs" },
};

struct row {
	char *cells[COLUMN_COUNT];
};

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.' || (strcmp(entry->d_name, ".") != 0 &&
					   strcmp(entry->d_name, "..") != 0);
}

static void print_json(struct container *const *containers, size_t count)
{
	AUTO_FREE char *text = NULL;
	struct json_writer w;
	char owner[256];

	json_writer_init(&w, NULL);
	if (count == 0)
		json_write_null(&w);
	else
		json_write_array_begin(&w);
	for (size_t i = 0; i < count; i++) {
		user_name(containers[i]->owner, owner, sizeof(owner));
		container_write_state(containers[i], owner, &w);
	}
	if (count > 0)
		json_write_array_end(&w);
	text = json_writer_finish(&w);
	puts(text ? text : "null");
}

static int set_cells(struct row *row, const char *const *cells)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		row->cells[i] = strdup(cells[i] ? cells[i] : "");
		if (!row->cells[i])
			return -ENOMEM;
	}
	return 0;
}

static int fill_row(struct row *row, const struct container *c)
{
	char pid[16], owner[256];
	const char *const cells[COLUMN_COUNT] = {
		c->id, pid, oci_status_name(c->status), c->bundle, c->created, owner,
	};

	snprintf(pid, sizeof(pid), "%d", container_pid(c));
	user_name(c->owner, owner, sizeof(owner));
	return set_cells(row, cells);
}

/* In characters: runc's tabwriter counts those of UTF-8. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_rows(const struct row *table, size_t count)
{
	int widths[COLUMN_COUNT] = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < COLUMN_COUNT; k++) {
			int width = width_of(table[i].cells[k]) + COLUMN_GAP;

			width = width < COLUMN_MIN ? COLUMN_MIN : width;
			widths[k] = width > widths[k] ? width : widths[k];
		}
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < COLUMN_COUNT - 1; k++)
			printf("%s%*s", table[i].cells[k],
			       widths[k] - width_of(table[i].cells[k]), "");
		puts(table[i].cells[COLUMN_COUNT - 1]);
	}
}

static int print_table(struct container *const *containers, size_t count, struct error **err)
{
	static const char *const head[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	AUTO_FREE struct row *table = calloc(count + 1, sizeof(*table));
	int ret = table ? set_cells(&table[0], head) : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = fill_row(&table[i + 1], containers[i]);
	if (ret == 0)
		print_rows(table, count + 1);
	for (size_t i = 0; table && i <= count; i++) {
		for (size_t k = 0; k < COLUMN_COUNT; k++)
			free(table[i].cells[k]);
	}
	return ret < 0 ? error_set(err, ret, "out of memory") : 0;
}

static void print_ids(struct container *const *containers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		puts(containers[i]->id);
}

/* Those that cannot be read are reported and left out. */
static size_t open_all(const struct globals *globals, struct dirent **names, size_t count,
		       struct container **out)
{
	size_t opened = 0;

	for (size_t i = 0; i < count; i++) {
		AUTO_ERROR struct error *err = NULL;

		if (container_peek(globals, names[i]->d_name, &out[opened], &err) == 0)
			opened++;
		else if (error_code(err) != -ENOENT)
			fprintf(stderr, "load container %s: %s\n", names[i]->d_name,
				error_message(err));
	}
	return opened;
}

static int print(const struct options *o, struct container *const *containers, size_t count,
		 struct error **err)
{
	if (!o->quiet && strcmp(o->format, "json") != 0)
		return print_table(containers, count, err);
	if (o->quiet)
		print_ids(containers, count);
	else
		print_json(containers, count);
	return 0;
}

static int list(const struct globals *globals, const struct options *o, struct dirent **names,
		size_t count, struct error **err)
{
	AUTO_FREE struct container **containers = calloc(count + 1, sizeof(struct container *));
	size_t opened;
	int ret;

	if (!containers)
		return error_set(err, -ENOMEM, "out of memory");
	opened = open_all(globals, names, count, containers);
	ret = print(o, containers, opened, err);
	for (size_t i = 0; i < opened; i++)
		container_close(containers[i]);
	return ret;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	struct dirent **names = NULL;
	int found, ret;

	if (strcmp(o->format, "table") != 0 && strcmp(o->format, "json") != 0)
		return error_set(err, -EINVAL, "invalid format option");
	found = scandir(globals->root, &names, is_name, alphasort);
	if (found < 0 && errno != ENOENT)
		return error_set_errno(err, -errno, "read %s", globals->root);
	ret = list(globals, o, names, found > 0 ? (size_t)found : 0, err);
	for (int i = 0; i < found; i++)
		free(names[i]);
	free(names);
	return ret;
}

const struct command command_list = {
	.name = "list",
	.summary = "lists containers started by moat with the given root",
	.usage = "",
	.description = "   The root is that of the global option \"--root\".",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.run = run,
};
