/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an implementation of the platform supplies.  Each of its objects begins
 * with the struct below, which carries the table; the functions of platform.h
 * call through it.  Semantics, locks and errors of every operation are those
 * that platform.h gives for the function of the same name.
 */
#pragma once

#include "sentry/platform/platform.h"

struct platform_ops {
	int (*run)(struct platform *p);
	void (*vdso_table)(struct platform *p, struct platform_vdso_table *out);

	/* both or neither */
	int (*family_new)(struct platform *p, struct stub_family **out);
	void (*family_free)(struct stub_family *family);
	void (*family_settled)(struct stub_family *family); /* or NULL */
	int (*address_space_new)(struct platform *p, struct stub_family *family,
				 struct address_space **out);
	void (*address_space_get)(struct address_space *as);
	void (*address_space_put)(struct address_space *as);
	ssize_t (*address_space_read)(struct address_space *as, uint64_t addr, void *buf, size_t size);
	ssize_t (*address_space_write)(struct address_space *as, uint64_t addr, const void *buf,
				       size_t size);
	/* both or neither */
	bool (*context_is_alone)(const struct context *ctx);
	void (*address_space_end)(struct address_space *as, struct host_usage *usage);
	pid_t (*address_space_host_pid)(const struct address_space *as);
	void (*set_host_command)(struct address_space *as, const char *args, size_t size); /* or NULL */

	int (*context_new)(struct platform *p, struct address_space *as, void *owner,
			   struct context **out);
	int (*context_exec)(struct context *ctx, struct address_space *as);
	int (*context_fork)(struct context *parent, void *owner, struct address_space **as,
			    struct context **out);
	int (*context_clone)(struct context *parent, bool same_group, uint64_t fs_base,
			     void *owner, struct context **out);
	void (*context_start)(struct context *ctx);
	void (*context_destroy)(struct context *ctx);
	struct address_space *(*context_address_space)(struct context *ctx);
	struct guest_regs *(*context_regs)(struct context *ctx);
	void (*context_set_return)(struct context *ctx, int64_t value);
	void (*context_kick)(struct context *ctx);
	void (*context_kill_group)(struct context *ctx);
	void (*context_unshelve)(struct context *ctx); /* NULL: it cannot shelve */
	pid_t (*context_host_tid)(const struct context *ctx);
	bool (*context_cpu)(struct context *ctx, uint32_t *cpu); /* or NULL; false: not known */
	int (*need_registers)(struct context *ctx);
	int (*fetch_registers)(struct context *ctx); /* NULL: as need_registers, which never fails */

	size_t (*xstate_size)(struct platform *p);
	int (*read_xstate)(struct context *ctx, void *buf, size_t size);
	int (*write_xstate)(struct context *ctx, const void *buf, size_t size);
	int (*reset_xstate)(struct context *ctx);

	int (*map_anonymous)(struct context *ctx, uint64_t addr, uint64_t size, int prot,
			     bool noreserve);
	int (*map_fd)(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared,
		      int fd, uint64_t offset);
	int (*unmap)(struct context *ctx, uint64_t addr, uint64_t size);
	int (*protect)(struct context *ctx, uint64_t addr, uint64_t size, int prot);
	int (*remap)(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		     uint64_t new_size);
	int (*advise)(struct context *ctx, uint64_t addr, uint64_t size, int advice);
	int (*cmpxchg_u32)(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
			   uint32_t *found);
	int (*set_host_name)(struct context *ctx, const char comm[16]);
	int (*membarrier)(struct context *ctx, int command);
};

struct platform {
	const struct platform_ops *ops;
};

/* @template is a pristine stub that never runs a guest; a reference. */
struct stub_family {
	const struct platform_ops *ops;
	struct address_space *template;
};

struct address_space {
	const struct platform_ops *ops;
};

struct context {
	const struct platform_ops *ops;
};

/* The one platform of this sandbox; set by the constructors. */
extern struct platform *platform_instance;
