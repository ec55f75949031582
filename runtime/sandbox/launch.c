/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's part of a launch.  The order matters:
 *
 *   record the cgroups, then make them       a crash leaves nothing that is not in state.json
 *   clone the sentry, map its ids, go        it builds its root while we go on; systemd makes the
 *                                            cgroups only now, around it
 *   clone the gofer
 *   prestart, createRuntime hooks            the namespaces exist; nothing is mounted yet
 *   let the gofer go                         createContainer hooks, then the trees
 *   send the sentry its files                it boots meanwhile, up to the first file it needs
 *   wait for both
 *
 * Both children end by themselves when our ends of their channels close, so a crash of ours in
 * between leaves no process either.
 */
#include "runtime/sandbox/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/hooks.h"
#include "runtime/sandbox/boot_config_build.h"
#include "runtime/sandbox/boot_send.h"
#include "runtime/sandbox/id_maps.h"
#include "runtime/sandbox/launch_state.h"
#include "runtime/notify.h"
#include "runtime/sandbox/preserve.h"
#include "runtime/sanitize.h"
#include "runtime/systemd/container_unit.h"
#include "sentry/control/boot_channel.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define KILL_TIMEOUT_MS 10000

int launch_make_pair(struct launch_pair *pair, struct error **err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set_errno(err, -errno, "socketpair");
	pair->ours = fds[0];
	pair->theirs = fds[1];
	return 0;
}

void launch_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Bound in the container's directory; the sentry gets it only to accept. */
static int make_control_socket(struct launch *l, struct error **err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int ret = 0;

	/* By way of the FD, as --root may be longer than a socket's address. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CONTAINER_SOCKET,
		 l->container->dir_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		ret = -errno;
	umask(mask);
	if (ret < 0)
		return error_set_errno(err, ret, "control socket");
	l->listen_fd = move_fd(&fd);
	return 0;
}

int launch_make_attach_sockets(struct launch *l, struct error **err)
{
	uint32_t count = l->attach.count;

	l->gofer_sockets = calloc(count, sizeof(int));
	l->sentry_sockets = calloc(count, sizeof(int));
	if (!l->gofer_sockets || !l->sentry_sockets)
		return error_set(err, -ENOMEM, "out of memory");
	memset(l->gofer_sockets, -1, count * sizeof(int));
	memset(l->sentry_sockets, -1, count * sizeof(int));
	for (uint32_t i = 0; i < count; i++) {
		struct launch_pair pair;

		if (launch_make_pair(&pair, err) < 0)
			return error_code(*err);
		l->gofer_sockets[i] = pair.ours;
		l->sentry_sockets[i] = pair.theirs;
	}
	return 0;
}

static void close_attach_sockets(int *sockets, uint32_t count)
{
	for (uint32_t i = 0; sockets && i < count; i++)
		launch_close_fd(&sockets[i]);
}

int launch_make_cgroups(struct launch *l, struct error **err)
{
	/* What is recorded is ours, to the last process in it: so first look, then record. */
	if ((l->globals->systemd_cgroup
		     ? container_unit_locate(l->container, l->spec, &l->cgroups, err)
		     : cgroup_locate(l->spec, l->container->id, &l->cgroups, err)) < 0 ||
	    cgroup_check_unused(&l->cgroups, err) < 0)
		return error_code(*err);
	if (cgroup_paths(&l->cgroups, &l->container->cgroups) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	if (container_save(l->container, err) < 0)
		return error_code(*err);
	if (l->globals->systemd_cgroup)
		return 0;
	if (cgroup_create(&l->cgroups, l->spec, l->container->cgroup_rootless, err) < 0)
		return error_code(*err);
	l->cgroup_fd = cgroup_unified_fd(&l->cgroups);
	return 0;
}

int launch_add_to_cgroups(const struct launch *l, pid_t pid, bool in_unified, struct error **err)
{
	struct error *refused = NULL;
	int ret = cgroup_add(&l->cgroups, pid, in_unified, &refused);

	if ((ret == -EACCES || ret == -EPERM) && l->container->systemd_unit) {
		error_free(refused);
		return container_unit_attach(l->container, pid, err);
	}
	if (ret < 0)
		*err = refused;
	return ret;
}

int launch_enter_cgroups(struct launch *l, const struct clone_result *first, struct error **err)
{
	if (l->globals->systemd_cgroup) {
		if (container_unit_start(l->container, l->spec, first->pid, &l->cgroups, err) < 0)
			return error_code(*err);
		/* A user may not have others born there, see container_unit_attach. */
		if (!l->container->cgroup_rootless)
			l->cgroup_fd = cgroup_unified_fd(&l->cgroups);
	}
	return launch_add_to_cgroups(l, first->pid, first->in_cgroup, err);
}

static int prepare(struct launch *l, struct error **err)
{
	AUTO_STRING_LIST struct string_list env = STRING_LIST_INIT;
	struct boot_extra extra = { .env = &env, .terminal_plain = l->options->terminal_plain,
				    .unmapped = l->options->throw_away, .notify = l->options->notify };
	bool through = !strcmp(l->globals->overlay, "none");

	if (preserve_check(l->options->preserve_fds, &extra.fd_count, &env, err) < 0 ||
	    notify_add_env(l->options->notify, &env, err) < 0 ||
	    attach_list_build(l->spec, through, &l->attach, err) < 0 ||
	    boot_config_build(l->globals, l->spec, l->container->id, &extra, &l->config_fd, err) < 0)
		return error_code(*err);
	if (launch_make_cgroups(l, err) < 0 || clone_copy_exe(&l->exe_fd, err) < 0 ||
	    make_control_socket(l, err) < 0 || launch_make_attach_sockets(l, err) < 0 ||
	    launch_make_pair(&l->boot, err) < 0 || launch_make_pair(&l->setup, err) < 0)
		return error_code(*err);
	return network_prepare(l->spec, !strcmp(l->globals->network, "host"), &l->network, err);
}

static int set_oom_score(const struct launch *l, pid_t pid, struct error **err)
{
	struct opt_i32 score = l->spec->process->oom_score_adj;
	char path[64], text[16];
	int ret;

	if (!score.set)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%d", score.value);
	ret = file_write_text(AT_FDCWD, path, text);
	/* An unprivileged caller cannot lower it; runc goes on as well. */
	if (ret < 0 && !(ret == -EACCES && geteuid() != 0))
		return error_set_errno(err, ret, "write %s to %s", text, path);
	return 0;
}

int launch_identify(pid_t pid, struct process_id *out, struct error **err)
{
	int ret = process_identify(pid, out);

	return ret < 0 ? error_set_errno(err, ret, "read /proc/%d/stat", pid) : 0;
}

static void sentry_child(void *arg)
{
	launch_sentry_child(arg);
}

static int clone_sentry(struct launch *l, uint64_t flags, struct error **err)
{
	int ret;

	if (l->network.one_way && l->network.target >= 0)
		return clone_process_in(l->network.target, flags, l->cgroup_fd, sentry_child, l, &l->sentry);
	if (network_enter(&l->network, err) < 0)
		return error_code(*err);
	ret = clone_process(flags, l->cgroup_fd, &l->sentry);
	if (ret == 0 && l->sentry.pid == 0)
		launch_sentry_child(l);
	if (network_leave(&l->network, err) < 0)
		return error_code(*err);
	return ret;
}

static int start_sentry(struct launch *l, struct error **err)
{
	uint64_t flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
			 l->network.clone_flags;
	int ret = clone_sentry(l, flags, err);

	if (ret < 0)
		return *err ? ret : error_set_errno(err, ret, "clone the sandbox's process");
	launch_close_fd(&l->boot.theirs);
	if (launch_identify(l->sentry.pid, &l->container->sentry, err) < 0 ||
	    id_maps_write_sentry(l->sentry.pid, err) < 0 ||
	    set_oom_score(l, l->sentry.pid, err) < 0 ||
	    launch_enter_cgroups(l, &l->sentry, err) < 0)
		return error_code(*err);
	if (write(l->boot.ours, "", 1) != 1)
		return error_set_errno(err, -errno, "start the sandbox");
	return 0;
}

int launch_start_gofer(struct launch *l, struct error **err)
{
	uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
	int ret = clone_process(flags | (l->gofer_born_mapped ? CLONE_NEWUSER : 0), l->cgroup_fd,
				&l->gofer);

	if (ret < 0)
		return error_set_errno(err, ret, "clone the gofer");
	if (l->gofer.pid == 0)
		launch_gofer_child(l);
	launch_close_fd(&l->setup.theirs);
	close_attach_sockets(l->gofer_sockets, l->attach.count);
	if (launch_identify(l->gofer.pid, &l->container->gofer, err) < 0 ||
	    (l->gofer_born_mapped && id_maps_write_gofer(l->gofer.pid, l->spec, err) < 0))
		return error_code(*err);
	return launch_add_to_cgroups(l, l->gofer.pid, l->gofer.in_cgroup, err);
}

int launch_run_early_hooks(struct launch *l, struct error **err)
{
	if (hooks_run(&l->spec->hooks.prestart, "prestart", l->container, err) < 0 ||
	    hooks_run(&l->spec->hooks.create_runtime, "createRuntime", l->container, err) < 0)
		return error_code(*err);
	return 0;
}

int launch_let_gofer_go(struct launch *l, struct error **err)
{
	/* One that was killed has nothing to say: wait_gofer sees its end. */
	if (send(l->setup.ours, "", 1, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return error_set_errno(err, -errno, "start the gofer");
	return 0;
}

/* Why a child went away without a word. */
static int child_died(const struct launch *l, const struct clone_result *child, const char *name,
		      struct error **err)
{
	const struct spec_linux *spec = l->spec->linux_config;
	const struct spec_resources *r = spec ? spec->resources : NULL;
	bool limited = r && r->memory && r->memory->limit.set && r->memory->limit.value > 0;
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) < 0)
		return error_set_errno(err, -errno, "wait for the %s", name);
	if (info.si_code == CLD_EXITED)
		return error_set(err, -EIO, "the %s ended while starting, exit status %d", name,
				 info.si_status);
	return error_set(err, -EIO, "the %s was killed by signal %d while starting%s", name,
			 info.si_status,
			 info.si_status == SIGKILL && limited
				 ? ": is linux.resources.memory.limit too low?" : "");
}

static ssize_t hear_gofer(struct launch *l, char *message, size_t size)
{
	ssize_t n;

	do
		n = read(l->setup.ours, message, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* It has entered its user namespace, and waits for the maps. */
static int map_gofer(struct launch *l, struct error **err)
{
	if (id_maps_write_gofer(l->gofer.pid, l->spec, err) < 0)
		return error_code(*err);
	if (send(l->setup.ours, "", 1, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return error_set_errno(err, -errno, "go on with the gofer");
	return 0;
}

/* Until the gofer executes, it can only ask for its maps, once, and report failure. */
int launch_wait_gofer(struct launch *l, struct error **err)
{
	char message[1024];
	ssize_t n = hear_gofer(l, message, sizeof(message) - 1);

	if (n == 1 && message[0] == LAUNCH_WANT_MAPS && l->gofer_wants_maps) {
		l->gofer_wants_maps = false;
		if (map_gofer(l, err) < 0)
			return error_code(*err);
		n = hear_gofer(l, message, sizeof(message) - 1);
	}
	if (n == 0)
		return 0;
	/* It was killed before it had read that it may go. */
	if (n < 0 && errno == ECONNRESET)
		return child_died(l, &l->gofer, "gofer", err);
	if (n < 0)
		return error_set_errno(err, -errno, "wait for the gofer");
	message[n] = '\0';
	sanitize_text(message);
	return error_set(err, -EIO, "%s", message);
}

static int wait_sentry(struct launch *l, struct error **err)
{
	struct boot_status status;
	ssize_t n;

	do
		n = recv(l->boot.ours, &status, sizeof(status), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return child_died(l, &l->sentry, "sandbox", err);
	if (n != sizeof(status) || status.magic != CONTROL_MAGIC || status.status > 0)
		return error_set(err, -EPROTO, "the sandbox gave a malformed answer");
	if (status.status == 0)
		return 0;
	status.message[sizeof(status.message) - 1] = '\0';
	sanitize_text(status.message);
	if (status.message[0])
		return error_set(err, status.status, "unable to start container process: %s",
				 status.message);
	return error_set_errno(err, status.status, "unable to start container process");
}

int launch_send_boot(struct launch *l, struct error **err)
{
	struct boot_send send = {
		.config = l->config_fd,
		.control = l->listen_fd,
		.log = l->container->sandbox ? -1 : globals_log_fd(),
		.debug_log = l->container->sandbox ? -1 : globals_debug_log_fd(),
		.terminal = l->options->terminal,
		.attach = l->sentry_sockets,
		.attach_count = l->attach.count,
		.extra_first = STDERR_FILENO + 1,
		.extra_count = preserve_count(l->options->preserve_fds),
	};
	int ret = boot_send(l->boot.ours, &send);

	/* A sentry that is gone says why in wait_sentry. */
	if (ret < 0 && ret != -EPIPE && ret != -ECONNRESET)
		return error_set_errno(err, ret, "send the sandbox its files");
	close_attach_sockets(l->sentry_sockets, l->attach.count);
	return 0;
}

static int launch_run(struct launch *l, struct error **err)
{
	if (prepare(l, err) < 0 || start_sentry(l, err) < 0 || launch_start_gofer(l, err) < 0 ||
	    launch_run_early_hooks(l, err) < 0 || network_set_sysctls(l->spec, &l->network, err) < 0 ||
	    launch_let_gofer_go(l, err) < 0 || launch_send_boot(l, err) < 0 ||
	    launch_wait_gofer(l, err) < 0 || wait_sentry(l, err) < 0)
		return error_code(*err);
	l->container->status = OCI_CREATED;
	return container_save(l->container, err);
}

static void kill_child(const struct clone_result *child)
{
	if (child->pid <= 0)
		return;
	syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void launch_undo(struct launch *l)
{
	AUTO_ERROR struct error *err = NULL;

	kill_child(&l->sentry);
	kill_child(&l->gofer);
	kill_child(&l->monitor);
	memset(&l->container->sentry, 0, sizeof(l->container->sentry));
	memset(&l->container->gofer, 0, sizeof(l->container->gofer));
	container_unit_stop(l->container);
	if (cgroup_destroy(&l->container->cgroups, &err) < 0)
		log_warning("%s", error_message(err));
}

void launch_free(struct launch *l)
{
	int *const fds[] = { &l->cgroup_fd,   &l->exe_fd,      &l->config_fd,
			     &l->listen_fd,   &l->boot.ours,   &l->boot.theirs,
			     &l->setup.ours,  &l->setup.theirs, &l->sentry.pidfd,
			     &l->gofer.pidfd, &l->monitor.pidfd, &l->go.ours,     &l->go.theirs,
			     &l->control_fd, &l->requests_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		launch_close_fd(fds[i]);
	close_attach_sockets(l->gofer_sockets, l->attach.count);
	close_attach_sockets(l->sentry_sockets, l->attach.count);
	free(l->gofer_sockets);
	free(l->sentry_sockets);
	attach_list_free(&l->attach);
	network_close(&l->network);
	cgroup_set_free(&l->cgroups);
}

void launch_init(struct launch *l, const struct globals *globals, const struct spec *spec,
		 struct container *container, const struct launch_options *options)
{
	*l = (struct launch){
		.globals = globals,
		.spec = spec,
		.container = container,
		.options = options,
		.cgroup_fd = -1,
		.exe_fd = -1,
		.config_fd = -1,
		.listen_fd = -1,
		.control_fd = -1,
		.requests_fd = -1,
		.boot = { -1, -1 },
		.setup = { -1, -1 },
		.go = { -1, -1 },
		.network = LAUNCH_NETWORK_INIT,
		.sentry.pidfd = -1,
		.gofer.pidfd = -1,
		.gofer_born_mapped = id_maps_wanted(spec) && geteuid() != 0,
		.gofer_wants_maps = id_maps_wanted(spec) && geteuid() == 0,
		.monitor.pidfd = -1,
	};
}

int sandbox_launch(const struct globals *globals, const struct spec *spec,
		   struct container *container, const struct launch_options *options, int *pidfd,
		   struct error **err)
{
	struct launch l;
	int ret;

	launch_init(&l, globals, spec, container, options);
	ret = launch_run(&l, err);
	if (ret < 0)
		launch_undo(&l);
	else
		*pidfd = move_fd(&l.sentry.pidfd);
	launch_free(&l);
	return ret;
}
