/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of the caller's network namespace that decide who may have which socket. */
#pragma once

#include <stddef.h>

struct proc_call;
struct strbuf;

int sysctl_show_port_start(const struct proc_call *c, struct strbuf *out);
int sysctl_store_port_start(const struct proc_call *c, char *text, size_t size);
int sysctl_show_ping_groups(const struct proc_call *c, struct strbuf *out);
int sysctl_store_ping_groups(const struct proc_call *c, char *text, size_t size);
