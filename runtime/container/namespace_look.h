/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a namespace of the host, found out by a child that enters it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "oci/spec.h"
#include "util/compiler.h"

/* Whether the namespace file of which @st tells is @process's (as /proc calls it), called @proc_name there. */
bool namespace_is_of(const struct stat *st, const char *process, const char *proc_name);

/* 0 or negative errno. */
int namespace_look_names(int fd, struct utsname *out) MUST_CHECK;
/* A map of the user namespace: "uid_map" or "gid_map", with ids of ours outside.  *out is malloc'ed. */
int namespace_look_map(int fd, const char *file, struct spec_id_mapping **out, size_t *count) MUST_CHECK;
/* The lines of a map file; exposed for tests.  @text is changed. */
int namespace_parse_map(char *text, struct spec_id_mapping **out, size_t *count) MUST_CHECK;
