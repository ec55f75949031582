/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile, splice, tee, vmsplice, copy_file_range: data moves through a buffer
 * of the sentry, never through the guest's memory.  A pipe that is full or empty
 * is waited for like in read(2) and write(2).
 */
#include "config.h"

#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/bounce.h"
#include "util/checked.h"

/* One end of a transfer: an explicit offset, or the file's position. */
struct end {
	struct file *file;
	struct pipe *pipe;
	bool has_offset;
	uint64_t offset;
};

static uint64_t *end_pos(struct end *e)
{
	return e->has_offset ? &e->offset : NULL;
}

static int end_offset_in(struct task *t, struct end *e, guest_addr_t from)
{
	if (guest_is_null(from))
		return 0;
	e->has_offset = true;
	return copy_in_u64(t->mm, &e->offset, from);
}

static int end_offset_out(struct task *t, const struct end *e, guest_addr_t to)
{
	return e->has_offset ? copy_out_u64(t->mm, to, e->offset) : 0;
}

static ssize_t read_end(struct end *e, char *buf, size_t size, bool wait)
{
	struct io_iter it;

	io_iter_init_buffer(&it, buf, size);
	return wait ? vfs_read_wait(e->file, &it, end_pos(e), DEADLINE_NONE) :
		      vfs_read(e->file, &it, end_pos(e));
}

static ssize_t write_end(struct task *t, struct end *e, char *buf, size_t size, bool wait)
{
	uint64_t limit = task_rlimit(t, RLIM_FSIZE);
	struct io_iter it;

	io_iter_init_buffer(&it, buf, size);
	return wait ? vfs_write_wait(e->file, &it, end_pos(e), limit, DEADLINE_NONE) :
		      vfs_write(e->file, &it, end_pos(e), limit);
}

/* What was read and could not be written goes back, for a source with a position. */
static void unread(struct end *e, size_t count)
{
	if (!count || !e->file->seekable)
		return;
	if (e->has_offset)
		e->offset -= count;
	else if (vfs_llseek(e->file, -(int64_t)count, LINUX_SEEK_CUR) < 0)
		return;
}

/* From a file with positions to anything. */
static int64_t copy_loop(struct task *t, struct end *in, struct end *out, uint64_t count, bool wait)
{
	struct bounce bounce;
	int64_t total = 0;
	int rc = bounce_begin(&bounce, count);

	if (rc < 0)
		return rc;
	while ((uint64_t)total < count) {
		ssize_t got = read_end(in, bounce.buffer, MIN(bounce.size, count - (uint64_t)total), wait);
		ssize_t n = got > 0 ? write_end(t, out, bounce.buffer, (size_t)got, wait) : got;

		if (got > 0)
			unread(in, (size_t)(got - MAX(n, 0)));
		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if (n < got)
			break;
	}
	bounce_end(&bounce);
	return call_size_result(t, total);
}

/* A read and a write, for /proc/PID/io. */
static void count_both(struct task *t, int64_t result)
{
	task_io_count(t, false, result);
	task_io_count(t, true, result);
}

int64_t sys_sendfile(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *out_file = NULL, *in_file = call_file(t, arg_int(a, 1));
	struct end in = { .file = in_file }, out = { 0 };
	uint64_t count = MIN(a->v[3], IO_MAX_COUNT);
	int64_t n;
	int rc;

	if (!guest_is_null(arg_addr(a, 2))) {
		rc = end_offset_in(t, &in, arg_addr(a, 2));
		if (rc < 0)
			return rc;
	}
	if (!in_file || !in_file->can_read)
		return -EBADF;
	if (in.has_offset && !in_file->seekable)
		return -ESPIPE;
	out_file = call_file(t, arg_int(a, 0));
	if (!out_file || !out_file->can_write)
		return -EBADF;
	out.file = out_file;
	if ((int64_t)a->v[3] < 0 || (in.has_offset && (int64_t)in.offset < 0))
		return -EINVAL;
	if (!in_file->seekable || out_file->flags & LINUX_O_APPEND ||
	    inode_type(in_file->inode) == LINUX_S_IFDIR)
		return -EINVAL;
	n = copy_loop(t, &in, &out, count, !(out_file->flags & LINUX_O_NONBLOCK));
	count_both(t, n);
	rc = n >= 0 ? end_offset_out(t, &in, arg_addr(a, 2)) : 0;
	return rc < 0 ? rc : n;
}

int64_t sys_copy_file_range(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *in_file = call_file(t, arg_int(a, 0)), *out_file = call_file(t, arg_int(a, 2));
	struct end in = { .file = in_file }, out = { .file = out_file };
	uint64_t count = MIN(a->v[4], IO_MAX_COUNT), in_at, out_at;
	int64_t n;
	int rc;

	if (!in_file || !out_file)
		return -EBADF;
	rc = end_offset_in(t, &in, arg_addr(a, 1));
	if (rc == 0)
		rc = end_offset_in(t, &out, arg_addr(a, 3));
	if (rc < 0)
		return rc;
	if (arg_u32(a, 5))
		return -EINVAL;
	if (inode_type(in_file->inode) == LINUX_S_IFDIR || inode_type(out_file->inode) == LINUX_S_IFDIR)
		return -EISDIR;
	if (inode_type(in_file->inode) != LINUX_S_IFREG || inode_type(out_file->inode) != LINUX_S_IFREG)
		return -EINVAL;
	if (!in_file->can_read || !out_file->can_write || out_file->flags & LINUX_O_APPEND)
		return -EBADF;
	if (in_file->inode->sb != out_file->inode->sb)
		return -EXDEV;
	in_at = in.has_offset ? in.offset : in_file->position;
	out_at = out.has_offset ? out.offset : out_file->position;
	if ((int64_t)in_at < 0 || (int64_t)out_at < 0)
		return -EINVAL;
	if (in_at + count < in_at || out_at + count < out_at)
		return -EOVERFLOW;
	if (in_file->inode == out_file->inode && in_at < out_at + count && out_at < in_at + count)
		return -EINVAL;
	n = copy_loop(t, &in, &out, count, true);
	count_both(t, n);
	rc = n >= 0 ? end_offset_out(t, &in, arg_addr(a, 1)) : 0;
	if (n >= 0 && rc == 0)
		rc = end_offset_out(t, &out, arg_addr(a, 3));
	return rc < 0 ? rc : n;
}

/* --- splice ------------------------------------------------------------------------------ */

/* Sleeps until @try gives something else than -EAGAIN. */
struct pipe_wait {
	struct task *task;
	struct end *in, *out;
	char *buffer;
	size_t size;
	uint32_t events;
	struct pipe *pipe; /* whose queue to sleep on */
	ssize_t (*try)(struct pipe_wait *w);
};

static ssize_t pipe_loop(struct pipe_wait *w, bool wait)
{
	struct wait_entry entry;
	ssize_t n = w->try(w);

	if (n != -EAGAIN || !wait)
		return n;
	wait_begin(&entry, pipe_wait_queue(w->pipe), w->events);
	while ((n = w->try(w)) == -EAGAIN) {
		int rc = wait_sleep(DEADLINE_NONE);

		if (rc < 0) {
			n = -ERESTARTSYS;
			break;
		}
	}
	wait_end(&entry);
	return n;
}

#define PIPE_EVENTS (LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLHUP | LINUX_EPOLLERR | LINUX_EPOLLRDNORM | LINUX_EPOLLWRNORM)

static ssize_t try_take(struct pipe_wait *w)
{
	return pipe_read_to_buffer(w->pipe, w->buffer, w->size);
}

static ssize_t try_give(struct pipe_wait *w)
{
	return pipe_write_from_buffer(w->pipe, w->buffer, w->size);
}

/* All of the buffer, as far as the pipe has readers; -EPIPE raises SIGPIPE by the caller. */
static ssize_t give_all(struct task *t, struct pipe *pipe, char *buf, size_t size, bool wait)
{
	size_t done = 0;

	while (done < size) {
		struct pipe_wait w = { .task = t, .pipe = pipe, .events = PIPE_EVENTS,
				       .buffer = buf + done, .size = size - done, .try = try_give };
		ssize_t n = pipe_loop(&w, wait);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static ssize_t try_space(struct pipe_wait *w)
{
	if (!pipe_has_readers(w->pipe))
		return -EPIPE;
	return pipe_free_bytes(w->pipe) ? 1 : -EAGAIN;
}

static int64_t splice_to_pipe(struct task *t, struct end *in, struct end *out, char *buf, size_t size, bool wait)
{
	struct pipe_wait w = { .task = t, .pipe = out->pipe, .events = PIPE_EVENTS, .try = try_space };
	ssize_t n = pipe_loop(&w, wait), given;

	if (n < 0)
		return n;
	n = read_end(in, buf, MIN(size, pipe_free_bytes(out->pipe)), wait);
	if (n <= 0)
		return n;
	/* what came from a stream must go in, so that waits whatever was asked */
	given = give_all(t, out->pipe, buf, (size_t)n, wait || !in->file->seekable);
	unread(in, (size_t)(n - MAX(given, 0)));
	return given;
}

static int64_t splice_from_pipe(struct task *t, struct end *in, struct end *out, char *buf, size_t size, bool wait)
{
	struct pipe_wait w = { .task = t, .pipe = in->pipe, .events = PIPE_EVENTS, .buffer = buf,
			       .size = size, .try = try_take };
	ssize_t n = pipe_loop(&w, wait), written;

	if (n <= 0)
		return n;
	if (out->pipe)
		written = give_all(t, out->pipe, buf, (size_t)n, wait);
	else
		written = write_end(t, out, buf, (size_t)n, wait);
	if (written < n) {
		size_t kept = (size_t)MAX(written, 0);
		int rc = pipe_unread(in->pipe, buf + kept, (size_t)n - kept);

		if (rc < 0 && written < 0)
			return rc;
	}
	return written;
}

static int splice_ends(struct task *t, const struct syscall_args *a, struct end *in, struct end *out)
{
	bool in_offset = !guest_is_null(arg_addr(a, 1)), out_offset = !guest_is_null(arg_addr(a, 3));
	int rc;

	in->pipe = pipe_from_file(in->file);
	out->pipe = pipe_from_file(out->file);
	if ((in->pipe && in_offset) || (out->pipe && out_offset))
		return -ESPIPE;
	rc = end_offset_in(t, out, arg_addr(a, 3));
	if (rc == 0)
		rc = end_offset_in(t, in, arg_addr(a, 1));
	if (rc < 0)
		return rc;
	if (!in->file->can_read || !out->file->can_write)
		return -EBADF;
	if (!in->pipe && !out->pipe)
		return -EINVAL;
	if (in->pipe && in->pipe == out->pipe)
		return -EINVAL;
	if ((in_offset && !in->file->seekable) ||
	    (out_offset && (!out->file->seekable || out->file->ops->no_pwrite)))
		return -EINVAL;
	if (!out->pipe && out->file->flags & LINUX_O_APPEND)
		return -EINVAL;
	if ((in_offset && (int64_t)in->offset < 0) || (out_offset && (int64_t)out->offset < 0))
		return -EINVAL;
	return 0;
}

int64_t sys_splice(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *in_file = NULL, *out_file = NULL;
	uint32_t flags = arg_u32(a, 5);
	struct bounce bounce;
	struct end in = { 0 }, out = { 0 };
	bool wait = !(flags & LINUX_SPLICE_F_NONBLOCK);
	int64_t n;
	int rc;

	if (!a->v[4])
		return 0;
	if (flags & ~LINUX_SPLICE_F_ALL)
		return -EINVAL;
	in.file = in_file = call_file(t, arg_int(a, 0));
	out.file = out_file = call_file(t, arg_int(a, 2));
	if (!in_file || !out_file)
		return -EBADF;
	rc = splice_ends(t, a, &in, &out);
	if (rc == 0)
		rc = bounce_begin(&bounce, a->v[4]);
	if (rc < 0)
		return rc;
	if ((in_file->flags | out_file->flags) & LINUX_O_NONBLOCK)
		wait = false;
	if (in.pipe)
		n = splice_from_pipe(t, &in, &out, bounce.buffer, MIN(a->v[4], bounce.size), wait);
	else
		n = splice_to_pipe(t, &in, &out, bounce.buffer, MIN(a->v[4], bounce.size), wait);
	bounce_end(&bounce);
	if (n == -EPIPE && out.pipe)
		signal_send_self(t, SIGPIPE);
	rc = n >= 0 ? end_offset_out(t, &in, arg_addr(a, 1)) : 0;
	if (n >= 0 && rc == 0)
		rc = end_offset_out(t, &out, arg_addr(a, 3));
	return rc < 0 ? rc : call_size_result(t, n);
}

/* --- tee, vmsplice ------------------------------------------------------------------------- */

static ssize_t try_tee(struct pipe_wait *w)
{
	bool wait_in = false;
	ssize_t n = pipe_tee(w->in->pipe, w->out->pipe, w->size, &wait_in);

	if (n == -EAGAIN)
		w->pipe = wait_in ? w->in->pipe : w->out->pipe;
	return n;
}

/* The side to wait for may change between tries, so each sleep queues anew. */
static ssize_t tee_loop(struct pipe_wait *w, bool wait)
{
	ssize_t n;

	while ((n = try_tee(w)) == -EAGAIN && wait) {
		struct wait_entry entry;
		struct pipe *pipe = w->pipe;
		int rc = 0;

		wait_begin(&entry, pipe_wait_queue(pipe), w->events);
		n = try_tee(w);
		if (n == -EAGAIN && w->pipe == pipe)
			rc = wait_sleep(DEADLINE_NONE);
		wait_end(&entry);
		if (n != -EAGAIN)
			break;
		if (rc < 0)
			return -ERESTARTSYS;
	}
	return n;
}

int64_t sys_tee(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *in_file = NULL, *out_file = NULL;
	uint32_t flags = arg_u32(a, 3);
	struct end in = { 0 }, out = { 0 };
	struct pipe_wait w = { .task = t, .in = &in, .out = &out, .events = PIPE_EVENTS,
			       .size = MIN(a->v[2], IO_MAX_COUNT) };
	bool wait = !(flags & LINUX_SPLICE_F_NONBLOCK);

	if (flags & ~LINUX_SPLICE_F_ALL)
		return -EINVAL;
	if (!a->v[2])
		return 0;
	in.file = in_file = call_file(t, arg_int(a, 0));
	out.file = out_file = call_file(t, arg_int(a, 1));
	if (!in_file || !out_file || !in_file->can_read || !out_file->can_write)
		return -EBADF;
	in.pipe = pipe_from_file(in_file);
	out.pipe = pipe_from_file(out_file);
	if (!in.pipe || !out.pipe || in.pipe == out.pipe)
		return -EINVAL;
	if ((in_file->flags | out_file->flags) & LINUX_O_NONBLOCK)
		wait = false;
	return tee_loop(&w, wait);
}

/* Gifted pages are copied: to the guest nothing but the time taken differs. */
int64_t sys_vmsplice(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	AUTO_FREE struct guest_iovec *segments = NULL;
	uint32_t flags = arg_u32(a, 3);
	struct io_iter it;
	bool wait = !(flags & LINUX_SPLICE_F_NONBLOCK);
	int rc;

	if (flags & ~LINUX_SPLICE_F_ALL)
		return -EINVAL;
	file = call_file(t, arg_int(a, 0));
	if (!file || (!file->can_read && !file->can_write))
		return -EBADF;
	rc = io_iter_init_iovec(&it, t->mm, arg_addr(a, 1), a->v[2], &segments);
	if (rc < 0)
		return rc;
	if (!it.count)
		return 0;
	if (!pipe_from_file(file))
		return -EBADF;
	if (file->can_write)
		return wait ? vfs_write_wait(file, &it, NULL, UINT64_MAX, DEADLINE_NONE) :
			      vfs_write(file, &it, NULL, UINT64_MAX);
	return wait ? vfs_read_wait(file, &it, NULL, DEADLINE_NONE) : vfs_read(file, &it, NULL);
}
