/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader on the fake platform: a good program byte by byte, every header field
 * with hostile values, every truncation, #! lines, argument limits.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include "sentry/host/host_memfd.h"
#include "sentry/loader/loader_private.h"
#include "sentry/platform/fake/fake_platform.h"
#include "tests/unit/elf_maker.h"
#include "util/checked.h"

#define STACK_LIMIT (8ULL << 20)

static struct platform *platform;
static const struct vfs_context no_vfs;

struct loaded {
	struct mm *mm;
	struct context *ctx;
	struct memory_file file;
};

static void strings_make(struct string_vector *v, const char *const *strings, uint32_t count)
{
	*v = (struct string_vector){ 0 };
	assert_int_equal(string_vector_prepend(v, 0, strings, count), 0);
}

static int prepare(struct loaded *l, struct program **out)
{
	static const char *const argv[] = { "prog", "two words", "" }, *const envv[] = { "A=1" };
	struct string_vector args, env;
	int rc;

	strings_make(&args, argv, 3);
	strings_make(&env, envv, 1);
	rc = program_prepare(&no_vfs, &l->file.file, "/bin/prog", &args, &env, STACK_LIMIT, out);
	assert_int_equal(args.bytes == NULL, rc == 0);
	string_vector_free(&args);
	string_vector_free(&env);
	return rc;
}

static void discard(struct loaded *l)
{
	if (l->mm) {
		context_destroy(l->ctx);
		mm_put(l->mm);
	}
	memory_file_destroy(&l->file);
}

/* Prepares and loads @data; *prepared says how far it came.  discard() in any case. */
static int load(struct loaded *l, const uint8_t *data, size_t size, bool *prepared)
{
	static const struct program_identity identity = { 1, 2, 3, 4, true };
	struct address_space *as;
	struct program *p;
	int rc;

	*l = (struct loaded){ .mm = NULL };
	memory_file_init(&l->file, data, size);
	rc = prepare(l, &p);
	*prepared = rc == 0;
	if (rc < 0)
		return rc;
	assert_string_equal(program_comm(p), "prog");
	assert_ptr_equal(program_file(p), &l->file.file);
	assert_int_equal(address_space_new(platform, NULL, &as), 0);
	assert_int_equal(context_new(platform, as, NULL, &l->ctx), 0);
	assert_int_equal(mm_new(platform, as, &l->mm), 0);
	rc = program_load(p, l->mm, l->ctx, &identity, STACK_LIMIT);
	program_free(p);
	return rc;
}

static uint64_t word(struct mm *mm, uint64_t addr)
{
	uint64_t value;

	assert_int_equal(copy_in_u64(mm, &value, guest_addr(addr)), 0);
	return value;
}

static void assert_string(struct mm *mm, uint64_t addr, const char *expected)
{
	char buf[64];

	assert_int_equal(copy_in_str(mm, buf, guest_addr(addr), sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

static uint64_t auxv_value(struct mm *mm, uint64_t at, uint64_t key)
{
	for (; word(mm, at) != LINUX_AT_NULL; at += 16)
		if (word(mm, at) == key)
			return word(mm, at + 8);
	fail_msg("no auxv entry %lu", (unsigned long)key);
	return 0;
}

/* --- a good program ------------------------------------------------------------------------- */

static void check_stack(struct loaded *l, uint64_t bias)
{
	const struct guest_regs *regs = context_regs(l->ctx);
	uint64_t sp = regs->rsp, auxv = sp + 8 * 7;
	struct mm *mm = l->mm;

	assert_int_equal(sp % 16, 0);
	assert_int_equal(word(mm, sp), 3);
	assert_string(mm, word(mm, sp + 8), "prog");
	assert_string(mm, word(mm, sp + 16), "two words");
	assert_string(mm, word(mm, sp + 24), "");
	assert_int_equal(word(mm, sp + 32), 0);
	assert_string(mm, word(mm, sp + 40), "A=1");
	assert_int_equal(word(mm, sp + 48), 0);
	assert_int_equal(mm->arg_start, word(mm, sp + 8));
	assert_int_equal(mm->arg_end, mm->env_start);
	assert_int_equal(mm->env_end, mm->env_start + 4);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_PAGESZ), 4096);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_PHDR), bias + 64);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_PHNUM), 3);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_ENTRY), bias + 0x1000);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_UID), 1);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_EGID), 4);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_SECURE), 1);
	assert_string(mm, auxv_value(mm, auxv, LINUX_AT_EXECFN), "/bin/prog");
	assert_string(mm, auxv_value(mm, auxv, LINUX_AT_PLATFORM), "x86_64");
	assert_true(word(mm, auxv_value(mm, auxv, LINUX_AT_RANDOM)) != 0);
	/* the vDSO is there, an ELF file */
	assert_int_equal((uint32_t)word(mm, auxv_value(mm, auxv, LINUX_AT_SYSINFO_EHDR)), 0x464c457f);
	assert_int_equal(auxv_value(mm, auxv, LINUX_AT_SYSINFO_EHDR), mm->vdso_base.v);
	assert_int_equal((uint32_t)word(mm, mm->vdso_sigreturn.v), 0x00000fb8); /* mov $15, %eax */
	/* there is stack below */
	assert_int_equal(copy_out_u64(mm, guest_addr(sp - 4096 * 100), 1), 0);
}

static void check_image(struct loaded *l, uint64_t bias)
{
	const struct guest_regs *regs = context_regs(l->ctx);
	struct mm *mm = l->mm;
	struct vma vma;

	assert_int_equal(regs->rip, bias + 0x1000);
	assert_int_equal(regs->eflags, 0x202);
	assert_int_equal(regs->cs, 0x33);
	assert_int_equal(regs->ss, 0x2b);
	assert_int_equal(word(mm, bias + 0x1000), 0x9090909090909090);
	assert_int_equal(copy_out_u64(mm, guest_addr(bias + 0x1000), 1), -EFAULT);
	assert_int_equal(word(mm, bias + 0x20f8), 0xdadadadadadadada);
	assert_int_equal(word(mm, bias + 0x2100), 0); /* cleared tail of the page */
	assert_int_equal(word(mm, bias + 0x2ff8), 0);
	assert_int_equal(word(mm, bias + 0x4ff8), 0);
	assert_int_equal(copy_out_u64(mm, guest_addr(bias + 0x4ff8), 1), 0);
	assert_int_equal(copy_out_u64(mm, guest_addr(bias + 0x5000), 1), -EFAULT);
	assert_true(mm->brk_start >= bias + 0x5000 || mm->brk_start < bias);
	assert_true(mm_find_vma(mm, bias, &vma));
	assert_int_equal(vma.prot, LINUX_PROT_READ | LINUX_PROT_EXEC);
	assert_int_equal(vma.start, bias);
	mm_vma_release(&vma);
}

static void test_good(void **state)
{
	uint8_t image[MAKER_SIZE];
	struct loaded l;
	bool prepared;
	uint64_t bias;

	for (unsigned pie = 0; pie < 2; pie++) {
		make_elf(image, pie ? ELF_TYPE_DYN : ELF_TYPE_EXEC, pie ? 0 : MAKER_BASE);
		assert_int_equal(load(&l, image, sizeof(image), &prepared), 0);
		bias = pie ? context_regs(l.ctx)->rip - 0x1000 : MAKER_BASE;
		assert_int_equal(bias % 4096, 0);
		check_stack(&l, bias);
		check_image(&l, bias);
		discard(&l);
	}
}

/* --- hostile headers -------------------------------------------------------------------------- */

static const uint64_t hostile[] = {
	0, 1, 2, 3, 7, 0xfff, 0x1000, 0x1001, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000, INT64_MAX - 4095, INT64_MAX,
	1ULL << 63, UINT64_MAX - 4096, UINT64_MAX - 1, UINT64_MAX,
};

static unsigned loads, failures;

static void try_image(const uint8_t *image, size_t size)
{
	struct loaded l;
	bool prepared;
	int rc = load(&l, image, size, &prepared);

	if (rc == 0)
		loads++;
	else
		failures++;
	if (!prepared)
		assert_true(rc == -ENOEXEC || rc == -EIO || rc == -EINVAL);
	discard(&l);
	assert_int_equal(fake_platform_space_count(platform), 0);
}

static void test_mutations(void **state)
{
	const size_t headers = sizeof(struct made_elf);
	uint8_t image[MAKER_SIZE];

	for (unsigned type = ELF_TYPE_EXEC; type <= ELF_TYPE_DYN; type++)
		for (size_t at = 0; at < headers; at += 2)
			for (size_t width = 2; width <= 8 && at + width <= headers; width *= 2)
				for (unsigned i = 0; i < ARRAY_SIZE(hostile); i++) {
					make_elf(image, (uint16_t)type,
						 type == ELF_TYPE_EXEC ? MAKER_BASE : 0);
					if (at % width)
						continue;
					memcpy(image + at, &hostile[i], width);
					try_image(image, sizeof(image));
				}
	assert_true(loads > 1000);
	assert_true(failures > 500);
}

static void test_truncated(void **state)
{
	uint8_t image[MAKER_SIZE];

	make_elf(image, ELF_TYPE_EXEC, MAKER_BASE);
	for (size_t size = 0; size < 300; size++)
		try_image(image, size);
	try_image(image, 0x1fff);
	try_image(image, 0x2000);
	try_image(image, 0x2001);
}

static void test_interpreter_path(void **state)
{
	uint8_t data[MAKER_SIZE];
	struct made_elf elf;
	struct memory_file f;
	struct elf_image image = { 0 };
	char *path;

	make_elf(data, ELF_TYPE_DYN, 0);
	memcpy(&elf, data, sizeof(elf));
	elf.phdrs[2] = (struct elf64_program_header){ .type = ELF_PT_INTERP, .offset = 0x1000,
						       .filesz = 8 };
	memcpy(data, &elf, sizeof(elf));
	memcpy(data + 0x1000, "/lib/ld", 8);
	memory_file_init(&f, data, sizeof(data));
	f.data = data;
	assert_int_equal(elf_image_read(&image, &f.file, data), 0);
	assert_int_equal(elf_image_interpreter(&image, &path), 0);
	assert_string_equal(path, "/lib/ld");
	free(path);
	image.phdrs[2].filesz = 7; /* no NUL */
	assert_int_equal(elf_image_interpreter(&image, &path), -ENOEXEC);
	image.phdrs[2].filesz = 1;
	assert_int_equal(elf_image_interpreter(&image, &path), -ENOEXEC);
	image.phdrs[2].filesz = 4097;
	assert_int_equal(elf_image_interpreter(&image, &path), -ENOEXEC);
	image.phdrs[2].filesz = 8;
	image.phdrs[2].offset = MAKER_SIZE;
	assert_int_equal(elf_image_interpreter(&image, &path), -EIO);
	image.phdrs[2].offset = UINT64_MAX;
	assert_int_equal(elf_image_interpreter(&image, &path), -EINVAL);
	elf_image_free(&image);
	memory_file_destroy(&f);
}

/* --- scripts and arguments ---------------------------------------------------------------------- */

static int parse(const char *line, size_t size, struct script *s)
{
	uint8_t start[BINPRM_SIZE] = { 0 };

	memcpy(start, line, MIN(size, sizeof(start)));
	return script_parse(start, s);
}

static void test_script(void **state)
{
	static const struct {
		const char *line, *interpreter, *argument;
	} good[] = {
		{ "#!/bin/sh\n", "/bin/sh", NULL },
		{ "#! \t/bin/sh\t \n", "/bin/sh", NULL },
		{ "#!/bin/sh", "/bin/sh", NULL },
		{ "#!/bin/sh -e -x \nrest", "/bin/sh", "-e -x" },
		{ "#!/usr/bin/env\tpython3\n", "/usr/bin/env", "python3" },
		{ "#!x\n", "x", NULL },
	};
	static const char *const bad[] = { "#!\n", "#!  \t \n" };
	char longest[BINPRM_SIZE + 10];
	struct script s;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse(good[i].line, strlen(good[i].line), &s), 0);
		assert_string_equal(s.interpreter, good[i].interpreter);
		assert_int_equal(s.has_argument, good[i].argument != NULL);
		if (good[i].argument)
			assert_string_equal(s.argument, good[i].argument);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], strlen(bad[i]), &s), -ENOEXEC);
	assert_int_equal(parse("#!", 2, &s), -EACCES);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "#!/", 3);
	assert_int_equal(parse(longest, sizeof(longest), &s), -ENOEXEC); /* cut path */
	longest[100] = ' ';
	assert_int_equal(parse(longest, sizeof(longest), &s), 0); /* cut argument */
	assert_int_equal(strlen(s.argument), BINPRM_SIZE - 1 - 101);
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "#!", 2);
	assert_int_equal(parse(longest, sizeof(longest), &s), -ENOEXEC);
}

static void test_arguments(void **state)
{
	static const char *const two[] = { "a", "bc" }, *const one[] = { "interp" };
	struct string_vector v = { 0 }, empty = { 0 };
	char *big = malloc(ARG_STRING_MAX + 1);

	strings_make(&v, two, 2);
	assert_int_equal(string_vector_prepend(&v, 1, one, 1), 0);
	assert_int_equal(v.count, 2);
	assert_memory_equal(v.bytes, "interp\0bc", 10);
	assert_int_equal(string_vector_prepend(&v, 5, one, 1), 0);
	assert_int_equal(v.count, 1);
	assert_int_equal(argument_limits_check(&v, &empty, "n", STACK_LIMIT), 0);
	string_vector_free(&v);

	memset(big, 'x', ARG_STRING_MAX);
	big[ARG_STRING_MAX] = '\0';
	strings_make(&v, (const char *const[]){ big }, 1);
	assert_int_equal(argument_limits_check(&v, &empty, "n", UINT64_MAX), -E2BIG);
	string_vector_free(&v);
	big[ARG_STRING_MAX - 1] = '\0';
	strings_make(&v, (const char *const[]){ big }, 1);
	assert_int_equal(argument_limits_check(&v, &empty, "n", UINT64_MAX), 0);
	/* 128 KiB is always allowed, and no more with a small stack */
	assert_int_equal(argument_limits_check(&v, &empty, "n", 4096), -E2BIG);
	string_vector_free(&v);
	free(big);
}

static int set_up(void **state)
{
	int rc = fake_platform_new(NULL, &platform);

	host_memfd_init(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	return rc < 0 ? rc : vdso_init(platform);
}

static int tear_down(void **state)
{
	fake_platform_free(platform);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	  cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_interpreter_path),
		cmocka_unit_test(test_script),	  cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
