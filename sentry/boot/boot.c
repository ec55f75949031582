/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's life: take over what the command line passed, start the stub
 * template and the service threads, confine, build the container's tree and its
 * init, answer "ready", serve until init has ended.
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
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/fs/proc/sys/sysctl.h"
#include "sentry/host/host_confine.h"
#include "sentry/host/host_sanitizer.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_memfd.h"
#include "sentry/host/host_procfs.h"
#include "sentry/host/host_system.h"
#include "sentry/host/host_tty.h"
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

static void start_log(const struct sandbox *s)
{
	enum log_level level = s->config.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;

	log_set_output(s->files.debug_log >= 0 ? s->files.debug_log : STDERR_FILENO,
		       LOG_FORMAT_TEXT, level);
	if (s->files.debug_log >= 0)
		host_sanitizer_report_to(s->files.debug_log);
	if (s->config.strace && s->files.debug_log >= 0)
		strace_enable(s->files.debug_log);
}

/* Key and value alternate. */
static int set_sysctls(const struct sandbox *s, struct boot_failure *why)
{
	const struct boot_strings *list = &s->config.sysctl;

	for (uint32_t i = 0; i + 1 < list->count; i += 2) {
		int rc = sysctl_set(list->items[i], list->items[i + 1]);

		if (rc < 0)
			return boot_failed_errno(why, rc, "sysctl %s", list->items[i]);
	}
	return 0;
}

static int start_kernel(struct sandbox *s, struct boot_failure *why)
{
	const struct kernel_config config = {
		.platform = s->platform,
		.cpus = s->config.cpu_count,
		.memory_limit = s->config.memory_limit ? s->config.memory_limit : UINT64_MAX,
		.pids_limit = (int64_t)s->config.pids_limit,
		.nice = host_system_nice(),
		.hostname = s->config.hostname,
		.domainname = s->config.domainname,
	};
	const struct cgroup_config cgroup = {
		.layout = 2,
		.memory_limit = s->config.memory_limit,
		.swap_limit = s->config.memory_swap_limit,
		.cpu_shares = s->config.cpu_shares,
		.cpu_quota_us = s->config.cpu_quota_us,
		.cpu_period_us = s->config.cpu_period_us,
		.pids_limit = s->config.pids_limit,
	};
	int rc = subsystems_start(&config, &s->kernel, why->text, sizeof(why->text));

	if (rc < 0)
		return boot_failed_errno(why, rc, "start the kernel");
	cgroup_configure(&cgroup);
	return set_sysctls(s, why);
}

/* Before confinement: everything that needs a host call that is refused later. */
static int prepare(struct sandbox *s, struct boot_failure *why)
{
	int rc = host_procfs_open();

	if (rc < 0)
		return boot_failed_errno(why, rc, "procfs of the sandbox");
	host_memfd_init(host_procfs_fd());
	if (s->config.process.terminal) {
		s->console_watch_fd = host_tty_watch_size(s->files.stdin_fd);
		if (s->console_watch_fd < 0)
			return boot_failed_errno(why, s->console_watch_fd, "take the console");
	}
	rc = boot_platform(s, why);
	if (rc < 0)
		return rc;
	/* Before the first service thread: capabilities belong to threads. */
	rc = host_drop_privileges();
	if (rc < 0)
		return boot_failed_errno(why, rc, "drop capabilities");
	return start_kernel(s, why);
}

static int confine(const struct sandbox *s, struct boot_failure *why)
{
	int rc = host_confine(s->config.platform == BOOT_PLATFORM_PTRACE);

	return rc < 0 ? boot_failed_errno(why, rc, "confine the sentry") : 0;
}

static int create_init(struct sandbox *s, struct boot_failure *why)
{
	size_t count = 3 + s->files.extra_count;
	int *fds = calloc(count, sizeof(*fds));
	struct fd_table *table;
	int rc;

	if (!fds)
		return -ENOMEM;
	fds[0] = move_fd(&s->files.stdin_fd);
	fds[1] = move_fd(&s->files.stdout_fd);
	fds[2] = move_fd(&s->files.stderr_fd);
	for (uint32_t i = 0; i < s->files.extra_count; i++)
		fds[3 + i] = move_fd(&s->files.extra[i]);
	rc = boot_fd_table(s, &s->config.process, fds, count, move_fd(&s->console_watch_fd), &table,
			   &s->console, why);
	for (size_t i = 0; i < count; i++)
		cleanup_close(&fds[i]);
	free(fds);
	if (rc < 0)
		return rc;
	rc = boot_create_process(s, &s->config.process, table, true, sandbox_init_exited, s,
				 &s->init, why);
	fd_table_put(table);
	if (rc == 0 && s->console)
		rc = console_start(s->console, s->init);
	return rc < 0 ? boot_failed_errno(why, rc, "start the console") : 0;
}

static int build_container(struct sandbox *s, struct boot_failure *why)
{
	int rc = platform_run(s->platform);

	if (rc < 0)
		return boot_failed_errno(why, rc, "run the platform");
	rc = boot_mounts(s, why);
	if (rc == 0)
		rc = create_init(s, why);
	if (rc == 0)
		rc = control_server_start(move_fd(&s->files.control), &sandbox_control_ops, s,
					  &s->server);
	return rc < 0 ? boot_failed_errno(why, rc, "control server") : 0;
}

static int boot(struct sandbox *s, struct boot_failure *why)
{
	int rc = boot_config_read(s->files.config, &s->config);

	if (rc < 0)
		return boot_failed_errno(why, rc, "configuration");
	start_log(s);
	rc = prepare(s, why);
	if (rc == 0)
		rc = confine(s, why);
	if (rc == 0)
		rc = build_container(s, why);
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
	status = s->init_status;
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
	list_init(&s->watches);
	list_init(&s->execs);
	s->console_watch_fd = -1;
	rc = boot_channel_receive(BOOT_CHANNEL_FD, &s->files);
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
