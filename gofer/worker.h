/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving threads.  The first attach point (the rootfs, by far the busiest) has
 * the main thread to itself, which sleeps in recvmsg: no system call beyond
 * the two of the round trip.  All others share one thread that waits on epoll.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "gofer/server.h"
#include "util/error.h"

struct gofer_workers {
	struct gofer_connection **connections; /* borrowed array of owned connections */
	uint32_t count;
	struct gofer_buffers *main_buffers;
	struct gofer_buffers *shared_buffers; /* NULL without a second thread */
	int epoll; /* -1 without a second thread */
	pthread_t thread;
	sem_t started; /* the thread is past what only its start needs */
};

/* Makes buffers and the second thread, which serves nothing until gofer_workers_run. */
int gofer_workers_prepare(struct gofer_workers *workers, struct gofer_connection **connections,
			  uint32_t count, struct error **err) MUST_CHECK;
/* Serves until every connection has ended, and frees them. */
int gofer_workers_run(struct gofer_workers *workers, struct error **err) MUST_CHECK;
