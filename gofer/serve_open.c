/* SPDX-License-Identifier: Apache-2.0 */
/* OPEN, CREATE and FSYNC: the FDs that are donated, always of regular files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

/* O_* for enum gofer_access, or -1. */
static int access_flags(uint32_t access)
{
	switch (access) {
	case GOFER_READ:
		return O_RDONLY;
	case GOFER_WRITE:
		return O_WRONLY;
	case GOFER_READ_WRITE:
		return O_RDWR;
	default:
		return -1;
	}
}

/* Why something that is not a regular file is not opened. */
static int refuse_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 0;
	case S_IFDIR:
		return -EISDIR;
	case S_IFLNK:
		return -ELOOP;
	case S_IFCHR:
	case S_IFBLK:
		return -EACCES;
	default:
		return -ENXIO;
	}
}

int gofer_serve_open(struct gofer_call *call)
{
	const struct gofer_open_request *request = call->request;
	struct gofer_open_reply *reply = call->reply;
	int flags = access_flags(request->access);
	AUTO_CLOSE int opened = -1;
	const char *name;
	int fd, err;

	if (flags < 0 || request->flags & ~GOFER_OPEN_NODE)
		return GOFER_VIOLATION;
	if (call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	if (request->access & GOFER_WRITE && call->connection->read_only)
		return -EROFS;
	fd = call_object_fd(call, request->object.node, name, &opened);
	if (fd < 0)
		return fd;
	err = attr_read(fd, "", &reply->entry.attr);
	if (!err)
		err = refuse_type(reply->entry.attr.mode);
	if (err)
		return err;
	call->fd = reopen(call, fd, flags);
	if (call->fd < 0)
		return call->fd;
	reply->entry.node = *name ? 0 : request->object.node;
	if (!(request->flags & GOFER_OPEN_NODE) || reply->entry.node)
		return 0;
	return call_add_node(call, &opened, reply->entry.attr.mode, &reply->entry.node);
}

/* Owner, mode and node of the new file behind call->fd. */
static int finish_create(struct gofer_call *call, const struct gofer_create_request *request,
			 struct gofer_entry *entry)
{
	AUTO_CLOSE int path = reopen(call, call->fd, O_PATH);
	int err;

	if (path < 0)
		return path;
	err = attr_read(path, "", &entry->attr);
	if (!err)
		err = attr_settle(call, path, request->mode, request->uid, request->gid,
				  &entry->attr);
	return err ? err : call_add_node(call, &path, entry->attr.mode, &entry->node);
}

int gofer_serve_create(struct gofer_call *call)
{
	const struct gofer_create_request *request = call->request;
	struct gofer_create_reply *reply = call->reply;
	int flags = access_flags(request->access);
	const char *name;
	int dir_fd, err;

	if (flags < 0 || request->mode & ~07777u)
		return GOFER_VIOLATION;
	if (call_take_name(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	if (request->uid == UINT32_MAX || request->gid == UINT32_MAX)
		return -EINVAL;
	dir_fd = call_node_fd(call, request->parent.node);
	if (dir_fd < 0)
		return dir_fd;
	/* O_EXCL: a symlink at @name is not followed, and nothing existing is opened. */
	call->fd = openat(dir_fd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
			  request->mode & 0777);
	if (call->fd < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	err = finish_create(call, request, &reply->entry);
	if (err)
		unlinkat(dir_fd, name, 0);
	return err;
}

int gofer_serve_fsync(struct gofer_call *call)
{
	const struct gofer_fsync_request *request = call->request;
	AUTO_CLOSE int opened = -1;
	const struct gofer_node *node;
	int err;

	if (call_end(call) || request->flags & ~GOFER_FSYNC_DATA || request->reserved)
		return GOFER_VIOLATION;
	node = gofer_node_find(&call->connection->nodes, request->node);
	if (!node)
		return -ESTALE;
	if (node->type != S_IFREG && node->type != S_IFDIR)
		return -EINVAL;
	opened = reopen(call, node->fd, O_RDONLY);
	if (opened < 0)
		return opened;
	err = request->flags & GOFER_FSYNC_DATA ? fdatasync(opened) : fsync(opened);
	return err < 0 ? -errno : 0;
}
