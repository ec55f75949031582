/* SPDX-License-Identifier: Apache-2.0 */
/* The containers of the sandbox: their objects and the list of them. */
#include "sentry/boot/console.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/boot/notify_socket.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/time_namespace.h"

struct sandbox_container *sandbox_container_new(struct sandbox *s)
{
	struct sandbox_container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	refcount_init(&c->refs);
	list_node_init(&c->node);
	list_init(&c->watches);
	list_init(&c->execs);
	boot_files_init(&c->files);
	c->sandbox = s;
	c->kernel = s->kernel;
	c->console_watch_fd = -1;
	return c;
}

struct sandbox_container *sandbox_container_get(struct sandbox_container *c)
{
	refcount_get(&c->refs);
	return c;
}

void sandbox_container_close_files(struct sandbox_container *c)
{
	boot_files_close(&c->files);
	if (c->console_watch_fd >= 0)
		close(c->console_watch_fd);
	c->console_watch_fd = -1;
}

void sandbox_container_put(struct sandbox_container *c)
{
	if (!c || !refcount_put(&c->refs))
		return;
	sandbox_container_close_files(c);
	console_put(c->console);
	notify_socket_close(c->notify);
	thread_group_put(c->init);
	mount_namespace_put(c->mounts);
	if (c->time)
		time_namespace_put(c->time);
	pid_namespace_put(c->pid_ns);
	uts_namespace_put(c->uts);
	ipc_namespace_put(c->ipc);
	task_container_put(c->members);
	boot_config_destroy(&c->config);
	free(c);
}

struct sandbox_container *sandbox_find_container(struct sandbox *s, uint32_t handle)
{
	struct sandbox_container *c, *found = NULL;

	mutex_lock(&s->lock);
	list_for_each(c, &s->containers, node)
		if (c->handle == handle)
			found = sandbox_container_get(c);
	mutex_unlock(&s->lock);
	return found;
}

int sandbox_container_number(struct sandbox_container *c)
{
	struct sandbox *s = c->sandbox;
	int rc = 0;

	mutex_lock(&s->lock);
	if (s->last_handle == UINT32_MAX)
		rc = -EOVERFLOW;
	else
		c->handle = ++s->last_handle;
	mutex_unlock(&s->lock);
	return rc;
}

void sandbox_container_publish(struct sandbox_container *c)
{
	sandbox_container_get(c);
	mutex_lock(&c->sandbox->lock);
	list_add_tail(&c->sandbox->containers, &c->node);
	mutex_unlock(&c->sandbox->lock);
}

void sandbox_container_withdraw(struct sandbox_container *c)
{
	bool listed;

	mutex_lock(&c->sandbox->lock);
	listed = list_linked(&c->node);
	if (listed)
		list_remove(&c->node);
	mutex_unlock(&c->sandbox->lock);
	if (listed)
		sandbox_container_put(c);
}

struct task *sandbox_container_init(struct sandbox_container *c)
{
	struct task *t = NULL;

	mutex_lock(&c->kernel->tasklist_lock);
	if (c->init->leader)
		t = task_get(c->init->leader);
	mutex_unlock(&c->kernel->tasklist_lock);
	return t;
}

struct task *sandbox_container_next(struct sandbox_container *c, int32_t from, int32_t *pid)
{
	struct task *t;

	while ((t = task_next_group(c->pid_ns, from, pid))) {
		if (t->group->container == c->members)
			return t;
		from = *pid + 1;
		task_put(t);
	}
	return NULL;
}
