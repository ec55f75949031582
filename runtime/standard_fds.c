/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is the one found closed; it is to be inherited, as the others are. */
		if (open("/dev/null", O_RDWR) != fd)
			return -errno;
	}
	return 0;
}
