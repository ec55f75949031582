/* SPDX-License-Identifier: Apache-2.0 */
/* Native asynchronous I/O: io_submit(2) and its kin. */
#pragma once

#include <stdint.h>

#define LINUX_IOCB_CMD_PREAD 0
#define LINUX_IOCB_CMD_PWRITE 1
#define LINUX_IOCB_CMD_FSYNC 2
#define LINUX_IOCB_CMD_FDSYNC 3
#define LINUX_IOCB_CMD_POLL 5
#define LINUX_IOCB_CMD_PREADV 7
#define LINUX_IOCB_CMD_PWRITEV 8

#define LINUX_IOCB_FLAG_RESFD 1U
#define LINUX_IOCB_FLAG_IOPRIO 2U
#define LINUX_KIOCB_KEY 0U

/* What the ring that programs see begins with; and the size of an entry. */
#define LINUX_AIO_RING_HEADER 32U

struct linux_iocb {
	uint64_t data;
	uint32_t key;
	uint32_t rw_flags;
	uint16_t opcode;
	int16_t priority;
	uint32_t fd;
	uint64_t buf;
	uint64_t nbytes;
	int64_t offset;
	uint64_t reserved2;
	uint32_t flags;
	uint32_t resfd;
};
_Static_assert(sizeof(struct linux_iocb) == 64, "struct iocb");

struct linux_io_event {
	uint64_t data;
	uint64_t obj; /* where the iocb is */
	int64_t res, res2;
};
_Static_assert(sizeof(struct linux_io_event) == 32, "struct io_event");
