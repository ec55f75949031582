/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point and vector state of a stopped context: it is in the signal
 * frame that the host kernel wrote on the stub's signal stack.  The stub loads it
 * from there; what was written here goes back by the host's rt_sigreturn, which
 * validates it.
 */
#include "sentry/platform/trap/context.h"

#include <errno.h>
#include <string.h>

size_t trap_xstate_size(struct platform *base)
{
	return trap_platform(base)->xstate_size;
}

int trap_read_xstate(struct context *ctx, void *buf, size_t size)
{
	struct trap_context *c = trap_context(ctx);
	ssize_t n;

	if (!c->thread->by_slot || size > c->platform->xstate_size)
		return -EINVAL;
	n = trap_as_read(&c->thread->as->base, c->thread->xstate_addr, buf, size);
	return n == (ssize_t)size ? 0 : -EFAULT;
}

int trap_write_xstate(struct context *ctx, const void *buf, size_t size)
{
	struct trap_context *c = trap_context(ctx);
	ssize_t n;

	if (!c->thread->by_slot || size > c->platform->xstate_size)
		return -EINVAL;
	c->thread->xstate_written = true;
	n = trap_as_write(&c->thread->as->base, c->thread->xstate_addr, buf, size);
	return n == (ssize_t)size ? 0 : -EFAULT;
}

int trap_reset_xstate(struct context *ctx)
{
	struct trap_platform *p = trap_context(ctx)->platform;

	return trap_write_xstate(ctx, p->xstate_initial, p->xstate_size);
}
