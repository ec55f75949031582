/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the host about the network namespace that the sentry is in.  One rtnetlink socket
 * is opened at boot; nothing that changes the network is ever sent on it.  For the allow-list:
 * sendto without an address, recvmsg.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

struct strbuf;

/* Boot, before confinement, once.  0 or negative errno. */
int host_netlink_open(void) MUST_CHECK;

/* One table: the question's type, and which of its answers are kept. */
struct host_netlink_table {
	uint16_t get, row;	  /* RTM_GET*, RTM_NEW* */
	uint16_t size;		  /* of the structure before the attributes */
	uint64_t attributes;	  /* bit n: attribute n is kept */
};

/*
 * Appends the rows of @table and @family (AF_*, 0: all) as messages, each with a header of zero flags,
 * sequence and pid, padded to four bytes.  -EIO: the host's answer is not what it should be; -ENOMEM,
 * -E2BIG, or the host's own error.  @out is as it was then.
 */
int host_netlink_dump(const struct host_netlink_table *table, uint8_t family, struct strbuf *out) MUST_CHECK;
/* The one route to @address (4 or 16 bytes), in the same form. */
int host_netlink_route(const struct host_netlink_table *table, uint8_t family, const void *address,
		       size_t size, struct strbuf *out) MUST_CHECK;
