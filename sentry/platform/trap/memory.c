/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address-space changes, made by the calling thread's own stub.
 *
 * Rights live in the FD (design rule 1): what is donated has exactly the rights
 * of the guest's open file.  It is injected under a number of the thread's own
 * and closed after the call, so racing threads never map each other's files.
 */
#include "sentry/platform/trap/context.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sentry/host/host_seccomp.h"

/* @notified: by every stub filter, not only the strict one. */
static int call(struct context *ctx, const struct trap_call *call, bool notified, int64_t *result)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_platform *p = c->platform;

	return trap_order_call(p, c->thread, call, notified || p->config.strict, result);
}

/* The stub's word for the outcome is only good for the guest itself. */
static int status_of(int rc, int64_t result, int64_t expected)
{
	if (rc < 0)
		return rc;
	if (result == expected)
		return 0;
	return result < 0 && result >= -4095 ? (int)result : -ENOMEM;
}

int trap_map_anonymous(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool noreserve)
{
	uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (noreserve ? MAP_NORESERVE : 0);
	struct trap_call c = { __NR_mmap,
			       { addr, size, (uint64_t)prot, flags, (uint64_t)-1, 0 } };
	int64_t result = 0;
	int rc = call(ctx, &c, false, &result);

	return status_of(rc, result, (int64_t)addr);
}

int trap_map_fd(struct context *ctx, uint64_t addr, uint64_t size, int prot, bool shared, int fd,
		uint64_t offset)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_thread *t = c->thread;
	uint64_t number = t->index;
	uint64_t flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
	struct trap_call map = { __NR_mmap,
				 { addr, size, (uint64_t)prot, flags, number, offset } };
	int64_t result = 0;
	int rc;

	t->slot->call_nr = map.nr;
	memcpy(t->slot->args, map.args, sizeof(map.args));
	t->expected[0] = map;
	t->expected[1] = (struct trap_call){ __NR_close, { number } };
	t->expected_count = 2;
	t->expected_next = 0;
	rc = trap_order_with_fd(c->platform, t, fd, (int)number, &result);
	return status_of(rc, result, (int64_t)addr);
}

int trap_unmap(struct context *ctx, uint64_t addr, uint64_t size)
{
	struct trap_call c = { __NR_munmap, { addr, size } };
	int64_t result = 0;
	int rc = call(ctx, &c, false, &result);

	return status_of(rc, result, 0);
}

int trap_protect(struct context *ctx, uint64_t addr, uint64_t size, int prot)
{
	struct trap_call c = { __NR_mprotect, { addr, size, (uint64_t)prot } };
	int64_t result = 0;
	int rc = call(ctx, &c, false, &result);

	return status_of(rc, result, 0);
}

int trap_remap(struct context *ctx, uint64_t old_addr, uint64_t old_size, uint64_t new_addr,
	       uint64_t new_size)
{
	bool move = old_addr != new_addr;
	struct trap_call c = { __NR_mremap,
			       { old_addr, old_size, new_size,
				 move ? MREMAP_MAYMOVE | MREMAP_FIXED : 0, move ? new_addr : 0 } };
	int64_t result = 0;
	int rc = call(ctx, &c, true, &result);

	return status_of(rc, result, (int64_t)new_addr);
}

int trap_advise(struct context *ctx, uint64_t addr, uint64_t size, int advice)
{
	static const int safe[] = {
		MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE,     MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD,     MADV_PAGEOUT,
		22 /* MADV_POPULATE_READ */, 23 /* MADV_POPULATE_WRITE */,
	};
	struct trap_call c = { __NR_madvise, { addr, size, (uint64_t)advice } };
	int64_t result = 0;
	int rc;

	for (unsigned i = 0; i < ARRAY_SIZE(safe); i++) {
		if (safe[i] != advice)
			continue;
		rc = call(ctx, &c, false, &result);
		return status_of(rc, result, 0);
	}
	return -EINVAL;
}

int trap_cmpxchg_u32(struct context *ctx, uint64_t addr, uint32_t expected, uint32_t desired,
		     uint32_t *found)
{
	struct trap_context *c = trap_context(ctx);
	struct trap_thread *t = c->thread;
	int64_t result = 0;
	int rc;

	t->slot->args[0] = addr;
	t->slot->args[1] = expected;
	t->slot->args[2] = desired;
	t->expected_count = 0;
	t->expected_next = 0;
	rc = trap_order(c->platform, t, STUB_CMPXCHG, &result);
	if (rc < 0)
		return rc;
	if (result != 0)
		return -EFAULT;
	*found = (uint32_t)t->slot->found;
	return 0;
}

int trap_set_host_name(struct context *ctx, const char comm[16])
{
	struct trap_thread *t = trap_context(ctx)->thread;
	struct trap_call c = { __NR_prctl, { PR_SET_NAME } };
	int64_t result = 0;
	int rc;

	memcpy(t->slot->name, comm, sizeof(t->slot->name));
	c.args[1] = STUB_SLOTS + t->index * STUB_SLOT_SIZE + offsetof(struct stub_slot, name);
	rc = call(ctx, &c, true, &result);
	return status_of(rc, result, 0);
}

/* The host keeps the registration with its mm: a fork has it, a pristine stub has not, as in Linux. */
int trap_membarrier(struct context *ctx, int command)
{
	struct trap_call c = { __NR_membarrier, { (uint64_t)command, 0, 0 } };
	int64_t result = 0;
	int rc = call(ctx, &c, true, &result);

	return status_of(rc, result, 0);
}
