/* SPDX-License-Identifier: Apache-2.0 */
/* What this runtime supports, as the OCI features document. */
#pragma once

#include "util/compiler.h"

#define OCI_VERSION_MIN "1.0.0"
#define OCI_VERSION_MAX "1.2.0"

/* Indented JSON without a final newline.  The caller frees it; NULL: out of memory. */
char *features_json(void) MUST_CHECK;
