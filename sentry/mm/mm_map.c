/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap: decode (Linux's checks in Linux's order, under mm->lock), order, commit.
 * One host order for a mapping, replaced ones included.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

#define ALL_PROT (LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC)

struct map_request {
	struct mm *mm;
	const struct mm_limits *limits;
	int flags;	 /* LINUX_MAP_* */
	struct vma like; /* what is to be; object is borrowed */
	bool replaces;	 /* something was mapped there */
};

int mm_order_map(struct context *ctx, const struct vma *like)
{
	guest_addr_t at = guest_addr(like->start);
	bool shared = like->flags & VMA_SHARED;
	uint64_t host_offset;
	int fd, rc;

	if (!like->object)
		return platform_map_anonymous(ctx, at, vma_size(like), like->prot,
					      like->flags & VMA_NORESERVE);
	rc = like->object->ops->host_fd(like->object, like->offset, vma_size(like), like->prot,
					shared, &fd, &host_offset);
	if (rc < 0)
		return rc;
	return platform_map_fd(ctx, at, vma_size(like), like->prot, shared, fd, host_offset);
}

/* Orders and settles a change that was begun; ends it. */
static int map_and_settle(struct mm *mm, struct context *ctx, struct mm_change *c,
			  const struct vma *like, bool replaces)
{
	bool lost = false;
	int rc;

	vma_object_hold(like); /* until the VMA does */
	rc = mm_order_map(ctx, like);
	/*
	 * Before Linux 6.12 a MAP_FIXED that runs out of memory has already unmapped the
	 * old range.  Make that certain, so that host and set agree.
	 */
	if (rc == -ENOMEM && replaces)
		lost = platform_unmap(ctx, guest_addr(like->start), vma_size(like)) == 0;
	mutex_lock(&mm->lock);
	if (rc == 0 || lost)
		mm_range_remove(mm, c, like->start, like->end);
	if (rc == 0)
		mm_range_insert(mm, c, like);
	mm_change_end(mm, c);
	mutex_unlock(&mm->lock);
	vma_object_release(like);
	return rc;
}

/* --- decode ------------------------------------------------------------------------- */

static int decode_fixed(struct map_request *r, uint64_t addr, uint64_t size)
	REQUIRES(r->mm->lock)
{
	uint64_t max = platform_address_max().v;
	int rc;

	if (size > max || addr > max - size)
		return -ENOMEM;
	if (!page_aligned(addr))
		return -EINVAL;
	if (addr < platform_address_min().v)
		return -EPERM;
	rc = mm_change_wait(r->mm, addr, addr + size);
	if (rc < 0)
		return rc;
	r->replaces = vma_set_first_in(&r->mm->vmas, addr, addr + size) != NULL;
	if (r->replaces && (r->flags & LINUX_MAP_FIXED_NOREPLACE))
		return -EEXIST;
	r->like.start = addr;
	return 0;
}

static int decode_place(struct map_request *r, uint64_t addr, uint64_t size)
	REQUIRES(r->mm->lock)
{
	unsigned pick = r->flags & LINUX_MAP_32BIT ? PICK_LOW_2G : 0;
	int rc;

	if (r->mm->vmas.count > LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	if (r->flags & LINUX_MAP_FIXED) {
		rc = decode_fixed(r, addr, size);
	} else {
		addr = page_down(addr);
		if (addr && addr < platform_address_min().v)
			addr = page_up(platform_address_min().v);
		rc = mm_pick(r->mm, addr, size, pick, &r->like.start);
	}
	if (rc < 0)
		return rc;
	r->like.end = r->like.start + size;
	return 0;
}

static int decode_locked(struct map_request *r, uint64_t size) REQUIRES(r->mm->lock)
{
	if ((r->flags & LINUX_MAP_LOCKED) && r->limits->memlock == 0 && !mm_use_lock_right(r->limits))
		return -EPERM;
	if (r->flags & LINUX_MAP_LOCKED)
		r->like.flags |= VMA_LOCKED;
	r->like.flags |= r->mm->lock_future;
	if ((r->like.flags & VMA_LOCKED) && !mm_may_lock(r->mm, r->limits, size))
		return -EAGAIN;
	return 0;
}

static int decode_type(struct map_request *r)
{
	int type = r->flags & LINUX_MAP_TYPE;
	bool file = r->like.object != NULL;

	switch (type) {
	case LINUX_MAP_SHARED_VALIDATE:
		if (!file)
			return -EINVAL;
		if (r->flags & ~LINUX_MAP_LEGACY_MASK)
			return -EOPNOTSUPP;
		__attribute__((fallthrough));
	case LINUX_MAP_SHARED:
		r->like.flags |= VMA_SHARED;
		break;
	case LINUX_MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (r->flags & LINUX_MAP_GROWSDOWN) {
		if (file || (r->like.flags & VMA_SHARED))
			return -EINVAL;
		r->like.flags |= VMA_GROWSDOWN;
	}
	if (r->flags & LINUX_MAP_NORESERVE)
		r->like.flags |= VMA_NORESERVE;
	return 0;
}

static int decode_limits(struct map_request *r) REQUIRES(r->mm->lock)
{
	uint64_t size = vma_size(&r->like), replaced = 0;

	if (mm_denies_exec(r->mm, r->like.prot, r->like.prot))
		return -EACCES;
	if (r->replaces && mm_range_sealed(r->mm, r->like.start, r->like.end))
		return -EPERM;
	if (r->replaces)
		replaced = mm_range_pages(r->mm, r->like.start, r->like.end).total
			   << GUEST_PAGE_SHIFT;
	if (mm_may_expand(r->mm, r->limits, size - replaced, r->like.prot, r->like.flags))
		return 0;
	return -ENOMEM;
}

static int decode(struct map_request *r, uint64_t addr, uint64_t size) REQUIRES(r->mm->lock)
{
	int rc = decode_place(r, addr, size);

	if (rc == 0)
		rc = decode_locked(r, size);
	if (rc == 0)
		rc = decode_type(r);
	if (rc == 0)
		rc = decode_limits(r);
	return rc;
}

/* Anonymous shared memory gets its object; every object says what it allows. */
static int prepare_object(struct map_request *r, struct mappable **created)
{
	struct vma *like = &r->like;
	int rc;

	if (!like->object && (like->flags & VMA_SHARED)) {
		rc = shared_memory_new(vma_size(like), "dev/zero", created);
		if (rc < 0)
			return rc;
		like->object = *created;
		like->offset = 0;
	}
	like->max_prot = ALL_PROT;
	if (like->object && like->object->ops->max_prot) {
		rc = like->object->ops->max_prot(like->object, like->flags & VMA_SHARED);
		if (rc < 0)
			return rc;
		like->max_prot = rc;
	}
	return 0;
}

static void populate(struct context *ctx, const struct map_request *r)
{
	const struct vma *vma = &r->like;
	bool wanted = (r->flags & (LINUX_MAP_POPULATE | LINUX_MAP_NONBLOCK)) == LINUX_MAP_POPULATE ||
		      (vma->flags & VMA_LOCKED);
	bool write = (vma->prot & LINUX_PROT_WRITE) && !(vma->flags & VMA_SHARED);

	if (!wanted || r->mm->lock_on_fault || vma->prot == LINUX_PROT_NONE)
		return;
	/* as in Linux, a page that cannot be had now is found out about later */
	if (platform_advise(ctx, guest_addr(vma->start), vma_size(vma),
			    write ? LINUX_MADV_POPULATE_WRITE : LINUX_MADV_POPULATE_READ) < 0)
		return;
}

static int request_run(struct map_request *r, struct context *ctx, uint64_t addr, uint64_t size)
{
	struct mappable *created = NULL;
	struct mm_change c;
	int rc = mm_change_init(&c);

	if (rc < 0)
		return rc;
	mutex_lock(&r->mm->lock);
	rc = decode(r, addr, size);
	if (rc == 0)
		mm_change_begin(r->mm, &c, r->like.start, r->like.end);
	mutex_unlock(&r->mm->lock);
	if (rc == 0) {
		rc = prepare_object(r, &created);
		if (rc == 0) {
			rc = map_and_settle(r->mm, ctx, &c, &r->like, r->replaces);
		} else {
			mutex_lock(&r->mm->lock);
			mm_change_end(r->mm, &c);
			mutex_unlock(&r->mm->lock);
		}
	}
	mm_change_finish(&c);
	if (created)
		created->ops->put(created);
	return rc;
}

int mm_mmap(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	    uint64_t size, int prot, int flags, struct mappable *object, uint64_t offset,
	    uint64_t *out)
{
	struct map_request r = { .mm = mm, .limits = limits, .flags = flags };
	uint64_t end;
	int rc;

	if (size == 0)
		return -EINVAL;
	if (flags & LINUX_MAP_FIXED_NOREPLACE)
		r.flags |= LINUX_MAP_FIXED;
	size = page_up(size);
	if (size == 0)
		return -ENOMEM;
	if (add_overflows(offset, size, &end))
		return -EOVERFLOW;
	r.like.object = object;
	r.like.offset = object ? offset : 0;
	r.like.prot = prot & ALL_PROT;
	if (limits->personality_read_implies_exec && (prot & LINUX_PROT_READ))
		r.like.prot |= LINUX_PROT_EXEC;
	rc = request_run(&r, ctx, addr, size);
	if (rc < 0)
		return rc;
	populate(ctx, &r);
	*out = r.like.start;
	return 0;
}

int mm_map_fixed(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int prot,
		 uint32_t vma_flags, struct mappable *object, uint64_t offset, const char *name)
{
	uint64_t max = platform_address_max().v;
	struct map_request r = { .mm = mm };
	struct mm_change c;
	int rc;

	if (!page_aligned(addr) || !page_aligned(size) || !page_aligned(offset) || !size)
		return -EINVAL;
	if (size > max || addr > max - size)
		return -ENOMEM;
	if (addr < platform_address_min().v)
		return -EPERM;
	r.like = (struct vma){ .start = addr, .end = addr + size, .prot = prot & ALL_PROT,
			       .flags = vma_flags, .object = object, .offset = object ? offset : 0,
			       .name = name };
	if (!object && (vma_flags & VMA_SHARED))
		return -EINVAL;
	rc = prepare_object(&r, NULL);
	if (rc < 0)
		return rc;
	rc = mm_change_init(&c);
	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = mm_change_wait(mm, addr, addr + size);
	if (rc == 0 && mm->vmas.count > LINUX_MAX_MAP_COUNT)
		rc = -ENOMEM;
	if (rc == 0) {
		r.replaces = vma_set_first_in(&mm->vmas, addr, addr + size) != NULL;
		mm_change_begin(mm, &c, addr, addr + size);
	}
	mutex_unlock(&mm->lock);
	if (rc == 0)
		rc = map_and_settle(mm, ctx, &c, &r.like, r.replaces);
	mm_change_finish(&c);
	return rc;
}
