/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families of stubs: a template, which is forked by one at a time, and a small stock of pristine stubs
 * of it.  The root family's template is executed at boot (template.c); another one's is a pristine
 * stub itself.
 */
#include "sentry/platform/trap/context.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/host/host_futex.h"

static struct trap_family *family_of(struct stub_family *base)
{
	return container_of(base, struct trap_family, base);
}

void trap_family_init(struct trap_family *f)
{
	f->base.ops = &trap_ops;
	list_node_init(&f->node);
	list_init(&f->pristine);
}

/* Waits until nobody else forks the template. */
static void claim(struct trap_platform *p, struct trap_family *f)
{
	for (;;) {
		uint32_t event = atomic_load(&p->template_free);
		bool busy, worker;

		mutex_lock(&p->lock);
		busy = f->busy;
		f->busy = true;
		mutex_unlock(&p->lock);
		if (!busy)
			return;
		worker = trap_pool_block_begin();
		host_futex_wait(&p->template_free, event, HOST_FUTEX_FOREVER, false);
		if (worker)
			trap_pool_return(trap_worker_current());
	}
}

static void release(struct trap_platform *p, struct trap_family *f)
{
	mutex_lock(&p->lock);
	f->busy = false;
	mutex_unlock(&p->lock);
	atomic_fetch_add(&p->template_free, 1);
	host_futex_wake(&p->template_free, INT32_MAX);
}

/* A pristine stub of the template, which is claimed; STOPPED. */
static int fork_template(struct trap_platform *p, struct trap_family *f,
			 struct trap_address_space **out)
{
	struct trap_address_space *as;
	int rc = trap_fork_process(p, f->template, NULL, &as);

	if (rc < 0)
		return rc;
	trap_wait_done(p, as->first);
	rc = trap_thread_begin(p, as->first, true);
	if (rc < 0) {
		trap_address_space_free(as);
		return rc;
	}
	*out = as;
	return 0;
}

static struct trap_address_space *take_pristine_locked(struct trap_family *f)
{
	struct trap_address_space *as = list_first(&f->pristine, struct trap_address_space, pool_node);

	if (as) {
		list_remove(&as->pool_node);
		f->pristine_count--;
	}
	return as;
}

int trap_address_space_new(struct platform *base, struct stub_family *family,
			   struct address_space **out)
{
	struct trap_platform *p = trap_platform(base);
	struct trap_family *f = family ? family_of(family) : &p->root_family;
	struct trap_address_space *as;
	int rc;

	mutex_lock(&p->lock);
	as = take_pristine_locked(f);
	mutex_unlock(&p->lock);
	if (as) {
		*out = &as->base;
		trap_pool_queue_refill(p->pool);
		return 0;
	}
	claim(p, f);
	rc = fork_template(p, f, &as);
	release(p, f);
	if (rc == 0)
		*out = &as->base;
	return rc;
}

/* Claimed, unless the stock is full or somebody forks it just now, who may take what he gets. */
static struct trap_family *claim_wanting(struct trap_platform *p)
{
	struct trap_family *f, *found = NULL;

	mutex_lock(&p->lock);
	list_for_each(f, &p->families, node) {
		if (f->busy || !f->settled || f->pristine_count >= p->pristine_wanted)
			continue;
		f->busy = true;
		found = f;
		break;
	}
	mutex_unlock(&p->lock);
	return found;
}

void trap_family_refill(struct trap_platform *p)
{
	struct trap_address_space *as;
	struct trap_family *f;

	while ((f = claim_wanting(p))) {
		int rc = fork_template(p, f, &as);

		mutex_lock(&p->lock);
		if (rc == 0) {
			list_add_tail(&f->pristine, &as->pool_node);
			f->pristine_count++;
		}
		mutex_unlock(&p->lock);
		release(p, f);
		if (rc < 0)
			return;
	}
}

int trap_family_new(struct platform *base, struct stub_family **out)
{
	struct trap_platform *p = trap_platform(base);
	struct trap_family *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	trap_family_init(f);
	rc = trap_address_space_new(base, NULL, &f->base.template);
	if (rc < 0) {
		free(f);
		return rc;
	}
	f->template = trap_address_space(f->base.template)->first;
	mutex_lock(&p->lock);
	list_add_tail(&p->families, &f->node);
	mutex_unlock(&p->lock);
	*out = &f->base;
	return 0;
}

void trap_family_settled(struct stub_family *base)
{
	struct trap_platform *p = trap_address_space(base->template)->platform;

	mutex_lock(&p->lock);
	family_of(base)->settled = true;
	mutex_unlock(&p->lock);
	trap_pool_queue_refill(p->pool);
}

void trap_family_free(struct stub_family *base)
{
	struct trap_family *f = family_of(base);
	struct trap_platform *p = trap_address_space(base->template)->platform;
	struct trap_address_space *as;

	/* Never released: who fills the stock cannot be at it, nor find it any more. */
	claim(p, f);
	mutex_lock(&p->lock);
	list_remove(&f->node);
	mutex_unlock(&p->lock);
	while ((as = take_pristine_locked(f)))
		trap_as_put(&as->base);
	trap_as_put(base->template);
	free(f);
}
