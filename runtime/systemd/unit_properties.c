/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/systemd/unit_properties.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/annotation.h"
#include "runtime/systemd/value_text.h"
#include "util/checked.h"

#define NAME_MIN 3
#define USEC_PER_SEC 1000000ull

void unit_base_properties(const struct unit_name *unit, pid_t pid, bool v2,
			  struct property_list *list)
{
	char description[512];

	snprintf(description, sizeof(description), "libcontainer container %s", unit->name);
	property_add_string(list, "Description", description);
	/* A slice is below others by its name. */
	if (unit_name_is_slice(unit->unit)) {
		property_add_strings(list, "Wants", unit->slice);
	} else {
		property_add_string(list, "Slice", unit->slice);
		property_add_bool(list, "Delegate", true);
	}
	property_add_u32s(list, "PIDs", (uint32_t)pid);
	property_add_bool(list, "MemoryAccounting", true);
	property_add_bool(list, "CPUAccounting", true);
	property_add_bool(list, v2 ? "IOAccounting" : "BlockIOAccounting", true);
	property_add_bool(list, "TasksAccounting", true);
	property_add_bool(list, "DefaultDependencies", false);
}

/* --- annotations --------------------------------------------------------------------------- */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static int check_name(const char *name, const char *key, struct error **err)
{
	const char *why = strlen(name) < NAME_MIN ? "too short" : NULL;

	for (const char *c = name; *c && !why; c++) {
		if (!is_lower(*c) && !(*c >= 'A' && *c <= 'Z'))
			why = "contains non-alphabetic character";
	}
	return why ? error_set(err, -EINVAL, "annotation %s name incorrect: %s", key, why) : 0;
}

static int seconds_to_usec(struct value *value, struct error **err)
{
	uint64_t usec = 0;
	bool bad = false;

	switch (value->type) {
	case VALUE_INT16:
	case VALUE_INT32:
	case VALUE_INT64:
		bad = value->signed_number < 0;
		__attribute__((fallthrough));
	case VALUE_BYTE:
	case VALUE_UINT16:
	case VALUE_UINT32:
	case VALUE_UINT64:
		bad = bad || mul_overflows(value->number, USEC_PER_SEC, &usec);
		break;
	case VALUE_DOUBLE:
		bad = !(value->real >= 0 && value->real < 1e12);
		usec = bad ? 0 : (uint64_t)(value->real * (double)USEC_PER_SEC);
		break;
	default:
		return error_set(err, -EINVAL, "not a number");
	}
	if (bad)
		return error_set(err, -ERANGE, "value out of range");
	*value = (struct value){ .type = VALUE_UINT64, .number = usec };
	return 0;
}

static bool is_in_seconds(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && !strcmp(name + length - 3, "Sec") && is_lower(name[length - 4]);
}

static int add_annotation(const struct string_pair *pair, struct property_list *list, struct error **err)
{
	const char *given = pair->key + strlen(ANNOTATION_SYSTEMD_PREFIX);
	bool in_seconds = is_in_seconds(given);
	struct value value = { 0 };
	char name[256];

	if (check_name(given, pair->key, err) < 0)
		return error_code(*err);
	if (strlen(given) + 2 > sizeof(name))
		return error_set(err, -EINVAL, "annotation %s name incorrect: too long", pair->key);
	if (value_text_parse(pair->value, &value, err) < 0 ||
	    (in_seconds && seconds_to_usec(&value, err) < 0)) {
		value_free(&value);
		return error_wrap(err, "annotation %s=%s value parse error", pair->key, pair->value);
	}
	snprintf(name, sizeof(name), "%.*s%s", (int)(strlen(given) - (in_seconds ? 3 : 0)), given,
		 in_seconds ? "USec" : "");
	property_add(list, name, &value);
	return 0;
}

int unit_annotation_properties(const struct string_map *annotations, struct property_list *list,
			       struct error **err)
{
	for (size_t i = 0; i < annotations->count; i++) {
		const struct string_pair *pair = &annotations->items[i];

		if (!strncmp(pair->key, ANNOTATION_SYSTEMD_PREFIX, strlen(ANNOTATION_SYSTEMD_PREFIX)) &&
		    add_annotation(pair, list, err) < 0)
			return error_code(*err);
	}
	return 0;
}
