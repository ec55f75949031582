/* SPDX-License-Identifier: Apache-2.0 */
/* Mount namespaces: creation, copy for CLONE_NEWNS, and the list for mountinfo. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"
#include "util/cleanup.h"

#define NAMESPACE_MOUNTS_MAX 100000U /* fs.mount-max */

static int namespace_alloc(struct user_namespace *user_ns, struct mount_namespace **out)
{
	struct mount_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs);
	list_init(&ns->mounts);
	wait_queue_init(&ns->changes);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_number();
	*out = ns;
	return 0;
}

int mount_namespace_new(struct super_block *root_sb, uint32_t flags, struct user_namespace *user_ns,
			struct mount_namespace **out)
{
	struct mount_namespace *ns;
	struct mount *root;
	int rc = namespace_alloc(user_ns, &ns);

	if (rc < 0)
		return rc;
	rc = mount_new(root_sb, NULL, flags, &root);
	if (rc < 0) {
		mount_namespace_put(ns);
		return rc;
	}
	mount_tree_write_lock();
	mount_attach_locked(root, NULL, ns);
	ns->root = mount_get(root);
	mount_tree_write_unlock();
	*out = ns;
	return 0;
}

int mount_namespace_new_anonymous(struct user_namespace *user_ns, uint32_t kuid, uint64_t origin,
				  struct mount_namespace **out)
{
	struct mount_namespace *ns;
	int rc = namespace_alloc(user_ns, &ns);

	if (rc < 0)
		return rc;
	rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_MOUNT);
	if (rc < 0) {
		mount_namespace_put(ns);
		return rc;
	}
	ns->anonymous = true;
	ns->origin = origin;
	*out = ns;
	return 0;
}

int mount_namespace_reserve_locked(struct mount_namespace *ns, uint32_t count)
{
	if (count > NAMESPACE_MOUNTS_MAX - ns->mount_count - ns->reserved)
		return -ENOSPC;
	ns->reserved += count;
	return 0;
}

/* A copy of a namespace being made, and where the fs context's places are in it. */
struct copy_walk {
	struct mount_namespace *ns;
	struct path root, cwd;	    /* of the fs context, to be replaced; references */
};

/* A parallel walk of two trees, of the same shape but for what the copy lacks. */
static void move_places_locked(struct copy_walk *w, struct mount *from, struct mount *to)
{
	struct mount *a = from, *b = to;

	while (a) {
		if (mount_namespace_behind(a->root)) {
			a = mount_next_sibling_locked(a, from);
			continue;
		}
		if (w->root.mount == a)
			w->root.mount = b;
		if (w->cwd.mount == a)
			w->cwd.mount = b;
		a = mount_next_locked(a, from);
		b = mount_next_locked(b, to);
	}
}

static void move_fs(struct fs_context *fs, const struct copy_walk *w)
{
	struct path old_root, old_cwd;

	mutex_lock(&fs->lock);
	old_root = fs->root;
	old_cwd = fs->cwd;
	fs->root = path_get(&w->root);
	fs->cwd = path_get(&w->cwd);
	mutex_unlock(&fs->lock);
	path_put(&old_root);
	path_put(&old_cwd);
}

/* Other users must not mount for those the copy is from, so their mounts are slaves, nor see what those hid
 * or do what a mount's flags forbid, so they are locked. */
int mount_namespace_copy(struct mount_namespace *from, struct user_namespace *user_ns, uint32_t kuid,
			 struct fs_context *fs, struct mount_namespace **out)
{
	struct copy_walk w;
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount *root = NULL;
	uint32_t how = MOUNT_COPY_RECURSIVE | MOUNT_COPY_UNBINDABLE;
	int rc = namespace_alloc(user_ns, &w.ns);

	if (rc < 0)
		return rc;
	rc = namespace_count_add(&w.ns->count, user_ns, kuid, NAMESPACE_MOUNT);
	if (rc < 0) {
		mount_namespace_put(w.ns);
		return rc;
	}
	if (user_ns != from->user_ns)
		how |= MOUNT_COPY_SLAVE;
	mutex_lock(&fs->lock);
	w.root = fs->root;
	w.cwd = fs->cwd;
	mutex_unlock(&fs->lock);
	mount_tree_write_lock();
	rc = mount_copy_tree_locked(from->root, from->root->root, how, &root);
	if (rc == 0) {
		root->locked = from->root->locked;
		if (user_ns != from->user_ns) {
			mount_lock_tree_locked(root);
			/* On Linux it lies on a root file system that is never seen. */
			root->locked = true;
		}
		mount_adopt_tree_locked(root, w.ns);
		move_places_locked(&w, from->root, root);
		w.ns->root = mount_get(root);
	} else if (root) {
		mount_detach_tree_locked(root, &dead);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	if (rc < 0) {
		mount_namespace_put(w.ns);
		return rc;
	}
	move_fs(fs, &w);
	*out = w.ns;
	return 0;
}

struct mount_namespace *mount_namespace_get(struct mount_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

static void namespace_free(struct mount_namespace *ns)
{
	struct list_node gone = LIST_HEAD_INIT(gone), dead = LIST_HEAD_INIT(dead);
	struct mount *m;

	mount_tree_write_lock();
	while ((m = list_first(&ns->mounts, struct mount, in_namespace)))
		mount_leave_locked(m, &gone);
	mount_disconnect_locked(&gone, true, &dead);
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	mount_put(ns->root);
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	wait_queue_destroy(&ns->changes);
	free(ns);
}

/* A mount in one keeps another one, and so on, as deep as a guest likes: no recursion. */
void mount_namespace_put(struct mount_namespace *ns)
{
	static _Thread_local struct mount_namespace *queued;
	static _Thread_local bool freeing;

	if (!ns || !refcount_put(&ns->refs))
		return;
	ns->next_dead = queued;
	queued = ns;
	if (freeing)
		return;
	freeing = true;
	while ((ns = queued)) {
		queued = ns->next_dead;
		namespace_free(ns);
	}
	freeing = false;
}

uint32_t mount_namespace_count_mounts(struct mount_namespace *ns)
{
	uint32_t count;

	mount_tree_read_lock();
	count = ns->mount_count;
	mount_tree_read_unlock();
	return count;
}

void mount_namespace_root(struct mount_namespace *ns, struct path *out)
{
	struct path top;

	mount_tree_read_lock();
	top = (struct path){ ns->root, ns->root->root };
	*out = path_get(&top);
	mount_tree_read_unlock();
	path_follow_mounts(out);
}

/* --- mountinfo ------------------------------------------------------------------------- */

/* NULL: not below @root. */
static int string_of(const struct path *p, const struct path *root, char **out)
{
	char buf[VFS_PATH_MAX], *at;
	bool reached;
	int rc = vfs_path_string_reached(p, root, buf, sizeof(buf), &at, &reached);

	if (rc < 0)
		return rc;
	if (!reached) {
		*out = NULL;
		return 0;
	}
	*out = strdup(at);
	return *out ? 0 : -ENOMEM;
}

static void describe_propagation_locked(const struct mount *m, const struct mount_namespace *ns,
					const struct path *root, struct mount_info *out)
{
	out->unbindable = m->unbindable;
	out->group = m->group ? m->group->id : 0;
	out->master = m->master ? m->master->id : 0;
	out->dominating = mount_dominating_locked(m, ns, root);
}

static int describe(struct mount *m, const struct mount_namespace *ns, const struct path *root,
		    struct mount_info *out)
{
	struct path top = { m, m->root }, fs_root = { NULL, m->sb->root }, in_fs = { NULL, m->root };
	int rc = string_of(&top, root, &out->mountpoint);

	if (rc < 0)
		return rc;
	rc = string_of(&in_fs, &fs_root, &out->root);
	if (rc < 0)
		return rc;
	if (!out->root) {
		out->root = strdup("/");
		if (!out->root)
			return -ENOMEM;
	}
	out->source = strdup(m->sb->source ? m->sb->source : m->sb->fs_type);
	if (!out->source)
		return -ENOMEM;
	mount_tree_read_lock();
	out->parent_id = m->parent ? m->parent->id : m->id - 1;
	describe_propagation_locked(m, ns, root, out);
	mount_tree_read_unlock();
	out->id = m->id;
	out->dev = m->sb->dev;
	out->magic = m->sb->magic;
	out->fs_type = m->sb->fs_type;
	out->flags = m->flags;
	out->sb_read_only = m->sb->read_only;
	out->sb_flags = m->sb->flags;
	if (m->sb->ops && m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, out->super_options, sizeof(out->super_options));
	return 0;
}

/* References on all mounts of @ns. */
static int snapshot(struct mount_namespace *ns, struct mount ***out, size_t *count)
{
	struct mount **list, *m;
	size_t n = 0;

	mount_tree_read_lock();
	list = calloc(ns->mount_count + 1, sizeof(struct mount *));
	if (list) {
		list_for_each(m, &ns->mounts, in_namespace)
			list[n++] = mount_get(m);
	}
	mount_tree_read_unlock();
	if (!list)
		return -ENOMEM;
	*out = list;
	*count = n;
	return 0;
}

void mount_info_release(struct mount_info *info)
{
	free(info->root);
	free(info->mountpoint);
	free(info->source);
}

int mount_namespace_list(struct mount_namespace *ns, const struct path *root,
			 struct mount_info **out, size_t *count)
{
	AUTO_FREE struct mount **mounts = NULL;
	struct mount_info *list;
	size_t n = 0, used = 0;
	int rc = snapshot(ns, &mounts, &n);

	if (rc < 0)
		return rc;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		rc = -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (rc >= 0) {
			rc = describe(mounts[i], ns, root, &list[used]);
			if (rc == 0 && !list[used].mountpoint) {
				mount_info_release(&list[used]);
				list[used] = (struct mount_info){ 0 };
			} else {
				used++; /* also a half-made one, to be freed */
			}
		}
		mount_put(mounts[i]);
	}
	if (rc < 0) {
		if (list)
			mount_info_free(list, used);
		return rc;
	}
	*out = list;
	*count = used;
	return 0;
}

void mount_info_free(struct mount_info *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mount_info_release(&list[i]);
	free(list);
}

/* --- by number -------------------------------------------------------------------------- */

static struct mount *find_locked(struct mount_namespace *ns, uint64_t unique_id)
{
	struct mount *m;

	list_for_each(m, &ns->mounts, in_namespace) {
		if (mount_unique_id(m) == unique_id)
			return m;
	}
	return NULL;
}

int mount_namespace_describe(struct mount_namespace *ns, const struct path *root, uint64_t unique_id,
			     struct mount_info *out)
{
	struct mount_info info = { 0 };
	struct mount *m;
	int rc;

	mount_tree_read_lock();
	m = find_locked(ns, unique_id);
	if (m)
		mount_get(m);
	mount_tree_read_unlock();
	if (!m)
		return -ENOENT;
	rc = describe(m, ns, root, &info);
	mount_put(m);
	if (rc < 0)
		mount_info_release(&info);
	else
		*out = info;
	return rc;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* @origin: where to begin, borrowed. */
static int find_origin_locked(struct mount_namespace *ns, const struct path *root, const struct credentials *cred,
			      uint64_t below, struct path *origin)
{
	*origin = *root;
	if (below != MOUNT_ALL) {
		struct mount *m = find_locked(ns, below);

		if (!m)
			return -ENOENT;
		*origin = (struct path){ m, m->root };
	}
	return mount_reachable_locked(origin, root) ||
	       credentials_ns_capable(cred, ns->user_ns, LINUX_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int collect_locked(struct mount_namespace *ns, const struct path *origin, uint64_t below, uint64_t **out,
			  size_t *count)
{
	uint64_t *list = calloc(ns->mount_count + 1, sizeof(*list));
	struct mount *m;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	list_for_each(m, &ns->mounts, in_namespace) {
		struct path top = { m, m->root };

		if (mount_unique_id(m) != below && mount_reachable_locked(&top, origin))
			list[n++] = mount_unique_id(m);
	}
	*out = list;
	*count = n;
	return 0;
}

int mount_namespace_numbers(struct mount_namespace *ns, const struct path *root, const struct credentials *cred,
			    uint64_t below, uint64_t **out, size_t *count)
{
	struct path origin;
	int rc;

	mount_tree_read_lock();
	rc = find_origin_locked(ns, root, cred, below, &origin);
	if (rc == 0)
		rc = collect_locked(ns, &origin, below, out, count);
	mount_tree_read_unlock();
	if (rc == 0)
		qsort(*out, *count, sizeof(**out), compare_numbers);
	return rc;
}
