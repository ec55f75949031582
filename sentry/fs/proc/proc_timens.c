/* SPDX-License-Identifier: Apache-2.0 */
/* timens_offsets: the offsets of the time namespace a process has for its children. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/time.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/kernel/time_namespace.h"

#define OFFSETS_MAX 2

static void show_offset(struct strbuf *out, const char *name, int64_t ns)
{
	int64_t sec = ns / (int64_t)NSEC_PER_SEC, nsec = ns % (int64_t)NSEC_PER_SEC;

	if (nsec < 0) {
		sec--;
		nsec += (int64_t)NSEC_PER_SEC;
	}
	strbuf_addf(out, "%-10s %10lld %9lld\n", name, (long long)sec, (long long)nsec);
}

int proc_show_timens_offsets(const struct proc_call *c, struct strbuf *out)
{
	struct namespaces *set = task_namespaces_get(c->task);

	if (!set)
		return -ESRCH;
	show_offset(out, "monotonic", atomic_load(&set->time_for_children->monotonic));
	show_offset(out, "boottime", atomic_load(&set->time_for_children->boottime));
	namespaces_put(set);
	return 0;
}

/* Where the kernel's sscanf would read a number: behind spaces, and without a plus sign. */
static char *number_at(char *text, bool is_signed)
{
	text += strspn(text, " \t\v\f\r");
	return isdigit((unsigned char)text[is_signed && *text == '-']) ? text : NULL;
}

/* As sscanf("%9s %lld %lu"): what follows is not looked at. */
static int parse_offset(char *line, struct time_offset *o)
{
	char clock[10], *at;
	unsigned long nsec;
	long long sec;
	int used;

	if (sscanf(line, "%9s%n", clock, &used) != 1)
		return -EINVAL;
	at = number_at(line + used, true);
	if (!at)
		return -EINVAL;
	sec = strtoll(at, &at, 10);
	at = number_at(at, false);
	if (!at)
		return -EINVAL;
	nsec = strtoul(at, NULL, 10);
	if (nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (!strcmp(clock, "monotonic") || !strcmp(clock, "1"))
		o->clock = LINUX_CLOCK_MONOTONIC;
	else if (!strcmp(clock, "boottime") || !strcmp(clock, "7"))
		o->clock = LINUX_CLOCK_BOOTTIME;
	else
		return -EINVAL;
	o->sec = sec;
	o->nsec = (uint32_t)nsec;
	return 0;
}

static int parse_offsets(char *text, struct time_offset *offsets, unsigned *count)
{
	char *line = text, *next;

	for (*count = 0; line; line = next) {
		int rc;

		next = strchr(line, '\n');
		if (next) {
			*next++ = '\0';
			if (!*next)
				next = NULL;
		}
		/* Linux takes two lines and says so; here a third is an error. */
		if (*count == OFFSETS_MAX)
			return -EINVAL;
		rc = parse_offset(line, &offsets[*count]);
		if (rc)
			return rc;
		(*count)++;
	}
	return 0;
}

int proc_store_timens_offsets(const struct proc_call *c, char *text, size_t size)
{
	struct namespaces *set;
	struct time_offset offsets[OFFSETS_MAX];
	unsigned count;
	int rc = c->pos || size >= PROC_WRITE_MAX - 1 ? -EINVAL : parse_offsets(text, offsets, &count);

	if (rc)
		return rc;
	set = task_namespaces_get(c->task);
	if (!set)
		return -ESRCH;
	if (c->cred &&
	    !credentials_ns_capable(c->cred, set->time_for_children->user_ns, LINUX_CAP_SYS_TIME))
		rc = -EPERM;
	else
		rc = time_namespace_set_offsets(set->time_for_children, offsets, count);
	namespaces_put(set);
	return rc;
}
