/* SPDX-License-Identifier: Apache-2.0 */
/* UNLINK, RENAME and RELEASE. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gofer/call.h"

int gofer_serve_unlink(struct gofer_call *call)
{
	const struct gofer_unlink_request *request = call->request;
	const char *name;
	int dir_fd;

	if (request->flags & ~GOFER_UNLINK_DIRECTORY || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_name(call, &name) || call_end(call))
		return GOFER_VIOLATION;
	dir_fd = call_node_fd(call, request->parent.node);
	if (dir_fd < 0)
		return dir_fd;
	if (unlinkat(dir_fd, name, request->flags & GOFER_UNLINK_DIRECTORY ? AT_REMOVEDIR : 0) < 0)
		return -errno;
	return 0;
}

int gofer_serve_rename(struct gofer_call *call)
{
	const struct gofer_rename_request *request = call->request;
	const char *old_name, *new_name;
	int old_fd, new_fd;
	unsigned int flags;

	if (request->flags > GOFER_RENAME_EXCHANGE || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_name(call, &old_name) || call_take_name(call, &new_name) || call_end(call))
		return GOFER_VIOLATION;
	old_fd = call_node_fd(call, request->old_parent.node);
	new_fd = call_node_fd(call, request->new_parent.node);
	if (old_fd < 0 || new_fd < 0)
		return -ESTALE;
	flags = (request->flags & GOFER_RENAME_NOREPLACE ? RENAME_NOREPLACE : 0) |
		(request->flags & GOFER_RENAME_EXCHANGE ? RENAME_EXCHANGE : 0);
	return renameat2(old_fd, old_name, new_fd, new_name, flags) < 0 ? -errno : 0;
}

static void forget_listing(struct gofer_listing *listing)
{
	if (listing->fd >= 0)
		close(listing->fd);
	listing->fd = -1;
}

int gofer_serve_release(struct gofer_call *call)
{
	const struct gofer_release_request *request = call->request;
	struct gofer_connection *connection = call->connection;
	const void *bytes;

	if (!request->count || request->count > GOFER_RELEASE_MAX || request->reserved)
		return GOFER_VIOLATION;
	if (call_take_bytes(call, request->count * (uint32_t)sizeof(uint64_t), &bytes) || call_end(call))
		return GOFER_VIOLATION;
	for (uint32_t i = 0; i < request->count; i++) {
		uint64_t node;

		memcpy(&node, (const uint64_t *)bytes + i, sizeof(node));
		if (node == connection->root_node)
			continue;
		if (node == connection->listing.node)
			forget_listing(&connection->listing);
		gofer_node_remove(&connection->nodes, node);
	}
	return 0;
}
