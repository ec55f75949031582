/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's control server against any message.  The first byte of an input says how many FDs
 * come with the message (the first of them a memfd), the second how long the message is; behind
 * the message stands the memfd's content.  Unless the message's type has its high bit set, its
 * magic and version are put right.  Never may: an FD leak, an operation be called with what the
 * protocol rules out, or an answer be of another size than its row says.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sentry/control/boot_channel.h"
#include "sentry/control/control_connection.h"
#include "tests/fuzz/fuzz.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/fd_pass.h"

#define FDS_MAX 8u

static struct control_server server;
static struct control_connection *connection;
static int peer;

static int op_start(void *arg, struct control_failure *why)
{
	control_failure_set(why, "no start");
	return -EBUSY;
}

static int op_exec(void *arg, struct control_exec *exec, int32_t *pid, struct control_failure *why)
{
	const struct boot_process *p = exec->process;

	fuzz_check(p->args.count > 0 && p->args.items[0] && p->cwd, "an incomplete process");
	fuzz_check(exec->fd_count == 3 + (size_t)p->extra_fd_count, "FDs and their count disagree");
	fuzz_check(exec->place_fd >= -1, "no FD to place by");
	for (size_t i = 0; i < exec->fd_count; i++)
		fuzz_check(exec->fds[i] >= 0, "an FD that is none");
	/* Sometimes one is kept, as stdio is. */
	close(exec->fds[0]);
	exec->fds[0] = -1;
	*pid = 7;
	return p->uid % 2 ? -ENOENT : 0;
}

static int op_wait(void *arg, int32_t pid, uint64_t token, struct control_failure *why)
{
	fuzz_check(pid >= 0, "a wait for no process");
	return pid == CONTROL_PID_INIT ? 0 : -ESRCH;
}

static int op_notify(void *arg, uint64_t token, struct control_failure *why)
{
	return token % 2 ? -ENOENT : 0;
}

static int op_signal(void *arg, const struct control_signal_request *request,
		     struct control_failure *why)
{
	fuzz_check(request->signal >= 0 && request->signal <= 64, "a signal out of range");
	fuzz_check(request->all || request->pid >= 0, "a signal to no process");
	return 0;
}

static int op_resize(void *arg, int32_t pid, struct control_failure *why)
{
	fuzz_check(pid >= 0, "a terminal of no process");
	return 0;
}

static int op_state(void *arg, struct control_state_reply *out, struct control_failure *why)
{
	out->process_count = 1;
	return 0;
}

static int op_ps(void *arg, int32_t after, struct control_ps_reply *out, struct control_failure *why)
{
	fuzz_check(after >= 0, "a negative pid");
	return 0;
}

static int op_tasks(void *arg, const struct control_tasks_request *request,
		    struct control_tasks_reply *out, struct control_failure *why)
{
	fuzz_check(request->after_pid >= 0 && request->after_tid >= 0, "a negative thread");
	return 0;
}

static int op_strace(void *arg, bool on, struct control_failure *why)
{
	return on ? -ENOENT : 0;
}

static int op_attack(void *arg, const struct control_attack_request *request,
		     struct control_attack_reply *out, struct control_failure *why)
{
	return 0;
}

/* There are containers 0 and 1. */
static void *op_container_get(void *arg, uint32_t handle)
{
	return handle <= 1 ? &server : NULL;
}

static int op_create(void *arg, struct control_create *create, struct control_create_reply *out,
		     struct control_failure *why)
{
	struct boot_files files;
	int ret;

	fuzz_check(create->request->pid_namespace <= CONTROL_PID_NAMESPACE_JOIN,
		   "a PID namespace of no kind");
	/* No socket, and it must be neither waited for nor kept. */
	ret = boot_channel_receive(create->channel, BOOT_CONTAINER, &files);
	fuzz_check(ret < 0, "files from what is no channel");
	out->handle = 1;
	return create->request->join % 2 ? ret : 0;
}

static int op_destroy(void *arg, struct control_failure *why)
{
	return -EBUSY;
}

static const struct control_ops ops = {
	.container_get = op_container_get,
	.create = op_create,
	.destroy = op_destroy,
	.start = op_start,
	.exec = op_exec,
	.wait = op_wait,
	.notify = op_notify,
	.signal = op_signal,
	.resize = op_resize,
	.state = op_state,
	.ps = op_ps,
	.tasks = op_tasks,
	.strace = op_strace,
	.attack = op_attack,
};

static void set_up(void)
{
	int pair[2];

	if (connection)
		return;
	server.ops = &ops;
	mutex_init(&server.lock, LOCK_RANK_LEAF);
	list_init(&server.watches);
	list_init(&server.jobs);
	server.no_threads = true;
	server.event_fd = eventfd(0, EFD_CLOEXEC);
	fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
		   "no socketpair");
	connection = &server.connections[0];
	connection->fd = pair[0];
	peer = pair[1];
}

static int lowest_free_fd(void)
{
	int fd = dup(peer);

	close(fd);
	return fd;
}

static size_t reply_size_of(uint32_t type)
{
	switch (type) {
#define X(NAME, name, request, reply, fds) \
	case CONTROL_##NAME:               \
		return sizeof(struct reply);
		CONTROL_REQUESTS(X)
#undef X
	default:
		return 0;
	}
}

/* What came back, and no more than one message. */
static void check_reply(int served, const struct control_header *request)
{
	static char buffer[1 << 17];
	ssize_t size = recv(peer, buffer, sizeof(buffer), 0);
	struct control_reply_header header;

	if (served < 0) {
		fuzz_check(size < 0, "an answer to what ended the connection");
		return;
	}
	fuzz_check(size >= (ssize_t)sizeof(header), "no answer");
	memcpy(&header, buffer, sizeof(header));
	fuzz_check(header.magic == CONTROL_MAGIC && header.type == request->type && header.status <= 0,
		   "an answer to something else");
	fuzz_check((size_t)size == sizeof(header) +
					   (header.status < 0 ? 0 : reply_size_of(request->type)),
		   "an answer of impossible size");
	fuzz_check(memchr(header.message, 0, sizeof(header.message)) != NULL, "a message without end");
	fuzz_check(recv(peer, buffer, 1, 0) < 0, "two answers");
}

static void forget_watches(void)
{
	struct control_watch *watch, *next;

	list_for_each_safe(watch, next, &server.watches, node) {
		fuzz_check(watch->announced, "a watch of a request that failed is left");
		control_watch_remove(&server, watch);
	}
}

static int content_fd(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memfd");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		struct control_header header;
		uint8_t bytes[256];
	} message = { 0 };
	unsigned fd_count;
	size_t length;
	int fds[FDS_MAX], lowest_fd, served;

	if (size < 3 || size > FUZZ_INPUT_MAX)
		return 0;
	set_up();
	/* Each time anew: libFuzzer opens some of its own between two inputs. */
	lowest_fd = lowest_free_fd();
	fd_count = data[0] % (FDS_MAX + 1);
	length = MIN((size_t)data[1], size - 2);
	length = length ? length : 1;
	memcpy(message.bytes, data + 2, length);
	if (!(message.header.type & 0x80000000u)) {
		message.header.magic = CONTROL_MAGIC;
		message.header.version = CONTROL_VERSION;
	}
	fds[0] = content_fd(data + 2 + length, size - 2 - length);
	for (unsigned i = 1; i < FDS_MAX; i++)
		fds[i] = peer;
	fuzz_check(fd_pass_send(peer, &message, length, fds, fd_count) == 0, "cannot send");
	close(fds[0]);
	served = control_request_serve(&server, connection);
	control_jobs_finish(&server);
	check_reply(served, &message.header);
	forget_watches();
	fuzz_check(lowest_free_fd() == lowest_fd, "an FD leaks");
	return 0;
}

static size_t request_size_of(uint32_t type)
{
	switch (type) {
#define X(NAME, name, request, reply, fds) \
	case CONTROL_##NAME:               \
		return sizeof(struct request);
		CONTROL_REQUESTS(X)
#undef X
	default:
		return fuzz_random(64);
	}
}

/* The process of an EXEC, with @extra more FDs. */
static size_t make_process(uint8_t *out, uint32_t extra)
{
	char *args[] = { (char[]){ "sh" }, (char[]){ "" }, NULL };
	char *none[] = { NULL };
	struct boot_process process = {
		.program = (char[]){ "" }, .args = { args, 2 }, .env = { none, 0 }, .cgroups = { none, 0 }, .cwd = (char[]){ "/" },
		.uid = fuzz_random(4), .extra_fd_count = extra,
	};
	AUTO_FREE void *blob = NULL;
	size_t size;

	fuzz_check(boot_process_encode(&process, &blob, &size) == 0, "cannot be encoded");
	memcpy(out, blob, size);
	fuzz_flip(out, size, fuzz_random(8) ? 0 : 1 + fuzz_random(2));
	return size;
}

static size_t generate(uint8_t *out)
{
	struct control_header header = { CONTROL_MAGIC, CONTROL_VERSION,
					 fuzz_random(CONTROL_TYPE_COUNT + 1),
					 fuzz_random(4) ? 0 : fuzz_random(3) };
	size_t size = sizeof(header) + request_size_of(header.type);
	uint32_t extra = 0;

	if (size > 200)
		size = 200;
	memset(out, 0, 2 + size);
	memcpy(out + 2, &header, sizeof(header));
	for (size_t at = sizeof(header); at + 4 <= size; at += 4) {
		uint32_t value = fuzz_random(3) ? fuzz_random(5) : fuzz_random(UINT32_MAX);

		memcpy(out + 2 + at, &value, sizeof(value));
	}
	if (header.type == CONTROL_EXEC) {
		extra = fuzz_random(3);
		out[0] = (uint8_t)(CONTROL_EXEC_FIXED_FDS + extra);
		memcpy(out + 2 + sizeof(header), &(uint32_t){ out[0] }, 4);
	}
	if (header.type == CONTROL_CREATE)
		out[0] = 1;
	if (!fuzz_random(8))
		out[0] = (uint8_t)fuzz_random(FDS_MAX + 1);
	out[1] = (uint8_t)(fuzz_random(16) ? size : fuzz_random(200));
	if (!fuzz_random(8))
		fuzz_flip(out + 2, size, 2);
	if (out[1] > size)
		memset(out + 2 + size, 0, out[1] - size);
	return 2u + out[1] + make_process(out + 2 + out[1], extra);
}

const struct fuzz_target fuzz_target = { "control_requests", 20000, generate };
