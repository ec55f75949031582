/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small well-formed program and a struct file that serves bytes from memory, for
 * the loader's tests and its fuzzer.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sentry/abi/elf.h"
#include "sentry/abi/mm.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"

#define MAKER_SIZE 0x2100
#define MAKER_BASE 0x400000
#define MAKER_DATA (MAKER_BASE + 0x2000)
#define MAKER_DATA_SIZE 0x100
#define MAKER_BSS_SIZE 0x3000

struct made_elf {
	struct elf64_header header;
	struct elf64_program_header phdrs[3];
};

/* Text of two pages, data with a bss, a stack header; @base 0 with ELF_TYPE_DYN. */
static inline void make_elf(uint8_t image[MAKER_SIZE], uint16_t type, uint64_t base)
{
	struct made_elf elf = {
		.header = { .ident = { 0x7f, 'E', 'L', 'F', ELF_CLASS_64, ELF_DATA_LSB, 1 },
			    .type = type, .machine = ELF_MACHINE_X86_64, .version = 1,
			    .entry = base + 0x1000, .phoff = sizeof(struct elf64_header),
			    .ehsize = sizeof(struct elf64_header),
			    .phentsize = sizeof(struct elf64_program_header), .phnum = 3 },
		.phdrs = { { ELF_PT_LOAD, ELF_PF_R | ELF_PF_X, 0, base, base, 0x2000, 0x2000, 0x1000 },
			   { ELF_PT_LOAD, ELF_PF_R | ELF_PF_W, 0x2000, base + 0x2000, base + 0x2000,
			     MAKER_DATA_SIZE, MAKER_BSS_SIZE, 0x1000 },
			   { ELF_PT_GNU_STACK, ELF_PF_R | ELF_PF_W, 0, 0, 0, 0, 0, 16 } },
	};

	memset(image, 0x90, MAKER_SIZE);
	memcpy(image, &elf, sizeof(elf));
	memset(image + 0x2000, 0xda, MAKER_DATA_SIZE);
}

struct memory_file {
	struct file file; /* first */
	const uint8_t *data;
	size_t size;
	int fd;
};

static ssize_t memory_file_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	const struct memory_file *f = (const struct memory_file *)file;
	size_t rest = *pos < f->size ? f->size - *pos : 0;
	ssize_t n = io_iter_copy_to(to, f->data + (rest ? *pos : 0), rest);

	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static void memory_file_get(struct mappable *m)
{
	refcount_get(&((struct memory_file *)m)->file.refs);
}

/* The test holds one reference to the end. */
static void memory_file_put(struct mappable *m)
{
	if (refcount_put(&((struct memory_file *)m)->file.refs))
		abort();
}

static int memory_file_host_fd(struct mappable *m, uint64_t offset, uint64_t size, int prot,
			       bool shared, int *fd, uint64_t *host_offset)
{
	*fd = ((struct memory_file *)m)->fd;
	*host_offset = offset;
	return 0;
}

static inline void memory_file_init(struct memory_file *f, const uint8_t *data, size_t size)
{
	static const struct file_ops ops = { .read = memory_file_read };
	static const struct mappable_ops mappable = { .get = memory_file_get,
						      .put = memory_file_put,
						      .host_fd = memory_file_host_fd };

	memset(f, 0, sizeof(*f));
	f->file.ops = &ops;
	f->file.mappable.ops = &mappable;
	f->file.can_read = true;
	refcount_init(&f->file.refs);
	f->data = data;
	f->size = size;
	f->fd = memfd_create("elf", MFD_CLOEXEC);
	if (f->fd < 0 || write(f->fd, data, size) != (ssize_t)size)
		abort();
}

static inline void memory_file_destroy(struct memory_file *f)
{
	if (refcount_read(&f->file.refs) != 1)
		abort(); /* the loader leaks */
	close(f->fd);
}
