/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side of notify.bats: sends each argument as one datagram to $NOTIFY_SOCKET, and prints
 * for each how that went.  "+FD" sends the next argument with a descriptor, "+BIG" sends one that
 * says READY=1 and is larger than what is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/uio.h>

#define BIG_BEGINS "\nREADY=1\n"
static char big[16384] = BIG_BEGINS;

static int send_one(int s, const char *text, size_t size, int with_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { (void *)text, size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (with_fd) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &s, sizeof(s));
	}
	return sendmsg(s, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int with_fd = 0;

	if (!path) {
		printf("no socket\n");
		return 1;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0) {
		printf("connect: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		const char *text = argv[i];
		size_t size = strlen(text);
		int rc;

		if (!strcmp(text, "+FD")) {
			with_fd = 1;
			continue;
		}
		if (!strcmp(text, "+BIG")) {
			memset(big + strlen(BIG_BEGINS), 'x', sizeof(big) - strlen(BIG_BEGINS));
			text = big;
			size = sizeof(big);
		}
		rc = send_one(s, text, size, with_fd);
		printf("%.20s: %s\n", text, rc ? strerror(rc) : "sent");
		with_fd = 0;
	}
	return 0;
}
