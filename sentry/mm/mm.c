/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a struct mm, fork, and look-ups.  The VMA set is described in
 * mm_private.h; objects' references are dropped outside mm->lock.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/prctl.h"
#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"
#include "util/log.h"

static struct mm *mm_alloc(struct platform *platform)
{
	struct mm *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return NULL;
	refcount_init(&mm->refs);
	mm->platform = platform;
	mutex_init(&mm->lock, LOCK_RANK_MM);
	vma_set_init(&mm->vmas);
	list_init(&mm->changes);
	wait_queue_init(&mm->change_wait);
	mm->mmap_base = page_down(platform_address_max().v);
	atomic_init(&mm->dumpable, 1);
	atomic_init(&mm->dump_filter, MM_DUMP_FILTER_DEFAULT);
	return mm;
}

int mm_new(struct platform *platform, struct address_space *as, struct mm **out)
{
	struct mm *mm = mm_alloc(platform);

	if (!mm)
		return -ENOMEM;
	mm->as = as;
	*out = mm;
	return 0;
}

void mm_get(struct mm *mm)
{
	refcount_get(&mm->refs);
}

static void free_vmas(struct mm *mm)
{
	struct vma *vma, *tmp;

	list_for_each_safe(vma, tmp, &mm->vmas.list, node) {
		vma_object_release(vma);
		free(vma_node_of(vma));
	}
}

void mm_put(struct mm *mm)
{
	if (!mm || !refcount_put(&mm->refs))
		return;
	ASSERT(list_empty(&mm->changes));
	free_vmas(mm);
	mm_set_exe_file(mm, NULL, NULL);
	if (mm->as)
		address_space_put(mm->as);
	wait_queue_destroy(&mm->change_wait);
	mutex_destroy(&mm->lock);
	free(mm);
}

void mm_set_exe_file(struct mm *mm, struct mappable *exe, const struct mm_exe_ops *ops)
{
	struct mappable *old;
	const struct mm_exe_ops *old_ops;

	if (exe)
		exe->ops->get(exe);
	mutex_lock(&mm->lock);
	old = mm->exe_file;
	old_ops = mm->exe_ops;
	mm->exe_file = exe;
	mm->exe_ops = ops;
	mutex_unlock(&mm->lock);
	if (!old)
		return;
	if (old_ops)
		old_ops->release(old);
	old->ops->put(old);
}

struct mappable *mm_exe_file_get(struct mm *mm)
{
	struct mappable *exe;

	mutex_lock(&mm->lock);
	exe = mm->exe_file;
	if (exe)
		exe->ops->get(exe);
	mutex_unlock(&mm->lock);
	return exe;
}

/* --- fork ----------------------------------------------------------------------- */

static int copy_vma(struct mm *child, const struct vma *from)
{
	struct vma_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->vma = *from;
	list_node_init(&node->vma.node);
	node->vma.flags &= ~(uint32_t)VMA_LOCKED; /* locks are not inherited */
	vma_object_hold(&node->vma);
	vma_set_insert(&child->vmas, node);
	if (from->flags & (VMA_DONTFORK | VMA_WIPEONFORK))
		child->fork_unfinished = true;
	return 0;
}

void mm_inherit_mdwe(struct mm *mm, const struct mm *old)
{
	uint32_t bits = atomic_load(&old->mdwe);

	atomic_store(&mm->mdwe, bits & LINUX_PR_MDWE_NO_INHERIT ? 0 : bits);
}

static void copy_layout(struct mm *child, const struct mm *parent) REQUIRES(parent->lock)
{
	child->total_pages = parent->total_pages;
	child->data_pages = parent->data_pages;
	child->stack_pages = parent->stack_pages;
	child->brk_start = parent->brk_start;
	child->brk = parent->brk;
	child->mmap_base = parent->mmap_base;
	child->start_code = parent->start_code;
	child->end_code = parent->end_code;
	child->start_data = parent->start_data;
	child->end_data = parent->end_data;
	child->start_stack = parent->start_stack;
	child->arg_start = parent->arg_start;
	child->arg_end = parent->arg_end;
	child->env_start = parent->env_start;
	child->env_end = parent->env_end;
	for (unsigned i = 0; i < ARRAY_SIZE(child->auxv); i++)
		child->auxv[i] = parent->auxv[i];
	child->auxv_count = parent->auxv_count;
	child->vdso_base = parent->vdso_base;
	child->clock_offsets = parent->clock_offsets;
	atomic_store(&child->huge_pages_disabled, atomic_load(&parent->huge_pages_disabled));
	child->vdso_sigreturn = parent->vdso_sigreturn;
	atomic_store(&child->dumpable, atomic_load(&parent->dumpable));
	atomic_store(&child->dump_filter, atomic_load(&parent->dump_filter));
	mm_inherit_mdwe(child, parent);
	atomic_store(&child->membarrier, atomic_load(&parent->membarrier));
	child->exe_file = parent->exe_file;
	child->exe_ops = parent->exe_ops;
	if (child->exe_file)
		child->exe_file->ops->get(child->exe_file);
	if (child->exe_file && child->exe_ops)
		child->exe_ops->acquire(child->exe_file);
}

int mm_fork(struct mm *parent, struct address_space *child_as, struct mm **out)
{
	struct mm *child = mm_alloc(parent->platform);
	struct vma *vma;
	int rc = 0;

	if (!child) {
		address_space_put(child_as);
		return -ENOMEM;
	}
	child->as = child_as;
	mutex_lock(&parent->lock);
	copy_layout(child, parent);
	list_for_each(vma, &parent->vmas.list, node) {
		rc = copy_vma(child, vma);
		if (rc < 0)
			break;
	}
	mutex_unlock(&parent->lock);
	if (rc < 0) {
		mm_put(child);
		return rc;
	}
	*out = child;
	return 0;
}

/* The first VMA at or above @cursor that fork treats specially. */
static bool next_special(struct mm *mm, uint64_t cursor, struct vma *out)
{
	while (mm_find_vma(mm, cursor, out)) {
		if (out->flags & (VMA_DONTFORK | VMA_WIPEONFORK))
			return true;
		cursor = out->end;
		mm_vma_release(out);
	}
	return false;
}

static int finish_vma(struct mm *child, struct context *ctx, const struct vma *vma)
{
	struct mm_change c;
	int rc;

	if (!(vma->flags & VMA_DONTFORK))
		return platform_map_anonymous(ctx, guest_addr(vma->start), vma_size(vma), vma->prot,
					      vma->flags & VMA_NORESERVE);
	rc = platform_unmap(ctx, guest_addr(vma->start), vma_size(vma));
	if (rc < 0)
		return rc;
	rc = mm_change_init(&c);
	if (rc < 0)
		return rc;
	mutex_lock(&child->lock);
	mm_range_remove(child, &c, vma->start, vma->end);
	mutex_unlock(&child->lock);
	mm_change_finish(&c);
	return 0;
}

int mm_fork_finish(struct mm *child, struct context *child_ctx)
{
	uint64_t cursor = 0;
	struct vma vma;
	int rc = 0;

	if (!child->fork_unfinished)
		return 0;
	while (rc == 0 && next_special(child, cursor, &vma)) {
		rc = finish_vma(child, child_ctx, &vma);
		cursor = vma.end;
		mm_vma_release(&vma);
	}
	if (rc == 0)
		child->fork_unfinished = false;
	return rc;
}

/* --- look-up ---------------------------------------------------------------------- */

bool mm_find_vma(struct mm *mm, uint64_t addr, struct vma *out)
{
	const struct vma *vma;

	mutex_lock(&mm->lock);
	vma = vma_set_find(&mm->vmas, addr);
	if (vma) {
		*out = *vma;
		list_node_init(&out->node);
		if (out->object)
			out->object->ops->get(out->object);
	}
	mutex_unlock(&mm->lock);
	return vma != NULL;
}

void mm_vma_release(struct vma *copy)
{
	if (copy->object)
		copy->object->ops->put(move_ptr(copy->object));
}

int mm_memory_key(struct mm *mm, guest_addr_t addr, bool private_only, struct memory_key *out)
{
	struct vma vma;

	*out = (struct memory_key){ .object = mm, .offset = addr.v };
	if (private_only)
		return 0;
	if (!mm_find_vma(mm, addr.v, &vma))
		return -EFAULT;
	if (vma.start > addr.v) {
		mm_vma_release(&vma);
		return -EFAULT;
	}
	if (!vma.object || !(vma.flags & VMA_SHARED)) {
		mm_vma_release(&vma);
		return 0;
	}
	out->object = vma.object->ops->identity ? vma.object->ops->identity(vma.object)
						: (const void *)vma.object;
	out->offset = vma.offset + (addr.v - vma.start);
	out->ref = move_ptr(vma.object);
	return 0;
}

void memory_key_release(struct memory_key *key)
{
	if (key->ref)
		key->ref->ops->put(move_ptr(key->ref));
}
