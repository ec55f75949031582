/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of smaps, and smaps_rollup.  The mappings are the guest's; how much of each is
 * in memory comes from the host's smaps of the stub, whose mappings may be split
 * and joined otherwise: one that covers several of ours is shared out by size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/mm.h"
#include "sentry/fs/proc/proc_internal.h"
#include "util/checked.h"

/* --- what the host has ---------------------------------------------------------------------- */

#define WINDOW_FIRST 16 /* entries */

void smaps_window_free(struct smaps_window *w)
{
	free(w->entries);
	*w = (struct smaps_window){ 0 };
}

/*
 * The host can only list from the lowest address on, which costs it a walk over all pages: so a
 * window is twice as large as the one before, which makes reading a whole file linear.
 */
static int window_move(struct smaps_window *w, struct mm *mm, uint64_t start)
{
	struct host_smaps_entry *entries = NULL;
	size_t limit = w->limit ? MIN(2 * w->limit, SIZE_MAX / 4) : WINDOW_FIRST;
	size_t count = 0;
	int rc = host_procfs_smaps(address_space_host_pid(mm->as), start, limit, &entries, &count);

	if (rc < 0 && rc != -ESRCH) /* ended: nothing is in memory */
		return rc;
	free(w->entries);
	*w = (struct smaps_window){
		.entries = entries,
		.count = count,
		.limit = limit,
		.end = count == limit ? entries[count - 1].end : UINT64_MAX,
	};
	return 0;
}

/* What the host has in [start, end); ranges come in order of address. */
static int collect(struct smaps_window *w, struct mm *mm, uint64_t start, uint64_t end,
		   uint64_t kb[SMAPS_FIELD_COUNT])
{
	memset(kb, 0, SMAPS_FIELD_COUNT * sizeof(kb[0]));
	while (w->end < end) {
		int rc = window_move(w, mm, start);

		if (rc < 0)
			return rc;
	}
	while (w->next < w->count && w->entries[w->next].end <= start)
		w->next++;
	for (size_t i = w->next; i < w->count && w->entries[i].start < end; i++) {
		const struct host_smaps_entry *e = &w->entries[i];
		uint64_t common = MIN(end, e->end) - MAX(start, e->start);

		for (unsigned f = 0; f < SMAPS_FIELD_COUNT; f++)
			kb[f] += common == e->end - e->start ?
					 e->kb[f] :
					 (uint64_t)((__uint128_t)e->kb[f] * common / (e->end - e->start));
	}
	return 0;
}

/* --- records ------------------------------------------------------------------------------- */

static void add_field(struct strbuf *out, const char *name, uint64_t kb)
{
	strbuf_addf(out, "%s:%*s%8llu kB\n", name, (int)(15 - MIN(strlen(name), 15U)), "",
		    (unsigned long long)kb);
}

enum rollup_kind { ROLLUP_ANON, ROLLUP_FILE, ROLLUP_SHMEM, ROLLUP_KINDS };

/* @pss: by kind, of a sum; else NULL. */
static void add_fields(const uint64_t kb[SMAPS_FIELD_COUNT], const uint64_t *pss, struct strbuf *out)
{
	/* Linux's order, with the fields that have no source between */
	for (unsigned f = 0; f < SMAPS_FIELD_COUNT; f++) {
		add_field(out, host_smaps_names[f], kb[f]);
		if (f == SMAPS_PSS_DIRTY && pss) {
			add_field(out, "Pss_Anon", pss[ROLLUP_ANON]);
			add_field(out, "Pss_File", pss[ROLLUP_FILE]);
			add_field(out, "Pss_Shmem", pss[ROLLUP_SHMEM]);
		}
		if (f == SMAPS_ANONYMOUS)
			add_field(out, "KSM", 0);
		if (f == SMAPS_FILE_HUGE) {
			add_field(out, "Shared_Hugetlb", 0);
			add_field(out, "Private_Hugetlb", 0);
		}
	}
}

static void add_flags(const struct vma *vma, struct strbuf *out)
{
	static const struct {
		int prot;
		uint32_t flags;
		const char *name;
	} names[] = {
		{ LINUX_PROT_READ, 0, "rd" }, { LINUX_PROT_WRITE, 0, "wr" },
		{ LINUX_PROT_EXEC, 0, "ex" }, { 0, VMA_SHARED, "sh" },
	};
	static const struct {
		int prot;
		const char *name;
	} may[] = { { LINUX_PROT_READ, "mr" }, { LINUX_PROT_WRITE, "mw" }, { LINUX_PROT_EXEC, "me" } };
	static const struct {
		uint32_t flag;
		const char *name;
	} rest[] = {
		{ VMA_GROWSDOWN, "gd" }, { VMA_LOCKED, "lo" },	  { VMA_DONTFORK, "dc" },
		{ VMA_NORESERVE, "nr" }, { VMA_WIPEONFORK, "wf" }, { VMA_DONTDUMP, "dd" },
		{ VMA_HUGEPAGE, "hg" },	 { VMA_NOHUGEPAGE, "nh" }, { VMA_SEALED, "sl" },
	};

	strbuf_add(out, "VmFlags:");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (vma->prot & names[i].prot || vma->flags & names[i].flags)
			strbuf_addf(out, " %s", names[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(may); i++) {
		if (vma->max_prot & may[i].prot)
			strbuf_addf(out, " %s", may[i].name);
	}
	if (vma->flags & VMA_SHARED)
		strbuf_add(out, " ms");
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
		if (vma->flags & rest[i].flag)
			strbuf_addf(out, " %s", rest[i].name);
	}
	strbuf_add(out, " \n");
}

/* Nothing is pinned on the host, where the field is nothing. */
static void set_locked(const struct vma *vma, uint64_t kb[SMAPS_FIELD_COUNT])
{
	kb[SMAPS_LOCKED] = vma->flags & VMA_LOCKED ? kb[SMAPS_PSS] : 0;
}

int proc_smaps_record(struct mm *mm, struct smaps_window *w, const struct vma *vma, struct strbuf *out)
{
	uint64_t kb[SMAPS_FIELD_COUNT];
	int rc = collect(w, mm, vma->start, vma->end, kb);

	if (rc < 0)
		return rc;
	set_locked(vma, kb);
	proc_maps_line(vma, out);
	add_field(out, "Size", (vma->end - vma->start) >> 10);
	add_field(out, "KernelPageSize", GUEST_PAGE_SIZE >> 10);
	add_field(out, "MMUPageSize", GUEST_PAGE_SIZE >> 10);
	add_fields(kb, NULL, out);
	strbuf_addf(out, "THPeligible:%*s%8d\n", 4, "", 0);
	add_flags(vma, out);
	return 0;
}

/* --- smaps_rollup -------------------------------------------------------------------------- */

struct rollup {
	uint64_t total[SMAPS_FIELD_COUNT];
	uint64_t pss[ROLLUP_KINDS];
	uint64_t start, end; /* of everything */
};

/* The host does not tell what the proportional size is of: anonymous memory has its part of the whole. */
static void add_mapping(struct rollup *r, const struct vma *vma, uint64_t kb[SMAPS_FIELD_COUNT])
{
	uint64_t rss = kb[SMAPS_RSS], pss = kb[SMAPS_PSS], anon;
	bool shmem = vma->object && mappable_is_shared_memory(vma->object);

	set_locked(vma, kb);
	for (unsigned f = 0; f < SMAPS_FIELD_COUNT; f++)
		r->total[f] += kb[f];
	anon = !rss || !vma->object ? pss : pss * MIN(kb[SMAPS_ANONYMOUS], rss) / rss;
	r->pss[ROLLUP_ANON] += anon;
	r->pss[shmem ? ROLLUP_SHMEM : ROLLUP_FILE] += pss - anon;
}

static int add_up(struct mm *mm, struct rollup *r)
{
	struct smaps_window window = { .limit = SIZE_MAX / 4 };
	uint64_t kb[SMAPS_FIELD_COUNT];
	struct vma vma;
	int rc = 0;

	while (rc == 0 && mm_find_vma(mm, r->end, &vma)) {
		rc = collect(&window, mm, vma.start, vma.end, kb);
		if (rc == 0)
			add_mapping(r, &vma, kb);
		if (!r->end)
			r->start = vma.start;
		r->end = vma.end;
		mm_vma_release(&vma);
	}
	smaps_window_free(&window);
	return rc;
}

int proc_show_smaps_rollup(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = proc_call_mm(c);
	struct rollup r = { .end = 0 };
	int rc;

	if (!mm)
		return -ESRCH;
	rc = add_up(mm, &r);
	mm_put(mm);
	if (rc < 0 || !r.end)
		return rc < 0 ? rc : -ESRCH;
	strbuf_addf(out, "%08llx-%08llx ---p 00000000 00:00 0 ", (unsigned long long)r.start,
		    (unsigned long long)r.end);
	while (!out->failed && out->length < PROC_MAPS_NAME_COLUMN)
		strbuf_add_char(out, ' ');
	strbuf_add(out, "[rollup]\n");
	add_fields(r.total, r.pss, out);
	return 0;
}
