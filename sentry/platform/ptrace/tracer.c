/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracer threads: one per context, the only thread that may make ptrace requests
 * for its tracee.  Before context_start it serves requests of the context's
 * creator; then it runs the guest until the client ends the context.
 */
#include "sentry/platform/ptrace/ptrace.h"

#include <errno.h>

#include "sentry/host/host_futex.h"
#include "sentry/host/host_thread.h"
#include "util/log.h"

/* The context that the calling thread traces. */
static __thread struct ptrace_context *traced;

bool tracer_is_current(const struct ptrace_context *c)
{
	return traced == c;
}

static struct platform_event kick_event(void)
{
	return (struct platform_event){ .kind = PLATFORM_EVENT_KICK, .regs_valid = true };
}

/* Into the guest and back. */
static void resume(struct ptrace_context *c, struct platform_event *event)
{
	/* `running` before the look at `kicked`; context_kick does it the other way round. */
	atomic_store(&c->running, true);
	if (!c->tracee.dead && atomic_exchange(&c->kicked, false))
		*event = kick_event();
	else
		ptrace_run_until_event(c, event);
	atomic_store(&c->running, false);
}

static void run_guest(struct ptrace_context *c)
{
	const struct context_client_ops *client = c->platform->config.client;
	struct platform_event event = { .kind = PLATFORM_EVENT_STARTED, .regs_valid = true };

	if (tracee_attach(&c->tracee) < 0)
		event = ptrace_event_died(c);
	for (;;) {
		switch (client->handle(c->owner, &c->base, &event)) {
		case CONTEXT_EXITED:
			return;
		case CONTEXT_RESUME_AND_KICK:
			if (!c->tracee.dead) {
				event = kick_event();
				break;
			}
			__attribute__((fallthrough));
		case CONTEXT_RESUME:
			resume(c, &event);
			break;
		case CONTEXT_SHELVE:
			/* context_can_shelve() says no: the thread is this context's own. */
			break;
		}
	}
}

static void finish_request(struct ptrace_context *c)
{
	atomic_store(&c->done, 1);
	/* After a QUIT the context may be freed by now: only its address is used. */
	host_futex_wake(&c->done, 1);
}

static void *tracer_main(void *argument)
{
	struct ptrace_context *c = argument;

	traced = c;
	for (;;) {
		enum tracer_request request = (enum tracer_request)atomic_load(&c->request);

		switch (request) {
		case TRACER_IDLE:
			host_futex_wait(&c->request, TRACER_IDLE, HOST_FUTEX_FOREVER, false);
			break;
		case TRACER_CALL:
			atomic_store(&c->request, TRACER_IDLE);
			c->call_result = tracee_attach(&c->tracee);
			if (c->call_result == 0)
				c->call_result = c->call(c, c->call_argument);
			finish_request(c);
			break;
		case TRACER_START:
			run_guest(c);
			return NULL;
		case TRACER_QUIT:
			c->call(c, c->call_argument);
			finish_request(c);
			return NULL;
		}
	}
}

int tracer_start(struct ptrace_context *c)
{
	return host_thread_start("tracer", tracer_main, c);
}

static void post(struct ptrace_context *c, enum tracer_request request)
{
	ASSERT(atomic_load(&c->request) == TRACER_IDLE);
	atomic_store(&c->done, 0);
	atomic_store(&c->request, request);
	host_futex_wake(&c->request, 1);
}

static void wait_done(struct ptrace_context *c)
{
	while (!atomic_load(&c->done))
		host_futex_wait(&c->done, 0, HOST_FUTEX_FOREVER, false);
}

int tracer_call(struct ptrace_context *c, int (*fn)(struct ptrace_context *, void *),
		void *argument)
{
	if (tracer_is_current(c))
		return c->tracee.dead ? -ESRCH : fn(c, argument);
	c->call = fn;
	c->call_argument = argument;
	post(c, TRACER_CALL);
	wait_done(c);
	return c->call_result;
}

void tracer_run_guest(struct ptrace_context *c)
{
	post(c, TRACER_START);
}

void tracer_quit(struct ptrace_context *c, int (*release)(struct ptrace_context *, void *))
{
	c->call = release;
	c->call_argument = NULL;
	post(c, TRACER_QUIT);
	wait_done(c);
}
