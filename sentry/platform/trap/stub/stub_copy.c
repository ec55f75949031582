/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of guest memory in the slot: what a system call reads is put there before the
 * sentry sees the call, what it wrote is fetched after.  A fault only means that there is no copy:
 * the sentry then reaches for the memory itself and finds out what is wrong.
 */
#include "sentry/platform/trap/stub/stub.h"

#define COPY_STRING_MAX 256
#define STAT_SIZE 144

static uint64_t argument(const struct ucontext *uc, unsigned i)
{
	const struct stub_regs *r = &uc->mcontext.regs;

	switch (i) {
	case 0: return r->rdi;
	case 1: return r->rsi;
	case 2: return r->rdx;
	case 3: return r->r10;
	case 4: return r->r8;
	default: return r->r9;
	}
}

/* One argument's copy into the page at @offset; bytes, or 0: none. */
static uint64_t fill_copy(unsigned kind, uint64_t page, uint64_t offset, uint64_t addr,
			  uint64_t size)
{
	uint64_t room = STUB_COPY_SIZE - offset;
	int64_t n;

	switch (kind) {
	case PLATFORM_COPY_STRING:
		n = stub_copy_string(page + offset, addr,
				     room < COPY_STRING_MAX ? room : COPY_STRING_MAX);
		return n > 0 ? (uint64_t)n : 0;
	case PLATFORM_COPY_IN:
		return size <= room && stub_copy(page + offset, addr, size) == 0 ? size : 0;
	case PLATFORM_COPY_STAT:
		size = STAT_SIZE;
		__attribute__((fallthrough));
	case PLATFORM_COPY_OUT:
		/* Two pages at most. */
		if (size == 0 || size > room || addr + size < addr)
			return 0;
		return stub_probe(addr) == 0 && stub_probe(addr + size - 1) == 0 ? size : 0;
	default:
		return 0;
	}
}

void fill_copies(struct stub_slot *slot, const struct ucontext *uc)
{
	const uint32_t *table = (const uint32_t *)STUB_COPY_TABLE;
	uint64_t page = (uint64_t)slot + STUB_COPY_PAGE, used = 0;
	uint32_t count = 0, kinds;

	kinds = slot->nr < STUB_COPY_TABLE_COUNT ? table[slot->nr] : 0;
	for (unsigned i = 0; kinds && count < STUB_COPIES; i++, kinds >>= PLATFORM_COPY_BITS) {
		unsigned kind = kinds & ((1U << PLATFORM_COPY_BITS) - 1);
		uint64_t addr, size;

		if (kind == PLATFORM_COPY_NONE)
			continue;
		addr = argument(uc, i);
		/* Never this stub's own memory, which is not the guest's. */
		if (addr >= STUB_AREA)
			continue;
		size = fill_copy(kind, page, used, addr, argument(uc, i + 1));
		if (size == 0)
			continue;
		slot->copies[count++] = (struct stub_copy){
			.addr = addr,
			.size = (uint32_t)size,
			.offset = (uint16_t)used,
			.out = kind == PLATFORM_COPY_OUT || kind == PLATFORM_COPY_STAT,
		};
		used = (used + size + 15) & ~15UL;
		if (used >= STUB_COPY_SIZE)
			break;
	}
	slot->copy_count = count;
}

/* A page that went away meanwhile is the guest's own doing. */
void put_copies(const struct stub_slot *slot)
{
	uint64_t page = (uint64_t)slot + STUB_COPY_PAGE;

	for (uint32_t i = 0; i < slot->copy_count && i < STUB_COPIES; i++)
		stub_copy(slot->copies[i].addr, page + slot->copies[i].offset, slot->copies[i].size);
}
