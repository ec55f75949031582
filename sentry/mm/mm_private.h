/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of sentry/mm: changes in flight and operations on ranges.
 *
 * The VMA set always shows what the host has: a change is announced
 * (mm_change_begin), ordered from the host with no lock held, and only then
 * committed to the set, with memory allocated beforehand so that committing
 * cannot fail.  A failed order leaves the set as it was: that is the roll-back.
 *
 * Lock order: mm->lock, then mm->change_wait.lock.  Objects' get and count_writer are
 * called under mm->lock (they count); put, host_fd, max_prot, sync never are.
 */
#pragma once

#include "sentry/abi/mm.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/vma_set.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define MM_SPARE_NODES 3 /* one new VMA and a split at both ends */

struct mm_change {
	struct list_node node;	/* in mm->changes; protected by mm->lock */
	uint64_t start, end;
	struct vma_node *spare[MM_SPARE_NODES]; /* the changing thread's */
	struct list_node dead;	/* VMAs taken out of the set, to be freed outside the lock */
};

/* Allocates; the change is not announced yet.  Every init is paired with a finish. */
int mm_change_init(struct mm_change *c) MUST_CHECK;
/* Frees what the change holds, drops objects' references.  No lock held. */
void mm_change_finish(struct mm_change *c);
/* Waits until nothing overlapping is changing and no fork is under way.  Drops and
 * retakes mm->lock when it must wait: look at the set afterwards.  -EINTR: killed. */
int mm_change_wait(struct mm *mm, uint64_t start, uint64_t end) REQUIRES(mm->lock) MUST_CHECK;
/* Announces [start, end), which overlaps no other change. */
void mm_change_begin(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end)
	REQUIRES(mm->lock);
/* Settled or rolled back. */
void mm_change_end(struct mm *mm, struct mm_change *c) REQUIRES(mm->lock);
/* The change with the lowest start that overlaps the range, or NULL. */
struct mm_change *mm_change_overlapping(struct mm *mm, uint64_t start, uint64_t end)
	REQUIRES(mm->lock);

/* --- ranges; all under mm->lock ------------------------------------------------- */

static inline uint64_t page_up(uint64_t v)
{
	return round_up(v, GUEST_PAGE_SIZE);
}

static inline uint64_t page_down(uint64_t v)
{
	return round_down(v, GUEST_PAGE_SIZE);
}

static inline bool page_aligned(uint64_t v)
{
	return !(v & (GUEST_PAGE_SIZE - 1));
}

static inline uint64_t vma_size(const struct vma *vma)
{
	return vma->end - vma->start;
}

/* What a VMA in the set, or about to be, holds of its object: a reference, and its count as a writer. */
void vma_object_hold(const struct vma *vma);
void vma_object_release(const struct vma *vma);

/* The flags that count as one kind of memory for merging: all but transient ones. */
#define VMA_FLAGS_TRANSIENT VMA_CHANGING

/* PR_SET_MDWE forbids memory of protection @old to get @prot (for new memory: its own). */
bool mm_denies_exec(const struct mm *mm, int old, int prot);
/* Counted in RLIMIT_DATA. */
bool vma_is_data(int prot, uint32_t flags);
/* Splits VMAs at both ends, so that the range consists of whole ones. */
void mm_range_isolate(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end);
/* Takes out what is in the range (to c->dead). */
void mm_range_remove(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end);
/* Puts in a VMA like @like (a reference on whose object is taken) and merges. */
void mm_range_insert(struct mm *mm, struct mm_change *c, const struct vma *like);
/* Changes protection or flags of every VMA in the range and merges. */
void mm_range_set(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end, int prot_mask,
		  int prot, uint32_t flag_mask, uint32_t flags);
/* True when the range is mapped without a hole; else *hole is the first hole's start. */
bool mm_range_mapped(struct mm *mm, uint64_t start, uint64_t end, uint64_t *hole);
/* mseal forbids to change some page of the range. */
bool mm_range_sealed(struct mm *mm, uint64_t start, uint64_t end);
/* How many VMAs a split at the range's ends adds. */
unsigned mm_range_splits(struct mm *mm, uint64_t start, uint64_t end);
/* Pages in the range that count as data, that are locked, all mapped ones. */
struct range_pages {
	uint64_t total, data, locked;
};
struct range_pages mm_range_pages(struct mm *mm, uint64_t start, uint64_t end);

/* --- picker ---------------------------------------------------------------------- */

enum pick_flags {
	PICK_LOW_2G = 1 << 0, /* MAP_32BIT */
};
/* Where an unfixed mapping goes: -ENOMEM, -EINTR; may drop and retake the lock. */
int mm_pick(struct mm *mm, uint64_t hint, uint64_t size, unsigned flags, uint64_t *out)
	REQUIRES(mm->lock) MUST_CHECK;

/* --- orders ----------------------------------------------------------------------- */

/* Maps @like's range on the host.  No lock held. */
int mm_order_map(struct context *ctx, const struct vma *like) MUST_CHECK;
/* RLIMIT_AS and RLIMIT_DATA for @grow more bytes of memory of this kind. */
bool mm_may_expand(const struct mm *mm, const struct mm_limits *limits, uint64_t grow, int prot,
		   uint32_t flags);
/* RLIMIT_MEMLOCK for @grow more locked bytes. */
/* Past the limit: whether CAP_IPC_LOCK, which is used by this, allows it. */
bool mm_use_lock_right(const struct mm_limits *limits);
bool mm_may_lock(const struct mm *mm, const struct mm_limits *limits, uint64_t grow);

