/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of text: made in whole when read from position 0 (as Linux's seq_file does
 * for files of this size), kept for the reads that go on from there.
 *
 * Lock: proc_file.lock (leaf) guards only the pointers.
 */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/mm/usercopy.h"
#include "sentry/vfs/permission.h"
#include "util/checked.h"

struct proc_text {
	struct refcount refs;
	char *bytes; /* owned; does not change */
	size_t size;
};

struct proc_file {
	struct mutex lock;
	struct proc_text *text; /* reference or NULL; protected by lock */
	const struct mm *mm;	/* PROC_OPEN_*: compared only; does not change */
	void *extra;		/* of the node's file_ops; protected by lock */
};

/* --- calls ------------------------------------------------------------------------- */

int proc_call_begin(struct inode *inode, struct file *file, struct proc_call *c)
{
	struct task *caller = task_current();

	*c = (struct proc_call){
		.super = proc_super(inode),
		.entry = proc_entry(inode),
		.task = proc_task(inode),
		.cred = file && file->cred ? file->cred : caller ? caller->cred : NULL,
	};
	if (file && c->entry->node->flags & (PROC_OPEN_READ | PROC_OPEN_ATTACH))
		c->opened_mm = ((struct proc_file *)file->private_data)->mm;
	return c->entry->pid && !c->task ? -ESRCH : 0;
}

static int open_mode(const struct proc_node *node)
{
	return (node->flags & PROC_OPEN_ATTACH ? PTRACE_MODE_ATTACH : PTRACE_MODE_READ) |
	       PTRACE_MODE_FSCREDS;
}

/*
 * The mm is not kept from open on, since that would keep its memory; its address
 * might come back in the same task, hence the second check.
 */
struct mm *proc_call_mm(const struct proc_call *c)
{
	struct mm *mm = task_mm_get(c->task);

	if (mm && (mm != c->opened_mm || !proc_may_access(c->task, open_mode(c->entry->node)))) {
		mm_put(mm);
		mm = NULL;
	}
	return mm;
}

void proc_call_end(struct proc_call *c)
{
	task_put(c->task);
}

/* --- text --------------------------------------------------------------------------- */

static void text_put(struct proc_text *text)
{
	if (!text || !refcount_put(&text->refs))
		return;
	free(text->bytes);
	free(text);
}

static int check_access(const struct proc_call *c)
{
	uint32_t flags = c->entry->node->flags;

	if (flags & PROC_SHOW_READ &&
	    !proc_may_access(c->task, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		return -EACCES;
	if (flags & PROC_SHOW_ATTACH &&
	    !proc_may_access(c->task, PTRACE_MODE_ATTACH | PTRACE_MODE_FSCREDS))
		return -EPERM;
	return 0;
}

/* Parameters of the kernel ask at each use, whoever opened the file. */
static int check_again(struct file *file, int mask)
{
	struct task *t = task_current();

	if (!t || !(proc_entry(file->inode)->node->flags & PROC_PLAIN_MODE))
		return 0;
	return inode_permission(file->inode, mask, t->cred) < 0 ? -EPERM : 0;
}

static int make_text(struct file *file, struct proc_text **out)
{
	AUTO_STRBUF struct strbuf buf = STRBUF_INIT;
	struct proc_text *text;
	struct proc_call c;
	int rc = proc_call_begin(file->inode, file, &c);

	if (rc == 0)
		rc = check_access(&c);
	if (rc == 0)
		rc = check_again(file, LINUX_MAY_READ);
	if (rc == 0)
		rc = c.entry->node->show(&c, &buf);
	proc_call_end(&c);
	if (rc < 0)
		return rc;
	text = calloc(1, sizeof(*text));
	if (!text || buf.failed) {
		free(text);
		return -ENOMEM;
	}
	refcount_init(&text->refs);
	text->size = buf.length;
	text->bytes = strbuf_detach(&buf);
	*out = text;
	return 0;
}

static struct proc_text *kept_text(struct proc_file *pf)
{
	struct proc_text *text;

	mutex_lock(&pf->lock);
	text = pf->text;
	if (text)
		refcount_get(&text->refs);
	mutex_unlock(&pf->lock);
	return text;
}

static void keep_text(struct proc_file *pf, struct proc_text *text)
{
	struct proc_text *old;

	refcount_get(&text->refs);
	mutex_lock(&pf->lock);
	old = pf->text;
	pf->text = text;
	mutex_unlock(&pf->lock);
	text_put(old);
}

ssize_t proc_text_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct proc_file *pf = file->private_data;
	struct proc_text *text = *pos ? kept_text(pf) : NULL;
	ssize_t n = 0;

	if (!text) {
		int rc = make_text(file, &text);

		if (rc < 0)
			return rc;
		keep_text(pf, text);
	}
	if (*pos < text->size && to->count)
		n = io_iter_copy_to(to, text->bytes + *pos, MIN(to->count, text->size - *pos));
	if (n > 0)
		*pos += (uint64_t)n;
	text_put(text);
	return n;
}

/* As much as there is room for, as a string: its size, or -EFAULT. */
static int copy_text(struct io_iter *from, char text[PROC_WRITE_MAX])
{
	size_t size = MIN(from->count, PROC_WRITE_MAX - 1);
	ssize_t n = io_iter_copy_from(from, text, size);

	if (n < 0 || (size_t)n < size)
		return -EFAULT;
	text[size] = '\0';
	return (int)size;
}

/* Linux has kinds of files, which differ in this. */
static int refuse_write(const struct proc_entry *entry)
{
	if (entry->node->flags & PROC_NO_WRITE)
		return -EACCES;
	return entry->pid ? -EINVAL : -EIO;
}

static ssize_t text_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	char text[PROC_WRITE_MAX];
	const struct proc_node *node = proc_entry(file->inode)->node;
	uint64_t whole = from->count;
	struct proc_call c;
	int rc;

	if (!node->store)
		return refuse_write(proc_entry(file->inode));
	rc = proc_call_begin(file->inode, file, &c);
	c.pos = *pos;
	if (rc == 0)
		rc = check_again(file, LINUX_MAY_WRITE);
	if (rc == 0 && node->may_store)
		rc = node->may_store(&c, whole);
	if (rc == 0)
		rc = copy_text(from, text);
	if (rc >= 0)
		rc = node->store(&c, text, (size_t)rc);
	proc_call_end(&c);
	if (rc < 0)
		return rc;
	*pos += whole;
	return (ssize_t)whole;
}

/* Texts have no known end. */
int64_t proc_text_llseek(struct file *file, int64_t offset, int whence)
{
	return vfs_llseek_cookie(file, offset, whence);
}

void proc_text_release(struct file *file)
{
	struct proc_file *pf = file->private_data;

	text_put(pf->text);
	mutex_destroy(&pf->lock);
	free(pf);
}

void *proc_file_extra(struct file *file)
{
	struct proc_file *pf = file->private_data;
	void *extra;

	mutex_lock(&pf->lock);
	extra = pf->extra;
	mutex_unlock(&pf->lock);
	return extra;
}

void *proc_file_swap_extra(struct file *file, void *extra)
{
	struct proc_file *pf = file->private_data;
	void *old;

	mutex_lock(&pf->lock);
	old = pf->extra;
	pf->extra = extra;
	mutex_unlock(&pf->lock);
	return old;
}

const struct file_ops proc_text_ops = {
	.release = proc_text_release,
	.read = proc_text_read,
	.write = text_write,
	.llseek = proc_text_llseek,
	.unlocked_position = true,
	.no_pwrite = true,
};

/* Those that on Linux are no seq_file are as long as stat says. */
static int64_t plain_llseek(struct file *file, int64_t offset, int whence)
{
	bool far = proc_entry(file->inode)->node->flags & PROC_FAR;

	return vfs_llseek_size(file, offset, whence, 0, far ? INT64_MAX : INT32_MAX);
}

static const struct file_ops plain_text_ops = {
	.release = proc_text_release,
	.read = proc_text_read,
	.write = text_write,
	.llseek = plain_llseek,
	.unlocked_position = true,
};

/* noop_llseek of Linux. */
static int64_t keep_position(struct file *file, int64_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return (int64_t)file->position;
}

/* Who overrides its mode can open it for reading all the same. */
static const struct file_ops write_only_ops = {
	.release = proc_text_release,
	.write = text_write,
	.llseek = keep_position,
	.unlocked_position = true,
};

static const struct file_ops *ops_of(const struct proc_node *node)
{
	if (node->file_ops)
		return node->file_ops;
	if (!node->show)
		return &write_only_ops;
	return node->flags & PROC_PLAIN_FILE ? &plain_text_ops : &proc_text_ops;
}

/* For nodes with PROC_OPEN_*. */
static int check_open(struct inode *inode, const struct proc_node *node, const struct mm **out)
{
	struct task *t = proc_task(inode);
	struct mm *mm;

	if (!t)
		return -ESRCH;
	if (!proc_may_access(t, open_mode(node))) {
		task_put(t);
		return -EACCES;
	}
	mm = task_mm_get(t);
	*out = mm;
	mm_put(mm);
	task_put(t);
	return !mm && node->flags & PROC_OPEN_MM ? -ESRCH : 0;
}

int proc_file_open(struct inode *inode, struct file *file)
{
	const struct proc_node *node = proc_entry(inode)->node;
	const struct mm *mm = NULL;
	struct proc_file *pf;

	if (node->flags & PROC_NO_WRITER && file->can_write)
		return -EACCES;
	if (node->flags & (PROC_OPEN_READ | PROC_OPEN_ATTACH)) {
		int rc = check_open(inode, node, &mm);

		if (rc < 0)
			return rc;
	}
	if (node->store == proc_store_setgroups && file->can_write) {
		int rc = proc_may_set_groups(inode);

		if (rc < 0)
			return rc;
	}
	pf = calloc(1, sizeof(*pf));
	if (!pf)
		return -ENOMEM;
	mutex_init(&pf->lock, LOCK_RANK_LEAF);
	pf->mm = mm;
	if (node->file_ops == &proc_mounts_ops)
		pf->extra = proc_mounts_open(file);
	file->private_data = pf;
	file->ops = ops_of(node);
	return 0;
}

/* --- helpers for text ------------------------------------------------------------------ */

void proc_add_escaped(struct strbuf *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			strbuf_addf(out, "\\%03o", (unsigned char)*text);
		else
			strbuf_add_char(out, *text);
	}
}

int proc_path_text(const struct path *p, char **out)
{
	struct task *caller = task_current();
	struct path root = { NULL, NULL };
	char *buf = malloc(VFS_PATH_MAX), *at;
	int rc;

	if (!buf)
		return -ENOMEM;
	if (caller && caller->fs) {
		mutex_lock(&caller->fs->lock);
		root = path_get(&caller->fs->root);
		mutex_unlock(&caller->fs->lock);
	}
	rc = vfs_path_string(p, &root, buf, VFS_PATH_MAX, &at);
	path_put(&root);
	if (rc == 0)
		memmove(buf, at, strlen(at) + 1);
	if (rc < 0) {
		free(buf);
		return rc;
	}
	*out = buf;
	return 0;
}

struct mm *proc_file_mm(struct file *file)
{
	struct mm *mm = NULL;
	struct proc_call c;

	if (proc_call_begin(file->inode, file, &c) == 0)
		mm = proc_call_mm(&c);
	proc_call_end(&c);
	return mm;
}
