/* SPDX-License-Identifier: Apache-2.0 */
/* The option table's parser and printer; see the header for the rules. */
#include "runtime/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/duration.h"
#include "runtime/go_number.h"
#include "util/parse.h"

static void *field_of(const struct option_row *row, void *target)
{
	return (char *)target + row->offset;
}

static int parse_bool(const char *text, bool *out)
{
	static const char *const truths[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const lies[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(truths); i++) {
		if (!strcmp(text, truths[i]) || !strcmp(text, lies[i])) {
			*out = !strcmp(text, truths[i]);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_count(const char *text, unsigned *out)
{
	uint64_t value;
	int ret = parse_u64(text, 10, INT_MAX, &value);

	if (ret < 0)
		return ret;
	*out = (unsigned)value;
	return 0;
}

static int parse_base(const char *text, int64_t *out)
{
	char *end;
	long long value;

	/* strtoll skips blanks. */
	if (!text[strspn(text, "+-")] || text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*out = value;
	return 0;
}

static int add_number(const char *text, struct string_list *out, struct error **err)
{
	int64_t number;
	int ret = go_parse_int("ParseInt", text, &number, err);

	return ret < 0 ? ret : string_list_add(out, text);
}

/* *err may be set on failure, to say more than the code. */
static int option_set(const struct option_row *row, void *target, const char *value,
		      struct error **err)
{
	switch (row->kind) {
	case OPTION_BOOL:
		return parse_bool(value, field_of(row, target));
	case OPTION_COUNT:
		return parse_count(value, field_of(row, target));
	case OPTION_STRING:
		*(const char **)field_of(row, target) = value;
		return 0;
	case OPTION_DURATION:
		return duration_parse(value, field_of(row, target));
	case OPTION_INT:
		return parse_base(value, field_of(row, target));
	case OPTION_STRINGS:
		return string_list_add(field_of(row, target), value);
	case OPTION_INTS:
		return add_number(value, field_of(row, target), err);
	}
	return -EINVAL;
}

/* In the words of Go's flag package, which are runc's. */
static int bad_value(const struct option_row *row, const char *name, int length, const char *value,
		     int ret, struct error **err)
{
	const char *why = ret == -ERANGE ? "value out of range" : "parse error";

	if (*err)
		return error_wrap(err, "invalid value \"%s\" for flag -%.*s", value, length, name);
	if (row->kind == OPTION_BOOL)
		return error_set(err, ret, "invalid boolean value \"%s\" for -%.*s: %s", value, length,
				 name, why);
	return error_set(err, ret, "invalid value \"%s\" for flag -%.*s: %s", value, length, name, why);
}

void options_init(const struct option_table *table, void *target)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].initial)
			(void)option_set(&table->rows[i], target, table->rows[i].initial, NULL);
	}
}

void options_free(const struct option_table *table, void *target)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].kind == OPTION_STRINGS || table->rows[i].kind == OPTION_INTS)
			string_list_free(field_of(&table->rows[i], target));
	}
}

static bool name_is(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && !strncmp(name, text, length);
}

static const struct option_row *option_find(const struct option_table *table, const char *text,
					    size_t length)
{
	for (size_t i = 0; i < table->count; i++) {
		if (name_is(table->rows[i].name, text, length) ||
		    name_is(table->rows[i].alias, text, length))
			return &table->rows[i];
	}
	return NULL;
}

/* @word is an option without its dashes; *next is the word after it. */
static int option_parse_one(const struct option_table *table, void *target, const char *word,
			    char ***next, struct error **err)
{
	size_t length = strcspn(word, "=");
	const struct option_row *row = option_find(table, word, length);
	const char *value = word[length] ? word + length + 1 : NULL;
	int ret;

	if (!row)
		return error_set(err, -EINVAL, "flag provided but not defined: -%.*s", (int)length,
				 word);
	if (!value && row->kind == OPTION_BOOL)
		value = "true";
	else if (!value && **next)
		value = *(*next)++;
	else if (!value)
		return error_set(err, -EINVAL, "flag needs an argument: -%.*s", (int)length, word);
	ret = option_set(row, target, value, err);
	return ret < 0 ? bad_value(row, word, (int)length, value, ret, err) : 0;
}

/* An option of the table, without its dashes; NULL: it is none. */
static const char *as_option(const struct option_table *table, const char *word,
			     const struct option_row **row)
{
	if (word[0] != '-' || !word[1] || !strcmp(word, "--"))
		return NULL;
	word += word[1] == '-' ? 2 : 1;
	*row = option_find(table, word, strcspn(word, "="));
	return *row ? word : NULL;
}

/* Moves @count words at @from to @to, before it. */
static void move_words(char **to, char **from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *word = from[i];

		memmove(to + i + 1, to + i, (size_t)(from - to) * sizeof(*to));
		to[i] = word;
	}
}

void options_reorder(const struct option_table *table, int argc, char **argv)
{
	char **end = argv + argc, **options_end = argv + 1;

	for (char **next = argv + 1; next < end;) {
		const struct option_row *row;
		const char *word = as_option(table, *next, &row);
		size_t count = 1;

		if (!strcmp(*next, "--")) {
			/* What is before it is no option of the table, and what is behind it none at all. */
			move_words(options_end, next, 1);
			return;
		}
		if (!word) {
			next++;
			continue;
		}
		if (row->kind != OPTION_BOOL && !strchr(word, '=') && next + 1 < end)
			count = 2;
		move_words(options_end, next, count);
		options_end += count;
		next += count;
	}
}

int options_parse(const struct option_table *table, void *target, int argc, char **argv,
		  int *used, struct error **err)
{
	char **next = argv + 1;

	while (next < argv + argc) {
		const char *word = *next;

		if (word[0] != '-' || !word[1])
			break;
		next++;
		if (!strcmp(word, "--"))
			break;
		word += word[1] == '-' ? 2 : 1;
		if (word[0] == '-' || word[0] == '=')
			return error_set(err, -EINVAL, "bad flag syntax: %s", next[-1]);
		if (option_parse_one(table, target, word, &next, err) < 0)
			return error_code(*err);
	}
	*used = (int)(next - argv);
	return 0;
}

/* "--name value, -n value"; returns its length. */
static int format_names(const struct option_row *row, char *text, size_t size)
{
	const char *value = row->kind == OPTION_BOOL ? "" : " value";

	if (row->alias)
		return snprintf(text, size, "--%s%s, -%s%s", row->name, value, row->alias, value);
	return snprintf(text, size, "--%s%s", row->name, value);
}

void options_print(const struct option_table *table, FILE *out)
{
	char names[128];
	int width = 0;

	for (size_t i = 0; i < table->count; i++) {
		int length = format_names(&table->rows[i], names, sizeof(names));

		if (table->rows[i].help && length > width)
			width = length;
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		if (!row->help)
			continue;
		format_names(row, names, sizeof(names));
		fprintf(out, "   %-*s  %s", width, names, row->help);
		if (row->initial && row->kind == OPTION_STRING)
			fprintf(out, " (default: \"%s\")", row->initial);
		else if (row->initial)
			fprintf(out, " (default: %s)", row->initial);
		fputc('\n', out);
	}
}
