/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/fs/mqueue: the limits of the reader's IPC namespace. */
#pragma once

#include <stddef.h>

struct proc_call;
struct strbuf;

int sysctl_show_msg_default(const struct proc_call *c, struct strbuf *out);
int sysctl_store_msg_default(const struct proc_call *c, char *text, size_t size);
int sysctl_show_msg_max(const struct proc_call *c, struct strbuf *out);
int sysctl_store_msg_max(const struct proc_call *c, char *text, size_t size);
int sysctl_show_msgsize_default(const struct proc_call *c, struct strbuf *out);
int sysctl_store_msgsize_default(const struct proc_call *c, char *text, size_t size);
int sysctl_show_msgsize_max(const struct proc_call *c, struct strbuf *out);
int sysctl_store_msgsize_max(const struct proc_call *c, char *text, size_t size);
int sysctl_show_queues_max(const struct proc_call *c, struct strbuf *out);
int sysctl_store_queues_max(const struct proc_call *c, char *text, size_t size);
