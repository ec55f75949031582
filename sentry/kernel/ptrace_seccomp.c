/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tracer is told of its tracee's filters, for checkpoints.  A filter is numbered from
 * the oldest one.  The path is held by a reference to its end, taken under the tracee's signal
 * lock; the copies to the tracer are made without the lock.
 */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/seccomp.h"
#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/seccomp_internal.h"
#include "util/checked.h"

/* As capable() of Linux, whatever the tracee's user namespace is. */
static bool may_look(struct task *tracer)
{
	return credentials_root_capable(tracer->cred, LINUX_CAP_SYS_ADMIN) &&
	       seccomp_mode(tracer) == LINUX_SECCOMP_MODE_DISABLED;
}

/* The end of the path of the stopped @t, referenced; NULL of one that left it behind in exit. */
static int path_of(struct task *tracer, struct task *t, struct seccomp_filter **out)
{
	struct signal_handlers *h = signal_lock(t->group);
	int rc = ptrace_stopped_for_locked(t, tracer) ? 0 : -ESRCH;

	if (!rc && seccomp_mode(t) != LINUX_SECCOMP_MODE_FILTER)
		rc = -EINVAL;
	if (!rc) {
		*out = t->seccomp_filter;
		if (*out)
			seccomp_filter_get(*out);
	}
	signal_unlock(h);
	return rc;
}

/* The filter with @number on the path that ends at @end, which keeps it; NULL. */
static const struct seccomp_filter *filter_at(const struct seccomp_filter *end, uint64_t number)
{
	const struct seccomp_filter *f;
	uint64_t count = 0;

	for (f = end; f; f = f->prev)
		count++;
	if (number >= count)
		return NULL;
	for (f = end; --count > number;)
		f = f->prev;
	return f;
}

int64_t ptrace_get_filter(struct task *tracer, struct task *t, uint64_t number, uint64_t data)
{
	const struct seccomp_filter *f;
	struct seccomp_filter *end;
	int64_t rc;

	if (!may_look(tracer))
		return -EACCES;
	rc = path_of(tracer, t, &end);
	if (rc)
		return rc;
	f = filter_at(end, number);
	if (!f)
		rc = -ENOENT;
	else if (data)
		rc = copy_out(tracer->mm, guest_addr(data), f->insns, f->count * sizeof(*f->insns));
	if (!rc)
		rc = f->count;
	seccomp_filter_put(end);
	return rc;
}

int64_t ptrace_get_filter_metadata(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_seccomp_metadata meta = { 0 };
	const struct seccomp_filter *f;
	struct seccomp_filter *end;
	int64_t rc;

	if (!may_look(tracer))
		return -EACCES;
	size = MIN(size, sizeof(meta));
	if (size < sizeof(meta.filter_off))
		return -EINVAL;
	rc = copy_in_u64(tracer->mm, &meta.filter_off, guest_addr(data));
	if (!rc)
		rc = path_of(tracer, t, &end);
	if (rc)
		return rc;
	f = filter_at(end, meta.filter_off);
	if (!f)
		rc = -ENOENT;
	else if (f->log)
		meta.flags = LINUX_SECCOMP_FILTER_FLAG_LOG;
	seccomp_filter_put(end);
	if (!rc)
		rc = copy_out(tracer->mm, guest_addr(data), &meta, size);
	return rc ? rc : (int64_t)size;
}
