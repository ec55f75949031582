/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's life: take over what the command line passed, start the stub
 * template and the service threads, confine, build the root container's tree and
 * its init, answer "ready", serve until that has ended.
 *
 * Everything before confine() handles only what the operator gave.  The first
 * byte of the container's own files is read after it.
 */
#include "sentry/boot/boot.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sentry/boot/console.h"
#include "sentry/boot/subsystems.h"
#include "sentry/fs/proc/sys/sysctl.h"
#include "sentry/host/host_confine.h"
#include "sentry/host/host_sanitizer.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_memfd.h"
#include "sentry/host/host_netlink.h"
#include "sentry/host/host_procfs.h"
#include "sentry/host/host_system.h"
#include "sentry/host/host_tty.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/syscalls/dispatch.h"
#include "sentry/trace/strace.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/log.h"

int boot_failed(struct boot_failure *why, int code, const char *fmt, ...)
{
	va_list ap;

	if (why->text[0])
		return code;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return code;
}

int boot_failed_errno(struct boot_failure *why, int code, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (why->text[0])
		return code;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text) - 1, fmt, ap);
	va_end(ap);
	used = strlen(why->text);
	used += (size_t)snprintf(why->text + used, sizeof(why->text) - used, ": ");
	if (used < sizeof(why->text))
		error_errno_text(code, why->text + used, sizeof(why->text) - used);
	return code;
}

static void start_log(struct sandbox *s, const struct boot_config *config)
{
	enum log_level level = config->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;

	s->debug_log = move_fd(&s->root->files.debug_log);
	log_set_output(s->debug_log >= 0 ? s->debug_log : STDERR_FILENO, LOG_FORMAT_TEXT, level);
	if (s->debug_log >= 0)
		host_sanitizer_report_to(s->debug_log);
	if (config->strace && s->debug_log >= 0)
		strace_enable(s->debug_log);
}

/* Key and value alternate. */
static int set_sysctls(const struct boot_config *config, struct boot_failure *why)
{
	const struct boot_strings *list = &config->sysctl;

	for (uint32_t i = 0; i + 1 < list->count; i += 2) {
		int rc = sysctl_set(list->items[i], list->items[i + 1]);

		/* The host has it, and a guest cannot see it. */
		if (rc == -ENOENT && config->network == BOOT_NETWORK_HOST &&
		    !strncmp(list->items[i], "net", 3))
			continue;
		if (rc < 0)
			return boot_failed_errno(why, rc, "sysctl %s", list->items[i]);
	}
	return 0;
}

static struct id_map_extent *extents_of(const struct boot_id_map *map, uint32_t count)
{
	struct id_map_extent *out = calloc(count, sizeof(*out));

	for (uint32_t i = 0; out && i < count; i++)
		out[i] = (struct id_map_extent){ map[i].container_id, map[i].host_id, map[i].size };
	return out;
}

struct container_limits boot_limits(const struct boot_config *c)
{
	return (struct container_limits){
		.memory_limit = c->memory_limit,
		.swap_limit = c->memory_swap_limit,
		.cpu_shares = c->cpu_shares,
		.cpu_quota_us = c->cpu_quota_us,
		.cpu_period_us = c->cpu_period_us,
		.pids_limit = c->pids_limit,
	};
}

static int start_kernel(struct sandbox *s, struct boot_failure *why)
{
	const struct boot_config *c = &s->root->config;
	AUTO_FREE struct id_map_extent *uid_map = extents_of(c->uid_maps, c->uid_map_count);
	AUTO_FREE struct id_map_extent *gid_map = extents_of(c->gid_maps, c->gid_map_count);
	const struct kernel_config config = {
		.platform = s->platform,
		.cpus = c->cpu_count,
		.container_id = c->id,
		.limits = boot_limits(c),
		.nice = host_system_nice(),
		.hostname = c->hostname,
		.domainname = c->domainname,
		.uid_map = uid_map,
		.uid_map_count = uid_map ? c->uid_map_count : 0,
		.gid_map = gid_map,
		.deny_setgroups = c->deny_setgroups,
		.gid_map_count = gid_map ? c->gid_map_count : 0,
	};
	int rc = -ENOMEM;

	/* Without its map the container would have the ids of the host. */
	if (config.uid_map_count == c->uid_map_count && config.gid_map_count == c->gid_map_count)
		rc = subsystems_start(&config, &s->kernel, why->text, sizeof(why->text));
	if (rc < 0)
		return boot_failed_errno(why, rc, "start the kernel");
	s->root->kernel = s->kernel;
	s->root->members = task_container_get(s->kernel->root_container);
	s->root->pid_ns = pid_namespace_get(s->kernel->root_pid_ns);
	return 0;
}

static int prepare_network(const struct boot_config *config)
{
	if (config->network != BOOT_NETWORK_HOST)
		return 0;
	net_set_root_provider(&host_provider);
	return host_netlink_open();
}

/* Before confinement: everything that needs a host call that is refused later. */
static int prepare(struct sandbox *s, struct boot_failure *why)
{
	struct sandbox_container *root = s->root;
	int rc = host_procfs_open();

	if (rc < 0)
		return boot_failed_errno(why, rc, "procfs of the sandbox");
	host_memfd_init(host_procfs_fd());
	if (root->config.process.terminal) {
		root->console_watch_fd = host_tty_watch_size(root->files.stdin_fd);
		if (root->console_watch_fd < 0)
			return boot_failed_errno(why, root->console_watch_fd, "take the console");
	}
	rc = boot_platform(s, why);
	if (rc < 0)
		return rc;
	/* Before the first service thread: capabilities belong to threads. */
	rc = host_drop_privileges();
	if (rc < 0)
		return boot_failed_errno(why, rc, "drop capabilities");
	rc = prepare_network(&root->config);
	if (rc < 0)
		return boot_failed_errno(why, rc, "network of the host");
	return start_kernel(s, why);
}

static int confine(const struct sandbox *s, struct boot_failure *why)
{
	const struct boot_config *config = &s->root->config;
	int rc = host_confine(config->platform == BOOT_PLATFORM_PTRACE,
			      config->network == BOOT_NETWORK_HOST);

	return rc < 0 ? boot_failed_errno(why, rc, "confine the sentry") : 0;
}

static int create_init(struct sandbox_container *c, void (*init_exited)(void *, int),
		       struct boot_failure *why)
{
	size_t count = 3 + c->files.extra_count;
	int *fds = calloc(count, sizeof(*fds));
	struct fd_table *table;
	int rc;

	if (!fds)
		return -ENOMEM;
	fds[0] = move_fd(&c->files.stdin_fd);
	fds[1] = move_fd(&c->files.stdout_fd);
	fds[2] = move_fd(&c->files.stderr_fd);
	for (uint32_t i = 0; i < c->files.extra_count; i++)
		fds[3 + i] = move_fd(&c->files.extra[i]);
	rc = boot_fd_table(c, &c->config.process, true, fds, count, &table, &c->console, why);
	for (size_t i = 0; i < count; i++)
		cleanup_close(&fds[i]);
	free(fds);
	if (rc < 0)
		return rc;
	rc = boot_create_process(c, &c->config.process, table, NULL, init_exited, c, &c->init, why);
	fd_table_put(table);
	return rc;
}

int boot_container(struct sandbox_container *c, void (*init_exited)(void *, int),
		   struct boot_failure *why)
{
	int rc = set_sysctls(&c->config, why);

	if (rc == 0)
		rc = boot_mounts(c, why);
	if (rc == 0)
		rc = boot_time_namespace(c, why);
	if (rc == 0)
		rc = create_init(c, init_exited, why);
	sandbox_container_close_files(c);
	return rc;
}

static int build_root(struct sandbox *s, struct boot_failure *why)
{
	int listener = move_fd(&s->root->files.control);
	int rc = platform_run(s->platform);

	if (rc < 0)
		return boot_failed_errno(why, rc, "run the platform");
	rc = boot_container(s->root, sandbox_init_exited, why);
	if (rc < 0)
		return rc;
	if (s->root->console && console_start(s->root->console, s->root->init) < 0)
		return boot_failed_errno(why, -ENOMEM, "start the console");
	rc = control_server_start(listener, &sandbox_control_ops, s, &s->server);
	return rc < 0 ? boot_failed_errno(why, rc, "control server") : 0;
}

static int boot(struct sandbox *s, struct boot_failure *why)
{
	struct boot_config *config = &s->root->config;
	int rc = boot_config_read(s->root->files.config, config);

	if (rc < 0)
		return boot_failed_errno(why, rc, "configuration");
	start_log(s, config);
	rc = prepare(s, why);
	if (rc == 0)
		rc = confine(s, why);
	if (rc == 0)
		rc = build_root(s, why);
	return rc;
}

static int exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static int serve(struct sandbox *s)
{
	int status;

	while (!atomic_load(&s->finished))
		host_futex_wait(&s->finished, 0, HOST_FUTEX_FOREVER, false);
	mutex_lock(&s->lock);
	status = s->root->init_status;
	mutex_unlock(&s->lock);
	kernel_kill_all(s->kernel, NULL);
	control_server_stop(s->server);
	syscall_log_missing();
	return exit_status(status);
}

int sentry_main(int argc, char **argv)
{
	struct sandbox *s = calloc(1, sizeof(*s));
	struct boot_failure why = { "" };
	int rc;

	(void)argc;
	(void)argv;
	if (!s)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	mutex_init(&s->lock, LOCK_RANK_LEAF);
	list_init(&s->containers);
	s->debug_log = -1;
	s->root = sandbox_container_new(s);
	if (!s->root)
		return 1;
	list_add_tail(&s->containers, &s->root->node);
	rc = boot_channel_receive(BOOT_CHANNEL_FD, BOOT_SANDBOX, &s->root->files);
	if (rc < 0)
		boot_failed_errno(&why, rc, "boot channel");
	else
		rc = boot(s, &why);
	if (boot_channel_answer(BOOT_CHANNEL_FD, rc, "%s", why.text) < 0 && rc == 0)
		rc = -EPIPE;
	close(BOOT_CHANNEL_FD);
	if (rc < 0)
		_exit(1);
	/* The stubs die with this process, the first of its PID namespace. */
	_exit(serve(s));
}
