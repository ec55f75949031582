/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces, and the start of the socket layer. */
#include "sentry/net/net_namespace.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task.h"
#include "sentry/net/inet/inet.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/socket.h"
#include "sentry/net/unix/unix.h"

#define PORT_PRIVILEGED 1024
#define NO_GROUPS 1ULL /* from 1 to 0 */

static const struct inet_provider *root_provider = &loopback_provider; /* written at boot */

void net_set_root_provider(const struct inet_provider *provider)
{
	root_provider = provider;
}

int net_namespace_new(struct user_namespace *user_ns, const struct inet_provider *provider,
		      struct net_namespace **out)
{
	struct net_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_number();
	mutex_init(&ns->lock, LOCK_RANK_GOFER);
	mutex_init(&ns->sockets_lock, LOCK_RANK_LEAF);
	list_init(&ns->sockets);
	hash_table_init(&ns->abstract_names);
	hash_table_init(&ns->ports);
	ns->provider = provider;
	ns->first_free_port = PORT_PRIVILEGED;
	ns->ping_groups = NO_GROUPS;
	*out = ns;
	return 0;
}

struct net_namespace *net_namespace_get(struct net_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

bool net_namespace_capable(const struct net_namespace *ns, int capability)
{
	struct task *t = task_current();

	return t && credentials_ns_capable(t->cred, ns->user_ns, capability);
}

bool net_namespace_may_bind(const struct net_namespace *ns, uint16_t port)
{
	return !port || port >= ns->first_free_port || !task_current() ||
	       net_namespace_capable(ns, LINUX_CAP_NET_BIND_SERVICE);
}

bool net_namespace_may_ping(const struct net_namespace *ns)
{
	uint32_t first = (uint32_t)ns->ping_groups, last = (uint32_t)(ns->ping_groups >> 32);
	struct task *t = task_current();
	const struct credentials *cred;
	bool may;

	if (!t || first > last)
		return false;
	cred = task_cred(t);
	may = credentials_group_between(cred, first, last);
	credentials_put(cred);
	return may;
}

/* Bound sockets hold a reference, so the tables are empty at the end. */
void net_namespace_put(struct net_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	hash_table_destroy(&ns->abstract_names);
	hash_table_destroy(&ns->ports);
	mutex_destroy(&ns->sockets_lock);
	mutex_destroy(&ns->lock);
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	free(ns);
}

static void opaque_get(void *ns)
{
	net_namespace_get(ns);
}

static void opaque_put(void *ns)
{
	net_namespace_put(ns);
}

static int opaque_create(struct user_namespace *user_ns, uint32_t kuid, void **out)
{
	struct net_namespace *ns;
	int rc = net_namespace_new(user_ns, &loopback_provider, &ns);

	if (!rc)
		rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_NET);
	else
		return rc;
	if (rc)
		net_namespace_put(ns);
	else
		*out = ns;
	return rc;
}

static struct user_namespace *opaque_owner(void *ns)
{
	return ((struct net_namespace *)ns)->user_ns;
}

static uint64_t opaque_number(void *ns)
{
	return ((struct net_namespace *)ns)->ino;
}

static const struct namespace_ops clone_ops = {
	.get = opaque_get,
	.put = opaque_put,
	.create = opaque_create,
	.owner = opaque_owner,
	.number = opaque_number,
};

int net_init(struct kernel *kernel)
{
	int rc = net_namespace_new(kernel->container_user_ns, root_provider, &kernel->root_net_ns);

	if (!rc)
		rc = socket_fs_init(kernel->root_user_ns);
	if (rc)
		return rc;
	namespaces_register(&clone_ops, NULL);
	socket_family_register(&unix_family);
	socket_family_register(&netlink_family);
	socket_family_register(&inet_family);
	socket_family_register(&inet6_family);
	return 0;
}
