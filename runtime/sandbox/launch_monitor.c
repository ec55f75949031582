/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor stands on the host for a container in another one's sandbox, as the sentry does for the
 * one that booted it: its pid is the one in the pid file and the state, it is in the container's
 * cgroup, passes signals on to the container's init, and ends with its status.  When it is killed, its
 * connection closes and the sentry kills the init.
 *
 * It is a fork of the command line that keeps the connection, one for requests, and the terminal to hear
 * of its size.  Before the sentry knows of it, it gives up everything else (monitor_confine.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/control_client.h"
#include "runtime/forward.h"
#include "runtime/sandbox/launch_state.h"
#include "runtime/sandbox/monitor_confine.h"
#include "util/log.h"

enum { KEEP_CONTROL = STDERR_FILENO + 1, KEEP_REQUESTS, KEEP_GO, KEEP_TERMINAL, KEEP_END };

static int lift(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, KEEP_END);
}

/*
 * Everything else that was the command line's is closed: who waits for the end of a file must not wait
 * for us, and the lock of the container must not outlive who took it.
 */
static int keep_files(const struct launch *l)
{
	int control = lift(l->control_fd), go = lift(l->go.theirs);
	int terminal = lift(l->options->terminal), requests = lift(l->requests_fd);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_set_output(-1, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	if (control < 0 || requests < 0 || go < 0 || null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			return -errno;
	}
	if (dup3(control, KEEP_CONTROL, O_CLOEXEC) < 0 ||
	    dup3(requests, KEEP_REQUESTS, O_CLOEXEC) < 0 || dup3(go, KEEP_GO, O_CLOEXEC) < 0)
		return -errno;
	close(KEEP_TERMINAL);
	if (terminal >= 0 && dup3(terminal, KEEP_TERMINAL, O_CLOEXEC) < 0)
		return -errno;
	return syscall(SYS_close_range, KEEP_END, ~0u, 0) < 0 ? -errno : 0;
}

/* What the sentry calls the container is known by then. */
static bool told_to_go(uint32_t *handle)
{
	ssize_t n;

	do
		n = read(KEEP_GO, handle, sizeof(*handle));
	while (n < 0 && errno == EINTR);
	close(KEEP_GO);
	return n == sizeof(*handle);
}

void launch_monitor_child(struct launch *l)
{
	bool terminal = l->options->terminal >= 0;
	struct forward forward = {
		.container = l->container,
		.requests = KEEP_REQUESTS,
		.pid = CONTROL_PID_INIT,
		.exec = true,
		.terminal = terminal,
	};

	/* Its other files are gone, and what it needs to find the sandbox is in memory. */
	l->container->dir_fd = -1;
	setsid();
	prctl(PR_SET_NAME, "moat-monitor");
	if (keep_files(l) < 0)
		_exit(1);
	/* To hear of its size; the sentry has the terminal as a file. */
	if (terminal && ioctl(KEEP_TERMINAL, TIOCSCTTY, 0) < 0)
		forward.terminal = false;
	if (terminal)
		close(KEEP_TERMINAL);
	forward.signal_fd = forward_begin();
	if (forward.signal_fd < 0 || monitor_confine() < 0 || !told_to_go(&l->container->handle))
		_exit(1);
	_exit(forward_wait_exec(&forward, KEEP_CONTROL));
}
