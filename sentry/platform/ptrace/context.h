/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of contexts, for the table in ptrace.c. */
#pragma once

#include "sentry/platform/ptrace/ptrace.h"

/* context.c */
int ptrace_context_new(struct platform *base, struct address_space *as, void *owner,
		       struct context **out) MUST_CHECK;
int ptrace_context_exec(struct context *ctx, struct address_space *as) MUST_CHECK;
int ptrace_context_fork(struct context *ctx, void *owner, struct address_space **as_out,
			struct context **out) MUST_CHECK;
int ptrace_context_clone(struct context *ctx, bool same_group, uint64_t fs_base, void *owner,
			 struct context **out)
	MUST_CHECK;
void ptrace_context_start(struct context *ctx);
void ptrace_context_destroy(struct context *ctx);
struct address_space *ptrace_context_address_space(struct context *ctx);
struct guest_regs *ptrace_context_regs(struct context *ctx);
void ptrace_context_set_return(struct context *ctx, int64_t value);
int ptrace_need_registers(struct context *ctx);
void ptrace_context_kick(struct context *ctx);
void ptrace_context_kill_group(struct context *ctx);
pid_t ptrace_context_host_tid(const struct context *ctx);

/* memory.c */
int ptrace_map_anonymous(struct context *ctx, uint64_t addr, uint64_t size, int prot,
			 bool noreserve);
int ptrace_map_fd(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared, int fd,
		  uint64_t offset);
int ptrace_unmap(struct context *ctx, uint64_t addr, uint64_t size);
int ptrace_protect(struct context *ctx, uint64_t addr, uint64_t size, int prot);
int ptrace_remap(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		 uint64_t new_size);
int ptrace_advise(struct context *ctx, uint64_t addr, uint64_t size, int advice);
int ptrace_cmpxchg_u32(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found);
int ptrace_set_host_name(struct context *ctx, const char comm[16]);
int ptrace_membarrier(struct context *ctx, int command);

/* xstate.c */
size_t ptrace_xstate_size(struct platform *base);
int ptrace_read_xstate(struct context *ctx, void *buf, size_t size);
int ptrace_write_xstate(struct context *ctx, const void *buf, size_t size);
int ptrace_reset_xstate(struct context *ctx);

/* vdso.c */
void ptrace_vdso_table(struct platform *base, struct platform_vdso_table *out);
