/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl of pidfds: descriptors for the namespaces of a process, and PIDFD_GET_INFO, which answers
 * for one that is reaped, too.
 */
#include <errno.h>

#include "sentry/abi/pidfd.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

/* --- namespaces -------------------------------------------------------------------------- */

static bool is_namespace(uint32_t cmd, enum namespace_kind *kind, bool *for_children)
{
	static const enum namespace_kind kinds[] = {
		NAMESPACE_CGROUP, NAMESPACE_IPC,  NAMESPACE_MOUNT, NAMESPACE_NET,  NAMESPACE_PID,
		NAMESPACE_PID,	  NAMESPACE_TIME, NAMESPACE_TIME,  NAMESPACE_USER, NAMESPACE_UTS,
	};

	if (cmd < LINUX_PIDFD_GET_CGROUP_NAMESPACE || cmd > LINUX_PIDFD_GET_UTS_NAMESPACE)
		return false;
	*kind = kinds[cmd - LINUX_PIDFD_GET_CGROUP_NAMESPACE];
	*for_children = cmd == LINUX_PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE ||
			cmd == LINUX_PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE;
	return true;
}

static int64_t open_namespace(struct task *caller, struct task *t, enum namespace_kind kind, bool for_children)
{
	struct namespaces *alive = task_namespaces_get(t);
	struct namespace_ref ref;

	/* A zombie has none, though its user and pid namespace are known. */
	if (!alive)
		return -ESRCH;
	namespaces_put(alive);
	if (!task_may_access(caller, t, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		return -EACCES;
	ref = task_namespace_get(t, kind, for_children);
	return ref.ns ? kernel_upcalls()->namespace_open(caller, ref) : -ESRCH;
}

/* --- PIDFD_GET_INFO ---------------------------------------------------------------------- */

static void fill_credentials(struct linux_pidfd_info *info, struct task *t, struct user_namespace *ns)
{
	const struct credentials *cred = task_cred(t);

	info->ruid = uid_from_kernel(ns, cred->uid);
	info->rgid = gid_from_kernel(ns, cred->gid);
	info->euid = uid_from_kernel(ns, cred->euid);
	info->egid = gid_from_kernel(ns, cred->egid);
	info->suid = uid_from_kernel(ns, cred->suid);
	info->sgid = gid_from_kernel(ns, cred->sgid);
	info->fsuid = uid_from_kernel(ns, cred->fsuid);
	info->fsgid = gid_from_kernel(ns, cred->fsgid);
	credentials_put(cred);
	info->mask |= LINUX_PIDFD_INFO_CREDS;
}

/* What would become of a core: nothing is dumped in the end. */
static uint32_t coredump_mask(struct task *t)
{
	static const uint32_t masks[] = { LINUX_PIDFD_COREDUMP_SKIP, LINUX_PIDFD_COREDUMP_USER,
					  LINUX_PIDFD_COREDUMP_ROOT };
	struct mm *mm = task_mm_get(t);
	uint32_t mask = 0;

	if (!mm)
		return 0;
	mask = masks[MIN((size_t)atomic_load(&mm->dumpable), ARRAY_SIZE(masks) - 1)];
	mm_put(mm);
	return mask;
}

static void fill_numbers(struct linux_pidfd_info *info, struct task *t, const struct pid_namespace *ns)
{
	mutex_lock(&t->kernel->tasklist_lock);
	info->pid = (uint32_t)task_tid_in(t, ns);
	info->tgid = (uint32_t)task_tgid_in(t, ns);
	if (t->group->parent)
		info->ppid = (uint32_t)pid_number_in(&t->group->parent->pid, ns);
	mutex_unlock(&t->kernel->tasklist_lock);
	info->mask |= LINUX_PIDFD_INFO_PID;
}

static int fill_info(struct task *caller, struct file *file, uint64_t wanted, struct linux_pidfd_info *info)
{
	struct task *t;
	int status = pidfd_exit_status(file), rc;

	if (!pid_number_in(&pidfd_group(file)->pid, caller->pid.ns))
		return -ESRCH;
	if ((wanted & LINUX_PIDFD_INFO_EXIT) && status != -1) {
		info->mask |= LINUX_PIDFD_INFO_EXIT;
		info->exit_code = status;
	}
	info->mask |= wanted & LINUX_PIDFD_INFO_COREDUMP;
	rc = pidfd_task(file, &t);
	if (rc)
		return info->mask & LINUX_PIDFD_INFO_EXIT ? 0 : rc;
	if (wanted & LINUX_PIDFD_INFO_COREDUMP)
		info->coredump_mask = coredump_mask(t);
	fill_credentials(info, t, task_user_namespace(caller));
	fill_numbers(info, t, caller->pid.ns);
	task_put(t);
	return info->pid && info->tgid ? 0 : -ESRCH;
}

static int64_t get_info(struct task *caller, struct file *file, uint32_t size, uint64_t arg)
{
	struct linux_pidfd_info info = { 0 };
	uint64_t wanted;
	int rc;

	if (!arg)
		return -EINVAL;
	rc = copy_in_u64(caller->mm, &wanted, guest_addr(arg));
	if (!rc)
		rc = fill_info(caller, file, wanted, &info);
	if (!rc)
		rc = copy_out(caller->mm, guest_addr(arg), &info, MIN(size, sizeof(info)));
	if (!rc && size > sizeof(info))
		rc = clear_out(caller->mm, guest_addr(arg + sizeof(info)), size - sizeof(info));
	return rc;
}

int64_t pidfd_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct task *caller = task_current(), *t;
	enum namespace_kind kind;
	bool for_children;
	uint32_t size = (cmd & LINUX_PIDFD_GET_INFO_SIZE_MASK) >> LINUX_PIDFD_GET_INFO_SIZE_SHIFT;
	int64_t rc;

	if ((cmd & ~LINUX_PIDFD_GET_INFO_SIZE_MASK) == LINUX_PIDFD_GET_INFO &&
	    size >= LINUX_PIDFD_INFO_SIZE_VER0)
		return get_info(caller, file, size, arg);
	if (!is_namespace(cmd, &kind, &for_children))
		return -ENOTTY;
	rc = pidfd_task(file, &t);
	if (rc)
		return rc;
	rc = arg ? -EINVAL : open_namespace(caller, t, kind, for_children);
	task_put(t);
	return rc;
}
