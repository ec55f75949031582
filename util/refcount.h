/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference counts.  They saturate instead of wrapping, and taking a reference
 * on an object whose count is already zero is a bug of ours and aborts.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

#define REFCOUNT_SATURATED (UINT32_MAX / 2)

struct refcount {
	_Atomic uint32_t value;
};

NORETURN COLD void refcount_bug(const char *what);

static inline void refcount_init(struct refcount *r)
{
	atomic_init(&r->value, 1);
}

static inline void refcount_get(struct refcount *r)
{
	uint32_t old = atomic_fetch_add_explicit(&r->value, 1, memory_order_relaxed);

	if (unlikely(old == 0))
		refcount_bug("get of a dead object");
	if (unlikely(old >= REFCOUNT_SATURATED))
		atomic_store_explicit(&r->value, REFCOUNT_SATURATED, memory_order_relaxed);
}

/* For look-ups under a lock that does not keep the object alive: fails on 0. */
static inline MUST_CHECK bool refcount_get_unless_zero(struct refcount *r)
{
	uint32_t old = atomic_load_explicit(&r->value, memory_order_relaxed);

	do {
		if (old == 0)
			return false;
	} while (!atomic_compare_exchange_weak(&r->value, &old, old + 1));
	return true;
}

/* Returns true when the caller dropped the last reference and must free. */
static inline MUST_CHECK bool refcount_put(struct refcount *r)
{
	uint32_t old = atomic_fetch_sub_explicit(&r->value, 1, memory_order_acq_rel);

	if (unlikely(old == 0))
		refcount_bug("put of a dead object");
	if (unlikely(old >= REFCOUNT_SATURATED)) {
		atomic_store_explicit(&r->value, REFCOUNT_SATURATED, memory_order_relaxed);
		return false;
	}
	return old == 1;
}

static inline uint32_t refcount_read(const struct refcount *r)
{
	return atomic_load_explicit(&((struct refcount *)(uintptr_t)r)->value,
				    memory_order_relaxed);
}
