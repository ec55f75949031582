/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces: thread indexes, and remote access to guest memory.
 *
 * One memfd holds the slots of one address space and nothing else (design rule
 * 1): whatever the guest does with its mapping, it reaches only slots of its own.
 * The sentry maps it in chunks, as threads come.
 */
#include "sentry/platform/trap/trap.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/host/host_process.h"
#include "util/log.h"

int trap_address_space_alloc(struct trap_platform *p, unsigned index,
			     struct trap_address_space **out)
{
	struct trap_address_space *as = calloc(1, sizeof(*as));
	int rc;

	if (!as)
		return -ENOMEM;
	rc = trap_slots_init(p, as, index);
	if (rc < 0) {
		free(as);
		return rc;
	}
	as->base.ops = &trap_ops;
	as->platform = p;
	refcount_init(&as->refs);
	mutex_init(&as->lock, LOCK_RANK_PLATFORM_SPACE);
	list_init(&as->processes);
	list_node_init(&as->pool_node);
	as->used[index / 64] |= 1ULL << (index % 64);
	*out = as;
	return 0;
}

void trap_address_space_free(struct trap_address_space *as)
{
	struct trap_process *process, *next;

	/* A child that never said hello belongs to no process; one that just does, to its own. */
	if (as->first)
		trap_unborn_free(as->platform, as->first);
	list_for_each(process, &as->processes, node)
		trap_process_end(as->platform, process);
	list_for_each_safe(process, next, &as->processes, node)
		trap_process_free(as->platform, process);
	trap_slots_release(as);
	mutex_destroy(&as->lock);
	free(as);
}

int trap_index_alloc(struct trap_address_space *as, unsigned *out)
{
	int rc = -EAGAIN;

	mutex_lock(&as->lock);
	for (unsigned w = 0; w < STUB_THREADS_MAX / 64; w++) {
		if (~as->used[w] == 0)
			continue;
		unsigned bit = (unsigned)__builtin_ctzll(~as->used[w]);

		as->used[w] |= 1ULL << bit;
		as->grew = true;
		*out = w * 64 + bit;
		rc = 0;
		break;
	}
	mutex_unlock(&as->lock);
	return rc;
}

void trap_index_free(struct trap_address_space *as, unsigned index)
{
	mutex_lock(&as->lock);
	as->used[index / 64] &= ~(1ULL << (index % 64));
	mutex_unlock(&as->lock);
}

void trap_as_get(struct address_space *as)
{
	refcount_get(&trap_address_space(as)->refs);
}

void trap_as_put(struct address_space *as)
{
	struct trap_address_space *tas = trap_address_space(as);

	if (refcount_put(&tas->refs))
		trap_address_space_free(tas);
}

bool trap_context_is_alone(const struct context *ctx)
{
	const struct trap_thread *t = container_of(ctx, struct trap_context, base)->thread;
	bool alone;

	mutex_lock(&t->as->lock);
	alone = !t->as->grew && __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	mutex_unlock(&t->as->lock);
	return alone;
}

void trap_as_end(struct address_space *base, struct host_usage *usage)
{
	struct trap_address_space *as = trap_address_space(base);
	struct trap_process *process = list_first(&as->processes, struct trap_process, node);

	trap_process_end(as->platform, process);
	*usage = process->usage;
}

/* A process whose memory can be named: it is not reaped while pinned. */
static struct trap_process *pin(struct trap_address_space *as)
{
	struct trap_process *process;

	mutex_lock(&as->lock);
	process = as->leader;
	if (process)
		atomic_fetch_add(&process->pins, 1);
	mutex_unlock(&as->lock);
	return process;
}

static void unpin(struct trap_process *process)
{
	atomic_fetch_sub(&process->pins, 1);
}

ssize_t trap_as_read(struct address_space *as, uint64_t addr, void *buf, size_t size)
{
	struct trap_process *process;
	size_t near;
	ssize_t n;

	if (size == 0)
		return 0;
	near = trap_windows_read(trap_address_space(as), addr, buf, size);
	if (near)
		return (ssize_t)near;
	process = pin(trap_address_space(as));
	if (!process)
		return -EFAULT;
	n = host_process_read(process->pid, addr, buf, size);
	unpin(process);
	return n > 0 ? n : -EFAULT;
}

ssize_t trap_as_write(struct address_space *as, uint64_t addr, const void *buf, size_t size)
{
	struct trap_process *process;
	size_t near;
	ssize_t n;

	if (size == 0)
		return 0;
	near = trap_windows_write(trap_address_space(as), addr, buf, size);
	if (near)
		return (ssize_t)near;
	process = pin(trap_address_space(as));
	if (!process)
		return -EFAULT;
	n = host_process_write(process->pid, addr, buf, size);
	unpin(process);
	return n > 0 ? n : -EFAULT;
}

pid_t trap_as_host_pid(const struct address_space *as)
{
	struct trap_address_space *tas = trap_address_space((struct address_space *)(uintptr_t)as);
	pid_t pid;

	mutex_lock(&tas->lock);
	pid = tas->leader ? tas->leader->pid : 0;
	mutex_unlock(&tas->lock);
	return pid;
}
