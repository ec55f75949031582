/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See notify_socket.h.  What changes is under sandbox->lock (LOCK_RANK_LEAF), without which the control
 * server is told: whoever sets the outcome first tells those who waited until then, and no one is added
 * after it.
 */
#include "sentry/boot/notify_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/net/unix/unix.h"

#define DATAGRAM_MAX 4096 /* what runc reads of one */
#define READY "READY=1"
/* It has one socket, and who can make the mount writable is not to have more of the sandbox's memory. */
#define DIRECTORY_BYTES 4096
#define DIRECTORY_INODES 2

enum outcome { OUTCOME_NONE, OUTCOME_READY, OUTCOME_ENDED };

struct notify_socket {
	struct unix_socket socket;
	struct sandbox *sandbox;  /* does not change */
	enum outcome outcome;	  /* sandbox->lock; does not change once it is one */
	uint32_t wait_status;	  /* of OUTCOME_ENDED; the same */
	struct list_node watches; /* struct notify_watch; sandbox->lock */
};

/* unix_free frees it. */
static_assert(offsetof(struct notify_socket, socket) == 0, "the socket is not first");

struct notify_watch {
	struct list_node node; /* of the socket; sandbox->lock */
	uint64_t token;
};

/* --- who waits ------------------------------------------------------------------------------- */

static void tell(struct sandbox *s, uint64_t token, enum outcome outcome, uint32_t wait_status)
{
	if (outcome == OUTCOME_READY)
		control_server_ready(s->server, token);
	else
		control_server_process_exited(s->server, token, wait_status);
}

static void settle(struct notify_socket *n, enum outcome outcome, uint32_t wait_status)
{
	struct sandbox *s = n->sandbox;
	struct notify_watch *w, *next;
	struct list_node told;

	list_init(&told);
	mutex_lock(&s->lock);
	if (n->outcome == OUTCOME_NONE) {
		n->outcome = outcome;
		n->wait_status = wait_status;
		list_splice_tail(&told, &n->watches);
	}
	mutex_unlock(&s->lock);
	list_for_each_safe(w, next, &told, node) {
		tell(s, w->token, outcome, wait_status);
		free(w);
	}
}

int notify_socket_watch(struct notify_socket *n, uint64_t token)
{
	struct notify_watch *w = calloc(1, sizeof(*w));
	struct sandbox *s = n->sandbox;
	enum outcome outcome;
	uint32_t wait_status;

	if (!w)
		return -ENOMEM;
	w->token = token;
	mutex_lock(&s->lock);
	outcome = n->outcome;
	wait_status = n->wait_status;
	if (outcome == OUTCOME_NONE)
		list_add_tail(&n->watches, &w->node);
	mutex_unlock(&s->lock);
	if (outcome == OUTCOME_NONE)
		return 0;
	tell(s, token, outcome, wait_status);
	free(w);
	return 0;
}

void notify_socket_ended(struct notify_socket *n, uint32_t wait_status)
{
	settle(n, OUTCOME_ENDED, wait_status);
}

/* --- the socket ------------------------------------------------------------------------------ */

static bool has_line(const char *data, size_t size, const char *wanted)
{
	while (size > 0) {
		const char *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;

		if (length == strlen(wanted) && !memcmp(data, wanted, length))
			return true;
		length += end != NULL;
		data += length;
		size -= length;
	}
	return false;
}

static void receive(struct unix_socket *u, const struct net_message *message)
{
	if (message->size <= DATAGRAM_MAX && has_line(message->data, message->size, READY))
		settle(container_of(u, struct notify_socket, socket), OUTCOME_READY, 0);
}

/* No file has it, so nothing else is ever asked of it. */
static const struct socket_ops notify_ops = { .release = unix_release, .free = unix_free };

static struct notify_socket *socket_new(struct sandbox_container *c)
{
	struct notify_socket *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	unix_socket_init(&n->socket, &notify_ops, c->kernel->root_net_ns, LINUX_AF_UNIX,
			 LINUX_SOCK_DGRAM, 0);
	n->socket.sink = receive;
	n->sandbox = c->sandbox;
	list_init(&n->watches);
	return n;
}

void notify_socket_close(struct notify_socket *n)
{
	struct notify_watch *w, *next;

	if (!n)
		return;
	/* Left only where boot failed: else the end of init has told them. */
	list_for_each_safe(w, next, &n->watches, node)
		free(w);
	list_init(&n->watches);
	unix_release(&n->socket.base);
	unix_put(&n->socket);
}

/* --- its place ------------------------------------------------------------------------------- */

/* Everybody may write to it, whatever user the container's processes are. */
static int bind_in(struct notify_socket *n, const struct builder *b)
{
	struct setattr all = { .mask = SETATTR_MODE, .mode = 0777 };
	struct path path;
	int rc = unix_bind_path(&n->socket, &b->ctx, "/" BOOT_NOTIFY_NAME);

	if (rc == 0)
		rc = vfs_lookup(&b->ctx, LINUX_AT_FDCWD, "/" BOOT_NOTIFY_NAME, 0, &path);
	if (rc < 0)
		return rc;
	rc = vfs_setattr(&b->ctx, &path, &all);
	path_put(&path);
	return rc;
}

/* In a tree of its own: nobody else in the sandbox can have a hand in it while it is made. */
static int bind_unseen(struct notify_socket *n, struct super_block *sb, struct user_namespace *ns)
{
	struct mount_namespace *mounts;
	struct builder b;
	int rc = mount_namespace_new(sb, MOUNT_RELATIME, ns, &mounts);

	if (rc < 0)
		return rc;
	rc = builder_open_in(mounts, ns, &b);
	if (rc == 0) {
		rc = bind_in(n, &b);
		builder_close(&b);
	}
	mount_namespace_put(mounts);
	return rc;
}

static int mount_at(struct sandbox_container *c, struct super_block *sb)
{
	struct path at;
	int rc = boot_make_path(c, BOOT_NOTIFY_DIRECTORY, true, &at);

	if (rc < 0)
		return rc;
	rc = inode_type(at.dentry->inode) == LINUX_S_IFDIR ? 0 : -ENOTDIR;
	if (rc == 0)
		rc = vfs_mount_sb(sb, NULL, &at,
				  MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC | MOUNT_RELATIME);
	path_put(&at);
	return rc;
}

int notify_socket_open(struct sandbox_container *c, struct notify_socket **out)
{
	struct user_namespace *ns = c->kernel->container_user_ns;
	const struct tmpfs_options options = {
		.mode = 0755,
		.uid = uid_to_kernel(ns, 0),
		.gid = gid_to_kernel(ns, 0),
		.max_bytes = DIRECTORY_BYTES,
		.max_inodes = DIRECTORY_INODES,
	};
	struct super_block *sb;
	struct notify_socket *n = socket_new(c);
	int rc = n ? tmpfs_new(&options, ns, &sb) : -ENOMEM;

	if (rc == 0) {
		rc = bind_unseen(n, sb, ns);
		if (rc == 0)
			rc = mount_at(c, sb);
		super_block_put(sb);
	}
	if (rc < 0) {
		notify_socket_close(n);
		return rc;
	}
	*out = n;
	return 0;
}
