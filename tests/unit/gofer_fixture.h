/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary tree, a server for part of it, and the means to reach both. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "gofer/server.h"
#include "sentry/fs/gofer/client.h"

/*
 * base/root is what the server serves; base/outside must never be reached.  In
 * root: hello ("hello\n"), dir/inner, dir/sub/deep, link -> hello, out ->
 * ../outside, abs -> /etc, pipe (FIFO), sock (socket).
 */
struct fixture {
	char base[64];
	int base_fd;
	int root_fd; /* O_PATH of base/root */
	int proc_fd;
	struct gofer_server server;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A connection served by a thread of its own until the client is freed. */
struct served {
	struct gofer_client *client;
	pthread_t thread;
};

/* @path is below base.  The client's end of a connection that a thread serves until it is closed. */
int fixture_serve_socket(struct fixture *f, const char *path, bool read_only, pthread_t *thread);
void fixture_serve(struct fixture *f, const char *path, bool read_only, struct served *out);
void served_end(struct served *s);

/* A connection without a socket, attached; the root's node in *root. */
struct gofer_connection *fixture_connect(struct fixture *f, bool read_only,
					 struct gofer_buffers *buffers, uint64_t *root);
/* Descriptors this process has open. */
unsigned int count_fds(void);
void write_file(int dir_fd, const char *path, const char *text);
