/* SPDX-License-Identifier: Apache-2.0 */
/* ATTACH, WALK, GETATTR and READLINK: from names to attributes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

int gofer_serve_attach(struct gofer_call *call)
{
	const struct gofer_attach_request *request = call->request;
	struct gofer_attach_reply *reply = call->reply;
	struct gofer_connection *connection = call->connection;
	int err;

	if (call_end(call) || request->reserved || request->version != GOFER_PROTOCOL_VERSION)
		return GOFER_VIOLATION;
	err = attr_read(connection->root, "", &reply->root.attr);
	if (err)
		return err;
	err = call_add_node(call, &connection->root, reply->root.attr.mode, &reply->root.node);
	if (err)
		return err;
	connection->root_node = reply->root.node;
	reply->flags = connection->read_only ? GOFER_ATTACH_READ_ONLY : 0;
	reply->node_limit = connection->nodes.limit;
	return 0;
}

int gofer_serve_seal(struct gofer_call *call)
{
	if (call_end(call))
		return GOFER_VIOLATION;
	call->connection->read_only = true;
	return 0;
}

/* One name below @dir_fd; a node if it is a directory to walk on from, or if one is wanted. */
static int walk_step(struct gofer_call *call, int dir_fd, const char *name, bool last,
		     uint32_t flags, struct gofer_entry *entry)
{
	bool any = flags & GOFER_WALK_NODE;
	bool directory = !last || flags & GOFER_WALK_DIRECTORY_NODE;
	AUTO_CLOSE int fd = -1;
	int err;

	entry->node = 0;
	if (!any) {
		err = attr_read(dir_fd, name, &entry->attr);
		if (err || !directory || !S_ISDIR(entry->attr.mode))
			return err;
	}
	/* What is opened need not be what was looked at: its own attributes count. */
	fd = open_component(dir_fd, name, 0);
	if (fd < 0)
		return fd;
	err = attr_read(fd, "", &entry->attr);
	if (err || (!S_ISDIR(entry->attr.mode) && !any))
		return err;
	return call_add_node(call, &fd, entry->attr.mode, &entry->node);
}

/* Appends the target of the symlink @name; one that vanished meanwhile gets no target. */
static void append_target(struct gofer_call *call, int dir_fd, const char *name)
{
	struct gofer_walk_reply *reply = call->reply;
	char *target = (char *)call->reply + call->reply_size;
	ssize_t length = readlinkat(dir_fd, name, target, GOFER_SYMLINK_MAX + 1);

	if (length <= 0 || length > (ssize_t)GOFER_SYMLINK_MAX)
		return;
	reply->link_length = (uint32_t)length;
	call->reply_size += (uint32_t)length;
}

/* All names are checked before the first is looked up: a malformed request does nothing. */
static int take_names(struct gofer_call *call, const char **names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (call_take_name(call, &names[i]))
			return GOFER_VIOLATION;
	return call_end(call);
}

static void drop_nodes(struct gofer_call *call, const struct gofer_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].node)
			gofer_node_remove(&call->connection->nodes, entries[i].node);
}

int gofer_serve_walk(struct gofer_call *call)
{
	const struct gofer_walk_request *request = call->request;
	struct gofer_walk_reply *reply = call->reply;
	struct gofer_entry *entries = (void *)(reply + 1);
	const char *names[GOFER_WALK_MAX];
	uint32_t count = request->count, i;
	int dir_fd, err = 0;

	if (!count || count > GOFER_WALK_MAX ||
	    request->flags & ~(GOFER_WALK_NODE | GOFER_WALK_DIRECTORY_NODE))
		return GOFER_VIOLATION;
	if (take_names(call, names, count))
		return GOFER_VIOLATION;
	dir_fd = call_node_fd(call, request->node);
	if (dir_fd < 0)
		return dir_fd;
	for (i = 0; i < count; i++) {
		err = walk_step(call, dir_fd, names[i], i + 1 == count, request->flags, &entries[i]);
		if (err)
			break;
		if (i + 1 == count || !S_ISDIR(entries[i].attr.mode)) {
			i++;
			break;
		}
		dir_fd = call_node_fd(call, entries[i].node);
	}
	if (err == -ENFILE || err == -ENOMEM) {
		drop_nodes(call, entries, i);
		return err;
	}
	reply->count = i;
	reply->stop = err;
	call->reply_size += i * (uint32_t)sizeof(*entries);
	if (i && !err && S_ISLNK(entries[i - 1].attr.mode))
		append_target(call, dir_fd, names[i - 1]);
	return 0;
}

int gofer_serve_getattr(struct gofer_call *call)
{
	const struct gofer_getattr_request *request = call->request;
	struct gofer_getattr_reply *reply = call->reply;
	const char *name;
	int fd;

	if (call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	fd = call_node_fd(call, request->object.node);
	return fd < 0 ? fd : attr_read(fd, name, &reply->attr);
}

int gofer_serve_readlink(struct gofer_call *call)
{
	const struct gofer_readlink_request *request = call->request;
	struct gofer_readlink_reply *reply = call->reply;
	const char *name;
	ssize_t length;
	int fd;

	if (call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	fd = call_node_fd(call, request->object.node);
	if (fd < 0)
		return fd;
	length = readlinkat(fd, name, (char *)(reply + 1), GOFER_SYMLINK_MAX + 1);
	if (length < 0) /* an empty name that is not a symlink gives ENOENT */
		return errno == ENOENT && !*name ? -EINVAL : -errno;
	if (length > (ssize_t)GOFER_SYMLINK_MAX)
		return -ENAMETOOLONG;
	reply->length = (uint32_t)length;
	call->reply_size += (uint32_t)length;
	return 0;
}
