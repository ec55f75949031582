/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/forward.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/control_client.h"
#include "util/log.h"

#define LOST_STATUS (128 + SIGKILL) /* the sandbox went away, and its processes with it */

int forward_begin(void)
{
	/* Ours: children ending, and what the runtime of a caller may send for its own needs. */
	static const int kept[] = { SIGCHLD, SIGURG, SIGPIPE, SIGTTIN, SIGTTOU };
	sigset_t all;
	int fd;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		sigdelset(&all, kept[i]);
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void forward_signal(const struct container *container, int signal_fd, int32_t pid)
{
	AUTO_ERROR struct error *err = NULL;
	struct signalfd_siginfo info;
	struct control_signal_request request = { .pid = pid };

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	request.signal = (int32_t)info.ssi_signo;
	if (control_signal(container, &request, &err) < 0)
		log_debug("forward signal %d: %s", request.signal, error_message(err));
}

/* Forwards until @fd is readable. */
static void forward_until(const struct container *container, int signal_fd, int fd, int32_t pid)
{
	struct pollfd entries[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(entries, ARRAY_SIZE(entries), -1) < 0)
			continue;
		if (entries[0].revents)
			return;
		if (entries[1].revents)
			forward_signal(container, signal_fd, pid);
	}
}

int forward_wait_child(const struct container *container, int signal_fd, int pidfd,
		       struct error **err)
{
	siginfo_t info = { 0 };

	forward_until(container, signal_fd, pidfd, 1);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return error_set_errno(err, -errno, "wait for the container");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int forward_wait_exec(const struct container *container, int signal_fd, int connection, int32_t pid)
{
	uint32_t wait_status;

	forward_until(container, signal_fd, connection, pid);
	if (control_read_exit(connection, &wait_status) < 0)
		return LOST_STATUS;
	return control_exit_code(wait_status);
}
