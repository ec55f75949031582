/* SPDX-License-Identifier: Apache-2.0 */
/* See task_cgroup.h. */
#include "sentry/kernel/task_cgroup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/platform/platform.h"

struct task_cgroup {
	struct refcount refs;
	_Atomic uint32_t living;    /* what `stubs` lasts for */
	struct stub_family *stubs;  /* owned; does not change while one lives */
	uint32_t count;		    /* these do not change */
	char *places[];		    /* owned: pairs */
};

static void cgroup_free(struct task_cgroup *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		free(c->places[i]);
	free(c);
}

int task_cgroup_new(struct kernel *k, char *const *places, uint32_t count, struct task_cgroup **out)
{
	struct task_cgroup *c = calloc(1, sizeof(*c) + count * sizeof(*c->places));
	int rc = c ? 0 : -ENOMEM;

	for (; rc == 0 && c->count < count; c->count++) {
		c->places[c->count] = strdup(places[c->count]);
		if (!c->places[c->count])
			rc = -ENOMEM;
	}
	if (rc == 0)
		rc = stub_family_new(k->platform, &c->stubs);
	if (rc < 0) {
		if (c)
			cgroup_free(c);
		return rc;
	}
	refcount_init(&c->refs);
	atomic_store(&c->living, 1);
	*out = c;
	return 0;
}

struct stub_family *task_cgroup_stubs(const struct task_cgroup *c)
{
	return c->stubs;
}

struct task_cgroup *task_cgroup_enter(struct task_cgroup *c)
{
	uint32_t before;

	if (!c)
		return NULL;
	refcount_get(&c->refs);
	before = atomic_fetch_add(&c->living, 1);
	assert(before > 0);
	(void)before;
	return c;
}

void task_cgroup_leave(struct task_cgroup *c)
{
	if (!c || atomic_fetch_sub(&c->living, 1) != 1)
		return;
	stub_family_free(c->stubs);
	c->stubs = NULL;
}

void task_cgroup_put(struct task_cgroup *c)
{
	if (c && refcount_put(&c->refs))
		cgroup_free(c);
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		if (strcspn(list, ",") == length && !strncmp(list, word, length))
			return true;
	}
	return false;
}

const char *task_cgroup_path(const struct task_cgroup *c, const char *controllers)
{
	const char *found = "/";

	for (uint32_t i = 0; c && i + 1 < c->count; i += 2) {
		if (*c->places[i] && has_word(controllers, c->places[i]))
			return c->places[i + 1];
		if (!*c->places[i])
			found = c->places[i + 1];
	}
	return found;
}

struct stub_family *thread_group_stubs(const struct thread_group *g)
{
	return g->cgroup ? g->cgroup->stubs : g->container->stubs;
}
