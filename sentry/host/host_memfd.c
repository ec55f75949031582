/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls: memfd_create(name, MFD_CLOEXEC [| MFD_NOEXEC_SEAL]), ftruncate, fstat, lseek, close,
 * openat(procfs, "self/fd/N", O_RDONLY|O_CLOEXEC) and no other open.
 */
#include "config.h"

#include "sentry/host/host_memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static int procfs_fd = -1; /* written at boot, read-only afterwards */

void host_memfd_init(int procfs)
{
	procfs_fd = procfs;
}

/* Plain first: it cannot be sealed.  vm.memfd_noexec=2 asks for the flag. */
static int create(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	return fd < 0 ? -errno : fd;
}

int host_memfd_create(const char *name, uint64_t size)
{
	int fd = create(name);

	if (fd < 0)
		return fd;
	if (size && ftruncate(fd, (off_t)size) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int host_memfd_allocated(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*bytes = (uint64_t)st.st_blocks * 512;
	return 0;
}

bool host_memfd_has_data(int fd, uint64_t offset)
{
	return lseek(fd, (off_t)offset, SEEK_DATA) == (off_t)offset;
}

int host_memfd_read_only_twin(int fd)
{
	char path[32];
	int twin;

	snprintf(path, sizeof(path), "self/fd/%d", fd);
	twin = openat(procfs_fd, path, O_RDONLY | O_CLOEXEC);
	return twin < 0 ? -errno : twin;
}
