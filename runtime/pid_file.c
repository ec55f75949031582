/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"

/* Not synced, as it means nothing after a reboot. */
static int write_temporary(const char *path, pid_t pid)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", pid);

	return fd < 0 ? -errno : fd_write_all(fd, text, (size_t)length);
}

int pid_file_write(const char *path, pid_t pid, struct error **err)
{
	AUTO_FREE char *temporary = NULL;
	const char *slash;
	int ret;

	if (!path || !*path)
		return 0;
	slash = strrchr(path, '/');
	if (asprintf(&temporary, "%.*s.%s.tmp", slash ? (int)(slash - path) + 1 : 0, path,
		     slash ? slash + 1 : path) < 0) {
		temporary = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	ret = write_temporary(temporary, pid);
	if (ret == 0 && rename(temporary, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(temporary);
		return error_set_errno(err, ret, "open %s", temporary);
	}
	return 0;
}
