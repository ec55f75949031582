/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further containers of a running sandbox.  What is asked for is built as the root container was, but
 * under the filter, and what fails leaves nothing behind: the others go on.
 *
 * The network namespace is the sandbox's, as is its root user namespace; so are those of IPC and names,
 * if its configuration does not have new ones.
 */
#include "sentry/boot/console.h"

#include <errno.h>

#include "sentry/abi/sched.h"
#include "sentry/abi/signal.h"
#include "sentry/ipc/ipc_namespace.h"
#include "sentry/kernel/kernel_pause.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/timer.h"
#include "util/log.h"

#define DESTROY_TIMEOUT_NS (5 * NSEC_PER_SEC)

/* The reference that its init held. */
static void init_exited(void *arg, int wait_status)
{
	struct sandbox_container *c = arg;

	sandbox_tell_exit(c, wait_status);
	sandbox_container_put(c);
}

static int join_pid_namespace(struct sandbox_container *c, uint32_t handle,
			      struct boot_failure *why)
{
	struct sandbox_container *other = sandbox_find_container(c->sandbox, handle);

	if (!other)
		return boot_failed(why, -ESRCH, "the container whose PID namespace is to be joined "
						"is gone");
	c->pid_ns = pid_namespace_get(other->pid_ns);
	sandbox_container_put(other);
	return 0;
}

static int make_pid_namespace(struct sandbox_container *c,
			      const struct control_create_request *request,
			      struct boot_failure *why)
{
	struct kernel *k = c->kernel;
	int rc;

	if (request->pid_namespace == CONTROL_PID_NAMESPACE_JOIN)
		return join_pid_namespace(c, request->join, why);
	rc = pid_namespace_new(k->root_pid_ns, k->container_user_ns,
			       uid_to_kernel(k->container_user_ns, 0), &c->pid_ns);
	return rc < 0 ? boot_failed_errno(why, rc, "PID namespace") : 0;
}

static int make_uts_namespace(struct sandbox_container *c)
{
	struct kernel *k = c->kernel;
	int rc;

	if (!(c->config.new_namespaces & LINUX_CLONE_NEWUTS))
		return 0;
	rc = uts_namespace_new(k->root_uts_ns, k->container_user_ns,
			       uid_to_kernel(k->container_user_ns, 0), &c->uts);
	if (rc == 0)
		uts_namespace_set_names(c->uts, c->config.hostname, c->config.domainname);
	return rc;
}

static int make_ipc_namespace(struct sandbox_container *c, uint32_t join, struct boot_failure *why)
{
	struct sandbox_container *other;

	if (c->config.new_namespaces & LINUX_CLONE_NEWIPC)
		return ipc_namespace_new(c->kernel->container_user_ns, &c->ipc);
	other = sandbox_find_container(c->sandbox, join);
	if (!other)
		return boot_failed(why, -ESRCH, "the container whose IPC namespace is to be joined "
						"is gone");
	c->ipc = other->ipc ? ipc_namespace_get(other->ipc) : NULL;
	sandbox_container_put(other);
	return 0;
}

static int make_namespaces(struct sandbox_container *c, const struct control_create_request *request,
			   struct boot_failure *why)
{
	int rc = make_pid_namespace(c, request, why);

	if (rc == 0)
		rc = make_uts_namespace(c);
	if (rc == 0)
		rc = make_ipc_namespace(c, request->join_ipc, why);
	return rc < 0 ? boot_failed_errno(why, rc, "namespaces") : 0;
}

static int read_files(struct sandbox_container *c, int channel, struct boot_failure *why)
{
	int rc = boot_channel_receive(channel, BOOT_CONTAINER, &c->files);

	if (rc == 0)
		rc = boot_config_read(c->files.config, &c->config);
	if (rc == 0 && c->config.attach_count != c->files.attach_count)
		rc = -EPROTO;
	return rc < 0 ? boot_failed_errno(why, rc, "configuration") : 0;
}

/* Stubs of its own, which can be in a cgroup of its own on the host. */
static int make_stubs(struct sandbox_container *c)
{
	int rc = stub_family_new(c->kernel->platform, &c->members->stubs);

	return rc == -EOPNOTSUPP ? 0 : rc;
}

static int build(struct sandbox_container *c, const struct control_create *create,
		 struct boot_failure *why)
{
	struct container_limits limits;
	int rc = read_files(c, create->channel, why);

	if (rc < 0)
		return rc;
	limits = boot_limits(&c->config);
	rc = task_container_new(c->kernel, c->config.id, &limits, &c->members);
	if (rc == 0)
		rc = make_stubs(c);
	if (rc == 0)
		rc = make_namespaces(c, create->request, why);
	if (rc < 0)
		return rc;
	kernel_build_in(c->uts, c->ipc);
	/* Init holds it from its birth on, of which nothing comes if this fails. */
	sandbox_container_get(c);
	rc = boot_container(c, init_exited, why);
	kernel_build_in(NULL, NULL);
	if (rc < 0)
		sandbox_container_put(c);
	return rc;
}

/* It never runs, and nobody hears of it. */
static void abandon(struct sandbox_container *c)
{
	if (task_container_kill(c->members, clock_now(LINUX_CLOCK_MONOTONIC)) < 0)
		log_debug("container %s: its init is ending", c->config.id);
	if (!atomic_exchange(&c->started, true))
		kernel_start_process(c->init);
}

static int finish(struct sandbox_container *c, const struct control_create *create,
		  struct boot_failure *why)
{
	int rc = sandbox_watch_init(c, create->token);

	if (rc == 0 && c->console)
		rc = console_start(c->console, c->init);
	if (rc < 0) {
		abandon(c);
		return boot_failed_errno(why, rc, "start the console");
	}
	return 0;
}

static void name_stubs(struct sandbox_container *c, struct control_create_reply *out)
{
	struct task *init = sandbox_container_init(c);
	struct mm *mm = init ? task_mm_get(init) : NULL;

	if (c->members->stubs)
		out->template_pid = stub_family_host_pid(c->members->stubs);
	/* The init may have been killed from the root container meanwhile. */
	if (mm)
		out->init_pid = address_space_host_pid(mm->as);
	mm_put(mm);
	task_put(init);
}

int sandbox_op_create(void *arg, struct control_create *create, struct control_create_reply *out,
		      struct control_failure *failure)
{
	struct sandbox *s = ((struct sandbox_container *)arg)->sandbox;
	struct sandbox_container *c;
	struct boot_failure why = { "" };
	int rc;

	c = sandbox_container_new(s);
	if (!c)
		return -ENOMEM;
	rc = sandbox_container_number(c);
	if (rc == 0)
		rc = build(c, create, &why);
	if (rc == 0)
		rc = finish(c, create, &why);
	if (rc < 0) {
		control_failure_set(failure, "%s", why.text);
		sandbox_container_put(c);
		return rc;
	}
	out->handle = c->handle;
	name_stubs(c, out);
	sandbox_container_publish(c);
	sandbox_container_put(c);
	return 0;
}

int sandbox_op_destroy(void *arg, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	uint64_t deadline = clock_now(LINUX_CLOCK_MONOTONIC) + DESTROY_TIMEOUT_NS;

	/* Only who runs can die. */
	task_container_resume(c->members);
	if (!atomic_load(&c->started))
		abandon(c);
	if (task_container_kill(c->members, deadline) < 0) {
		control_failure_set(why, "a process of the container does not end");
		return -EBUSY;
	}
	task_container_close(c->members);
	sandbox_container_withdraw(c);
	return 0;
}

/*
 * Its init, as a SIGKILL of what stood for it.  One that was only created is forgotten, since who
 * created it may have died before it knew the container's handle.
 */
void sandbox_op_abandoned(void *arg)
{
	struct sandbox_container *c = arg;
	const struct linux_siginfo info = { .signo = LINUX_SIGKILL, .code = LINUX_SI_KERNEL };
	struct control_failure why = { "" };

	if (!atomic_load(&c->started)) {
		if (sandbox_op_destroy(c, &why) < 0)
			log_warning("container %s: %s", c->config.id, why.message);
	} else if (signal_send_group(c->init, &info) < 0) {
		log_debug("container %s: its init is gone", c->config.id);
	}
}
