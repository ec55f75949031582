/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maps and smaps as files: a record a mapping, made as they are read.  As with Linux's
 * seq_file a read gives a page of whole records at most and what is left over of a record is
 * kept; a read from where the last one did not end starts over and skips.
 *
 * The state between two reads belongs to the reader that took it (proc_file_swap_extra); one
 * that finds none makes its own, so no lock is held while text is made or copied.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/mm.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"
#include "util/cleanup.h"

/* --- one line ------------------------------------------------------------------------- */

/* Files as the caller sees them, other objects by their own words. */
int proc_vma_object_text(const struct vma *vma, char **out)
{
	struct file *file = file_from_mappable(vma->object);
	uint64_t dev, ino;

	if (file && !(file->ops && file->ops->describe)) {
		struct path p = { file->mount, file->dentry };

		return proc_path_text(&p, out);
	}
	*out = calloc(1, VFS_PATH_MAX);
	if (!*out)
		return -ENOMEM;
	vma->object->ops->describe(vma->object, *out, VFS_PATH_MAX, &dev, &ino);
	return 0;
}

static void add_object(const struct vma *vma, struct strbuf *out)
{
	AUTO_FREE char *text = NULL;

	if (proc_vma_object_text(vma, &text) == 0)
		proc_add_escaped(out, text, "\n");
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

void proc_maps_line(const struct vma *vma, struct strbuf *out)
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
		while (!out->failed && out->length - start < PROC_MAPS_NAME_COLUMN)
			strbuf_add_char(out, ' ');
		if (vma->name)
			strbuf_add(out, vma->name);
		else
			add_object(vma, out);
	}
	strbuf_add_char(out, '\n');
}

/* --- records --------------------------------------------------------------------------- */

struct maps_cursor {
	uint64_t pos;	  /* in the file: of text[from] */
	uint64_t address; /* where to look for the next mapping */
	struct strbuf text;
	size_t from;		  /* what is before it in text has been read */
	struct smaps_window host; /* smaps only */
};

static void cursor_free(struct maps_cursor *cursor)
{
	if (!cursor)
		return;
	strbuf_free(&cursor->text);
	smaps_window_free(&cursor->host);
	free(cursor);
}

static int add_record(const struct proc_call *c, struct mm *mm, struct maps_cursor *cursor,
		      const struct vma *vma)
{
	if (c->entry->node->flags & PROC_SMAPS)
		return proc_smaps_record(mm, &cursor->host, vma, &cursor->text);
	proc_maps_line(vma, &cursor->text);
	return 0;
}

/*
 * Adds the next records: until there are @wanted bytes, or a page, and always one; the one
 * that does not fit is made again later.  1: there are no more.
 */
static int fill(const struct proc_call *c, struct mm *mm, struct maps_cursor *cursor, size_t wanted)
{
	struct vma vma;

	while (cursor->text.length < wanted) {
		size_t before = cursor->text.length;
		int rc;

		if (!mm_find_vma(mm, cursor->address, &vma))
			return 1;
		rc = add_record(c, mm, cursor, &vma);
		mm_vma_release(&vma);
		if (rc < 0)
			return rc;
		if (cursor->text.failed)
			return -ENOMEM;
		if (before && cursor->text.length >= GUEST_PAGE_SIZE) {
			strbuf_truncate(&cursor->text, before);
			return 0;
		}
		cursor->address = vma.end;
	}
	return 0;
}

/* Gives what is left over. */
static ssize_t flush(struct maps_cursor *cursor, struct io_iter *to)
{
	size_t size = MIN(cursor->text.length - cursor->from, to->count);
	ssize_t n = size ? io_iter_copy_to(to, cursor->text.data + cursor->from, size) : 0;

	if (n > 0) {
		cursor->from += (size_t)n;
		cursor->pos += (uint64_t)n;
	}
	if (cursor->from == cursor->text.length) {
		strbuf_truncate(&cursor->text, 0);
		cursor->from = 0;
	}
	return n;
}

/* Makes text up to @pos and drops it.  1: the file ends before. */
static int skip_to(const struct proc_call *c, struct mm *mm, struct maps_cursor *cursor, uint64_t pos)
{
	while (cursor->pos < pos) {
		int rc = fill(c, mm, cursor, 1);
		uint64_t step = MIN(cursor->text.length - cursor->from, pos - cursor->pos);

		if (rc < 0 || !step)
			return rc;
		cursor->from += step;
		cursor->pos += step;
		if (cursor->from == cursor->text.length) {
			strbuf_truncate(&cursor->text, 0);
			cursor->from = 0;
		}
	}
	return 0;
}

static ssize_t read_records(const struct proc_call *c, struct mm *mm, struct maps_cursor *cursor,
			    uint64_t pos, struct io_iter *to)
{
	ssize_t first, n;
	int rc = skip_to(c, mm, cursor, pos);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	first = flush(cursor, to);
	if (first < 0 || !to->count || cursor->text.length)
		return first;
	rc = fill(c, mm, cursor, to->count);
	if (rc < 0)
		return first ? first : rc;
	n = flush(cursor, to);
	return n < 0 ? (first ? first : n) : first + n;
}

static ssize_t maps_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct maps_cursor *cursor = proc_file_swap_extra(file, NULL);
	struct proc_call c;
	struct mm *mm;
	ssize_t n;
	int rc;

	if (cursor && cursor->pos != *pos) {
		cursor_free(cursor);
		cursor = NULL;
	}
	if (!cursor)
		cursor = calloc(1, sizeof(*cursor));
	if (!cursor)
		return -ENOMEM;
	rc = proc_call_begin(file->inode, file, &c);
	mm = rc == 0 ? proc_call_mm(&c) : NULL;
	n = mm ? read_records(&c, mm, cursor, *pos, to) : rc;
	mm_put(mm);
	proc_call_end(&c);
	if (n > 0)
		*pos += (uint64_t)n;
	cursor_free(proc_file_swap_extra(file, cursor));
	return n;
}

static void maps_release(struct file *file)
{
	cursor_free(proc_file_swap_extra(file, NULL));
	proc_text_release(file);
}

const struct file_ops proc_maps_ops = {
	.release = maps_release,
	.read = maps_read,
	.llseek = proc_text_llseek,
	.unlocked_position = true,
	.no_pwrite = true,
};
