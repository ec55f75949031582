/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat list-syscalls: the system calls that this moat serves, from the table that they are served by
 * and the notes on it (docs/make-compatibility --rows).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/command.h"
#include "runtime/json_print.h"
#include "util/cleanup.h"

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ "format", "f", OPTION_STRING, offsetof(struct options, format),
	  "select one of: text, json or csv", "text" },
};

static const struct call {
	unsigned number;
	const char *name;
	const char *state;
	const char *note;
} calls[] = {
#define ROW(number, name, state, note) { number, name, state, note },
#include "runtime/cmd/syscall_rows.inc"
#undef ROW
};

static void print_text(void)
{
	printf("%6s  %-24s %-8s %s\n", "NUMBER", "NAME", "SUPPORT", "NOTE");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		printf("%6u  %-24s %-*s%s\n", calls[i].number, calls[i].name,
		       calls[i].note[0] ? 9 : 0, calls[i].state, calls[i].note);
}

static void print_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_csv(void)
{
	puts("number,name,support,note");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		printf("%u,%s,%s,", calls[i].number, calls[i].name, calls[i].state);
		print_quoted(calls[i].note);
		putchar('\n');
	}
}

static int print_json(struct error **err)
{
	struct json_writer w;

	json_writer_init(&w, "  ");
	json_write_array_begin(&w);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		json_write_object_begin(&w);
		json_put_uint(&w, "number", calls[i].number);
		json_put_string(&w, "name", calls[i].name);
		json_put_string(&w, "support", calls[i].state);
		json_put_string(&w, "note", calls[i].note);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return json_print(&w, err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;

	if (!strcmp(o->format, "json"))
		return print_json(err);
	if (!strcmp(o->format, "csv"))
		print_csv();
	else if (!strcmp(o->format, "text"))
		print_text();
	else
		return error_set(err, -EINVAL, "invalid format option");
	return 0;
}

const struct command command_list_syscalls = {
	.name = "list-syscalls",
	.summary = "list the system calls of a sandbox, and how far each is supported",
	.usage = "",
	.description =
		"   Support is \"full\", \"partial\" (the note says what differs), \"refused\" (checked and\n"
		"answered as to a process without the right) or \"none\" (ENOSYS).",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.run = run,
};
