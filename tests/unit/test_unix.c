/* SPDX-License-Identifier: Apache-2.0 */
/* Local sockets: streams, datagrams, seqpacket, connections, passed files and their cycles, TCP. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/anon/eventfd.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/inet/inet.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/unix/unix.h"
#include "sentry/vfs/vfs.h"

static struct net_namespace *net;

static int setup_all(void **state)
{
	struct user_namespace *ns;

	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(socket_fs_init(ns), 0);
	assert_int_equal(net_namespace_new(ns, &loopback_provider, &net), 0);
	user_namespace_put(ns);
	socket_family_register(&unix_family);
	socket_family_register(&inet_family);
	return 0;
}

static struct file *new_socket(int family, int type)
{
	struct socket *s;
	struct file *file;

	assert_int_equal(socket_create(net, family, type, 0, &s), 0);
	assert_int_equal(socket_file_new(s, 0, &file), 0);
	return file;
}

static void new_pair(int type, struct file *pair[2])
{
	pair[0] = new_socket(LINUX_AF_UNIX, type);
	pair[1] = new_socket(LINUX_AF_UNIX, type);
	assert_int_equal(unix_pair(socket_from_file(pair[0]), socket_from_file(pair[1])), 0);
}

static ssize_t put(struct file *file, const void *data, size_t size)
{
	struct io_iter it;

	io_iter_init_buffer(&it, (void *)(uintptr_t)data, size);
	return vfs_write(file, &it, NULL, UINT64_MAX);
}

static ssize_t get(struct file *file, void *data, size_t size)
{
	struct io_iter it;

	io_iter_init_buffer(&it, data, size);
	return vfs_read(file, &it, NULL);
}

static ssize_t receive(struct file *file, void *data, size_t size, struct socket_message *m)
{
	struct io_iter it;

	io_iter_init_buffer(&it, data, size);
	m->data = &it;
	return socket_receive(socket_from_file(file), m, true);
}

static int send_files(struct file *file, struct file **files, unsigned count)
{
	struct socket_message m = { 0 };
	struct io_iter it;
	char byte = 'f';
	ssize_t n;

	m.control.files = file_batch_new(count);
	for (unsigned i = 0; i < count; i++)
		m.control.files->files[i] = file_get(files[i]);
	m.control.files->count = count;
	io_iter_init_buffer(&it, &byte, 1);
	m.data = &it;
	n = socket_send(socket_from_file(file), &m, true);
	ancillary_release(&m.control);
	return n == 1 ? 0 : (int)n;
}

static void test_stream(void **state)
{
	struct socket_message peek = { .flags = LINUX_MSG_PEEK };
	struct file *p[2];
	char buf[32];

	new_pair(LINUX_SOCK_STREAM, p);
	assert_int_equal(get(p[0], buf, 1), -EAGAIN);
	assert_int_equal(put(p[0], "hello ", 6), 6);
	assert_int_equal(put(p[0], "world", 5), 5);
	assert_int_equal(receive(p[1], buf, sizeof(buf), &peek), 11);
	assert_int_equal(get(p[1], buf, 8), 8);
	assert_memory_equal(buf, "hello wo", 8);
	assert_int_equal(get(p[1], buf, 8), 3);
	assert_int_equal(put(p[1], "x", 1), 1);
	file_put(p[1]);
	assert_int_equal(vfs_poll(p[0]) & (LINUX_EPOLLHUP | LINUX_EPOLLIN),
			 LINUX_EPOLLHUP | LINUX_EPOLLIN);
	assert_int_equal(get(p[0], buf, 8), 1);
	assert_int_equal(get(p[0], buf, 8), 0);
	assert_int_equal(put(p[0], "x", 1), -EPIPE);
	file_put(p[0]);
}

static void test_reset_and_shutdown(void **state)
{
	struct file *p[2];
	char c;

	new_pair(LINUX_SOCK_STREAM, p);
	assert_int_equal(put(p[0], "unread", 6), 6);
	file_put(p[1]);
	assert_int_equal(get(p[0], &c, 1), -ECONNRESET);
	assert_int_equal(get(p[0], &c, 1), 0);
	file_put(p[0]);
	new_pair(LINUX_SOCK_STREAM, p);
	assert_int_equal(unix_shutdown(socket_from_file(p[0]), 3), -EINVAL);
	assert_int_equal(unix_shutdown(socket_from_file(p[0]), LINUX_SHUT_WR), 0);
	assert_int_equal(get(p[1], &c, 1), 0);
	assert_int_equal(put(p[0], "x", 1), -EPIPE);
	assert_int_equal(put(p[1], "y", 1), 1);
	assert_int_equal(get(p[0], &c, 1), 1);
	file_put(p[0]);
	file_put(p[1]);
}

static void test_limits(void **state)
{
	static char chunk[4096];
	struct file *p[2];
	size_t sent = 0;
	ssize_t n;

	new_pair(LINUX_SOCK_STREAM, p);
	while ((n = put(p[0], chunk, sizeof(chunk))) > 0)
		sent += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_in_range(sent, 64 * 1024, 256 * 1024);
	assert_false(vfs_poll(p[0]) & LINUX_EPOLLOUT);
	while (get(p[1], chunk, sizeof(chunk)) > 0)
		;
	assert_true(vfs_poll(p[0]) & LINUX_EPOLLOUT);
	file_put(p[0]);
	file_put(p[1]);
}

static void test_messages(void **state)
{
	int types[] = { LINUX_SOCK_DGRAM, LINUX_SOCK_SEQPACKET };

	for (unsigned i = 0; i < 2; i++) {
		struct socket_message m = { .flags = LINUX_MSG_TRUNC };
		struct file *p[2];
		char buf[4];

		new_pair(types[i], p);
		assert_int_equal(put(p[0], "longer", 6), 6);
		assert_int_equal(put(p[0], "", 0), 0);
		assert_int_equal(receive(p[1], buf, sizeof(buf), &m), 6);
		assert_int_equal(m.out_flags, LINUX_MSG_TRUNC);
		assert_int_equal(get(p[1], buf, sizeof(buf)), 0);
		assert_int_equal(get(p[1], buf, sizeof(buf)), -EAGAIN);
		file_put(p[1]);
		assert_int_equal(put(p[0], "x", 1),
				 types[i] == LINUX_SOCK_DGRAM ? -ECONNREFUSED : -EPIPE);
		file_put(p[0]);
	}
}

static struct socket_address abstract(const char *name)
{
	struct socket_address a = { .size = (uint32_t)(3 + strlen(name)) };

	a.family = LINUX_AF_UNIX;
	memcpy(a.un.path + 1, name, strlen(name));
	return a;
}

static void test_connect(void **state)
{
	struct file *listener = new_socket(LINUX_AF_UNIX, LINUX_SOCK_STREAM), *accepted;
	struct file *clients[4];
	struct socket_address name = abstract("listener"), peer;
	struct socket *s = socket_from_file(listener), *server, *wait_on = NULL;
	char c;

	for (int i = 0; i < 4; i++)
		clients[i] = new_socket(LINUX_AF_UNIX, LINUX_SOCK_STREAM);
	assert_int_equal(unix_connect(socket_from_file(clients[0]), &name, &wait_on), -ECONNREFUSED);
	assert_int_equal(unix_listen(s, 1), -EINVAL);
	assert_int_equal(unix_bind(s, &name), 0);
	assert_int_equal(unix_bind(s, &name), -EINVAL);
	assert_int_equal(unix_bind(socket_from_file(clients[0]), &name), -EADDRINUSE);
	assert_int_equal(unix_connect(socket_from_file(clients[0]), &name, &wait_on), -ECONNREFUSED);
	assert_int_equal(unix_listen(s, 1), 0);
	assert_int_equal(unix_accept(s, &server), -EAGAIN);
	for (int i = 0; i < 2; i++)
		assert_int_equal(socket_connect(socket_from_file(clients[i]), &name, true), 0);
	assert_int_equal(socket_connect(socket_from_file(clients[2]), &name, true), -EAGAIN);
	assert_int_equal(put(clients[0], "q", 1), 1);
	assert_int_equal(unix_accept(s, &server), 0);
	assert_int_equal(socket_file_new(server, 0, &accepted), 0);
	assert_int_equal(get(accepted, &c, 1), 1);
	assert_int_equal(server->ops->name(server, false, &peer), 0);
	assert_int_equal(peer.size, name.size);
	assert_int_equal(server->ops->name(server, true, &peer), 0);
	assert_int_equal(peer.size, 2);
	assert_int_equal(socket_connect(socket_from_file(clients[0]), &name, true), -EISCONN);
	file_put(listener); /* the one still queued is reset */
	assert_int_equal(get(clients[1], &c, 1), -ECONNRESET);
	for (int i = 0; i < 4; i++)
		file_put(clients[i]);
	file_put(accepted);
}

static void test_dgram_queue(void **state)
{
	struct file *server = new_socket(LINUX_AF_UNIX, LINUX_SOCK_DGRAM);
	struct file *client = new_socket(LINUX_AF_UNIX, LINUX_SOCK_DGRAM);
	struct socket_address name = abstract("log"), from;
	struct socket_message m = { .name = &from };
	int sent = 0;
	char c;

	assert_int_equal(unix_bind(socket_from_file(server), &name), 0);
	assert_int_equal(unix_autobind(unix_socket_of(socket_from_file(client))), 0);
	assert_int_equal(socket_connect(socket_from_file(client), &name, true), 0);
	while (put(client, "m", 1) == 1)
		sent++;
	assert_int_equal(sent, 11);
	assert_false(vfs_poll(client) & LINUX_EPOLLOUT);
	assert_int_equal(receive(server, &c, 1, &m), 1);
	assert_int_equal(from.size, 8);
	assert_true(vfs_poll(client) & LINUX_EPOLLOUT);
	file_put(server);
	file_put(client);
}

static void test_passing(void **state)
{
	struct socket_message m = { 0 };
	struct file *p[2], *event;
	char buf[8];

	new_pair(LINUX_SOCK_STREAM, p);
	assert_int_equal(eventfd_file_new(0, false, 0, &event), 0);
	assert_int_equal(send_files(p[0], &event, 1), 0);
	assert_int_equal(put(p[0], "more", 4), 4);
	assert_int_equal(refcount_read(&event->refs), 2);
	/* Files end the read they come with. */
	assert_int_equal(receive(p[1], buf, sizeof(buf), &m), 1);
	assert_non_null(m.control.files);
	assert_ptr_equal(m.control.files->files[0], event);
	ancillary_release(&m.control);
	assert_int_equal(refcount_read(&event->refs), 1);
	assert_int_equal(send_files(p[0], &event, 1), 0);
	file_put(p[0]);
	file_put(p[1]);
	assert_int_equal(refcount_read(&event->refs), 1);
	file_put(event);
}

/* Sockets that hold only each other are taken apart, with what else they hold. */
static void test_cycles(void **state)
{
	struct file *a[2], *b[2], *event;

	assert_int_equal(eventfd_file_new(0, false, 0, &event), 0);
	new_pair(LINUX_SOCK_DGRAM, a);
	new_pair(LINUX_SOCK_DGRAM, b);
	assert_int_equal(send_files(a[0], &a[1], 1), 0); /* a[1] in its own queue */
	assert_int_equal(send_files(a[0], &event, 1), 0);
	assert_int_equal(send_files(b[0], &a[1], 1), 0);
	assert_int_equal(send_files(a[0], &b[1], 1), 0);
	file_put(a[1]);
	file_put(b[1]);
	file_put(b[0]);
	assert_int_equal(refcount_read(&event->refs), 1);
	file_put(a[0]);
	file_put(event);
}

/* Thousands of sockets, each in the queue of the next, closed by one put. */
static void test_deep_nesting(void **state)
{
	struct file *inner[2], *outer[2];

	new_pair(LINUX_SOCK_STREAM, inner);
	for (int i = 0; i < 5000; i++) {
		new_pair(LINUX_SOCK_STREAM, outer);
		assert_int_equal(send_files(outer[0], inner, 2), 0);
		file_put(inner[0]);
		file_put(inner[1]);
		memcpy(inner, outer, sizeof(inner));
	}
	file_put(inner[0]);
	/* The collector has run, and what the last socket can still read is whole. */
	for (int i = 0; i < 10; i++) {
		struct socket_message m = { 0 };
		char byte;

		assert_int_equal(receive(inner[1], &byte, 1, &m), 1);
		assert_non_null(m.control.files);
		assert_int_equal(m.control.files->count, 2);
		file_put(inner[1]);
		inner[1] = file_get(m.control.files->files[1]);
		ancillary_release(&m.control);
	}
	file_put(inner[1]);
}

#define STREAM_SIZE (4U << 20)

static void *stream_writer(void *arg)
{
	struct file *file = arg;
	char chunk[5000];

	for (uint32_t sent = 0; sent < STREAM_SIZE;) {
		size_t size = 1 + sent % sizeof(chunk);
		struct io_iter it;

		if (size > STREAM_SIZE - sent)
			size = STREAM_SIZE - sent;
		for (size_t i = 0; i < size; i++)
			chunk[i] = (char)((sent + i) % 251);
		io_iter_init_buffer(&it, chunk, size);
		if (vfs_write_wait(file, &it, NULL, UINT64_MAX, DEADLINE_NONE) != (ssize_t)size)
			return (void *)1;
		sent += (uint32_t)size;
	}
	file_put(file);
	return NULL;
}

static void test_blocking_stream(void **state)
{
	struct file *p[2];
	uint32_t got = 0;
	pthread_t thread;
	char buf[7000];
	void *failed;

	new_pair(LINUX_SOCK_STREAM, p);
	assert_int_equal(pthread_create(&thread, NULL, stream_writer, p[0]), 0);
	for (;;) {
		struct io_iter it;
		ssize_t n;

		io_iter_init_buffer(&it, buf, 1 + got % sizeof(buf));
		n = vfs_read_wait(p[1], &it, NULL, DEADLINE_NONE);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (char)((got + (uint32_t)i) % 251))
				fail_msg("wrong byte at %u", got + (uint32_t)i);
		got += (uint32_t)n;
	}
	assert_int_equal(got, STREAM_SIZE);
	pthread_join(thread, &failed);
	assert_null(failed);
	file_put(p[1]);
}

static struct socket_address inet_address(uint32_t addr, uint16_t port)
{
	struct socket_address a = { .size = sizeof(struct linux_sockaddr_in) };

	a.in.family = LINUX_AF_INET;
	a.in.addr = __builtin_bswap32(addr);
	a.in.port = __builtin_bswap16(port);
	return a;
}

static void test_tcp(void **state)
{
	struct file *listener = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM), *accepted;
	struct file *client = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM);
	struct socket_address any = inet_address(0, 8080), far = inet_address(0x08080808, 53), name;
	struct socket_address local = inet_address(0x7f000001, 8080);
	struct socket *s = socket_from_file(listener), *c = socket_from_file(client), *server;
	char buf[8];

	assert_int_equal(s->ops->bind(s, &far), -EADDRNOTAVAIL);
	assert_int_equal(socket_connect(c, &far, false), -ENETUNREACH);
	assert_int_equal(socket_connect(c, &local, false), -ECONNREFUSED);
	assert_int_equal(s->ops->bind(s, &any), 0);
	assert_int_equal(s->ops->listen(s, 5), 0);
	assert_int_equal(socket_connect(c, &local, false), 0);
	assert_int_equal(socket_accept(s, true, &server), 0);
	assert_int_equal(socket_file_new(server, 0, &accepted), 0);
	assert_int_equal(server->ops->name(server, false, &name), 0);
	assert_memory_equal(name.bytes, local.bytes, sizeof(local.in));
	assert_int_equal(put(client, "ping", 4), 4);
	assert_int_equal(get(accepted, buf, sizeof(buf)), 4);
	file_put(client);
	assert_int_equal(get(accepted, buf, sizeof(buf)), 0);
	file_put(accepted);
	file_put(listener);
}

static void test_udp(void **state)
{
	struct file *a = new_socket(LINUX_AF_INET, LINUX_SOCK_DGRAM);
	struct file *b = new_socket(LINUX_AF_INET, LINUX_SOCK_DGRAM);
	struct socket_address name = inet_address(0x7f000001, 5353);
	char buf[8];

	assert_int_equal(socket_connect(socket_from_file(b), &name, false), 0);
	assert_int_equal(put(b, "lost", 4), 4);
	assert_int_equal(put(b, "told", 4), -ECONNREFUSED);
	assert_int_equal(inet_bind(socket_from_file(a), &name), 0);
	assert_int_equal(put(b, "here", 4), 4);
	assert_int_equal(get(a, buf, sizeof(buf)), 4);
	assert_int_equal(put(a, "x", 1), -EDESTADDRREQ);
	file_put(a);
	file_put(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_reset_and_shutdown),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_dgram_queue),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_blocking_stream),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
