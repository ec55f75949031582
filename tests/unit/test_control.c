/* SPDX-License-Identifier: Apache-2.0 */
/* The control server over a real socket, with operations that note what they were asked. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sentry/control/control_server.h"
#include "util/fd_pass.h"

static char directory[64];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct control_server *server;
static _Atomic int killed_pid;
static _Atomic uint64_t last_token;
static _Atomic int strace_on, execs, kills;
static int slow[2]; /* an exec of "slow" waits for a byte in it */

static int op_start(void *arg, struct control_failure *why)
{
	control_failure_set(why, "no %s", "start");
	return -EBUSY;
}

/* "early": has ended before the answer is sent. */
static int op_exec(void *arg, struct control_exec *exec, int32_t *pid, struct control_failure *why)
{
	assert_int_equal(exec->fd_count, 3);
	assert_int_equal(exec->place_fd >= 0, strstr(exec->process->args.items[0], "placed") != NULL);
	last_token = exec->token;
	*pid = 7;
	if (!strcmp(exec->process->args.items[0], "early"))
		control_server_process_exited(server, exec->token, 3 << 8);
	if (!strcmp(exec->process->args.items[0], "slow")) {
		char byte;

		assert_int_equal(read(slow[0], &byte, 1), 1);
	}
	execs++;
	return 0;
}

static enum { NOTIFY_LATER, NOTIFY_READY, NOTIFY_EXITED } notify_early; /* before the answer is sent */

static int op_notify(void *arg, uint64_t token, struct control_failure *why)
{
	last_token = token;
	if (notify_early == NOTIFY_READY)
		control_server_ready(server, token);
	if (notify_early == NOTIFY_EXITED)
		control_server_process_exited(server, token, 3 << 8);
	return 0;
}

static int op_signal(void *arg, const struct control_signal_request *request,
		     struct control_failure *why)
{
	killed_pid = request->pid;
	kills++;
	return 0;
}

static int op_tasks(void *arg, const struct control_tasks_request *request,
		    struct control_tasks_reply *out, struct control_failure *why)
{
	assert_int_equal(out->count + out->more, 0);
	out->count = 1;
	out->tasks[0].pid = request->after_pid;
	out->tasks[0].tid = request->after_tid + 1;
	return 0;
}

static int op_strace(void *arg, bool on, struct control_failure *why)
{
	strace_on = on;
	return 0;
}

static const struct control_ops ops = {
	.start = op_start,
	.exec = op_exec,
	.notify = op_notify,
	.signal = op_signal,
	.tasks = op_tasks,
	.strace = op_strace,
};

static int connect_server(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int set_up(void **state)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	close(unit_directory(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return control_server_start(fd, &ops, NULL, &server);
}

static int tear_down(void **state)
{
	control_server_stop(server);
	unlink(address.sun_path);
	return rmdir(directory);
}

static void request(int fd, uint32_t type, const void *body, size_t size, const int *fds,
		    size_t fd_count)
{
	char message[256];
	struct control_header header = { CONTROL_MAGIC, CONTROL_VERSION, type, 0 };

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), body, size);
	assert_int_equal(fd_pass_send(fd, message, sizeof(header) + size, fds, fd_count), 0);
}

static ssize_t answer(int fd, struct control_reply_header *header, void *body, size_t size)
{
	char message[32768];
	ssize_t n = recv(fd, message, sizeof(message), 0);

	if (n >= (ssize_t)sizeof(*header)) {
		memcpy(header, message, sizeof(*header));
		memcpy(body, message + sizeof(*header), size);
	}
	return n;
}

/* @count FDs, the last of which is for the placing if @place is 1. */
static void exec_request_with(int fd, const char *name, uint32_t place, uint32_t count)
{
	char *args[] = { (char *)(uintptr_t)name, NULL };
	char *none[] = { NULL };
	struct boot_process process = {
		.program = (char[]){ "" },
		.args = { args, 1 },
		.env = { none, 0 },
		.cgroups = { none, 0 },
		.cwd = (char[]){ "/" },
	};
	struct control_exec_request body = { .fd_count = count, .place = place };
	int fds[CONTROL_EXEC_FIXED_FDS + 1];
	void *blob;
	size_t size;

	assert_int_equal(boot_process_encode(&process, &blob, &size), 0);
	fds[0] = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(write(fds[0], blob, size), size);
	lseek(fds[0], 0, SEEK_SET);
	for (uint32_t i = 1; i < count; i++)
		fds[i] = fds[0];
	request(fd, CONTROL_EXEC, &body, sizeof(body), fds, count);
	close(fds[0]);
	free(blob);
}

static void exec_request(int fd, const char *name)
{
	exec_request_with(fd, name, 0, CONTROL_EXEC_FIXED_FDS);
}

static void test_failure(void **state)
{
	struct control_empty empty = { 0 };
	struct control_reply_header header;
	int fd = connect_server();

	request(fd, CONTROL_START, &empty, sizeof(empty), NULL, 0);
	assert_int_equal(answer(fd, &header, &empty, 0), sizeof(header));
	assert_int_equal(header.status, -EBUSY);
	assert_string_equal(header.message, "no start");
	request(fd, CONTROL_SHUTDOWN, &empty, sizeof(empty), NULL, 0);
	assert_int_equal(answer(fd, &header, &empty, 0), sizeof(header));
	assert_int_equal(header.status, -ENOSYS);
	close(fd);
}

static void expect_exit(int fd, const char *name, bool later)
{
	struct control_reply_header header;
	struct control_exec_reply reply;
	struct control_exited exited;

	exec_request(fd, name);
	assert_int_equal(answer(fd, &header, &reply, sizeof(reply)), sizeof(header) + sizeof(reply));
	assert_int_equal(header.type, CONTROL_EXEC);
	assert_int_equal(reply.pid, 7);
	if (later)
		control_server_process_exited(server, last_token, 3 << 8);
	assert_int_equal(answer(fd, &header, &exited, sizeof(exited)), sizeof(header) + sizeof(exited));
	assert_int_equal(header.type, CONTROL_EVENT_EXITED);
	assert_int_equal(exited.wait_status, 3 << 8);
}

static void test_exit_order(void **state)
{
	int fd = connect_server();

	for (int i = 0; i < 100; i++)
		expect_exit(fd, i % 2 ? "early" : "late", i % 2 == 0);
	close(fd);
}

static int exec_status(int fd, uint32_t place, uint32_t count)
{
	struct control_reply_header header;
	struct control_exec_reply reply;

	exec_request_with(fd, place ? "early, placed" : "early", place, count);
	answer(fd, &header, &reply, sizeof(reply));
	return header.status;
}

/* The last FD is the process's own without `place`, and must be there with it. */
static void test_place(void **state)
{
	int fd = connect_server();
	int32_t before = execs;

	assert_int_equal(exec_status(fd, 0, CONTROL_EXEC_FIXED_FDS + 1), -EPROTO);
	assert_int_equal(exec_status(fd, 1, CONTROL_EXEC_FIXED_FDS), -EPROTO);
	assert_int_equal(exec_status(fd, 2, CONTROL_EXEC_FIXED_FDS + 1), -EPROTO);
	assert_int_equal(execs, before);
	assert_int_equal(exec_status(fd, 1, CONTROL_EXEC_FIXED_FDS + 1), 0);
	assert_int_equal(execs, before + 1);
	control_server_process_exited(server, last_token, 0);
	close(fd);
}

/* A closed connection kills what it started, and only that. */
static void test_abandoned(void **state)
{
	struct control_reply_header header;
	struct control_exec_reply reply;
	int fd = connect_server();

	killed_pid = 0;
	expect_exit(fd, "early", false);
	close(fd);
	fd = connect_server();
	exec_request(fd, "late");
	answer(fd, &header, &reply, sizeof(reply));
	assert_int_equal(killed_pid, 0);
	close(fd);
	for (int i = 0; i < 1000 && killed_pid == 0; i++)
		poll(NULL, 0, 5);
	assert_int_equal(killed_pid, 7);
	control_server_process_exited(server, last_token, 9);
}

/* Readiness, or the end where that is first: one event either way. */
static void test_notify(void **state)
{
	struct control_empty body = { 0 }, reply;
	struct control_reply_header header;
	struct control_exited event;
	int fd = connect_server();

	for (int i = 0; i < 100; i++) {
		bool ready = i % 2 == 0, early = i % 4 < 2;

		notify_early = early ? ready ? NOTIFY_READY : NOTIFY_EXITED : NOTIFY_LATER;
		request(fd, CONTROL_NOTIFY, &body, sizeof(body), NULL, 0);
		assert_int_equal(answer(fd, &header, &reply, sizeof(reply)), sizeof(header) + sizeof(reply));
		assert_int_equal(header.type, CONTROL_NOTIFY);
		assert_int_equal(header.status, 0);
		if (!early && ready)
			control_server_ready(server, last_token);
		control_server_process_exited(server, last_token, 3 << 8);
		assert_int_equal(answer(fd, &header, &event, sizeof(event)), sizeof(header) + sizeof(event));
		assert_int_equal(header.type, ready ? CONTROL_EVENT_READY : CONTROL_EVENT_EXITED);
		assert_int_equal(event.wait_status, ready ? 0 : 3 << 8);
	}
	close(fd);
}

static void wait_for(_Atomic int *what, int count)
{
	for (int i = 0; i < 1000 && *what < count; i++)
		poll(NULL, 0, 5);
	assert_int_equal(*what, count);
}

static void let_go(void)
{
	assert_int_equal(write(slow[1], "x", 1), 1);
}

/* One that takes long holds up no other request but those that may, of the same container. */
static void test_slow(void **state)
{
	int first = connect_server(), second = connect_server(), other = connect_server();
	struct control_strace_request strace = { .on = 1 };
	struct control_reply_header header;
	struct control_exec_reply reply;
	struct control_empty empty;

	assert_int_equal(pipe2(slow, O_CLOEXEC), 0);
	execs = kills = 0;
	exec_request(first, "slow");
	exec_request(second, "late");
	for (int i = 0; i < 10; i++) {
		request(other, CONTROL_STRACE, &strace, sizeof(strace), NULL, 0);
		assert_int_equal(answer(other, &header, &empty, sizeof(empty)),
				 sizeof(header) + sizeof(empty));
	}
	/* What was sent while the first has no answer is read afterwards. */
	request(first, CONTROL_STRACE, &strace, sizeof(strace), NULL, 0);
	assert_int_equal(execs, 0);
	let_go();
	answer(first, &header, &reply, sizeof(reply));
	assert_int_equal(header.type, CONTROL_EXEC);
	answer(first, &header, &empty, sizeof(empty));
	assert_int_equal(header.type, CONTROL_STRACE);
	answer(second, &header, &reply, sizeof(reply));
	assert_int_equal(header.type, CONTROL_EXEC);
	assert_int_equal(execs, 2);
	close(second);
	close(first);
	wait_for(&kills, 2);
	/* Who does not wait for the answer loses what came of the request. */
	first = connect_server();
	exec_request(first, "slow");
	close(first);
	request(other, CONTROL_STRACE, &strace, sizeof(strace), NULL, 0);
	answer(other, &header, &empty, sizeof(empty));
	assert_int_equal(kills, 2);
	let_go();
	wait_for(&kills, 3);
	assert_int_equal(execs, 3);
	close(other);
	close(slow[0]);
	close(slow[1]);
}

/* Anything malformed ends the connection, and nothing else. */
static void test_malformed(void **state)
{
	struct control_header header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_START, 0 };
	struct {
		struct control_header header;
		char body[200];
	} messages[] = {
		{ .header = { 0, CONTROL_VERSION, CONTROL_START, 0 } },
		{ .header = { CONTROL_MAGIC, 99, CONTROL_START, 0 } },
		{ .header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_NONE, 0 } },
		{ .header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_TYPE_COUNT, 0 } },
		{ .header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_EVENT_EXITED, 0 } },
		{ .header = { CONTROL_MAGIC, CONTROL_VERSION, UINT32_MAX, 0 } },
	};
	char byte;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		fd = connect_server();
		assert_int_equal(fd_pass_send(fd, &messages[i], sizeof(header) + 4, NULL, 0), 0);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	for (size_t size = 1; size < 200; size++) {
		if (size == sizeof(header) + sizeof(struct control_empty))
			continue;
		messages[0].header = header;
		fd = connect_server();
		assert_int_equal(fd_pass_send(fd, &messages[0], size, NULL, 0), 0);
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	/* FDs where none belong. */
	fd = connect_server();
	assert_int_equal(fd_pass_send(fd, &messages[0], sizeof(header) + 4, (int[]){ fd }, 1), 0);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	test_failure(state);
}

/* More clients than there is room for are turned away; the others are served. */
static int tasks_after(int fd, int32_t pid, int32_t tid, struct control_tasks_reply *reply)
{
	struct control_tasks_request body = { pid, tid };
	struct control_reply_header header = { 0 };

	request(fd, CONTROL_TASKS, &body, sizeof(body), NULL, 0);
	assert_true(answer(fd, &header, reply, sizeof(*reply)) >= (ssize_t)sizeof(header));
	return header.status;
}

static void test_tasks(void **state)
{
	struct control_tasks_reply *reply = calloc(1, sizeof(*reply));
	int fd = connect_server();

	assert_int_equal(tasks_after(fd, -1, 0, reply), -EINVAL);
	assert_int_equal(tasks_after(fd, 1, -1, reply), -EINVAL);
	/* Twice: what the first answer said is not in the second. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tasks_after(fd, 5, 6, reply), 0);
		assert_int_equal(reply->count, 1);
		assert_int_equal(reply->tasks[0].pid, 5);
		assert_int_equal(reply->tasks[0].tid, 7);
	}
	free(reply);
	close(fd);
}

static int set_strace(int fd, uint32_t on)
{
	struct control_strace_request body = { .on = on };
	struct control_reply_header header = { 0 };
	struct control_empty empty;

	request(fd, CONTROL_STRACE, &body, sizeof(body), NULL, 0);
	assert_true(answer(fd, &header, &empty, 0) >= (ssize_t)sizeof(header));
	return header.status;
}

static void test_strace(void **state)
{
	int fd = connect_server();

	assert_int_equal(set_strace(fd, 1), 0);
	assert_int_equal(strace_on, 1);
	assert_int_equal(set_strace(fd, 2), -EINVAL);
	assert_int_equal(strace_on, 1);
	assert_int_equal(set_strace(fd, 0), 0);
	assert_int_equal(strace_on, 0);
	close(fd);
}

static void test_many(void **state)
{
	enum { CLIENTS = 300 };
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_server();
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	test_failure(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure),	  cmocka_unit_test(test_exit_order),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_abandoned), cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_notify),	  cmocka_unit_test(test_slow),
		cmocka_unit_test(test_many),	  cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_strace),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
