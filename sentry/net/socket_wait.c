/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocking forms of socket operations: try, wait on the right queue, try
 * again.  The waiter is queued before the second try, so no wake-up is lost.
 */
#include <errno.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/file.h"

#define READ_EVENTS (LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLHUP | LINUX_EPOLLRDHUP | LINUX_EPOLLERR)
#define WRITE_EVENTS (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLHUP | LINUX_EPOLLERR)

static uint64_t deadline_after(uint64_t timeout_ns)
{
	return timeout_ns ? clock_now(LINUX_CLOCK_MONOTONIC) + timeout_ns : DEADLINE_NONE;
}

/* Without a timeout the call can be restarted, with one it cannot: it would start over. */
static int wait_result(int rc, uint64_t deadline)
{
	if (rc == -EINTR)
		return deadline == DEADLINE_NONE ? -ERESTARTSYS : -EINTR;
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

/* What is asked of the error queue or for urgent data is there or not: nobody waits for it. */
static bool never_waits(const struct socket *s, uint32_t flags)
{
	return (s->family == LINUX_AF_INET || s->family == LINUX_AF_INET6) &&
	       flags & (LINUX_MSG_ERRQUEUE | LINUX_MSG_OOB);
}

static void watch(struct socket *s)
{
	if (s->ops->watch)
		s->ops->watch(s);
}

static ssize_t try_send(struct socket *s, struct socket_message *m)
{
	ssize_t n;

	socket_put(m->blocked_on);
	m->blocked_on = NULL;
	n = s->ops->sendmsg(s, m);
	if (n == -EAGAIN)
		s->space_wanted = true;
	return n;
}

/* One successful operation, however long it takes; where to wait may change between tries. */
static ssize_t send_once(struct socket *s, struct socket_message *m, uint64_t deadline)
{
	for (;;) {
		ssize_t n = try_send(s, m);
		struct socket *other = m->blocked_on;
		struct wait_entry entry;
		int slept = 0;

		if (n != -EAGAIN)
			return n;
		m->blocked_on = NULL;
		watch(s);
		wait_begin(&entry, other ? &other->space_queue : &s->queue, WRITE_EVENTS);
		n = try_send(s, m);
		if (n == -EAGAIN)
			slept = wait_sleep(deadline);
		wait_end(&entry);
		socket_put(other);
		if (n != -EAGAIN)
			return n;
		if (slept)
			return wait_result(slept, deadline);
	}
}

static bool sends_all(const struct socket *s)
{
	return s->type == LINUX_SOCK_STREAM;
}

ssize_t socket_send(struct socket *s, struct socket_message *m, bool nonblock)
{
	uint64_t deadline = deadline_after(s->file ? s->file->write_timeout_ns : 0);
	ssize_t done = 0, n;

	do {
		n = nonblock ? try_send(s, m) : send_once(s, m, deadline);
		if (n > 0)
			done += n;
	} while (n > 0 && sends_all(s) && m->data->count);
	socket_put(m->blocked_on);
	m->blocked_on = NULL;
	return done ? done : n;
}

static ssize_t receive_once(struct socket *s, struct socket_message *m, bool nonblock, uint64_t deadline)
{
	ssize_t n = s->ops->recvmsg(s, m);
	struct wait_entry entry;

	if (n != -EAGAIN || nonblock || never_waits(s, m->flags))
		return n;
	watch(s);
	wait_begin(&entry, &s->queue, READ_EVENTS);
	while ((n = s->ops->recvmsg(s, m)) == -EAGAIN) {
		int rc;

		s->readers_asleep++;
		rc = wait_sleep(deadline);
		s->readers_asleep--;
		if (rc) {
			n = wait_result(rc, deadline);
			break;
		}
	}
	wait_end(&entry);
	return n;
}

ssize_t socket_receive(struct socket *s, struct socket_message *m, bool nonblock)
{
	uint64_t deadline = deadline_after(s->file ? s->file->read_timeout_ns : 0);
	uint64_t wanted = m->data->count;
	ssize_t done = 0, n;

	for (;;) {
		n = receive_once(s, m, nonblock, deadline);
		if (n > 0)
			done += n;
		if (n <= 0 || !(m->flags & LINUX_MSG_WAITALL) || m->flags & LINUX_MSG_PEEK ||
		    !sends_all(s) || (uint64_t)done >= wanted || m->control.files)
			break;
	}
	return done ? done : n;
}

int socket_connect(struct socket *s, const struct socket_address *addr, bool nonblock)
{
	uint64_t deadline = deadline_after(s->file ? s->file->write_timeout_ns : 0);
	struct socket *other = NULL;
	struct wait_entry entry;
	int rc = s->ops->connect(s, addr, &other);

	while (rc == -EAGAIN && !nonblock) {
		struct socket *waiting_on = other;
		int slept = 0;

		other = NULL;
		watch(s);
		wait_begin(&entry, waiting_on ? &waiting_on->space_queue : &s->queue, WRITE_EVENTS);
		rc = s->ops->connect(s, addr, &other);
		if (rc == -EAGAIN)
			slept = wait_sleep(deadline);
		wait_end(&entry);
		socket_put(waiting_on);
		if (slept) {
			rc = wait_result(slept, deadline);
			/* The connection goes on being made. */
			if (rc == -EAGAIN && s->family != LINUX_AF_UNIX)
				rc = -EINPROGRESS;
			break;
		}
	}
	socket_put(other);
	return rc;
}

int socket_accept(struct socket *s, bool nonblock, struct socket **out)
{
	uint64_t deadline = deadline_after(s->file ? s->file->read_timeout_ns : 0);
	struct wait_entry entry;
	int rc = s->ops->accept(s, out);

	if (rc != -EAGAIN || nonblock)
		return rc;
	watch(s);
	wait_begin_exclusive(&entry, &s->queue, READ_EVENTS);
	while ((rc = s->ops->accept(s, out)) == -EAGAIN) {
		int slept = wait_sleep(deadline);

		if (!slept)
			continue;
		/* The wake-up that only we got must not be lost. */
		rc = s->ops->accept(s, out);
		if (rc == -EAGAIN)
			rc = wait_result(slept, deadline);
		break;
	}
	wait_end(&entry);
	return rc;
}
