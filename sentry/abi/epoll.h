/* SPDX-License-Identifier: Apache-2.0 */
/* epoll(7): structures and bits; also the event bits of every wait queue. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_EPOLLIN 0x00000001U
#define LINUX_EPOLLPRI 0x00000002U
#define LINUX_EPOLLOUT 0x00000004U
#define LINUX_EPOLLERR 0x00000008U
#define LINUX_EPOLLHUP 0x00000010U
#define LINUX_EPOLLNVAL 0x00000020U
#define LINUX_EPOLLRDNORM 0x00000040U
#define LINUX_EPOLLRDBAND 0x00000080U
#define LINUX_EPOLLWRNORM 0x00000100U
#define LINUX_EPOLLWRBAND 0x00000200U
#define LINUX_EPOLLMSG 0x00000400U
#define LINUX_EPOLLRDHUP 0x00002000U
#define LINUX_EPOLLEXCLUSIVE (1U << 28)
#define LINUX_EPOLLWAKEUP (1U << 29)
#define LINUX_EPOLLONESHOT (1U << 30)
#define LINUX_EPOLLET (1U << 31)

#define LINUX_EPOLL_CLOEXEC 02000000

#define LINUX_EPOLL_CTL_ADD 1
#define LINUX_EPOLL_CTL_DEL 2
#define LINUX_EPOLL_CTL_MOD 3

#pragma pack(push, 1)
struct linux_epoll_event {
	uint32_t events;
	uint64_t data;
};
#pragma pack(pop)
_Static_assert(sizeof(struct linux_epoll_event) == 12, "packed on x86-64");

#define LINUX_EFD_SEMAPHORE 1
#define LINUX_EFD_CLOEXEC 02000000
#define LINUX_EFD_NONBLOCK 04000

#define LINUX_TFD_TIMER_ABSTIME 1
#define LINUX_TFD_TIMER_CANCEL_ON_SET 2
#define LINUX_TFD_CLOEXEC 02000000
#define LINUX_TFD_NONBLOCK 04000
#define LINUX_TFD_IOC_SET_TICKS 0x40085400U

#define LINUX_SFD_CLOEXEC 02000000
#define LINUX_SFD_NONBLOCK 04000

/* What read(2) of a signalfd returns. */
struct linux_signalfd_siginfo {
	uint32_t signo;
	int32_t err;
	int32_t code;
	uint32_t pid;
	uint32_t uid;
	int32_t fd;
	uint32_t tid;
	uint32_t band;
	uint32_t overrun;
	uint32_t trapno;
	int32_t status;
	int32_t value_int;
	uint64_t value_ptr;
	uint64_t utime;
	uint64_t stime;
	uint64_t addr;
	uint16_t addr_lsb;
	uint16_t pad2;
	int32_t syscall;
	uint64_t call_addr;
	uint32_t arch;
	uint8_t pad[28];
};
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "signalfd_siginfo is 128 bytes");
