/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a sandbox, over its control socket, to attack its own confinement.  Works
 * only with an --enable-debug build that runs with --debug.
 *
 *   confine_client list               WHO WHAT NETWORK NAME of every attempt
 *   confine_client try SOCKET WHO WHAT
 *
 * 0: refused by the host, or the process died of it; 1: it got through, or there was
 * no answer to judge by.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sentry/control/protocol.h"

/* In the order of enum attack in sentry/boot/boot_attack.c. */
static const char *const sentry_attempts[] = {
	"the sentry opens a host path",	     "the sentry opens a file for writing",
	"the sentry makes a socket",	     "the sentry traces another process",
	"the sentry executes a program",     "the sentry forks",
	"the sentry makes a user namespace", "the sentry mounts a file system",
	"the sentry makes a unix socket",    "the sentry makes a packet socket",
	"the sentry makes a raw socket",     "the sentry makes a netlink socket",
	"the sentry sets an unlisted option of a socket",
};
#define FIRST_OF_HOST 8U /* from here on with --network=host */

#define SENTRY 0U
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct request {
	struct control_header header;
	struct control_attack_request body;
};

struct reply {
	struct control_reply_header header;
	struct control_attack_reply body;
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int attempt(const char *path, uint32_t who, uint32_t what)
{
	struct request request = {
		.header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_ATTACK, 0 },
		.body = { who, what },
	};
	struct reply reply;
	int fd = connect_to(path);
	ssize_t n;

	if (fd < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request)) {
		printf("send: %s\n", strerror(errno));
		return 1;
	}
	n = recv(fd, &reply, sizeof(reply), 0);
	close(fd);
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		/* Its end is only one if the socket is dead, too. */
		fd = connect_to(path);
		if (fd < 0) {
			printf("the process died of it\n");
			return 0;
		}
		close(fd);
		printf("the connection was closed without an answer\n");
		return 1;
	}
	if (n < (ssize_t)sizeof(reply.header) || reply.header.magic != CONTROL_MAGIC) {
		printf("no sensible answer (%zd bytes)\n", n);
		return 1;
	}
	if (reply.header.status != 0 || n < (ssize_t)sizeof(reply)) {
		printf("not attempted: status %d: %.*s\n", reply.header.status,
		       CONTROL_MESSAGE_SIZE, reply.header.message);
		return 1;
	}
	if (what >= COUNT(sentry_attempts)) {
		printf("answered with %lld\n", (long long)reply.body.result);
		return reply.body.result == -EINVAL ? 0 : 1;
	}
	if (reply.body.result < 0 && reply.body.result != -EINVAL) {
		printf("refused: %s\n", strerror((int)-reply.body.result));
		return 0;
	}
	printf("it got through: %lld\n", (long long)reply.body.result);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (unsigned i = 0; i < COUNT(sentry_attempts); i++)
			printf("%u %u %s %s\n", SENTRY, i, i < FIRST_OF_HOST ? "none" : "host",
			       sentry_attempts[i]);
		/* So that a death above is known to be the attempt's. */
		for (int host = 0; host < 2; host++)
			printf("%u %u %s the sentry lives on after no attempt\n", SENTRY,
			       (unsigned)COUNT(sentry_attempts), host ? "host" : "none");
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "try") == 0)
		return attempt(argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
			       (uint32_t)strtoul(argv[4], NULL, 10));
	fprintf(stderr, "usage: confine_client list | try SOCKET WHO WHAT\n");
	return 2;
}
