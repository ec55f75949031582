/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits and usage. */
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/resource.h"
#include "sentry/kernel/itimer.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/task_reap.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"
#include "util/checked.h"

#define NR_OPEN 1048576ULL

/* Reads, then writes; @new_limit may be NULL. */
static int change_limit(struct task *t, struct task *target, uint32_t resource,
			const struct linux_rlimit *new_limit, struct linux_rlimit *old)
{
	struct thread_group *g = target->group;
	struct rlimit64 *limit;
	int rc = 0;

	if (resource >= LINUX_RLIM_NLIMITS)
		return -EINVAL;
	if (new_limit) {
		if (new_limit->cur > new_limit->max)
			return -EINVAL;
		if (resource == RLIM_NOFILE && new_limit->max > NR_OPEN)
			return -EPERM;
	}
	limit = &g->limits[resource];
	mutex_lock(&g->limits_lock);
	old->cur = limit->soft;
	old->max = limit->hard;
	if (new_limit && new_limit->max > limit->hard &&
	    !credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE))
		rc = -EPERM;
	else if (new_limit)
		*limit = (struct rlimit64){ new_limit->cur, new_limit->max };
	mutex_unlock(&g->limits_lock);
	if (!rc && new_limit && resource == RLIM_CPU &&
	    (new_limit->cur != LINUX_RLIM_INFINITY || new_limit->max != LINUX_RLIM_INFINITY))
		itimer_cpu_limit_changed(g);
	return rc;
}

int64_t sys_getrlimit(struct task *t, const struct syscall_args *a)
{
	struct linux_rlimit old;
	int rc = change_limit(t, t, arg_u32(a, 0), NULL, &old);

	return rc ? rc : copy_out(t->mm, arg_addr(a, 1), &old, sizeof(old));
}

int64_t sys_setrlimit(struct task *t, const struct syscall_args *a)
{
	struct linux_rlimit new_limit, old;
	int rc = copy_in(t->mm, &new_limit, arg_addr(a, 1), sizeof(new_limit));

	return rc ? rc : change_limit(t, t, arg_u32(a, 0), &new_limit, &old);
}

static bool may_prlimit(struct task *t, struct task *target)
{
	const struct credentials *cred = t->cred, *other;
	bool allowed;

	if (t->group == target->group)
		return true;
	other = task_cred(target);
	allowed = (cred->uid == other->euid && cred->uid == other->suid && cred->uid == other->uid &&
		   cred->gid == other->egid && cred->gid == other->sgid && cred->gid == other->gid) ||
		  credentials_ns_capable(cred, other->user_ns, LINUX_CAP_SYS_RESOURCE);
	credentials_put(other);
	return allowed;
}

int64_t sys_prlimit64(struct task *t, const struct syscall_args *a)
{
	struct linux_rlimit new_limit, old;
	struct task *target;
	int rc = 0;

	if (a->v[2]) {
		rc = copy_in(t->mm, &new_limit, arg_addr(a, 2), sizeof(new_limit));
		if (rc)
			return rc;
	}
	target = arg_int(a, 0) ? task_lookup(t->pid.ns, arg_int(a, 0)) : task_get(t);
	if (!target)
		return -ESRCH;
	rc = may_prlimit(t, target) ?
		     change_limit(t, target, arg_u32(a, 1), a->v[2] ? &new_limit : NULL, &old) :
		     -EPERM;
	task_put(target);
	if (!rc && a->v[3])
		rc = copy_out(t->mm, arg_addr(a, 3), &old, sizeof(old));
	return rc;
}

static void usage_of_self(struct task *t, struct linux_rusage *out)
{
	struct host_usage u;

	thread_group_usage(t->group, &u);
	out->utime = ns_to_timeval(u.user_ns);
	out->stime = ns_to_timeval(u.system_ns);
	out->maxrss = (int64_t)thread_group_note_rss(t->group, u.rss_pages) * 4;
	out->minflt = (int64_t)u.minor_faults;
	out->majflt = (int64_t)u.major_faults;
}

static void usage_of_thread(struct task *t, struct linux_rusage *out)
{
	struct host_usage u;

	task_usage(t, &u);
	out->utime = ns_to_timeval(u.user_ns);
	out->stime = ns_to_timeval(u.system_ns);
	out->maxrss = (int64_t)u.rss_pages * 4;
	out->minflt = (int64_t)u.minor_faults;
	out->majflt = (int64_t)u.major_faults;
}

static void usage_of_children(struct task *t, struct linux_rusage *out)
{
	struct thread_group *g = t->group;

	mutex_lock(&t->kernel->tasklist_lock);
	out->utime = ns_to_timeval(g->usage.child_user_ns);
	out->stime = ns_to_timeval(g->usage.child_system_ns);
	out->maxrss = (int64_t)g->usage.child_max_rss * 4;
	out->minflt = (int64_t)g->usage.child_minor_faults;
	out->majflt = (int64_t)g->usage.child_major_faults;
	mutex_unlock(&t->kernel->tasklist_lock);
}

int64_t sys_getrusage(struct task *t, const struct syscall_args *a)
{
	struct linux_rusage usage = { 0 };

	switch (arg_int(a, 0)) {
	case LINUX_RUSAGE_SELF:
		usage_of_self(t, &usage);
		break;
	case LINUX_RUSAGE_THREAD:
		usage_of_thread(t, &usage);
		break;
	case LINUX_RUSAGE_CHILDREN:
		usage_of_children(t, &usage);
		break;
	default:
		return -EINVAL;
	}
	return copy_out(t->mm, arg_addr(a, 1), &usage, sizeof(usage));
}
