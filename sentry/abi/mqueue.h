/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: mq_overview(7), ipc/mqueue.c's limits. */
#pragma once

#include <stdint.h>

struct linux_mq_attr {
	int64_t flags, maxmsg, msgsize, curmsgs;
	int64_t reserved[4];
};
_Static_assert(sizeof(struct linux_mq_attr) == 64, "mq_attr");

#define LINUX_MQ_PRIO_MAX 32768U
#define LINUX_MQ_HARD_MSGMAX 65536
#define LINUX_MQ_HARD_MSGSIZEMAX (16L * 1024 * 1024)

/* SIGEV_THREAD: what the C library receives through its socket; the last byte says why. */
#define LINUX_MQ_COOKIE_SIZE 32
#define LINUX_MQ_WOKENUP 1
#define LINUX_MQ_REMOVED 2
