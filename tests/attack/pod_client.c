/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pod_client SOCKET: requests about containers that no command line would make, over the control
 * socket of a sandbox that runs.  Each must be refused, at once, and leave no descriptor in the
 * sentry, which the caller counts.  Prints what got through; 0: nothing did.
 *
 * pod_client SOCKET COUNT: so many CREATEs whose gofers never answer.  Prints "asked" and sleeps until it
 * is killed, which ends them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "sentry/control/boot_channel.h"
#include "sentry/control/boot_config.h"
#include "util/checked.h"
#include "util/fd_pass.h"

#define ANSWER_SECONDS 5
#define UNKNOWN 4000000000u

static const char *socket_path;
static int failures;

static void got_through(const char *what, int result)
{
	printf("%s: %d\n", what, result);
	failures++;
}

static int connect_sandbox(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, socket_path, sizeof(address.sun_path) - 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0) {
		perror(socket_path);
		exit(2);
	}
	return fd;
}

/* The answer's status; -EPIPE: the connection was ended; -ETIMEDOUT: there was none. */
static int ask(uint32_t type, uint32_t container, const void *body, size_t size, const int *fds,
	       size_t fd_count)
{
	char message[256], reply[1 << 17];
	const struct control_header header = { CONTROL_MAGIC, CONTROL_VERSION, type, container };
	struct control_reply_header answer;
	int fd = connect_sandbox();
	ssize_t n;

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), body, size);
	n = fd_pass_send(fd, message, sizeof(header) + size, fds, fd_count);
	if (n == 0)
		n = recv(fd, reply, sizeof(reply), 0);
	if (n < 0)
		n = errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
	close(fd);
	if (n <= 0)
		return n == 0 ? -EPIPE : (int)n;
	memcpy(&answer, reply, sizeof(answer));
	return answer.status;
}

static void refused(const char *what, int result)
{
	if (result >= 0 || result == -ETIMEDOUT)
		got_through(what, result);
}

/* --- CREATE ------------------------------------------------------------------------------ */

static const struct control_create_request plain = { .pid_namespace = CONTROL_PID_NAMESPACE_NEW };

static void create_with(const char *what, const struct control_create_request *request, int fd)
{
	refused(what, ask(CONTROL_CREATE, 0, request, sizeof(*request), &fd, 1));
}

static int memfd_of(const void *data, size_t size)
{
	int fd = memfd_create("attack", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		exit(2);
	return fd;
}

static int config_fd(uint32_t attach_count, size_t cut)
{
	char *args[] = { (char[]){ "sh" }, NULL };
	char *none[] = { NULL };
	struct boot_config config = {
		.id = (char[]){ "attack" }, .hostname = (char[]){ "" }, .domainname = (char[]){ "" },
		.cgroups_path = (char[]){ "/" }, .masked_paths = { none, 0 },
		.readonly_paths = { none, 0 }, .annotations = { none, 0 }, .sysctl = { none, 0 },
		.attach_count = attach_count, .cpu_count = 1,
		.process = { .program = (char[]){ "" }, .args = { args, 1 }, .env = { none, 0 }, .cgroups = { none, 0 },
			     .cwd = (char[]){ "/" } },
	};
	void *blob;
	size_t size;
	int fd;

	if (boot_config_encode(&config, &blob, &size) < 0)
		exit(2);
	fd = memfd_of(blob, size - cut);
	free(blob);
	return fd;
}

struct files {
	int fds[BOOT_FDS_PER_MESSAGE];
	struct boot_fds message;
};

static void add(struct files *f, enum boot_role role, int fd)
{
	f->fds[f->message.count] = fd;
	f->message.roles[f->message.count++] = (uint8_t)role;
}

static void add_standard(struct files *f, int config, int attach)
{
	*f = (struct files){ .message = { CONTROL_MAGIC, CONTROL_VERSION, 0, 1, { 0 } } };
	add(f, BOOT_ROLE_CONFIG, config);
	add(f, BOOT_ROLE_STDIN, 0);
	add(f, BOOT_ROLE_STDOUT, 1);
	add(f, BOOT_ROLE_STDERR, 2);
	if (attach >= 0)
		add(f, BOOT_ROLE_ATTACH, attach);
}

static void create_from(const char *what, const struct files *f)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
	    fd_pass_send(ends[0], &f->message, sizeof(f->message), f->fds, f->message.count) < 0)
		exit(2);
	create_with(what, &plain, ends[1]);
	close(ends[0]);
	close(ends[1]);
}

/* A descriptor that is no channel, or one in which not everything is. */
static void create_channels(void)
{
	static const struct boot_fds more = { CONTROL_MAGIC, CONTROL_VERSION, 0, 0, { 0 } };
	int ends[2], pipes[2], number = eventfd(0, EFD_CLOEXEC);

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
	    pipe2(pipes, O_CLOEXEC) < 0)
		exit(2);
	create_with("a pipe as channel", &plain, pipes[0]);
	create_with("an eventfd as channel", &plain, number);
	create_with("a channel without a message, and an open end", &plain, ends[1]);
	if (fd_pass_send(ends[0], &more, sizeof(more), NULL, 0) < 0)
		exit(2);
	create_with("a channel with more messages to come", &plain, ends[1]);
	close(ends[0]);
	create_with("a channel whose end is closed", &plain, ends[1]);
	refused("no channel", ask(CONTROL_CREATE, 0, &plain, sizeof(plain), NULL, 0));
	refused("two channels",
		ask(CONTROL_CREATE, 0, &plain, sizeof(plain), (int[]){ number, number }, 2));
	refused("a container in a container",
		ask(CONTROL_CREATE, 1, &plain, sizeof(plain), &number, 1));
	create_with("a PID namespace of no kind",
		    &(struct control_create_request){ .pid_namespace = 7 }, number);
	close(ends[1]);
	close(pipes[0]);
	close(pipes[1]);
	close(number);
}

static void create_files(void)
{
	int good = config_fd(1, 0), two = config_fd(2, 0), cut = config_fd(1, 8);
	int text = memfd_of("no configuration", 16);
	int peer[2];
	struct files f;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer) < 0)
		exit(2);
	close(peer[0]); /* a gofer that is gone */
	add_standard(&f, good, -1);
	create_from("no attach point", &f);
	add_standard(&f, good, peer[1]);
	create_from("a gofer that is gone", &f);
	add_standard(&f, good, text);
	create_from("a gofer that is a file", &f);
	add_standard(&f, two, peer[1]);
	create_from("fewer attach points than the configuration has", &f);
	add_standard(&f, cut, peer[1]);
	create_from("a configuration that is cut", &f);
	add_standard(&f, text, peer[1]);
	create_from("a text as configuration", &f);
	add_standard(&f, peer[1], peer[1]);
	create_from("a socket as configuration", &f);
	add_standard(&f, good, peer[1]);
	add(&f, BOOT_ROLE_CONTROL, peer[1]);
	create_from("a control socket of its own", &f);
	add_standard(&f, good, peer[1]);
	add(&f, BOOT_ROLE_DEBUG_LOG, text);
	create_from("a debug log of its own", &f);
	add_standard(&f, good, peer[1]);
	add(&f, BOOT_ROLE_CONFIG, good);
	create_from("two configurations", &f);
	add_standard(&f, good, peer[1]);
	add(&f, BOOT_ROLE_COUNT, text);
	create_from("a file of no role", &f);
	add_standard(&f, good, peer[1]);
	f.message.magic = 0;
	create_from("another magic number", &f);
	close(peer[1]);
}

/* --- containers that are none -------------------------------------------------------------- */

static void unknown_containers(void)
{
	static const char zeroes[200];

#define X(NAME, name, request, reply, fds)                                                    \
	refused(#NAME " of an unknown container",                                             \
		ask(CONTROL_##NAME, UNKNOWN, zeroes, sizeof(struct request), NULL, 0));
	CONTROL_REQUESTS(X)
#undef X
	refused("the end of the root container", ask(CONTROL_DESTROY, 0, zeroes,
						     sizeof(struct control_empty), NULL, 0));
}

/* --- gofers that hang ------------------------------------------------------------------------ */

static void create_silently(void)
{
	const struct control_header header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_CREATE, 0 };
	char message[sizeof(header) + sizeof(plain)];
	int gofer[2], ends[2];
	struct files f;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gofer) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		exit(2);
	add_standard(&f, config_fd(1, 0), gofer[1]);
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), &plain, sizeof(plain));
	if (fd_pass_send(ends[0], &f.message, sizeof(f.message), f.fds, f.message.count) < 0 ||
	    fd_pass_send(connect_sandbox(), message, sizeof(message), &ends[1], 1) < 0)
		exit(2);
	close(f.fds[0]);
	close(gofer[1]);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	struct control_empty empty = { 0 };

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: pod_client SOCKET [COUNT]\n");
		return 2;
	}
	socket_path = argv[1];
	if (argc == 3) {
		for (int i = atoi(argv[2]); i > 0; i--)
			create_silently();
		puts("asked");
		fflush(stdout);
		for (;;)
			pause();
	}
	create_channels();
	create_files();
	unknown_containers();
	/* And it still answers. */
	if (ask(CONTROL_STATE, 0, &empty, sizeof(empty), NULL, 0) != 0)
		got_through("the sandbox does not answer any more", 0);
	return failures ? 1 : 0;
}
