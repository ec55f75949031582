/* SPDX-License-Identifier: Apache-2.0 */
/* null, zero, full, random and urandom.  None has state, so none has a lock. */
#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/dev/dev_internal.h"
#include "sentry/host/host_memory.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"

#define RANDOM_CHUNK 256
#define RND_GET_ENTROPY_COUNT 0x80045200U
#define RND_ADD_TO_ENTROPY_COUNT 0x40045201U
#define RND_ADD_ENTROPY 0x40085203U
#define RND_ZAP_ENTROPY_COUNT 0x5204U
#define RND_CLEAR_POOL 0x5206U
#define RND_RESEED_CRNG 0x5207U
#define ENTROPY_BITS 256

static ssize_t null_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return 0;
}

static ssize_t null_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	ssize_t n = (ssize_t)from->count;

	io_iter_advance(from, from->count);
	return n;
}

/* Any seek ends at the beginning. */
static int64_t null_llseek(struct file *file, int64_t offset, int whence)
{
	file->position = 0;
	return 0;
}

static ssize_t zero_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return to->count ? io_iter_zero(to, to->count) : 0;
}

static ssize_t full_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	return -ENOSPC;
}

static ssize_t random_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	uint8_t buf[RANDOM_CHUNK];
	ssize_t total = 0;

	while (to->count) {
		size_t size = MIN(to->count, sizeof(buf));
		ssize_t n;

		host_random(buf, size);
		n = io_iter_copy_to(to, buf, size);
		if (n <= 0)
			return total ? total : -EFAULT;
		total += n;
		if ((size_t)n < size)
			break;
	}
	return total;
}

/* What a guest adds is read, for its errors, and dropped. */
static ssize_t random_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	uint8_t buf[RANDOM_CHUNK];
	ssize_t total = 0;

	while (from->count) {
		size_t size = MIN(from->count, sizeof(buf));
		ssize_t n = io_iter_copy_from(from, buf, size);

		if (n <= 0)
			return total ? total : -EFAULT;
		total += n;
		if ((size_t)n < size)
			break;
	}
	return total;
}

/* A seek is accepted and does nothing. */
static int64_t random_llseek(struct file *file, int64_t offset, int whence)
{
	return (int64_t)file->position;
}

static int64_t random_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case RND_GET_ENTROPY_COUNT:
		return copy_out_u32(mm, guest_addr(arg), ENTROPY_BITS);
	case RND_ADD_TO_ENTROPY_COUNT:
	case RND_ADD_ENTROPY:
	case RND_ZAP_ENTROPY_COUNT:
	case RND_CLEAR_POOL:
	case RND_RESEED_CRNG:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

static const struct file_ops null_ops = {
	.read = null_read, .write = null_write, .llseek = null_llseek,
	.unlocked_position = true, .nowait = true,
};
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .llseek = null_llseek,
	.unlocked_position = true, .nowait = true,
};
static const struct file_ops full_ops = {
	.read = zero_read, .write = full_write, .llseek = null_llseek,
	.unlocked_position = true, .plain_write = true,
};
static const struct file_ops random_ops = {
	.read = random_read, .write = random_write, .llseek = random_llseek,
	.ioctl = random_ioctl, .unlocked_position = true, .nowait = true,
};

int dev_mem_open(struct inode *inode, struct file *file, uint32_t minor)
{
	static const struct file_ops *const ops[] = {
		[3] = &null_ops, [5] = &zero_ops, [7] = &full_ops, [8] = &random_ops, [9] = &random_ops,
	};

	if (minor >= ARRAY_SIZE(ops) || !ops[minor])
		return -ENXIO;
	file->ops = ops[minor];
	return 0;
}

bool dev_is_zero(const struct file *file)
{
	return file->ops == &zero_ops;
}
