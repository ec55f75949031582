/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_vm_readv and process_vm_writev: through a bounded buffer, one remote
 * segment after the other, as far as it goes.
 */
#include <stdlib.h>

#include "sentry/kernel/task.h"
#include "sentry/syscalls/handlers.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define BOUNCE_SIZE 32768

static ssize_t copy_part(struct io_iter *local, struct mm *remote, guest_addr_t at, char *buffer,
			 size_t size, bool write)
{
	ssize_t got, put;

	if (write) {
		got = io_iter_copy_from(local, buffer, size);
		return got <= 0 ? got : copy_out_no_fault(remote, at, buffer, (size_t)got);
	}
	got = copy_in_no_fault(remote, buffer, at, size);
	if (got <= 0)
		return got;
	put = io_iter_copy_to(local, buffer, (size_t)got);
	return put;
}

static int64_t copy_segments(struct io_iter *local, struct mm *remote,
			     const struct guest_iovec *segments, uint64_t count, bool write)
{
	AUTO_FREE char *buffer = malloc(BOUNCE_SIZE);
	uint64_t total = 0;

	if (!buffer)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t done = 0;

		while (done < segments[i].size && local->count) {
			size_t want = (size_t)MIN(MIN(segments[i].size - done, local->count),
						  (uint64_t)BOUNCE_SIZE);
			ssize_t moved = copy_part(local, remote, guest_addr(segments[i].base + done),
						  buffer, want, write);

			if (moved <= 0)
				return total ? (int64_t)total : -EFAULT;
			done += (uint64_t)moved;
			total += (uint64_t)moved;
			if ((size_t)moved < want)
				return (int64_t)total;
		}
	}
	return (int64_t)total;
}

static bool all_empty(const struct guest_iovec *segments, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (segments[i].size)
			return false;
	return true;
}

static int64_t transfer(struct task *t, const struct syscall_args *a, bool write)
{
	AUTO_FREE struct guest_iovec *local_segments = NULL, *remote_segments = NULL;
	struct io_iter local;
	struct task *target;
	struct mm *mm;
	int64_t rc;

	if (a->v[5])
		return -EINVAL;
	rc = io_iter_init_iovec(&local, t->mm, arg_addr(a, 1), a->v[2], &local_segments);
	if (rc)
		return rc;
	if (!local.count)
		return 0;
	rc = guest_iovec_read(t->mm, arg_addr(a, 3), a->v[4], &remote_segments);
	if (rc || all_empty(remote_segments, a->v[4]))
		return rc;
	target = task_lookup(t->pid.ns, arg_int(a, 0));
	if (!target)
		return -ESRCH;
	if (!task_may_access(t, target, PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS)) {
		task_put(target);
		return -EPERM;
	}
	mm = task_mm_get(target);
	task_put(target);
	if (!mm)
		return -ESRCH;
	rc = copy_segments(&local, mm, remote_segments, a->v[4], write);
	mm_put(mm);
	return rc;
}

int64_t sys_process_vm_readv(struct task *t, const struct syscall_args *a)
{
	return transfer(t, a, false);
}

int64_t sys_process_vm_writev(struct task *t, const struct syscall_args *a)
{
	return transfer(t, a, true);
}
