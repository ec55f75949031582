/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MKDIR, SYMLINK, MKNOD and LINK.  What was just made is re-opened by name to
 * settle its owner; in a shared tree another process may have put something else of the
 * same type there, but never something outside the attach point.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

/* An O_PATH FD of the new object @name, whose type must be that of @mode. */
static int open_new(struct gofer_call *call, int dir_fd, const char *name, uint32_t mode,
		    uint32_t uid, uint32_t gid, struct gofer_attr *attr)
{
	AUTO_CLOSE int fd = open_component(dir_fd, name, 0);
	int err;

	if (fd < 0)
		return fd;
	err = attr_read(fd, "", attr);
	if (!err && (attr->mode ^ mode) & S_IFMT)
		err = -ESTALE;
	if (!err)
		err = attr_settle(call, fd, mode, uid, gid, attr);
	return err ? err : move_fd(&fd);
}

static bool owner_valid(uint32_t uid, uint32_t gid)
{
	return uid != UINT32_MAX && gid != UINT32_MAX;
}

int gofer_serve_mkdir(struct gofer_call *call)
{
	const struct gofer_mkdir_request *request = call->request;
	struct gofer_mkdir_reply *reply = call->reply;
	AUTO_CLOSE int fd = -1;
	const char *name;
	int dir_fd, err;

	if (request->mode & ~07777u || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_name(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	if (!owner_valid(request->uid, request->gid))
		return -EINVAL;
	dir_fd = call_node_fd(call, request->parent.node);
	if (dir_fd < 0)
		return dir_fd;
	if (mkdirat(dir_fd, name, request->mode & 0777) < 0)
		return -errno;
	fd = open_new(call, dir_fd, name, S_IFDIR | request->mode, request->uid, request->gid,
		      &reply->entry.attr);
	err = fd < 0 ? fd : call_add_node(call, &fd, S_IFDIR, &reply->entry.node);
	if (err)
		unlinkat(dir_fd, name, AT_REMOVEDIR);
	return err;
}

int gofer_serve_symlink(struct gofer_call *call)
{
	const struct gofer_symlink_request *request = call->request;
	struct gofer_symlink_reply *reply = call->reply;
	uint32_t length = request->target_length;
	AUTO_CLOSE int fd = -1;
	const char *name, *target;
	const void *bytes;
	int dir_fd;

	if (!length || length > GOFER_SYMLINK_MAX || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_name(call, &name) || call_take_bytes(call, length + 1, &bytes) || call_end(call))
		return GOFER_VIOLATION;
	target = bytes;
	for (uint32_t i = 0; i <= length; i++)
		if ((target[i] == 0) != (i == length))
			return GOFER_VIOLATION;
	if (!owner_valid(request->uid, request->gid))
		return -EINVAL;
	dir_fd = call_node_fd(call, request->parent.node);
	if (dir_fd < 0)
		return dir_fd;
	if (symlinkat(target, dir_fd, name) < 0)
		return -errno;
	fd = open_new(call, dir_fd, name, S_IFLNK, request->uid, request->gid, &reply->entry.attr);
	if (fd < 0)
		unlinkat(dir_fd, name, 0);
	return fd < 0 ? fd : 0;
}

int gofer_serve_mknod(struct gofer_call *call)
{
	const struct gofer_mknod_request *request = call->request;
	struct gofer_mknod_reply *reply = call->reply;
	uint32_t type = request->mode & S_IFMT;
	AUTO_CLOSE int fd = -1;
	const char *name;
	int dir_fd;

	if (request->mode & ~(uint32_t)(S_IFMT | 07777) || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_name(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	if (type == S_IFCHR || type == S_IFBLK)
		return -EPERM;
	if ((type != S_IFREG && type != S_IFIFO && type != S_IFSOCK) ||
	    !owner_valid(request->uid, request->gid))
		return -EINVAL;
	dir_fd = call_node_fd(call, request->parent.node);
	if (dir_fd < 0)
		return dir_fd;
	if (mknodat(dir_fd, name, type | (request->mode & 0777), 0) < 0)
		return -errno;
	fd = open_new(call, dir_fd, name, request->mode, request->uid, request->gid,
		      &reply->entry.attr);
	if (fd < 0)
		unlinkat(dir_fd, name, 0);
	return fd < 0 ? fd : 0;
}

int gofer_serve_link(struct gofer_call *call)
{
	const struct gofer_link_request *request = call->request;
	struct gofer_link_reply *reply = call->reply;
	const char *name, *new_name;
	int fd, dir_fd, ret;

	if (call_take_object(call, &name) || call_take_name(call, &new_name) || call_end(call))
		return GOFER_VIOLATION;
	fd = call_node_fd(call, request->object.node);
	dir_fd = call_node_fd(call, request->new_parent.node);
	if (fd < 0 || dir_fd < 0)
		return -ESTALE;
	if (*name) {
		ret = linkat(fd, name, dir_fd, new_name, 0);
	} else {
		/* AT_EMPTY_PATH would ask for a capability in the initial namespace. */
		struct fd_name self = fd_name(fd);

		ret = linkat(call->connection->server->proc_fd, self.text, dir_fd, new_name,
			     AT_SYMLINK_FOLLOW);
	}
	return ret < 0 ? -errno : attr_read(dir_fd, new_name, &reply->entry.attr);
}
