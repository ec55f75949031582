/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash values of a keyed function (SipHash-1-3, a key per process): a guest
 * that picks names or numbers cannot aim at one bucket.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t size);
uint64_t hash_string(const char *text);
uint64_t hash_u64(uint64_t value);
