/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_submit.  A read, write or sync is done here and now, and a stream may sleep in it, as in
 * Linux without O_NONBLOCK; what is wrong with the request is this call's error, what goes wrong in
 * the transfer is the event's.
 */
#include "sentry/fs/aio/aio.h"
#include "sentry/abi/epoll.h"
#include "sentry/fs/anon/eventfd.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/syscalls/file_transfer.h"
#include "sentry/syscalls/ioprio.h"

struct submission {
	struct task *t;
	struct linux_iocb iocb; /* a copy */
	struct file *file;
	struct aio_request *request;
};

/* The call itself is not restarted: the request was made. */
static int64_t event_result(int64_t rc)
{
	switch (rc) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return rc;
	}
}

/* --- reads and writes -------------------------------------------------------------------- */

static int check_transfer(struct submission *s, bool write)
{
	int rc = 0;

	if (s->iocb.flags & LINUX_IOCB_FLAG_IOPRIO)
		rc = ioprio_check(s->t, (uint16_t)s->iocb.priority);
	if (rc == 0)
		rc = file_transfer_check_flags(s->file, s->iocb.rw_flags, write);
	if (rc < 0)
		return rc;
	if (!(write ? s->file->can_write : s->file->can_read))
		return -EBADF;
	return inode_type(s->file->inode) == LINUX_S_IFDIR ? -EINVAL : 0;
}

static int prepare_iter(struct submission *s, bool vector, struct io_iter *it,
			struct guest_iovec **segments)
{
	guest_addr_t at = guest_addr(s->iocb.buf);

	if (vector)
		return io_iter_init_iovec(it, s->t->mm, at, s->iocb.nbytes, segments);
	if (!guest_range_ok(at, s->iocb.nbytes))
		return -EFAULT;
	io_iter_init_guest(it, s->t->mm, at, s->iocb.nbytes);
	return 0;
}

static int64_t transfer(struct submission *s, bool write, bool vector)
{
	struct file_transfer x = { .task = s->t, .file = s->file, .pos = (uint64_t)s->iocb.offset,
				   .positioned = s->file->seekable, .rwf = s->iocb.rw_flags };
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct io_iter it;
	int rc = check_transfer(s, write);

	if (rc == 0)
		rc = prepare_iter(s, vector, &it, &segments);
	if (rc < 0)
		return rc;
	if (s->iocb.offset < 0)
		return -EINVAL;
	aio_request_complete(s->request, event_result(file_transfer(&x, &it, write)));
	return 0;
}

/* --- the others ------------------------------------------------------------------------------ */

static int64_t sync_file(struct submission *s, bool data_only)
{
	if (s->iocb.buf || s->iocb.offset || s->iocb.nbytes || s->iocb.rw_flags || !s->file->ops->fsync)
		return -EINVAL;
	aio_request_complete(s->request, event_result(s->file->ops->fsync(s->file, data_only)));
	return 0;
}

static int64_t poll_file(struct submission *s)
{
	if (s->iocb.buf > UINT16_MAX || s->iocb.offset || s->iocb.nbytes || s->iocb.rw_flags)
		return -EINVAL;
	s->request->file = file_get(s->file);
	s->request->events = (uint32_t)s->iocb.buf | LINUX_EPOLLERR | LINUX_EPOLLHUP;
	return aio_poll_submit(s->request);
}

static int64_t serve(struct submission *s)
{
	switch (s->iocb.opcode) {
	case LINUX_IOCB_CMD_PREAD:
		return transfer(s, false, false);
	case LINUX_IOCB_CMD_PWRITE:
		return transfer(s, true, false);
	case LINUX_IOCB_CMD_PREADV:
		return transfer(s, false, true);
	case LINUX_IOCB_CMD_PWRITEV:
		return transfer(s, true, true);
	case LINUX_IOCB_CMD_FSYNC:
	case LINUX_IOCB_CMD_FDSYNC:
		return sync_file(s, s->iocb.opcode == LINUX_IOCB_CMD_FDSYNC);
	case LINUX_IOCB_CMD_POLL:
		return poll_file(s);
	default:
		return -EINVAL;
	}
}

/* --- one request ------------------------------------------------------------------------------ */

static int get_eventfd(struct submission *s)
{
	struct file *file;

	if (!(s->iocb.flags & LINUX_IOCB_FLAG_RESFD))
		return 0;
	file = call_file(s->t, (int)s->iocb.resfd);
	if (!file)
		return -EBADF;
	if (!file_is_eventfd(file)) {
		file_put(file);
		return -EINVAL;
	}
	s->request->eventfd = file;
	return 0;
}

static int64_t submit_prepared(struct submission *s, guest_addr_t at)
{
	const uint32_t key = LINUX_KIOCB_KEY;
	int rc = get_eventfd(s);

	if (rc == 0)
		rc = copy_out_u32(s->t->mm, guest_add(at, offsetof(struct linux_iocb, key)), key);
	if (rc < 0)
		return rc;
	s->request->event = (struct linux_io_event){ .data = s->iocb.data, .obj = at.v };
	return serve(s);
}

static int64_t submit_one(struct task *t, struct aio_context *c, guest_addr_t at)
{
	AUTO_FILE struct file *file = NULL;
	struct submission s = { .t = t };
	int64_t rc;

	if (copy_in(t->mm, &s.iocb, at, sizeof(s.iocb)))
		return -EFAULT;
	if (s.iocb.reserved2 || (int64_t)s.iocb.nbytes < 0)
		return -EINVAL;
	rc = aio_request_new(c, &s.request);
	if (rc < 0)
		return rc;
	s.file = file = call_file(t, (int)s.iocb.fd);
	rc = file ? submit_prepared(&s, at) : -EBADF;
	if (rc < 0)
		aio_request_drop(s.request);
	return rc;
}

static int64_t submit(struct task *t, struct aio_context *c, guest_addr_t list, int64_t count)
{
	int64_t done;

	for (done = 0; done < count; done++) {
		uint64_t at;
		int64_t rc = copy_in_u64(t->mm, &at, guest_add(list, (uint64_t)done * sizeof(at)));

		if (rc == 0)
			rc = submit_one(t, c, guest_addr(at));
		if (rc < 0)
			return done ? done : rc;
	}
	return done;
}

int64_t sys_io_submit(struct task *t, const struct syscall_args *a)
{
	int64_t count = (int64_t)a->v[1], rc;
	struct aio_context *c;

	if (count < 0)
		return -EINVAL;
	c = aio_context_lookup(t->mm, a->v[0]);
	if (!c)
		return -EINVAL;
	atomic_fetch_add(&c->submitters, 1);
	rc = submit(t, c, arg_addr(a, 2), count < c->ring_count ? count : c->ring_count);
	if (atomic_fetch_sub(&c->submitters, 1) == 1)
		wait_queue_wake_all(&c->queue, ~0U);
	aio_context_put(c);
	return rc;
}
