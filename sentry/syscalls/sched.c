/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling parameters.  They are checked and kept as Linux does; the host
 * schedules the stubs by its own, so real-time policies need CAP_SYS_NICE and
 * have no effect beyond being reported back.
 */
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/copy_struct.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"

static struct task *target_of(struct task *t, int32_t pid)
{
	return pid ? task_lookup(t->pid.ns, pid) : task_get(t);
}

static bool is_realtime(int policy)
{
	return policy == LINUX_SCHED_FIFO || policy == LINUX_SCHED_RR;
}

static bool same_owner(struct task *t, struct task *target)
{
	const struct credentials *other = task_cred(target);
	bool same = t->cred->euid == other->euid || t->cred->euid == other->uid;

	credentials_put(other);
	return same;
}

int64_t sys_sched_yield(struct task *t, const struct syscall_args *a)
{
	return 0;
}

static int priority_range(int policy, bool max)
{
	switch (policy) {
	case LINUX_SCHED_FIFO:
	case LINUX_SCHED_RR:
		return max ? 99 : 1;
	case LINUX_SCHED_NORMAL:
	case LINUX_SCHED_BATCH:
	case LINUX_SCHED_IDLE:
	case LINUX_SCHED_DEADLINE:
	case LINUX_SCHED_EXT:
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_sched_get_priority_max(struct task *t, const struct syscall_args *a)
{
	return priority_range(arg_int(a, 0), true);
}

int64_t sys_sched_get_priority_min(struct task *t, const struct syscall_args *a)
{
	return priority_range(arg_int(a, 0), false);
}

struct parameters {
	int policy; /* with RESET_ON_FORK */
	int priority;
	int nice;
	bool set_nice;
};

static int check_policy(int policy, int priority)
{
	int bare = policy & ~LINUX_SCHED_RESET_ON_FORK;

	if (bare == LINUX_SCHED_DEADLINE || bare == LINUX_SCHED_EXT || priority_range(bare, true) < 0)
		return -EINVAL;
	if (priority < 0 || priority > 99 || is_realtime(bare) != (priority != 0))
		return -EINVAL;
	return 0;
}

static int check_privilege(struct task *t, struct task *target, const struct parameters *p)
{
	int bare = p->policy & ~LINUX_SCHED_RESET_ON_FORK;
	int old_priority, old_policy, old_nice;

	if (credentials_root_capable(t->cred, LINUX_CAP_SYS_NICE))
		return 0;
	mutex_lock(&target->lock);
	old_priority = target->sched_priority;
	old_policy = target->sched_policy;
	old_nice = target->nice;
	mutex_unlock(&target->lock);
	if (is_realtime(bare)) {
		uint64_t limit = task_rlimit(target, RLIM_RTPRIO);

		if (bare != (old_policy & ~LINUX_SCHED_RESET_ON_FORK) && !limit)
			return -EPERM;
		if (p->priority > old_priority && (uint64_t)p->priority > limit)
			return -EPERM;
	}
	/* Out of SCHED_IDLE only who might have this nice value anyway. */
	if ((old_policy & ~LINUX_SCHED_RESET_ON_FORK) == LINUX_SCHED_IDLE && bare != LINUX_SCHED_IDLE &&
	    (uint64_t)(20 - old_nice) > task_rlimit(target, RLIM_NICE))
		return -EPERM;
	if (!same_owner(t, target))
		return -EPERM;
	/* Once set it stays. */
	if ((old_policy & LINUX_SCHED_RESET_ON_FORK) && !(p->policy & LINUX_SCHED_RESET_ON_FORK))
		return -EPERM;
	return 0;
}

static int64_t set_parameters(struct task *t, int32_t pid, const struct parameters *p)
{
	struct task *target;
	int rc;

	target = target_of(t, pid);
	if (!target)
		return -ESRCH;
	rc = check_policy(p->policy, p->priority);
	if (!rc)
		rc = check_privilege(t, target, p);
	if (!rc) {
		mutex_lock(&target->lock);
		target->sched_policy = p->policy;
		target->sched_priority = p->priority;
		if (p->set_nice)
			target->nice = p->nice;
		mutex_unlock(&target->lock);
	}
	task_put(target);
	return rc;
}

int64_t sys_sched_setscheduler(struct task *t, const struct syscall_args *a)
{
	struct parameters p = { .policy = arg_int(a, 1) };
	int rc;

	if (p.policy < 0 || !a->v[2] || arg_int(a, 0) < 0)
		return -EINVAL;
	rc = copy_in(t->mm, &p.priority, arg_addr(a, 2), sizeof(p.priority));
	return rc ? rc : set_parameters(t, arg_int(a, 0), &p);
}

int64_t sys_sched_setparam(struct task *t, const struct syscall_args *a)
{
	struct parameters p = { 0 };
	struct task *target;
	int rc;

	if (!a->v[1] || arg_int(a, 0) < 0)
		return -EINVAL;
	rc = copy_in(t->mm, &p.priority, arg_addr(a, 1), sizeof(p.priority));
	if (rc)
		return rc;
	target = target_of(t, arg_int(a, 0));
	if (!target)
		return -ESRCH;
	mutex_lock(&target->lock);
	p.policy = target->sched_policy;
	mutex_unlock(&target->lock);
	task_put(target);
	return set_parameters(t, arg_int(a, 0), &p);
}

/* A copy of what is set. */
static int read_parameters(struct task *t, int32_t pid, struct parameters *out)
{
	struct task *target;

	if (pid < 0)
		return -EINVAL;
	target = target_of(t, pid);
	if (!target)
		return -ESRCH;
	mutex_lock(&target->lock);
	out->policy = target->sched_policy;
	out->priority = target->sched_priority;
	out->nice = target->nice;
	mutex_unlock(&target->lock);
	task_put(target);
	return 0;
}

int64_t sys_sched_getscheduler(struct task *t, const struct syscall_args *a)
{
	struct parameters p;
	int rc = read_parameters(t, arg_int(a, 0), &p);

	return rc ? rc : p.policy;
}

int64_t sys_sched_getparam(struct task *t, const struct syscall_args *a)
{
	struct parameters p;
	int rc;

	if (!a->v[1])
		return -EINVAL;
	rc = read_parameters(t, arg_int(a, 0), &p);
	return rc ? rc : copy_out(t->mm, arg_addr(a, 1), &p.priority, sizeof(p.priority));
}

int64_t sys_sched_rr_get_interval(struct task *t, const struct syscall_args *a)
{
	struct linux_timespec ts = { 0, 0 };
	struct parameters p;
	int rc = read_parameters(t, arg_int(a, 0), &p), bare;

	if (rc)
		return rc;
	bare = p.policy & ~LINUX_SCHED_RESET_ON_FORK;
	if (bare == LINUX_SCHED_RR)
		ts.nsec = 100000000;
	else if (bare != LINUX_SCHED_FIFO)
		ts.nsec = 3000000;
	return copy_out(t->mm, arg_addr(a, 1), &ts, sizeof(ts));
}

int64_t sys_sched_setattr(struct task *t, const struct syscall_args *a)
{
	struct linux_sched_attr attr;
	struct parameters p = { 0 };
	uint32_t size;
	int rc;

	if (!a->v[1] || arg_int(a, 0) < 0 || arg_u32(a, 2))
		return -EINVAL;
	rc = copy_in_u32(t->mm, &size, arg_addr(a, 1));
	if (rc)
		return rc;
	if (!size)
		size = LINUX_SCHED_ATTR_SIZE_VER0;
	if (size < LINUX_SCHED_ATTR_SIZE_VER0)
		rc = -E2BIG;
	else
		rc = copy_in_struct(t->mm, &attr, sizeof(attr), LINUX_SCHED_ATTR_SIZE_VER0,
				    arg_addr(a, 1), size);
	if (rc == -E2BIG && copy_out_u32(t->mm, arg_addr(a, 1), sizeof(attr)))
		return -EFAULT;
	if (rc)
		return rc;
	if ((int32_t)attr.policy < 0 || (attr.flags & ~1ULL))
		return -EINVAL;
	p.policy = (int)attr.policy | (attr.flags & 1 ? LINUX_SCHED_RESET_ON_FORK : 0);
	p.priority = (int)attr.priority;
	p.nice = MAX(-20, MIN(19, attr.nice));
	p.set_nice = !is_realtime((int)attr.policy);
	return set_parameters(t, arg_int(a, 0), &p);
}

int64_t sys_sched_getattr(struct task *t, const struct syscall_args *a)
{
	struct linux_sched_attr attr = { 0 };
	uint32_t size = arg_u32(a, 2);
	struct parameters p;
	int rc;

	if (!a->v[1] || arg_int(a, 0) < 0 || size > GUEST_PAGE_SIZE ||
	    size < LINUX_SCHED_ATTR_SIZE_VER0 || arg_u32(a, 3))
		return -EINVAL;
	rc = read_parameters(t, arg_int(a, 0), &p);
	if (rc)
		return rc;
	attr.size = MIN(size, (uint32_t)sizeof(attr));
	attr.policy = (uint32_t)(p.policy & ~LINUX_SCHED_RESET_ON_FORK);
	attr.flags = p.policy & LINUX_SCHED_RESET_ON_FORK ? 1 : 0;
	if (is_realtime((int)attr.policy))
		attr.priority = (uint32_t)p.priority;
	else
		attr.nice = p.nice;
	attr.util_max = 1024;
	return copy_out(t->mm, arg_addr(a, 1), &attr, attr.size);
}

/* --- affinity ------------------------------------------------------------------------- */

static void online_mask(const struct kernel *k, uint64_t mask[16])
{
	memset(mask, 0, 16 * sizeof(mask[0]));
	for (unsigned cpu = 0; cpu < MIN(k->cpus, 1024U); cpu++)
		mask[cpu / 64] |= 1ULL << (cpu % 64);
}

static bool may_set_affinity(struct task *t, struct task *target)
{
	const struct credentials *other = task_cred(target);
	bool may = credentials_ns_capable(t->cred, other->user_ns, LINUX_CAP_SYS_NICE);

	credentials_put(other);
	return may || same_owner(t, target);
}

int64_t sys_sched_setaffinity(struct task *t, const struct syscall_args *a)
{
	uint64_t mask[16] = { 0 }, online[16], any = 0;
	struct task *target;
	int rc = copy_in(t->mm, mask, arg_addr(a, 2), MIN((size_t)arg_u32(a, 1), sizeof(mask)));

	if (rc)
		return rc;
	target = target_of(t, arg_int(a, 0));
	if (!target)
		return -ESRCH;
	online_mask(t->kernel, online);
	for (unsigned i = 0; i < 16; i++)
		any |= mask[i] &= online[i];
	if (!may_set_affinity(t, target))
		rc = -EPERM;
	else if (!any)
		rc = -EINVAL;
	if (!rc) {
		mutex_lock(&target->lock);
		memcpy(target->cpu_mask, mask, sizeof(mask));
		mutex_unlock(&target->lock);
	}
	task_put(target);
	return rc;
}

int64_t sys_sched_getaffinity(struct task *t, const struct syscall_args *a)
{
	uint32_t size = arg_u32(a, 1);
	uint64_t mask[16];
	struct task *target;
	size_t needed = round_up(t->kernel->cpus, 64) / 8, length;
	int rc;

	if ((uint64_t)size * 8 < t->kernel->cpus || size % 8)
		return -EINVAL;
	target = target_of(t, arg_int(a, 0));
	if (!target)
		return -ESRCH;
	mutex_lock(&target->lock);
	memcpy(mask, target->cpu_mask, sizeof(mask));
	mutex_unlock(&target->lock);
	task_put(target);
	length = MIN((size_t)size, needed);
	rc = copy_out(t->mm, arg_addr(a, 2), mask, length);
	return rc ? rc : (int64_t)length;
}
