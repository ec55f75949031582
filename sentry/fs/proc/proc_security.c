/* SPDX-License-Identifier: Apache-2.0 */
/* Audit ids and the attributes of security modules, of which there are none. */
#include <errno.h>

#include "sentry/fs/proc/proc_internal.h"

/* Never set: -1, as in a container that no login manager started. */
int proc_show_loginuid(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%u", UINT32_MAX);
	return 0;
}

int proc_store_loginuid(const struct proc_call *c, char *text, size_t size)
{
	return -EPERM;
}

int proc_show_sessionid(const struct proc_call *c, struct strbuf *out)
{
	strbuf_addf(out, "%u", UINT32_MAX);
	return 0;
}

static int show_no_label(const struct proc_call *c, struct strbuf *out)
{
	return -EINVAL;
}

static int store_no_label(const struct proc_call *c, char *text, size_t size)
{
	return -EINVAL;
}

static const struct proc_node attr_nodes[] = {
	PROC_PLAIN("current", 0666, show_no_label, store_no_label),
	PROC_PLAIN("prev", 0444, show_no_label, NULL),
	PROC_PLAIN("exec", 0666, show_no_label, store_no_label),
	PROC_PLAIN("fscreate", 0666, show_no_label, store_no_label),
	PROC_PLAIN("keycreate", 0666, show_no_label, store_no_label),
	PROC_PLAIN("sockcreate", 0666, show_no_label, store_no_label),
};

const struct proc_dir proc_attr_dir = PROC_DIR(attr_nodes);
