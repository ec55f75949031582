/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as annotations have them: GVariant's text format, without tuples and dictionaries, which no
 * property of a scope has.
 */
#pragma once

#include "runtime/systemd/property.h"

/* @err gets the reason alone. */
int value_text_parse(const char *text, struct value *out, struct error **err) MUST_CHECK;
