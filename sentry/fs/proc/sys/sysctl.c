/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of parameters that were set, by row.  One lock guards all of them;
 * rows without a kept value show the initial one.
 */
#include "sentry/fs/proc/sys/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/proc/proc_internal.h"
#include "util/lock.h"
#include "util/parse.h"

#define VALUE_SIZE 128
#define ROWS_MAX 256

static struct mutex lock = MUTEX_INIT(LOCK_RANK_LEAF);
static char *values[ROWS_MAX]; /* owned; protected by lock */

void sysctl_text(const struct sysctl *s, char *buf, size_t size)
{
	size_t row = (size_t)(s - sysctl_table);

	mutex_lock(&lock);
	snprintf(buf, size, "%s", row < ROWS_MAX && values[row] ? values[row] : s->initial);
	mutex_unlock(&lock);
}

static int keep(const struct sysctl *s, const char *text)
{
	size_t row = (size_t)(s - sysctl_table);
	char *copy = row < ROWS_MAX ? strdup(text) : NULL, *old;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&lock);
	old = values[row];
	values[row] = copy;
	mutex_unlock(&lock);
	free(old);
	return 0;
}

static void trim(char **text)
{
	char *end;

	*text += strspn(*text, " \t\n");
	end = *text + strlen(*text);
	while (end > *text && strchr(" \t\n", end[-1]))
		*--end = '\0';
}

/* A row of several numbers keeps tabs between them, as Linux prints them. */
static int check_numbers(const struct sysctl *s, char *text)
{
	static const char *const plain[] = { "kernel/core_pattern", "net/core/default_qdisc",
					     "net/ipv4/tcp_congestion_control",
					     "net/ipv4/ip_local_reserved_ports" };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (!strcmp(plain[i], s->path))
			return 0;
	}
	for (char *p = text; *p; p++) {
		if (*p == ' ' || *p == '\t')
			*p = '\t';
		else if ((*p < '0' || *p > '9') && *p != '-')
			return -EINVAL;
	}
	return *text ? 0 : -EINVAL;
}

int sysctl_store(const struct sysctl *s, char *text)
{
	int64_t value;
	int rc;

	trim(&text);
	if (strlen(text) >= VALUE_SIZE)
		return -EINVAL;
	if (s->min == 0 && s->max == 0)
		rc = check_numbers(s, text);
	else
		rc = parse_i64(text, s->min, s->max, &value) < 0 ? -EINVAL : 0;
	return rc < 0 ? rc : keep(s, text);
}

static const struct sysctl *find(const char *path)
{
	for (size_t i = 0; i < sysctl_count; i++) {
		if (!strcmp(sysctl_table[i].path, path))
			return &sysctl_table[i];
	}
	return NULL;
}

int64_t sysctl_number(const char *path)
{
	const struct sysctl *s = find(path);
	char text[VALUE_SIZE];

	if (!s || !s->initial)
		return 0;
	sysctl_text(s, text, sizeof(text));
	return strtoll(text, NULL, 10);
}

int sysctl_set(const char *key, const char *value)
{
	/* Nobody's, from the beginning. */
	const struct proc_call call = { 0 };
	char path[VALUE_SIZE], text[VALUE_SIZE];
	const struct sysctl *s;
	int n = snprintf(path, sizeof(path), "%s", key);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENOENT;
	/* sysctl(8): dots separate unless a slash comes first */
	if (!strchr(path, '/')) {
		for (char *p = path; *p; p++)
			*p = *p == '.' ? '/' : *p;
	}
	s = find(path);
	if (!s)
		return -ENOENT;
	if (!(s->mode & 0200))
		return -EPERM;
	n = snprintf(text, sizeof(text), "%s", value);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EINVAL;
	return s->store ? s->store(&call, text, strlen(text)) : sysctl_store(s, text);
}
