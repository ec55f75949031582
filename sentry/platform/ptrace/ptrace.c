/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ptrace platform: construction and the table.
 *
 * The simple fallback, and the reference for correctness.  Host calls that it
 * needs once the sentry is confined, for the allow-list:
 *   ptrace (SEIZE, INTERRUPT, SYSEMU, CONT, DETACH, SETOPTIONS, GETREGS, SETREGS,
 *     GETREGSET, SETREGSET, GETSIGINFO, GETEVENTMSG, GET_SYSCALL_INFO), waitid;
 *   kill, tgkill, process_vm_readv, process_vm_writev, sched_yield;
 *   sendmsg, recvmsg, close (FDs on their way to a stub);
 *   clone3 or clone, and what else a thread needs (sentry/host/host_thread.c),
 *     exit, munmap; futex.
 * SIGCHLD must not be ignored: the host would reap the stubs.
 */
#include "sentry/platform/ptrace/ptrace.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/platform/ptrace/context.h"

/* Nothing to start: every context brings its thread. */
static int ptrace_run(struct platform *base)
{
	(void)base;
	return 0;
}

const struct platform_ops ptrace_ops = {
	.run = ptrace_run,
	.vdso_table = ptrace_vdso_table,
	.family_new = ptrace_family_new,
	.family_free = ptrace_family_free,
	.address_space_new = ptrace_address_space_new,
	.address_space_get = ptrace_as_get,
	.address_space_put = ptrace_as_put,
	.address_space_read = ptrace_as_read,
	.address_space_write = ptrace_as_write,
	.address_space_host_pid = ptrace_as_host_pid,
	.context_new = ptrace_context_new,
	.context_exec = ptrace_context_exec,
	.context_fork = ptrace_context_fork,
	.context_clone = ptrace_context_clone,
	.context_start = ptrace_context_start,
	.context_destroy = ptrace_context_destroy,
	.context_address_space = ptrace_context_address_space,
	.context_regs = ptrace_context_regs,
	.context_set_return = ptrace_context_set_return,
	.context_kick = ptrace_context_kick,
	.context_kill_group = ptrace_context_kill_group,
	.context_host_tid = ptrace_context_host_tid,
	.need_registers = ptrace_need_registers,
	.xstate_size = ptrace_xstate_size,
	.read_xstate = ptrace_read_xstate,
	.write_xstate = ptrace_write_xstate,
	.reset_xstate = ptrace_reset_xstate,
	.map_anonymous = ptrace_map_anonymous,
	.map_fd = ptrace_map_fd,
	.unmap = ptrace_unmap,
	.protect = ptrace_protect,
	.remap = ptrace_remap,
	.advise = ptrace_advise,
	.cmpxchg_u32 = ptrace_cmpxchg_u32,
	.set_host_name = ptrace_set_host_name,
	.membarrier = ptrace_membarrier,
};

int platform_ptrace_new(const struct platform_config *config, struct platform **out)
{
	struct ptrace_platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->base.ops = &ptrace_ops;
	p->config = *config;
	mutex_init(&p->lock, LOCK_RANK_PLATFORM);
	rc = ptrace_template_start(p);
	if (rc < 0) {
		/* The sentry ends now, and the template with it. */
		free(p);
		return rc;
	}
	platform_instance = &p->base;
	*out = &p->base;
	return 0;
}
