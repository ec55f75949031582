/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the host's vDSO functions are in a stub: the sentry looks them up in its
 * own vDSO, which is the same image, and adds the template's base.
 */
#include "sentry/platform/trap/context.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

struct vdso_symbols {
	const Elf64_Sym *symbols;
	const char *strings;
	uint32_t count;
};

/* The image is the host kernel's own: trusted. */
static bool find_symbols(const char *base, struct vdso_symbols *out)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)(const void *)base;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(const void *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(const void *)(base + ph[i].p_offset);
	memset(out, 0, sizeof(*out));
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const char *p = base + dyn->d_un.d_ptr;

		if (dyn->d_tag == DT_SYMTAB)
			out->symbols = (const Elf64_Sym *)(const void *)p;
		else if (dyn->d_tag == DT_STRTAB)
			out->strings = p;
		else if (dyn->d_tag == DT_HASH)
			out->count = ((const uint32_t *)(const void *)p)[1];
	}
	/* Without DT_HASH the symbol table ends where the strings begin. */
	if (out->symbols && out->strings && out->count == 0 &&
	    out->strings > (const char *)out->symbols)
		out->count = (uint32_t)((size_t)(out->strings - (const char *)out->symbols) /
					sizeof(Elf64_Sym));
	return out->symbols && out->strings;
}

static uint64_t lookup(const struct vdso_symbols *s, const char *name, uint64_t base)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->symbols[i].st_value && strcmp(s->strings + s->symbols[i].st_name, name) == 0)
			return base + s->symbols[i].st_value;
	return 0;
}

void trap_vdso_table(struct platform *base, struct platform_vdso_table *out)
{
	const char *image = (const char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	uint64_t at = trap_platform(base)->vdso_base;
	struct vdso_symbols s;

	memset(out, 0, sizeof(*out));
	if (!image || !at || !find_symbols(image, &s))
		return;
	out->clock_gettime = lookup(&s, "__vdso_clock_gettime", at);
	out->gettimeofday = lookup(&s, "__vdso_gettimeofday", at);
	out->time = lookup(&s, "__vdso_time", at);
	out->clock_getres = lookup(&s, "__vdso_clock_getres", at);
	out->getcpu = lookup(&s, "__vdso_getcpu", at);
}
