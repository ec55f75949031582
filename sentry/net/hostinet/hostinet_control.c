/* SPDX-License-Identifier: Apache-2.0 */
/* Control messages of internet sockets: which may pass, and with what sizes.  Stateless. */
#include <errno.h>
#include <string.h>

#include "sentry/net/hostinet/hostinet.h"
#include "util/checked.h"

#define HEADER sizeof(struct linux_cmsghdr)

struct control_row {
	int level, type;
	uint16_t min, max; /* bytes of data */
};

/* From a guest to the host. */
static const struct control_row sent[] = {
	{ LINUX_SOL_IP, LINUX_IP_TOS, 1, 4 },
	{ LINUX_SOL_IP, LINUX_IP_TTL, 4, 4 },
	{ LINUX_SOL_IP, LINUX_IP_PKTINFO, 12, 12 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_PKTINFO, 20, 20 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_HOPLIMIT, 4, 4 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_TCLASS, 4, 4 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_DONTFRAG, 4, 4 },
	{ LINUX_SOL_UDP, LINUX_UDP_SEGMENT, 2, 2 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING, 4, 4 },
};

/* From the host to a guest; cut short where the guest has no room. */
static const struct control_row received[] = {
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMP, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPNS, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMP_NEW, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPNS_NEW, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING_NEW, 0, 64 },
	{ LINUX_SOL_SOCKET, LINUX_SO_RXQ_OVFL, 0, 4 },
	{ LINUX_SOL_IP, LINUX_IP_TOS, 0, 4 },
	{ LINUX_SOL_IP, LINUX_IP_TTL, 0, 4 },
	{ LINUX_SOL_IP, LINUX_IP_PKTINFO, 0, 12 },
	{ LINUX_SOL_IP, LINUX_IP_RECVERR, 0, 64 },
	{ LINUX_SOL_IP, LINUX_IP_RECVORIGDSTADDR, 0, 16 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_PKTINFO, 0, 20 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_HOPLIMIT, 0, 4 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_TCLASS, 0, 4 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_RECVERR, 0, 64 },
	{ LINUX_SOL_IPV6, LINUX_IPV6_RECVORIGDSTADDR, 0, 28 },
	{ LINUX_SOL_UDP, LINUX_UDP_GRO, 0, 4 },
	{ LINUX_SOL_TCP, LINUX_TCP_INQ, 0, 4 },
};

static bool has_row(const struct control_row *rows, size_t count, const struct linux_cmsghdr *h)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].level == h->level && rows[i].type == h->type)
			return h->size >= HEADER + rows[i].min && h->size <= HEADER + rows[i].max;
	}
	return false;
}

int hostinet_check_control(struct socket *s, const struct linux_cmsghdr *header, const void *data)
{
	(void)data;
	if (has_row(sent, ARRAY_SIZE(sent), header))
		return 1;
	switch (header->level) {
	case LINUX_SOL_SOCKET:
		/* These two belong to unix sockets, and are passed over by others. */
		return header->type == LINUX_SCM_RIGHTS || header->type == LINUX_SCM_CREDENTIALS ?
			       0 : -EINVAL;
	case LINUX_SOL_IP:
		return s->type == LINUX_SOCK_STREAM ? 0 : -EINVAL;
	case LINUX_SOL_IPV6:
		return s->type == LINUX_SOCK_STREAM || s->family == LINUX_AF_INET ? 0 : -EINVAL;
	default:
		return 0;
	}
}

void hostinet_control_filter(uint8_t *rows, size_t *size)
{
	size_t at = 0, kept = 0;

	while (*size - at >= HEADER) {
		struct linux_cmsghdr h;
		size_t space;

		memcpy(&h, rows + at, HEADER);
		if (h.size < HEADER || h.size > *size - at)
			break;
		space = MIN((size_t)LINUX_CMSG_ALIGN(h.size), *size - at);
		if (has_row(received, ARRAY_SIZE(received), &h)) {
			memmove(rows + kept, rows + at, space);
			kept += space;
		}
		at += space;
	}
	*size = kept;
}
