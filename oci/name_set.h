/* SPDX-License-Identifier: Apache-2.0 */
/* Closed sets of names in the validator: a NULL-terminated table each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool name_set_has(const char *const *set, const char *name)
{
	for (; *set; set++)
		if (!strcmp(*set, name))
			return true;
	return false;
}
