/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/keys, /proc/key-users. */
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/task.h"

int proc_show_keys(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();

	if (t)
		keys_show(t, out);
	return 0;
}

int proc_show_key_users(const struct proc_call *c, struct strbuf *out)
{
	struct task *t = task_current();

	if (t)
		key_users_show(t, out);
	return 0;
}
