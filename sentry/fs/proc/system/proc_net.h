/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of /proc/PID/net share. */
#pragma once

#include "sentry/fs/proc/proc_internal.h"

struct net_namespace;

/* The network namespace of the process, borrowed from *holder (namespaces_put); NULL: it is gone. */
struct net_namespace *proc_net_begin(const struct proc_call *c, struct namespaces **holder) MUST_CHECK;

#define PROC_NET_UDP_HEADING                                                                        \
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout " \
	"inode ref pointer drops            \n"

/* proc_net_tables.c */
int proc_net_dev(const struct proc_call *c, struct strbuf *out);
int proc_net_route(const struct proc_call *c, struct strbuf *out);
int proc_net_if_inet6(const struct proc_call *c, struct strbuf *out);
int proc_net_arp(const struct proc_call *c, struct strbuf *out);

/* proc_net_sockets.c */
int proc_net_tcp(const struct proc_call *c, struct strbuf *out);
int proc_net_tcp6(const struct proc_call *c, struct strbuf *out);
int proc_net_udp(const struct proc_call *c, struct strbuf *out);
int proc_net_udp6(const struct proc_call *c, struct strbuf *out);
int proc_net_unix(const struct proc_call *c, struct strbuf *out);
