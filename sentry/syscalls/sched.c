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
#include "sentry/syscalls/sched_attr.h"
#include "util/checked.h"

static struct task *target_of(struct task *t, int32_t pid)
{
	return pid ? task_lookup(t->pid.ns, pid) : task_get(t);
}

static bool is_realtime(int policy)
{
	return policy == LINUX_SCHED_FIFO || policy == LINUX_SCHED_RR;
}

/* Those that have a nice value. */
static bool is_fair(int policy)
{
	return policy == LINUX_SCHED_NORMAL || policy == LINUX_SCHED_BATCH;
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
	bool clamp; /* of utilization: not there */
	struct deadline_params deadline;
};

static int bare(int policy)
{
	return policy & ~LINUX_SCHED_RESET_ON_FORK;
}

static int check_policy(struct parameters *p)
{
	int policy = bare(p->policy);

	if (policy == LINUX_SCHED_EXT || priority_range(policy, true) < 0)
		return -EINVAL;
	if (p->priority < 0 || p->priority > LINUX_RT_PRIORITY_MAX ||
	    is_realtime(policy) != (p->priority != 0))
		return -EINVAL;
	if (policy == LINUX_SCHED_DEADLINE && !deadline_params_valid(&p->deadline))
		return -EINVAL;
	return 0;
}

/* Whether @target's limit allows the nice value. */
static bool nice_allowed(struct task *target, int nice)
{
	return (uint64_t)(20 - nice) <= task_rlimit(target, RLIM_NICE);
}

/* What one may without CAP_SYS_NICE. */
static bool unprivileged(struct task *t, struct task *target, const struct parameters *p)
{
	int policy = bare(p->policy), old_priority, old_policy, old_nice;

	mutex_lock(&target->lock);
	old_priority = target->sched_priority;
	old_policy = target->sched_policy;
	old_nice = target->nice;
	mutex_unlock(&target->lock);
	if (p->set_nice && p->nice < old_nice && !nice_allowed(target, p->nice))
		return false;
	if (is_realtime(policy)) {
		uint64_t limit = task_rlimit(target, RLIM_RTPRIO);

		if (policy != bare(old_policy) && !limit)
			return false;
		if (p->priority > old_priority && (uint64_t)p->priority > limit)
			return false;
	}
	if (policy == LINUX_SCHED_DEADLINE)
		return false;
	/* Out of SCHED_IDLE only who might have this nice value anyway. */
	if (bare(old_policy) == LINUX_SCHED_IDLE && policy != LINUX_SCHED_IDLE &&
	    !nice_allowed(target, old_nice))
		return false;
	/* RESET_ON_FORK: once set it stays. */
	return same_owner(t, target) &&
	       (!(old_policy & LINUX_SCHED_RESET_ON_FORK) || p->policy & LINUX_SCHED_RESET_ON_FORK);
}

static void online_mask(const struct kernel *k, uint64_t mask[16])
{
	memset(mask, 0, 16 * sizeof(mask[0]));
	for (unsigned cpu = 0; cpu < MIN(k->cpus, 1024U); cpu++)
		mask[cpu / 64] |= 1ULL << (cpu % 64);
}

/* Whether @mask has all CPUs there are, which SCHED_DEADLINE asks for. */
static bool has_all_cpus(const struct kernel *k, const uint64_t mask[16])
{
	uint64_t online[16], missing = 0;

	online_mask(k, online);
	for (unsigned i = 0; i < 16; i++)
		missing |= online[i] & ~mask[i];
	return !missing;
}

static int apply_locked(struct task *target, const struct parameters *p)
{
	bool deadline = bare(p->policy) == LINUX_SCHED_DEADLINE;
	int rc;

	if (deadline && !has_all_cpus(target->kernel, target->cpu_mask))
		return -EPERM;
	rc = task_deadline_reserve_locked(target, deadline ? &p->deadline : NULL);
	if (rc)
		return rc;
	target->sched_policy = p->policy;
	target->sched_priority = p->priority;
	if (p->set_nice)
		target->nice = p->nice;
	return 0;
}

/* @t NULL: by one who may do anything. */
static int set_parameters(struct task *t, struct task *target, struct parameters *p)
{
	int rc = check_policy(p);

	if (rc)
		return rc;
	if (t && !unprivileged(t, target, p) && !credentials_root_capable(t->cred, LINUX_CAP_SYS_NICE))
		return -EPERM;
	if (p->clamp)
		return -EOPNOTSUPP;
	mutex_lock(&target->lock);
	rc = apply_locked(target, p);
	mutex_unlock(&target->lock);
	return rc;
}

int64_t sys_sched_setscheduler(struct task *t, const struct syscall_args *a)
{
	struct parameters p = { .policy = arg_int(a, 1) };
	struct task *target;
	int rc;

	if (p.policy < 0 || !a->v[2] || arg_int(a, 0) < 0)
		return -EINVAL;
	rc = copy_in(t->mm, &p.priority, arg_addr(a, 2), sizeof(p.priority));
	if (rc)
		return rc;
	target = target_of(t, arg_int(a, 0));
	rc = target ? set_parameters(t, target, &p) : -ESRCH;
	task_put(target);
	return rc;
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
	rc = set_parameters(t, target, &p);
	task_put(target);
	return rc;
}

/* A copy of what is set. */
static void read_parameters(struct task *target, struct parameters *out)
{
	mutex_lock(&target->lock);
	*out = (struct parameters){
		.policy = target->sched_policy,
		.priority = target->sched_priority,
		.nice = target->nice,
		.deadline = target->deadline,
	};
	mutex_unlock(&target->lock);
}

static int read_parameters_of(struct task *t, int32_t pid, struct parameters *out)
{
	struct task *target;

	if (pid < 0)
		return -EINVAL;
	target = target_of(t, pid);
	if (!target)
		return -ESRCH;
	read_parameters(target, out);
	task_put(target);
	return 0;
}

int64_t sys_sched_getscheduler(struct task *t, const struct syscall_args *a)
{
	struct parameters p;
	int rc = read_parameters_of(t, arg_int(a, 0), &p);

	return rc ? rc : p.policy;
}

int64_t sys_sched_getparam(struct task *t, const struct syscall_args *a)
{
	struct parameters p;
	int rc;

	if (!a->v[1])
		return -EINVAL;
	rc = read_parameters_of(t, arg_int(a, 0), &p);
	return rc ? rc : copy_out(t->mm, arg_addr(a, 1), &p.priority, sizeof(p.priority));
}

int64_t sys_sched_rr_get_interval(struct task *t, const struct syscall_args *a)
{
	struct linux_timespec ts = { 0, 0 };
	struct parameters p;
	int rc = read_parameters_of(t, arg_int(a, 0), &p), policy;

	if (rc)
		return rc;
	policy = bare(p.policy);
	if (policy == LINUX_SCHED_RR)
		ts.nsec = 100000000;
	else if (policy != LINUX_SCHED_FIFO && policy != LINUX_SCHED_DEADLINE)
		ts.nsec = 3000000;
	return copy_out(t->mm, arg_addr(a, 1), &ts, sizeof(ts));
}

static int copy_in_attr(struct task *t, guest_addr_t from, struct linux_sched_attr *attr)
{
	uint32_t size;
	int rc = copy_in_u32(t->mm, &size, from);

	if (rc)
		return rc;
	if (!size)
		size = LINUX_SCHED_ATTR_SIZE_VER0;
	if (size < LINUX_SCHED_ATTR_SIZE_VER0)
		rc = -E2BIG;
	else
		rc = copy_in_struct(t->mm, attr, sizeof(*attr), LINUX_SCHED_ATTR_SIZE_VER0, from, size);
	if (rc == -E2BIG && copy_out_u32(t->mm, from, sizeof(*attr)))
		return -EFAULT;
	if (!rc && attr->flags & LINUX_SCHED_FLAG_UTIL_CLAMP && size < LINUX_SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	return rc;
}

/* What the flags say is to be left, from @old. */
static void parameters_of(const struct linux_sched_attr *attr, const struct parameters *old,
			  struct parameters *p)
{
	*p = (struct parameters){
		.policy = (int)attr->policy,
		.priority = (int)attr->priority,
		.nice = MAX(-20, MIN(19, attr->nice)),
		.clamp = attr->flags & LINUX_SCHED_FLAG_UTIL_CLAMP,
		.deadline = { attr->runtime, attr->deadline, attr->period,
			      attr->flags & LINUX_SCHED_DEADLINE_FLAGS },
	};
	if (attr->flags & LINUX_SCHED_FLAG_KEEP_POLICY)
		p->policy = old->policy;
	else if (attr->flags & LINUX_SCHED_FLAG_RESET_ON_FORK)
		p->policy |= LINUX_SCHED_RESET_ON_FORK;
	if (attr->flags & LINUX_SCHED_FLAG_KEEP_PARAMS) {
		if (bare(old->policy) == LINUX_SCHED_DEADLINE)
			p->deadline = old->deadline;
		else if (is_realtime(bare(old->policy)))
			p->priority = old->priority;
		else
			p->nice = old->nice;
	}
	p->set_nice = is_fair(bare(p->policy));
}

static int set_attr(struct task *t, struct task *target, const struct linux_sched_attr *attr)
{
	struct parameters old, p;

	if (attr->flags & ~LINUX_SCHED_FLAG_ALL)
		return -EINVAL;
	read_parameters(target, &old);
	parameters_of(attr, &old, &p);
	return set_parameters(t, target, &p);
}

int64_t sys_sched_setattr(struct task *t, const struct syscall_args *a)
{
	struct linux_sched_attr attr;
	struct task *target;
	int rc;

	if (!a->v[1] || arg_int(a, 0) < 0 || arg_u32(a, 2))
		return -EINVAL;
	rc = copy_in_attr(t, arg_addr(a, 1), &attr);
	if (rc)
		return rc;
	if ((int32_t)attr.policy < 0)
		return -EINVAL;
	target = target_of(t, arg_int(a, 0));
	if (!target)
		return -ESRCH;
	rc = set_attr(t, target, &attr);
	task_put(target);
	return rc;
}

int sched_attr_apply(struct task *target, const struct linux_sched_attr *attr)
{
	return set_attr(NULL, target, attr);
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
	rc = read_parameters_of(t, arg_int(a, 0), &p);
	if (rc)
		return rc;
	attr.size = MIN(size, (uint32_t)sizeof(attr));
	attr.policy = (uint32_t)bare(p.policy);
	attr.flags = p.policy & LINUX_SCHED_RESET_ON_FORK ? LINUX_SCHED_FLAG_RESET_ON_FORK : 0;
	if (attr.policy == LINUX_SCHED_DEADLINE) {
		attr.flags |= p.deadline.flags;
		attr.runtime = p.deadline.runtime;
		attr.deadline = p.deadline.deadline;
		attr.period = p.deadline.period;
	} else if (is_realtime((int)attr.policy)) {
		attr.priority = (uint32_t)p.priority;
	} else {
		attr.nice = p.nice;
	}
	return copy_out(t->mm, arg_addr(a, 1), &attr, attr.size);
}

/* --- affinity ------------------------------------------------------------------------- */

static bool may_set_affinity(struct task *t, struct task *target)
{
	const struct credentials *other = task_cred(target);
	bool may = same_owner(t, target) ||
		   credentials_ns_capable(t->cred, other->user_ns, LINUX_CAP_SYS_NICE);

	credentials_put(other);
	return may;
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
		if (bare(target->sched_policy) == LINUX_SCHED_DEADLINE && !has_all_cpus(t->kernel, mask))
			rc = -EBUSY;
		else
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

	/* the bits are counted in 32 bits, as by Linux */
	if (size * 8 < t->kernel->cpus || size % 8)
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
