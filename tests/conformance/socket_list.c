/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of AF_UNIX as /proc/net/unix and sock_diag list them. */
#include "conformance.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum { LISTENER, CONNECTING, ACCEPTED, PAIR, PAIRED, ABSTRACT, DATAGRAM, CLOSED_PEER, SOCKETS };

static const char *const labels[SOCKETS] = { "listener", "connecting", "accepted", "pair",
					     "paired",	 "abstract",   "datagram", "peer closed" };
static int sockets[SOCKETS];

static ino_t ino_of(int fd)
{
	struct stat st;

	MUST(fstat(fd, &st));
	return st.st_ino;
}

static void bind_name(int fd, const char *name, size_t size)
{
	struct sockaddr_un un = { AF_UNIX, "" };

	memcpy(un.sun_path, name, size);
	MUST(bind(fd, (struct sockaddr *)&un,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)));
}

static void make_sockets(void)
{
	struct sockaddr_un name = { AF_UNIX, "listener" };
	int ends[2];

	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET));
	sockets[LISTENER] = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	bind_name(sockets[LISTENER], "listener", 8);
	MUST(listen(sockets[LISTENER], 7));
	sockets[CONNECTING] = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect(sockets[CONNECTING], (struct sockaddr *)&name, sizeof(name)));
	sockets[ACCEPTED] = (int)MUST(accept(sockets[LISTENER], NULL, NULL));
	MUST(connect((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&name,
		     sizeof(name)));
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	sockets[PAIR] = ends[0];
	sockets[PAIRED] = ends[1];
	MUST(shutdown(ends[0], SHUT_WR));
	sockets[ABSTRACT] = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	bind_name(sockets[ABSTRACT], "\0a\0b", 4);
	sockets[DATAGRAM] = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	close(ends[1]);
	sockets[CLOSED_PEER] = ends[0];
	MUST(write(sockets[CONNECTING], "abc", 3));
}

static const char *who(unsigned long ino)
{
	if (!ino)
		return "nobody";
	for (size_t i = 0; i < SOCKETS; i++) {
		if (ino_of(sockets[i]) == ino)
			return labels[i];
	}
	return NULL;
}

/* Protocol, flags, type, state and name, of the one with the inode number. */
static void show_line(char *line, unsigned long ino)
{
	char *at = strchr(line, ' '); /* behind the address */
	unsigned long numbers[5];

	line[strcspn(line, "\n")] = '\0';
	if (!at)
		return;
	at += 9; /* and the references */
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = strtoul(at, &at, i < 4 ? 16 : 10);
	if (numbers[4] == ino)
		note("  %lu %lx %lu %lu%s", numbers[0], numbers[1], numbers[2], numbers[3], at);
}

CASE(socket_proc_unix)
{
	char line[512];
	FILE *f;

	make_sockets();
	/* Of one's own network. */
	f = fopen("/proc/self/net/unix", "re");
	for (size_t i = 0; i < SOCKETS; i++) {
		rewind(f);
		note("%s", labels[i]);
		while (fgets(line, sizeof(line), f))
			show_line(line, ino_of(sockets[i]));
	}
	fclose(f);
}

struct request {
	struct nlmsghdr header;
	struct unix_diag_req diag;
};

static void show_attribute(const struct rtattr *a)
{
	const uint32_t *numbers = RTA_DATA(a);
	char text[128] = "";

	switch (a->rta_type) {
	case UNIX_DIAG_NAME:
		for (size_t i = 0; i < RTA_PAYLOAD(a) && i < sizeof(text) - 1; i++)
			text[i] = ((char *)RTA_DATA(a))[i] ? ((char *)RTA_DATA(a))[i] : '@';
		note("    name %s", text);
		break;
	case UNIX_DIAG_PEER:
		note("    peer %s", who(numbers[0]) ? who(numbers[0]) : "?");
		break;
	case UNIX_DIAG_RQLEN:
		note("    queues %u %s", numbers[0], numbers[1] ? "some" : "none");
		break;
	case UNIX_DIAG_SHUTDOWN:
		note("    shut %u", *(unsigned char *)RTA_DATA(a));
		break;
	case UNIX_DIAG_UID:
		note("    uid %u", numbers[0]);
		break;
	default:
		break;
	}
}

static void show_answer(const struct nlmsghdr *h, bool named)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));

	if (named)
		note("  %s", who(m->udiag_ino) ? who(m->udiag_ino) : "?");
	note("  family %u type %u state %u flags %x", m->udiag_family, m->udiag_type,
	     m->udiag_state, h->nlmsg_flags);
	for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left))
		show_attribute(a);
}

/* @fd: of whom alone something is shown; -1: whatever comes. */
static void ask(int netlink, struct request *r, int only)
{
	char buffer[16384] __attribute__((aligned(8)));
	bool more = r->header.nlmsg_flags & NLM_F_DUMP;

	MUST(send(netlink, r, r->header.nlmsg_len, 0));
	do {
		ssize_t got = MUST(recv(netlink, buffer, sizeof(buffer), 0));
		size_t left = (size_t)got;

		for (const struct nlmsghdr *h = (const void *)buffer; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				more = false;
			else if (h->nlmsg_type == NLMSG_ERROR)
				show_err("  error", -((struct nlmsgerr *)NLMSG_DATA(h))->error),
					more = false;
			else if (only < 0 ||
				 ((struct unix_diag_msg *)NLMSG_DATA(h))->udiag_ino == ino_of(only))
				show_answer(h, only < 0);
		}
	} while (more);
}

CASE(socket_diag_unix)
{
	int netlink;
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	make_sockets();
	netlink = (int)MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG));
	struct request r = {
		.header = { .nlmsg_len = sizeof(r),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.diag = { .sdiag_family = AF_UNIX,
			  .udiag_states = ~0U,
			  .udiag_cookie = { ~0U, ~0U },
			  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
					UDIAG_SHOW_UID },
	};

	for (size_t i = 0; i < SOCKETS; i++) {
		note("%s", labels[i]);
		r.diag.udiag_ino = (uint32_t)ino_of(sockets[i]);
		ask(netlink, &r, sockets[i]);
		r.header.nlmsg_flags |= NLM_F_DUMP;
		ask(netlink, &r, sockets[i]);
		r.header.nlmsg_flags = NLM_F_REQUEST;
	}
	note("nothing asked for");
	r.diag.udiag_show = 0;
	ask(netlink, &r, -1);
	note("by cookie");
	show("SO_COOKIE", getsockopt(sockets[CLOSED_PEER], SOL_SOCKET, SO_COOKIE, &cookie, &size));
	memcpy(r.diag.udiag_cookie, &cookie, sizeof(cookie));
	ask(netlink, &r, -1);
	r.diag.udiag_cookie[0]++;
	ask(netlink, &r, -1);
	note("listening ones");
	r.diag.udiag_states = 1U << 10;
	r.header.nlmsg_flags |= NLM_F_DUMP;
	ask(netlink, &r, -1);
	r.header.nlmsg_flags = NLM_F_REQUEST;
	note("number 0");
	r.diag.udiag_ino = 0;
	ask(netlink, &r, -1);
	note("another number");
	r.diag.udiag_ino = (uint32_t)ino_of(netlink);
	ask(netlink, &r, -1);
	note("short");
	r.header.nlmsg_len -= 4;
	ask(netlink, &r, -1);
	size = 4;
	show("short cookie", getsockopt(netlink, SOL_SOCKET, SO_COOKIE, &cookie, &size));
	size = 16;
	show("long cookie", getsockopt(netlink, SOL_SOCKET, SO_COOKIE, &(uint64_t[2]){ 0 }, &size));
	show_int("size", size);
	show("set", setsockopt(netlink, SOL_SOCKET, SO_COOKIE, &cookie, sizeof(cookie)));
}
