/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process denies itself: mseal and PR_SET_MDWE.
 */
#include "conformance.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define REFUSE_EXEC_GAIN 1UL
#define NO_INHERIT 2UL

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)
#define RWX (RW | PROT_EXEC)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int prot)
{
	char *base = mmap(NULL, pages * PAGE, prot, ANON, -1, 0);

	MUST((long)base);
	return base;
}

static long seal(void *at, size_t size, unsigned long flags)
{
	return syscall(SYS_mseal, at, size, flags);
}

static void must_seal(void *at, size_t size)
{
	if (seal(at, size, 0) != 0 && errno == ENOSYS)
		skip("no mseal here");
}

CASE(mseal_arguments)
{
	char *base = map(8, RW);

	must_seal(base, 0);
	show("flags", seal(base, PAGE, 1));
	show("high flags", seal(base, PAGE, 1UL << 40));
	show("not aligned", seal(base + 1, PAGE, 0));
	show("length 0", seal(base, 0, 0));
	show("length 0, nothing there", seal((void *)PAGE, 0, 0));
	show("wraps", seal(base, (size_t)-1, 0));
	show("wraps to below", seal(base, (size_t)-2 * PAGE, 0));
	show("nothing there", seal((void *)PAGE, PAGE, 0));
	show("kernel half", seal(kernel_ptr(), PAGE, 0));
	MUST(munmap(base + 2 * PAGE, PAGE));
	show("a hole", seal(base, 4 * PAGE, 0));
	show("and nothing is sealed", munmap(base, PAGE));
	show("odd length is rounded", seal(base + 3 * PAGE, PAGE + 1, 0));
	show("its second page", munmap(base + 4 * PAGE, PAGE));
	show("behind it", munmap(base + 5 * PAGE, PAGE));
	show("again", seal(base + 3 * PAGE, 2 * PAGE, 0));
}

CASE(mseal_mapping_stays)
{
	char *base = map(8, RW), *other = map(8, RW);

	memset(base, 'x', 8 * PAGE);
	must_seal(base + 2 * PAGE, 2 * PAGE);
	show("munmap", munmap(base + 2 * PAGE, PAGE));
	show("munmap around", munmap(base, 8 * PAGE));
	show_int("all there", base[0] == 'x' && base[7 * PAGE] == 'x');
	show_ptr("map over", mmap(base + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	show_ptr("map over, noreplace",
		 mmap(base + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	show("mprotect", mprotect(base + 2 * PAGE, PAGE, PROT_READ));
	show("mprotect to the same", mprotect(base + 2 * PAGE, PAGE, RW));
	show("mprotect around", mprotect(base, 8 * PAGE, PROT_READ));
	base[2 * PAGE] = 'y';
	show_ptr("mremap grow", mremap(base + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	show_ptr("mremap shrink", mremap(base + 2 * PAGE, 2 * PAGE, PAGE, 0));
	show_ptr("mremap same", mremap(base + 2 * PAGE, 2 * PAGE, 2 * PAGE, 0));
	show_ptr("mremap away", mremap(base + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				       other));
	memset(other, 'o', 8 * PAGE);
	show_ptr("mremap onto", mremap(other, 3 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				       base + 3 * PAGE));
	show_int("source is whole", other[0] == 'o' && other[2 * PAGE] == 'o');
	show("mlock", mlock(base + 2 * PAGE, PAGE));
	show("munlock", munlock(base + 2 * PAGE, PAGE));
	show("msync", msync(base + 2 * PAGE, PAGE, MS_ASYNC));
	note("%c%c%c", base[PAGE], base[2 * PAGE], base[3 * PAGE]);
}

static void advise_all(const char *what, char *at)
{
	static const struct {
		const char *name;
		int advice;
	} advice[] = {
		{ "DONTNEED", MADV_DONTNEED }, { "FREE", MADV_FREE },
		{ "REMOVE", MADV_REMOVE },     { "DONTNEED_LOCKED", MADV_DONTNEED_LOCKED },
		{ "DONTFORK", MADV_DONTFORK }, { "DOFORK", MADV_DOFORK },
		{ "WIPEONFORK", MADV_WIPEONFORK }, { "KEEPONFORK", MADV_KEEPONFORK },
		{ "DONTDUMP", MADV_DONTDUMP }, { "DODUMP", MADV_DODUMP },
		{ "WILLNEED", MADV_WILLNEED }, { "COLD", MADV_COLD },
	};
	char label[64];

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		snprintf(label, sizeof(label), "%s: %s", what, advice[i].name);
		show(label, madvise(at, PAGE, advice[i].advice));
	}
}

CASE(mseal_discards)
{
	char *writable = map(1, RW), *readable = map(1, PROT_READ), *none = map(1, PROT_NONE);
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	write_file("f", "text", 0600);
	int fd = (int)MUST(open("f", O_RDWR));
	char *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	must_seal(writable, PAGE);
	must_seal(readable, PAGE);
	must_seal(none, PAGE);
	must_seal(shared, PAGE);
	must_seal(file, PAGE);
	advise_all("writable", writable);
	advise_all("readable", readable);
	advise_all("none", none);
	advise_all("shared", shared);
	advise_all("file", file);
}

CASE(mseal_fork_and_brk)
{
	char *base = map(2, RW), *heap = sbrk(0);

	must_seal(base, PAGE);
	RUN_CHILD("child")
	{
		show("sealed", munmap(base, PAGE));
		show("not sealed", munmap(base + PAGE, PAGE));
	}
	heap += -(unsigned long)heap & (PAGE - 1);
	MUST(brk(heap + 4 * PAGE));
	show("seal the heap's end", seal(heap + 2 * PAGE, PAGE, 0));
	show("shrink over it", brk(heap + PAGE));
	show("shrink up to it", brk(heap + 3 * PAGE));
	show("grow behind it", brk(heap + 5 * PAGE));
	heap[3 * PAGE] = 1;
}

CASE(mdwe_arguments)
{
	show("get", prctl(PR_GET_MDWE, 0, 0, 0, 0));
	show("get with argument", prctl(PR_GET_MDWE, 1, 0, 0, 0));
	show("get with fourth", prctl(PR_GET_MDWE, 0, 0, 0, 1));
	show("unknown bit", prctl(PR_SET_MDWE, 4UL, 0, 0, 0));
	show("high bit", prctl(PR_SET_MDWE, 1UL << 40, 0, 0, 0));
	show("no inherit alone", prctl(PR_SET_MDWE, NO_INHERIT, 0, 0, 0));
	show("argument", prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 1, 0, 0));
	show("none", prctl(PR_SET_MDWE, 0UL, 0, 0, 0));
	show("set", prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0));
	show("get", prctl(PR_GET_MDWE, 0, 0, 0, 0));
	show("again", prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0));
	show("clear", prctl(PR_SET_MDWE, 0UL, 0, 0, 0));
	show("more", prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN | NO_INHERIT, 0, 0, 0));
	show("get", prctl(PR_GET_MDWE, 0, 0, 0, 0));
}

CASE(mdwe_refuses)
{
	char *base = map(8, RW), *code = map(2, RX), *both = map(2, RWX);

	write_file("f", "text", 0700);
	int fd = (int)MUST(open("f", O_RDWR));

	MUST(prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0));
	show_ptr("mmap rwx", mmap(NULL, PAGE, RWX, ANON, -1, 0));
	show_ptr("mmap wx", mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC, ANON, -1, 0));
	show_ptr("mmap rx", mmap(NULL, PAGE, RX, ANON, -1, 0));
	show_ptr("file rx", mmap(NULL, PAGE, RX, MAP_PRIVATE, fd, 0));
	show_ptr("file rwx", mmap(NULL, PAGE, RWX, MAP_PRIVATE, fd, 0));
	show_ptr("shared file rwx", mmap(NULL, PAGE, RWX, MAP_SHARED, fd, 0));
	show_ptr("fixed rwx", mmap(base, PAGE, RWX, ANON | MAP_FIXED, -1, 0));
	show("rw to rx", mprotect(base, PAGE, RX));
	show("rw to rwx", mprotect(base, PAGE, RWX));
	show("rw to r", mprotect(base, PAGE, PROT_READ));
	show("r to rx", mprotect(base, PAGE, RX));
	show("rx to rx", mprotect(code, PAGE, RX));
	show("rx to x", mprotect(code, PAGE, PROT_EXEC));
	show("rx to rwx", mprotect(code, PAGE, RWX));
	show("rx to r", mprotect(code, PAGE, PROT_READ));
	show("and back", mprotect(code, PAGE, RX));
	show("rwx to rwx", mprotect(both, PAGE, RWX));
	show("rwx to rx", mprotect(both, PAGE, RX));
	show("over two kinds", mprotect(base, 8 * PAGE, RX));
	int id = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0700));
	show_ptr("shmat exec", shmat(id, NULL, SHM_EXEC));
	show_ptr("shmat exec, read-only", shmat(id, NULL, SHM_EXEC | SHM_RDONLY));
	MUST(shmctl(id, IPC_RMID, NULL));
}

HELPER(mdwe_show)
{
	(void)argc;
	(void)argv;
	show("after exec", prctl(PR_GET_MDWE, 0, 0, 0, 0));
	show_ptr("mmap rwx", mmap(NULL, PAGE, RWX, ANON, -1, 0));
	return 0;
}

static void inherit(unsigned long bits)
{
	MUST(prctl(PR_SET_MDWE, bits, 0, 0, 0));
	RUN_CHILD("fork")
	{
		show("child", prctl(PR_GET_MDWE, 0, 0, 0, 0));
		show_ptr("mmap rwx", mmap(NULL, PAGE, RWX, ANON, -1, 0));
	}
	RUN_CHILD("exec")
	{
		execl(self_exe(), "conformance", "@mdwe_show", (char *)NULL);
		show("execl", -1);
	}
	execl(self_exe(), "conformance", "@mdwe_show", (char *)NULL);
	show("execl", -1);
}

CASE(mdwe_inherited)
{
	inherit(REFUSE_EXEC_GAIN);
}

CASE(mdwe_not_inherited)
{
	inherit(REFUSE_EXEC_GAIN | NO_INHERIT);
}
