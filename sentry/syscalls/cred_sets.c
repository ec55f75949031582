/* SPDX-License-Identifier: Apache-2.0 */
/* Supplementary groups and capability sets. */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "util/cleanup.h"

int64_t sys_getgroups(struct task *t, const struct syscall_args *a)
{
	int32_t size = arg_int(a, 0);
	const struct group_list *g = t->cred->groups;
	AUTO_FREE uint32_t *gids = NULL;
	int rc;

	if (size < 0)
		return -EINVAL;
	if (!size)
		return g->count;
	if (g->count > (uint32_t)size)
		return -EINVAL;
	if (!g->count)
		return 0;
	gids = calloc(g->count, sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->count; i++)
		gids[i] = gid_from_kernel(t->cred->user_ns, g->gids[i]);
	rc = copy_out(t->mm, arg_addr(a, 1), gids, g->count * sizeof(*gids));
	return rc ? rc : (int64_t)g->count;
}

static bool may_setgroups(struct task *t)
{
	struct user_namespace *ns = t->cred->user_ns;
	bool allowed;

	mutex_lock(&ns->lock);
	allowed = ns->setgroups_allowed && (!ns->parent || ns->gid_map_count);
	mutex_unlock(&ns->lock);
	return allowed && credentials_capable(t->cred, LINUX_CAP_SETGID);
}

int64_t sys_setgroups(struct task *t, const struct syscall_args *a)
{
	uint32_t count = arg_u32(a, 0);
	AUTO_FREE uint32_t *gids = NULL;
	struct credentials *cred;
	struct group_list *list;
	int rc;

	if (!may_setgroups(t))
		return -EPERM;
	if (count > GROUPS_MAX)
		return -EINVAL;
	gids = calloc(count + 1U, sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	rc = copy_in(t->mm, gids, arg_addr(a, 1), count * sizeof(*gids));
	for (uint32_t i = 0; i < count && !rc; i++) {
		gids[i] = gid_to_kernel(t->cred->user_ns, gids[i]);
		if (gids[i] == ID_INVALID)
			rc = -EINVAL;
	}
	if (!rc)
		rc = group_list_new(gids, count, &list);
	if (rc)
		return rc;
	cred = credentials_copy(t->cred);
	if (!cred) {
		group_list_put(list);
		return -ENOMEM;
	}
	group_list_put(cred->groups);
	cred->groups = list;
	task_set_cred(t, cred);
	return 0;
}

/* --- capabilities ------------------------------------------------------------------ */

/* How many 32-bit words the caller's version has; 0: unknown, and ours is written back. */
static int read_header(struct task *t, guest_addr_t addr, struct linux_cap_header *header,
		       unsigned *words)
{
	int rc = copy_in(t->mm, header, addr, sizeof(*header));

	if (rc)
		return rc;
	switch (header->version) {
	case LINUX_CAPABILITY_VERSION_1:
		*words = 1;
		return 0;
	case LINUX_CAPABILITY_VERSION_2:
	case LINUX_CAPABILITY_VERSION_3:
		*words = 2;
		return 0;
	default:
		*words = 0;
		return copy_out_u32(t->mm, addr, LINUX_CAPABILITY_VERSION_3);
	}
}

int64_t sys_capget(struct task *t, const struct syscall_args *a)
{
	struct linux_cap_header header;
	struct linux_cap_data data[2] = { { 0 } };
	const struct credentials *cred;
	struct task *target;
	unsigned words;
	int rc = read_header(t, arg_addr(a, 0), &header, &words);

	if (rc)
		return rc;
	if (!words) /* asking for the version, unless data is wanted too */
		return a->v[1] ? -EINVAL : 0;
	if (header.pid < 0)
		return -EINVAL;
	target = header.pid ? task_lookup(t->pid.ns, header.pid) : task_get(t);
	if (!target)
		return -ESRCH;
	cred = task_cred(target);
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(cred->effective >> (32 * i));
		data[i].permitted = (uint32_t)(cred->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(cred->inheritable >> (32 * i));
	}
	credentials_put(cred);
	task_put(target);
	if (!a->v[1])
		return 0;
	return copy_out(t->mm, arg_addr(a, 1), data, words * sizeof(data[0]));
}

static int check_sets(const struct credentials *old, uint64_t effective, uint64_t permitted,
		      uint64_t inheritable)
{
	if (!credentials_has_capability(old, LINUX_CAP_SETPCAP) &&
	    (inheritable & ~(old->inheritable | old->permitted)))
		return -EPERM;
	if (inheritable & ~(old->inheritable | old->bounding))
		return -EPERM;
	if (permitted & ~old->permitted)
		return -EPERM;
	return effective & ~permitted ? -EPERM : 0;
}

int64_t sys_capset(struct task *t, const struct syscall_args *a)
{
	struct linux_cap_header header;
	struct linux_cap_data data[2] = { { 0 } };
	uint64_t effective, permitted, inheritable;
	struct credentials *cred;
	unsigned words;
	int rc = read_header(t, arg_addr(a, 0), &header, &words);

	if (rc)
		return rc;
	if (!words)
		return -EINVAL;
	if (header.pid && header.pid != task_tid_in(t, t->pid.ns))
		return -EPERM;
	rc = copy_in(t->mm, data, arg_addr(a, 1), words * sizeof(data[0]));
	if (rc)
		return rc;
	effective = (data[0].effective | (uint64_t)data[1].effective << 32) & CAPABILITY_FULL_SET;
	permitted = (data[0].permitted | (uint64_t)data[1].permitted << 32) & CAPABILITY_FULL_SET;
	inheritable = (data[0].inheritable | (uint64_t)data[1].inheritable << 32) & CAPABILITY_FULL_SET;
	rc = check_sets(t->cred, effective, permitted, inheritable);
	if (rc)
		return rc;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	cred->effective = effective;
	cred->permitted = permitted;
	cred->inheritable = inheritable;
	cred->ambient &= permitted & inheritable;
	task_set_cred(t, cred);
	return 0;
}
