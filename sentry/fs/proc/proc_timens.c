/* SPDX-License-Identifier: Apache-2.0 */
/* timens_offsets: the offsets of the time namespace a process has for its children. */
#include <errno.h>
#include <stdio.h>
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

/* As sscanf("%9s %lld %lu"): what follows is not looked at. */
static int parse_offset(char *line, struct time_offset *o)
{
	unsigned long nsec;
	long long sec;
	char clock[10];
	const char *last = line;

	for (int words = 0; words < 2 && *last; words++) {
		last += strspn(last, " \t");
		last += strcspn(last, " \t");
	}
	last += strspn(last, " \t");
	if (*last == '-' || sscanf(line, "%9s %lld %lu", clock, &sec, &nsec) != 3 ||
	    nsec >= NSEC_PER_SEC)
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
