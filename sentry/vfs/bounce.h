/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounce buffer of one call: on the stack when small, else allocated and at
 * most BOUNCE_MAX, whatever the guest asked for.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/compiler.h"

#define BOUNCE_SMALL 4096
#define BOUNCE_MAX (256UL * 1024)

struct bounce {
	char *buffer;
	size_t size;
	char small[BOUNCE_SMALL];
};

static inline MUST_CHECK int bounce_begin(struct bounce *b, uint64_t wanted)
{
	b->size = BOUNCE_SMALL;
	b->buffer = b->small;
	if (wanted <= BOUNCE_SMALL)
		return 0;
	b->size = wanted < BOUNCE_MAX ? (size_t)wanted : BOUNCE_MAX;
	b->buffer = malloc(b->size);
	return b->buffer ? 0 : -ENOMEM;
}

static inline void bounce_end(struct bounce *b)
{
	if (b->buffer != b->small)
		free(b->buffer);
}
