/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a program file through prepare and load, on the fake platform.  The
 * generator changes a few bytes of a good program's headers.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_memfd.h"
#include "sentry/loader/loader_private.h"
#include "sentry/platform/fake/fake_platform.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elf_maker.h"
#include "util/log.h"

static struct platform *platform;

static void set_up(void)
{
	if (platform)
		return;
	ASSERT(fake_platform_new(NULL, &platform) == 0);
	host_memfd_init(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ASSERT(vdso_init(platform) == 0);
}

static bool load(struct program *p)
{
	static const struct program_identity identity = { 0, 0, 0, 0, false };
	struct address_space *as;
	struct context *ctx;
	struct mm *mm;
	bool loaded;

	ASSERT(address_space_new(platform, NULL, &as) == 0);
	ASSERT(context_new(platform, as, NULL, &ctx) == 0);
	ASSERT(mm_new(platform, as, &mm) == 0);
	loaded = program_load(p, mm, ctx, &identity, 8 << 20) == 0;
	ASSERT(!loaded || context_regs(ctx)->rip < platform_address_max().v);
	context_destroy(ctx);
	mm_put(mm);
	return loaded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct string_vector args = { 0 }, env = { 0 };
	static const struct vfs_context no_vfs;
	struct memory_file f;
	struct program *p;

	/* an interpreter would be looked up by path: that is the VFS's affair */
	if (size >= 2 && data[0] == '#' && data[1] == '!')
		return 0;
	for (size_t at = 0; at + 4 <= size && at < 64 + 56 * 16; at += 4) {
		uint32_t word;

		memcpy(&word, data + at, sizeof(word));
		if (word == ELF_PT_INTERP)
			return 0;
	}
	set_up();
	memory_file_init(&f, data, size);
	if (program_prepare(&no_vfs, &f.file, "fuzz", &args, &env, 8 << 20, &p) == 0) {
		load(p);
		program_free(p);
	}
	string_vector_free(&args);
	string_vector_free(&env);
	memory_file_destroy(&f);
	ASSERT(fake_platform_space_count(platform) == 0);
	return 0;
}

static size_t generate(uint8_t *image)
{
	make_elf(image, fuzz_random(2) ? ELF_TYPE_EXEC : ELF_TYPE_DYN,
		 fuzz_random(2) ? MAKER_BASE : 0);
	fuzz_flip(image, sizeof(struct made_elf), 1 + fuzz_random(4));
	return fuzz_random(8) ? MAKER_SIZE : fuzz_random(MAKER_SIZE + 1);
}

const struct fuzz_target fuzz_target = { "elf_loader", 20000, generate };
