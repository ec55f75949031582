/* SPDX-License-Identifier: Apache-2.0 */
/* Nice values and I/O priorities, of a process, a process group or a user. */
#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/ioprio.h"
#include "util/checked.h"

#define NICE_TO_RLIMIT(nice) (20 - (nice))

/* What is done with each task meant; tasklist is held. */
typedef void (*visit_fn)(struct task *caller, struct task *target, void *arg);

static void visit_group_members(struct task *t, struct process_group *pg, visit_fn fn, void *arg)
{
	struct thread_group *g;
	struct task *each;

	list_for_each(g, &pg->members, process_group_node)
		list_for_each(each, &g->threads, thread_node)
			fn(t, each, arg);
}

static void visit_user(struct task *t, uint32_t kuid, visit_fn fn, void *arg)
{
	struct thread_group *g;
	struct task *each;

	list_for_each(g, &t->kernel->groups, all_node) {
		if (!pid_number_in(&g->pid, t->pid.ns))
			continue;
		list_for_each(each, &g->threads, thread_node) {
			const struct credentials *cred = task_cred(each);

			if (cred->uid == kuid)
				fn(t, each, arg);
			credentials_put(cred);
		}
	}
}

/* @which counts from 0: process, process group, user. */
static int visit(struct task *t, int which, int32_t who, visit_fn fn, void *arg)
{
	uint32_t kuid = who ? uid_to_kernel(t->cred->user_ns, (uint32_t)who) : t->cred->uid;
	struct task *target;
	struct pid *p;
	int rc = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	switch (which) {
	case 0:
		target = who ? task_find_locked(t->pid.ns, who) : t;
		if (target)
			fn(t, target, arg);
		break;
	case 1:
		p = who ? pid_find_locked(t->pid.ns, who) : t->group->process_group->pid;
		if (p && p->process_group)
			visit_group_members(t, p->process_group, fn, arg);
		break;
	case 2:
		if (kuid != ID_INVALID)
			visit_user(t, kuid, fn, arg);
		break;
	default:
		rc = -EINVAL;
		break;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

/* --- nice --------------------------------------------------------------------------- */

struct nice_visit {
	int64_t result;
	int32_t nice;
};

static void get_nice(struct task *t, struct task *target, void *arg)
{
	struct nice_visit *v = arg;
	int64_t value;

	mutex_lock(&target->lock);
	value = NICE_TO_RLIMIT(target->nice);
	mutex_unlock(&target->lock);
	v->result = MAX(v->result, value);
}

int64_t sys_getpriority(struct task *t, const struct syscall_args *a)
{
	struct nice_visit v = { .result = -ESRCH };
	int rc = visit(t, arg_int(a, 0), arg_int(a, 1), get_nice, &v);

	return rc ? rc : v.result;
}

static bool may_change(struct task *t, struct task *target)
{
	const struct credentials *other = task_cred(target);
	bool may = t->cred->euid == other->euid || t->cred->euid == other->uid ||
		   credentials_ns_capable(t->cred, other->user_ns, LINUX_CAP_SYS_NICE);

	credentials_put(other);
	return may;
}

static void set_nice(struct task *t, struct task *target, void *arg)
{
	struct nice_visit *v = arg;
	int32_t old;

	if (!may_change(t, target)) {
		v->result = -EPERM;
		return;
	}
	mutex_lock(&target->lock);
	old = target->nice;
	mutex_unlock(&target->lock);
	if (v->nice < old && (uint64_t)NICE_TO_RLIMIT(v->nice) > task_rlimit(target, RLIM_NICE) &&
	    !credentials_root_capable(t->cred, LINUX_CAP_SYS_NICE)) {
		v->result = -EACCES;
		return;
	}
	if (v->result == -ESRCH)
		v->result = 0;
	mutex_lock(&target->lock);
	target->nice = v->nice;
	mutex_unlock(&target->lock);
}

int64_t sys_setpriority(struct task *t, const struct syscall_args *a)
{
	struct nice_visit v = { .result = -ESRCH, .nice = MAX(-20, MIN(19, arg_int(a, 2))) };
	int rc = visit(t, arg_int(a, 0), arg_int(a, 1), set_nice, &v);

	return rc ? rc : v.result;
}

/* --- I/O priority ----------------------------------------------------------------------- */

struct ioprio_visit {
	int64_t result;
	uint32_t value;
};

/* Without a value of its own it follows from the nice value. */
static uint32_t effective_ioprio(uint32_t value, int32_t nice)
{
	if (value >> LINUX_IOPRIO_CLASS_SHIFT != LINUX_IOPRIO_CLASS_NONE)
		return value;
	return (uint32_t)LINUX_IOPRIO_CLASS_BE << LINUX_IOPRIO_CLASS_SHIFT | (uint32_t)(nice + 20) / 5;
}

static void get_ioprio(struct task *t, struct task *target, void *arg)
{
	struct ioprio_visit *v = arg;
	uint32_t value;

	mutex_lock(&target->lock);
	value = v->value ? target->io_priority : effective_ioprio(target->io_priority, target->nice);
	mutex_unlock(&target->lock);
	v->result = v->result < 0 ? (int64_t)value : MIN(v->result, (int64_t)value);
}

int64_t sys_ioprio_get(struct task *t, const struct syscall_args *a)
{
	/* Of one process the value as it was set, among many the effective ones. */
	struct ioprio_visit v = { .result = -ESRCH,
				  .value = arg_int(a, 0) == LINUX_IOPRIO_WHO_PROCESS };
	int rc = visit(t, arg_int(a, 0) - 1, arg_int(a, 1), get_ioprio, &v);

	return rc ? rc : v.result;
}

static void set_ioprio(struct task *t, struct task *target, void *arg)
{
	struct ioprio_visit *v = arg;

	if (!may_change(t, target)) {
		v->result = -EPERM;
		return;
	}
	if (v->result == -ESRCH)
		v->result = 0;
	mutex_lock(&target->lock);
	target->io_priority = v->value;
	mutex_unlock(&target->lock);
}

int ioprio_check(struct task *t, uint32_t value)
{
	uint32_t level = value & 7;

	switch (value >> LINUX_IOPRIO_CLASS_SHIFT) {
	case LINUX_IOPRIO_CLASS_RT:
		if (!credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN) &&
		    !credentials_root_capable(t->cred, LINUX_CAP_SYS_NICE))
			return -EPERM;
		return 0;
	case LINUX_IOPRIO_CLASS_BE: /* above the level's three bits stand hints */
	case LINUX_IOPRIO_CLASS_IDLE:
		return 0;
	case LINUX_IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_ioprio_set(struct task *t, const struct syscall_args *a)
{
	struct ioprio_visit v = { .result = -ESRCH, .value = (uint16_t)arg_u32(a, 2) };
	int rc = ioprio_check(t, v.value);

	if (rc)
		return rc;
	rc = visit(t, arg_int(a, 0) - 1, arg_int(a, 1), set_ioprio, &v);
	return rc ? rc : v.result;
}
