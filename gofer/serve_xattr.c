/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of regular files and directories.  Only names that mean
 * nothing to the host's kernel beyond the container pass: "user.*", and
 * "security.capability", which only an execve on the host would look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "gofer/call.h"
#include "util/cleanup.h"

#define USER_PREFIX "user."

static bool name_allowed(const char *name)
{
	return (!strncmp(name, USER_PREFIX, strlen(USER_PREFIX)) && name[strlen(USER_PREFIX)]) ||
	       !strcmp(name, "security.capability");
}

/* A readable FD of the object, owned by the caller; -ENODATA where it can have no attributes. */
static int open_for_xattr(struct gofer_call *call, uint64_t node, const char *name)
{
	AUTO_CLOSE int opened = -1;
	struct gofer_attr attr;
	int fd = call_object_fd(call, node, name, &opened);
	int err = fd < 0 ? fd : attr_read(fd, "", &attr);

	if (err)
		return err;
	if (!S_ISREG(attr.mode) && !S_ISDIR(attr.mode))
		return -ENODATA;
	return reopen(call, fd, O_RDONLY);
}

int gofer_serve_getxattr(struct gofer_call *call)
{
	const struct gofer_getxattr_request *request = call->request;
	struct gofer_getxattr_reply *reply = call->reply;
	const char *name, *xattr;
	AUTO_CLOSE int fd = -1;
	ssize_t size;

	if (request->size_max > GOFER_XATTR_SIZE_MAX || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_object(call, &name) || call_take_xattr_name(call, &xattr) || call_end(call))
		return GOFER_VIOLATION;
	if (!name_allowed(xattr))
		return -EOPNOTSUPP;
	fd = open_for_xattr(call, request->object.node, name);
	if (fd < 0)
		return fd;
	size = fgetxattr(fd, xattr, reply + 1, request->size_max);
	if (size < 0)
		return -errno;
	reply->size = (uint32_t)size;
	if (request->size_max)
		call->reply_size += (uint32_t)size;
	return 0;
}

int gofer_serve_setxattr(struct gofer_call *call)
{
	const struct gofer_setxattr_request *request = call->request;
	const char *name, *xattr;
	AUTO_CLOSE int fd = -1;
	const void *value;
	int flags;

	if (request->size > GOFER_XATTR_SIZE_MAX || request->flags > GOFER_XATTR_REPLACE)
		return GOFER_VIOLATION;
	if (call_take_object(call, &name) || call_take_xattr_name(call, &xattr) ||
	    call_take_bytes(call, request->size, &value) || call_end(call))
		return GOFER_VIOLATION;
	if (!name_allowed(xattr))
		return -EOPNOTSUPP;
	fd = open_for_xattr(call, request->object.node, name);
	if (fd < 0)
		return fd == -ENODATA ? -EPERM : fd;
	flags = (request->flags & GOFER_XATTR_CREATE ? XATTR_CREATE : 0) |
		(request->flags & GOFER_XATTR_REPLACE ? XATTR_REPLACE : 0);
	return fsetxattr(fd, xattr, value, request->size, flags) < 0 ? -errno : 0;
}

/* Keeps the names that may be seen; returns the new size. */
static uint32_t filter_names(char *list, size_t size)
{
	uint32_t kept = 0;

	for (size_t at = 0; at < size;) {
		size_t length = strnlen(list + at, size - at);

		if (length == size - at)
			break;
		if (name_allowed(list + at)) {
			memmove(list + kept, list + at, length + 1);
			kept += (uint32_t)length + 1;
		}
		at += length + 1;
	}
	return kept;
}

int gofer_serve_listxattr(struct gofer_call *call)
{
	const struct gofer_listxattr_request *request = call->request;
	struct gofer_listxattr_reply *reply = call->reply;
	AUTO_CLOSE int fd = -1;
	const char *name;
	ssize_t size;

	if (call_take_object(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	fd = open_for_xattr(call, request->object.node, name);
	if (fd == -ENODATA)
		return 0;
	if (fd < 0)
		return fd;
	size = flistxattr(fd, (char *)(reply + 1), GOFER_XATTR_SIZE_MAX);
	if (size < 0)
		return -errno;
	reply->size = filter_names((char *)(reply + 1), (size_t)size);
	call->reply_size += reply->size;
	return 0;
}

int gofer_serve_removexattr(struct gofer_call *call)
{
	const struct gofer_removexattr_request *request = call->request;
	const char *name, *xattr;
	AUTO_CLOSE int fd = -1;

	if (call_take_object(call, &name) || call_take_xattr_name(call, &xattr) || call_end(call))
		return GOFER_VIOLATION;
	if (!name_allowed(xattr))
		return -EOPNOTSUPP;
	fd = open_for_xattr(call, request->object.node, name);
	if (fd < 0)
		return fd == -ENODATA ? -EPERM : fd;
	return fremovexattr(fd, xattr) < 0 ? -errno : 0;
}
