/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-file reading and writing, and replacement that survives a crash. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/checked.h"
#include "util/cleanup.h"

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_full(int fd, void *data, size_t size)
{
	char *p = data;
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, p + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_read_all(int fd, size_t max, char **data, size_t *size)
{
	AUTO_FREE char *buffer = NULL;
	size_t capacity = 4096, length = 0;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((uint64_t)st.st_size > max)
			return -EFBIG;
		capacity = (size_t)st.st_size + 2; /* one to see the end, one for the NUL */
	}
	for (;;) {
		char *grown = realloc(buffer, capacity);
		ssize_t n;

		if (!grown)
			return -ENOMEM;
		buffer = grown;
		n = fd_read_full(fd, buffer + length, capacity - 1 - length);
		if (n < 0)
			return (int)n;
		length += (size_t)n;
		if (length > max)
			return -EFBIG;
		if (length < capacity - 1)
			break;
		if (mul_overflows(capacity, (size_t)2, &capacity))
			return -EFBIG;
	}
	buffer[length] = '\0';
	*data = move_ptr(buffer);
	*size = length;
	return 0;
}

int file_read_all(int dirfd, const char *path, size_t max, char **data, size_t *size)
{
	AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, max, data, size);
}

/*
 * The old file is swapped out and then removed: where a rename replaces one, some file systems
 * (ext4, auto_da_alloc) write the new one's data to the disk first.
 */
static int put_in_place(int dirfd, const char *temporary, const char *path)
{
	if (!renameat2(dirfd, temporary, dirfd, path, RENAME_EXCHANGE))
		return unlinkat(dirfd, temporary, 0) < 0 ? -errno : 0;
	return renameat(dirfd, temporary, dirfd, path) < 0 ? -errno : 0;
}

int file_write_atomic(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
	static atomic_uint serial;
	AUTO_FREE char *temporary = NULL;
	AUTO_CLOSE int fd = -1;
	int error;

	if (asprintf(&temporary, "%s.tmp-%d-%u", path, getpid(), atomic_fetch_add(&serial, 1)) < 0)
		return -ENOMEM;
	/* A leftover of a crashed process that had our pid is of no use to anyone. */
	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	error = fd_write_all(fd, data, size);
	if (!error && fchmod(fd, mode))
		error = -errno;
	if (!error)
		error = put_in_place(dirfd, temporary, path);
	if (error) {
		unlinkat(dirfd, temporary, 0);
	}
	return error;
}

int file_write_text(int dirfd, const char *path, const char *text)
{
	AUTO_CLOSE int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t size = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, text, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}
