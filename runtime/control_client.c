/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sanitize.h"
#include "util/cleanup.h"
#include "util/fd_pass.h"

#define CALL_TIMEOUT_SECONDS 60
#define REQUEST_BODY_MAX 64

/* The directory with the socket, an FD of the caller's. */
static int open_sandbox(const struct container *c)
{
	AUTO_CLOSE int root = -1;

	if (!c->sandbox)
		return fcntl(c->dir_fd, F_DUPFD_CLOEXEC, 0);
	root = open(c->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return openat(root, c->sandbox, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int control_connect(const struct container *c, int *out, struct error **err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	AUTO_CLOSE int dir = open_sandbox(c);
	struct timeval limit = { .tv_sec = CALL_TIMEOUT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CONTAINER_SOCKET,
		 dir);
	if (dir < 0)
		return error_set(err, -errno, "container not running");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return error_set_errno(err, -errno, "control socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == ECONNREFUSED || errno == ENOENT
			       ? error_set(err, -errno, "container not running")
			       : error_set_errno(err, -errno, "connect to the sandbox");
	*out = move_fd(&fd);
	return 0;
}

static int send_request(const struct container *c, int fd, const struct control_call *call)
{
	struct {
		struct control_header header;
		char body[REQUEST_BODY_MAX];
	} message = {
		.header = { CONTROL_MAGIC, CONTROL_VERSION, call->type, c->handle },
	};

	if (call->request_size > sizeof(message.body))
		return -E2BIG;
	memcpy(message.body, call->request, call->request_size);
	return fd_pass_send(fd, &message, sizeof(message.header) + call->request_size, call->fds,
			    call->fd_count);
}

/*
 * Receives a header and a body of exactly @size; a failure has none.  FDs are refused.  Whether
 * the type is one that may come is the caller's to check.
 */
static int receive_reply(int fd, struct control_reply_header *header, void *body, size_t size)
{
	struct iovec parts[] = { { header, sizeof(*header) }, { body, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	ssize_t got;

	do
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got == 0)
		return -EPIPE;
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)got < sizeof(*header) ||
	    header->magic != CONTROL_MAGIC || header->status > 0 || header->status < -4095)
		return -EPROTO;
	if ((size_t)got != sizeof(*header) + (header->status < 0 ? 0 : size))
		return -EPROTO;
	header->message[sizeof(header->message) - 1] = '\0';
	sanitize_text(header->message);
	return 0;
}

int control_call(const struct container *c, int fd, const struct control_call *call, struct error **err)
{
	struct control_reply_header header = { 0 };
	int ret = send_request(c, fd, call);

	if (ret == 0 && call->meanwhile && call->meanwhile(call->meanwhile_arg, err) < 0)
		return error_code(*err);
	if (ret == 0)
		ret = receive_reply(fd, &header, call->reply, call->reply_size);
	if (ret == 0 && header.type != (uint32_t)call->type)
		ret = -EPROTO;
	if (ret == -EPIPE || ret == -ECONNRESET)
		return error_set(err, ret, "container not running");
	if (ret < 0)
		return error_set_errno(err, ret, "talk to the sandbox");
	if (header.status < 0 && header.message[0])
		return error_set(err, header.status, "%s", header.message);
	if (header.status < 0)
		return error_set_errno(err, header.status, "the sandbox refused");
	return 0;
}

int control_call_once(const struct container *c, const struct control_call *call,
		      struct error **err)
{
	AUTO_CLOSE int fd = -1;

	if (control_connect(c, &fd, err) < 0)
		return error_code(*err);
	return control_call(c, fd, call, err);
}

int control_state(const struct container *c, struct control_state_reply *out, struct error **err)
{
	return control_call_once(c,
				 &(struct control_call){ .type = CONTROL_STATE,
							 .request = &(struct control_empty){ 0 },
							 .request_size = sizeof(struct control_empty),
							 .reply = out,
							 .reply_size = sizeof(*out) },
				 err);
}

int control_signal(const struct container *c, const struct control_signal_request *request,
		   struct error **err)
{
	return control_call_once(c, CONTROL_CALL(CONTROL_SIGNAL, request), err);
}

int control_read_exit(int fd, uint32_t *wait_status)
{
	struct control_reply_header header = { 0 };
	struct control_exited body = { 0 };
	int ret = receive_reply(fd, &header, &body, sizeof(body));

	if (ret == 0 && (header.status < 0 || header.type != CONTROL_EVENT_EXITED))
		ret = -EPROTO;
	if (ret == 0)
		*wait_status = body.wait_status;
	return ret;
}

int control_read_ready(int fd)
{
	struct control_reply_header header = { 0 };
	struct control_exited body = { 0 };
	int ret = receive_reply(fd, &header, &body, sizeof(body));

	if (ret < 0)
		return ret;
	if (header.status < 0)
		return -EPROTO;
	if (header.type == CONTROL_EVENT_READY)
		return 1;
	return header.type == CONTROL_EVENT_EXITED ? 0 : -EPROTO;
}

int control_exit_code(uint32_t wait_status)
{
	int status = (int)wait_status;

	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
