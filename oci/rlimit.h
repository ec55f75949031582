/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limit names and numbers; numbers are x86_64 Linux's. */
#pragma once

#define OCI_RLIMIT_COUNT 16

/* "RLIMIT_CPU" for 0; NULL beyond the last. */
const char *oci_rlimit_name(unsigned number);
/* -1 when unknown. */
int oci_rlimit_number(const char *name);
