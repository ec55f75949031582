/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of internet sockets that reach the host: what a guest may ask for, and what
 * the sentry's filter lets through (host_confine.c), are one table.
 *
 * Left out on purpose: what loads programs (SO_ATTACH_*), other protocols into a socket
 * (TCP_ULP, UDP_ENCAP), repairs connections or maps kernel memory (TCP_REPAIR,
 * TCP_ZEROCOPY_RECEIVE, SO_ZEROCOPY), keys (TCP_MD5SIG, TCP_AO), packet filters' tables,
 * source routes and extension headers (IP_OPTIONS, IPV6_RTHDR ...).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HOST_INET_SET 1U
#define HOST_INET_GET 2U

struct host_inet_option {
	int level, name;
	uint8_t access; /* HOST_INET_SET, HOST_INET_GET */
	uint16_t size;	/* the most bytes of a value; what is longer is cut */
};

extern const struct host_inet_option host_inet_options[];
extern const size_t host_inet_option_count;

/* The row with all of @access, or NULL. */
const struct host_inet_option *host_inet_option_find(int level, int name, uint8_t access);
