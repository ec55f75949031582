/* SPDX-License-Identifier: Apache-2.0 */
/* The fake platform's contexts, events and operations table; see fake_platform.h. */
#include "config.h"

#include "sentry/platform/fake/fake_platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sentry/platform/fake/fake_private.h"
#include "util/log.h"

#define USER_CS 0x33 /* 64-bit code */
#define USER_SS 0x2b

static struct fake_context *ctx_of(struct context *ctx)
{
	return container_of(ctx, struct fake_context, base);
}

static struct fake_space *space_of(struct address_space *as)
{
	return container_of(as, struct fake_space, base);
}

static struct fake_platform *platform_of(struct platform *p)
{
	return container_of(p, struct fake_platform, base);
}

/* --- address spaces -------------------------------------------------------------------- */

static int op_run(struct platform *p)
{
	return 0;
}

static void op_vdso_table(struct platform *p, struct platform_vdso_table *out)
{
	memset(out, 0, sizeof(*out));
}

static int op_address_space_new(struct platform *p, struct stub_family *family,
				struct address_space **out)
{
	struct fake_space *s;
	int rc = fake_space_new(platform_of(p), &s);

	(void)family;
	if (rc == 0)
		*out = &s->base;
	return rc;
}

static void op_address_space_get(struct address_space *as)
{
	fake_space_get(space_of(as));
}

static void op_address_space_put(struct address_space *as)
{
	fake_space_put(space_of(as));
}

static ssize_t op_address_space_read(struct address_space *as, uint64_t addr, void *buf,
				     size_t size)
{
	lock_assert_none_held();
	return fake_space_move(space_of(as), addr, buf, size, false);
}

static ssize_t op_address_space_write(struct address_space *as, uint64_t addr, const void *buf,
				      size_t size)
{
	lock_assert_none_held();
	return fake_space_move(space_of(as), addr, (void *)(uintptr_t)buf, size, true);
}

static pid_t op_host_pid(const struct address_space *as)
{
	return getpid();
}

/* --- contexts --------------------------------------------------------------------------- */

static int new_context(struct fake_platform *p, struct fake_space *s, void *owner,
		       struct context **out)
{
	struct fake_context *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base.ops = p->base.ops;
	c->platform = p;
	c->space = s;
	c->owner = owner;
	c->regs = (struct guest_regs){ .cs = USER_CS, .ss = USER_SS };
	list_node_init(&c->started_node);
	*out = &c->base;
	return 0;
}

static int op_context_new(struct platform *p, struct address_space *as, void *owner,
			  struct context **out)
{
	int rc = new_context(platform_of(p), space_of(as), owner, out);

	if (rc == 0)
		fake_space_get(space_of(as));
	return rc;
}

static int op_context_exec(struct context *ctx, struct address_space *as)
{
	struct fake_context *c = ctx_of(ctx);
	struct fake_space *old = c->space;

	fake_space_get(space_of(as));
	c->space = space_of(as);
	c->regs = (struct guest_regs){ .cs = USER_CS, .ss = USER_SS };
	fake_space_put(old);
	return 0;
}

static int op_context_fork(struct context *parent, void *owner, struct address_space **as,
			   struct context **out)
{
	struct fake_context *p = ctx_of(parent);
	struct fake_space *s;
	int rc = fake_space_copy(p->space, &s);

	if (rc < 0)
		return rc;
	rc = new_context(p->platform, s, owner, out);
	if (rc < 0) {
		fake_space_put(s);
		return rc;
	}
	fake_space_get(s); /* one for the context, one for the caller */
	ctx_of(*out)->regs = p->regs;
	*as = &s->base;
	return 0;
}

static int op_context_clone(struct context *parent, bool same_group, uint64_t fs_base, void *owner,
			    struct context **out)
{
	struct fake_context *p = ctx_of(parent);
	int rc = new_context(p->platform, p->space, owner, out);

	if (rc < 0)
		return rc;
	fake_space_get(p->space);
	ctx_of(*out)->regs = p->regs;
	ctx_of(*out)->regs.fs_base = fs_base;
	return 0;
}

static void op_context_start(struct context *ctx)
{
	struct fake_context *c = ctx_of(ctx);

	mutex_lock(&c->platform->lock);
	list_add_tail(&c->platform->started, &c->started_node);
	mutex_unlock(&c->platform->lock);
}

static void free_context(struct fake_context *c)
{
	mutex_lock(&c->platform->lock);
	if (list_linked(&c->started_node))
		list_remove(&c->started_node);
	mutex_unlock(&c->platform->lock);
	fake_space_put(c->space);
	free(c);
}

/* Freed when the event that destroyed it is over, so that the driver can see it. */
static void op_context_destroy(struct context *ctx)
{
	struct fake_context *c = ctx_of(ctx);

	c->exited = true;
	if (!c->in_event)
		free_context(c);
}

static struct address_space *op_context_address_space(struct context *ctx)
{
	return &ctx_of(ctx)->space->base;
}

static struct guest_regs *op_context_regs(struct context *ctx)
{
	return &ctx_of(ctx)->regs;
}

static void op_context_set_return(struct context *ctx, int64_t value)
{
	ctx_of(ctx)->result = value;
	ctx_of(ctx)->regs.rax = (uint64_t)value;
}

static void op_context_kick(struct context *ctx)
{
	atomic_store(&ctx_of(ctx)->kicked, true);
}

static void op_context_kill_group(struct context *ctx)
{
	atomic_store(&ctx_of(ctx)->kicked, true);
}

static pid_t op_host_tid(const struct context *ctx)
{
	return getpid();
}

static int op_need_registers(struct context *ctx)
{
	return 0;
}

static size_t op_xstate_size(struct platform *p)
{
	return 0;
}

static int op_read_xstate(struct context *ctx, void *buf, size_t size)
{
	return 0;
}

static int op_write_xstate(struct context *ctx, const void *buf, size_t size)
{
	return 0;
}

static int op_reset_xstate(struct context *ctx)
{
	return 0;
}

/* --- orders ------------------------------------------------------------------------------- */

/* Counts an order and fails it if the test wants so. */
static int order(struct context *ctx)
{
	struct fake_platform *p = ctx_of(ctx)->platform;
	int rc = 0;

	lock_assert_none_held();
	if (p->hook)
		p->hook(p->hook_arg);
	mutex_lock(&p->lock);
	if (p->fail_countdown && --p->fail_countdown == 0)
		rc = p->fail_error;
	mutex_unlock(&p->lock);
	atomic_fetch_add(&p->orders, 1);
	return rc;
}

static int op_map_anonymous(struct context *ctx, uint64_t addr, uint64_t size, int prot,
			    bool noreserve)
{
	int rc = order(ctx);

	return rc < 0 ? rc : fake_space_map(ctx_of(ctx)->space, addr, size, prot, false, -1, 0);
}

static int op_map_fd(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared,
		     int fd, uint64_t offset)
{
	int rc = order(ctx);

	return rc < 0 ? rc
		      : fake_space_map(ctx_of(ctx)->space, addr, size, prot, shared, fd, offset);
}

static int op_unmap(struct context *ctx, uint64_t addr, uint64_t size)
{
	int rc = order(ctx);

	return rc < 0 ? rc : fake_space_unmap(ctx_of(ctx)->space, addr, size);
}

static int op_protect(struct context *ctx, uint64_t addr, uint64_t size, int prot)
{
	int rc = order(ctx);

	return rc < 0 ? rc : fake_space_protect(ctx_of(ctx)->space, addr, size, prot);
}

static int op_remap(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
		    uint64_t new_size)
{
	int rc = order(ctx);

	return rc < 0 ? rc
		      : fake_space_remap(ctx_of(ctx)->space, old_addr, old_size, new_addr, new_size);
}

static int op_advise(struct context *ctx, uint64_t addr, uint64_t size, int advice)
{
	int rc = order(ctx);

	return rc < 0 ? rc : fake_space_advise(ctx_of(ctx)->space, addr, size, advice);
}

static int op_cmpxchg_u32(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
			  uint32_t *found)
{
	return fake_space_cmpxchg(ctx_of(ctx)->space, addr, expected, desired, found);
}

static int op_set_host_name(struct context *ctx, const char comm[16])
{
	return 0;
}

static int op_membarrier(struct context *ctx, int command)
{
	return 0; /* one host process: what is ordered by its locks is ordered */
}

static const struct platform_ops fake_ops = {
	.run = op_run,
	.vdso_table = op_vdso_table,
	.address_space_new = op_address_space_new,
	.address_space_get = op_address_space_get,
	.address_space_put = op_address_space_put,
	.address_space_read = op_address_space_read,
	.address_space_write = op_address_space_write,
	.address_space_host_pid = op_host_pid,
	.context_new = op_context_new,
	.context_exec = op_context_exec,
	.context_fork = op_context_fork,
	.context_clone = op_context_clone,
	.context_start = op_context_start,
	.context_destroy = op_context_destroy,
	.context_address_space = op_context_address_space,
	.context_regs = op_context_regs,
	.context_set_return = op_context_set_return,
	.context_kick = op_context_kick,
	.context_kill_group = op_context_kill_group,
	.context_host_tid = op_host_tid,
	.need_registers = op_need_registers,
	.xstate_size = op_xstate_size,
	.read_xstate = op_read_xstate,
	.write_xstate = op_write_xstate,
	.reset_xstate = op_reset_xstate,
	.map_anonymous = op_map_anonymous,
	.map_fd = op_map_fd,
	.unmap = op_unmap,
	.protect = op_protect,
	.remap = op_remap,
	.advise = op_advise,
	.cmpxchg_u32 = op_cmpxchg_u32,
	.set_host_name = op_set_host_name,
	.membarrier = op_membarrier,
};

/* --- the test's side ------------------------------------------------------------------------ */

int fake_platform_new(const struct context_client_ops *client, struct platform **out)
{
	struct fake_platform *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->base.ops = &fake_ops;
	p->client = client;
	mutex_init(&p->lock, LOCK_RANK_PLATFORM);
	list_init(&p->started);
	platform_instance = &p->base;
	*out = &p->base;
	return 0;
}

void fake_platform_free(struct platform *platform)
{
	struct fake_platform *p = platform_of(platform);

	ASSERT(atomic_load(&p->spaces) == 0);
	mutex_destroy(&p->lock);
	platform_instance = NULL;
	free(p);
}

enum context_action fake_context_event(struct context *ctx, const struct platform_event *event)
{
	static const struct platform_event kick = { .kind = PLATFORM_EVENT_KICK,
						    .regs_valid = true };
	struct fake_context *c = ctx_of(ctx);
	enum context_action action;

	c->in_event = true;
	do {
		atomic_store(&c->kicked, false);
		action = c->platform->client->handle(c->owner, ctx, event);
		event = &kick;
	} while (action == CONTEXT_RESUME_AND_KICK ||
		 (action == CONTEXT_RESUME && atomic_load(&c->kicked)));
	c->in_event = false;
	if (action == CONTEXT_EXITED && c->exited)
		free_context(c);
	return action;
}

int64_t fake_context_syscall(struct context *ctx, uint64_t nr, const uint64_t args[6])
{
	struct platform_event event = { .kind = PLATFORM_EVENT_SYSCALL, .regs_valid = true,
					.arch = 0xc000003e, .nr = nr };
	struct fake_context *c = ctx_of(ctx);

	memcpy(event.args, args, sizeof(event.args));
	event.rip = c->regs.rip;
	c->regs.orig_rax = nr;
	c->regs.rax = (uint64_t)-ENOSYS;
	return fake_context_event(ctx, &event) == CONTEXT_EXITED ? FAKE_EXITED
								  : (int64_t)c->regs.rax;
}

struct context *fake_platform_take_started(struct platform *platform)
{
	struct fake_platform *p = platform_of(platform);
	struct fake_context *c;

	mutex_lock(&p->lock);
	c = list_first(&p->started, struct fake_context, started_node);
	if (c)
		list_remove(&c->started_node);
	mutex_unlock(&p->lock);
	return c ? &c->base : NULL;
}

bool fake_context_kicked(struct context *ctx)
{
	return atomic_exchange(&ctx_of(ctx)->kicked, false);
}

void fake_platform_fail_order(struct platform *platform, unsigned nth, int error)
{
	struct fake_platform *p = platform_of(platform);

	mutex_lock(&p->lock);
	p->fail_countdown = nth;
	p->fail_error = error;
	mutex_unlock(&p->lock);
}

uint64_t fake_platform_order_count(struct platform *platform)
{
	return atomic_load(&platform_of(platform)->orders);
}

void fake_platform_set_order_hook(struct platform *platform, void (*hook)(void *arg), void *arg)
{
	struct fake_platform *p = platform_of(platform);

	p->hook = hook;
	p->hook_arg = arg;
}

unsigned fake_platform_space_count(struct platform *platform)
{
	return atomic_load(&platform_of(platform)->spaces);
}
