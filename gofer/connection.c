/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: receive, check what the table says about the message, serve,
 * answer.  The request is in private memory before anything looks at it.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gofer/server.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#define NODE_LIMIT_MAX 65536u
/* FDs kept back for sockets, roots, the log, and those open during a call. */
#define FD_RESERVE 64

#ifndef MOAT_DEBUG
#define gofer_serve_debug_attack NULL
#endif

static const struct gofer_message_info messages[GOFER_MESSAGE_END] = {
#define GOFER_MESSAGE_ROW(number, NAME, message, message_kind)                      \
	[number] = {                                                                \
		.name = #NAME,                                                      \
		.serve = gofer_serve_##message,                                     \
		.request_size = sizeof(struct gofer_##message##_request),           \
		.reply_size = sizeof(struct gofer_##message##_reply),               \
		.kind = GOFER_KIND_##message_kind,                                  \
	},
	GOFER_MESSAGES(GOFER_MESSAGE_ROW)
#undef GOFER_MESSAGE_ROW
};

const struct gofer_message_info *gofer_message_info(uint32_t type)
{
	return type < GOFER_MESSAGE_END && messages[type].serve ? &messages[type] : NULL;
}

void gofer_server_init(struct gofer_server *server, int proc_fd, bool debug)
{
	struct rlimit limit;
	int64_t budget = 1024;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
			limit.rlim_cur = 1024;
		budget = (int64_t)MIN(limit.rlim_cur, (rlim_t)INT32_MAX);
	}
	server->proc_fd = proc_fd;
	server->debug = debug;
	server->node_limit = NODE_LIMIT_MAX;
	atomic_init(&server->fd_budget, MAX(budget - FD_RESERVE, 0));
}

int gofer_connection_new(struct gofer_server *server, uint32_t index, int root_fd, int socket_fd,
			 bool read_only, struct gofer_connection **out)
{
	struct gofer_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		close(root_fd);
		close(socket_fd);
		return -ENOMEM;
	}
	connection->server = server;
	connection->index = index;
	connection->root = root_fd;
	connection->socket = socket_fd;
	connection->read_only = read_only;
	connection->listing.fd = -1;
	gofer_node_table_init(&connection->nodes, server->node_limit, &server->fd_budget);
	*out = connection;
	return 0;
}

void gofer_connection_free(struct gofer_connection *connection)
{
	if (!connection)
		return;
	gofer_node_table_destroy(&connection->nodes);
	if (connection->listing.fd >= 0)
		close(connection->listing.fd);
	if (connection->root >= 0)
		close(connection->root);
	close(connection->socket);
	free(connection);
}

/* What the table can tell about a request before its handler sees it. */
static int check_request(const struct gofer_connection *connection,
			 const struct gofer_request *request, uint32_t size,
			 const struct gofer_message_info **info)
{
	const struct gofer_message_info *found;

	if (size < sizeof(*request) || request->size != size)
		return GOFER_VIOLATION;
	found = gofer_message_info(request->type);
	if (!found || size < found->request_size)
		return GOFER_VIOLATION;
	if ((request->type == GOFER_ATTACH) != !connection->root_node)
		return GOFER_VIOLATION;
	if (found->kind == GOFER_KIND_DEBUG && !connection->server->debug)
		return GOFER_VIOLATION;
	*info = found;
	return 0;
}

static int serve(struct gofer_call *call, const struct gofer_message_info *info)
{
	int err;

	if (info->kind == GOFER_KIND_MODIFY && call->connection->read_only)
		return -EROFS;
	err = info->serve(call);
	if (err && call->fd >= 0)
		close(move_fd(&call->fd));
	return err;
}

int gofer_connection_answer(struct gofer_connection *connection, struct gofer_buffers *buffers,
			    uint32_t size, int *fd)
{
	const struct gofer_request *request = (const void *)buffers->request;
	struct gofer_reply *reply = (void *)buffers->reply;
	const struct gofer_message_info *info;
	struct gofer_call call;
	int err = check_request(connection, request, size, &info);

	if (!err) {
		call = (struct gofer_call){
			.connection = connection,
			.request = request,
			.tail = buffers->request + info->request_size,
			.tail_size = size - info->request_size,
			.reply = reply,
			.reply_size = info->reply_size,
			.scratch = buffers->scratch,
			.scratch_size = sizeof(buffers->scratch),
			.fd = -1,
		};
		memset(reply, 0, info->reply_size);
		err = serve(&call, info);
	}
	if (err == GOFER_VIOLATION) {
		log_warning("attach point %u: malformed request (type %u, %u bytes): connection ended",
			    connection->index, size >= sizeof(*request) ? request->type : 0, size);
		return -EPROTO;
	}
	*fd = err ? -1 : call.fd;
	*reply = (struct gofer_reply){
		.size = err ? (uint32_t)sizeof(*reply) : call.reply_size,
		.type = request->type,
		.sequence = request->sequence,
		.error = err,
	};
	return 0;
}

/* The number of bytes received, or a negative errno.  FDs that came along were never installed. */
static ssize_t receive(int socket, struct gofer_buffers *buffers)
{
	struct iovec iov = { buffers->request, sizeof(buffers->request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do {
		n = recvmsg(socket, &msg, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EPROTO : n;
}

static int send_reply(int socket, const struct gofer_buffers *buffers, int fd)
{
	const struct gofer_reply *reply = (const void *)buffers->reply;
	struct iovec iov = { (void *)(uintptr_t)reply, reply->size };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int gofer_connection_serve(struct gofer_connection *connection, struct gofer_buffers *buffers)
{
	AUTO_CLOSE int fd = -1;
	ssize_t size = receive(connection->socket, buffers);
	int err;

	if (size == -EPROTO)
		log_warning("attach point %u: oversized request or one with descriptors: connection ended",
			    connection->index);
	if (size < 0)
		return (int)size;
	err = gofer_connection_answer(connection, buffers, (uint32_t)size, &fd);
	return err ? err : send_reply(connection->socket, buffers, fd);
}
