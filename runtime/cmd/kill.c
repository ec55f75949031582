/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat kill: a signal for the container's init, or for all of its processes.  SIGKILL to
 * the one that booted the sandbox ends the sentry itself, and needs nobody's cooperation.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "runtime/signal_name.h"
#include "util/cleanup.h"
#include "util/log.h"

#define END_TIMEOUT_MS 2000

struct options {
	bool all;
};

static const struct option_row rows[] = {
	{ "all", "a", OPTION_BOOL, offsetof(struct options, all),
	  "send the specified signal to all processes inside the container" },
};

static int kill_sandbox(const struct container *container, struct error **err)
{
	AUTO_CLOSE int fd = process_open(&container->sentry);

	if (fd < 0)
		return error_set(err, fd, "container not running");
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		return error_set_errno(err, -errno, "kill the sandbox (pid %d)",
				       container->sentry.pid);
	return 0;
}

/*
 * Who is told that the container does not run asks for its state next (podman does, to see whether
 * it need report the failure): by then that has to say the same.  The sandbox is gone a moment
 * before its process, or a monitor, has ended.
 */
static int signal_container(const struct container *container,
			    const struct control_signal_request *request, struct error **err)
{
	AUTO_CLOSE int fd = -1;

	switch (control_signal(container, request, err)) {
	case 0:
		return 0;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ENOENT:
	case -EPIPE:
	case -ESRCH:
		break;
	default:
		return error_code(*err);
	}
	fd = process_open(container_process(container));
	if (fd >= 0 && process_wait_pidfd(fd, END_TIMEOUT_MS) != 1)
		log_debug("process %d has not ended", container_process(container)->pid);
	return error_code(*err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	struct control_signal_request request = { .pid = CONTROL_PID_INIT, .all = o->all };
	const char *name = argc > 1 && *argv[1] ? argv[1] : "SIGTERM";
	int parsed;

	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	parsed = signal_parse(name, &request.signal);
	if (parsed == -EINVAL)
		return error_set(err, -EINVAL, "unknown signal \"%s\"", name);
	/* runc: with --all, that none is left is no failure. */
	if (container->status == OCI_STOPPED && o->all)
		return 0;
	if (container_check_alive(container, err) < 0)
		return error_code(*err);
	if (parsed < 0)
		return error_set(err, parsed, "unable to signal init: invalid argument");
	/* One that has not started has nothing that could handle a signal. */
	if (container->status == OCI_CREATED && request.signal != 0)
		request.signal = SIGKILL;
	if (request.signal == SIGKILL && !container->sandbox)
		return kill_sandbox(container, err);
	return signal_container(container, &request, err);
}

const struct command command_kill = {
	.name = "kill",
	.summary = "kill sends the specified signal (default: SIGTERM) to the container's init "
		   "process",
	.usage = "<container-id> [signal]",
	.description = "   The signal is a name, with or without SIG, or a number.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 2,
	.failure_status = 1,
	.run = run,
};
