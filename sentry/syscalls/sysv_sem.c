/* SPDX-License-Identifier: Apache-2.0 */
/* semget, semop, semtimedop, semctl: arguments for sentry/ipc/sem.h. */
#include "config.h"

#include <stdlib.h>

#include "sentry/ipc/sem.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"
#include "util/cleanup.h"

int64_t sys_semget(struct task *t, const struct syscall_args *a)
{
	return sem_get(t, arg_int(a, 0), arg_int(a, 1), arg_int(a, 2));
}

#define FEW_OPS 16

static int64_t operate(struct task *t, const struct syscall_args *a, uint64_t deadline)
{
	struct linux_sembuf few[FEW_OPS], *ops = few;
	AUTO_FREE struct linux_sembuf *many = NULL;
	uint32_t count = arg_u32(a, 2);

	if (count > LINUX_SEMOPM)
		return -E2BIG;
	if (count > FEW_OPS) {
		ops = many = malloc(count * sizeof(*ops));
		if (!ops)
			return -ENOMEM;
	}
	if (copy_in(t->mm, ops, arg_addr(a, 1), count * sizeof(*ops)) < 0)
		return -EFAULT;
	if (count < 1 || arg_int(a, 0) < 0)
		return -EINVAL;
	return sem_operate(t, arg_int(a, 0), ops, count, deadline);
}

int64_t sys_semop(struct task *t, const struct syscall_args *a)
{
	return operate(t, a, DEADLINE_NONE);
}

int64_t sys_semtimedop(struct task *t, const struct syscall_args *a)
{
	uint64_t ns;
	int rc;

	if (guest_is_null(arg_addr(a, 3)))
		return operate(t, a, DEADLINE_NONE);
	rc = copy_in_timespec(t->mm, arg_addr(a, 3), &ns);
	return rc < 0 ? rc : operate(t, a, deadline_after(ns));
}

static int64_t get_all(struct task *t, int32_t id, guest_addr_t to)
{
	int count = sem_count(t, id, 0444), rc;
	AUTO_FREE uint16_t *values = NULL;

	if (count < 0)
		return count;
	values = calloc((size_t)count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	rc = sem_get_all(t, id, values, (uint32_t)count);
	return rc < 0 ? rc : copy_out(t->mm, to, values, (size_t)count * sizeof(*values));
}

static int64_t set_all(struct task *t, int32_t id, guest_addr_t from)
{
	int count = sem_count(t, id, 0222);
	AUTO_FREE uint16_t *values = NULL;

	if (count < 0)
		return count;
	values = calloc((size_t)count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (copy_in(t->mm, values, from, (size_t)count * sizeof(*values)) < 0)
		return -EFAULT;
	return sem_set_all(t, id, values, (uint32_t)count);
}

static int64_t stat_array(struct task *t, int32_t id, int cmd, guest_addr_t buf)
{
	struct linux_semid64_ds ds;
	int result = sem_stat(t, id, cmd, &ds);

	if (result >= 0 && copy_out(t->mm, buf, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	return result;
}

static int64_t show_info(struct task *t, int cmd, guest_addr_t buf)
{
	struct linux_seminfo info;
	int highest = sem_info(t, cmd, &info);

	return copy_out(t->mm, buf, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

static int64_t set_array(struct task *t, int32_t id, guest_addr_t buf)
{
	struct linux_semid64_ds ds;

	if (copy_in(t->mm, &ds, buf, sizeof(ds)) < 0)
		return -EFAULT;
	return sem_set(t, id, &ds);
}

int64_t sys_semctl(struct task *t, const struct syscall_args *a)
{
	int32_t id = arg_int(a, 0), num = arg_int(a, 1);
	guest_addr_t arg = arg_addr(a, 3);
	int cmd = arg_int(a, 2);

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_INFO:
	case LINUX_SEM_INFO:
		return show_info(t, cmd, arg);
	case LINUX_IPC_STAT:
	case LINUX_SEM_STAT:
	case LINUX_SEM_STAT_ANY:
		return stat_array(t, id, cmd, arg);
	case LINUX_GETALL:
		return get_all(t, id, arg);
	case LINUX_SETALL:
		return set_all(t, id, arg);
	case LINUX_GETVAL:
	case LINUX_GETPID:
	case LINUX_GETNCNT:
	case LINUX_GETZCNT:
		return sem_query(t, id, num, cmd);
	case LINUX_SETVAL:
		return sem_set_value(t, id, num, (int32_t)arg.v);
	case LINUX_IPC_SET:
		return set_array(t, id, arg);
	case LINUX_IPC_RMID:
		return sem_remove(t, id);
	default:
		return -EINVAL;
	}
}
