/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID, and the names Linux gives its feature bits, in the order of /proc/cpuinfo. */
#include "sentry/arch/x86_64/cpu_info.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "util/compiler.h"
#include "util/strbuf.h"

struct regs {
	uint32_t eax, ebx, ecx, edx;
};

static struct regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct regs r = { 0, 0, 0, 0 };

	if (leaf <= (uint32_t)__get_cpuid_max(leaf & 0x80000000U, NULL))
		__cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
	return r;
}

/* --- identity ---------------------------------------------------------------------------- */

static void trim(char *text)
{
	char *start = text + strspn(text, " ");
	size_t size = strlen(start);

	while (size && start[size - 1] == ' ')
		size--;
	memmove(text, start, size);
	text[size] = '\0';
}

static void read_model_name(struct cpu_info *out)
{
	struct regs parts[3];

	if (cpuid(0x80000000U, 0).eax < 0x80000004U) {
		strcpy(out->model_name, "unknown");
		return;
	}
	for (uint32_t i = 0; i < 3; i++)
		parts[i] = cpuid(0x80000002U + i, 0);
	memcpy(out->model_name, parts, sizeof(parts));
	out->model_name[sizeof(parts)] = '\0';
	trim(out->model_name);
}

static void read_family(struct cpu_info *out)
{
	uint32_t eax = cpuid(1, 0).eax;

	out->family = eax >> 8 & 0xf;
	out->model = eax >> 4 & 0xf;
	out->stepping = eax & 0xf;
	if (out->family == 0xf)
		out->family += eax >> 20 & 0xff;
	if (out->family >= 6)
		out->model |= eax >> 12 & 0xf0;
}

/* Leaf 4 (Intel) or 0x8000001d (AMD): one subleaf a cache. */
static uint32_t largest_cache_kb(uint32_t leaf)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < 8; i++) {
		struct regs r = cpuid(leaf, i);
		uint64_t bytes;

		if (!(r.eax & 0x1f))
			break;
		bytes = (uint64_t)((r.ebx >> 22) + 1) * ((r.ebx >> 12 & 0x3ff) + 1) *
			((r.ebx & 0xfff) + 1) * ((uint64_t)r.ecx + 1);
		if ((bytes >> 10) > best)
			best = (uint32_t)(bytes >> 10);
	}
	return best;
}

uint64_t cpu_info_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/* The frequency at the end of the name ("... @ 2.70GHz") or that of leaf 0x16. */
static uint32_t nominal_mhz(const char *name)
{
	const char *at = strrchr(name, '@');
	uint32_t mhz = cpuid(0x16, 0).eax & 0xffff;
	char *end;
	double ghz;

	if (mhz || !at)
		return mhz;
	ghz = strtod(at + 1, &end);
	return strncmp(end, "GHz", 3) ? 0 : (uint32_t)(ghz * 1000 + 0.5);
}

void cpu_info_read(struct cpu_info *out)
{
	struct regs r = cpuid(0, 0);

	*out = (struct cpu_info){ .cpuid_level = r.eax };
	memcpy(out->vendor, &r.ebx, 4);
	memcpy(out->vendor + 4, &r.edx, 4);
	memcpy(out->vendor + 8, &r.ecx, 4);
	read_model_name(out);
	read_family(out);
	out->clflush_size = (cpuid(1, 0).ebx >> 8 & 0xff) * 8;
	r = cpuid(0x80000008U, 0);
	out->physical_bits = r.eax & 0xff ? r.eax & 0xff : 36;
	out->virtual_bits = r.eax >> 8 & 0xff ? r.eax >> 8 & 0xff : 48;
	out->cache_kb = largest_cache_kb(strcmp(out->vendor, "AuthenticAMD") ? 4 : 0x8000001dU);
	out->mhz = nominal_mhz(out->model_name);
}

/* --- flags ----------------------------------------------------------------------------------- */

enum reg_name { EAX, EBX, ECX, EDX };

struct flag_word {
	uint32_t leaf, subleaf;
	enum reg_name reg;
	const char *names[32];
};

static const struct flag_word words[] = {
	{ 1, 0, EDX,
	  { "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep", "mtrr",
	    "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx", "fxsr",
	    "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe" } },
	{ 0x80000001U, 0, EDX,
	  { [11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt",
	    [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow" } },
	{ 1, 0, ECX,
	  { "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3",
	    "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", NULL, "pcid", "dca", "sse4_1", "sse4_2",
	    "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", NULL, "avx", "f16c",
	    "rdrand", "hypervisor" } },
	{ 0x80000001U, 0, ECX,
	  { "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse",
	    "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp", "fma4", "tce", NULL,
	    "nodeid_msr", NULL, "tbm", "topoext", "perfctr_core", "perfctr_nb", NULL, "bpext", "ptsc",
	    "perfctr_llc", "mwaitx" } },
	{ 7, 0, EBX,
	  { "fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep", "bmi2", "erms",
	    "invpcid", "rtm", "cqm", NULL, "mpx", "rdt_a", "avx512f", "avx512dq", "rdseed", "adx",
	    "smap", "avx512ifma", NULL, "clflushopt", "clwb", "intel_pt", "avx512pf", "avx512er",
	    "avx512cd", "sha_ni", "avx512bw", "avx512vl" } },
	{ 0xd, 1, EAX, { "xsaveopt", "xsavec", "xgetbv1", "xsaves" } },
	{ 7, 1, EAX,
	  { [4] = "avx_vnni", [5] = "avx512_bf16", [21] = "amx_fp16",
	    [23] = "avx_ifma", [26] = "lam" } },
	{ 0x80000008U, 0, EBX,
	  { "clzero", "irperf", "xsaveerptr", NULL, "rdpru", NULL, NULL, NULL, NULL, "wbnoinvd",
	    [23] = "amd_ppin", [25] = "virt_ssbd" } },
	{ 6, 0, EAX,
	  { [0] = "dtherm", [1] = "ida", [2] = "arat", [4] = "pln", [6] = "pts", [7] = "hwp",
	    [8] = "hwp_notify", [9] = "hwp_act_window", [10] = "hwp_epp", [11] = "hwp_pkg_req" } },
	{ 7, 0, ECX,
	  { [1] = "avx512vbmi", [2] = "umip", [3] = "pku", [4] = "ospke", [5] = "waitpkg",
	    [6] = "avx512_vbmi2", [8] = "gfni", [9] = "vaes", [10] = "vpclmulqdq",
	    [11] = "avx512_vnni", [12] = "avx512_bitalg", [13] = "tme", [14] = "avx512_vpopcntdq",
	    [22] = "rdpid", [24] = "bus_lock_detect", [25] = "cldemote",
	    [27] = "movdiri", [28] = "movdir64b", [29] = "enqcmd" } },
	{ 7, 0, EDX,
	  { [4] = "fsrm", [5] = "uintr", [8] = "avx512_vp2intersect", [10] = "md_clear",
	    [14] = "serialize", [16] = "tsxldtrk", [18] = "pconfig", [19] = "arch_lbr", [20] = "ibt",
	    [22] = "amx_bf16", [23] = "avx512_fp16", [24] = "amx_tile", [25] = "amx_int8",
	    [28] = "flush_l1d", [29] = "arch_capabilities" } },
};

static uint32_t word_value(const struct flag_word *w)
{
	const struct regs r = cpuid(w->leaf, w->subleaf);
	const uint32_t values[] = { [EAX] = r.eax, [EBX] = r.ebx, [ECX] = r.ecx, [EDX] = r.edx };

	/* leaf 7 tells how many subleaves it has */
	if (w->leaf == 7 && w->subleaf > cpuid(7, 0).eax)
		return 0;
	return values[w->reg];
}

/* What Linux concludes from other things than one bit. */
static void add_synthetic(struct strbuf *out)
{
	if (cpuid(0x80000007U, 0).edx & 1U << 8)
		strbuf_add(out, "constant_tsc ");
	strbuf_add(out, "rep_good nopl ");
	if (cpuid(0xb, 0).ebx)
		strbuf_add(out, "xtopology ");
	if (cpuid(0x80000007U, 0).edx & 1U << 8)
		strbuf_add(out, "nonstop_tsc ");
	strbuf_add(out, "cpuid ");
}

void cpu_info_flags(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		uint32_t value = word_value(&words[i]);

		for (unsigned bit = 0; bit < 32; bit++) {
			if (value >> bit & 1 && words[i].names[bit])
				strbuf_addf(out, "%s ", words[i].names[bit]);
		}
		if (i == 1)
			add_synthetic(out);
	}
}
