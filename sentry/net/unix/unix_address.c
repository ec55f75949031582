/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of unix sockets: paths, whose inode points at the socket, and abstract
 * names in a table of the network namespace.
 *
 * Lock order: inode->lock or net->lock, then nothing: a socket's own lock is not
 * taken inside.  The name disappears when the bound socket's file closes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/kernel/task.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/unix/unix.h"
#include "sentry/vfs/vfs.h"
#include "util/hash.h"

#define PATH_OFFSET sizeof(uint16_t)
#define AUTOBIND_TRIES (1U << 20)

void unix_address_put(struct unix_address *a)
{
	if (a && refcount_put(&a->refs))
		free(a);
}

/* -EINVAL unless it is a unix address with a name. */
static int check_address(const struct socket_address *addr)
{
	if (addr->size <= PATH_OFFSET || addr->size > sizeof(struct linux_sockaddr_un) ||
	    addr->family != LINUX_AF_UNIX)
		return -EINVAL;
	return 0;
}

static bool is_abstract(const struct socket_address *addr)
{
	return !addr->un.path[0];
}

/* The path as a string; sun_path need not be terminated. */
static void copy_path(const struct socket_address *addr, char path[LINUX_UNIX_PATH_MAX + 1])
{
	size_t size = addr->size - PATH_OFFSET;

	memcpy(path, addr->un.path, size);
	path[size] = '\0';
}

static struct unix_address *new_address(const struct socket_address *name)
{
	struct unix_address *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	refcount_init(&a->refs);
	a->name = *name;
	return a;
}

/* --- abstract names ----------------------------------------------------------------- */

static uint64_t name_hash(const struct socket_address *name)
{
	return hash_bytes(name->bytes, name->size);
}

static struct unix_address *find_abstract_locked(struct net_namespace *net,
						 const struct socket_address *name)
{
	struct hash_node *node;

	hash_table_for_each_hash(node, &net->abstract_names, name_hash(name)) {
		struct unix_address *a = container_of(node, struct unix_address, node);

		if (a->name.size == name->size && !memcmp(a->name.bytes, name->bytes, name->size))
			return a;
	}
	return NULL;
}

static int bind_abstract(struct unix_socket *u, const struct socket_address *name)
{
	struct net_namespace *net = u->base.net;
	struct unix_address *a = new_address(name);
	int rc = -EADDRINUSE;

	if (!a)
		return -ENOMEM;
	mutex_lock(&net->lock);
	if (!find_abstract_locked(net, name)) {
		mutex_lock(&u->base.lock);
		rc = u->address ? -EINVAL : 0;
		if (!rc) {
			a->socket = u;
			u->address = a;
			u->owns_name = true;
			hash_table_insert(&net->abstract_names, &a->node, name_hash(name));
		}
		mutex_unlock(&u->base.lock);
	}
	mutex_unlock(&net->lock);
	if (rc)
		unix_address_put(a);
	return rc;
}

int unix_autobind(struct unix_socket *u)
{
	struct socket_address name = { .size = PATH_OFFSET + 6 };
	struct net_namespace *net = u->base.net;
	bool bound;
	int rc = -EADDRINUSE;

	mutex_lock(&u->base.lock);
	bound = u->address != NULL;
	mutex_unlock(&u->base.lock);
	if (bound)
		return 0;
	name.family = LINUX_AF_UNIX;
	for (unsigned i = 0; i < AUTOBIND_TRIES && rc == -EADDRINUSE; i++) {
		uint32_t number;

		mutex_lock(&net->lock);
		number = net->next_autobind++ & 0xfffff;
		mutex_unlock(&net->lock);
		snprintf(name.un.path + 1, 6, "%05x", number);
		rc = bind_abstract(u, &name);
	}
	if (rc == -EINVAL)
		return 0; /* another thread was faster */
	return rc == -EADDRINUSE ? -ENOSPC : rc;
}

/* --- paths ---------------------------------------------------------------------------- */

static int find_inode(const struct vfs_context *ctx, const char *name, struct path *out)
{
	return vfs_lookup(ctx, LINUX_AT_FDCWD, name, LOOKUP_FOLLOW, out);
}

/* Publishes @u as the socket of the inode just made. */
static int attach_to_inode(struct unix_socket *u, const struct path *path, struct unix_address *a)
{
	struct inode *inode = path->dentry->inode;
	struct inode *anchor = inode_anchor(inode);
	int rc = 0;

	mutex_lock(&anchor->lock);
	if (inode_type(inode) != LINUX_S_IFSOCK || anchor->socket)
		rc = -EADDRINUSE; /* somebody replaced it already */
	if (!rc) {
		mutex_lock(&u->base.lock);
		rc = u->address ? -EINVAL : 0;
		if (!rc) {
			u->address = a;
			u->owns_name = true;
			u->path = path_get(path);
			anchor->socket = u;
		}
		mutex_unlock(&u->base.lock);
	}
	mutex_unlock(&anchor->lock);
	return rc;
}

int unix_bind_path(struct unix_socket *u, const struct vfs_context *ctx, const char *name)
{
	struct socket_address full = { .size = (uint32_t)(PATH_OFFSET + strlen(name) + 1) };
	struct unix_address *a;
	struct path path;
	int rc;

	full.family = LINUX_AF_UNIX;
	memcpy(full.bytes + PATH_OFFSET, name, strlen(name));
	a = new_address(&full);
	if (!a)
		return -ENOMEM;
	rc = vfs_mknod(ctx, LINUX_AT_FDCWD, name, LINUX_S_IFSOCK | 0777, 0);
	if (rc == -EEXIST)
		rc = -EADDRINUSE;
	if (!rc)
		rc = find_inode(ctx, name, &path);
	if (!rc) {
		rc = attach_to_inode(u, &path, a);
		path_put(&path);
	}
	if (rc)
		unix_address_put(a);
	return rc;
}

static int bind_path(struct unix_socket *u, const struct socket_address *addr)
{
	struct task *t = task_current();
	char name[LINUX_UNIX_PATH_MAX + 1];
	struct vfs_context ctx;

	if (!t)
		return -EINVAL;
	copy_path(addr, name);
	ctx = task_vfs_context(t);
	return unix_bind_path(u, &ctx, name);
}

int unix_bind(struct socket *s, const struct socket_address *addr)
{
	struct unix_socket *u = unix_socket_of(s);
	bool bound;
	int rc;

	if (addr->size == PATH_OFFSET && addr->family == LINUX_AF_UNIX)
		return unix_autobind(u);
	rc = check_address(addr);
	if (rc)
		return rc;
	mutex_lock(&s->lock);
	bound = u->address != NULL;
	mutex_unlock(&s->lock);
	if (bound)
		return -EINVAL;
	return is_abstract(addr) ? bind_abstract(u, addr) : bind_path(u, addr);
}

void unix_unbind(struct unix_socket *u)
{
	struct net_namespace *net = u->base.net;
	struct inode *anchor;

	if (u->variant)
		u->variant->unbind(u);
	if (!u->owns_name)
		return;
	if (!u->path.dentry) {
		mutex_lock(&net->lock);
		hash_table_remove(&net->abstract_names, &u->address->node);
		u->address->socket = NULL;
		mutex_unlock(&net->lock);
		return;
	}
	anchor = inode_anchor(u->path.dentry->inode);
	mutex_lock(&anchor->lock);
	if (anchor->socket == u)
		anchor->socket = NULL;
	mutex_unlock(&anchor->lock);
	path_put(&u->path);
}

/* --- finding ---------------------------------------------------------------------------- */

static int find_abstract(struct net_namespace *net, const struct socket_address *addr,
			 struct unix_socket **out)
{
	struct unix_address *a;

	mutex_lock(&net->lock);
	a = find_abstract_locked(net, addr);
	if (a)
		*out = unix_get(a->socket); /* alive: it leaves the table before it goes */
	mutex_unlock(&net->lock);
	return a ? 0 : -ECONNREFUSED;
}

static int find_path(const struct socket_address *addr, struct unix_socket **out)
{
	struct task *t = task_current();
	char name[LINUX_UNIX_PATH_MAX + 1];
	struct inode *inode, *anchor;
	struct vfs_context ctx;
	struct path path;
	int rc;

	if (!t)
		return -ECONNREFUSED;
	copy_path(addr, name);
	ctx = task_vfs_context(t);
	rc = find_inode(&ctx, name, &path);
	if (rc)
		return rc;
	inode = path.dentry->inode;
	rc = path_permission(&path, LINUX_MAY_WRITE, ctx.cred);
	if (!rc)
		rc = inode_type(inode) == LINUX_S_IFSOCK ? 0 : -ECONNREFUSED;
	if (!rc) {
		anchor = inode_anchor(inode);
		mutex_lock(&anchor->lock);
		if (anchor->socket)
			*out = unix_get(anchor->socket);
		else
			rc = -ECONNREFUSED;
		mutex_unlock(&anchor->lock);
	}
	path_put(&path);
	return rc;
}

int unix_find(struct unix_socket *u, const struct socket_address *addr, int type,
	      struct unix_socket **out)
{
	struct unix_socket *found = NULL;
	int rc = check_address(addr);

	if (!rc)
		rc = is_abstract(addr) ? find_abstract(u->base.net, addr, &found) :
					 find_path(addr, &found);
	if (rc)
		return rc;
	if (found->base.type != type) {
		unix_put(found);
		return -EPROTOTYPE;
	}
	*out = found;
	return 0;
}
