/* SPDX-License-Identifier: Apache-2.0 */
/* Who may look into or take over another task: Linux's __ptrace_may_access. */
#include "sentry/abi/capability.h"
#include "sentry/kernel/task_internal.h"

static bool same_ids(const struct credentials *caller, const struct credentials *target, int mode)
{
	uint32_t uid = mode & PTRACE_MODE_FSCREDS ? caller->fsuid : caller->uid;
	uint32_t gid = mode & PTRACE_MODE_FSCREDS ? caller->fsgid : caller->gid;

	return uid == target->euid && uid == target->suid && uid == target->uid &&
	       gid == target->egid && gid == target->sgid && gid == target->gid;
}

bool task_may_access(struct task *caller, struct task *target, int mode)
{
	const struct credentials *cred, *other;
	struct mm *mm;
	bool allowed, dumpable;
	uint64_t caps;

	if (caller->group == target->group)
		return true;
	cred = task_cred(caller);
	other = task_cred(target);
	allowed = same_ids(cred, other, mode);
	mm = task_mm_get(target);
	dumpable = !mm || atomic_load(&mm->dumpable) == 1;
	mm_put(mm);
	if (!dumpable)
		allowed = false;
	/* Nobody looks into a task that can do more. */
	caps = mode & PTRACE_MODE_FSCREDS ? cred->effective : cred->permitted;
	if (cred->user_ns != other->user_ns || (other->permitted & ~caps))
		allowed = false;
	if (!allowed)
		allowed = credentials_ns_capable(cred, other->user_ns, LINUX_CAP_SYS_PTRACE);
	credentials_put(cred);
	credentials_put(other);
	return allowed;
}

bool task_may_be_traced(struct task *child, const struct credentials *cred)
{
	const struct credentials *own = task_cred(child);
	bool allowed = (cred->user_ns == own->user_ns && !(own->permitted & ~cred->permitted)) ||
		       credentials_ns_capable(cred, own->user_ns, LINUX_CAP_SYS_PTRACE);

	credentials_put(own);
	return allowed;
}
