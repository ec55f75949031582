/* SPDX-License-Identifier: Apache-2.0 */
/* See host_tty.h.  No locks. */
#include "sentry/host/host_tty.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

int host_tty_get_size(int fd, struct host_tty_size *out)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return -errno;
	*out = (struct host_tty_size){ size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel };
	return 0;
}

int host_tty_watch_size(int fd)
{
	sigset_t set;
	int watch;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	/* Blocked in all threads to come: else it would be ignored, not queued. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		return -errno;
	watch = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch < 0 ? -errno : watch;
}

bool host_tty_size_changed(int watch_fd)
{
	struct signalfd_siginfo info;

	return read(watch_fd, &info, sizeof(info)) == sizeof(info);
}
