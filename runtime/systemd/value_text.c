/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number or a string takes the type that is wanted of it, or else its usual one.  So an array whose type
 * is not given is read twice: the first time to see what its items are.
 */
#include "runtime/systemd/value_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/parse.h"

#define DEPTH_MAX 8
#define WORD_MAX 64

struct parser {
	const char *at;
	struct error **err;
	int depth;
};

static const struct type_row {
	const char *name;
	enum value_type type;
	unsigned bits; /* of an integer */
	bool is_signed;
} type_rows[] = {
	{ "boolean", VALUE_BOOL, 0, false },
	{ "byte", VALUE_BYTE, 8, false },
	{ "int16", VALUE_INT16, 16, true },
	{ "uint16", VALUE_UINT16, 16, false },
	{ "int32", VALUE_INT32, 32, true },
	{ "uint32", VALUE_UINT32, 32, false },
	{ "int64", VALUE_INT64, 64, true },
	{ "uint64", VALUE_UINT64, 64, false },
	{ "double", VALUE_DOUBLE, 0, false },
	{ "string", VALUE_STRING, 0, false },
	{ "objectpath", VALUE_OBJECT_PATH, 0, false },
	{ "signature", VALUE_SIGNATURE, 0, false },
};

/* @type: a signature, or NULL.  *given: the text itself says the type. */
static int parse(struct parser *p, const char *type, struct value *out, bool *given);

static const struct type_row *find_type(char code)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_rows); i++) {
		if (type_rows[i].type == (enum value_type)code)
			return &type_rows[i];
	}
	return NULL;
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n\r\v\f");
}

static int fail(struct parser *p, const char *what)
{
	if (!*p->at)
		return error_set(p->err, -EINVAL, "unexpected end");
	return error_set(p->err, -EINVAL, "%s at \"%.32s\"", what, p->at);
}

static bool type_is(const char *type, enum value_type code)
{
	return !type || (type[0] == (char)code && !type[1]);
}

/* --- numbers ----------------------------------------------------------------------------- */

static int convert_unsigned(const char *word, uint64_t max, uint64_t *out)
{
	if (!strncmp(word, "0x", 2))
		return parse_u64(word + 2, 16, max, out);
	return word[0] == '0' && word[1] ? parse_u64(word + 1, 8, max, out)
					 : parse_u64(word, 10, max, out);
}

static int convert_integer(const char *word, const struct type_row *row, struct value *out)
{
	int64_t max = row->bits ? (int64_t)(UINT64_MAX >> (65 - row->bits)) : 0;

	if (!row->bits)
		return -EINVAL;
	if (row->is_signed && *word == '-')
		return parse_i64(word, -max - 1, max, &out->signed_number);
	return convert_unsigned(word, row->is_signed ? (uint64_t)max : UINT64_MAX >> (64 - row->bits),
				&out->number);
}

static int convert_real(const char *word, double *out)
{
	char *end;

	*out = strtod(word, &end);
	return *end || !isfinite(*out) ? -EINVAL : 0;
}

static int parse_number(struct parser *p, const char *type, struct value *out)
{
	size_t length = strspn(p->at, "+-.0123456789abcdefABCDEFx");
	bool real = false;
	char word[WORD_MAX], code;
	int ret;

	if (length >= sizeof(word))
		return fail(p, "number too long");
	memcpy(word, p->at, length);
	word[length] = '\0';
	real = strpbrk(word, ".e") != NULL;
	code = type ? type[0] : real ? VALUE_DOUBLE : VALUE_INT32;
	if ((type && type[1]) || !find_type(code))
		return fail(p, "unexpected number");
	out->type = (enum value_type)code;
	ret = code == VALUE_DOUBLE ? convert_real(word, &out->real)
				   : convert_integer(word, find_type(code), out);
	if (ret < 0)
		return fail(p, ret == -ERANGE ? "value out of range" : "invalid number");
	p->at += length;
	return 0;
}

/* --- strings ------------------------------------------------------------------------------ */

static size_t put_utf8(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Digits of \u, \U, \x and octal escapes. */
static int take_digits(struct parser *p, size_t count, unsigned base, uint32_t *out)
{
	char digits[9];
	uint64_t code;

	if (strlen(p->at) < count)
		return fail(p, "short escape");
	memcpy(digits, p->at, count);
	digits[count] = '\0';
	/* A string cannot hold a NUL, nor what is no character. */
	if (parse_u64(digits, base, 0x10ffff, &code) < 0 || code == 0 ||
	    (code >= 0xd800 && code < 0xe000))
		return fail(p, "invalid escape");
	p->at += count;
	*out = (uint32_t)code;
	return 0;
}

/* After the backslash; *size: of what is written to @out, 4 bytes at most. */
static int take_escape(struct parser *p, char *out, size_t *size)
{
	static const char letters[] = "abfnrtv", meaning[] = "\a\b\f\n\r\t\v";
	const char *letter = *p->at ? strchr(letters, *p->at) : NULL;
	char c = *p->at;
	uint32_t code;

	*size = 1;
	if (!c)
		return fail(p, "unexpected end");
	p->at++;
	if (c == 'u' || c == 'U') {
		if (take_digits(p, c == 'u' ? 4 : 8, 16, &code) < 0)
			return error_code(*p->err);
		*size = put_utf8(code, out);
	} else if (c == '\n') {
		*size = 0;
	} else {
		*out = letter ? meaning[letter - letters] : c;
	}
	return 0;
}

/* malloc'ed, without the quotes; NULL on failure. */
static char *take_string(struct parser *p)
{
	AUTO_FREE char *text = malloc(strlen(p->at) + 1);
	char quote = *p->at++;
	size_t size = 0, n;

	if (!text) {
		error_set(p->err, -ENOMEM, "out of memory");
		return NULL;
	}
	while (*p->at != quote) {
		if (!*p->at) {
			fail(p, "unexpected end");
			return NULL;
		}
		if (*p->at != '\\') {
			text[size++] = *p->at++;
			continue;
		}
		p->at++;
		if (take_escape(p, text + size, &n) < 0)
			return NULL;
		size += n;
	}
	p->at++;
	text[size] = '\0';
	return move_ptr(text);
}

static int parse_string(struct parser *p, const char *type, struct value *out)
{
	enum value_type code = type ? (enum value_type)type[0] : VALUE_STRING;

	if ((type && type[1]) ||
	    (code != VALUE_STRING && code != VALUE_OBJECT_PATH && code != VALUE_SIGNATURE))
		return fail(p, "unexpected string");
	out->type = code;
	out->text = take_string(p);
	return out->text ? 0 : error_code(*p->err);
}

/* With the NUL that ends it. */
static int parse_bytes(struct parser *p, const char *type, struct value *out)
{
	AUTO_FREE char *text = NULL;

	if (type && strcmp(type, "ay") != 0)
		return fail(p, "unexpected byte string");
	p->at++;
	out->type = VALUE_ARRAY;
	out->contents = strdup("y");
	if (!out->contents)
		return error_set(p->err, -ENOMEM, "out of memory");
	text = take_string(p);
	if (!text)
		return error_code(*p->err);
	for (size_t i = 0; i <= strlen(text); i++) {
		struct value item = { .type = VALUE_BYTE, .number = (unsigned char)text[i] };

		if (value_append(out, &item) < 0)
			return error_set(p->err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* --- containers ---------------------------------------------------------------------------- */

/* Up to the bracket.  @type is that of each item, or NULL; *found: what they turned out to be. */
static int parse_items(struct parser *p, const char *type, struct value *out, char **found)
{
	bool decided = false;

	for (skip_space(p); *p->at != ']'; skip_space(p)) {
		struct value item = { 0 };
		bool given = false, real;
		int ret = parse(p, type, &item, &given);

		real = item.type == VALUE_DOUBLE;
		/* The first that says its type decides, else a number that is not whole, else the first. */
		if (ret == 0 && (!*found || (!decided && (given || real)))) {
			free(*found);
			*found = value_signature(&item);
			decided = given;
		}
		if (ret < 0 || !*found || value_append(out, &item) < 0) {
			value_free(&item);
			return ret < 0 ? ret : error_set(p->err, -ENOMEM, "out of memory");
		}
		skip_space(p);
		if (*p->at == ',')
			p->at++;
		else if (*p->at != ']')
			return fail(p, "unexpected text");
	}
	p->at++;
	return 0;
}

static int parse_array(struct parser *p, const char *type, struct value *out)
{
	AUTO_FREE char *found = NULL;
	const char *start;
	int ret;

	if (type && type[0] != VALUE_ARRAY)
		return fail(p, "unexpected array");
	start = ++p->at;
	if (!type) {
		struct value first = { .type = VALUE_ARRAY };

		ret = parse_items(p, NULL, &first, &found);
		value_free(&first);
		if (ret < 0)
			return ret;
		if (!found)
			return error_set(p->err, -EINVAL, "can't infer type for \"[]\"");
		p->at = start;
	}
	out->type = VALUE_ARRAY;
	out->contents = strdup(type ? type + 1 : found);
	return out->contents ? parse_items(p, out->contents, out, &found)
			     : error_set(p->err, -ENOMEM, "out of memory");
}

static int parse_variant(struct parser *p, const char *type, struct value *out)
{
	struct value item = { 0 };
	bool given;

	if (!type_is(type, VALUE_VARIANT))
		return fail(p, "unexpected variant");
	p->at++;
	out->type = VALUE_VARIANT;
	if (parse(p, NULL, &item, &given) < 0) {
		value_free(&item);
		return error_code(*p->err);
	}
	if (value_append(out, &item) < 0)
		return error_set(p->err, -ENOMEM, "out of memory");
	skip_space(p);
	if (*p->at != '>')
		return fail(p, "unexpected text");
	p->at++;
	return 0;
}

/* --- types ------------------------------------------------------------------------------- */

/* "as" is an array of strings; what is not known here is refused. */
static bool type_is_known(const char *type)
{
	type += strspn(type, "a");
	return *type && !type[1] && (*type == VALUE_VARIANT || find_type(*type));
}

static int take_type(struct parser *p, char *type, size_t size)
{
	const char *start = p->at + (*p->at == '@');
	size_t length = 0;

	while (isalnum((unsigned char)start[length]))
		length++;
	if (length == 0 || length >= size)
		return fail(p, "unexpected text");
	memcpy(type, start, length);
	type[length] = '\0';
	for (size_t i = 0; start == p->at && i < ARRAY_SIZE(type_rows); i++) {
		if (!strcmp(type, type_rows[i].name))
			snprintf(type, size, "%c", type_rows[i].type);
	}
	if ((start == p->at && type[1]) || !type_is_known(type))
		return fail(p, "unrecognized type");
	p->at = start + length;
	return 0;
}

static int parse_typed(struct parser *p, const char *wanted, struct value *out)
{
	char type[WORD_MAX];
	bool again;

	if (take_type(p, type, sizeof(type)) < 0)
		return error_code(*p->err);
	if (wanted && strcmp(wanted, type) != 0)
		return fail(p, "another type than expected");
	skip_space(p);
	if (*p->at == '@' || (isalpha((unsigned char)*p->at) && strncmp(p->at, "true", 4) != 0 &&
			      strncmp(p->at, "false", 5) != 0 && *p->at != 'b'))
		return fail(p, "unexpected type annotation");
	return parse(p, type, out, &again);
}

static int parse_bool(struct parser *p, const char *type, struct value *out)
{
	bool flag = *p->at == 't';

	if (!type_is(type, VALUE_BOOL))
		return fail(p, "unexpected boolean");
	*out = (struct value){ .type = VALUE_BOOL, .number = flag };
	p->at += flag ? 4 : 5;
	return 0;
}

static int parse_one(struct parser *p, const char *type, struct value *out, bool *given)
{
	*given = true;
	switch (*p->at) {
	case '[':
		return parse_array(p, type, out);
	case '<':
		return parse_variant(p, type, out);
	case '\'':
	case '"':
		*given = false;
		return parse_string(p, type, out);
	default:
		break;
	}
	if (*p->at == 'b' && (p->at[1] == '\'' || p->at[1] == '"'))
		return parse_bytes(p, type, out);
	if (!strncmp(p->at, "true", 4) || !strncmp(p->at, "false", 5))
		return parse_bool(p, type, out);
	if (*p->at == '@' || isalpha((unsigned char)*p->at))
		return parse_typed(p, type, out);
	if (!isdigit((unsigned char)*p->at) && *p->at != '-' && *p->at != '+')
		return fail(p, "unexpected text");
	*given = false;
	return parse_number(p, type, out);
}

static int parse(struct parser *p, const char *type, struct value *out, bool *given)
{
	int ret;

	if (p->depth == DEPTH_MAX)
		return fail(p, "nested too deeply");
	p->depth++;
	skip_space(p);
	ret = parse_one(p, type, out, given);
	p->depth--;
	return ret;
}

int value_text_parse(const char *text, struct value *out, struct error **err)
{
	struct parser p = { .at = text, .err = err };
	struct value value = { 0 };
	bool given;
	int ret = parse(&p, NULL, &value, &given);

	skip_space(&p);
	if (ret == 0 && *p.at)
		ret = fail(&p, "unexpected text");
	if (ret < 0) {
		value_free(&value);
		return ret;
	}
	*out = value;
	return 0;
}
