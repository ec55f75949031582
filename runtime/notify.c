/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control_client.h"
#include "sentry/control/boot_config.h"
#include "util/cleanup.h"
#include "util/fd_pass.h"
#include "util/log.h"

#define VARIABLE "NOTIFY_SOCKET"
#define BARRIER_TIMEOUT_MS 30000

/* NULL: none. */
static const char *host_socket(void)
{
	const char *path = getenv(VARIABLE);

	return path && *path ? path : NULL;
}

bool notify_is_wanted(void)
{
	return host_socket() != NULL;
}

int notify_add_env(bool wanted, struct string_list *env, struct error **err)
{
	if (wanted && string_list_add(env, VARIABLE "=" BOOT_NOTIFY_DIRECTORY "/" BOOT_NOTIFY_NAME) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int notify_watch(const struct container *container, int *connection, struct error **err)
{
	AUTO_CLOSE int fd = -1;

	if (!notify_is_wanted())
		return 0;
	if (control_connect(container, &fd, err) < 0 ||
	    control_call(container, fd, CONTROL_CALL_EMPTY(CONTROL_NOTIFY), err) < 0)
		return error_wrap(err, VARIABLE);
	*connection = move_fd(&fd);
	return 0;
}

static int connect_host(const char *path, int *out, struct error **err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length > sizeof(address.sun_path))
		return error_set_errno(err, -ENAMETOOLONG, VARIABLE " %s", path);
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0';
	if (fd < 0 || connect(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return error_set_errno(err, -errno, VARIABLE " %s", path);
	*out = move_fd(&fd);
	return 0;
}

/*
 * The manager closes the descriptor when it has dealt with all that came before: until then it may look
 * for who sent it.  One that does not within the time knows nothing of barriers.
 */
static int wait_barrier(int host)
{
	AUTO_CLOSE int read_end = -1, write_end = -1;
	struct pollfd entry = { 0 };
	int ends[2];
	int ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	ret = fd_pass_send(host, "BARRIER=1", strlen("BARRIER=1"), &write_end, 1);
	if (ret < 0)
		return ret;
	cleanup_close(&write_end);
	entry.fd = read_end;
	ret = poll(&entry, 1, BARRIER_TIMEOUT_MS);
	if (ret == 0)
		log_warning(VARIABLE ": no answer to a barrier");
	return ret < 0 ? -errno : 0;
}

/* Each a datagram of its own, as runc's. */
static int tell_host(int host, pid_t pid, struct error **err)
{
	char main_pid[32];
	int ret = fd_pass_send(host, "READY=1\n", strlen("READY=1\n"), NULL, 0);

	snprintf(main_pid, sizeof(main_pid), "MAINPID=%d\n", pid);
	if (ret == 0)
		ret = fd_pass_send(host, main_pid, strlen(main_pid), NULL, 0);
	if (ret == 0)
		ret = wait_barrier(host);
	return ret < 0 ? error_set_errno(err, ret, VARIABLE) : 0;
}

int notify_relay(int connection, pid_t pid, struct error **err)
{
	struct pollfd entry = { .fd = connection, .events = POLLIN };
	AUTO_CLOSE int host = -1;

	if (connect_host(host_socket(), &host, err) < 0)
		return error_code(*err);
	/* The connection's own time limit is for answers, and this may take for ever. */
	while (poll(&entry, 1, -1) < 0 && errno == EINTR)
		;
	/* A sandbox that is gone has taken the container with it. */
	return control_read_ready(connection) == 1 ? tell_host(host, pid, err) : 0;
}

static void *thread_run(void *arg)
{
	const struct notify_thread *t = arg;
	AUTO_ERROR struct error *err = NULL;

	if (notify_relay(t->connection, getpid(), &err) < 0)
		log_warning("%s", error_message(err));
	return NULL;
}

void notify_thread_start(struct notify_thread *t, int connection)
{
	int ret;

	t->connection = connection;
	if (connection < 0)
		return;
	ret = pthread_create(&t->thread, NULL, thread_run, t);
	if (ret != 0) {
		log_warning(VARIABLE ": start a thread: %s", strerror(ret));
		t->connection = -1;
	}
}

void notify_thread_join(struct notify_thread *t)
{
	if (t->connection >= 0)
		pthread_join(t->thread, NULL);
}
