/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: the ring and its merge rule, limits, ends, packets, splice primitives, blocking. */
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
#include "sentry/fs/pipe/pipe.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

static struct file *reader, *writer;

static int setup_all(void **state)
{
	struct user_namespace *ns;

	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(pipe_init(ns), 0);
	user_namespace_put(ns);
	return 0;
}

static int setup(void **state)
{
	return pipe_files_new(0, &reader, &writer);
}

static void drop(struct file **file)
{
	if (*file)
		file_put(*file);
	*file = NULL;
}

static int teardown(void **state)
{
	drop(&reader);
	drop(&writer);
	return 0;
}

static ssize_t put(const void *data, size_t size)
{
	struct io_iter it;

	io_iter_init_buffer(&it, (void *)(uintptr_t)data, size);
	return vfs_write(writer, &it, NULL, UINT64_MAX);
}

static ssize_t get(void *data, size_t size)
{
	struct io_iter it;

	io_iter_init_buffer(&it, data, size);
	return vfs_read(reader, &it, NULL);
}

static void test_order(void **state)
{
	char buf[64];

	assert_int_equal(get(buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(put("hello ", 6), 6);
	assert_int_equal(put("world", 5), 5);
	assert_int_equal(get(buf, 3), 3);
	assert_memory_equal(buf, "hel", 3);
	assert_int_equal(get(buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "lo world", 8);
	assert_int_equal(pipe_bytes(pipe_from_file(reader)), 0);
}

static void test_capacity(void **state)
{
	static char big[70000], back[70000];
	size_t total = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	assert_int_equal(put(big, sizeof(big)), 65536);
	assert_int_equal(put("x", 1), -EAGAIN);
	assert_false(vfs_poll(writer) & LINUX_EPOLLOUT);
	assert_int_equal(get(back, 4095), 4095);
	/* A slot is free only when its page is used up. */
	assert_int_equal(put("x", 1), -EAGAIN);
	assert_int_equal(get(back + 4095, 1), 1);
	assert_true(vfs_poll(writer) & LINUX_EPOLLOUT);
	total = 4096;
	total += (size_t)get(back + total, sizeof(back));
	assert_int_equal(total, 65536);
	assert_memory_equal(big, back, total);
}

static void test_merge(void **state)
{
	char page[4096];
	int small = 0;

	/* Single bytes share pages: 65,536 fit. */
	while (put("a", 1) == 1)
		small++;
	assert_int_equal(small, 65536);
	while (get(page, sizeof(page)) > 0)
		;
	/* Pieces that do not fit behind the last take a page each. */
	memset(page, 'b', sizeof(page));
	small = 0;
	while (put(page, 3000) == 3000)
		small++;
	assert_int_equal(small, 16);
}

static void test_size(void **state)
{
	struct pipe *p = pipe_from_file(reader);
	char page[4096] = { 0 };

	assert_int_equal(pipe_size(p), 65536);
	assert_int_equal(pipe_set_size(p, 5000, false), 8192);
	assert_int_equal(put(page, 4096), 4096);
	assert_int_equal(put(page, 4096), 4096);
	assert_int_equal(put(page, 4096), -EAGAIN);
	assert_int_equal(pipe_set_size(p, 4096, false), -EBUSY);
	assert_int_equal(pipe_set_size(p, 2 << 20, false), -EPERM);
	assert_int_equal(pipe_set_size(p, 2 << 20, true), 2 << 20);
	assert_int_equal(pipe_set_size(p, 0, false), -EBUSY);
}

static void test_ends(void **state)
{
	char c;

	assert_int_equal(put("z", 1), 1);
	drop(&writer);
	assert_int_equal(vfs_poll(reader), LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLHUP);
	assert_int_equal(get(&c, 1), 1);
	assert_int_equal(get(&c, 1), 0);
	assert_int_equal(vfs_poll(reader), LINUX_EPOLLHUP);
}

static void test_broken(void **state)
{
	drop(&reader);
	assert_true(vfs_poll(writer) & LINUX_EPOLLERR);
	assert_int_equal(put("z", 1), -EPIPE);
}

static void test_packets(void **state)
{
	char buf[16];

	writer->flags |= LINUX_O_DIRECT;
	assert_int_equal(put("one", 3), 3);
	assert_int_equal(put("second", 6), 6);
	assert_int_equal(get(buf, 2), 2); /* the rest of the packet is gone */
	assert_int_equal(get(buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "second", 6);
}

static void test_splice(void **state)
{
	struct pipe *p = pipe_from_file(reader), *q;
	struct file *r2, *w2;
	char buf[32];
	bool wait_in;

	assert_int_equal(pipe_files_new(0, &r2, &w2), 0);
	q = pipe_from_file(r2);
	assert_int_equal(pipe_tee(p, q, 100, &wait_in), -EAGAIN);
	assert_true(wait_in);
	assert_int_equal(pipe_write_from_buffer(p, "abcdef", 6), 6);
	assert_int_equal(pipe_tee(p, q, 4, &wait_in), 4);
	assert_int_equal(pipe_tee(p, p, 4, &wait_in), -EINVAL);
	/* What is appended to the shared page does not show in the copy. */
	assert_int_equal(put("gh", 2), 2);
	assert_int_equal(pipe_read_to_buffer(q, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(pipe_read_to_buffer(p, buf, 3), 3);
	assert_int_equal(pipe_unread(p, "ABC", 3), 0);
	assert_int_equal(get(buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "ABCdefgh", 8);
	file_put(r2);
	file_put(w2);
}

#define STREAM_SIZE (8U << 20)

static void *stream_writer(void *arg)
{
	uint32_t sent = 0, seed = 12345;
	char chunk[9000];

	while (sent < STREAM_SIZE) {
		struct io_iter it;
		size_t size;

		seed = seed * 1103515245 + 12345;
		size = seed >> 8 & 1 ? seed >> 16 & 63 : seed >> 16 & 8191;
		if (size > STREAM_SIZE - sent)
			size = STREAM_SIZE - sent;
		for (size_t i = 0; i < size; i++)
			chunk[i] = (char)((sent + i) % 251);
		io_iter_init_buffer(&it, chunk, size);
		if (vfs_write_wait(writer, &it, NULL, UINT64_MAX, DEADLINE_NONE) != (ssize_t)size)
			return (void *)1;
		sent += (uint32_t)size;
	}
	drop(&writer);
	return NULL;
}

static void test_stream(void **state)
{
	uint32_t got = 0;
	pthread_t thread;
	char buf[5000];
	void *failed;
	ssize_t n;

	assert_int_equal(pthread_create(&thread, NULL, stream_writer, NULL), 0);
	for (;;) {
		struct io_iter it;

		io_iter_init_buffer(&it, buf, 1 + got % sizeof(buf));
		n = vfs_read_wait(reader, &it, NULL, DEADLINE_NONE);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (char)((got + (uint32_t)i) % 251))
				fail_msg("wrong byte at %u", got + (uint32_t)i);
		got += (uint32_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, STREAM_SIZE);
	pthread_join(thread, &failed);
	assert_null(failed);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order), TEST(test_capacity), TEST(test_merge),  TEST(test_size),
		TEST(test_ends),  TEST(test_broken),   TEST(test_packets), TEST(test_splice),
		TEST(test_stream),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
