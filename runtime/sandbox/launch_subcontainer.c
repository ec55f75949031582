/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that goes into a sandbox which runs: the command line's part.
 *
 *   record the cgroups, then make them
 *   connect to the sandbox
 *   clone the monitor                        which has the connection, too
 *   clone the gofer
 *   prestart, createRuntime hooks; let the gofer go, wait for it
 *   CREATE                                   the sentry builds the container, its init stopped
 *   record what the sentry calls it          from here on `delete` finds it there
 *   put its stubs into the cgroups
 *   let the monitor stand for it
 *
 * When we die before the last step the monitor ends, and its end of the connection was the last one:
 * the sentry forgets a container that has not started, and with that the gofer ends.
 */
#include "runtime/sandbox/launch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/container/pod.h"
#include "runtime/container/sandbox_processes.h"
#include "runtime/control_client.h"
#include "runtime/sandbox/boot_config_build.h"
#include "runtime/sandbox/launch_state.h"
#include "runtime/notify.h"
#include "runtime/sandbox/preserve.h"
#include "util/cleanup.h"
#include "util/log.h"

static int prepare(struct launch *l, struct error **err)
{
	AUTO_STRING_LIST struct string_list env = STRING_LIST_INIT;
	struct boot_extra extra = {
		.env = &env,
		.in_sandbox = true,
		.terminal_plain = l->options->terminal_plain,
		.notify = l->options->notify,
	};
	bool through = !strcmp(l->globals->overlay, "none");

	if (preserve_check(l->options->preserve_fds, &extra.fd_count, &env, err) < 0 ||
	    notify_add_env(l->options->notify, &env, err) < 0 ||
	    attach_list_build(l->spec, through, &l->attach, err) < 0 ||
	    boot_config_build(l->globals, l->spec, l->container->id, &extra, &l->config_fd, err) < 0)
		return error_code(*err);
	if (launch_make_cgroups(l, err) < 0 || clone_copy_exe(&l->exe_fd, err) < 0 ||
	    launch_make_attach_sockets(l, err) < 0 || launch_make_pair(&l->boot, err) < 0 ||
	    launch_make_pair(&l->setup, err) < 0 || launch_make_pair(&l->go, err) < 0)
		return error_code(*err);
	if (control_connect(l->container, &l->control_fd, err) < 0 ||
	    control_connect(l->container, &l->requests_fd, err) < 0)
		return error_wrap(err, "sandbox %s", l->container->sandbox);
	return 0;
}

static int start_monitor(struct launch *l, struct error **err)
{
	int ret = clone_process(0, l->cgroup_fd, &l->monitor);

	if (ret < 0)
		return error_set_errno(err, ret, "clone the monitor");
	if (l->monitor.pid == 0)
		launch_monitor_child(l);
	launch_close_fd(&l->go.theirs);
	if (launch_identify(l->monitor.pid, &l->container->monitor, err) < 0)
		return error_code(*err);
	return launch_enter_cgroups(l, &l->monitor, err);
}

/* --- namespaces ------------------------------------------------------------------------ */

/* What is the pod's cannot be another one. */
static void warn_of_namespace(const struct launch *l, const char *type)
{
	const struct spec_namespace *ns = spec_namespace_find(l->spec, type);

	if (!ns)
		return;
	if (!ns->path || !*ns->path)
		log_warning("config.json: the container has the %s namespace of its sandbox, not one "
			    "of its own", type);
	else if (!pod_is_in_namespace(l->booted_by, type, ns->path))
		log_warning("config.json: %s namespace %s: the container has that of its sandbox", type,
			    ns->path);
}

static void warn_of_namespaces(const struct launch *l)
{
	const struct spec_namespace *uts = spec_namespace_find(l->spec, "uts");

	if (uts && uts->path && *uts->path)
		warn_of_namespace(l, "uts");
	/* With --network=none the sandbox is in none that anybody could name. */
	if (strcmp(l->globals->network, "none") != 0)
		warn_of_namespace(l, "network");
}

static int choose_pid_namespace(struct launch *l, struct control_create_request *request)
{
	const struct spec_namespace *ns = spec_namespace_find(l->spec, "pid");

	*request = (struct control_create_request){ .pid_namespace = CONTROL_PID_NAMESPACE_NEW };
	if (!ns || !ns->path || !*ns->path)
		return 0;
	l->container->pid_namespace = strdup(ns->path);
	if (!l->container->pid_namespace)
		return -ENOMEM;
	if (pod_find_namespace(l->globals, l->booted_by, "pid", ns->path, &request->join))
		request->pid_namespace = CONTROL_PID_NAMESPACE_JOIN;
	else
		log_warning("config.json: PID namespace %s is no other container's of the pod: the "
			    "container gets a new one", ns->path);
	return 0;
}

/* One that is not of the pod is the sandbox's. */
static void choose_ipc_namespace(struct launch *l, struct control_create_request *request)
{
	const struct spec_namespace *ns = spec_namespace_find(l->spec, "ipc");

	if (ns && ns->path && *ns->path &&
	    !pod_find_namespace(l->globals, l->booted_by, "ipc", ns->path, &request->join_ipc))
		warn_of_namespace(l, "ipc");
}

/* --- the sentry's part ----------------------------------------------------------------- */

static int create(struct launch *l, struct control_create_reply *reply, struct error **err)
{
	struct control_create_request request;
	const struct container root = { .dir_fd = -1 };
	int ret = choose_pid_namespace(l, &request);

	if (ret < 0)
		return error_set(err, ret, "out of memory");
	choose_ipc_namespace(l, &request);
	if (launch_send_boot(l, err) < 0)
		return error_code(*err);
	launch_close_fd(&l->boot.ours);
	ret = control_call(&root, l->control_fd,
			   &(struct control_call){ .type = CONTROL_CREATE,
						   .request = &request,
						   .request_size = sizeof(request),
						   .fds = &l->boot.theirs,
						   .fd_count = 1,
						   .reply = reply,
						   .reply_size = sizeof(*reply) },
			   err);
	launch_close_fd(&l->boot.theirs);
	if (ret < 0)
		return error_wrap(err, "unable to start container process");
	if (reply->handle == 0)
		return error_set(err, -EPROTO, "the sandbox gave a malformed answer");
	l->container->handle = reply->handle;
	l->container->status = OCI_CREATED;
	return container_save(l->container, err);
}

struct move {
	struct launch *l;
	const struct control_create_reply *reply;
	struct error **err;
	int failed;
};

/* The sentry can only name processes of its own, as only its children are looked at. */
static void move_stub(void *arg, pid_t pid, int32_t inner)
{
	struct move *m = arg;

	if (m->failed || (inner != m->reply->template_pid && inner != m->reply->init_pid))
		return;
	m->failed = launch_add_to_cgroups(m->l, pid, false, m->err);
}

static int move_stubs(struct launch *l, const struct control_create_reply *reply,
		      struct error **err)
{
	struct move m = { l, reply, err, 0 };

	if (l->cgroups.count > 0 && (reply->template_pid > 0 || reply->init_pid > 0))
		sandbox_for_each_stub(l->booted_by, move_stub, &m);
	return m.failed;
}

static int launch_run(struct launch *l, struct error **err)
{
	struct control_create_reply reply = { 0 };

	if (prepare(l, err) < 0 || start_monitor(l, err) < 0 || launch_start_gofer(l, err) < 0 ||
	    launch_run_early_hooks(l, err) < 0 || launch_let_gofer_go(l, err) < 0 ||
	    launch_wait_gofer(l, err) < 0)
		return error_code(*err);
	warn_of_namespaces(l);
	if (create(l, &reply, err) < 0 || move_stubs(l, &reply, err) < 0)
		return error_code(*err);
	if (send(l->go.ours, &reply.handle, sizeof(reply.handle), MSG_NOSIGNAL) !=
	    sizeof(reply.handle))
		return error_set_errno(err, -errno, "start the monitor");
	return 0;
}

int subcontainer_launch(const struct globals *globals, const struct spec *spec,
			struct container *container, const struct container *booted_by,
			const struct launch_options *options, int *pidfd, struct error **err)
{
	struct launch l;
	int ret;

	launch_init(&l, globals, spec, container, options);
	l.booted_by = booted_by;
	ret = launch_run(&l, err);
	if (ret < 0) {
		if (container->handle)
			subcontainer_end(container);
		launch_undo(&l);
		memset(&container->monitor, 0, sizeof(container->monitor));
	} else {
		*pidfd = move_fd(&l.monitor.pidfd);
	}
	launch_free(&l);
	return ret;
}

int subcontainer_end(const struct container *container)
{
	AUTO_ERROR struct error *err = NULL;
	int ret;

	/* The sandbox ends with its sentry, and all that was in it. */
	if (!container->handle || !process_alive(&container->sentry))
		return 0;
	ret = control_call_once(container, CONTROL_CALL_EMPTY(CONTROL_DESTROY), &err);
	if (ret == 0 || ret == -ESRCH || !process_alive(&container->sentry))
		return 0;
	log_debug("%s: %s", container->id, error_message(err));
	return ret;
}
