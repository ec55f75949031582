/* SPDX-License-Identifier: Apache-2.0 */
/* moat run: create and start, and in the foreground stay until the container has ended. */
#include <errno.h>

#include "oci/spec.h"
#include "runtime/cmd/create_rows.h"
#include "runtime/cmd/run.h"
#include "runtime/command.h"
#include "runtime/forward.h"
#include "runtime/notify.h"
#include "sentry/control/protocol.h"
#include "util/cleanup.h"
#include "util/log.h"

static const struct option_row rows[] = {
	CREATE_ROWS(struct run_options),
	{ "detach", "d", OPTION_BOOL, offsetof(struct run_options, detach),
	  "detach from the container's process" },
	{ "keep", NULL, OPTION_BOOL, offsetof(struct run_options, keep),
	  "do not delete the container after it exits" },
	{ "no-subreaper", NULL, OPTION_BOOL, offsetof(struct run_options, no_subreaper),
	  "accepted for compatibility: no process of a container is ever reparented to moat" },
};

static void remove_container(struct container *container)
{
	AUTO_ERROR struct error *err = NULL;

	if (lifecycle_destroy(container, &err) < 0)
		log_error("%s", error_message(err));
}

/* Others may use the container while it runs, so its lock is only held before and after. */
static int stay(const struct globals *globals, struct container *container,
		const struct forward *forward, int pidfd, int notify, bool keep, struct error **err)
{
	AUTO_ERROR struct error *gone = NULL;
	struct notify_thread relay;
	struct container *again;
	int status;

	container_unlock(container);
	notify_thread_start(&relay, notify);
	status = forward_wait_child(forward, pidfd, err);
	notify_thread_join(&relay);
	if (status < 0 || keep)
		return status;
	/* Somebody may have deleted it already. */
	if (container_open(globals, container->id, &again, &gone) < 0)
		return status;
	if (process_same(container_process(again), container_process(container)))
		remove_container(again);
	container_close(again);
	return status;
}

/* As runc: a service manager that cannot be told changes nothing. */
static void relay_detached(struct container *container, int notify)
{
	AUTO_ERROR struct error *err = NULL;

	if (notify < 0)
		return;
	container_unlock(container);
	if (notify_relay(notify, container_pid(container), &err) < 0)
		log_warning("%s", error_message(err));
}

static int run_created(const struct globals *globals, const struct run_options *o,
		       struct container *container, const struct spec *spec, int pidfd,
		       struct console *console, struct error **err)
{
	AUTO_CLOSE int signal_fd = o->detach ? -1 : forward_begin();
	AUTO_CLOSE int notify = -1;
	const struct forward forward = {
		.container = container,
		.signal_fd = signal_fd,
		.pid = CONTROL_PID_INIT,
		.terminal = spec->process->terminal,
		.console = spec->process->terminal ? console : NULL,
	};

	if (!o->detach && signal_fd < 0) {
		error_set_errno(err, signal_fd, "signalfd");
		remove_container(container);
		return error_code(*err);
	}
	if (notify_watch(container, &notify, err) < 0 || lifecycle_start(container, spec, err) < 0) {
		remove_container(container);
		return error_code(*err);
	}
	if (!o->detach)
		return stay(globals, container, &forward, pidfd, notify, o->keep, err);
	relay_detached(container, notify);
	return 0;
}

int run_container(const struct globals *globals, const struct run_options *o, const char *id,
		  struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;
	AUTO_CONSOLE struct console console = CONSOLE_INIT;
	AUTO_CLOSE int pidfd = -1;
	struct create_options create = o->create;
	struct spec *spec = NULL;
	int status;

	create.detach = o->detach;
	status = lifecycle_create(globals, id, &create, &spec, &container, &pidfd, &console, err);
	if (status == 0)
		status = run_created(globals, o, container, spec, pidfd, &console, err);
	spec_free(spec);
	return status;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	int status = run_container(globals, options, argv[0], err);

	return status < 0 ? error_wrap(err, "moat run failed") : status;
}

const struct command command_run = {
	.name = "run",
	.summary = "create and run a container",
	.usage = "<container-id>",
	.description =
		"   The run command creates an instance of a container for a bundle, as \"moat create\"\n"
		"does, and starts it. Without --detach it passes signals on to the container's process,\n"
		"ends with its exit status, and deletes the container.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct run_options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
