/* SPDX-License-Identifier: Apache-2.0 */
/* The trap platform: construction, the table. */
#include "sentry/platform/trap/trap.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_thread.h"
#include "sentry/platform/trap/context.h"
#include "sentry/platform/trap/sweep.h"

#define PRISTINE_STUBS 1

static int trap_run(struct platform *base)
{
	struct trap_platform *p = trap_platform(base);
	int rc = trap_reaper_start(p);

	if (rc == 0)
		rc = trap_sweep_start(p);
	if (rc < 0)
		return rc;
	return trap_pool_start(p->pool);
}

const struct platform_ops trap_ops = {
	.run = trap_run,
	.vdso_table = trap_vdso_table,
	.family_new = trap_family_new,
	.family_free = trap_family_free,
	.family_settled = trap_family_settled,
	.address_space_new = trap_address_space_new,
	.address_space_get = trap_as_get,
	.address_space_put = trap_as_put,
	.context_is_alone = trap_context_is_alone,
	.address_space_end = trap_as_end,
	.address_space_read = trap_as_read,
	.address_space_write = trap_as_write,
	.address_space_host_pid = trap_as_host_pid,
	.set_host_command = trap_set_host_command,
	.context_new = trap_context_new,
	.context_exec = trap_context_exec,
	.context_fork = trap_context_fork,
	.context_clone = trap_context_clone,
	.context_start = trap_context_start,
	.context_destroy = trap_context_destroy,
	.context_address_space = trap_context_address_space,
	.context_regs = trap_context_regs,
	.context_set_return = trap_context_set_return,
	.context_kick = trap_context_kick,
	.context_kill_group = trap_context_kill_group,
	.context_unshelve = trap_context_unshelve,
	.context_host_tid = trap_context_host_tid,
	.context_cpu = trap_context_cpu,
	.need_registers = trap_need_registers,
	.fetch_registers = trap_fetch_registers,
	.xstate_size = trap_xstate_size,
	.read_xstate = trap_read_xstate,
	.write_xstate = trap_write_xstate,
	.reset_xstate = trap_reset_xstate,
	.map_anonymous = trap_map_anonymous,
	.map_fd = trap_map_fd,
	.unmap = trap_unmap,
	.protect = trap_protect,
	.remap = trap_remap,
	.advise = trap_advise,
	.cmpxchg_u32 = trap_cmpxchg_u32,
	.set_host_name = trap_set_host_name,
	.membarrier = trap_membarrier,
};

int platform_trap_new(const struct platform_config *config, struct platform **out)
{
	struct trap_platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->base.ops = &trap_ops;
	p->config = *config;
	p->listener = -1;
	/* A worker spins on one CPU for a guest thread on another. */
	p->watchers_max = config->cpus > 1 ? config->cpus - 1 : 0;
	p->pristine_wanted = PRISTINE_STUBS;
	mutex_init(&p->lookup_lock, LOCK_RANK_PLATFORM_LOOKUP);
	mutex_init(&p->lock, LOCK_RANK_PLATFORM);
	list_init(&p->unborn);
	list_init(&p->families);
	trap_family_init(&p->root_family);
	p->root_family.settled = true;
	list_add_tail(&p->families, &p->root_family.node);
	list_init(&p->orphans);
	atomic_store(&p->next_serial, 1);
	p->deaths = -1;
	rc = host_thread_learn_cpus();
	if (rc < 0)
		goto fail;
	p->deaths = host_death_set_new();
	if (p->deaths < 0) {
		rc = p->deaths;
		goto fail;
	}
	rc = trap_pool_new(p, &p->pool);
	if (rc == 0)
		rc = trap_template_start(p);
	if (rc < 0)
		goto fail;
	platform_instance = &p->base;
	*out = &p->base;
	return 0;
fail:
	/* Another platform may be tried after this one. */
	if (p->listener >= 0)
		close(p->listener);
	if (p->deaths >= 0)
		close(p->deaths);
	trap_pool_free(p->pool);
	mutex_destroy(&p->lookup_lock);
	mutex_destroy(&p->lock);
	for (size_t i = 0; i < ARRAY_SIZE(p->tids); i++)
		free(p->tids[i]);
	free(p);
	return rc;
}
