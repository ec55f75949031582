/* SPDX-License-Identifier: Apache-2.0 */
/* Files, log lines and descriptors over sockets. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <sys/socket.h>

#include "util/fd_pass.h"
#include "util/file.h"
#include "util/log.h"

static int dir = -1;
static char dir_path[64];

static int set_up(void **state)
{
	dir = unit_directory(dir_path);
	return dir < 0;
}

static int tear_down(void **state)
{
	close(dir);
	return rmdir(dir_path); /* fails when a test leaves a file behind */
}

static void test_write_atomic(void **state)
{
	struct stat st;
	char *data;
	size_t size;

	assert_int_equal(file_write_atomic(dir, "state", "one", 3, 0600), 0);
	assert_int_equal(file_write_atomic(dir, "state", "three", 5, 0640), 0);
	assert_int_equal(file_read_all(dir, "state", 5, &data, &size), 0);
	assert_int_equal(size, 5);
	assert_string_equal(data, "three");
	free(data);
	assert_int_equal(fstatat(dir, "state", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read_all(dir, "state", 4, &data, &size), -EFBIG);
	assert_int_equal(file_read_all(dir, "absent", 4, &data, &size), -ENOENT);
	assert_int_equal(file_write_atomic(dir, "absent/state", "x", 1, 0600), -ENOENT);
	assert_int_equal(file_write_text(dir, "state", "xx"), 0);
	assert_int_equal(file_write_text(dir, "absent", "xx"), -ENOENT);
	assert_int_equal(unlinkat(dir, "state", 0), 0);
}

static void test_read_pipe(void **state)
{
	int fds[2];
	char *data;
	size_t size;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(fd_write_all(fds[1], "1234", 4), 0);
	close(fds[1]);
	assert_int_equal(fd_read_all(fds[0], 40000, &data, &size), 0);
	assert_int_equal(size, 40000);
	free(data);
	close(fds[0]);
	/* /proc files say they have no size */
	assert_int_equal(file_read_all(AT_FDCWD, "/proc/self/status", 65536, &data, &size), 0);
	assert_true(size > 100);
	free(data);
}

static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void test_fd_pass(void **state)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_STREAM };

	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		size_t before = open_descriptors(), count = 9;
		int pair[2], sent[3] = { 0, 0, 0 }, got[4];
		char data[8];

		assert_int_equal(socketpair(AF_UNIX, types[t] | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(fd_pass_send(pair[0], "hello", 5, sent, 3), 0);
		assert_int_equal(fd_pass_receive(pair[1], 0, data, 8, got, 4, &count), 5);
		assert_int_equal(count, 3);
		assert_int_equal(got[3], -1);
		for (int i = 0; i < 3; i++) {
			assert_true(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
			close(got[i]);
		}
		/* More descriptors than are expected: refused, none leaks. */
		assert_int_equal(fd_pass_send(pair[0], "x", 1, sent, 3), 0);
		assert_int_equal(fd_pass_receive(pair[1], 0, data, 8, got, 2, &count), -EMSGSIZE);
		assert_int_equal(fd_pass_receive(pair[1], MSG_DONTWAIT, data, 8, got, 2, &count),
				 -EAGAIN);
		assert_int_equal(fd_pass_send(pair[0], "x", 0, NULL, 0), -EINVAL);
		close(pair[0]);
		assert_int_equal(fd_pass_receive(pair[1], 0, data, 8, got, 4, &count), 0);
		assert_int_equal(count, 0);
		assert_int_equal(fd_pass_send(pair[1], "x", 1, NULL, 0), -EPIPE);
		close(pair[1]);
		assert_int_equal(open_descriptors(), before);
	}
}

static void test_fd_pass_cut(void **state)
{
	int pair[2], sent = 0, got[1];
	size_t before, count;
	char data[4];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	before = open_descriptors();
	assert_int_equal(fd_pass_send(pair[0], "too long", 8, &sent, 1), 0);
	assert_int_equal(fd_pass_receive(pair[1], 0, data, 4, got, 1, &count), -EMSGSIZE);
	assert_int_equal(got[0], -1);
	assert_int_equal(open_descriptors(), before);
	close(pair[0]);
	close(pair[1]);
}

static void test_log(void **state)
{
	char text[8192], longer[6000];
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	log_set_output(fds[1], LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	errno = EBUSY;
	log_error("no \"such\" thing\n%d", 5);
	assert_int_equal(errno, EBUSY);
	log_debug("not at this level");
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "{\"level\":\"error\",\"msg\":\"no \\\"such\\\" thing\\n5\",\"time\":\"20"));
	assert_string_equal(text + n - 4, "Z\"}\n");

	memset(longer, '\n', sizeof(longer) - 1); /* each becomes two bytes */
	longer[sizeof(longer) - 1] = '\0';
	log_warning("%s", longer);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 1000 && n < 4096);
	text[n] = '\0';
	assert_string_equal(text + n - 4, "Z\"}\n");

	log_set_output(fds[1], LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
	log_debug("text");
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	assert_non_null(strstr(text, " level=debug msg=\"text\"\n"));
	log_set_output(-1, LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
	log_error("unheard");
	assert_false(log_enabled(LOG_LEVEL_ERROR));
	log_set_output(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_atomic), cmocka_unit_test(test_read_pipe),
		cmocka_unit_test(test_fd_pass),	     cmocka_unit_test(test_fd_pass_cut),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
