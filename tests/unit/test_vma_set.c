/* SPDX-License-Identifier: Apache-2.0 */
/* The VMA set against a map of pages: look-up, order, gaps, and its speed at max_map_count. */
#include "config.h"

#include "tests/unit/unit.h"

#include "sentry/abi/mm.h"
#include "sentry/mm/vma_set.h"
#include "util/checked.h"

#define PAGES 400
#define STEPS 60000

static uint32_t seed = 12345;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static bool used[PAGES];
static struct vma_node *starts[PAGES]; /* the node that starts at this page */

static struct vma_node *node_new(uint64_t start, uint64_t end)
{
	struct vma_node *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->vma.start = start * GUEST_PAGE_SIZE;
	n->vma.end = end * GUEST_PAGE_SIZE;
	return n;
}

static uint64_t check_subtree(const struct vma_node *n, unsigned *count)
{
	uint64_t max, left, right;

	if (!n)
		return 0;
	left = check_subtree(n->left, count);
	right = check_subtree(n->right, count);
	max = MAX(n->gap, MAX(left, right));
	assert_true(!n->left || (n->left->parent == n && n->left->priority <= n->priority));
	assert_true(!n->right || (n->right->parent == n && n->right->priority <= n->priority));
	assert_true(max == n->max_gap);
	(*count)++;
	return max;
}

static void check_set(const struct vma_set *set)
{
	const struct vma *vma;
	uint64_t end = 0;
	unsigned count = 0, listed = 0;

	check_subtree(set->root, &count);
	list_for_each(vma, &set->list, node) {
		const struct vma_node *n = (const struct vma_node *)vma;

		assert_true(vma->start >= end && vma->end > vma->start);
		assert_true(n->gap == vma->start - end);
		end = vma->end;
		listed++;
	}
	assert_int_equal(count, set->count);
	assert_int_equal(listed, set->count);
}

static bool model_gap(bool down, unsigned low, unsigned high, unsigned size, unsigned *out)
{
	for (unsigned i = 0; i + size <= high - low; i++) {
		unsigned at = down ? high - size - i : low + i;
		bool free = true;

		for (unsigned k = at; k < at + size; k++)
			free = free && (k >= PAGES || !used[k]);
		if (free) {
			*out = at;
			return true;
		}
	}
	return false;
}

static void check_gaps(const struct vma_set *set)
{
	unsigned low = random_below(PAGES), high = low + 1 + random_below(PAGES + 20 - low);
	unsigned size = 1 + random_below(30), expected;
	uint64_t found;

	for (unsigned down = 0; down < 2; down++) {
		bool want = model_gap(down, low, high, size, &expected);
		bool have = (down ? vma_set_gap_down : vma_set_gap_up)(
			set, low * GUEST_PAGE_SIZE, high * GUEST_PAGE_SIZE, size * GUEST_PAGE_SIZE,
			&found);

		assert_int_equal(want, have);
		if (want)
			assert_int_equal(found / GUEST_PAGE_SIZE, expected);
	}
}

static void check_find(const struct vma_set *set)
{
	unsigned page = random_below(PAGES), at = page;
	const struct vma *vma = vma_set_find(set, page * GUEST_PAGE_SIZE + 5);

	while (at < PAGES && !used[at])
		at++;
	if (at == PAGES) {
		assert_null(vma);
		return;
	}
	assert_non_null(vma);
	assert_true(vma->end > at * GUEST_PAGE_SIZE);
	assert_true(at == page ? vma->start <= page * GUEST_PAGE_SIZE
			       : vma->start == at * GUEST_PAGE_SIZE);
}

static void try_insert(struct vma_set *set)
{
	unsigned start = random_below(PAGES), size = 1 + random_below(20);

	if (start + size > PAGES)
		return;
	for (unsigned i = start; i < start + size; i++)
		if (used[i])
			return;
	starts[start] = node_new(start, start + size);
	vma_set_insert(set, starts[start]);
	memset(used + start, 1, size);
}

static void set_model(const struct vma *vma, bool value)
{
	for (uint64_t i = vma->start / GUEST_PAGE_SIZE; i < vma->end / GUEST_PAGE_SIZE; i++)
		used[i] = value;
}

static void try_change(struct vma_set *set)
{
	unsigned start = random_below(PAGES);
	struct vma_node *n = starts[start];
	uint64_t cut;

	if (!n)
		return;
	set_model(&n->vma, false);
	cut = n->vma.start + GUEST_PAGE_SIZE;
	if (random_below(2) && cut < n->vma.end) {
		starts[start] = NULL;
		vma_set_resize(set, &n->vma, cut, n->vma.end);
		starts[start + 1] = n;
		set_model(&n->vma, true);
		return;
	}
	starts[start] = NULL;
	vma_set_remove(set, n);
	free(n);
}

static void test_random(void **state)
{
	struct vma_set set;

	vma_set_init(&set);
	for (unsigned i = 0; i < STEPS; i++) {
		if (random_below(2))
			try_insert(&set);
		else
			try_change(&set);
		if (i % 16 == 0)
			check_set(&set);
		check_gaps(&set);
		check_find(&set);
	}
	for (unsigned i = 0; i < PAGES; i++)
		if (starts[i]) {
			vma_set_remove(&set, starts[i]);
			free(starts[i]);
		}
	check_set(&set);
	assert_int_equal(set.count, 0);
	assert_null(set.root);
}

static unsigned depth(const struct vma_node *n)
{
	unsigned left, right;

	if (!n)
		return 0;
	left = depth(n->left);
	right = depth(n->right);
	return 1 + MAX(left, right);
}

/* Ascending insertion of as many as a process may have keeps the tree shallow. */
static void test_full(void **state)
{
	struct vma_node **nodes = calloc(LINUX_MAX_MAP_COUNT, sizeof(*nodes));
	struct vma_set set;
	uint64_t at;

	vma_set_init(&set);
	for (uint64_t i = 0; i < LINUX_MAX_MAP_COUNT; i++) {
		nodes[i] = node_new(2 * i + 16, 2 * i + 17);
		vma_set_insert(&set, nodes[i]);
	}
	check_set(&set);
	assert_true(depth(set.root) < 80);
	assert_true(vma_set_gap_down(&set, 0, 1ULL << 47, GUEST_PAGE_SIZE, &at));
	assert_true(at == (1ULL << 47) - GUEST_PAGE_SIZE);
	assert_true(vma_set_gap_down(&set, 0, (2ULL * LINUX_MAX_MAP_COUNT + 15) * GUEST_PAGE_SIZE,
				     2 * GUEST_PAGE_SIZE, &at));
	assert_int_equal(at, 14 * GUEST_PAGE_SIZE);
	for (unsigned i = 0; i < LINUX_MAX_MAP_COUNT; i++) {
		vma_set_remove(&set, nodes[i]);
		free(nodes[i]);
	}
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
