/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of contexts, for the table in trap.c. */
#pragma once

#include "sentry/platform/trap/trap.h"

struct guest_regs *trap_context_regs(struct context *ctx);
void trap_context_set_return(struct context *ctx, int64_t value);
int trap_need_registers(struct context *ctx);
int trap_fetch_registers(struct context *ctx) MUST_CHECK;
void trap_context_kick(struct context *ctx);
void trap_context_kill_group(struct context *ctx);
pid_t trap_context_host_tid(const struct context *ctx);
void trap_context_unshelve(struct context *ctx);
bool trap_context_cpu(struct context *ctx, uint32_t *cpu);
struct address_space *trap_context_address_space(struct context *ctx);
int trap_context_want_registers(struct context *ctx, bool want) MUST_CHECK;
int trap_context_new(struct platform *base, struct address_space *as, void *owner,
		     struct context **out) MUST_CHECK;
int trap_context_exec(struct context *ctx, struct address_space *as) MUST_CHECK;
int trap_context_fork(struct context *ctx, void *owner, struct address_space **as_out,
		      struct context **out) MUST_CHECK;
int trap_context_clone(struct context *ctx, bool same_group, uint64_t fs_base, void *owner,
		       struct context **out)
	MUST_CHECK;
void trap_context_start(struct context *ctx);
void trap_context_destroy(struct context *ctx);

/* clone.c: the host's side of fork and clone; @child's thread is set on success. */
int trap_fork_process(struct trap_platform *p, struct trap_thread *parent,
		      struct trap_context *child, struct trap_address_space **out) MUST_CHECK;
int trap_clone_thread(struct trap_platform *p, struct trap_thread *parent,
		      struct trap_context *child, bool same_group) MUST_CHECK;

/* memory.c, xstate.c */
int trap_map_anonymous(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool noreserve);
int trap_map_fd(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared, int fd,
		uint64_t offset);
int trap_unmap(struct context *ctx, uint64_t addr, uint64_t size);
int trap_protect(struct context *ctx, uint64_t addr, uint64_t size, int prot);
int trap_remap(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
	       uint64_t new_size);
int trap_advise(struct context *ctx, uint64_t addr, uint64_t size, int advice);
int trap_cmpxchg_u32(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
		     uint32_t *found);
void trap_set_host_command(struct address_space *as, const char *args, size_t size);
int trap_set_host_name(struct context *ctx, const char comm[16]);
int trap_membarrier(struct context *ctx, int command);
size_t trap_xstate_size(struct platform *base);
int trap_read_xstate(struct context *ctx, void *buf, size_t size);
int trap_write_xstate(struct context *ctx, const void *buf, size_t size);
int trap_reset_xstate(struct context *ctx);

/* vdso_table.c */
void trap_vdso_table(struct platform *base, struct platform_vdso_table *out);
