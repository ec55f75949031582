/* SPDX-License-Identifier: Apache-2.0 */
/* futex, set_robust_list, get_robust_list. */
#include "sentry/abi/futex.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

static int64_t finish_wait(struct task *t, struct restart_block *rb);

static int64_t wait_result(int rc, bool absolute)
{
	if (rc == -EINTR)
		return absolute ? -ERESTARTSYS : -ERESTART_RESTARTBLOCK;
	return rc;
}

/* A relative wait that was interrupted goes on with what is left of its time. */
static int64_t finish_wait(struct task *t, struct restart_block *rb)
{
	return wait_result(futex_wait(t, guest_addr(rb->args[0]), (uint32_t)rb->args[1],
				      (uint32_t)rb->args[2],
				      (struct futex_time){ rb->deadline, false },
				      (uint32_t)rb->args[3]),
			   false);
}

/* An absolute time, if there is one. */
static int get_time(struct task *t, guest_addr_t addr, bool realtime, struct futex_time *time)
{
	int rc;

	*time = (struct futex_time){ DEADLINE_NONE, realtime };
	if (guest_is_null(addr))
		return 0;
	rc = copy_in_timespec(t->mm, addr, &time->deadline);
	if (!rc && !realtime)
		time->deadline = time_from_guest(t, LINUX_CLOCK_MONOTONIC, time->deadline);
	return rc;
}

static int64_t do_wait(struct task *t, const struct syscall_args *a, uint32_t flags)
{
	struct restart_block *rb = &t->restart_block;
	uint64_t ns;
	int rc;

	if (!a->v[3])
		return wait_result(futex_wait(t, arg_addr(a, 0), flags, arg_u32(a, 2),
					      (struct futex_time){ DEADLINE_NONE, false },
					      LINUX_FUTEX_BITSET_MATCH_ANY),
				   true);
	rc = copy_in_timespec(t->mm, arg_addr(a, 3), &ns);
	if (rc)
		return rc;
	*rb = (struct restart_block){ .fn = finish_wait,
				      .deadline = deadline_after(ns),
				      .args = { a->v[0], flags, arg_u32(a, 2),
						LINUX_FUTEX_BITSET_MATCH_ANY } };
	return finish_wait(t, rb);
}

static int64_t do_wait_bitset(struct task *t, const struct syscall_args *a, uint32_t flags,
			      bool realtime)
{
	struct futex_time time;
	int rc = get_time(t, arg_addr(a, 3), realtime, &time);

	if (rc)
		return rc;
	return wait_result(futex_wait(t, arg_addr(a, 0), flags, arg_u32(a, 2), time, arg_u32(a, 5)),
			   true);
}

static int64_t do_lock_pi(struct task *t, const struct syscall_args *a, uint32_t flags, bool realtime)
{
	struct futex_time time;
	int rc = get_time(t, arg_addr(a, 3), realtime, &time);

	if (!rc)
		rc = futex_lock_pi(t, arg_addr(a, 0), flags, time, false);
	return rc == -EINTR ? -ERESTARTNOINTR : rc;
}

static int64_t do_wait_requeue_pi(struct task *t, const struct syscall_args *a, uint32_t flags,
				  bool realtime)
{
	struct futex_time time;
	int rc = get_time(t, arg_addr(a, 3), realtime, &time);

	if (!rc)
		rc = futex_wait_requeue_pi(t, arg_addr(a, 0), arg_addr(a, 4), flags, arg_u32(a, 2),
					   time);
	return rc == -EINTR ? -ERESTARTNOINTR : rc;
}

static int64_t do_requeue(struct task *t, const struct syscall_args *a, uint32_t flags,
			  const uint32_t *compare)
{
	return futex_requeue(t, arg_addr(a, 0), arg_addr(a, 4), flags, arg_u32(a, 2), arg_u32(a, 3),
			     compare);
}

int64_t sys_futex(struct task *t, const struct syscall_args *a)
{
	int32_t op = arg_int(a, 1);
	int cmd = op & LINUX_FUTEX_CMD_MASK;
	uint32_t flags = op & LINUX_FUTEX_PRIVATE_FLAG ? FUTEX_PRIVATE : FUTEX_SHARED;
	bool realtime = op & LINUX_FUTEX_CLOCK_REALTIME;
	uint32_t value3 = arg_u32(a, 5);

	if (realtime && cmd != LINUX_FUTEX_WAIT_BITSET && cmd != LINUX_FUTEX_WAIT_REQUEUE_PI &&
	    cmd != LINUX_FUTEX_LOCK_PI2) {
		struct futex_time time;
		int rc = 0;

		/* A time that is no time is told first. */
		if (cmd == LINUX_FUTEX_WAIT || cmd == LINUX_FUTEX_LOCK_PI)
			rc = get_time(t, arg_addr(a, 3), false, &time);
		return rc ? rc : -ENOSYS;
	}
	switch (cmd) {
	case LINUX_FUTEX_WAIT:
		return do_wait(t, a, flags);
	case LINUX_FUTEX_WAIT_BITSET:
		return do_wait_bitset(t, a, flags, realtime);
	case LINUX_FUTEX_WAKE:
		return futex_wake(t, arg_addr(a, 0), flags, arg_int(a, 2),
				  LINUX_FUTEX_BITSET_MATCH_ANY);
	case LINUX_FUTEX_WAKE_BITSET:
		return futex_wake(t, arg_addr(a, 0), flags, arg_int(a, 2), value3);
	case LINUX_FUTEX_REQUEUE:
		return do_requeue(t, a, flags, NULL);
	case LINUX_FUTEX_CMP_REQUEUE:
		return do_requeue(t, a, flags, &value3);
	case LINUX_FUTEX_WAKE_OP:
		return futex_wake_op(t, arg_addr(a, 0), arg_addr(a, 4), flags, arg_int(a, 2),
				     arg_int(a, 3), value3);
	case LINUX_FUTEX_LOCK_PI:
		/* Its time is always of this clock. */
		return do_lock_pi(t, a, flags, true);
	case LINUX_FUTEX_LOCK_PI2:
		return do_lock_pi(t, a, flags, realtime);
	case LINUX_FUTEX_TRYLOCK_PI:
		return futex_lock_pi(t, arg_addr(a, 0), flags,
				     (struct futex_time){ DEADLINE_NONE, false }, true);
	case LINUX_FUTEX_UNLOCK_PI:
		return futex_unlock_pi(t, arg_addr(a, 0), flags);
	case LINUX_FUTEX_WAIT_REQUEUE_PI:
		return do_wait_requeue_pi(t, a, flags, realtime);
	case LINUX_FUTEX_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(t, arg_addr(a, 0), arg_addr(a, 4), flags, arg_int(a, 2),
					    arg_int(a, 3), value3);
	default:
		return -ENOSYS;
	}
}

int64_t sys_set_robust_list(struct task *t, const struct syscall_args *a)
{
	if (a->v[1] != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	mutex_lock(&t->lock);
	t->robust_list = arg_addr(a, 0);
	t->robust_list_size = a->v[1];
	mutex_unlock(&t->lock);
	return 0;
}

int64_t sys_get_robust_list(struct task *t, const struct syscall_args *a)
{
	struct task *target = arg_int(a, 0) ? task_lookup(t->pid.ns, arg_int(a, 0)) : task_get(t);
	guest_addr_t head;
	int rc;

	if (!target)
		return -ESRCH;
	if (!task_may_access(t, target, PTRACE_MODE_READ | PTRACE_MODE_REALCREDS)) {
		task_put(target);
		return -EPERM;
	}
	mutex_lock(&target->lock);
	head = target->robust_list;
	mutex_unlock(&target->lock);
	task_put(target);
	rc = copy_out_u64(t->mm, arg_addr(a, 2), sizeof(struct linux_robust_list_head));
	return rc ? rc : copy_out_u64(t->mm, arg_addr(a, 1), head.v);
}
