/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's parameters: rows of sysctl_table.c, shown under /proc/sys.  A value
 * that can be set is checked against its range and kept; what it governs reads it
 * with sysctl_number().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

struct proc_call;
struct strbuf;

struct sysctl {
	const char *path; /* "kernel/ostype" */
	uint32_t mode;
	const char *initial; /* text; or NULL with show */
	/* A number with these bounds when min <= max and max is not 0. */
	int64_t min, max;
	int (*show)(const struct proc_call *c, struct strbuf *out);
	int (*store)(const struct proc_call *c, char *text, size_t size);
	bool positioned; /* store looks at the call's position */
};

extern const struct sysctl sysctl_table[];
extern const size_t sysctl_count;

/*
 * From config.json: @key with dots or slashes.  -ENOENT unknown, -EPERM read-only,
 * -EINVAL bad value.
 */
int sysctl_set(const char *key, const char *value) MUST_CHECK;
/* The first number of the value; @path with slashes and known. */
int64_t sysctl_number(const char *path);
/* The kept text without newline, into @buf. */
void sysctl_text(const struct sysctl *s, char *buf, size_t size);
int sysctl_store(const struct sysctl *s, char *text) MUST_CHECK;
