/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from the memory of a process: cmdline, environ, auxv and mem.  Read
 * with usercopy, which stays within the guest's part; no lock is held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/fs/proc/proc_internal.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

#define CHUNK 4096

/* Adds [start, end) as far as it can be read; *last is the last byte. */
static void add_range(struct mm *mm, uint64_t start, uint64_t end, struct strbuf *out)
{
	char buf[CHUNK];

	end = MIN(end, start + PROC_TEXT_MAX);
	while (start < end) {
		size_t size = MIN(end - start, sizeof(buf) - start % sizeof(buf));
		ssize_t n = copy_in_partial(mm, buf, guest_addr(start), size);

		if (n <= 0)
			return;
		strbuf_add_bytes(out, buf, (size_t)n);
		if ((size_t)n < size)
			return;
		start += size;
	}
}

/* Up to and including the first NUL. */
static void add_string(struct mm *mm, uint64_t start, uint64_t end, struct strbuf *out)
{
	char buf[CHUNK];

	while (start < end) {
		size_t size = MIN(end - start, sizeof(buf) - start % sizeof(buf));
		ssize_t n = copy_in_partial(mm, buf, guest_addr(start), size);
		const char *nul = n > 0 ? memchr(buf, 0, (size_t)n) : NULL;

		if (n <= 0)
			return;
		strbuf_add_bytes(out, buf, nul ? (size_t)(nul - buf) : (size_t)n);
		if (nul || (size_t)n < size)
			return;
		start += size;
	}
}

int proc_show_cmdline(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = task_mm_get(c->task);
	uint64_t arg_start, arg_end, env_start, env_end;
	char last = 0;

	if (!mm)
		return 0;
	mutex_lock(&mm->lock);
	arg_start = mm->arg_start;
	arg_end = mm->arg_end;
	env_start = mm->env_start;
	env_end = mm->env_end;
	mutex_unlock(&mm->lock);
	if (arg_start < arg_end && copy_in(mm, &last, guest_addr(arg_end - 1), 1) == 0) {
		/* A title that overwrote the last NUL is one string and may go on into the environment. */
		if (last)
			add_string(mm, arg_start, env_start == arg_end ? env_end : arg_end, out);
		else
			add_range(mm, arg_start, arg_end, out);
	}
	mm_put(mm);
	return 0;
}

int proc_show_environ(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = proc_call_mm(c);
	uint64_t start, end;

	if (!mm)
		return 0;
	mutex_lock(&mm->lock);
	start = mm->env_start;
	end = mm->env_end;
	mutex_unlock(&mm->lock);
	add_range(mm, start, end, out);
	mm_put(mm);
	return 0;
}

int proc_show_auxv(const struct proc_call *c, struct strbuf *out)
{
	struct mm *mm = proc_call_mm(c);

	if (!mm)
		return 0;
	mutex_lock(&mm->lock);
	strbuf_add_bytes(out, mm->auxv, MIN(mm->auxv_count, ARRAY_SIZE(mm->auxv)) * sizeof(mm->auxv[0]));
	mutex_unlock(&mm->lock);
	mm_put(mm);
	return 0;
}

/* --- mem ------------------------------------------------------------------------------------ */

/* What the process itself could not access, its tracer can while a thread of it is stopped. */
static ssize_t mem_force(struct file *file, uint64_t pos, void *buf, size_t size, bool write)
{
	struct task *caller = task_current();
	struct proc_call c;
	ssize_t n = -EIO;

	if (proc_call_begin(file->inode, file, &c) == 0 && caller && c.task &&
	    !ptrace_access(caller, c.task, pos, buf, size, write))
		n = (ssize_t)size;
	proc_call_end(&c);
	return n;
}

static ssize_t mem_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct mm *mm = proc_file_mm(file);
	char buf[CHUNK];
	ssize_t total = 0;

	if (!mm)
		return 0;
	while (to->count) {
		size_t size = MIN(to->count, sizeof(buf) - *pos % sizeof(buf));
		ssize_t n = copy_in_partial(mm, buf, guest_addr(*pos), size);

		if (n <= 0)
			n = mem_force(file, *pos, buf, size, false);
		if (n <= 0) {
			total = total ? total : -EIO;
			break;
		}
		n = io_iter_copy_to(to, buf, (size_t)n);
		if (n <= 0) {
			total = total ? total : -EFAULT;
			break;
		}
		*pos += (uint64_t)n;
		total += n;
		if ((size_t)n < size)
			break;
	}
	mm_put(mm);
	return total;
}

static ssize_t mem_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct mm *mm = proc_file_mm(file);
	char buf[CHUNK];
	ssize_t total = 0;

	if (!mm)
		return 0;
	while (from->count) {
		size_t size = MIN(from->count, sizeof(buf) - *pos % sizeof(buf));
		ssize_t n = io_iter_copy_from(from, buf, size);

		if (n <= 0) {
			total = total ? total : -EFAULT;
			break;
		}
		size = (size_t)n;
		n = copy_out_partial(mm, guest_addr(*pos), buf, size);
		if (n <= 0)
			n = mem_force(file, *pos, buf, size, true);
		if (n <= 0) {
			total = total ? total : -EIO;
			break;
		}
		*pos += (uint64_t)n;
		total += n;
		if ((size_t)n < size)
			break;
	}
	mm_put(mm);
	return total;
}

/* Addresses are positions; the upper half, too, may be sought. */
int64_t proc_mem_llseek(struct file *file, int64_t offset, int whence)
{
	if (whence == LINUX_SEEK_CUR)
		offset += (int64_t)file->position;
	else if (whence != LINUX_SEEK_SET)
		return -EINVAL;
	file->position = (uint64_t)offset;
	return offset;
}

const struct file_ops proc_mem_ops = {
	.release = proc_text_release,
	.read = mem_read,
	.write = mem_write,
	.llseek = proc_mem_llseek,
	.unlocked_position = true,
};
