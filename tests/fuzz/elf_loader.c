/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a program file through prepare and load, on the fake platform.  With
 * -fsanitize=fuzzer and -DMOAT_LIBFUZZER it is driven by libFuzzer.  Alone it runs
 * each file named on its command line, or without one a fixed number of random
 * changes to a good program, and prints one TAP line.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_memfd.h"
#include "sentry/loader/loader_private.h"
#include "sentry/platform/fake/fake_platform.h"
#include "tests/unit/elf_maker.h"
#include "util/file.h"
#include "util/log.h"

#define INPUT_MAX (1 << 20)
#define RANDOM_RUNS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

	ASSERT(address_space_new(platform, &as) == 0);
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
	if (size > INPUT_MAX || (size >= 2 && data[0] == '#' && data[1] == '!'))
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

#ifndef MOAT_LIBFUZZER

static void run_random(void)
{
	uint8_t image[MAKER_SIZE];

	srandom(1);
	for (unsigned i = 0; i < RANDOM_RUNS; i++) {
		size_t size = MAKER_SIZE;

		make_elf(image, random() % 2 ? ELF_TYPE_EXEC : ELF_TYPE_DYN,
			 random() % 2 ? MAKER_BASE : 0);
		for (long n = random() % 4 + 1; n > 0; n--) {
			size_t at = (size_t)random() % sizeof(struct made_elf);

			image[at] = random() % 2 ? (uint8_t)random()
						 : (uint8_t)(image[at] ^ 1 << random() % 8);
		}
		if (random() % 8 == 0)
			size = (size_t)random() % (MAKER_SIZE + 1);
		LLVMFuzzerTestOneInput(image, size);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *data;
		size_t size;

		if (file_read_all(AT_FDCWD, argv[i], INPUT_MAX, &data, &size) < 0) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		free(data);
	}
	if (argc == 1)
		run_random();
	printf("1..1\nok 1 - elf_loader\n");
	return 0;
}

#endif
