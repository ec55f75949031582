/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/net/tcp, udp and their like for IPv6: the sockets that have a port, in the order in
 * which they were made.  unix: those of AF_UNIX.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/socket.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/proc/system/proc_net.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/unix/unix.h"

struct listing {
	struct strbuf *out;
	struct user_namespace *user_ns; /* the reader's */
	unsigned count;
};

/* As Linux: words of network order, printed as the machine reads them. */
static void add_name(struct strbuf *out, const uint8_t address[16], unsigned words, uint16_t port)
{
	for (unsigned i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, address + i * sizeof(word), sizeof(word));
		strbuf_addf(out, "%08X", word);
	}
	strbuf_addf(out, ":%04X", port);
}

static void add_socket(void *arg, const struct net_socket_entry *e)
{
	bool udp = e->protocol == LINUX_IPPROTO_UDP;
	unsigned words = e->family == LINUX_AF_INET ? 1 : 4;
	struct listing *l = arg;

	/* Linux lists what its tables of ports and connections have. */
	if (!e->local_port || (!udp && e->state == LINUX_TCP_CLOSE))
		return;
	strbuf_addf(l->out, udp ? "%5u: " : "%4u: ", l->count++);
	add_name(l->out, e->local, words, e->local_port);
	strbuf_add_char(l->out, ' ');
	add_name(l->out, e->remote, words, e->remote_port);
	strbuf_addf(l->out, " %02X %08X:%08X %02X:%08X %08X %5u %8d %llu %d %016d", e->state, e->send_queue,
		    e->receive_queue, e->timer, e->expires_ms / 10, e->retransmits,
		    uid_from_kernel(l->user_ns, e->uid), 0, (unsigned long long)e->ino, 1, 0);
	strbuf_add(l->out, udp ? " 0\n" : "\n");
}

static int show_sockets(const struct proc_call *c, struct strbuf *out, uint8_t family, uint8_t protocol)
{
	struct listing l = { out, c->cred->user_ns, 0 };
	struct namespaces *holder;
	struct net_namespace *net = proc_net_begin(c, &holder);
	int rc = net ? net->provider->sockets(net, family, protocol, add_socket, &l) : -EINVAL;

	namespaces_put(holder);
	return rc;
}

int proc_net_tcp(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
			"timeout inode                                                     \n");
	return show_sockets(c, out, LINUX_AF_INET, LINUX_IPPROTO_TCP);
}

int proc_net_tcp6(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "  sl  local_address                         remote_address                        "
			"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
	return show_sockets(c, out, LINUX_AF_INET6, LINUX_IPPROTO_TCP);
}

int proc_net_udp(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, PROC_NET_UDP_HEADING);
	return show_sockets(c, out, LINUX_AF_INET, LINUX_IPPROTO_UDP);
}

int proc_net_udp6(const struct proc_call *c, struct strbuf *out)
{
	strbuf_add(out, "  sl  local_address                         remote_address                        "
			"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n");
	return show_sockets(c, out, LINUX_AF_INET6, LINUX_IPPROTO_UDP);
}

/* --- AF_UNIX -------------------------------------------------------------------------------- */

#define FLAG_LISTENING 0x10000U
#define STATE_UNCONNECTED 1
#define STATE_CONNECTED 3

/* NULs of an abstract name, as the one in front of it, are shown as "@". */
static void add_unix_name(struct strbuf *out, const struct unix_entry *e)
{
	size_t size = e->name[0] ? strnlen(e->name, e->name_size) : e->name_size;

	strbuf_add_char(out, ' ');
	for (size_t i = 0; i < size; i++)
		strbuf_add_char(out, e->name[i] ? e->name[i] : '@');
}

static void add_unix(void *arg, struct socket *s)
{
	struct strbuf *out = arg;
	struct unix_entry e;

	if (!unix_describe(unix_socket_of(s), &e))
		return;
	strbuf_addf(out, "%016d: %08X %08X %08X %04X %02X %5llu", 0, e.has_peer ? 3U : 2U, 0U,
		    e.state == LINUX_TCP_LISTEN ? FLAG_LISTENING : 0U, (unsigned)e.type,
		    e.state == LINUX_TCP_ESTABLISHED ? STATE_CONNECTED : STATE_UNCONNECTED,
		    (unsigned long long)e.ino);
	if (e.name_size)
		add_unix_name(out, &e);
	strbuf_add_char(out, '\n');
}

int proc_net_unix(const struct proc_call *c, struct strbuf *out)
{
	struct namespaces *holder;
	struct net_namespace *net = proc_net_begin(c, &holder);
	int rc;

	strbuf_add(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	rc = net ? net_each_socket(net, LINUX_AF_UNIX, 0, add_unix, out) : -EINVAL;
	namespaces_put(holder);
	return rc;
}
