/* SPDX-License-Identifier: Apache-2.0 */
/* See the header.  The caller locks.  A page without used numbers is given back. */
#include "sentry/kernel/pid_bitmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"

#define PAGE_WORDS (PID_BITMAP_PAGE_BITS / 64)

void pid_bitmap_init(struct pid_bitmap *b, int32_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void pid_bitmap_destroy(struct pid_bitmap *b)
{
	for (unsigned i = 0; i < PID_BITMAP_PAGES; i++)
		free(b->pages[i]);
}

int pid_bitmap_take(struct pid_bitmap *b, int32_t number)
{
	unsigned page = (unsigned)number / PID_BITMAP_PAGE_BITS;
	unsigned bit = (unsigned)number % PID_BITMAP_PAGE_BITS;

	ASSERT(number > 0 && number < b->max);
	if (!b->pages[page]) {
		b->pages[page] = calloc(PAGE_WORDS, sizeof(uint64_t));
		if (!b->pages[page])
			return -ENOMEM;
	}
	if (b->pages[page][bit / 64] & (1ULL << (bit % 64)))
		return -EEXIST;
	b->pages[page][bit / 64] |= 1ULL << (bit % 64);
	b->used[page]++;
	return 0;
}

void pid_bitmap_free(struct pid_bitmap *b, int32_t number)
{
	unsigned page = (unsigned)number / PID_BITMAP_PAGE_BITS;
	unsigned bit = (unsigned)number % PID_BITMAP_PAGE_BITS;

	ASSERT(b->pages[page] && (b->pages[page][bit / 64] & (1ULL << (bit % 64))));
	b->pages[page][bit / 64] &= ~(1ULL << (bit % 64));
	if (--b->used[page] == 0) {
		free(b->pages[page]);
		b->pages[page] = NULL;
	}
}

/* First number in [from, to) whose bit is @set, or 0. */
static int32_t scan(const struct pid_bitmap *b, int32_t from, int32_t to, bool set)
{
	uint32_t n = (uint32_t)from, end = (uint32_t)to;

	while (n < end) {
		const uint64_t *page = b->pages[n / PID_BITMAP_PAGE_BITS];
		uint32_t used = b->used[n / PID_BITMAP_PAGE_BITS];
		uint64_t word;

		if (set ? !used : used == PID_BITMAP_PAGE_BITS) {
			n = (n / PID_BITMAP_PAGE_BITS + 1) * PID_BITMAP_PAGE_BITS;
			continue;
		}
		word = page ? page[n % PID_BITMAP_PAGE_BITS / 64] : 0;
		if (!set)
			word = ~word;
		word &= ~0ULL << (n % 64);
		n &= ~63U;
		if (word) {
			n += (uint32_t)__builtin_ctzll(word);
			return n < end ? (int32_t)n : 0;
		}
		n += 64;
	}
	return 0;
}

int32_t pid_bitmap_alloc(struct pid_bitmap *b)
{
	int32_t n = scan(b, b->last + 1, b->max, false);
	int32_t low = b->last >= PID_RESERVED ? PID_RESERVED : 1;
	int rc;

	if (!n)
		n = scan(b, low, b->last + 1 < b->max ? b->last + 1 : b->max, false);
	if (!n)
		return -EAGAIN;
	rc = pid_bitmap_take(b, n);
	if (rc)
		return rc;
	b->last = n;
	return n;
}

int32_t pid_bitmap_next(const struct pid_bitmap *b, int32_t from)
{
	return from < b->max ? scan(b, from < 1 ? 1 : from, b->max, true) : 0;
}
