/* SPDX-License-Identifier: Apache-2.0 */
/* The cold half of util/refcount.h. */
#include "util/refcount.h"

#include "util/log.h"

void refcount_bug(const char *what)
{
	panic("reference count: %s", what);
}
