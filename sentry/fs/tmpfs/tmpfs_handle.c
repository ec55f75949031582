/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding an object by its number, for handles: the tree is searched, one directory's lock at a time.  What
 * moves meanwhile may be missed; the caller looks at what it then finds by the path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "util/strbuf.h"

struct visit {
	struct visit *up;   /* its directory's, or NULL for the root */
	struct visit *next; /* in the order of the search */
	struct inode *dir;  /* reference */
	char name[];
};

struct search {
	struct visit *first, *last;
	uint64_t ino;
	struct visit *found_in;
	char *found; /* malloc'ed name in it */
};

static int add_visit(struct search *s, struct visit *up, struct inode *dir, const char *name)
{
	size_t size = strlen(name) + 1;
	struct visit *v = malloc(sizeof(*v) + size);

	if (!v)
		return -ENOMEM;
	*v = (struct visit){ .up = up, .dir = inode_get(dir) };
	memcpy(v->name, name, size);
	if (s->last)
		s->last->next = v;
	else
		s->first = v;
	s->last = v;
	return 0;
}

static int look_at(struct search *s, struct visit *v, const struct tmpfs_entry *e)
{
	if (e->inode->ino == s->ino) {
		s->found = strdup(e->name);
		s->found_in = v;
		return s->found ? 1 : -ENOMEM;
	}
	return inode_type(e->inode) == LINUX_S_IFDIR ? add_visit(s, v, e->inode, e->name) : 0;
}

static int search_directory(struct search *s, struct visit *v)
{
	const struct tmpfs_entry *e;
	int rc = 0;

	mutex_lock(&v->dir->lock);
	list_for_each(e, &tmpfs_node(v->dir)->dir.entries, node) {
		rc = look_at(s, v, e);
		if (rc)
			break;
	}
	mutex_unlock(&v->dir->lock);
	return rc;
}

static void add_path(const struct visit *v, struct strbuf *out)
{
	const struct visit *below = NULL;

	/* From the root down: as often as it is deep, and paths are short. */
	while (below != v) {
		const struct visit *at = v;

		while (at->up != below)
			at = at->up;
		if (at->up)
			strbuf_addf(out, "%s/", at->name);
		below = at;
	}
}

int tmpfs_path_of_ino(struct super_block *sb, uint64_t ino, struct strbuf *out)
{
	struct search s = { .ino = ino };
	struct visit *v;
	int rc;

	if (sb->root->inode->ino == ino)
		return 0;
	rc = add_visit(&s, NULL, sb->root->inode, "");
	for (v = s.first; v && rc == 0; v = v->next)
		rc = search_directory(&s, v);
	if (rc == 1) {
		add_path(s.found_in, out);
		strbuf_add(out, s.found);
		rc = out->failed ? -ENOMEM : 0;
	} else if (rc == 0) {
		rc = -ESTALE;
	}
	while ((v = s.first)) {
		s.first = v->next;
		inode_put(v->dir);
		free(v);
	}
	free(s.found);
	return rc;
}
