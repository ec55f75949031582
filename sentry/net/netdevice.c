/* SPDX-License-Identifier: Apache-2.0 */
/* See netdevice.h. */
#include "sentry/net/netdevice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/ioctl.h"
#include "sentry/abi/netlink.h"
#include "sentry/abi/socket.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netlink/record.h"
#include "sentry/net/socket.h"
#include "util/checked.h"

#define NAME_SIZE LINUX_IFNAMSIZ

struct linux_ifreq {
	char name[NAME_SIZE];
	union {
		struct linux_sockaddr_in addr;
		int16_t flags;
		int32_t number;
		uint8_t bytes[24];
	};
};
_Static_assert(sizeof(struct linux_ifreq) == 40, "ifreq");

struct linux_ifconf {
	int32_t size;
	uint32_t pad;
	uint64_t buffer;
};

/* What the requests can ask of one interface. */
struct interface {
	struct linux_ifinfomsg link;
	char name[NAME_SIZE];
	uint32_t mtu, queue;
	uint8_t hardware[14], hardware_size;
	/* the first IPv4 address */
	bool has_address;
	uint32_t address, peer, broadcast; /* network order */
	uint8_t prefix;
};

struct tables {
	struct strbuf links, addresses;
};

static int read_tables(struct net_namespace *net, struct tables *t)
{
	int rc = net->provider->dump(net, NET_LINKS, 0, &t->links);

	return rc ? rc : net->provider->dump(net, NET_ADDRESSES, LINUX_AF_INET, &t->addresses);
}

static void free_tables(struct tables *t)
{
	strbuf_free(&t->links);
	strbuf_free(&t->addresses);
}

static bool next_link(const struct tables *t, size_t *at, struct interface *out)
{
	const size_t skip = sizeof(struct linux_ifinfomsg);
	const void *hardware;
	struct record r;
	size_t size = 0;

	do {
		if (!record_next(t->links.data, t->links.length, at, &r))
			return false;
	} while (r.size < skip);
	*out = (struct interface){ 0 };
	memcpy(&out->link, r.payload, skip);
	record_find_text(&r, skip, LINUX_IFLA_IFNAME, out->name, sizeof(out->name));
	out->mtu = record_find_u32(&r, skip, LINUX_IFLA_MTU, 0);
	out->queue = record_find_u32(&r, skip, LINUX_IFLA_TXQLEN, 0);
	hardware = record_find(&r, skip, LINUX_IFLA_ADDRESS, &size);
	out->hardware_size = (uint8_t)MIN(size, sizeof(out->hardware));
	if (hardware)
		memcpy(out->hardware, hardware, out->hardware_size);
	return true;
}

/* The next IPv4 address of @link; its label becomes the name, as these requests know it. */
static bool next_address(const struct tables *t, size_t *at, struct interface *link)
{
	const size_t skip = sizeof(struct linux_ifaddrmsg);
	struct linux_ifaddrmsg info;
	char label[NAME_SIZE];
	struct record r;

	while (record_next(t->addresses.data, t->addresses.length, at, &r)) {
		if (r.size < skip)
			continue;
		memcpy(&info, r.payload, skip);
		if (info.family != LINUX_AF_INET || info.index != (uint32_t)link->link.index)
			continue;
		link->has_address = true;
		link->prefix = MIN(info.prefix_size, (uint8_t)32);
		link->address = record_find_u32(&r, skip, LINUX_IFA_LOCAL, 0);
		link->peer = record_find_u32(&r, skip, LINUX_IFA_ADDRESS, link->address);
		link->broadcast = record_find_u32(&r, skip, LINUX_IFA_BROADCAST, 0);
		record_find_text(&r, skip, LINUX_IFA_LABEL, label, sizeof(label));
		if (label[0])
			memcpy(link->name, label, sizeof(label));
		return true;
	}
	return false;
}

static void set_address(struct linux_ifreq *r, uint32_t address)
{
	r->addr = (struct linux_sockaddr_in){ .family = LINUX_AF_INET, .addr = address };
}

/* --- SIOCGIFCONF ------------------------------------------------------------------------ */

/* One ifreq for each IPv4 address. */
static void add_entries(const struct tables *t, struct strbuf *out)
{
	struct interface link;
	size_t at = 0;

	while (next_link(t, &at, &link)) {
		size_t from = 0;

		while (next_address(t, &from, &link)) {
			struct linux_ifreq entry = { 0 };

			memcpy(entry.name, link.name, NAME_SIZE);
			set_address(&entry, link.address);
			strbuf_add_bytes(out, &entry, sizeof(entry));
		}
	}
}

/* A list of ifreq, or with a null buffer only its size. */
static int64_t list_interfaces(const struct tables *t, struct mm *mm, uint64_t arg)
{
	AUTO_STRBUF struct strbuf list = STRBUF_INIT;
	struct linux_ifconf conf;
	size_t size;

	if (copy_in(mm, &conf, guest_addr(arg), sizeof(conf)))
		return -EFAULT;
	add_entries(t, &list);
	if (list.failed)
		return -ENOMEM;
	size = list.length;
	if (conf.buffer) {
		size_t room = conf.size > 0 ? (size_t)conf.size : 0;

		size = MIN(size, room - room % sizeof(struct linux_ifreq));
		if (size && copy_out(mm, guest_addr(conf.buffer), list.data, size))
			return -EFAULT;
	}
	conf.size = (int32_t)size;
	return copy_out(mm, guest_addr(arg), &conf, sizeof(conf));
}

/* --- one interface ---------------------------------------------------------------------- */

static int answer_address(uint32_t cmd, const struct interface *link, struct linux_ifreq *r)
{
	if (!link->has_address)
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case LINUX_SIOCGIFADDR:
		set_address(r, link->address);
		return 0;
	case LINUX_SIOCGIFDSTADDR:
		set_address(r, link->peer);
		return 0;
	case LINUX_SIOCGIFBRDADDR:
		set_address(r, link->broadcast);
		return 0;
	default: /* LINUX_SIOCGIFNETMASK */
		set_address(r, link->prefix ? __builtin_bswap32(~0U << (32 - link->prefix)) : 0);
		return 0;
	}
}

/* Fills the union for @link; -ENOTTY when @cmd is none of ours. */
static int answer(uint32_t cmd, const struct interface *link, struct linux_ifreq *r)
{
	memset(r->bytes, 0, sizeof(r->bytes));
	switch (cmd) {
	case LINUX_SIOCGIFFLAGS:
		r->flags = (int16_t)(link->link.flags & 0xffff);
		return 0;
	case LINUX_SIOCGIFADDR:
	case LINUX_SIOCGIFDSTADDR:
	case LINUX_SIOCGIFBRDADDR:
	case LINUX_SIOCGIFNETMASK:
		return answer_address(cmd, link, r);
	case LINUX_SIOCGIFMTU:
		r->number = (int32_t)link->mtu;
		return 0;
	case LINUX_SIOCGIFHWADDR:
		r->addr.family = link->link.type;
		memcpy(r->bytes + sizeof(uint16_t), link->hardware, link->hardware_size);
		return 0;
	case LINUX_SIOCGIFINDEX:
		r->number = link->link.index;
		return 0;
	case LINUX_SIOCGIFTXQLEN:
		r->number = (int32_t)link->queue;
		return 0;
	case LINUX_SIOCGIFMETRIC:
	case LINUX_SIOCGIFMAP:
		return 0;
	default:
		return -ENOTTY;
	}
}

static int64_t name_of_index(const struct tables *t, struct mm *mm, uint64_t arg)
{
	struct linux_ifreq request;
	struct interface link;
	size_t at = 0;

	if (copy_in(mm, &request, guest_addr(arg), sizeof(request)))
		return -EFAULT;
	while (next_link(t, &at, &link)) {
		if (link.link.index != request.number)
			continue;
		memcpy(request.name, link.name, NAME_SIZE);
		return copy_out(mm, guest_addr(arg), &request, sizeof(request));
	}
	return -ENODEV;
}

/* By its name, or by the label of one of its addresses ("eth0:1"). */
static bool find_interface(const struct tables *t, const char *name, struct interface *out)
{
	char plain[NAME_SIZE];
	size_t at = 0;

	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(name, ":"), name);
	while (next_link(t, &at, out)) {
		size_t from = 0;

		if (strcmp(out->name, plain) != 0)
			continue;
		while (next_address(t, &from, out)) {
			if (!strcmp(out->name, name))
				return true;
		}
		out->has_address = false;
		return true;
	}
	return false;
}

static int64_t ask_interface(const struct tables *t, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct linux_ifreq request;
	struct interface link;
	int rc;

	if (copy_in(mm, &request, guest_addr(arg), sizeof(request)))
		return -EFAULT;
	request.name[NAME_SIZE - 1] = '\0';
	if (!find_interface(t, request.name, &link))
		return -ENODEV;
	rc = answer(cmd, &link, &request);
	return rc ? rc : copy_out(mm, guest_addr(arg), &request, sizeof(request));
}

static bool is_ours(uint32_t cmd)
{
	static const struct interface any;
	struct linux_ifreq request;

	return cmd == LINUX_SIOCGIFCONF || cmd == LINUX_SIOCGIFNAME ||
	       answer(cmd, &any, &request) != -ENOTTY;
}

int64_t netdevice_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct tables t = { STRBUF_INIT, STRBUF_INIT };
	int64_t rc;

	if (!is_ours(cmd))
		return -ENOTTY;
	rc = read_tables(s->net, &t);
	if (!rc && cmd == LINUX_SIOCGIFCONF)
		rc = list_interfaces(&t, mm, arg);
	else if (!rc && cmd == LINUX_SIOCGIFNAME)
		rc = name_of_index(&t, mm, arg);
	else if (!rc)
		rc = ask_interface(&t, mm, cmd, arg);
	free_tables(&t);
	return rc;
}
