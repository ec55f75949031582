/* SPDX-License-Identifier: Apache-2.0 */
/* System V message queues: msgget, msgsnd, msgrcv, msgctl. */
#include "sentry/ipc/msg.h"

#include <stdlib.h>

#include "sentry/syscalls/handlers.h"
#include "util/cleanup.h"

int64_t sys_msgget(struct task *t, const struct syscall_args *a)
{
	return msg_get(t, arg_int(a, 0), arg_int(a, 1));
}

int64_t sys_msgsnd(struct task *t, const struct syscall_args *a)
{
	guest_addr_t buf = arg_addr(a, 1);
	AUTO_FREE struct ipc_message *m = NULL;
	uint64_t type, size = a->v[2];
	int rc = copy_in_u64(t->mm, &type, buf);

	if (rc < 0)
		return rc;
	if (size > LINUX_MSGMAX || arg_int(a, 0) < 0 || (int64_t)type < 1)
		return -EINVAL;
	m = ipc_message_new((int64_t)type, size);
	if (!m)
		return -ENOMEM;
	rc = copy_in(t->mm, m->text, guest_add(buf, sizeof(type)), size);
	if (rc < 0)
		return rc;
	rc = msg_send(t, arg_int(a, 0), m, arg_int(a, 3));
	if (rc == 0)
		(void)move_ptr(m);
	return rc == -EINTR ? -ERESTARTNOHAND : rc;
}

int64_t sys_msgrcv(struct task *t, const struct syscall_args *a)
{
	guest_addr_t buf = arg_addr(a, 1);
	AUTO_FREE struct ipc_message *m = NULL;
	uint64_t size = a->v[2];
	int rc = msg_receive(t, arg_int(a, 0), size, (int64_t)a->v[3], arg_int(a, 4), &m);

	if (rc < 0)
		return rc == -EINTR ? -ERESTARTNOHAND : rc;
	if (size > m->size)
		size = m->size;
	if (copy_out_u64(t->mm, buf, (uint64_t)m->type) < 0 ||
	    copy_out(t->mm, guest_add(buf, sizeof(m->type)), m->text, size) < 0)
		return -EFAULT; /* and the message is lost, as on Linux */
	return (int64_t)size;
}

static int64_t stat_queue(struct task *t, int32_t id, int cmd, guest_addr_t buf)
{
	struct linux_msqid64_ds ds;
	int result = msg_stat(t, id, cmd, &ds);

	if (result >= 0 && copy_out(t->mm, buf, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	return result;
}

static int64_t show_info(struct task *t, int cmd, guest_addr_t buf)
{
	struct linux_msginfo info;
	int highest = msg_info(t, cmd, &info);

	return copy_out(t->mm, buf, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

static int64_t set_queue(struct task *t, int32_t id, guest_addr_t buf)
{
	struct linux_msqid64_ds ds;

	if (copy_in(t->mm, &ds, buf, sizeof(ds)) < 0)
		return -EFAULT;
	return msg_set(t, id, &ds);
}

int64_t sys_msgctl(struct task *t, const struct syscall_args *a)
{
	int32_t id = arg_int(a, 0);
	guest_addr_t buf = arg_addr(a, 2);
	int cmd = arg_int(a, 1);

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_INFO:
	case LINUX_MSG_INFO:
		return show_info(t, cmd, buf);
	case LINUX_IPC_STAT:
	case LINUX_MSG_STAT:
	case LINUX_MSG_STAT_ANY:
		return stat_queue(t, id, cmd, buf);
	case LINUX_IPC_SET:
		return set_queue(t, id, buf);
	case LINUX_IPC_RMID:
		return msg_remove(t, id);
	default:
		return -EINVAL;
	}
}
