/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces, their host processes, and remote access to guest memory.
 *
 * A process is ended (killed and reaped, by pid) exactly once: by its last
 * context when other processes share the memory, else with the address space.
 * Remote copies pin the process whose pid they use.
 */
#include "sentry/platform/ptrace/ptrace.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "sentry/host/host_process.h"
#include "util/log.h"

struct ptrace_address_space *ptrace_as_alloc(void)
{
	struct ptrace_address_space *as = calloc(1, sizeof(*as));

	if (!as)
		return NULL;
	as->base.ops = &ptrace_ops;
	refcount_init(&as->refs);
	mutex_init(&as->fd_lock, LOCK_RANK_PLATFORM_PROCESS);
	mutex_init(&as->lock, LOCK_RANK_PLATFORM_SPACE);
	list_init(&as->processes);
	return as;
}

void ptrace_as_free(struct ptrace_address_space *as)
{
	struct ptrace_process *process;

	while ((process = list_first(&as->processes, struct ptrace_process, node)))
		ptrace_process_end(as, process);
	mutex_destroy(&as->fd_lock);
	mutex_destroy(&as->lock);
	free(as);
}

void ptrace_as_get(struct address_space *as)
{
	refcount_get(&ptrace_address_space(as)->refs);
}

void ptrace_as_put(struct address_space *base)
{
	struct ptrace_address_space *as = ptrace_address_space(base);

	if (refcount_put(&as->refs))
		ptrace_as_free(as);
}

/* --- processes ---------------------------------------------------------------------- */

struct ptrace_process *ptrace_process_alloc(void)
{
	struct ptrace_process *process = calloc(1, sizeof(*process));

	if (process)
		list_node_init(&process->node);
	return process;
}

void ptrace_process_add(struct ptrace_address_space *as, struct ptrace_process *process)
{
	mutex_lock(&as->lock);
	list_add_tail(&as->processes, &process->node);
	if (!as->named)
		as->named = process;
	mutex_unlock(&as->lock);
}

unsigned ptrace_process_live(struct ptrace_address_space *as, struct ptrace_process *process,
			     int change, bool *alone)
{
	unsigned live;

	mutex_lock(&as->lock);
	process->live += (unsigned)change;
	live = process->live;
	if (alone)
		*alone = process->node.next == process->node.prev;
	mutex_unlock(&as->lock);
	return live;
}

void ptrace_process_end(struct ptrace_address_space *as, struct ptrace_process *process)
{
	int status;

	host_process_kill(process->pid);
	mutex_lock(&as->lock);
	list_remove(&process->node);
	if (as->named == process)
		as->named = list_first(&as->processes, struct ptrace_process, node);
	mutex_unlock(&as->lock);
	while (atomic_load(&process->pins))
		sched_yield();
	if (host_process_reap(process->pid, &status, NULL) < 0)
		log_warning("reap of stub %d failed", process->pid);
	free(process);
}

/* --- remote access --------------------------------------------------------------------- */

static struct ptrace_process *pin(struct ptrace_address_space *as)
{
	struct ptrace_process *process;

	mutex_lock(&as->lock);
	process = as->named;
	if (process)
		atomic_fetch_add(&process->pins, 1);
	mutex_unlock(&as->lock);
	return process;
}

ssize_t ptrace_as_read(struct address_space *as, uint64_t addr, void *buf, size_t size)
{
	struct ptrace_process *process;
	ssize_t n;

	if (size == 0)
		return 0;
	process = pin(ptrace_address_space(as));
	if (!process)
		return -EFAULT;
	n = host_process_read(process->pid, addr, buf, size);
	atomic_fetch_sub(&process->pins, 1);
	return n > 0 ? n : -EFAULT;
}

ssize_t ptrace_as_write(struct address_space *as, uint64_t addr, const void *buf, size_t size)
{
	struct ptrace_process *process;
	ssize_t n;

	if (size == 0)
		return 0;
	process = pin(ptrace_address_space(as));
	if (!process)
		return -EFAULT;
	n = host_process_write(process->pid, addr, buf, size);
	atomic_fetch_sub(&process->pins, 1);
	return n > 0 ? n : -EFAULT;
}

pid_t ptrace_as_host_pid(const struct address_space *base)
{
	struct ptrace_address_space *as =
		ptrace_address_space((struct address_space *)(uintptr_t)base);
	pid_t pid;

	mutex_lock(&as->lock);
	pid = as->named ? as->named->pid : 0;
	mutex_unlock(&as->lock);
	return pid;
}
