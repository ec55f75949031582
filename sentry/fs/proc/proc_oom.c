/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom_score, oom_score_adj and the old oom_adj.  The value is kept for the guest to
 * read back; the host chooses by its own score of the stubs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/fs/proc/proc_sample.h"
#include "util/parse.h"

#define ADJ_MIN (-1000)
#define ADJ_MAX 1000
#define OLD_MIN (-17)
#define OLD_MAX 15

int proc_show_oom_score_adj(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%d\n", c->task->group->oom_score_adj);
	return 0;
}

int proc_show_oom_adj(const struct proc_call *c, struct strbuf *out)
{
	int adj = c->task->group->oom_score_adj;

	strbuf_addf(out, "%d\n", adj == ADJ_MAX ? OLD_MAX : adj * -OLD_MIN / ADJ_MAX);
	return 0;
}

int proc_show_oom_score(const struct proc_call *c, struct strbuf *out)
{
	uint64_t total = task_container_memory_limit(c->task->group->container) / GUEST_PAGE_SIZE;
	int adj = c->task->group->oom_score_adj;
	struct proc_memory m;
	int64_t points;

	proc_sample_memory(c->task, &m);
	if (adj == ADJ_MIN || !m.present || !total) {
		strbuf_add(out, "0\n");
		return 0;
	}
	/* Linux's scale: 0 to 2000, without adjustment 666 and up */
	points = (int64_t)(m.rss_pages * ADJ_MAX / total) + adj;
	points = (points + ADJ_MAX) * 2 / 3;
	strbuf_addf(out, "%lld\n", (long long)(points > 0 ? points : 0));
	return 0;
}

/* Lowering needs CAP_SYS_RESOURCE. */
static int set_adj(const struct proc_call *c, int adj)
{
	struct task *caller = task_current();
	struct thread_group *g = c->task->group;

	if (adj < g->oom_score_adj && caller &&
	    !credentials_root_capable(caller->cred, LINUX_CAP_SYS_RESOURCE))
		return -EACCES;
	g->oom_score_adj = adj;
	return 0;
}

int proc_parse_int(char *text, int *out)
{
	char *start = text + strspn(text, " \t\n"), *end = start + strlen(start);
	int64_t value;

	while (end > start && strchr(" \t\n", end[-1]))
		*--end = '\0';
	if (*start == '+')
		start++;
	if (parse_i64(start, INT32_MIN, INT32_MAX, &value) < 0)
		return -EINVAL;
	*out = (int)value;
	return 0;
}

int proc_store_oom_score_adj(const struct proc_call *c, char *text, size_t size)
{
	int adj;
	int rc = proc_parse_int(text, &adj);

	if (rc < 0)
		return rc;
	return adj < ADJ_MIN || adj > ADJ_MAX ? -EINVAL : set_adj(c, adj);
}

int proc_store_oom_adj(const struct proc_call *c, char *text, size_t size)
{
	int adj;
	int rc = proc_parse_int(text, &adj);

	if (rc < 0)
		return rc;
	if (adj < OLD_MIN || adj > OLD_MAX)
		return -EINVAL;
	return set_adj(c, adj == OLD_MAX ? ADJ_MAX : adj * ADJ_MAX / -OLD_MIN);
}
