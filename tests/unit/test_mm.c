/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct mm on the fake platform: random operations against a model that is an
 * array of pages, errors, roll-back, fork, the break, and several threads at once.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>

#include "sentry/abi/mm.h"
#include "sentry/mm/mm_private.h"
#include "sentry/platform/fake/fake_platform.h"

#define BASE 0x10000000ULL
#define PAGES 96
#define RW (LINUX_PROT_READ | LINUX_PROT_WRITE)
#define PRIVATE_ANON (LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS)
#define SHARED_ANON (LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS)

static struct platform *platform;
static const struct mm_limits no_limits = { .address_space = UINT64_MAX, .data = UINT64_MAX,
					    .stack = 8 << 20, .memlock = UINT64_MAX };

struct guest {
	struct mm *mm;
	struct context *ctx;
};

static void guest_new(struct guest *g)
{
	struct address_space *as;

	assert_int_equal(address_space_new(platform, NULL, &as), 0);
	assert_int_equal(context_new(platform, as, NULL, &g->ctx), 0);
	assert_int_equal(mm_new(platform, as, &g->mm), 0);
}

static void guest_free(struct guest *g)
{
	context_destroy(g->ctx);
	mm_put(g->mm);
}

static int map(struct guest *g, uint64_t addr, uint64_t size, int prot, int flags, uint64_t *out)
{
	return mm_mmap(g->mm, g->ctx, &no_limits, addr, size, prot, flags, NULL, 0, out);
}

static uint32_t seed = 99;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

/* --- the model ----------------------------------------------------------------------------- */

struct page {
	bool mapped, shared, dontfork, wipe;
	int prot;
	uint64_t object;      /* shared: which, and the page in it */
	uint64_t object_page;
	uint64_t value;	      /* first word; shared: in the object's table */
};

static struct page pages[PAGES];
static uint64_t objects[4096][PAGES];
static uint64_t object_count;

static uint64_t *value_of(struct page *p)
{
	return p->shared ? &objects[p->object][p->object_page] : &p->value;
}

static uint64_t addr_of(unsigned page)
{
	return BASE + page * GUEST_PAGE_SIZE;
}

static void check_against_model(struct guest *g, bool content)
{
	uint64_t total = 0, data = 0;
	const struct vma *vma, *prev = NULL;

	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t word = 0;

		vma = vma_set_find(&g->mm->vmas, addr_of(i));
		if (vma && vma->start > addr_of(i))
			vma = NULL;
		assert_int_equal(vma != NULL, pages[i].mapped);
		if (!vma) {
			assert_int_equal(copy_in(g->mm, &word, guest_addr(addr_of(i)), 8), -EFAULT);
			continue;
		}
		assert_int_equal(vma->prot, pages[i].prot);
		assert_int_equal(!!(vma->flags & VMA_SHARED), pages[i].shared);
		assert_int_equal(!!(vma->flags & VMA_DONTFORK), pages[i].dontfork);
		assert_int_equal(!!(vma->flags & VMA_WIPEONFORK), pages[i].wipe);
		if (pages[i].shared)
			assert_int_equal(vma->offset / GUEST_PAGE_SIZE + i -
						 (vma->start - BASE) / GUEST_PAGE_SIZE,
					 pages[i].object_page);
		total++;
		data += vma_is_data(vma->prot, vma->flags);
		if (!content)
			continue;
		if (pages[i].prot & LINUX_PROT_READ) {
			assert_int_equal(copy_in(g->mm, &word, guest_addr(addr_of(i)), 8), 0);
			assert_int_equal(word, *value_of(&pages[i]));
		} else if (pages[i].prot == LINUX_PROT_NONE) {
			assert_int_equal(copy_in(g->mm, &word, guest_addr(addr_of(i)), 8), -EFAULT);
		}
	}
	assert_int_equal(g->mm->total_pages, total);
	assert_int_equal(g->mm->data_pages, data);
	assert_true(list_empty(&g->mm->changes));
	list_for_each(vma, &g->mm->vmas.list, node) {
		/* neighbours that could be one are one */
		if (prev)
			assert_false(prev->end == vma->start && prev->prot == vma->prot &&
				     prev->flags == vma->flags && !prev->object && !vma->object);
		prev = vma;
	}
}

static int random_prot(void)
{
	static const int prots[] = { LINUX_PROT_NONE, LINUX_PROT_READ, RW, RW };

	return prots[random_below(4)];
}

static void random_range(unsigned *start, unsigned *count)
{
	*start = random_below(PAGES);
	*count = 1 + random_below(MIN(PAGES - *start, 20));
}

/* --- random operations ------------------------------------------------------------------------ */

static void step_map(struct guest *g)
{
	unsigned start, count;
	bool shared = random_below(3) == 0 && object_count < ARRAY_SIZE(objects);
	int prot = random_prot();
	uint64_t at;

	random_range(&start, &count);
	assert_int_equal(map(g, addr_of(start), count * GUEST_PAGE_SIZE, prot,
			     (shared ? SHARED_ANON : PRIVATE_ANON) | LINUX_MAP_FIXED, &at),
			 0);
	for (unsigned i = 0; i < count; i++)
		pages[start + i] = (struct page){ .mapped = true, .shared = shared, .prot = prot,
						  .object = object_count, .object_page = i };
	object_count += shared;
}

static void step_unmap(struct guest *g)
{
	unsigned start, count;

	random_range(&start, &count);
	assert_int_equal(mm_munmap(g->mm, g->ctx, addr_of(start), count * GUEST_PAGE_SIZE), 0);
	memset(&pages[start], 0, count * sizeof(pages[0]));
}

static void step_protect(struct guest *g)
{
	unsigned start, count, i;
	int prot = random_prot(), rc;

	random_range(&start, &count);
	rc = mm_mprotect(g->mm, g->ctx, addr_of(start), count * GUEST_PAGE_SIZE, prot);
	for (i = 0; i < count && pages[start + i].mapped; i++)
		pages[start + i].prot = prot;
	assert_int_equal(rc, i < count ? -ENOMEM : 0);
}

static void step_write(struct guest *g)
{
	unsigned page = random_below(PAGES);
	uint64_t value = random_below(UINT32_MAX);
	int rc = copy_out(g->mm, guest_addr(addr_of(page)), &value, sizeof(value));

	assert_int_equal(rc, pages[page].prot & LINUX_PROT_WRITE ? 0 : -EFAULT);
	if (rc == 0)
		*value_of(&pages[page]) = value;
}

static void step_advise(struct guest *g)
{
	static const int advices[] = { LINUX_MADV_DONTNEED, LINUX_MADV_DONTFORK, LINUX_MADV_DOFORK,
				       LINUX_MADV_KEEPONFORK, LINUX_MADV_DODUMP };
	int advice = advices[random_below(ARRAY_SIZE(advices))], rc;
	unsigned start, count;
	bool hole = false;

	random_range(&start, &count);
	rc = mm_madvise(g->mm, g->ctx, addr_of(start), count * GUEST_PAGE_SIZE, advice);
	for (unsigned i = start; i < start + count; i++) {
		hole = hole || !pages[i].mapped;
		if (!pages[i].mapped)
			continue;
		if (advice == LINUX_MADV_DONTNEED && !pages[i].shared)
			pages[i].value = 0;
		if (advice == LINUX_MADV_DONTFORK)
			pages[i].dontfork = true;
		if (advice == LINUX_MADV_DOFORK)
			pages[i].dontfork = false;
		if (advice == LINUX_MADV_KEEPONFORK)
			pages[i].wipe = false;
	}
	assert_int_equal(rc, hole ? -ENOMEM : 0);
}

static void step_wipe(struct guest *g)
{
	unsigned page = random_below(PAGES);
	int rc = mm_madvise(g->mm, g->ctx, addr_of(page), GUEST_PAGE_SIZE, LINUX_MADV_WIPEONFORK);

	assert_int_equal(rc, !pages[page].mapped ? -ENOMEM : pages[page].shared ? -EINVAL : 0);
	if (rc == 0)
		pages[page].wipe = true;
}

/* Pages that are one VMA to Linux: those of the set. */
static unsigned vma_pages(struct guest *g, unsigned page)
{
	const struct vma *vma = vma_set_find(&g->mm->vmas, addr_of(page));

	return (unsigned)((vma->end - addr_of(page)) / GUEST_PAGE_SIZE);
}

static void step_move(struct guest *g)
{
	unsigned from, count, to = random_below(PAGES);
	struct page moved[PAGES];
	uint64_t at;
	int rc;

	random_range(&from, &count);
	if (to + count > PAGES)
		return;
	rc = mm_mremap(g->mm, g->ctx, &no_limits, addr_of(from), count * GUEST_PAGE_SIZE,
		       count * GUEST_PAGE_SIZE, LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED,
		       addr_of(to), &at);
	if (from < to + count && to < from + count) {
		assert_int_equal(rc, -EINVAL);
	} else if (!pages[from].mapped) {
		assert_int_equal(rc, -EFAULT);
	} else if (rc == 0) {
		memcpy(moved, &pages[from], count * sizeof(moved[0]));
		memset(&pages[from], 0, count * sizeof(moved[0]));
		memcpy(&pages[to], moved, count * sizeof(moved[0]));
	} else {
		assert_int_equal(rc, -EFAULT);
		assert_true(count > vma_pages(g, from));
	}
}

static void step_shrink(struct guest *g)
{
	unsigned start, count, keep;
	uint64_t at = 0;
	int rc;

	random_range(&start, &count);
	keep = 1 + random_below(count);
	rc = mm_mremap(g->mm, g->ctx, &no_limits, addr_of(start), count * GUEST_PAGE_SIZE,
		       keep * GUEST_PAGE_SIZE, 0, 0, &at);
	assert_int_equal(rc, pages[start].mapped ? 0 : -EFAULT);
	if (rc == 0)
		memset(&pages[start + keep], 0, (count - keep) * sizeof(pages[0]));
}

static void step_grow(struct guest *g)
{
	unsigned start = random_below(PAGES), count, more = 1 + random_below(8);
	bool room = true;
	uint64_t at = 0;
	int rc;

	if (!pages[start].mapped || pages[start].shared)
		return;
	count = vma_pages(g, start);
	if (start + count + more > PAGES)
		return;
	for (unsigned i = start + count; i < start + count + more; i++)
		room = room && !pages[i].mapped;
	rc = mm_mremap(g->mm, g->ctx, &no_limits, addr_of(start), count * GUEST_PAGE_SIZE,
		       (count + more) * GUEST_PAGE_SIZE, 0, 0, &at);
	assert_int_equal(rc, room ? 0 : -ENOMEM);
	for (unsigned i = start + count; room && i < start + count + more; i++) {
		pages[i] = pages[start];
		pages[i].value = 0;
	}
}

/* The child has everything but DONTFORK, WIPEONFORK is zero; then it goes away. */
static void step_fork(struct guest *g)
{
	struct page saved[PAGES];
	struct address_space *as;
	struct guest child;

	assert_int_equal(mm_fork_begin(g->mm), 0);
	assert_int_equal(context_fork(g->ctx, NULL, &as, &child.ctx), 0);
	assert_int_equal(mm_fork(g->mm, as, &child.mm), 0);
	mm_fork_end(g->mm);
	assert_int_equal(mm_fork_finish(child.mm, child.ctx), 0);
	memcpy(saved, pages, sizeof(saved));
	for (unsigned i = 0; i < PAGES; i++) {
		if (pages[i].dontfork)
			pages[i] = (struct page){ 0 };
		else if (pages[i].wipe)
			pages[i].value = 0;
	}
	check_against_model(&child, true);
	memcpy(pages, saved, sizeof(saved));
	guest_free(&child);
}

static void test_random(void **state)
{
	static void (*const steps[])(struct guest *) = { step_map, step_map, step_unmap,
							 step_protect, step_write, step_write,
							 step_write, step_advise, step_wipe,
							 step_move, step_shrink, step_grow };
	struct guest g;

	guest_new(&g);
	for (unsigned i = 0; i < 6000; i++) {
		steps[random_below(ARRAY_SIZE(steps))](&g);
		check_against_model(&g, i % 8 == 0);
		if (i % 200 == 0)
			step_fork(&g);
	}
	guest_free(&g);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void test_map_errors(void **state)
{
	uint64_t page = GUEST_PAGE_SIZE, at;
	struct guest g;

	guest_new(&g);
	assert_int_equal(map(&g, 0, 0, RW, PRIVATE_ANON, &at), -EINVAL);
	assert_int_equal(map(&g, 0, page, RW, LINUX_MAP_ANONYMOUS, &at), -EINVAL);
	assert_int_equal(map(&g, 0, UINT64_MAX, RW, PRIVATE_ANON, &at), -ENOMEM);
	assert_int_equal(map(&g, 0, 1ULL << 47, RW, PRIVATE_ANON, &at), -ENOMEM);
	assert_int_equal(map(&g, BASE + 1, page, RW, PRIVATE_ANON | LINUX_MAP_FIXED, &at), -EINVAL);
	assert_int_equal(map(&g, 0, page, RW, PRIVATE_ANON | LINUX_MAP_FIXED, &at), -EPERM);
	assert_int_equal(map(&g, platform_address_max().v, page, RW,
			     PRIVATE_ANON | LINUX_MAP_FIXED, &at),
			 -ENOMEM);
	assert_int_equal(map(&g, 0, page, RW, SHARED_ANON | LINUX_MAP_GROWSDOWN, &at), -EINVAL);
	assert_int_equal(map(&g, 0, page, RW,
			     LINUX_MAP_SHARED_VALIDATE | LINUX_MAP_ANONYMOUS, &at),
			 -EINVAL);
	assert_int_equal(map(&g, BASE, page, RW, PRIVATE_ANON, &at), 0);
	assert_int_equal(at, BASE);
	assert_int_equal(map(&g, BASE, page, RW, PRIVATE_ANON | LINUX_MAP_FIXED_NOREPLACE, &at),
			 -EEXIST);
	assert_int_equal(map(&g, BASE, page, RW, PRIVATE_ANON, &at), 0); /* taken: elsewhere */
	assert_true(at != BASE);
	assert_int_equal(map(&g, 0, page, RW, PRIVATE_ANON | LINUX_MAP_32BIT, &at), 0);
	assert_true(at < 0x80000000);
	assert_int_equal(mm_munmap(g.mm, g.ctx, BASE + 1, page), -EINVAL);
	assert_int_equal(mm_munmap(g.mm, g.ctx, BASE, 0), -EINVAL);
	assert_int_equal(mm_munmap(g.mm, g.ctx, BASE, 1ULL << 60), -EINVAL);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE, page, 0x100), -EINVAL);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE + 5, page, 0), -EINVAL);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE, 0, 0), 0);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE + page, page, RW), -ENOMEM);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE, page, RW | LINUX_PROT_GROWSDOWN), -EINVAL);
	assert_int_equal(mm_madvise(g.mm, g.ctx, BASE, page, LINUX_MADV_MERGEABLE), -EINVAL);
	assert_int_equal(mm_madvise(g.mm, g.ctx, BASE, page, 77), -EINVAL);
	assert_int_equal(mm_madvise(g.mm, g.ctx, BASE + 1, page, LINUX_MADV_NORMAL), -EINVAL);
	guest_free(&g);
}

static void test_limits(void **state)
{
	struct mm_limits limits = no_limits;
	uint64_t page = GUEST_PAGE_SIZE, at;
	struct guest g;

	guest_new(&g);
	limits.address_space = 4 * page;
	assert_int_equal(mm_mmap(g.mm, g.ctx, &limits, BASE, 4 * page, RW, PRIVATE_ANON, NULL, 0,
				 &at),
			 0);
	assert_int_equal(mm_mmap(g.mm, g.ctx, &limits, 0, page, RW, PRIVATE_ANON, NULL, 0, &at),
			 -ENOMEM);
	/* what is replaced does not count twice */
	assert_int_equal(mm_mmap(g.mm, g.ctx, &limits, BASE, 2 * page, RW,
				 PRIVATE_ANON | LINUX_MAP_FIXED, NULL, 0, &at),
			 0);
	limits = no_limits;
	limits.data = 4 * page;
	assert_int_equal(mm_mmap(g.mm, g.ctx, &limits, 0, page, RW, PRIVATE_ANON, NULL, 0, &at),
			 -ENOMEM);
	assert_int_equal(mm_mmap(g.mm, g.ctx, &limits, 0, page, LINUX_PROT_READ, PRIVATE_ANON, NULL,
				 0, &at),
			 0);
	limits = no_limits;
	limits.memlock = 2 * page;
	assert_int_equal(mm_mlock(g.mm, g.ctx, &limits, BASE, 2 * page, 0), 0);
	assert_int_equal(mm_mlock(g.mm, g.ctx, &limits, BASE, 2 * page, 0), 0);
	assert_int_equal(g.mm->locked_pages, 2);
	assert_int_equal(mm_mlock(g.mm, g.ctx, &limits, BASE + 2 * page, page, 0), -ENOMEM);
	assert_int_equal(mm_munlock(g.mm, BASE, page), 0);
	assert_int_equal(g.mm->locked_pages, 1);
	assert_int_equal(mm_madvise(g.mm, g.ctx, BASE, 2 * page, LINUX_MADV_DONTNEED), -EINVAL);
	limits.memlock = 0;
	assert_int_equal(mm_mlock(g.mm, g.ctx, &limits, BASE, page, 0), -EPERM);
	assert_int_equal(mm_mlock(g.mm, g.ctx, &no_limits, BASE, page, 8), -EINVAL);
	assert_int_equal(mm_mlockall(g.mm, g.ctx, &no_limits, LINUX_MCL_CURRENT | LINUX_MCL_FUTURE), 0);
	assert_int_equal(g.mm->locked_pages, g.mm->total_pages);
	assert_int_equal(mm_munlockall(g.mm), 0);
	assert_int_equal(g.mm->locked_pages, 0);
	guest_free(&g);
}

static void test_brk(void **state)
{
	uint64_t page = GUEST_PAGE_SIZE, word = 5, at;
	struct guest g;

	guest_new(&g);
	g.mm->brk_start = g.mm->brk = BASE + 100;
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, 0), BASE + 100);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 10 * page), BASE + 10 * page);
	assert_int_equal(copy_out(g.mm, guest_addr(BASE + 9 * page), &word, 8), 0);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 5 * page + 1), BASE + 5 * page + 1);
	assert_int_equal(copy_out(g.mm, guest_addr(BASE + 6 * page), &word, 8), -EFAULT);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 10 * page), BASE + 10 * page);
	assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE + 9 * page), 8), 0);
	assert_int_equal(word, 0);
	assert_int_equal(g.mm->vmas.count, 1);
	assert_int_equal(map(&g, BASE + 20 * page, page, RW, PRIVATE_ANON, &at), 0);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 20 * page), BASE + 10 * page);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 19 * page), BASE + 19 * page);
	fake_platform_fail_order(platform, 1, -ENOMEM);
	assert_int_equal(mm_brk(g.mm, g.ctx, &no_limits, BASE + 100), BASE + 19 * page);
	guest_free(&g);
}

static void test_roll_back(void **state)
{
	uint64_t page = GUEST_PAGE_SIZE, at, word = 7;
	struct guest g;

	guest_new(&g);
	assert_int_equal(map(&g, BASE, 8 * page, RW, PRIVATE_ANON, &at), 0);
	assert_int_equal(copy_out(g.mm, guest_addr(BASE), &word, 8), 0);
	fake_platform_fail_order(platform, 1, -EAGAIN);
	assert_int_equal(mm_munmap(g.mm, g.ctx, BASE, 4 * page), -EAGAIN);
	fake_platform_fail_order(platform, 1, -EACCES);
	assert_int_equal(map(&g, BASE, page, RW, PRIVATE_ANON | LINUX_MAP_FIXED, &at), -EACCES);
	fake_platform_fail_order(platform, 1, -ENOMEM);
	assert_int_equal(mm_mprotect(g.mm, g.ctx, BASE, page, LINUX_PROT_NONE), -ENOMEM);
	fake_platform_fail_order(platform, 1, -ENOMEM);
	assert_int_equal(mm_mremap(g.mm, g.ctx, &no_limits, BASE, page, page,
				   LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, BASE + 64 * page, &at),
			 -ENOMEM);
	assert_int_equal(g.mm->vmas.count, 1);
	assert_int_equal(g.mm->total_pages, 8);
	assert_true(list_empty(&g.mm->changes));
	word = 0;
	assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE), 8), 0);
	assert_int_equal(word, 7);
	/* the host may have lost the old range: then both sides forget it */
	fake_platform_fail_order(platform, 1, -ENOMEM);
	assert_int_equal(map(&g, BASE, page, RW, PRIVATE_ANON | LINUX_MAP_FIXED, &at), -ENOMEM);
	assert_int_equal(g.mm->total_pages, 7);
	assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE), 8), -EFAULT);
	guest_free(&g);
}

/* A moved mapping that the host keeps in two pieces, and growth behind a shared object. */
static void test_remap(void **state)
{
	uint64_t page = GUEST_PAGE_SIZE, at, word;
	struct guest g;

	guest_new(&g);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(map(&g, BASE + i * page, page, RW, PRIVATE_ANON, &at), 0);
		word = 100 + i;
		assert_int_equal(copy_out(g.mm, guest_addr(at), &word, 8), 0);
	}
	assert_int_equal(g.mm->vmas.count, 1);
	assert_int_equal(mm_mremap(g.mm, g.ctx, &no_limits, BASE, 5 * page, 9 * page,
				   LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, BASE + 64 * page, &at),
			 0);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE + (64 + i) * page), 8), 0);
		assert_int_equal(word, i < 5 ? 100 + i : 0);
	}
	assert_int_equal(g.mm->vmas.count, 1);

	assert_int_equal(map(&g, BASE, page, RW, SHARED_ANON, &at), 0);
	word = 42;
	assert_int_equal(copy_out(g.mm, guest_addr(at), &word, 8), 0);
	assert_int_equal(mm_mremap(g.mm, g.ctx, &no_limits, BASE, page, 4 * page, 0, 0, &at), 0);
	assert_int_equal(at, BASE);
	assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE), 8), 0);
	assert_int_equal(word, 42);
	assert_int_equal(copy_in(g.mm, &word, guest_addr(BASE + page), 8), -EFAULT);
	/* old size 0: a second window on the same memory */
	assert_int_equal(mm_mremap(g.mm, g.ctx, &no_limits, BASE, 0, page, LINUX_MREMAP_MAYMOVE, 0,
				   &at),
			 0);
	assert_int_equal(copy_in(g.mm, &word, guest_addr(at), 8), 0);
	assert_int_equal(word, 42);
	guest_free(&g);
}

static void test_keys(void **state)
{
	struct memory_key a, b;
	uint64_t page = GUEST_PAGE_SIZE, at;
	struct guest g;

	guest_new(&g);
	assert_int_equal(map(&g, BASE, page, RW, SHARED_ANON, &at), 0);
	assert_int_equal(mm_mremap(g.mm, g.ctx, &no_limits, BASE, 0, page, LINUX_MREMAP_MAYMOVE, 0,
				   &at),
			 0);
	assert_int_equal(mm_memory_key(g.mm, guest_addr(BASE + 8), false, &a), 0);
	assert_int_equal(mm_memory_key(g.mm, guest_addr(at + 8), false, &b), 0);
	assert_ptr_equal(a.object, b.object);
	assert_int_equal(a.offset, b.offset);
	memory_key_release(&a);
	memory_key_release(&b);
	assert_int_equal(mm_memory_key(g.mm, guest_addr(BASE - 8), false, &a), -EFAULT);
	assert_int_equal(mm_memory_key(g.mm, guest_addr(BASE + 8), true, &a), 0);
	assert_ptr_equal(a.object, g.mm);
	guest_free(&g);
}

/* --- threads ----------------------------------------------------------------------------------- */

#define THREADS 4

static void yield_hook(void *arg)
{
	sched_yield();
}

static void *churn(void *arg)
{
	struct guest *g = arg;
	uint32_t state = (uint32_t)(uintptr_t)&state;

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t start, size, at;
		int rc = 0;

		state = state * 1664525 + 1013904223;
		start = BASE + (state >> 8) % 40 * GUEST_PAGE_SIZE;
		size = (1 + (state >> 20) % 10) * GUEST_PAGE_SIZE;
		switch (state >> 29) {
		case 0: case 1:
			rc = map(g, start, size, RW, PRIVATE_ANON | LINUX_MAP_FIXED, &at);
			break;
		case 2:
			rc = mm_munmap(g->mm, g->ctx, start, size);
			break;
		case 3:
			rc = mm_mprotect(g->mm, g->ctx, start, size, LINUX_PROT_READ);
			break;
		case 4:
			rc = map(g, 0, size, RW, PRIVATE_ANON, &at);
			if (rc == 0)
				rc = mm_munmap(g->mm, g->ctx, at, size);
			break;
		case 5:
			rc = mm_madvise(g->mm, g->ctx, start, size, LINUX_MADV_DONTNEED);
			break;
		case 6:
			rc = mm_mremap(g->mm, g->ctx, &no_limits, start, GUEST_PAGE_SIZE,
				       GUEST_PAGE_SIZE, LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED,
				       start + 50 * GUEST_PAGE_SIZE, &at);
			break;
		default:
			rc = mm_fork_begin(g->mm);
			if (list_empty(&g->mm->changes))
				mm_fork_end(g->mm);
			else
				rc = -EBUSY;
			break;
		}
		if (rc != 0 && rc != -ENOMEM && rc != -EFAULT)
			return (void *)(intptr_t)rc;
	}
	return NULL;
}

/* Afterwards the set and the memory agree about every page. */
static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	struct guest g;

	guest_new(&g);
	fake_platform_set_order_hook(platform, yield_hook, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, &g), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_null(result);
	}
	fake_platform_set_order_hook(platform, NULL, NULL);
	assert_true(list_empty(&g.mm->changes));
	assert_int_equal(g.mm->forks, 0);
	assert_int_equal(g.mm->change_waiters, 0);
	for (uint64_t at = BASE; at < BASE + 110 * GUEST_PAGE_SIZE; at += GUEST_PAGE_SIZE) {
		const struct vma *vma = vma_set_first_in(&g.mm->vmas, at, at + 1);
		uint64_t word;

		assert_int_equal(copy_in(g.mm, &word, guest_addr(at), 8), vma ? 0 : -EFAULT);
		word = 1;
		assert_int_equal(copy_out(g.mm, guest_addr(at), &word, 8),
				 vma && (vma->prot & LINUX_PROT_WRITE) ? 0 : -EFAULT);
	}
	guest_free(&g);
}

static int set_up(void **state)
{
	return fake_platform_new(NULL, &platform);
}

static int tear_down(void **state)
{
	assert_int_equal(fake_platform_space_count(platform), 0);
	fake_platform_free(platform);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	 cmocka_unit_test(test_map_errors),
		cmocka_unit_test(test_limits),	 cmocka_unit_test(test_brk),
		cmocka_unit_test(test_roll_back), cmocka_unit_test(test_remap),
		cmocka_unit_test(test_keys),	 cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
