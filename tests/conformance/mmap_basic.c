/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap, munmap, mprotect, mremap, madvise, brk on anonymous memory.
 */
#include "conformance.h"

#include <sys/resource.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int prot)
{
	char *base = mmap(NULL, pages * PAGE, prot, ANON, -1, 0);

	MUST((long)base);
	return base;
}

/* Can the kernel write there? Asks without faulting. */
static const char *state(const void *addr)
{
	static int zero = -1, null = -1;

	if (zero == -1) {
		zero = (int)MUST(open("/dev/zero", O_RDONLY));
		int ends[2];
		MUST(pipe(ends));
		null = ends[1];
	}
	if (write(null, addr, 1) != 1)
		return "no access";
	char keep = *(const volatile char *)addr;
	if (read(zero, (void *)(uintptr_t)addr, 1) != 1)
		return "read-only";
	*(volatile char *)(uintptr_t)addr = keep;
	return "read-write";
}

CASE(mmap_anonymous_zeroed)
{
	char *base = map(16, RW);
	int sum = 0;

	for (size_t i = 0; i < 16 * PAGE; i++)
		sum |= base[i];
	show_int("all zero", sum == 0);
	show_int("aligned", ((uintptr_t)base & 4095) == 0);
	memset(base, 1, 16 * PAGE);
	show("munmap", munmap(base, 16 * PAGE));
	show_str("state", state(base));
	show("munmap again", munmap(base, 16 * PAGE));
}

CASE(mmap_errors)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	int ro = (int)MUST(open("f", O_RDONLY));
	int wo = (int)MUST(open("f", O_WRONLY));
	int ends[2];

	MUST(pipe(ends));
	show_ptr("length 0", mmap(NULL, 0, RW, ANON, -1, 0));
	show_ptr("no type", mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	show_ptr("bad fd", mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	show_ptr("fd -1", mmap(NULL, PAGE, RW, MAP_SHARED, -1, 0));
	show_ptr("offset not aligned",
		 (void *)syscall(SYS_mmap, NULL, PAGE, RW, MAP_SHARED, fd, 1));
	show_ptr("fixed not aligned", mmap(bad_ptr(), PAGE, RW, ANON | MAP_FIXED, -1, 0));
	show_ptr("too long", mmap(NULL, (size_t)1 << 47, RW, ANON | MAP_NORESERVE, -1, 0));
	show_ptr("length overflows", mmap(NULL, (size_t)-1, RW, ANON, -1, 0));
	show_ptr("fixed in the kernel half", mmap(kernel_ptr(), PAGE, RW, ANON | MAP_FIXED, -1, 0));
	show_ptr("write shared, read-only fd", mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0));
	show_ptr("write private, read-only fd", mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0));
	show_ptr("read, write-only fd", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wo, 0));
	show_ptr("pipe", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ends[0], 0));
	show_ptr("directory",
		 mmap(NULL, PAGE, PROT_READ, MAP_SHARED, (int)MUST(open(".", O_RDONLY)), 0));
	show_ptr("O_PATH",
		 mmap(NULL, PAGE, PROT_READ, MAP_SHARED, (int)MUST(open("f", O_PATH)), 0));
	show_ptr("offset overflows",
		 (void *)syscall(SYS_mmap, NULL, PAGE * 2, RW, MAP_SHARED, fd, 0x7ffffffffffff000));
	show_ptr("shared validate, bad flag",
		 mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x10000000, fd, 0));
	show_ptr("shared validate", mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0));
}

CASE(munmap_errors)
{
	char *base = map(1, RW);

	show("length 0", munmap(base, 0));
	show("not aligned", munmap(base + 1, PAGE));
	show("odd length is rounded", munmap(base, 1));
	show_str("gone", state(base));
	show("kernel half", munmap(kernel_ptr(), PAGE));
	show("wraps", munmap(base, (size_t)-1));
}

CASE(munmap_splits)
{
	char *base = map(5, RW);

	memset(base, 'x', 5 * PAGE);
	show("middle", munmap(base + 2 * PAGE, PAGE));
	for (size_t i = 0; i < 5; i++)
		note("page %zu: %s", i, state(base + i * PAGE));
	show_int("data kept", base[PAGE] == 'x' && base[4 * PAGE] == 'x');
	show("head", munmap(base, PAGE));
	show("tail", munmap(base + 4 * PAGE, PAGE));
	for (size_t i = 0; i < 5; i++)
		note("page %zu: %s", i, state(base + i * PAGE));
	show("all, with holes", munmap(base, 5 * PAGE));
}

CASE(mmap_fixed_replaces)
{
	char *base = map(3, RW);

	memset(base, 'x', 3 * PAGE);
	show_int("address", mmap(base + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == base + PAGE);
	note("%d %d %d", base[0], base[PAGE], base[2 * PAGE]);
	show_ptr("noreplace over", mmap(base, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	MUST(munmap(base + PAGE, PAGE));
	show_int("noreplace into the hole",
		 mmap(base + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == base + PAGE);
	show_ptr("noreplace overlapping",
		 mmap(base + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	MUST(munmap(base, 3 * PAGE));
	show_int("free hint is taken", mmap(base, PAGE, RW, ANON, -1, 0) == base);
	show_int("used hint is not", mmap(base, PAGE, RW, ANON, -1, 0) != base);
}

CASE(mprotect_states)
{
	char *base = map(4, RW);

	base[PAGE] = 'k';
	show("read-only", mprotect(base + PAGE, PAGE, PROT_READ));
	show("none", mprotect(base + 2 * PAGE, PAGE, PROT_NONE));
	for (size_t i = 0; i < 4; i++)
		note("page %zu: %s", i, state(base + i * PAGE));
	show_int("kept", base[PAGE]);
	show("back", mprotect(base, 4 * PAGE, RW));
	for (size_t i = 0; i < 4; i++)
		note("page %zu: %s", i, state(base + i * PAGE));
	show("not aligned", mprotect(base + 1, PAGE, PROT_READ));
	show("length 0", mprotect(base, 0, PROT_READ));
	show("bad prot", mprotect(base, PAGE, 0x100));
	show("both growth flags", mprotect(base, PAGE, PROT_GROWSDOWN | PROT_GROWSUP));
	show("growsdown on no stack", mprotect(base, PAGE, PROT_READ | PROT_GROWSDOWN));
	MUST(munmap(base + 2 * PAGE, PAGE));
	show("over a hole", mprotect(base, 4 * PAGE, PROT_READ));
	note("before the hole: %s, after: %s", state(base + PAGE), state(base + 3 * PAGE));
	show("unmapped", mprotect(base + 2 * PAGE, PAGE, PROT_READ));
}

CASE(mprotect_exec)
{
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
	char *base = map(1, RW);

	memcpy(base, code, sizeof(code));
	show("rx", mprotect(base, PAGE, PROT_READ | PROT_EXEC));
	int (*call)(void) = (int (*)(void))(uintptr_t)base;
	show_int("result", call());
	show("rwx", mprotect(base, PAGE, RW | PROT_EXEC));
	base[1] = 43;
	show_int("changed code", call());
}

CASE(mprotect_shared_readonly_file)
{
	write_file("f", "data", 0600);
	int fd = (int)MUST(open("f", O_RDONLY));
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	show("shared", mprotect(shared, PAGE, RW));
	show("private", mprotect(private, PAGE, RW));
	private[0] = 'D';
	show_data("shared", shared, 4);
	show_data("private", private, 4);
}

CASE(mremap_shrink_and_grow)
{
	char *base = map(8, RW);

	memset(base, 'm', 8 * PAGE);
	show_int("shrink in place", mremap(base, 8 * PAGE, 4 * PAGE, 0) == base);
	show_str("tail", state(base + 4 * PAGE));
	show_int("grow in place", mremap(base, 4 * PAGE, 6 * PAGE, 0) == base);
	note("old %d new %d", base[3 * PAGE], base[5 * PAGE]);
	char *blocked = mmap(base + 6 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	blocked[0] = 'b';
	show_ptr("blocked", mremap(base, 6 * PAGE, 12 * PAGE, 0));
	char *moved = mremap(base, 6 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	show_ptr("moves", moved);
	show_int("elsewhere", moved != base);
	note("data %d %d %d", moved[0], moved[3 * PAGE], moved[20 * PAGE]);
	show_str("old place", state(base));
	show_int("neighbour", blocked[0]);
}

CASE(mremap_fixed)
{
	char *base = map(4, RW), *target = map(8, RW);

	memset(base, 'f', 4 * PAGE);
	memset(target, 't', 8 * PAGE);
	show_int("fixed", mremap(base, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				 target + 2 * PAGE) == target + 2 * PAGE);
	note("%c %c %c", target[PAGE], target[2 * PAGE], target[6 * PAGE]);
	show_str("old place", state(base));
	show_ptr("overlap",
		 mremap(target, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE));
	show_ptr("fixed without maymove", mremap(target, PAGE, PAGE, MREMAP_FIXED, base));
	show_ptr("target not aligned",
		 mremap(target, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 1));
}

CASE(mremap_dontunmap)
{
	char *base = map(2, RW);

	memset(base, 'd', 2 * PAGE);
	char *moved = (char *)syscall(SYS_mremap, base, 2 * PAGE, 2 * PAGE,
				      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	show_ptr("moved", moved);
	if (moved != MAP_FAILED)
		note("new %d old %d, old is %s", moved[0], base[0], state(base));
	show_ptr("with another size", (char *)syscall(SYS_mremap, base, 2 * PAGE, PAGE,
						      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
}

CASE(mremap_errors)
{
	char *base = map(4, RW);

	show_ptr("not aligned", mremap(base + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	show_ptr("new size 0", mremap(base, PAGE, 0, MREMAP_MAYMOVE));
	show_ptr("bad flags", mremap(base, PAGE, PAGE, 0x100));
	show_ptr("old size 0, private", mremap(base, 0, PAGE, MREMAP_MAYMOVE));
	MUST(munmap(base + 2 * PAGE, PAGE));
	show_ptr("unmapped", mremap(base + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	show_ptr("over a hole", mremap(base, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
	show_ptr("enormous", mremap(base, PAGE, (size_t)1 << 47, MREMAP_MAYMOVE));
}

CASE(madvise_dontneed)
{
	char *base = map(4, RW);

	memset(base, 'd', 4 * PAGE);
	show("dontneed", madvise(base + PAGE, 2 * PAGE, MADV_DONTNEED));
	note("%d %d %d %d", base[0], base[PAGE], base[2 * PAGE], base[3 * PAGE]);
	write_file("f", "file data", 0600);
	char *file = mmap(NULL, PAGE, RW, MAP_PRIVATE, (int)MUST(open("f", O_RDWR)), 0);
	file[0] = 'F';
	show_data("changed", file, 9);
	show("dontneed", madvise(file, PAGE, MADV_DONTNEED));
	show_data("file again", file, 9);
}

CASE(madvise_advice)
{
	char *base = map(4, RW);

	show("normal", madvise(base, PAGE, MADV_NORMAL));
	show("random", madvise(base, PAGE, MADV_RANDOM));
	show("sequential", madvise(base, PAGE, MADV_SEQUENTIAL));
	show("willneed", madvise(base, PAGE, MADV_WILLNEED));
	show("free", madvise(base, PAGE, MADV_FREE));
	show("dontdump", madvise(base, PAGE, MADV_DONTDUMP));
	show("dodump", madvise(base, PAGE, MADV_DODUMP));
	show("not aligned", madvise(base + 1, PAGE, MADV_DONTNEED));
	show("length 0", madvise(base, 0, MADV_DONTNEED));
	show("unknown", madvise(base, PAGE, 12345));
	show("unknown, length 0", madvise(base, 0, 12345));
	MUST(munmap(base + PAGE, PAGE));
	base[2 * PAGE] = 'x';
	show("over a hole", madvise(base, 4 * PAGE, MADV_DONTNEED));
	show_int("done behind the hole", base[2 * PAGE]);
}

CASE(madvise_fork)
{
	char *base = map(3, RW);

	memset(base, 'f', 3 * PAGE);
	show("wipeonfork", madvise(base, PAGE, MADV_WIPEONFORK));
	show("dontfork", madvise(base + PAGE, PAGE, MADV_DONTFORK));
	RUN_CHILD("child")
	{
		note("wiped %d, dontfork %s, plain %d", base[0], state(base + PAGE),
		     base[2 * PAGE]);
	}
	show("dofork", madvise(base + PAGE, PAGE, MADV_DOFORK));
	show("keeponfork", madvise(base, PAGE, MADV_KEEPONFORK));
	RUN_CHILD("child")
	{
		note("%d %d %d", base[0], base[PAGE], base[2 * PAGE]);
	}
	char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	show("wipeonfork shared", madvise(shared, PAGE, MADV_WIPEONFORK));
}

CASE(brk_moves)
{
	char *start = (char *)syscall(SYS_brk, 0);
	char *grown = start + 10 * PAGE;

	show_int("grow", (char *)syscall(SYS_brk, grown) == grown);
	show_int("zero", start[5 * PAGE]);
	start[5 * PAGE] = 1;
	show_int("shrink", (char *)syscall(SYS_brk, start + PAGE) == start + PAGE);
	show_int("grow again", (char *)syscall(SYS_brk, grown) == grown);
	show_int("zero again", start[5 * PAGE]);
	show_int("below the start", (char *)syscall(SYS_brk, PAGE) == grown);
	show_int("enormous", (char *)syscall(SYS_brk, 1UL << 46) == grown);
	show_int("odd", (char *)syscall(SYS_brk, grown + 7) == grown + 7);
}

CASE(mmap_growsdown)
{
	char *area = mmap(NULL, 512 * PAGE, PROT_NONE, ANON, -1, 0);
	MUST(munmap(area, 512 * PAGE));
	char *base = mmap(area + 500 * PAGE, 2 * PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);

	show_ptr("map", base);
	volatile char *below = base - 1;
	*below = 1;
	show_int("grew", *below);
	show_ptr("shared growsdown",
		 mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
}

CASE(mlock_basics)
{
	char *base = map(4, RW);

	show("mlock", mlock(base, PAGE));
	show("mlock2 onfault", (long)syscall(SYS_mlock2, base + PAGE, PAGE, 1));
	show("mlock2 bad flags", (long)syscall(SYS_mlock2, base, PAGE, 4));
	show("munlock", munlock(base, 2 * PAGE));
	MUST(munmap(base + 2 * PAGE, PAGE));
	show("mlock a hole", mlock(base, 4 * PAGE));
	show("munlock a hole", munlock(base + 2 * PAGE, PAGE));
	show("mlockall bad", mlockall(0x10));
	show("mlockall 0", mlockall(0));
	show("munlockall", munlockall());
	struct rlimit none = { PAGE, PAGE };
	RUN_CHILD("limit as user")
	{
		MUST(setrlimit(RLIMIT_MEMLOCK, &none));
		become_user(1000);
		show("one page", mlock(base, PAGE));
		show("two pages", mlock(base, 2 * PAGE));
	}
}

CASE(mincore_basics)
{
	unsigned char vec[4] = { 9, 9, 9, 9 };
	char *base = map(4, RW);

	base[0] = base[2 * PAGE] = 1;
	show("mincore", mincore(base, 4 * PAGE, vec));
	note("%d %d %d %d", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
	show("not aligned", mincore(base + 1, PAGE, vec));
	show("bad vector", mincore(base, PAGE, bad_ptr()));
	MUST(munmap(base + PAGE, PAGE));
	show("hole", mincore(base, 4 * PAGE, vec));
	show("length 0", mincore(base, 0, vec));
}

static void show_resident(const char *label, char *base, size_t pages)
{
	unsigned char vec[8];
	char text[ARRAY_SIZE(vec) + 1] = "";

	MUST(mincore(base, pages * PAGE, vec));
	for (size_t i = 0; i < pages; i++)
		text[i] = vec[i] & 1 ? '+' : '-';
	show_str(label, text);
}

static char *fresh(size_t pages, int prot)
{
	char *base = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(base == MAP_FAILED ? -1 : 0);
	return base;
}

CASE(mlock_populates)
{
	char *base = fresh(4, PROT_READ | PROT_WRITE), *file;
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	show_resident("before", base, 4);
	show("mlock", mlock(base + PAGE, 2 * PAGE));
	show_resident("locked", base, 4);
	base = fresh(2, PROT_READ | PROT_WRITE);
	show("on fault", (long)syscall(SYS_mlock2, base, 2 * PAGE, 1));
	show_resident("locked", base, 2);
	show("mlock", mlock(base, 2 * PAGE));
	show_resident("locked", base, 2);
	base = fresh(3, PROT_READ | PROT_WRITE);
	MUST(mprotect(base + PAGE, PAGE, PROT_NONE));
	show("cannot be touched", mlock(base, 3 * PAGE));
	show_resident("up to there", base, 3);
	show("that alone", mlock(base + PAGE, PAGE));
	show("on fault", (long)syscall(SYS_mlock2, base + PAGE, PAGE, 1));
	MUST(ftruncate(fd, PAGE));
	file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	show("file", mlock(file, PAGE));
	show("beyond its end", mlock(file, 2 * PAGE));
	show("execute only", mlock(fresh(1, PROT_EXEC), PAGE));
	show("write only", mlock(fresh(1, PROT_WRITE), PAGE));
}

CASE(mlockall_populates)
{
	char *base = fresh(3, PROT_READ | PROT_WRITE), *later;

	MUST(mprotect(base + PAGE, PAGE, PROT_NONE));
	show("on fault", mlockall(MCL_CURRENT | 4));
	show_resident("locked", base, 3);
	show("all", mlockall(MCL_CURRENT));
	show_resident("locked", base, 3);
	show("future", mlockall(MCL_FUTURE));
	later = fresh(2, PROT_READ | PROT_WRITE);
	show_resident("later", later, 2);
	show("future, on fault", mlockall(MCL_FUTURE | 4));
	later = fresh(2, PROT_READ | PROT_WRITE);
	show_resident("later", later, 2);
	show("future alone", mlockall(MCL_FUTURE));
	show_resident("as it was", later, 2);
}
