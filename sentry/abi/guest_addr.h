/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in guest memory.  The type cannot be dereferenced, cast to a
 * pointer or mixed with a host address; `.v` is for the memory layers and for
 * printing.  Everything else moves guest bytes with sentry/mm/usercopy.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	uint64_t v;
} guest_addr_t;

#define GUEST_NULL ((guest_addr_t){ 0 })
#define GUEST_PAGE_SIZE 4096ULL
#define GUEST_PAGE_SHIFT 12

static inline guest_addr_t guest_addr(uint64_t v)
{
	return (guest_addr_t){ v };
}

static inline guest_addr_t guest_add(guest_addr_t a, uint64_t offset)
{
	return (guest_addr_t){ a.v + offset };
}

static inline bool guest_is_null(guest_addr_t a)
{
	return a.v == 0;
}
