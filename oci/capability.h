/* SPDX-License-Identifier: Apache-2.0 */
/* Capability names and numbers. */
#pragma once

#include <stdint.h>

#include "util/string_list.h"

#define OCI_CAPABILITY_COUNT 41

/* "CAP_CHOWN" for 0; NULL beyond the last known one. */
const char *oci_capability_name(unsigned number);
/* -1 when unknown. */
int oci_capability_number(const char *name);
/* A bit for each known name; unknown names are skipped and, if wanted, counted. */
uint64_t oci_capability_set(const struct string_list *names, size_t *unknown);
