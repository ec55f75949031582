/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to a tree, with limits on depth and on the number of values, and
 * without what C strings cannot hold (NUL).  Numbers stay text: what uses them
 * decides on their range, so nothing is rounded on the way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/compiler.h"
#include "util/error.h"

#define JSON_DEPTH_MAX 64
#define JSON_VALUES_MAX 1000000

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Read-only; owned by its document. */
struct json_value {
	enum json_kind kind;
	bool boolean;
	const char *key;  /* in an object, else NULL */
	const char *text; /* of a string or number */
	struct json_value *first, *last; /* of an array or object, in file order */
	struct json_value *next;
	size_t count;
};

struct json_document;

/*
 * @name stands for the source in errors, which say line and column:
 *   config.json:3:17: premature EOF
 */
int json_parse(const char *text, size_t size, const char *name, struct json_document **out,
	       struct error **err) MUST_CHECK;
const struct json_value *json_root(const struct json_document *document);
/* NULL is a no-op. */
void json_document_free(struct json_document *document);

/* "a string", "an object", ... for messages. */
const char *json_kind_name(enum json_kind kind);

static inline void cleanup_json_document(struct json_document **document)
{
	json_document_free(*document);
}
#define AUTO_JSON_DOCUMENT __attribute__((cleanup(cleanup_json_document)))
