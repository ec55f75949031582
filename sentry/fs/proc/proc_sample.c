/* SPDX-License-Identifier: Apache-2.0 */
/* See proc_sample.h.  Each sample takes the object's own lock and lets it go again. */
#include "sentry/fs/proc/proc_sample.h"

#include <string.h>

#include "sentry/abi/mm.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/mm/vma_set.h"

#define SIG_IGN_HANDLER 1

static uint32_t queue_length(const struct signal_queue *q)
{
	const struct queued_signal *s;
	uint32_t n = 0;

	list_for_each(s, &q->entries, node)
		n++;
	return n;
}

void proc_sample_signals(struct task *t, struct proc_signals *out)
{
	struct thread_group *g = t->group;
	struct signal_handlers *h = signal_lock(g);

	*out = (struct proc_signals){
		.pending = t->pending.set,
		.shared = g->shared_pending.set,
		.blocked = t->blocked,
		.queued = queue_length(&t->pending) + queue_length(&g->shared_pending),
		.threads = g->thread_count,
		.exit_code = t->exit_code,
		.stop_signal = g->stop_signal,
	};
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		if (h->actions[i].handler == SIG_IGN_HANDLER)
			out->ignored |= 1ULL << i;
		else if (h->actions[i].handler)
			out->caught |= 1ULL << i;
	}
	signal_unlock(h);
}

static bool is_stack(const struct mm *mm, const struct vma *vma)
{
	return vma->start <= mm->start_stack && mm->start_stack < vma->end;
}

static void sample_locked(struct mm *mm, struct proc_memory *out)
{
	const struct vma *vma;

	*out = (struct proc_memory){
		.present = true,
		.size = mm->total_pages * GUEST_PAGE_SIZE,
		.locked = mm->locked_pages * GUEST_PAGE_SIZE,
		.start_code = mm->start_code, .end_code = mm->end_code,
		.start_data = mm->start_data, .end_data = mm->end_data,
		.start_stack = mm->start_stack, .brk_start = mm->brk_start,
		.arg_start = mm->arg_start, .arg_end = mm->arg_end,
		.env_start = mm->env_start, .env_end = mm->env_end,
	};
	list_for_each(vma, &mm->vmas.list, node) {
		uint64_t size = vma->end - vma->start;

		if (is_stack(mm, vma))
			out->stack += size;
		else if (vma->prot & LINUX_PROT_WRITE && !(vma->flags & VMA_SHARED))
			out->data += size;
		else if (vma->prot & LINUX_PROT_EXEC && !(vma->flags & VMA_SHARED))
			out->library += size;
	}
	out->text = ((mm->end_code + GUEST_PAGE_SIZE - 1) & ~(GUEST_PAGE_SIZE - 1)) -
		    (mm->start_code & ~(GUEST_PAGE_SIZE - 1));
	out->library -= out->text < out->library ? out->text : out->library;
}

void proc_sample_memory(struct task *t, struct proc_memory *out)
{
	struct mm *mm = task_mm_get(t);
	struct host_statm usage;

	*out = (struct proc_memory){ 0 };
	if (!mm)
		return;
	address_space_statm(mm->as, &usage);
	mutex_lock(&mm->lock);
	sample_locked(mm, out);
	mutex_unlock(&mm->lock);
	/* the host counts a little of the stub's own */
	out->rss_pages = usage.rss_pages;
	out->shared_pages = usage.shared_pages;
	mm_put(mm);
}

void proc_sample_times(struct task *t, bool whole, struct proc_times *out)
{
	struct thread_group *g = t->group;
	struct host_usage usage = { 0 };

	*out = (struct proc_times){ 0 };
	if (whole) {
		thread_group_usage(g, &usage);
		mutex_lock(&t->kernel->tasklist_lock);
		out->child_user_ns = g->usage.child_user_ns;
		out->child_system_ns = g->usage.child_system_ns;
		out->child_minor_faults = g->usage.child_minor_faults;
		out->child_major_faults = g->usage.child_major_faults;
		mutex_unlock(&t->kernel->tasklist_lock);
	} else {
		task_usage(t, &usage);
	}
	out->user_ns = usage.user_ns;
	out->system_ns = usage.system_ns;
	out->minor_faults = usage.minor_faults;
	out->major_faults = usage.major_faults;
}

void proc_sample_comm(struct task *t, char out[TASK_COMM_SIZE])
{
	mutex_lock(&t->lock);
	memcpy(out, t->comm, TASK_COMM_SIZE);
	mutex_unlock(&t->lock);
	out[TASK_COMM_SIZE - 1] = '\0';
}

uint64_t proc_since_boot(uint64_t monotonic_ns)
{
	uint64_t boot = kernel_get()->boot_time_ns;

	return time_to_guest(task_current(), LINUX_CLOCK_BOOTTIME,
			     monotonic_ns > boot ? monotonic_ns - boot : 0);
}
