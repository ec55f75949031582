/* SPDX-License-Identifier: Apache-2.0 */
/* See sysctl_mqueue.h. */
#include "sentry/fs/proc/sys/sysctl_mqueue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/mqueue.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/kernel.h"
#include "util/parse.h"

static struct ipc_namespace *caller_namespace(struct namespaces **holder)
{
	struct task *t = task_current();

	*holder = t ? task_namespaces_get(t) : NULL;
	return *holder ? (*holder)->ipc : kernel_built_ipc();
}

static uint32_t *field(struct ipc_namespace *ns, size_t offset)
{
	return (uint32_t *)(void *)((char *)&ns->mqueue_limits + offset);
}

static int show(size_t offset, struct strbuf *out)
{
	struct namespaces *holder;
	struct ipc_namespace *ns = caller_namespace(&holder);
	uint32_t value;

	mutex_lock(&ns->lock);
	value = *field(ns, offset);
	mutex_unlock(&ns->lock);
	namespaces_put(holder);
	strbuf_addf(out, "%u\n", value);
	return 0;
}

static int store(size_t offset, char *text, int64_t min, int64_t max)
{
	struct namespaces *holder;
	struct ipc_namespace *ns;
	int64_t value;

	text += strspn(text, " \t\n");
	text[strcspn(text, " \t\n")] = '\0';
	if (parse_i64(text, min, max, &value) < 0)
		return -EINVAL;
	ns = caller_namespace(&holder);
	mutex_lock(&ns->lock);
	*field(ns, offset) = (uint32_t)value;
	mutex_unlock(&ns->lock);
	namespaces_put(holder);
	return 0;
}

#define LIMIT(name, min, max)                                                             \
	int sysctl_show_##name(const struct proc_call *c, struct strbuf *out)             \
	{                                                                                 \
		return show(offsetof(struct mqueue_limits, name), out);                   \
	}                                                                                 \
	int sysctl_store_##name(const struct proc_call *c, char *text, size_t size)       \
	{                                                                                 \
		return store(offsetof(struct mqueue_limits, name), text, (min), (max));   \
	}

LIMIT(msg_default, 1, LINUX_MQ_HARD_MSGMAX)
LIMIT(msg_max, 1, LINUX_MQ_HARD_MSGMAX)
LIMIT(msgsize_default, 128, LINUX_MQ_HARD_MSGSIZEMAX)
LIMIT(msgsize_max, 128, LINUX_MQ_HARD_MSGSIZEMAX)
LIMIT(queues_max, 0, INT32_MAX)
