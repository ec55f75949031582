/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) and ppoll(2). */
#include <stdlib.h>

#include "sentry/abi/poll.h"
#include "sentry/abi/time.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define FEW 16 /* FDs whose state fits on the stack */

static void prepare(struct task *t, const struct linux_pollfd *fds, struct poll_item *items,
		    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		items[i] = (struct poll_item){ .events = (uint16_t)fds[i].events };
		if (fds[i].fd < 0)
			continue;
		items[i].file = fd_table_lookup(t->fds, fds[i].fd);
		if (!items[i].file)
			items[i].ready = LINUX_POLLNVAL;
	}
}

/* @fds and @items have room for @count. */
static int64_t poll_with(struct task *t, guest_addr_t addr, unsigned count, uint64_t deadline,
			 struct linux_pollfd *fds, struct poll_item *items)
{
	int64_t result;

	if (copy_in(t->mm, fds, addr, count * sizeof(*fds)))
		return -EFAULT;
	prepare(t, fds, items, count);
	result = poll_set_wait(items, count, deadline);
	for (unsigned i = 0; i < count; i++)
		fds[i].revents = (int16_t)items[i].ready;
	/* a pointer to nothing has to be one all the same */
	if (!guest_range_ok(addr, count * sizeof(*fds)) ||
	    copy_out(t->mm, addr, fds, count * sizeof(*fds)))
		return -EFAULT;
	return result;
}

static int64_t do_poll(struct task *t, guest_addr_t addr, uint32_t count, uint64_t deadline)
{
	struct linux_pollfd few_fds[FEW];
	struct poll_item few_items[FEW] __attribute__((uninitialized));
	struct linux_pollfd *fds;
	struct poll_item *items;
	int64_t result;

	if (count > task_rlimit(t, RLIM_NOFILE))
		return -EINVAL;
	if (count <= FEW)
		return poll_with(t, addr, count, deadline, few_fds, few_items);
	fds = calloc(count, sizeof(*fds));
	items = calloc(count, sizeof(*items));
	result = fds && items ? poll_with(t, addr, count, deadline, fds, items) : -ENOMEM;
	free(fds);
	free(items);
	return result;
}

static int64_t restart_poll(struct task *t, struct restart_block *rb);

static int64_t interruptible_poll(struct task *t, guest_addr_t addr, uint32_t count, uint64_t deadline)
{
	int64_t result = do_poll(t, addr, count, deadline);

	if (result != -EINTR)
		return result;
	t->restart_block.fn = restart_poll;
	t->restart_block.deadline = deadline;
	t->restart_block.args[0] = addr.v;
	t->restart_block.args[1] = count;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_poll(struct task *t, struct restart_block *rb)
{
	return interruptible_poll(t, guest_addr(rb->args[0]), (uint32_t)rb->args[1], rb->deadline);
}

int64_t sys_poll(struct task *t, const struct syscall_args *a)
{
	int32_t timeout_ms = arg_int(a, 2);
	uint64_t deadline = DEADLINE_NONE;

	if (timeout_ms >= 0)
		deadline = timeout_ms ? poll_deadline_after((uint64_t)timeout_ms * 1000000) : 0;
	return interruptible_poll(t, arg_addr(a, 0), arg_u32(a, 1), deadline);
}

int64_t sys_ppoll(struct task *t, const struct syscall_args *a)
{
	uint64_t deadline;
	bool pushed;
	int rc = poll_timeout_from_timespec(t, arg_addr(a, 2), &deadline);

	if (!rc)
		rc = poll_mask_push(t, arg_addr(a, 3), a->v[4], &pushed);
	if (rc)
		return rc;
	return poll_finish(t, do_poll(t, arg_addr(a, 0), arg_u32(a, 1), deadline), pushed,
			   arg_addr(a, 2), deadline, POLL_TIMESPEC);
}
