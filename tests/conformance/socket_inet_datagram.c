/* SPDX-License-Identifier: Apache-2.0
 *
 * UDP on the loopback interface: datagrams, control messages, the error queue, options.
 */
#include "conformance.h"
#include "socket_inet.h"

#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static const int families[] = { AF_INET, AF_INET6 };

static socklen_t name_size(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

CASE(inet_udp_datagrams)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		socklen_t size = name_size(families[i]), from_size = sizeof(union inet_name);
		union inet_name in_name, out_name, from;
		int in = inet_bound(families[i], SOCK_DGRAM, &in_name);
		int out = inet_bound(families[i], SOCK_DGRAM, &out_name), count;
		static char big[70000];
		char buffer[16];

		show("send without a name", send(out, "x", 1, 0));
		show("send", sendto(out, "datagram", 8, 0, &in_name.any, size));
		show("empty", sendto(out, "", 0, 0, &in_name.any, size));
		show("third", sendto(out, "third", 5, 0, &in_name.any, size));
		await_input(in);
		show_poll("there", in, POLLIN | POLLOUT);
		show("FIONREAD", ioctl(in, FIONREAD, &count));
		show_int("of the first", count);
		show_data("peek cut", buffer, recv(in, buffer, 4, MSG_PEEK));
		show("real size", recv(in, buffer, 4, MSG_PEEK | MSG_TRUNC));
		show_data("cut", buffer, recvfrom(in, buffer, 4, 0, &from.any, &from_size));
		show_int("sender's size", from_size);
		show_int("sender", memcmp(&from, &out_name, size) == 0);
		show("empty", recv(in, buffer, sizeof(buffer), 0));
		show_data("third", buffer, recv(in, buffer, sizeof(buffer), 0));
		show("no more", recv(in, buffer, 1, MSG_DONTWAIT));
		show("too big", sendto(out, big, sizeof(big), 0, &in_name.any, size));
		show("biggest", sendto(out, big, families[i] == AF_INET ? 65507 : 65487, 0,
				       &in_name.any, size));
		show("all of it", recv(in, big, sizeof(big), 0));
		show("lost in a fault", sendto(out, "x", 1, 0, &in_name.any, size));
		show("bad address", recv(in, bad_ptr(), 1, 0));
		show("it is lost", recv(in, buffer, 1, MSG_DONTWAIT));
		show("short name", sendto(out, "x", 1, 0, &in_name.any, 4));
		in_name.any.sa_family = AF_UNIX;
		show("unix", sendto(out, "x", 1, 0, &in_name.any, size));
		show("listen", listen(in, 1));
		show("accept", accept(in, NULL, NULL));
	}
}

CASE(inet_udp_connected)
{
	union inet_name in_name, out_name;
	int in = inet_bound(AF_INET, SOCK_DGRAM, &in_name), out = inet_bound(AF_INET, SOCK_DGRAM, &out_name);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	char buffer[16];

	show("connect", connect(out, &in_name.any, sizeof(in_name.in)));
	show("send", send(out, "hello", 5, 0));
	show_data("receive", buffer, recv(in, buffer, sizeof(buffer), 0));
	show("close", close(in));
	show("to nobody", send(out, "hello", 5, 0));
	show_poll("refused", out, POLLIN);
	show("send", send(out, "hello", 5, 0));
	show("and again", poll(&(struct pollfd){ .fd = out, .events = POLLIN }, 1, 100));
	show("receive", recv(out, buffer, sizeof(buffer), MSG_DONTWAIT));
	show("disconnect", connect(out, &none, sizeof(none)));
	show("send", send(out, "x", 1, 0));
	show("peer", getpeername(out, &in_name.any, &(socklen_t){ sizeof(in_name) }));
	show("shutdown", shutdown(out, SHUT_RDWR));
}

static void show_control(struct msghdr *msg)
{
	show_hex("flags", (unsigned)msg->msg_flags);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		note("control %d %d size %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		/* Times differ. */
		if (c->cmsg_level != SOL_SOCKET)
			show_data("data", CMSG_DATA(c), (ssize_t)(c->cmsg_len - CMSG_LEN(0)));
	}
}

static void receive_control(int fd, size_t room, int flags)
{
	char data[16], control[256] = { 0 };
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room };

	ssize_t n = recvmsg(fd, &msg, flags);

	show_data("receive", data, n);
	if (n < 0)
		return;
	show_int("control", (long long)msg.msg_controllen);
	show_control(&msg);
}

static void set(int fd, int level, int name, int value)
{
	MUST(setsockopt(fd, level, name, &value, sizeof(value)));
}

CASE(inet_control_received)
{
	union inet_name name;
	int in = inet_bound(AF_INET, SOCK_DGRAM, &name), out = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	set(in, SOL_IP, IP_PKTINFO, 1);
	set(in, SOL_IP, IP_RECVTTL, 1);
	set(in, SOL_IP, IP_RECVTOS, 1);
	set(in, SOL_SOCKET, SO_TIMESTAMP, 1);
	set(out, SOL_IP, IP_TTL, 9);
	set(out, SOL_IP, IP_TOS, 0x10);
	for (size_t room = 0; room <= 256; room += 24) {
		MUST(sendto(out, "x", 1, 0, &name.any, sizeof(name.in)));
		receive_control(in, room, 0);
	}
}

CASE(inet_control_received6)
{
	union inet_name name;
	int in = inet_bound(AF_INET6, SOCK_DGRAM, &name), out = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));

	set(in, SOL_IPV6, IPV6_RECVPKTINFO, 1);
	set(in, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(in, SOL_IPV6, IPV6_RECVTCLASS, 1);
	set(out, SOL_IPV6, IPV6_UNICAST_HOPS, 9);
	set(out, SOL_IPV6, IPV6_TCLASS, 0x10);
	MUST(sendto(out, "x", 1, 0, &name.any, sizeof(name.in6)));
	receive_control(in, 256, 0);
}

static void send_control(const char *label, int fd, union inet_name *to, int level, int type,
			 const void *data, size_t size)
{
	char control[128] = { 0 };
	struct iovec iov = { (char[]){ "x" }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(size), .msg_name = to,
			      .msg_namelen = name_size(to->any.sa_family) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(c), data, size);
	show(label, sendmsg(fd, &msg, 0));
}

CASE(inet_control_sent)
{
	union inet_name name;
	int in = inet_bound(AF_INET, SOCK_DGRAM, &name), out = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0x7f000005) };
	int ttl = 5, tos = 8, fd = 0;

	set(in, SOL_IP, IP_PKTINFO, 1);
	set(in, SOL_IP, IP_RECVTTL, 1);
	set(in, SOL_IP, IP_RECVTOS, 1);
	send_control("ttl", out, &name, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	receive_control(in, 256, 0);
	send_control("tos", out, &name, SOL_IP, IP_TOS, &tos, sizeof(tos));
	receive_control(in, 256, 0);
	send_control("from", out, &name, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	receive_control(in, 256, 0);
	ttl = 0;
	send_control("ttl 0", out, &name, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	send_control("short pktinfo", out, &name, SOL_IP, IP_PKTINFO, &info, 8);
	send_control("unknown of ip", out, &name, SOL_IP, 99, &ttl, sizeof(ttl));
	send_control("unknown level", out, &name, 99, 1, &ttl, sizeof(ttl));
	send_control("unknown of sockets", out, &name, SOL_SOCKET, 99, &ttl, sizeof(ttl));
	send_control("files", out, &name, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd));
}

CASE(inet_error_queue)
{
	union inet_name name;
	int out = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	inet_loopback(AF_INET, &name, inet_closed_port(AF_INET));
	set(out, SOL_IP, IP_RECVERR, 1);
	receive_control(out, 256, MSG_ERRQUEUE);
	MUST(connect(out, &name.any, sizeof(name.in)));
	MUST(send(out, "lost", 4, 0));
	show_poll("error", out, POLLIN);
	receive_control(out, 16, MSG_ERRQUEUE | MSG_PEEK);
	receive_control(out, 256, MSG_ERRQUEUE);
	show_poll("error taken", out, POLLOUT);
	receive_control(out, 256, MSG_ERRQUEUE);
}

static const struct {
	const char *name;
	int stream, level, option, values[4];
} options[] = {
	{ "SO_KEEPALIVE", 1, SOL_SOCKET, SO_KEEPALIVE, { 1, 0, 5, -1 } },
	{ "SO_REUSEADDR", 1, SOL_SOCKET, SO_REUSEADDR, { 1, 0, 5, -1 } },
	{ "SO_REUSEPORT", 1, SOL_SOCKET, SO_REUSEPORT, { 1, 0, 5, -1 } },
	{ "SO_BROADCAST", 0, SOL_SOCKET, SO_BROADCAST, { 1, 0, 5, -1 } },
	{ "SO_SNDBUF", 1, SOL_SOCKET, SO_SNDBUF, { 1, 65536, 1 << 30, -1 } },
	{ "SO_RCVBUF", 1, SOL_SOCKET, SO_RCVBUF, { 1, 65536, 1 << 30, -1 } },
	{ "SO_SNDBUFFORCE", 1, SOL_SOCKET, SO_SNDBUFFORCE, { 1, 65536, 1 << 30, -1 } },
	{ "SO_RCVLOWAT", 1, SOL_SOCKET, SO_RCVLOWAT, { 1, 100, 0, -1 } },
	{ "SO_PRIORITY", 1, SOL_SOCKET, SO_PRIORITY, { 0, 6, 3, 1 } },
	{ "SO_ACCEPTCONN", 1, SOL_SOCKET, SO_ACCEPTCONN, { 0, 1, 0, 1 } },
	{ "SO_TYPE", 1, SOL_SOCKET, SO_TYPE, { 0, 1, 0, 1 } },
	{ "SO_DOMAIN", 0, SOL_SOCKET, SO_DOMAIN, { 0, 1, 0, 1 } },
	{ "SO_PROTOCOL", 0, SOL_SOCKET, SO_PROTOCOL, { 0, 1, 0, 1 } },
	{ "SO_OOBINLINE", 1, SOL_SOCKET, SO_OOBINLINE, { 1, 0, 5, -1 } },
	{ "SO_TIMESTAMP", 0, SOL_SOCKET, SO_TIMESTAMP, { 1, 0, 5, -1 } },
	{ "TCP_NODELAY", 1, SOL_TCP, TCP_NODELAY, { 1, 0, 5, -1 } },
	{ "TCP_CORK", 1, SOL_TCP, TCP_CORK, { 1, 0, 5, -1 } },
	{ "TCP_MAXSEG", 1, SOL_TCP, TCP_MAXSEG, { 1000, 0, 1, 1 << 20 } },
	{ "TCP_KEEPIDLE", 1, SOL_TCP, TCP_KEEPIDLE, { 60, 0, 32767, 40000 } },
	{ "TCP_KEEPINTVL", 1, SOL_TCP, TCP_KEEPINTVL, { 60, 0, 32767, 40000 } },
	{ "TCP_KEEPCNT", 1, SOL_TCP, TCP_KEEPCNT, { 3, 0, 127, 200 } },
	{ "TCP_SYNCNT", 1, SOL_TCP, TCP_SYNCNT, { 3, 0, 127, 200 } },
	{ "TCP_LINGER2", 1, SOL_TCP, TCP_LINGER2, { 3, 0, -1, 200 } },
	{ "TCP_DEFER_ACCEPT", 1, SOL_TCP, TCP_DEFER_ACCEPT, { 3, 0, -1, 200 } },
	{ "TCP_USER_TIMEOUT", 1, SOL_TCP, TCP_USER_TIMEOUT, { 3000, 0, -1, 200 } },
	{ "TCP of UDP", 0, SOL_TCP, TCP_NODELAY, { 1, 0, 5, -1 } },
	{ "UDP of TCP", 1, SOL_UDP, UDP_CORK, { 1, 0, 5, -1 } },
	{ "UDP_CORK", 0, SOL_UDP, UDP_CORK, { 1, 0, 0, 0 } },
	{ "IP_TOS", 1, SOL_IP, IP_TOS, { 0x10, 0, 0xb8, 0x1ff } },
	{ "IP_TTL", 1, SOL_IP, IP_TTL, { 5, -1, 0, 256 } },
	{ "IP_MTU_DISCOVER", 0, SOL_IP, IP_MTU_DISCOVER, { 0, 2, 9, -1 } },
	{ "IP_RECVERR", 0, SOL_IP, IP_RECVERR, { 1, 0, 5, -1 } },
	{ "IP_PKTINFO", 0, SOL_IP, IP_PKTINFO, { 1, 0, 5, -1 } },
	{ "IP_FREEBIND", 0, SOL_IP, IP_FREEBIND, { 1, 0, 5, -1 } },
	{ "IP_MULTICAST_TTL", 0, SOL_IP, IP_MULTICAST_TTL, { 5, -1, 0, 256 } },
	{ "IP_MULTICAST_LOOP", 0, SOL_IP, IP_MULTICAST_LOOP, { 1, 0, 5, -1 } },
	{ "unknown of IP", 0, SOL_IP, 250, { 1, 0, 5, -1 } },
	{ "unknown of TCP", 1, SOL_TCP, 250, { 1, 0, 5, -1 } },
	{ "unknown of sockets", 1, SOL_SOCKET, 250, { 1, 0, 5, -1 } },
	{ "unknown level", 1, 250, 1, { 1, 0, 5, -1 } },
};

CASE(inet_options)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int fd = (int)MUST(socket(AF_INET, options[i].stream ? SOCK_STREAM : SOCK_DGRAM, 0));
		int level = options[i].level, name = options[i].option;
		int value = -77;
		socklen_t size = sizeof(value);

		note("%s", options[i].name);
		show("initially", getsockopt(fd, level, name, &value, &size));
		/* What the machine is set to. */
		if (name != SO_SNDBUF && name != SO_RCVBUF)
			show_int("value", value);
		for (size_t j = 0; j < ARRAY_SIZE(options[i].values); j++) {
			value = options[i].values[j];
			show("set", setsockopt(fd, level, name, &value, sizeof(value)));
			value = -77;
			size = sizeof(value);
			show("get", getsockopt(fd, level, name, &value, &size));
			show_int("value", value);
		}
		show("too short", setsockopt(fd, level, name, &value, 1));
		show("negative size", setsockopt(fd, level, name, &value, (socklen_t)-1));
		value = -77;
		size = 1;
		show("get one byte", getsockopt(fd, level, name, &value, &size));
		show_int("size", size);
		close(fd);
	}
}

CASE(inet_options6)
{
	static const int names[] = { IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP,
				     IPV6_TCLASS, IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS,
				     IPV6_RECVERR, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, 250 };
	static const int values[] = { 1, 0, -1, 255, 256 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0)), value = -77;
		socklen_t size = sizeof(value);

		show_int("option", names[i]);
		show("initially", getsockopt(fd, SOL_IPV6, names[i], &value, &size));
		show_int("value", value);
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			value = values[j];
			show("set", setsockopt(fd, SOL_IPV6, names[i], &value, sizeof(value)));
			value = -77;
			size = sizeof(value);
			show("get", getsockopt(fd, SOL_IPV6, names[i], &value, &size));
			show_int("value", value);
		}
		close(fd);
	}
}

CASE(inet_options_other)
{
	struct linger linger = { 1, 30 };
	struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xe0000105), .imr_ifindex = 1 };
	struct tcp_info info;
	char name[32] = "";
	socklen_t size = sizeof(linger);
	int tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), udp = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	show("linger", setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	memset(&linger, 0, sizeof(linger));
	show("linger", getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &size));
	note("%d %d", linger.l_onoff, linger.l_linger);
	show("linger short", setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, 4));
	size = sizeof(info);
	show("info", getsockopt(tcp, SOL_TCP, TCP_INFO, &info, &size));
	show_int("state", info.tcpi_state);
	show("congestion", setsockopt(tcp, SOL_TCP, TCP_CONGESTION, "reno", 4));
	size = sizeof(name);
	show("congestion", getsockopt(tcp, SOL_TCP, TCP_CONGESTION, name, &size));
	show_str("name", name);
	show("unknown congestion", setsockopt(tcp, SOL_TCP, TCP_CONGESTION, "nothing", 7));
	show("join", setsockopt(udp, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	show("twice", setsockopt(udp, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
	show("leave", setsockopt(udp, SOL_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)));
	show("not there", setsockopt(udp, SOL_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)));
	show("short", setsockopt(udp, SOL_IP, IP_ADD_MEMBERSHIP, &group, 4));
	show("device", setsockopt(udp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	size = sizeof(name);
	show("device", getsockopt(udp, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
	show_data("name", name, (ssize_t)size);
	show("no device", setsockopt(tcp, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6));
	show("credentials", setsockopt(udp, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
}

/* An echo request without its checksum, which is the kernel's to fill in. */
static void show_ping(int family, int protocol)
{
	unsigned char request[16] = { family == AF_INET ? 8 : 128, 0, 0, 0, 1, 2, 0, 7, 'p', 'i', 'n', 'g' };
	int fd = socket(family, SOCK_DGRAM, protocol);
	unsigned char reply[32] = { 0 };
	union inet_name name;

	show_ok("socket", fd);
	if (fd < 0)
		return;
	inet_loopback(family, &name, 0);
	show("request", sendto(fd, request, sizeof(request), 0, &name.any, name_size(family)));
	show_poll("reply", fd, POLLIN);
	show("receive", recv(fd, reply, sizeof(reply), 0));
	show_int("type", reply[0]);
	show_data("payload", reply + 6, 10);
	request[0] = 200;
	show("no request", sendto(fd, request, sizeof(request), 0, &name.any, name_size(family)));
	show("too short", sendto(fd, request, 4, 0, &name.any, name_size(family)));
	close(fd);
}

static void set_parameter(const char *path, const char *value)
{
	int fd = (int)MUST(open(path, O_WRONLY));

	show("set", write(fd, value, strlen(value)));
	close(fd);
}

CASE(inet_ping)
{
	show_ping(AF_INET, IPPROTO_ICMP);
	set_parameter("/proc/sys/net/ipv4/ping_group_range", "0 5\n");
	show_file("groups", "/proc/sys/net/ipv4/ping_group_range");
	show_ping(AF_INET, IPPROTO_ICMP);
	show_ping(AF_INET6, IPPROTO_ICMPV6);
	RUN_CHILD("another group") {
		become_user(1000);
		show_ok("socket", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	}
	/* Other cases have the same network. */
	set_parameter("/proc/sys/net/ipv4/ping_group_range", "1 0\n");
	show_file("nobody", "/proc/sys/net/ipv4/ping_group_range");
}

CASE(inet_port_start)
{
	union inet_name name;

	set_parameter("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n");
	show_file("first", "/proc/sys/net/ipv4/ip_unprivileged_port_start");
	RUN_CHILD("as a user") {
		int fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));

		become_user(1000);
		inet_loopback(AF_INET, &name, 79);
		show("below", bind(fd, &name.any, sizeof(name.in)));
		inet_loopback(AF_INET, &name, 80);
		show("at", bind(fd, &name.any, sizeof(name.in)));
	}
	set_parameter("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The fields of lines of /proc/net that are the same on every machine, sorted. */
static void show_table(const char *path)
{
	char line[512], local[64], remote[64], queues[32], lines[8][256];
	size_t count = 0;
	FILE *file = fopen(path, "r");
	unsigned state;

	if (!file)
		exit(CONF_SETUP_FAILED);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*d: %63[0-9A-F]:%*x %63[0-9A-F]:%*x %x %31s", local, remote, &state, queues) == 4)
			snprintf(lines[count++ % ARRAY_SIZE(lines)], sizeof(lines[0]), "%s %s %02X %s", local,
				 remote, state, queues);
	}
	fclose(file);
	qsort(lines, count, sizeof(lines[0]), compare);
	show_str("table", path);
	for (size_t i = 0; i < count && i < ARRAY_SIZE(lines); i++)
		show_str("socket", lines[i]);
}

CASE(inet_proc)
{
	union inet_name name;
	int ends[2];

	inet_bound(AF_INET, SOCK_STREAM, &name);
	inet_listener(AF_INET6, &name);
	show_table("/proc/net/tcp");
	show_table("/proc/net/tcp6");
	inet_bound(AF_INET, SOCK_DGRAM, &name);
	inet_bound(AF_INET6, SOCK_DGRAM, &name);
	show_table("/proc/net/udp");
	show_table("/proc/net/udp6");
	inet_pair(AF_INET, ends);
	MUST(send(ends[0], "12345", 5, 0));
	show_poll("there", ends[1], POLLIN);
	show_table("/proc/net/tcp");
	show_file("addresses", "/proc/net/if_inet6");
	show_file("routes", "/proc/net/route");
	show_file("neighbours", "/proc/net/arp");
}
