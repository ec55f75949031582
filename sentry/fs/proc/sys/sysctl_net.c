/* SPDX-License-Identifier: Apache-2.0 */
/* See sysctl_net.h. */
#include "sentry/fs/proc/sys/sysctl_net.h"

#include <errno.h>
#include <string.h>

#include "sentry/cred/user_namespace.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/kernel/kernel.h"
#include "sentry/net/net_namespace.h"
#include "util/parse.h"

#define PORT_MAX 65535
#define GROUP_MAX 0x7fffffff

static struct net_namespace *caller_namespace(struct namespaces **holder)
{
	struct task *t = task_current();

	*holder = t ? task_namespaces_get(t) : NULL;
	return *holder ? (*holder)->net : kernel_get()->root_net_ns;
}

int sysctl_show_port_start(const struct proc_call *c, struct strbuf *out)
{
	struct namespaces *holder;
	struct net_namespace *net = caller_namespace(&holder);

	strbuf_addf(out, "%u\n", net->first_free_port);
	namespaces_put(holder);
	return 0;
}

int sysctl_store_port_start(const struct proc_call *c, char *text, size_t size)
{
	struct namespaces *holder;
	struct net_namespace *net;
	int64_t value;

	text += strspn(text, " \t\n");
	text[strcspn(text, " \t\n")] = '\0';
	if (parse_i64(text, 0, PORT_MAX, &value) < 0)
		return -EINVAL;
	net = caller_namespace(&holder);
	net->first_free_port = (uint32_t)value;
	namespaces_put(holder);
	return 0;
}

int sysctl_show_ping_groups(const struct proc_call *c, struct strbuf *out)
{
	struct namespaces *holder;
	struct net_namespace *net = caller_namespace(&holder);
	uint64_t range = net->ping_groups;

	strbuf_addf(out, "%u\t%u\n", gid_from_kernel(net->user_ns, (uint32_t)range),
		    gid_from_kernel(net->user_ns, (uint32_t)(range >> 32)));
	namespaces_put(holder);
	return 0;
}

/* Two groups; from a greater one to a smaller one is nobody, which is kept as from 1 to 0. */
int sysctl_store_ping_groups(const struct proc_call *c, char *text, size_t size)
{
	char *first = text + strspn(text, " \t\n"), *second = first + strcspn(first, " \t\n");
	struct namespaces *holder;
	struct net_namespace *net;
	int64_t from, to;
	uint32_t low, high;
	int rc = 0;

	if (*second)
		*second++ = '\0';
	second += strspn(second, " \t\n");
	second[strcspn(second, " \t\n")] = '\0';
	if (parse_i64(first, 0, GROUP_MAX, &from) < 0 || parse_i64(second, 0, GROUP_MAX, &to) < 0)
		return -EINVAL;
	net = caller_namespace(&holder);
	low = gid_to_kernel(net->user_ns, (uint32_t)from);
	high = gid_to_kernel(net->user_ns, (uint32_t)to);
	if (low == ID_INVALID || high == ID_INVALID)
		rc = -EINVAL;
	else
		net->ping_groups = from > to ? 1 : low | (uint64_t)high << 32;
	namespaces_put(holder);
	return rc;
}
