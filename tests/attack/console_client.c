/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a container's terminal, for the attacks through it:
 *
 *   console_client SOCKET deaf|flood|close
 *
 * Listens on SOCKET (what moat create gets as --console-socket), takes the terminal's master and
 * prints "connected".  deaf: never reads.  flood: writes control characters and resizes, as fast
 * as it goes, and reads now and then.  close: closes it after a moment.  Ends when it is killed, or the
 * terminal hangs up.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		return -1;
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int take_master(int connection)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char name[256];
	struct iovec iov = { name, sizeof(name) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0 ||
	    message.msg_controllen < CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void flood(int master)
{
	static const char controls[] = "\x03\x04\x11\x12\x13\x15\x16\x17\x1a\x1c\x7f\n\r\t\xff\xc3\xa4 a";
	uint64_t state = 1;
	char buf[4096];

	fcntl(master, F_SETFL, O_NONBLOCK);
	for (unsigned turn = 0;; turn++) {
		struct winsize size = { (unsigned short)turn, (unsigned short)(turn * 7), 0, 0xffff };
		struct pollfd ready = { .fd = master, .events = POLLIN | POLLOUT };

		for (size_t i = 0; i < sizeof(buf); i++) {
			state = state * 6364136223846793005UL + 1442695040888963407UL;
			buf[i] = controls[(state >> 33) % (sizeof(controls) - 1)];
		}
		if (write(master, buf, sizeof(buf)) < 0 && errno != EAGAIN)
			return;
		ioctl(master, TIOCSWINSZ, &size);
		if (turn % 4 == 0 && read(master, buf, sizeof(buf)) < 0 && errno != EAGAIN)
			return;
		poll(&ready, 1, 10);
	}
}

int main(int argc, char **argv)
{
	int connection, master;

	if (argc != 3) {
		fprintf(stderr, "usage: console_client SOCKET deaf|flood|close\n");
		return 2;
	}
	connection = listen_on(argv[1]);
	master = connection < 0 ? -1 : take_master(connection);
	if (master < 0) {
		perror("console_client");
		return 1;
	}
	close(connection);
	printf("connected\n");
	fflush(stdout);
	if (strcmp(argv[2], "flood") == 0) {
		flood(master);
	} else if (strcmp(argv[2], "close") == 0) {
		usleep(300000);
		close(master);
	} else {
		struct pollfd end = { .fd = master };

		poll(&end, 1, -1);
	}
	return 0;
}
