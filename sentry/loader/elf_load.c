/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping of an ELF image into a pristine mm: private mappings of the file's own
 * descriptor, the last page's tail cleared, anonymous memory behind.  All
 * arithmetic is on checked values: load_bounds() establishes that every segment, bias
 * added, lies inside the guest's address space.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/mm.h"
#include "sentry/loader/loader_private.h"
#include "util/checked.h"

/* Larger alignments are the default, as in Linux when nothing fits. */
#define SEGMENT_ALIGN_MAX (1ULL << 30)

struct bounds {
	uint64_t start; /* page of the lowest segment */
	uint64_t end;	/* after the highest */
	uint64_t align; /* the largest sensible p_align */
	unsigned count;
};

static uint64_t page_offset(uint64_t v)
{
	return v & (GUEST_PAGE_SIZE - 1);
}

static int load_bounds(const struct elf_image *image, struct bounds *b)
{
	uint64_t max = platform_address_max().v;

	*b = (struct bounds){ .start = UINT64_MAX, .align = GUEST_PAGE_SIZE };
	for (unsigned i = 0; i < image->header.phnum; i++) {
		const struct elf64_program_header *ph = &image->phdrs[i];

		if (ph->type != ELF_PT_LOAD)
			continue;
		if (ph->vaddr >= max || ph->filesz > ph->memsz || ph->memsz > max - ph->vaddr)
			return -EINVAL;
		b->start = MIN(b->start, round_down(ph->vaddr, GUEST_PAGE_SIZE));
		b->end = MAX(b->end, ph->vaddr + ph->memsz);
		if (is_power_of_two(ph->align) && ph->align <= SEGMENT_ALIGN_MAX)
			b->align = MAX(b->align, ph->align);
		b->count++;
	}
	if (!b->count || round_up(b->end, GUEST_PAGE_SIZE) > max)
		return -EINVAL;
	return 0;
}

/* A base for @b that is free and aligned. */
static int choose_base(struct mm *mm, const struct bounds *b, enum elf_place place, uint64_t *base)
{
	uint64_t size = round_up(b->end, GUEST_PAGE_SIZE) - b->start, at;
	uint64_t slack = b->align > GUEST_PAGE_SIZE ? b->align : 0;
	int rc;

	if (size == 0)
		return -EINVAL;
	if (place == ELF_PLACE_PIE) {
		uint64_t hint = round_down(layout_pie_base(mm), b->align);

		rc = mm_find_free(mm, hint, size, &at);
		if (rc == 0 && at == hint) {
			*base = at;
			return 0;
		}
	}
	rc = mm_find_free(mm, 0, size + slack, &at);
	if (rc < 0)
		return rc;
	*base = round_up(at, b->align);
	return 0;
}

static int choose_bias(const struct elf_image *image, struct mm *mm, const struct bounds *b,
		       enum elf_place place, uint64_t *bias)
{
	uint64_t base;
	int rc;

	*bias = 0;
	if (place == ELF_PLACE_EXACT)
		return 0;
	rc = choose_base(mm, b, place, &base);
	if (rc < 0)
		return rc;
	*bias = base - b->start;
	return 0;
}

static int segment_prot(const struct elf64_program_header *ph)
{
	return (ph->flags & ELF_PF_R ? LINUX_PROT_READ : 0) |
	       (ph->flags & ELF_PF_W ? LINUX_PROT_WRITE : 0) |
	       (ph->flags & ELF_PF_X ? LINUX_PROT_EXEC : 0);
}

/* The part that comes from the file. */
static int map_file_part(const struct elf_image *image, struct mm *mm, struct context *ctx,
			 const struct elf64_program_header *ph, uint64_t addr)
{
	uint64_t skip = page_offset(addr);
	uint64_t size = round_up(ph->filesz + skip, GUEST_PAGE_SIZE), end;

	if (ph->offset < skip || page_offset(ph->offset) != skip)
		return -EINVAL;
	if (ph->offset > INT64_MAX || add_overflows(ph->offset - skip, size, &end))
		return -EOVERFLOW;
	return mm_map_fixed(mm, ctx, addr - skip, size, segment_prot(ph), 0,
			    &image->file->mappable, ph->offset - skip, NULL);
}

/* Zeroes behind the file's part, in its last page and in pages of their own. */
static int map_zero_part(struct mm *mm, struct context *ctx, const struct elf64_program_header *ph,
			 uint64_t addr)
{
	uint64_t zero = addr + ph->filesz, end = round_up(addr + ph->memsz, GUEST_PAGE_SIZE);
	uint64_t pages = round_up(zero, GUEST_PAGE_SIZE);

	if (!ph->filesz)
		pages = round_down(addr, GUEST_PAGE_SIZE);
	/* a segment that cannot be written keeps the file's bytes there, as in Linux */
	if (ph->filesz && pages > zero && clear_out(mm, guest_addr(zero), pages - zero) < 0 &&
	    (ph->flags & ELF_PF_W))
		return -EFAULT;
	if (pages >= end)
		return 0;
	return mm_map_fixed(mm, ctx, pages, end - pages,
			    LINUX_PROT_READ | LINUX_PROT_WRITE |
				    (ph->flags & ELF_PF_X ? LINUX_PROT_EXEC : 0),
			    0, NULL, 0, NULL);
}

static int map_segment(const struct elf_image *image, struct mm *mm, struct context *ctx,
		       const struct elf64_program_header *ph, uint64_t bias)
{
	uint64_t addr = ph->vaddr + bias;
	int rc = 0;

	if (ph->filesz)
		rc = map_file_part(image, mm, ctx, ph, addr);
	if (rc == 0 && ph->memsz > ph->filesz)
		rc = map_zero_part(mm, ctx, ph, addr);
	return rc;
}

/* As Linux's start_code and the rest, and where the program headers are visible. */
static void note_segment(const struct elf_image *image, const struct elf64_program_header *ph,
			 struct elf_loaded *out)
{
	uint64_t start = ph->vaddr + out->bias, file_end = start + ph->filesz;
	uint64_t phoff = image->header.phoff;

	if (ph->flags & ELF_PF_X) {
		out->start_code = MIN(out->start_code, start);
		out->end_code = MAX(out->end_code, file_end);
	}
	out->start_data = MAX(out->start_data, start);
	out->end_data = MAX(out->end_data, file_end);
	out->end_bss = MAX(out->end_bss, start + ph->memsz);
	if (!out->phdr && ph->offset <= phoff && phoff - ph->offset < ph->filesz)
		out->phdr = phoff - ph->offset + start;
}

int elf_load(const struct elf_image *image, struct mm *mm, struct context *ctx,
	     enum elf_place place, struct elf_loaded *out)
{
	struct bounds b;
	int rc = load_bounds(image, &b);

	*out = (struct elf_loaded){ .start_code = UINT64_MAX };
	if (rc == 0)
		rc = choose_bias(image, mm, &b, place, &out->bias);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < image->header.phnum; i++) {
		const struct elf64_program_header *ph = &image->phdrs[i];

		if (ph->type != ELF_PT_LOAD)
			continue;
		rc = map_segment(image, mm, ctx, ph, out->bias);
		if (rc < 0)
			return rc;
		note_segment(image, ph, out);
	}
	if (out->start_code == UINT64_MAX)
		out->start_code = 0;
	out->entry = image->header.entry + out->bias;
	return 0;
}
