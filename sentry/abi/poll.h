/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2), ppoll(2), select(2): structures and bits.  POLL* equal EPOLL*. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_POLLIN 0x0001
#define LINUX_POLLPRI 0x0002
#define LINUX_POLLOUT 0x0004
#define LINUX_POLLERR 0x0008
#define LINUX_POLLHUP 0x0010
#define LINUX_POLLNVAL 0x0020
#define LINUX_POLLRDNORM 0x0040
#define LINUX_POLLRDBAND 0x0080
#define LINUX_POLLWRNORM 0x0100
#define LINUX_POLLWRBAND 0x0200
#define LINUX_POLLMSG 0x0400
#define LINUX_POLLREMOVE 0x1000
#define LINUX_POLLRDHUP 0x2000

struct linux_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};
_Static_assert(sizeof(struct linux_pollfd) == 8, "struct pollfd is 8 bytes");

/* The sixth argument of pselect6. */
struct linux_sigset_argument {
	uint64_t mask; /* address of a 64-bit signal set */
	uint64_t size;
};
_Static_assert(sizeof(struct linux_sigset_argument) == 16, "two words");

#define LINUX_FD_SET_WORD_BITS 64
