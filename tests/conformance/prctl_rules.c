/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl: each option's values, arguments and inheritance.
 */
#include "conformance.h"

#include <linux/prctl.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

static long raw(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_prctl, option, a, b, c, d);
}

CASE(prctl_unknown)
{
	static const int options[] = { 0, 17, 18, 68, 99, 1000, -1 };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char label[24];

		snprintf(label, sizeof(label), "option %d", options[i]);
		show(label, raw(options[i], 0, 0, 0, 0));
	}
}

CASE(prctl_thp_disable)
{
	show("get", raw(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	show("get with argument", raw(PR_GET_THP_DISABLE, 1, 0, 0, 0));
	show("set with argument", raw(PR_SET_THP_DISABLE, 1, 0, 1, 0));
	show("set", raw(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	show("get", raw(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	RUN_CHILD("inherited")
	show("get", raw(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	show("clear", raw(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	show("get", raw(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

static void show_mapping(const char *label, const void *addr)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		unsigned long start, end;
		char *name;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || (unsigned long)addr < start ||
		    (unsigned long)addr >= end)
			continue;
		name = strpbrk(line, "[/");
		line[strcspn(line, "\n")] = '\0';
		note("%s: %lu pages %s", label, (end - start) / 4096, name == NULL ? "-" : name);
	}
	if (file != NULL)
		fclose(file);
}

CASE(prctl_vma_name)
{
	char *map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *bad[] = { (char *)"a[b", (char *)"a]b", (char *)"a\\b", (char *)"a$b", (char *)"a`b",
			(char *)"a\001b", (char *)"a\tb" };
	char longest[81];

	/* A neighbour that cannot be merged. */
	mprotect(map + 12288, 4096, PROT_NONE);
	show("name", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 12288,
			 (unsigned long)"some name"));
	show_mapping("named", map);
	show("middle", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map + 4096, 4096,
			   (unsigned long)"other"));
	show_mapping("first", map);
	show_mapping("middle", map + 4096);
	show_mapping("last", map + 8192);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		show("bad character", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096,
					  (unsigned long)bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[80] = '\0';
	show("80 characters", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096,
				  (unsigned long)longest));
	longest[79] = '\0';
	show("79 characters", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096,
				  (unsigned long)longest));
	show("unaligned", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map + 1, 4096,
			      (unsigned long)"x"));
	show("odd length", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 1,
			       (unsigned long)"x"));
	show("zero length", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 0,
				(unsigned long)"x"));
	show("wraps", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, ~0UL,
			  (unsigned long)"x"));
	show("bad name pointer", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096, 1));
	show("another attribute", raw(PR_SET_VMA, 1, (unsigned long)map, 4096, 0));
	show("remove", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 12288, 0));
	show_mapping("unnamed", map);
	MUST(munmap(map + 4096, 4096));
	show("a hole", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 12288,
			   (unsigned long)"holes"));
	show_mapping("before the hole", map);
	show_mapping("behind the hole", map + 8192);
}

CASE(prctl_vma_name_of_file)
{
	write_file("file", "x", 0644);
	int fd = open("file", O_RDONLY | O_CLOEXEC);
	char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	show("file", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096, (unsigned long)"x"));
	show("shared", raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)shared, 4096,
			   (unsigned long)"shared name"));
	show_mapping("shared", shared);
}

CASE(prctl_vma_name_inherited)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (raw(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)map, 4096, (unsigned long)"mine") == -1)
		show("set", -1);
	RUN_CHILD("child")
	show_mapping("inherited", map);
	char *moved = mremap(map, 4096, 8192, MREMAP_MAYMOVE);
	show_mapping("grown", moved);
}

CASE(prctl_ptracer)
{
	show("nobody", raw(PR_SET_PTRACER, 0, 0, 0, 0));
	show("any", raw(PR_SET_PTRACER, (unsigned long)-1, 0, 0, 0));
	show("self", raw(PR_SET_PTRACER, (unsigned long)getpid(), 0, 0, 0));
	show("unknown", raw(PR_SET_PTRACER, 4000000, 0, 0, 0));
}

CASE(prctl_io_flusher)
{
	show("get", raw(PR_GET_IO_FLUSHER, 0, 0, 0, 0));
	show("set", raw(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
}

CASE(prctl_mce_kill)
{
	show("get", raw(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("get with argument", raw(PR_MCE_KILL_GET, 1, 0, 0, 0));
	show("early", raw(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	show("get", raw(PR_MCE_KILL_GET, 0, 0, 0, 0));
	RUN_CHILD("inherited")
	show("get", raw(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("late", raw(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
	show("get", raw(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("default", raw(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_DEFAULT, 0, 0));
	show("clear", raw(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
	show("get", raw(PR_MCE_KILL_GET, 0, 0, 0, 0));
	show("bad", raw(PR_MCE_KILL, PR_MCE_KILL_SET, 7, 0, 0));
	show("bad command", raw(PR_MCE_KILL, 7, 0, 0, 0));
	show("too many", raw(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0));
}

CASE(prctl_get_auxv)
{
	unsigned long auxv[128] = { 0 };
	long size = raw(PR_GET_AUXV, (unsigned long)auxv, sizeof(auxv), 0, 0);

	show_int("some", size > 64);
	show_int("the pairs are there", auxv[0] != 0 || auxv[2] != 0);
	show_int("asks for the size", raw(PR_GET_AUXV, 0, 0, 0, 0) == size);
	show("more arguments", raw(PR_GET_AUXV, (unsigned long)auxv, 8, 1, 0));
	show("bad pointer", raw(PR_GET_AUXV, 1, 64, 0, 0));
}

CASE(prctl_tsc)
{
	int value = 0;

	show("get", raw(PR_GET_TSC, (unsigned long)&value, 0, 0, 0));
	show_int("value", value);
	show("bad pointer", raw(PR_GET_TSC, 1, 0, 0, 0));
	show("set enabled", raw(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0));
	show("bad value", raw(PR_SET_TSC, 7, 0, 0, 0));
}

CASE(prctl_small_ones)
{
	show("endian", raw(PR_GET_ENDIAN, 0, 0, 0, 0));
	show("fpemu", raw(PR_GET_FPEMU, 0, 0, 0, 0));
	show("fpexc", raw(PR_GET_FPEXC, 0, 0, 0, 0));
	show("unalign", raw(PR_GET_UNALIGN, 0, 0, 0, 0));
	show("timing", raw(PR_GET_TIMING, 0, 0, 0, 0));
	show("set timing 0", raw(PR_SET_TIMING, 0, 0, 0, 0));
	show("set timing 1", raw(PR_SET_TIMING, 1, 0, 0, 0));
	show("fp mode", raw(PR_GET_FP_MODE, 0, 0, 0, 0));
	show("sve", raw(PR_SVE_GET_VL, 0, 0, 0, 0));
	show("pac", raw(PR_PAC_RESET_KEYS, 0, 0, 0, 0));
	show("tagged", raw(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0));
	show("mpx", raw(PR_MPX_ENABLE_MANAGEMENT, 0, 0, 0, 0));
}

CASE(prctl_timerslack)
{
	show("get", raw(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	show("set", raw(PR_SET_TIMERSLACK, 777, 0, 0, 0));
	show("get", raw(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	RUN_CHILD("child")
	{
		show("inherited", raw(PR_GET_TIMERSLACK, 0, 0, 0, 0));
		show("to the default", raw(PR_SET_TIMERSLACK, 0, 0, 0, 0));
		show("which is the parent's", raw(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	}
	show("to the default", raw(PR_SET_TIMERSLACK, 0, 0, 0, 0));
	show("get", raw(PR_GET_TIMERSLACK, 0, 0, 0, 0));
}

CASE(prctl_set_mm_refused)
{
	show("brk", raw(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0));
	show("exe", raw(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0));
	show("arg start", raw(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0));
	show("arguments", raw(PR_SET_MM, PR_SET_MM_BRK, 0, 1, 0));
	show("map size", raw(PR_SET_MM, PR_SET_MM_MAP_SIZE, 0, 0, 0));
}

CASE(prctl_speculation)
{
	show("arguments", raw(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
	show("unknown", raw(PR_GET_SPECULATION_CTRL, 77, 0, 0, 0));
	show("set unknown", raw(PR_SET_SPECULATION_CTRL, 77, PR_SPEC_ENABLE, 0, 0));
	show("set arguments", raw(PR_SET_SPECULATION_CTRL, 0, PR_SPEC_ENABLE, 1, 0));
}

/* The machine's mitigations, which decide about the answers. */
static bool speculation_is_uncontrolled(void)
{
	bool bypass = false, branch = false;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		bypass |= strcmp(line, "Speculation_Store_Bypass:\tvulnerable\n") == 0;
		branch |= strcmp(line, "SpeculationIndirectBranch:\talways enabled\n") == 0;
	}
	if (f)
		fclose(f);
	return bypass && branch;
}

CASE(prctl_speculation_uncontrolled)
{
	static const unsigned long controls[] = { 0, PR_SPEC_PRCTL, PR_SPEC_ENABLE, PR_SPEC_DISABLE,
		PR_SPEC_FORCE_DISABLE, PR_SPEC_DISABLE_NOEXEC, PR_SPEC_ENABLE | PR_SPEC_DISABLE, -1UL };

	if (!speculation_is_uncontrolled())
		skip("the machine has mitigations that can be chosen");
	for (unsigned long which = 0; which < 5; which++) {
		note("speculation %lu", which);
		show("  get", raw(PR_GET_SPECULATION_CTRL, which, 0, 0, 0));
		for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
			note("  set %#lx", controls[i]);
			show("    result", raw(PR_SET_SPECULATION_CTRL, which, controls[i], 0, 0));
			show("    get", raw(PR_GET_SPECULATION_CTRL, which, 0, 0, 0));
		}
	}
	show("beyond 32 bits", raw(PR_GET_SPECULATION_CTRL, 1UL << 32, 0, 0, 0));
}

CASE(prctl_pdeathsig_values)
{
	int sig = -1;

	show("negative", raw(PR_SET_PDEATHSIG, (unsigned long)-1, 0, 0, 0));
	show("65", raw(PR_SET_PDEATHSIG, 65, 0, 0, 0));
	show("64", raw(PR_SET_PDEATHSIG, 64, 0, 0, 0));
	show("get", raw(PR_GET_PDEATHSIG, (unsigned long)&sig, 0, 0, 0));
	show_int("value", sig);
	show("bad pointer", raw(PR_GET_PDEATHSIG, 1, 0, 0, 0));
	show("0", raw(PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

CASE(prctl_name_and_subreaper_values)
{
	int set = -1;

	show("bad name", raw(PR_SET_NAME, 1, 0, 0, 0));
	show("bad buffer", raw(PR_GET_NAME, 1, 0, 0, 0));
	show("subreaper 5", raw(PR_SET_CHILD_SUBREAPER, 5, 0, 0, 0));
	show("get", raw(PR_GET_CHILD_SUBREAPER, (unsigned long)&set, 0, 0, 0));
	show_int("value", set);
	show("bad pointer", raw(PR_GET_CHILD_SUBREAPER, 1, 0, 0, 0));
	show("no_new_privs 0", raw(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	show("no_new_privs 2", raw(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	show("no_new_privs arguments", raw(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	show("get arguments", raw(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show("dumpable 2", raw(PR_SET_DUMPABLE, 2, 0, 0, 0));
	show("dumpable 0", raw(PR_SET_DUMPABLE, 0, 0, 0, 0));
	show("get", raw(PR_GET_DUMPABLE, 0, 0, 0, 0));
}
