/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of platform.h: calls through the implementation's table. */
#include "sentry/platform/platform_ops.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/prctl.h"
#include "sentry/host/host_procfs.h"
#include "sentry/platform/trap/stub_abi.h"

struct platform *platform_instance;

guest_addr_t platform_address_min(void)
{
	return guest_addr(0x10000);
}

guest_addr_t platform_address_max(void)
{
	return guest_addr(STUB_AREA);
}

int platform_run(struct platform *p)
{
	return p->ops->run(p);
}

void platform_vdso_table(struct platform *p, struct platform_vdso_table *out)
{
	p->ops->vdso_table(p, out);
}

int stub_family_new(struct platform *p, struct stub_family **out)
{
	return p->ops->family_new ? p->ops->family_new(p, out) : -EOPNOTSUPP;
}

void stub_family_settled(struct stub_family *family)
{
	if (family && family->ops->family_settled)
		family->ops->family_settled(family);
}

void stub_family_free(struct stub_family *family)
{
	if (family)
		family->ops->family_free(family);
}

pid_t stub_family_host_pid(const struct stub_family *family)
{
	return address_space_host_pid(family->template);
}

int address_space_new(struct platform *p, struct stub_family *family, struct address_space **out)
{
	return p->ops->address_space_new(p, family, out);
}

void address_space_get(struct address_space *as)
{
	as->ops->address_space_get(as);
}

void address_space_put(struct address_space *as)
{
	if (as)
		as->ops->address_space_put(as);
}

ssize_t address_space_read(struct address_space *as, guest_addr_t addr, void *buf, size_t size)
{
	return as->ops->address_space_read(as, addr.v, buf, size);
}

ssize_t address_space_write(struct address_space *as, guest_addr_t addr, const void *buf,
			    size_t size)
{
	return as->ops->address_space_write(as, addr.v, buf, size);
}

pid_t address_space_host_pid(const struct address_space *as)
{
	return as->ops->address_space_host_pid(as);
}

void address_space_set_host_command(struct address_space *as, const char *args, size_t size)
{
	if (as->ops->set_host_command)
		as->ops->set_host_command(as, args, size);
}

int context_new(struct platform *p, struct address_space *as, void *owner, struct context **out)
{
	return p->ops->context_new(p, as, owner, out);
}

int context_exec(struct context *ctx, struct address_space *as)
{
	return ctx->ops->context_exec(ctx, as);
}

int context_fork(struct context *parent, void *owner, struct address_space **as,
		 struct context **out)
{
	return parent->ops->context_fork(parent, owner, as, out);
}

int context_clone(struct context *parent, bool same_group, uint64_t fs_base, void *owner,
		  struct context **out)
{
	return parent->ops->context_clone(parent, same_group, fs_base, owner, out);
}

void context_start(struct context *ctx)
{
	ctx->ops->context_start(ctx);
}

void context_destroy(struct context *ctx)
{
	ctx->ops->context_destroy(ctx);
}

struct address_space *context_address_space(struct context *ctx)
{
	return ctx->ops->context_address_space(ctx);
}

struct guest_regs *context_regs(struct context *ctx)
{
	return ctx->ops->context_regs(ctx);
}

void context_set_return(struct context *ctx, int64_t value)
{
	ctx->ops->context_set_return(ctx, value);
}

void context_kick(struct context *ctx)
{
	ctx->ops->context_kick(ctx);
}

void context_kill_group(struct context *ctx)
{
	ctx->ops->context_kill_group(ctx);
}

bool context_can_shelve(const struct context *ctx)
{
	return ctx->ops->context_unshelve;
}

void context_unshelve(struct context *ctx)
{
	ctx->ops->context_unshelve(ctx);
}

int platform_need_registers(struct context *ctx)
{
	return ctx->ops->need_registers(ctx);
}

int platform_fetch_registers(struct context *ctx)
{
	if (!ctx->ops->fetch_registers)
		return platform_need_registers(ctx);
	return ctx->ops->fetch_registers(ctx);
}

size_t platform_xstate_size(void)
{
	return platform_instance->ops->xstate_size(platform_instance);
}

int context_read_xstate(struct context *ctx, void *buf, size_t size)
{
	return ctx->ops->read_xstate(ctx, buf, size);
}

int context_write_xstate(struct context *ctx, const void *buf, size_t size)
{
	return ctx->ops->write_xstate(ctx, buf, size);
}

int context_reset_xstate(struct context *ctx)
{
	return ctx->ops->reset_xstate(ctx);
}

int platform_map_anonymous(struct context *ctx, guest_addr_t addr, uint64_t size, int prot,
			   bool noreserve)
{
	return ctx->ops->map_anonymous(ctx, addr.v, size, prot, noreserve);
}

int platform_map_fd(struct context *ctx, guest_addr_t addr, uint64_t size, int prot, bool shared,
		    int fd, uint64_t offset)
{
	return ctx->ops->map_fd(ctx, addr.v, size, prot, shared, fd, offset);
}

int platform_unmap(struct context *ctx, guest_addr_t addr, uint64_t size)
{
	return ctx->ops->unmap(ctx, addr.v, size);
}

int platform_protect(struct context *ctx, guest_addr_t addr, uint64_t size, int prot)
{
	return ctx->ops->protect(ctx, addr.v, size, prot);
}

int platform_remap(struct context *ctx, guest_addr_t old_addr, uint64_t old_size,
		   guest_addr_t new_addr, uint64_t new_size)
{
	return ctx->ops->remap(ctx, old_addr.v, old_size, new_addr.v, new_size);
}

int platform_advise(struct context *ctx, guest_addr_t addr, uint64_t size, int advice)
{
	return ctx->ops->advise(ctx, addr.v, size, advice);
}

int platform_cmpxchg_u32(struct context *ctx, guest_addr_t addr, uint32_t expected,
			 uint32_t desired, uint32_t *found)
{
	return ctx->ops->cmpxchg_u32(ctx, addr.v, expected, desired, found);
}

int platform_membarrier(struct context *ctx, int command)
{
	switch (command) {
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		return ctx->ops->membarrier(ctx, command);
	default:
		return -EINVAL;
	}
}

int platform_set_host_name(struct context *ctx, const char comm[16])
{
	return ctx->ops->set_host_name(ctx, comm);
}

void address_space_statm(struct address_space *as, struct host_statm *out)
{
	host_procfs_statm(address_space_host_pid(as), out);
}

void context_usage(struct context *ctx, struct host_usage *out)
{
	host_procfs_usage(address_space_host_pid(context_address_space(ctx)),
			  ctx->ops->context_host_tid(ctx), out);
}

bool context_is_alone(const struct context *ctx)
{
	return ctx->ops->context_is_alone && ctx->ops->context_is_alone(ctx);
}

void address_space_end(struct address_space *as, struct host_usage *usage)
{
	as->ops->address_space_end(as, usage);
}

uint32_t context_cpu(struct context *ctx)
{
	uint32_t cpu;

	if (ctx->ops->context_cpu && ctx->ops->context_cpu(ctx, &cpu))
		return cpu;
	return (uint32_t)host_procfs_cpu(address_space_host_pid(context_address_space(ctx)),
					 ctx->ops->context_host_tid(ctx));
}

int context_stack_pointer(struct context *ctx, uint64_t *out)
{
	uint64_t sp;
	int rc = host_procfs_stack_pointer(address_space_host_pid(context_address_space(ctx)),
					   ctx->ops->context_host_tid(ctx), &sp);

	if (rc < 0)
		return rc;
	/* The stub's own stack: it is not in the guest's call. */
	if (sp >= platform_address_max().v)
		return -EAGAIN;
	*out = sp;
	return 0;
}
