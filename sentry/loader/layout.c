/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things go in a new address space, with the randomness of Linux as far as
 * the platform's address range allows: stack at the top, the mmap area below it,
 * position independent programs at two thirds, the break behind the program.
 */
#include "config.h"

#include "sentry/host/host_memory.h"
#include "sentry/loader/loader_private.h"
#include "util/checked.h"

#define STACK_RANDOM (16ULL << 30)
#define MMAP_RANDOM (1ULL << 40)   /* 28 bits of pages */
#define MMAP_GAP_MIN (128ULL << 20) /* between the stack's top and the mmap area */
#define STACK_GUARD (1ULL << 20)
#define BRK_RANDOM (32ULL << 20)

uint64_t layout_random(const struct mm *mm, uint64_t limit)
{
	uint64_t pages = limit / GUEST_PAGE_SIZE, value;

	if (!pages || mm->fixed_layout)
		return 0;
	host_random(&value, sizeof(value));
	return value % pages * GUEST_PAGE_SIZE;
}

static uint64_t address_space_part(uint64_t divisor)
{
	return platform_address_max().v / divisor;
}

static uint64_t pie_area(void)
{
	return round_down(address_space_part(3) * 2, GUEST_PAGE_SIZE);
}

uint64_t layout_pie_base(const struct mm *mm)
{
	return pie_area() + layout_random(mm, MIN(MMAP_RANDOM, address_space_part(16)));
}

uint64_t layout_stack_size(const struct program *p, uint64_t stack_limit)
{
	/* strings, pointers, auxv and room to start in */
	uint64_t needed = p->argv.size + p->envv.size +
			  ((uint64_t)p->argv.count + p->envv.count) * sizeof(uint64_t) +
			  STACK_SIZE_MIN;

	return round_up(MAX(MIN(stack_limit, STACK_SIZE_MAX), needed), GUEST_PAGE_SIZE);
}

uint64_t layout_stack_top(struct mm *mm, uint64_t stack_size)
{
	uint64_t top = round_down(platform_address_max().v, GUEST_PAGE_SIZE) - GUEST_PAGE_SIZE;
	uint64_t gap = MAX(stack_size + STACK_GUARD, MMAP_GAP_MIN);

	top -= layout_random(mm, MIN(STACK_RANDOM, address_space_part(32)));
	mm->mmap_base = round_down(top - gap, GUEST_PAGE_SIZE) -
			layout_random(mm, MIN(MMAP_RANDOM, address_space_part(16)));
	return top;
}

uint64_t layout_brk_start(const struct mm *mm, uint64_t end, bool static_pie)
{
	if (static_pie)
		end = pie_area();
	return round_up(end, GUEST_PAGE_SIZE) + layout_random(mm, BRK_RANDOM);
}
