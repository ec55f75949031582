/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pagemap: a word for each page of a process, as the host has it of the stub, without where it is.
 * clear_refs: the host's marks cannot be cleared from here, so what would clear them is refused; soft-dirty
 * marks there are none, as in a kernel without them.
 */
#include <errno.h>
#include <string.h>

#include "sentry/fs/proc/proc_internal.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

#define BATCH 512
#define LINUX_TASK_SIZE 0x7ffffffff000ULL

#define NUMBER_SIZE 12 /* what is behind is not looked at */
#define CLEAR_REFS_ALL 1
#define CLEAR_REFS_SOFT_DIRTY 4
#define CLEAR_REFS_MM_HIWATER_RSS 5

/* Where nothing is mapped the host is not asked: it is most of what can be read. */
static int read_batch(struct mm *mm, uint64_t start, size_t count, uint64_t *words)
{
	uint64_t end = start + ((uint64_t)count << GUEST_PAGE_SHIFT), limit = platform_address_max().v;
	struct vma vma;
	bool mapped;
	int rc;

	memset(words, 0, count * sizeof(words[0]));
	if (start >= limit || !mm_find_vma(mm, start, &vma))
		return 0;
	mapped = vma.start < end;
	mm_vma_release(&vma);
	if (!mapped)
		return 0;
	count = (MIN(end, limit) - start) >> GUEST_PAGE_SHIFT;
	rc = host_procfs_pagemap(address_space_host_pid(mm->as), start, count, words);
	if (rc == -ENOENT || rc == -ESRCH) { /* ended: nothing is in memory */
		memset(words, 0, count * sizeof(words[0]));
		rc = 0;
	}
	return rc;
}

static ssize_t read_words(struct mm *mm, struct io_iter *to, uint64_t *pos)
{
	uint64_t page = *pos / sizeof(uint64_t), end = LINUX_TASK_SIZE >> GUEST_PAGE_SHIFT;
	uint64_t words[BATCH];
	ssize_t total = 0;

	while (to->count && page < end) {
		size_t count = MIN(MIN(to->count / sizeof(words[0]), ARRAY_SIZE(words)), end - page);
		size_t size = count * sizeof(words[0]);
		int rc = read_batch(mm, page << GUEST_PAGE_SHIFT, count, words);

		if (rc < 0)
			return rc;
		if (io_iter_copy_to(to, words, size) != (ssize_t)size)
			return -EFAULT;
		page += count;
		*pos += size;
		total += (ssize_t)size;
	}
	return total;
}

static ssize_t pagemap_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct mm *mm = proc_file_mm(file);
	ssize_t n;

	if (!mm)
		return 0;
	if (*pos > INT64_MAX - to->count || *pos % sizeof(uint64_t) || to->count % sizeof(uint64_t))
		n = -EINVAL;
	else
		n = read_words(mm, to, pos);
	mm_put(mm);
	return n;
}

const struct file_ops proc_pagemap_ops = {
	.release = proc_text_release,
	.read = pagemap_read,
	.llseek = proc_mem_llseek,
	.unlocked_position = true,
};

int proc_store_clear_refs(const struct proc_call *c, char *text, size_t size)
{
	struct mm *mm;
	int type;
	bool alive;
	int rc;

	text[MIN(size, (size_t)NUMBER_SIZE)] = '\0';
	rc = proc_parse_int(text, &type);

	if (rc < 0)
		return rc;
	if (type < CLEAR_REFS_ALL || type > CLEAR_REFS_MM_HIWATER_RSS)
		return -EINVAL;
	if (!c->task)
		return -ESRCH;
	mm = task_mm_get(c->task);
	alive = mm;
	mm_put(mm);
	return type == CLEAR_REFS_SOFT_DIRTY || !alive ? 0 : -EOPNOTSUPP;
}
