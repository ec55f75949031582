/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initial stack, as Linux lays it out.  From the top: a zero word, the file
 * name, environment strings, argument strings, a random gap, the platform's name,
 * 16 random bytes, then (16-byte aligned) auxv, envp, argv, argc.  Built in one
 * buffer and written at once.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "sentry/host/host_memory.h"
#include "sentry/loader/loader_private.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define AUXV_MAX 32
#define PLATFORM_NAME "x86_64"
#define RANDOM_SIZE 16
#define CLOCK_TICKS 100
#define STACK_JITTER 8192
#define RSEQ_FEATURE_SIZE 28
#define RSEQ_ALIGN 32
#define MINSIGSTKSZ_FALLBACK 2048

struct stack_layout {
	uint64_t execfn, env, arg, platform, random, sp, top;
	uint64_t auxv[2 * AUXV_MAX];
	unsigned auxv_count;
};

static void auxv_add(struct stack_layout *l, uint64_t key, uint64_t value)
{
	l->auxv[l->auxv_count++] = key;
	l->auxv[l->auxv_count++] = value;
}

static void place_strings(struct stack_layout *l, const struct program *p, const struct mm *mm,
			  uint64_t top)
{
	uint32_t jitter = 0;
	uint64_t at = top - sizeof(uint64_t);

	if (!mm->fixed_layout)
		host_random(&jitter, sizeof(jitter));
	l->top = top;
	l->execfn = at -= strlen(p->name) + 1;
	l->env = at -= p->envv.size;
	l->arg = at -= p->argv.size;
	at = round_down(at - jitter % STACK_JITTER, 16);
	l->platform = at -= sizeof(PLATFORM_NAME);
	l->random = at - RANDOM_SIZE;
}

static void build_auxv(struct stack_layout *l, const struct program *p, const struct mm *mm,
		       const struct elf_loaded *main, const struct elf_loaded *interpreter,
		       const struct program_identity *id)
{
	uint64_t minsigstksz = getauxval(LINUX_AT_MINSIGSTKSZ);

	auxv_add(l, LINUX_AT_SYSINFO_EHDR, mm->vdso_base.v);
	auxv_add(l, LINUX_AT_MINSIGSTKSZ, minsigstksz ? minsigstksz : MINSIGSTKSZ_FALLBACK);
	auxv_add(l, LINUX_AT_HWCAP, getauxval(LINUX_AT_HWCAP));
	auxv_add(l, LINUX_AT_PAGESZ, GUEST_PAGE_SIZE);
	auxv_add(l, LINUX_AT_CLKTCK, CLOCK_TICKS);
	auxv_add(l, LINUX_AT_PHDR, main->phdr);
	auxv_add(l, LINUX_AT_PHENT, sizeof(struct elf64_program_header));
	auxv_add(l, LINUX_AT_PHNUM, p->main.header.phnum);
	auxv_add(l, LINUX_AT_BASE, p->interpreter.file ? interpreter->bias : 0);
	auxv_add(l, LINUX_AT_FLAGS, 0);
	auxv_add(l, LINUX_AT_ENTRY, main->entry);
	auxv_add(l, LINUX_AT_UID, id->uid);
	auxv_add(l, LINUX_AT_EUID, id->euid);
	auxv_add(l, LINUX_AT_GID, id->gid);
	auxv_add(l, LINUX_AT_EGID, id->egid);
	auxv_add(l, LINUX_AT_SECURE, id->secure);
	auxv_add(l, LINUX_AT_RANDOM, l->random);
	auxv_add(l, LINUX_AT_HWCAP2, getauxval(LINUX_AT_HWCAP2));
	auxv_add(l, LINUX_AT_EXECFN, l->execfn);
	auxv_add(l, LINUX_AT_PLATFORM, l->platform);
	auxv_add(l, LINUX_AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
	auxv_add(l, LINUX_AT_RSEQ_ALIGN, RSEQ_ALIGN);
	auxv_add(l, LINUX_AT_NULL, 0);
}

/* argv or envp: addresses of strings that begin at @base, and a NULL; returns its end. */
static uint64_t *write_pointers(uint64_t *at, const struct string_vector *v, uint64_t base)
{
	uint64_t offset = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		*at++ = base + offset;
		offset += strnlen(v->bytes + offset, v->size - offset) + 1;
		offset = MIN(offset, v->size);
	}
	*at++ = 0;
	return at;
}

static void copy_to(char *image, const struct stack_layout *l, uint64_t addr, const void *from,
		    size_t size)
{
	if (size)
		memcpy(image + (addr - l->sp), from, size);
}

static void fill(char *image, const struct stack_layout *l, const struct program *p)
{
	uint64_t *at = (uint64_t *)(void *)image;
	uint8_t random[RANDOM_SIZE];

	*at++ = p->argv.count;
	at = write_pointers(at, &p->argv, l->arg);
	at = write_pointers(at, &p->envv, l->env);
	memcpy(at, l->auxv, l->auxv_count * sizeof(l->auxv[0]));
	host_random(random, sizeof(random));
	copy_to(image, l, l->random, random, sizeof(random));
	copy_to(image, l, l->platform, PLATFORM_NAME, sizeof(PLATFORM_NAME));
	copy_to(image, l, l->arg, p->argv.bytes, p->argv.size);
	copy_to(image, l, l->env, p->envv.bytes, p->envv.size);
	copy_to(image, l, l->execfn, p->name, strlen(p->name) + 1);
}

static void record(struct mm *mm, const struct stack_layout *l, const struct program *p)
{
	_Static_assert(sizeof(l->auxv) <= sizeof(mm->auxv), "auxv is saved whole");
	mutex_lock(&mm->lock);
	mm->start_stack = l->sp;
	mm->arg_start = l->arg;
	mm->arg_end = l->arg + p->argv.size;
	mm->env_start = l->env;
	mm->env_end = l->env + p->envv.size;
	mm->auxv_count = l->auxv_count;
	memcpy(mm->auxv, l->auxv, l->auxv_count * sizeof(l->auxv[0]));
	mutex_unlock(&mm->lock);
}

int stack_build(const struct program *p, struct mm *mm, uint64_t top, uint64_t size,
		const struct elf_loaded *main, const struct elf_loaded *interpreter,
		const struct program_identity *identity, uint64_t *sp)
{
	struct stack_layout l = { 0 };
	AUTO_FREE char *image = NULL;
	uint64_t words;
	int rc;

	place_strings(&l, p, mm, top);
	build_auxv(&l, p, mm, main, interpreter, identity);
	words = 1 + (uint64_t)p->argv.count + 1 + p->envv.count + 1 + l.auxv_count;
	l.sp = round_down(l.random - words * sizeof(uint64_t), 16);
	if (l.sp < top - size || l.sp > top)
		return -E2BIG;
	image = calloc(1, top - l.sp);
	if (!image)
		return -ENOMEM;
	fill(image, &l, p);
	rc = copy_out(mm, guest_addr(l.sp), image, top - l.sp);
	if (rc < 0)
		return rc;
	record(mm, &l, p);
	*sp = l.sp;
	return 0;
}
