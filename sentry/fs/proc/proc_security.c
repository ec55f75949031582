/* SPDX-License-Identifier: Apache-2.0 */
/* Audit ids and the attributes of security modules, of which there are none. */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/fs/proc/proc_internal.h"
#include "util/parse.h"

/* --- who logged in ------------------------------------------------------------------------ */

int proc_show_loginuid(const struct proc_call *c, struct strbuf *out)
{
	uint32_t kuid, uid;

	mutex_lock(&c->task->lock);
	kuid = c->task->login_uid;
	mutex_unlock(&c->task->lock);
	uid = uid_from_kernel(proc_user_ns(c), kuid);
	/* Who has no id here is nobody, not the overflow id. */
	if (uid_to_kernel(proc_user_ns(c), uid) != kuid)
		uid = ID_INVALID;
	strbuf_addf(out, "%u", uid);
	return 0;
}

int proc_show_sessionid(const struct proc_call *c, struct strbuf *out)
{
	mutex_lock(&c->task->lock);
	strbuf_addf(out, "%u", c->task->login_session);
	mutex_unlock(&c->task->lock);
	return 0;
}

/* A thread's own, and from its beginning. */
int proc_may_store_loginuid(const struct proc_call *c, uint64_t whole)
{
	if (c->task != task_current())
		return -EPERM;
	return c->pos ? -EINVAL : 0;
}

/* Once by anybody, as login does; with privilege after that. */
static int set_login(struct task *t, uint32_t kuid)
{
	static _Atomic uint32_t sessions;
	int rc = 0;

	mutex_lock(&t->lock);
	if (t->login_uid != ID_INVALID && !credentials_root_capable(t->cred, LINUX_CAP_AUDIT_CONTROL)) {
		rc = -EPERM;
	} else {
		t->login_uid = kuid;
		t->login_session = kuid == ID_INVALID ? UINT32_MAX : atomic_fetch_add(&sessions, 1) + 1;
	}
	mutex_unlock(&t->lock);
	return rc;
}

int proc_store_loginuid(const struct proc_call *c, char *text, size_t size)
{
	uint32_t uid, kuid = ID_INVALID;
	int rc;

	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	rc = parse_u32(text + (*text == '+'), &uid);
	if (rc)
		return rc;
	/* -1 unsets it. */
	if (uid != ID_INVALID) {
		kuid = uid_to_kernel(proc_user_ns(c), uid);
		if (kuid == ID_INVALID)
			return -EINVAL;
	}
	return set_login(c->task, kuid);
}

/* --- attr --------------------------------------------------------------------------------- */

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
