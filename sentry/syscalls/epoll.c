/* SPDX-License-Identifier: Apache-2.0 */
/* The epoll system calls.  epoll_wait never restarts: an interruption is EINTR. */
#include "sentry/abi/epoll.h"

#include <stdlib.h>

#include "sentry/fs/anon/epoll.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define FEW 16
#define MAX_EVENTS (INT32_MAX / (int)sizeof(struct linux_epoll_event))

static int64_t create(struct task *t, uint32_t flags)
{
	struct file *file;
	int rc;

	if (flags & ~(uint32_t)LINUX_EPOLL_CLOEXEC)
		return -EINVAL;
	rc = epoll_file_new(0, &file);
	return rc ? rc : install_new_file(t, file, flags & LINUX_EPOLL_CLOEXEC);
}

int64_t sys_epoll_create(struct task *t, const struct syscall_args *a)
{
	return arg_int(a, 0) <= 0 ? -EINVAL : create(t, 0);
}

int64_t sys_epoll_create1(struct task *t, const struct syscall_args *a)
{
	return create(t, arg_u32(a, 0));
}

int64_t sys_epoll_ctl(struct task *t, const struct syscall_args *a)
{
	struct linux_epoll_event event = { 0 };
	struct file *epoll_file, *target;
	int64_t rc = -EBADF;

	if (arg_int(a, 1) != LINUX_EPOLL_CTL_DEL &&
	    copy_in(t->mm, &event, arg_addr(a, 3), sizeof(event)))
		return -EFAULT;
	epoll_file = fd_table_lookup(t->fds, arg_int(a, 0));
	if (!epoll_file)
		return -EBADF;
	target = fd_table_lookup(t->fds, arg_int(a, 2));
	if (target) {
		rc = epoll_control(epoll_file, arg_int(a, 1), target, arg_int(a, 2), &event);
		file_put(target);
	}
	file_put(epoll_file);
	return rc;
}

static int deliver(struct task *t, struct epoll *ep, guest_addr_t out,
		   const struct epoll_ready *ready, int count)
{
	struct linux_epoll_event events[FEW];
	int done = 0;

	while (done < count) {
		int n = MIN(count - done, FEW);

		for (int i = 0; i < n; i++)
			events[i] = ready[done + i].event;
		if (copy_out(t->mm, guest_add(out, (uint64_t)done * sizeof(events[0])), events,
			     (size_t)n * sizeof(events[0]))) {
			epoll_give_back(ep, ready + done, count - done);
			return done ? done : -EFAULT;
		}
		done += n;
	}
	return done;
}

static int64_t wait_and_deliver(struct task *t, struct epoll *ep, guest_addr_t out, int max,
				uint64_t deadline)
{
	struct epoll_ready few[FEW] __attribute__((uninitialized));
	struct epoll_ready *ready = few;
	int room = FEW;
	int64_t rc;

	if (max > FEW) {
		room = (int)MIN((unsigned)max, MAX(epoll_item_count(ep), (unsigned)FEW));
		if (room > FEW)
			ready = calloc((size_t)room, sizeof(*ready));
		if (!ready)
			return -ENOMEM;
	}
	rc = epoll_wait_collect(ep, ready, MIN(max, room), deadline);
	if (rc > 0)
		rc = deliver(t, ep, out, ready, (int)rc);
	if (ready != few)
		free(ready);
	return rc;
}

static int64_t do_epoll_wait(struct task *t, const struct syscall_args *a, uint64_t deadline)
{
	int max = arg_int(a, 2);
	struct file *file;
	int64_t rc = -EINVAL;

	file = fd_table_lookup(t->fds, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if (max > 0 && max <= MAX_EVENTS &&
	    !guest_range_ok(arg_addr(a, 1), (uint64_t)max * sizeof(struct linux_epoll_event)))
		rc = -EFAULT;
	else if (max > 0 && max <= MAX_EVENTS && epoll_from_file(file))
		rc = wait_and_deliver(t, epoll_from_file(file), arg_addr(a, 1), max, deadline);
	file_put(file);
	return rc;
}

static uint64_t deadline_of_ms(int32_t ms)
{
	if (ms < 0)
		return DEADLINE_NONE;
	return ms ? poll_deadline_after((uint64_t)ms * 1000000) : 0;
}

int64_t sys_epoll_wait(struct task *t, const struct syscall_args *a)
{
	return do_epoll_wait(t, a, deadline_of_ms(arg_int(a, 3)));
}

static int64_t epoll_pwait(struct task *t, const struct syscall_args *a, uint64_t deadline)
{
	bool pushed;
	int64_t rc = poll_mask_push(t, arg_addr(a, 4), a->v[5], &pushed);

	if (rc)
		return rc;
	rc = do_epoll_wait(t, a, deadline);
	if (pushed)
		signal_mask_pop(t, rc == -EINTR);
	return rc;
}

int64_t sys_epoll_pwait(struct task *t, const struct syscall_args *a)
{
	return epoll_pwait(t, a, deadline_of_ms(arg_int(a, 3)));
}

int64_t sys_epoll_pwait2(struct task *t, const struct syscall_args *a)
{
	uint64_t deadline;
	int rc = poll_timeout_from_timespec(t, arg_addr(a, 3), &deadline);

	return rc ? rc : epoll_pwait(t, a, deadline);
}
