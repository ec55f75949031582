/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command line options from a table: one row per option, from which both the parser and
 * `--help` work.  The rules are those of runc's: one or two dashes, `--name value` or
 * `--name=value`, `--flag` or `--flag=false`; the first word that is no option, or `--`, ends
 * the options.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/compiler.h"
#include "util/error.h"
#include "util/string_list.h"

enum option_kind {
	OPTION_BOOL,	/* bool */
	OPTION_STRING,	/* const char *, borrowed from argv */
	OPTION_COUNT,	/* unsigned */
	OPTION_DURATION, /* int64_t, nanoseconds */
	OPTION_INT,	/* int64_t; octal, decimal or hexadecimal, as in C */
	OPTION_STRINGS, /* struct string_list; may be given many times */
	OPTION_INTS,	/* the same, of decimal numbers */
};

struct option_row {
	const char *name;
	const char *alias; /* short name, or NULL */
	enum option_kind kind;
	size_t offset; /* of the field in the structure the table describes */
	const char *help;
	const char *initial; /* default as text (shown in the help), or NULL */
};

struct option_table {
	const struct option_row *rows;
	size_t count;
};

#define OPTION_TABLE(rows) { rows, ARRAY_SIZE(rows) }

/* Sets the defaults of the table into @target. */
void options_init(const struct option_table *table, void *target);
/*
 * Moves the options of argv[1] onwards, with their values, before the words that are none, up to a "--": with most
 * commands of runc they may stand anywhere.  What is no option of the table stays where it is.
 */
void options_reorder(const struct option_table *table, int argc, char **argv);
/*
 * Parses argv[1] onwards; *used is the index of the first word that is no option.
 * -EINVAL: unknown option, missing or bad value, said in runc's words.
 */
int options_parse(const struct option_table *table, void *target, int argc, char **argv,
		  int *used, struct error **err) MUST_CHECK;
/* One aligned line per row, as runc prints them; rows without help are hidden. */
void options_print(const struct option_table *table, FILE *out);
void options_free(const struct option_table *table, void *target);
