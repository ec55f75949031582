/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/forward.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/control_client.h"
#include "util/checked.h"
#include "util/log.h"

#define LOST_STATUS (128 + SIGKILL) /* the sandbox went away, and its processes with it */

int forward_begin(void)
{
	/* Children ending, and what the runtime of a caller may send for its own needs. */
	static const int kept[] = { SIGCHLD, SIGURG };
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

static int ask(const struct forward *f, const struct control_call *call, struct error **err)
{
	return f->requests ? control_call(f->container, f->requests, call, err) :
			     control_call_once(f->container, call, err);
}

/* Ours has a new size, or (in the background) the caller has given the console one. */
static void forward_size(const struct forward *f)
{
	const struct control_resize_request request = { .pid = f->pid };
	AUTO_ERROR struct error *err = NULL;

	if (f->console)
		console_copy_size(f->console);
	if (f->exec && ask(f, CONTROL_CALL(CONTROL_RESIZE, &request), &err) < 0)
		log_debug("forward a new size: %s", error_message(err));
}

/*
 * Is it about us alone?  The size of our terminal: whose process has one is told in another way.  A pipe we wrote to whose
 * reader is gone; what the terminal says to those in its background.
 */
static bool is_ours(const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGWINCH:
		return true;
	case SIGPIPE:
		return info->ssi_pid == (uint32_t)getpid();
	case SIGTTIN:
	case SIGTTOU:
		return info->ssi_code == SI_KERNEL;
	default:
		return false;
	}
}

static void forward_signal(const struct forward *f)
{
	AUTO_ERROR struct error *err = NULL;
	struct signalfd_siginfo info;
	struct control_signal_request request = { .pid = f->pid };

	if (read(f->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (f->terminal && info.ssi_signo == SIGWINCH)
		forward_size(f);
	if (is_ours(&info))
		return;
	/* What our side of the terminal says to us, the sentry's says to the process. */
	if (f->terminal && info.ssi_code == SI_KERNEL)
		return;
	request.signal = (int32_t)info.ssi_signo;
	if (ask(f, CONTROL_CALL(CONTROL_SIGNAL, &request), &err) < 0)
		log_debug("forward signal %d: %s", request.signal, error_message(err));
}

/* Forwards until @fd is readable. */
static void forward_until(const struct forward *f, int fd)
{
	int output = f->console ? f->console->master : -1; /* until its end */

	for (;;) {
		struct pollfd entries[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = f->signal_fd, .events = POLLIN },
			{ .fd = f->console ? console_input_fd(f->console) : -1, .events = POLLIN },
			{ .fd = output, .events = POLLIN },
		};

		if (poll(entries, ARRAY_SIZE(entries), -1) < 0)
			continue;
		if (entries[3].revents && !console_carry_output(f->console))
			output = -1;
		if (entries[0].revents)
			return;
		if (entries[1].revents)
			forward_signal(f);
		if (entries[2].revents)
			console_carry_input(f->console);
	}
}

/* With our terminal joined to the console, if there is one. */
static void forward_joined(const struct forward *f, int fd)
{
	if (f->console)
		console_join(f->console);
	/* The sentry looked when the exec began; the size may have been set since. */
	if (f->terminal && f->exec)
		forward_size(f);
	forward_until(f, fd);
	if (f->console)
		console_leave(f->console);
}

int forward_wait_child(const struct forward *f, int pidfd, struct error **err)
{
	siginfo_t info = { 0 };

	forward_joined(f, pidfd);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return error_set_errno(err, -errno, "wait for the container");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int forward_wait_exec(const struct forward *f, int connection)
{
	uint32_t wait_status;

	forward_joined(f, connection);
	if (control_read_exit(connection, &wait_status) < 0)
		return LOST_STATUS;
	return control_exit_code(wait_status);
}
