/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's copy_struct_from_user: structures that grow with versions. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sentry/mm/usercopy.h"

/*
 * Copies min(@guest_size, @size) bytes and zeroes the rest.  -EINVAL below @min_size,
 * -E2BIG above a page or when bytes unknown to us are not zero, -EFAULT.
 */
static inline MUST_CHECK int copy_in_struct(struct mm *mm, void *dst, size_t size, size_t min_size,
					    guest_addr_t src, uint64_t guest_size)
{
	unsigned char rest[256];
	uint64_t at = size;
	int rc;

	if (guest_size > GUEST_PAGE_SIZE)
		return -E2BIG;
	if (guest_size < min_size)
		return -EINVAL;
	memset(dst, 0, size);
	while (at < guest_size) {
		size_t part = guest_size - at < sizeof(rest) ? (size_t)(guest_size - at) : sizeof(rest);

		rc = copy_in(mm, rest, guest_add(src, at), part);
		if (rc)
			return rc;
		for (size_t i = 0; i < part; i++)
			if (rest[i])
				return -E2BIG;
		at += part;
	}
	return copy_in(mm, dst, src, guest_size < size ? (size_t)guest_size : size);
}
