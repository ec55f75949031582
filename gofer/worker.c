/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second thread exists before the seccomp filter, which then needs no rule
 * for making threads (rseq, among others); it has nothing to wait for until its
 * sockets are added.
 */
#include "gofer/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/log.h"

#define THREAD_STACK_SIZE ((size_t)256 * 1024)
#define EVENTS_MAX 16

/* Serves one request; true when the connection has ended and is freed. */
static bool serve_one(struct gofer_connection *connection, struct gofer_buffers *buffers)
{
	int err = gofer_connection_serve(connection, buffers);

	if (!err)
		return false;
	if (err != -EPIPE && err != -EPROTO)
		log_error("attach point %u: %s", connection->index, strerrordesc_np(-err));
	gofer_connection_free(connection); /* closing takes it out of the epoll set */
	return true;
}

static void *serve_shared(void *arg)
{
	struct gofer_workers *workers = arg;
	struct epoll_event events[EVENTS_MAX];
	uint32_t left = workers->count - 1;

	sem_post(&workers->started);
	while (left) {
		int n = epoll_wait(workers->epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++)
			left -= serve_one(events[i].data.ptr, workers->shared_buffers);
	}
	return NULL;
}

static struct gofer_buffers *map_buffers(void)
{
	void *p = mmap(NULL, sizeof(struct gofer_buffers), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int start_thread(struct gofer_workers *workers)
{
	pthread_attr_t attr;
	int code = pthread_attr_init(&attr);

	if (code)
		return -code;
	sem_init(&workers->started, 0, 0);
	code = pthread_attr_setstacksize(&attr, THREAD_STACK_SIZE);
	if (!code)
		code = pthread_create(&workers->thread, &attr, serve_shared, workers);
	pthread_attr_destroy(&attr);
	while (!code && sem_wait(&workers->started) < 0)
		;
	return -code;
}

int gofer_workers_prepare(struct gofer_workers *workers, struct gofer_connection **connections,
			  uint32_t count, struct error **err)
{
	int code;

	*workers = (struct gofer_workers){ .connections = connections, .count = count, .epoll = -1 };
	workers->main_buffers = map_buffers();
	if (!workers->main_buffers)
		return error_set(err, -ENOMEM, "allocate message buffers: out of memory");
	if (count == 1)
		return 0;
	workers->shared_buffers = map_buffers();
	if (!workers->shared_buffers)
		return error_set(err, -ENOMEM, "allocate message buffers: out of memory");
	workers->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (workers->epoll < 0)
		return error_set_errno(err, -errno, "create an epoll set");
	code = start_thread(workers);
	return code ? error_set_errno(err, code, "start a thread") : 0;
}

int gofer_workers_run(struct gofer_workers *workers, struct error **err)
{
	for (uint32_t i = 1; i < workers->count; i++) {
		struct gofer_connection *connection = workers->connections[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };

		if (epoll_ctl(workers->epoll, EPOLL_CTL_ADD, connection->socket, &event) < 0)
			return error_set_errno(err, -errno, "wait for attach point %u", i);
	}
	while (!serve_one(workers->connections[0], workers->main_buffers))
		;
	if (workers->count > 1)
		pthread_join(workers->thread, NULL);
	return 0;
}
