/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maps, smaps and smaps_rollup.  The mappings are the guest's; how much of each is
 * in memory comes from the host's smaps of the stub, whose mappings may be split
 * and joined otherwise: one that covers several of ours is shared out by size.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/mm.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"

#define NAME_COLUMN 73

/* --- one line ------------------------------------------------------------------------- */

/* Files as the caller sees them, other objects by their own words. */
static void add_object(const struct vma *vma, struct strbuf *out)
{
	struct file *file = file_from_mappable(vma->object);
	char name[VFS_PATH_MAX] = "";
	char *path = NULL;
	uint64_t dev, ino;

	if (file && !(file->ops && file->ops->describe)) {
		struct path p = { file->mount, file->dentry };

		if (proc_path_text(&p, &path) == 0)
			proc_add_escaped(out, path, "\n");
		free(path);
		return;
	}
	vma->object->ops->describe(vma->object, name, sizeof(name), &dev, &ino);
	proc_add_escaped(out, name, "\n");
}

static void object_identity(const struct vma *vma, uint64_t *dev, uint64_t *ino)
{
	struct file *file = file_from_mappable(vma->object);
	char name[VFS_PATH_MAX];

	*dev = *ino = 0;
	/* the vdso and its like are nobody's file */
	if (!vma->object || (vma->name && !file))
		return;
	if (file) {
		*dev = file->inode->sb->dev;
		*ino = file->inode->ino;
	} else {
		vma->object->ops->describe(vma->object, name, sizeof(name), dev, ino);
	}
}

static void add_line(const struct vma *vma, struct strbuf *out)
{
	size_t start = out->length;
	uint64_t dev, ino;

	object_identity(vma, &dev, &ino);
	strbuf_addf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
		    (unsigned long long)vma->start, (unsigned long long)vma->end,
		    vma->prot & LINUX_PROT_READ ? 'r' : '-',
		    vma->prot & LINUX_PROT_WRITE ? 'w' : '-',
		    vma->prot & LINUX_PROT_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
		    (unsigned long long)(vma->object && (dev || ino) ? vma->offset : 0),
		    linux_dev_major(dev), linux_dev_minor(dev), (unsigned long long)ino);
	if (vma->name || vma->object) {
		while (!out->failed && out->length - start < NAME_COLUMN)
			strbuf_add_char(out, ' ');
		if (vma->name)
			strbuf_add(out, vma->name);
		else
			add_object(vma, out);
	}
	strbuf_add_char(out, '\n');
}

/* Calls @fn for each mapping in order of address. */
static int for_each_vma(struct mm *mm, void (*fn)(const struct vma *, void *), void *arg)
{
	uint64_t at = 0;
	struct vma vma;

	while (mm_find_vma(mm, at, &vma)) {
		fn(&vma, arg);
		at = vma.end;
		mm_vma_release(&vma);
	}
	return 0;
}

static void maps_line(const struct vma *vma, void *arg)
{
	add_line(vma, arg);
}

int proc_show_maps(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = proc_call_mm(c);
	int rc;

	if (!mm)
		return 0;
	rc = for_each_vma(mm, maps_line, out);
	mm_put(mm);
	return rc;
}

/* --- smaps -------------------------------------------------------------------------------- */

struct smaps_walk {
	struct strbuf *out;
	const struct host_smaps_entry *entries; /* in order of address */
	size_t count, next;
	uint64_t total[SMAPS_FIELD_COUNT];
	uint64_t start, end; /* of everything */
};

/* What the host has in [start, end). */
static void collect(struct smaps_walk *w, uint64_t start, uint64_t end, uint64_t kb[SMAPS_FIELD_COUNT])
{
	memset(kb, 0, SMAPS_FIELD_COUNT * sizeof(kb[0]));
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
}

static void add_field(struct strbuf *out, const char *name, uint64_t kb)
{
	strbuf_addf(out, "%s:%*s%8llu kB\n", name, (int)(15 - MIN(strlen(name), 15U)), "",
		    (unsigned long long)kb);
}

static void add_fields(const uint64_t kb[SMAPS_FIELD_COUNT], struct strbuf *out)
{
	/* Linux's order, with the fields that have no source between */
	for (unsigned f = 0; f < SMAPS_FIELD_COUNT; f++) {
		add_field(out, host_smaps_names[f], kb[f]);
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
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
		if (vma->flags & rest[i].flag)
			strbuf_addf(out, " %s", rest[i].name);
	}
	strbuf_add(out, " \n");
}

static void smaps_vma(const struct vma *vma, void *arg)
{
	struct smaps_walk *w = arg;
	uint64_t kb[SMAPS_FIELD_COUNT];

	collect(w, vma->start, vma->end, kb);
	add_line(vma, w->out);
	add_field(w->out, "Size", (vma->end - vma->start) >> 10);
	add_field(w->out, "KernelPageSize", GUEST_PAGE_SIZE >> 10);
	add_field(w->out, "MMUPageSize", GUEST_PAGE_SIZE >> 10);
	add_fields(kb, w->out);
	strbuf_addf(w->out, "THPeligible:%*s%8d\n", 4, "", 0);
	add_flags(vma, w->out);
}

static void rollup_vma(const struct vma *vma, void *arg)
{
	struct smaps_walk *w = arg;
	uint64_t kb[SMAPS_FIELD_COUNT];

	collect(w, vma->start, vma->end, kb);
	for (unsigned f = 0; f < SMAPS_FIELD_COUNT; f++)
		w->total[f] += kb[f];
	if (!w->end)
		w->start = vma->start;
	w->end = vma->end;
}

static int walk_smaps(const struct proc_call *c, struct smaps_walk *w,
		      void (*fn)(const struct vma *, void *))
{
	struct mm *mm = proc_call_mm(c);
	struct host_smaps_entry *entries = NULL;
	int rc;

	if (!mm)
		return 0;
	rc = host_procfs_smaps(address_space_host_pid(mm->as), &entries, &w->count);
	if (rc == 0) {
		w->entries = entries;
		rc = for_each_vma(mm, fn, w);
	}
	free(entries);
	mm_put(mm);
	return rc == -ESRCH ? 0 : rc;
}

int proc_show_smaps(const struct proc_call *c, struct strbuf *out)
{
	struct smaps_walk w = { .out = out };

	return walk_smaps(c, &w, smaps_vma);
}

int proc_show_smaps_rollup(const struct proc_call *c, struct strbuf *out)
{
	struct smaps_walk w = { .out = out };
	int rc = walk_smaps(c, &w, rollup_vma);

	if (rc < 0)
		return rc;
	if (!w.end)
		return -ESRCH;
	strbuf_addf(out, "%08llx-%08llx ---p 00000000 00:00 0 ", (unsigned long long)w.start,
		    (unsigned long long)w.end);
	while (!out->failed && out->length < NAME_COLUMN)
		strbuf_add_char(out, ' ');
	strbuf_add(out, "[rollup]\n");
	add_fields(w.total, out);
	return 0;
}
