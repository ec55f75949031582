/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/map_files: a magic link for each mapping of a file, named by its addresses.  A name
 * is true for as long as there is exactly that mapping, so nothing is kept between two uses.
 */
#include "sentry/fs/proc/proc_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/mm.h"
#include "sentry/mm/mm.h"
#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/permission.h"

#define LINK_SIZE 64 /* what stat says of the link, whatever its target */
#define NAME_SIZE 40
#define ADDRESS_DIGITS 16

static bool may_look(struct task *t)
{
	return proc_may_access(t, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS);
}

/* --- mappings ---------------------------------------------------------------------------- */

/* The vdso and its like are nobody's file. */
static bool is_of_file(const struct vma *vma)
{
	return vma->object && (!vma->name || file_from_mappable(vma->object));
}

/* The mapping from @start to @end, to be released; false: there is none of a file. */
static bool find_exact(struct task *t, uint64_t start, uint64_t end, struct vma *out)
{
	struct mm *mm = t ? task_mm_get(t) : NULL;
	bool found = mm && mm_find_vma(mm, start, out);

	mm_put(mm);
	if (!found)
		return false;
	if (out->start == start && out->end == end && is_of_file(out))
		return true;
	mm_vma_release(out);
	return false;
}

/* --- links ------------------------------------------------------------------------------ */

static int map_readlink(const struct proc_call *c, char **out)
{
	struct vma vma;
	int rc;

	if (!may_look(c->task))
		return -EACCES;
	if (!find_exact(c->task, c->entry->prefix, c->entry->end, &vma))
		return -ENOENT;
	rc = proc_vma_object_text(&vma, out);
	mm_vma_release(&vma);
	return rc;
}

/* The link leads to files that their owner may have no way to any more. */
static bool may_follow(void)
{
	struct user_namespace *root = kernel_get()->root_user_ns;
	struct task *t = task_current();

	return !t || credentials_ns_capable(t->cred, root, LINUX_CAP_SYS_ADMIN) ||
	       credentials_ns_capable(t->cred, root, LINUX_CAP_CHECKPOINT_RESTORE);
}

static int map_get_link(const struct proc_call *c, struct path *out)
{
	struct file *file;
	struct vma vma;

	if (!may_follow())
		return -EPERM;
	if (!may_look(c->task))
		return -EACCES;
	if (!find_exact(c->task, c->entry->prefix, c->entry->end, &vma))
		return -ENOENT;
	file = file_from_mappable(vma.object);
	if (file)
		*out = path_get(&(struct path){ file->mount, file->dentry });
	mm_vma_release(&vma);
	return file ? 0 : -ENOENT;
}

/* One node for each combination of the owner's rights, which show how the file is open. */
#define MAP_LINK(m)                                                                   \
	{                                                                             \
		.name = "MAP", .mode = LINUX_S_IFLNK | (m), .readlink = map_readlink, \
		.get_link = map_get_link                                              \
	}
static const struct proc_node map_nodes[] = { MAP_LINK(0), MAP_LINK(0400), MAP_LINK(0200),
					      MAP_LINK(0600) };

static const struct proc_node *link_node(const struct vma *vma)
{
	const struct file *file = file_from_mappable(vma->object);

	return &map_nodes[(!file || file->can_read ? 1 : 0) | (!file || file->can_write ? 2 : 0)];
}

static struct proc_entry link_entry(const struct inode *dir, const struct vma *vma)
{
	struct proc_entry e = *proc_entry(dir);

	e.node = link_node(vma);
	e.number = 0;
	e.prefix = vma->start;
	e.end = vma->end;
	return e;
}

/* --- the directory ------------------------------------------------------------------------- */

/* A number as %lx writes it, though capitals pass; *text is left behind it. */
static bool take_address(const char **text, char after, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0;

	if (p[0] == '0' && p[1] != after)
		return false;
	for (; isxdigit((unsigned char)*p); p++) {
		if (p - *text == ADDRESS_DIGITS)
			return false;
		value = value << 4 |
			(uint64_t)(isdigit((unsigned char)*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
	}
	if (p == *text || *p != after)
		return false;
	*text = p;
	*out = value;
	return true;
}

static bool parse_name(const char *name, uint64_t *start, uint64_t *end)
{
	if (!take_address(&name, '-', start))
		return false;
	name++;
	return take_address(&name, '\0', end);
}

static int map_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct task *t = proc_task(dir);
	uint64_t start, end;
	struct proc_entry e;
	struct vma vma;
	int rc = -ENOENT;

	if (t && !may_look(t)) {
		rc = -EACCES;
	} else if (parse_name(name, &start, &end) && find_exact(t, start, end, &vma)) {
		e = link_entry(dir, &vma);
		mm_vma_release(&vma);
		rc = proc_inode_new(dir->sb, &e, out);
		if (rc == 0)
			(*out)->attr.size = LINK_SIZE;
	}
	task_put(t);
	return rc;
}

static bool emit_mapping(struct file *dir, struct dir_context *ctx, const struct vma *vma)
{
	struct proc_entry e = link_entry(dir->inode, vma);
	char name[NAME_SIZE];
	int size = snprintf(name, sizeof(name), "%llx-%llx", (unsigned long long)vma->start,
			    (unsigned long long)vma->end);

	return dir_emit(ctx, name, (size_t)size, PROC_DYNAMIC + vma->end / GUEST_PAGE_SIZE,
			proc_entry_ino(&e), LINUX_DT(e.node->mode));
}

/* A position is the page from which the next mapping is looked for. */
static int map_iterate(struct file *file, struct dir_context *ctx)
{
	struct task *t = proc_task(file->inode);
	struct mm *mm = NULL;
	bool room = true;
	struct vma vma;
	int rc = t ? 0 : -ENOENT;

	if (t && !may_look(t))
		rc = -EACCES;
	if (rc == 0)
		mm = task_mm_get(t);
	while (mm && room && mm_find_vma(mm, (ctx->pos - PROC_DYNAMIC) * GUEST_PAGE_SIZE, &vma)) {
		if (is_of_file(&vma))
			room = emit_mapping(file, ctx, &vma);
		if (room)
			ctx->pos = PROC_DYNAMIC + vma.end / GUEST_PAGE_SIZE;
		mm_vma_release(&vma);
	}
	mm_put(mm);
	task_put(t);
	return rc;
}

const struct proc_dir proc_map_files_dir = {
	.lookup = map_lookup,
	.iterate = map_iterate,
	.permission = proc_own_permission,
};
