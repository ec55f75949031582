/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host: the table of options, and control messages of any shape. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/host/host_inet_option.h"
#include "sentry/net/hostinet/hostinet.h"

#define VALUE_MAX 512 /* of setsockopt's and getsockopt's buffers */

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < host_inet_option_count; i++) {
		const struct host_inet_option *o = &host_inet_options[i];

		assert_true(o->access & (HOST_INET_SET | HOST_INET_GET));
		assert_true(o->size > 0 && o->size <= VALUE_MAX);
		/* Found, and so the only one of its name. */
		assert_ptr_equal(host_inet_option_find(o->level, o->name, o->access), o);
		for (size_t j = 0; j < i; j++)
			assert_false(o->level == host_inet_options[j].level &&
				     o->name == host_inet_options[j].name);
	}
	/* programs, other protocols, repairs, packet filters */
	assert_null(host_inet_option_find(LINUX_SOL_SOCKET, 26, HOST_INET_SET));
	assert_null(host_inet_option_find(LINUX_SOL_SOCKET, 50, HOST_INET_SET));
	assert_null(host_inet_option_find(LINUX_SOL_TCP, 31, HOST_INET_SET));
	assert_null(host_inet_option_find(LINUX_SOL_TCP, 19, HOST_INET_SET));
	assert_null(host_inet_option_find(LINUX_SOL_IP, 64, HOST_INET_SET));
	/* what can only be read */
	assert_null(host_inet_option_find(LINUX_SOL_TCP, LINUX_TCP_INFO, HOST_INET_SET));
	assert_non_null(host_inet_option_find(LINUX_SOL_TCP, LINUX_TCP_INFO, HOST_INET_GET));
}

static size_t put(uint8_t *rows, size_t at, int level, int type, uint64_t size)
{
	struct linux_cmsghdr h = { .size = size, .level = level, .type = type };

	memcpy(rows + at, &h, sizeof(h));
	return at + LINUX_CMSG_ALIGN(size);
}

static void test_filter(void **state)
{
	uint8_t rows[256] = { 0 };
	struct linux_cmsghdr h;
	size_t size;

	(void)state;
	size = put(rows, 0, LINUX_SOL_IP, LINUX_IP_TTL, 20);
	size = put(rows, size, LINUX_SOL_SOCKET, LINUX_SCM_RIGHTS, 20);
	size = put(rows, size, LINUX_SOL_IP, LINUX_IP_PKTINFO, 28);
	hostinet_control_filter(rows, &size);
	assert_int_equal(size, LINUX_CMSG_ALIGN(20) + LINUX_CMSG_ALIGN(28));
	memcpy(&h, rows + LINUX_CMSG_ALIGN(20), sizeof(h));
	assert_int_equal(h.type, LINUX_IP_PKTINFO);
	/* a size that is none, one beyond the end, one too big for its kind */
	size = put(rows, 0, LINUX_SOL_IP, LINUX_IP_TTL, 20);
	put(rows, size, LINUX_SOL_IP, LINUX_IP_TTL, 3);
	size += 16;
	hostinet_control_filter(rows, &size);
	assert_int_equal(size, LINUX_CMSG_ALIGN(20));
	put(rows, 0, LINUX_SOL_IP, LINUX_IP_TTL, UINT64_MAX);
	size = 64;
	hostinet_control_filter(rows, &size);
	assert_int_equal(size, 0);
	size = put(rows, 0, LINUX_SOL_IP, LINUX_IP_TTL, 16 + 64);
	hostinet_control_filter(rows, &size);
	assert_int_equal(size, 0);
	for (size = 0; size < 16; size++) {
		size_t left = size;

		hostinet_control_filter(rows, &left);
		assert_int_equal(left, 0);
	}
}

/* Whatever the bytes are, what is left is a row of whole messages of the list. */
static void test_any_bytes(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t given = (size_t)(seed >> 33) % 200, size = given, at = 0;
		uint8_t *rows = malloc(given + 1);

		assert_non_null(rows);
		for (size_t i = 0; i < given; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			rows[i] = (uint8_t)(seed >> 60 ? seed >> 62 : seed >> 56);
		}
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		hostinet_control_filter(rows, &size);
		assert_true(size <= given);
		while (size - at >= sizeof(struct linux_cmsghdr)) {
			struct linux_cmsghdr h;

			memcpy(&h, rows + at, sizeof(h));
			assert_true(h.size >= sizeof(h) && h.size <= size - at);
			at += LINUX_CMSG_ALIGN(h.size) < size - at ? LINUX_CMSG_ALIGN(h.size) : size - at;
		}
		free(rows);
	}
}

static int check(int family, int type, int level, int control, uint64_t size)
{
	struct socket s = { .family = family, .type = type };
	struct linux_cmsghdr h = { .size = 16 + size, .level = level, .type = control };

	return hostinet_check_control(&s, &h, NULL);
}

static void test_sent(void **state)
{
	(void)state;
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_IP, LINUX_IP_TTL, 4), 1);
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_IP, LINUX_IP_TTL, 8), -EINVAL);
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_IP, LINUX_IP_PKTINFO, 12), 1);
	/* source routes and headers of a guest's own making */
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_IP, 7, 12), -EINVAL);
	assert_int_equal(check(LINUX_AF_INET6, LINUX_SOCK_DGRAM, LINUX_SOL_IPV6, 57, 24), -EINVAL);
	/* files of a guest are no files of the host's */
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_SOCKET, LINUX_SCM_RIGHTS, 4), 0);
	assert_int_equal(check(LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_SOL_SOCKET, 77, 4), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
