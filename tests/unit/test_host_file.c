/* SPDX-License-Identifier: Apache-2.0 */
/* Guest files over handed-in host FDs: pipes, files, sockets; waiting, ends, offsets. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/host/host.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

static int setup_all(void **state)
{
	struct user_namespace *ns;

	assert_int_equal(vfs_init(), 0);
	assert_int_equal(user_namespace_new_root(&ns), 0);
	assert_int_equal(host_fs_init(ns), 0);
	user_namespace_put(ns);
	return 0;
}

static ssize_t put(struct file *file, const void *data, size_t size)
{
	struct io_iter it;

	io_iter_init_buffer(&it, (void *)(uintptr_t)data, size);
	return vfs_write(file, &it, NULL, UINT64_MAX);
}

static ssize_t get(struct file *file, void *data, size_t size, uint64_t *pos)
{
	struct io_iter it;

	io_iter_init_buffer(&it, data, size);
	return vfs_read(file, &it, pos);
}

static void *write_later(void *arg)
{
	usleep(20000);
	return write(*(int *)arg, "late", 4) == 4 ? NULL : arg;
}

static void test_pipe_in(void **state)
{
	struct inode_attr attr;
	struct file *file;
	struct io_iter it;
	pthread_t thread;
	char buf[16];
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(host_file_new(fds[0], LINUX_O_RDONLY, &file), 0);
	assert_int_equal(file->inode->ops->getattr(file->inode, &attr), 0);
	assert_int_equal(attr.mode & LINUX_S_IFMT, LINUX_S_IFIFO);
	assert_int_equal(get(file, buf, sizeof(buf), NULL), -EAGAIN);
	assert_int_equal(pthread_create(&thread, NULL, write_later, &fds[1]), 0);
	io_iter_init_buffer(&it, buf, sizeof(buf));
	assert_int_equal(vfs_read_wait(file, &it, NULL, DEADLINE_NONE), 4);
	pthread_join(thread, NULL);
	/* The caller's description is as it was. */
	assert_false(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	close(fds[1]);
	assert_int_equal(get(file, buf, sizeof(buf), NULL), 0);
	assert_true(vfs_poll(file) & LINUX_EPOLLHUP);
	file_put(file);
}

static void test_pipe_out(void **state)
{
	static char big[200000];
	struct file *file;
	ssize_t n;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(host_file_new(fds[1], LINUX_O_WRONLY, &file), 0);
	n = put(file, big, sizeof(big));
	assert_int_equal(n, 65536);
	assert_int_equal(put(file, big, 10), -EAGAIN);
	assert_false(vfs_poll(file) & LINUX_EPOLLOUT);
	close(fds[0]);
	assert_int_equal(put(file, big, 10), -EPIPE);
	file_put(file);
	/* The last put closes the host's FD. */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(host_file_new(fds[1], LINUX_O_WRONLY, &file), 0);
	file_put(file);
	assert_int_equal(read(fds[0], big, 1), 0);
	close(fds[0]);
}

static void test_regular(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC), mine = dup(fd);
	uint64_t pos = 1;
	struct file *file;
	char buf[16];

	assert_int_equal(host_file_new(fd, LINUX_O_RDWR, &file), 0);
	assert_null(file->ops->poll);
	assert_int_equal(write(mine, "abc", 3), 3);
	assert_int_equal(put(file, "def", 3), 3); /* goes on where the caller was */
	assert_int_equal(lseek(mine, 0, SEEK_CUR), 6);
	assert_int_equal(get(file, buf, 2, &pos), 2);
	assert_memory_equal(buf, "bc", 2);
	assert_int_equal(vfs_llseek(file, 4, LINUX_SEEK_SET), 4);
	assert_int_equal(get(file, buf, sizeof(buf), NULL), 2);
	assert_memory_equal(buf, "ef", 2);
	file_put(file);
	close(mine);
}

static void test_socket(void **state)
{
	struct file *file;
	char buf[16];
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(host_file_new(fds[0], LINUX_O_RDWR, &file), 0);
	assert_int_equal(get(file, buf, sizeof(buf), NULL), -EAGAIN);
	assert_int_equal(put(file, "out", 3), 3);
	assert_int_equal(read(fds[1], buf, sizeof(buf)), 3);
	close(fds[1]);
	assert_int_equal(put(file, "out", 3), -EPIPE);
	file_put(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe_in),
		cmocka_unit_test(test_pipe_out),
		cmocka_unit_test(test_regular),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
