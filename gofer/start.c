/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking the start message. */
#include "gofer/start_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until @size bytes or the end: how many came, or a negative errno. */
static ssize_t read_all(int fd, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (uint8_t *)buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Any descriptor that is open; O_CLOEXEC afterwards, though nothing can be executed. */
static int check_fd(int fd, const char *what, struct error **err)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_set(err, -EBADF, "start message: %s %d is not open", what, fd);
	return 0;
}

static int check_mount(const struct gofer_start_mount *mount, uint32_t index, struct error **err)
{
	int code;

	if (mount->flags & ~GOFER_MOUNT_READ_ONLY || mount->reserved)
		return error_set(err, -EINVAL, "start message: mount %u has unknown flags", index);
	code = check_fd(mount->root_fd, "root descriptor", err);
	return code ? code : check_fd(mount->socket_fd, "socket descriptor", err);
}

static int check_header(const struct gofer_start *header, struct error **err)
{
	if (header->magic != GOFER_START_MAGIC || header->version != GOFER_START_VERSION)
		return error_set(err, -EINVAL, "start message: magic %#x version %u, expected %#x %u",
				 header->magic, header->version, GOFER_START_MAGIC,
				 GOFER_START_VERSION);
	if (header->flags & ~(GOFER_START_DEBUG | GOFER_START_LOG_JSON))
		return error_set(err, -EINVAL, "start message: unknown flags %#x", header->flags);
	if (!header->mount_count || header->mount_count > GOFER_START_MOUNTS_MAX)
		return error_set(err, -EINVAL, "start message: %u mounts, expected 1..%u",
				 header->mount_count, GOFER_START_MOUNTS_MAX);
	return 0;
}

/* Two names for one descriptor would have it closed twice. */
static int check_distinct(const struct gofer_start_message *start, struct error **err)
{
	int fds[2 * GOFER_START_MOUNTS_MAX + 2];
	uint32_t count = 0;

	for (uint32_t i = 0; i < start->header.mount_count; i++) {
		fds[count++] = start->mounts[i].root_fd;
		fds[count++] = start->mounts[i].socket_fd;
	}
	if (start->header.log_fd >= 0)
		fds[count++] = start->header.log_fd;
	if (start->header.proc_fd >= 0)
		fds[count++] = start->header.proc_fd;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (fds[i] == fds[j])
				return error_set(err, -EINVAL,
						 "start message: descriptor %d is named twice", fds[i]);
	return 0;
}

int gofer_start_read(int fd, struct gofer_start_message *start, struct error **err)
{
	uint8_t bytes[sizeof(start->header) + sizeof(start->mounts) + 1];
	ssize_t size = read_all(fd, bytes, sizeof(bytes));
	size_t expected;
	int code;

	if (size < 0)
		return error_set_errno(err, (int)size, "read start message");
	if ((size_t)size < sizeof(start->header))
		return error_set(err, -EINVAL, "start message: only %zd bytes", size);
	memcpy(&start->header, bytes, sizeof(start->header));
	code = check_header(&start->header, err);
	if (code)
		return code;
	expected = sizeof(start->header) + start->header.mount_count * sizeof(start->mounts[0]);
	if ((size_t)size != expected)
		return error_set(err, -EINVAL, "start message: %zd bytes, expected %zu", size, expected);
	memcpy(start->mounts, bytes + sizeof(start->header), expected - sizeof(start->header));
	for (uint32_t i = 0; i < start->header.mount_count && !code; i++)
		code = check_mount(&start->mounts[i], i, err);
	if (!code && start->header.log_fd >= 0)
		code = check_fd(start->header.log_fd, "log descriptor", err);
	if (!code && start->header.proc_fd >= 0)
		code = check_fd(start->header.proc_fd, "proc descriptor", err);
	return code ? code : check_distinct(start, err);
}
