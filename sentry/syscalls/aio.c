/* SPDX-License-Identifier: Apache-2.0 */
/* io_setup, io_destroy, io_cancel, io_getevents, io_pgetevents: see sentry/fs/aio/aio.h. */
#include "sentry/abi/mm.h"
#include "sentry/fs/aio/aio.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/time_args.h"
#include "util/checked.h"
#include "util/log.h"

#define BATCH 32U /* events copied out at once */

/* --- contexts ------------------------------------------------------------------------------- */

/* The page that gives the context its name. */
static int map_ring(struct task *t, const struct aio_context *c, uint64_t *out)
{
	struct mm_limits limits = task_mm_limits(t);

	return mm_mmap(t->mm, t->context, &limits, 0, c->ring_size, LINUX_PROT_READ,
		       LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS, NULL, 0, out);
}

static int unmap_ring(struct task *t, uint64_t id, uint64_t size)
{
	return mm_munmap(t->mm, t->context, id, size);
}

static int64_t setup(struct task *t, uint32_t count, guest_addr_t out)
{
	struct aio_context *c;
	uint64_t id, size;
	int rc = aio_context_new(count, t->kernel->cpus, &c);

	if (rc < 0)
		return rc;
	size = c->ring_size;
	rc = map_ring(t, c, &id);
	if (rc == 0) {
		rc = copy_out_u64(t->mm, out, id);
		if (rc == 0)
			rc = aio_context_publish(t->mm, c, id);
		if (rc < 0 && unmap_ring(t, id, size) < 0)
			log_debug("the page of an AIO context stays: it is sealed");
	}
	if (rc < 0)
		aio_context_put(c);
	return rc;
}

int64_t sys_io_setup(struct task *t, const struct syscall_args *a)
{
	uint32_t count = arg_u32(a, 0);
	uint64_t old;

	if (copy_in_u64(t->mm, &old, arg_addr(a, 1)))
		return -EFAULT;
	return old || !count ? -EINVAL : setup(t, count, arg_addr(a, 1));
}

/* Data of a request that is being served may still arrive: only then it is over. */
static void wait_for_submitters(struct aio_context *c)
{
	struct wait_entry e;

	wait_begin(&e, &c->queue, ~0U);
	while (atomic_load(&c->submitters) && wait_sleep_killable(DEADLINE_NONE) == 0)
		;
	wait_end(&e);
}

int64_t sys_io_destroy(struct task *t, const struct syscall_args *a)
{
	struct aio_context *c = aio_context_lookup(t->mm, a->v[0]);
	int64_t rc = -EINVAL;

	if (c && aio_context_kill(t->mm, c)) {
		wait_for_submitters(c);
		/* Whatever is there by now, as in Linux. */
		if (unmap_ring(t, c->id, c->ring_size) < 0)
			log_debug("the page of an AIO context stays: it is sealed");
		rc = 0;
	}
	aio_context_put(c);
	return rc;
}

int64_t sys_io_cancel(struct task *t, const struct syscall_args *a)
{
	struct aio_context *c;
	struct linux_iocb iocb;
	int64_t rc = -EINVAL;

	if (copy_in_u32(t->mm, &iocb.key, guest_add(arg_addr(a, 1), offsetof(struct linux_iocb, key))))
		return -EFAULT;
	if (iocb.key != LINUX_KIOCB_KEY)
		return -EINVAL;
	c = aio_context_lookup(t->mm, a->v[0]);
	if (c && aio_poll_cancel(c, a->v[1]))
		rc = -EINPROGRESS; /* its event says the rest */
	aio_context_put(c);
	return rc;
}

/* --- events --------------------------------------------------------------------------------- */

struct reading {
	struct task *t;
	struct aio_context *context;
	int64_t min, max;
	guest_addr_t out;
	uint64_t deadline;
	int64_t done;
};

/* What is there; -EFAULT when it could not be stored, and then it is still there. */
static int take_ready(struct reading *r)
{
	struct linux_io_event events[BATCH];

	while (r->done < r->max) {
		unsigned wanted = (unsigned)MIN(r->max - r->done, (int64_t)BATCH), count = 0;
		struct list_node taken;
		struct aio_request *q;

		list_init(&taken);
		if (!aio_take(r->context, &taken, wanted))
			return 0;
		list_for_each(q, &taken, node)
			events[count++] = q->event;
		if (copy_out(r->t->mm, guest_add(r->out, (uint64_t)r->done * sizeof(events[0])), events,
			     count * sizeof(events[0]))) {
			aio_taken_return(r->context, &taken);
			return -EFAULT;
		}
		aio_taken_free(r->context, &taken);
		r->done += count;
	}
	return 0;
}

/* How many events there were; *interrupted: a signal ended the wait. */
static int64_t read_events(struct reading *r, bool *interrupted)
{
	struct wait_entry e;
	int rc;

	wait_begin(&e, &r->context->queue, ~0U);
	for (;;) {
		rc = take_ready(r);
		if (rc < 0 || r->done >= r->min || !r->deadline)
			break;
		rc = wait_sleep(r->deadline);
		if (rc < 0)
			break;
	}
	wait_end(&e);
	*interrupted = rc == -EINTR;
	return rc == -EFAULT && !r->done ? rc : r->done;
}

/* Any timespec will do: zero only looks, and what is negative has no end, as in Linux. */
static int get_deadline(struct task *t, guest_addr_t addr, uint64_t *deadline)
{
	struct linux_timespec ts;
	int64_t ns;

	*deadline = DEADLINE_NONE;
	if (guest_is_null(addr))
		return 0;
	if (copy_in(t->mm, &ts, addr, sizeof(ts)))
		return -EFAULT;
	if (mul_overflows(ts.sec, (int64_t)NSEC_PER_SEC, &ns) || add_overflows(ns, ts.nsec, &ns))
		ns = -1;
	if (ns >= 0)
		*deadline = ns ? deadline_after((uint64_t)ns) : 0;
	return 0;
}

static int64_t get_events(struct task *t, const struct syscall_args *a, uint64_t deadline,
			  bool *interrupted)
{
	struct reading r = { .t = t, .context = aio_context_lookup(t->mm, a->v[0]),
			     .min = (int64_t)a->v[1], .max = (int64_t)a->v[2],
			     .out = arg_addr(a, 3), .deadline = deadline };
	int64_t rc = -EINVAL;

	if (r.context && r.min >= 0 && r.min <= r.max)
		rc = read_events(&r, interrupted);
	aio_context_put(r.context);
	return rc;
}

int64_t sys_io_getevents(struct task *t, const struct syscall_args *a)
{
	bool interrupted = false;
	uint64_t deadline;
	int64_t rc = get_deadline(t, arg_addr(a, 4), &deadline);

	if (rc)
		return rc;
	rc = get_events(t, a, deadline, &interrupted);
	return !rc && interrupted ? -EINTR : rc;
}

int64_t sys_io_pgetevents(struct task *t, const struct syscall_args *a)
{
	bool pushed, interrupted = false;
	uint64_t deadline, mask[2] = { 0, 0 }; /* where the set is, and its size */
	int64_t rc = get_deadline(t, arg_addr(a, 4), &deadline);

	if (rc == 0 && a->v[5])
		rc = copy_in(t->mm, mask, arg_addr(a, 5), sizeof(mask));
	if (rc == 0)
		rc = poll_mask_push(t, guest_addr(mask[0]), mask[1], &pushed);
	if (rc)
		return rc;
	rc = get_events(t, a, deadline, &interrupted);
	if (pushed)
		signal_mask_pop(t, interrupted);
	return !rc && interrupted ? -ERESTARTNOHAND : rc;
}
