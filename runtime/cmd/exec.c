/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat exec: one more process in a running container.  On the host it is represented by this
 * process, or with --detach by a child of it, which ends with the process's status and passes
 * signals on; when it is killed, the sentry kills the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "oci/spec.h"
#include "runtime/cmd/exec_cgroup.h"
#include "runtime/cmd/exec_process.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "runtime/forward.h"
#include "runtime/pid_file.h"
#include "runtime/sandbox/boot_config_build.h"
#include "runtime/sandbox/preserve.h"
#include "util/cleanup.h"

struct options {
	struct exec_process_options process;
	const char *console_socket;
	const char *pid_file;
	struct string_list cgroup;
	unsigned preserve_fds;
	bool detach;
	bool ignore_paused;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "console-socket", NULL, OPTION_STRING, FIELD(console_socket),
	  "path to an AF_UNIX socket which will receive a file descriptor referencing the master "
	  "end of the console's pseudoterminal" },
	{ "cwd", NULL, OPTION_STRING, FIELD(process.cwd), "current working directory in the container" },
	{ "env", "e", OPTION_STRINGS, FIELD(process.env), "set environment variables" },
	{ "tty", "t", OPTION_BOOL, FIELD(process.tty), "allocate a pseudo-TTY" },
	{ "user", "u", OPTION_STRING, FIELD(process.user), "UID (format: <uid>[:<gid>])" },
	{ "additional-gids", "g", OPTION_INTS, FIELD(process.additional_gids), "additional gids" },
	{ "process", "p", OPTION_STRING, FIELD(process.file), "path to the process.json" },
	{ "detach", "d", OPTION_BOOL, FIELD(detach), "detach from the container's process" },
	{ "pid-file", NULL, OPTION_STRING, FIELD(pid_file),
	  "specify the file to write the process id to" },
	{ "process-label", NULL, OPTION_STRING, FIELD(process.label),
	  "accepted for compatibility: the host's labels do not exist inside" },
	{ "apparmor", NULL, OPTION_STRING, FIELD(process.apparmor),
	  "accepted for compatibility: the host's profiles do not exist inside" },
	{ "no-new-privs", NULL, OPTION_BOOL, FIELD(process.no_new_privs),
	  "set the no new privileges value for the process" },
	{ "cap", "c", OPTION_STRINGS, FIELD(process.cap),
	  "add a capability to the bounding set for the process" },
	{ "preserve-fds", NULL, OPTION_COUNT, FIELD(preserve_fds),
	  "Pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)",
	  "0" },
	{ "cgroup", NULL, OPTION_STRINGS, FIELD(cgroup),
	  "run the process in an (existing) sub-cgroup(s). Format is [<controller>:]<cgroup>." },
	{ "ignore-paused", NULL, OPTION_BOOL, FIELD(ignore_paused), "allow exec in a paused container" },
};

/* The process, once it runs. */
struct running {
	int connection;
	int32_t pid; /* in the container */
	bool terminal;
	struct console console;
	struct exec_cgroup cgroup;
};

static int check(const struct container *container, const struct options *o, struct error **err)
{
	if (container->status == OCI_STOPPED || container->status == OCI_CREATING)
		return error_set(err, -EINVAL, "cannot exec in a stopped container");
	if (container->status == OCI_PAUSED && !o->ignore_paused)
		return error_set(err, -EINVAL, "cannot exec in a paused container (use --ignore-paused "
					       "to override)");
	return 0;
}

static int send_exec(const struct container *c, struct running *r, const struct options *o, int config,
		     unsigned extra, struct error **err)
{
	bool place = r->cgroup.wanted;
	unsigned extra_max = CONTROL_MAX_FDS - CONTROL_EXEC_FIXED_FDS - place;
	struct control_exec_request request = { .ignore_paused = o->ignore_paused, .place = place };
	struct control_exec_reply reply = { 0 };
	int fds[CONTROL_MAX_FDS] = { config, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	size_t count = CONTROL_EXEC_FIXED_FDS;

	if (extra > extra_max)
		return error_set(err, -EINVAL, "--preserve-fds: at most %u files", extra_max);
	for (int i = STDIN_FILENO; r->console.slave >= 0 && i <= STDERR_FILENO; i++)
		fds[1 + i] = r->console.slave;
	for (unsigned i = 0; i < extra; i++)
		fds[count++] = STDERR_FILENO + 1 + (int)i;
	if (place)
		fds[count++] = r->cgroup.theirs;
	request.fd_count = (uint32_t)count;
	if (control_call(c, r->connection,
			 &(struct control_call){ .type = CONTROL_EXEC,
						 .request = &request,
						 .request_size = sizeof(request),
						 .fds = fds,
						 .fd_count = count,
						 .reply = &reply,
						 .reply_size = sizeof(reply),
						 .meanwhile = place ? exec_cgroup_place : NULL,
						 .meanwhile_arg = &r->cgroup },
			 err) < 0)
		return error_wrap(err, "unable to start container process");
	r->pid = reply.pid;
	return 0;
}

static int start_process(const struct container *container, const struct options *o, char **args,
			 size_t arg_count, struct running *r, struct error **err)
{
	AUTO_STRING_LIST struct string_list env = STRING_LIST_INIT;
	struct boot_extra extra = {
		.env = &env,
		.cgroups = &r->cgroup.inside,
		.terminal_plain = !o->detach,
	};
	struct exec_terminal terminal = { 0 };
	AUTO_CLOSE int config = -1;

	if (preserve_check(o->preserve_fds, &extra.fd_count, &env, err) < 0 ||
	    exec_process_build(container, &o->process, args, arg_count, &extra, &terminal, &config,
			       err) < 0 ||
	    console_check(terminal.wanted, o->detach, o->console_socket, err) < 0)
		return error_code(*err);
	r->terminal = terminal.wanted;
	if (r->terminal && console_make(&r->console, terminal.has_size ? &terminal.size : NULL,
					o->console_socket, err) < 0)
		return error_code(*err);
	return send_exec(container, r, o, config, extra.fd_count, err);
}

/* What the process was given must not be kept open by the one that stands for it. */
static void drop_files(unsigned preserve_fds)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			close(fd);
	}
	for (unsigned i = 0; i < preserve_count(preserve_fds); i++)
		close(STDERR_FILENO + 1 + (int)i);
	if (null > STDERR_FILENO)
		close(null);
}

/* For as long as the process runs: whoever wants to change the container must not wait for that. */
static int wait_process(struct container *container, struct running *r, struct error **err)
{
	AUTO_CLOSE int signal_fd = forward_begin();
	const struct forward forward = {
		.container = container,
		.signal_fd = signal_fd,
		.pid = r->pid,
		.exec = true,
		.terminal = r->terminal,
		.console = r->console.master >= 0 ? &r->console : NULL,
	};

	container_unlock(container);
	if (signal_fd < 0)
		return error_set_errno(err, signal_fd, "signalfd");
	return forward_wait_exec(&forward, r->connection);
}

/* The child inherits the connection, and with it the process. */
static int detach(struct container *container, const struct options *o, struct running *r,
		  struct error **err)
{
	AUTO_ERROR struct error *ignored = NULL;
	pid_t child = fork();

	if (child < 0)
		return error_set_errno(err, -errno, "fork");
	if (child > 0)
		return pid_file_write(o->pid_file, child, err);
	setsid();
	drop_files(o->preserve_fds);
	if (r->terminal)
		console_watch(&r->console);
	_exit(wait_process(container, r, &ignored));
}

static int stay(struct container *container, const struct options *o, struct running *r,
		struct error **err)
{
	if (pid_file_write(o->pid_file, getpid(), err) < 0)
		return error_code(*err);
	if (!r->terminal)
		drop_files(o->preserve_fds);
	console_close_slave(&r->console);
	return wait_process(container, r, err);
}

static int exec_in(const struct globals *globals, struct container *container,
		   const struct options *o, int argc, char **argv, struct error **err)
{
	struct running r = { .connection = -1, .console = CONSOLE_INIT, .cgroup = EXEC_CGROUP_INIT };
	int status = check(container, o, err);

	if (status == 0)
		status = exec_cgroup_prepare(&r.cgroup, globals, container, &o->cgroup, err);

	if (status == 0)
		status = control_connect(container, &r.connection, err);
	if (status == 0)
		status = start_process(container, o, argv + 1, (size_t)argc - 1, &r, err);
	exec_cgroup_free(&r.cgroup);
	if (status == 0)
		status = console_send(&r.console, err);
	if (status == 0)
		status = o->detach ? detach(container, o, &r, err) : stay(container, o, &r, err);
	console_close(&r.console);
	cleanup_close(&r.connection);
	return status;
}

static bool has_file(const struct options *o)
{
	return o->process.file && *o->process.file;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	int status = container_peek(globals, argv[0], &container, err);

	if (status == 0 && argc == 1 && !has_file(o))
		status = error_set(err, -EINVAL, "process args cannot be empty");
	if (status == 0)
		status = exec_in(globals, container, o, argc, argv, err);
	return status < 0 ? error_wrap(err, "exec failed") : status;
}

const struct command command_exec = {
	.name = "exec",
	.summary = "execute new process inside the container",
	.usage = "<container-id> <command> [command options]  || -p process.json <container-id>",
	.description =
		"   \"<command>\" can't be empty unless a \"-p\" flag provided. The exit status is the\n"
		"command's, or 255 when it could not be started.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.failure_status = 255,
	.keep_order = true,
	.run = run,
};
