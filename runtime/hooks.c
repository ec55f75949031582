/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running hooks.  stdin is a memfd that holds the state, stdout and stderr go to another one:
 * no pipe that could fill up, and what a failing hook had to say is in its error.
 */
#include "runtime/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/state.h"
#include "runtime/container/process.h"
#include "runtime/sanitize.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"

#define OUTPUT_SHOWN 512

int hook_text_fd(const char *text, int *out)
{
	AUTO_CLOSE int fd = memfd_create("moat-hook", MFD_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;

	if (ret == 0 && *text)
		ret = fd_write_all(fd, text, strlen(text));
	if (ret == 0 && lseek(fd, 0, SEEK_SET) < 0)
		ret = -errno;
	if (ret < 0)
		return ret;
	*out = move_fd(&fd);
	return 0;
}

char *hook_state(const struct container *c, pid_t pid)
{
	struct oci_state state = {
		.oci_version = OCI_VERSION,
		.id = c->id,
		.status = c->status,
		.pid = pid,
		.bundle = c->bundle ? c->bundle : "",
		.annotations = &c->annotations,
	};

	return oci_state_json(&state);
}

static int hook_spawn(const struct spec_hook *hook, int input, int output, pid_t *pid)
{
	char *const plain[] = { hook->path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int ret;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	ret = posix_spawn(pid, hook->path, &actions, &attributes,
			  hook->args.count ? hook->args.items : plain,
			  hook->env.count ? hook->env.items : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* 0, or -ETIMEDOUT once the hook has been killed. */
static int hook_wait(const struct spec_hook *hook, pid_t pid, int *status)
{
	AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int timeout_ms = -1;
	int ended = 1;

	if (hook->timeout.set)
		timeout_ms = hook->timeout.value > INT32_MAX / 1000 ? INT32_MAX
								    : hook->timeout.value * 1000;
	if (pidfd >= 0)
		ended = process_wait_pidfd(pidfd, timeout_ms);
	if (ended == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return ended == 0 ? -ETIMEDOUT : 0;
}

static void describe_output(int output, char *text, size_t size)
{
	ssize_t n = pread(output, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	sanitize_text(text);
}

static int hook_failed(const struct spec_hook *hook, int waited, int status, int output,
		       struct error **err)
{
	char text[OUTPUT_SHOWN];

	describe_output(output, text, sizeof(text));
	if (waited < 0)
		return error_set(err, waited, "%s: timed out after %d s, output: \"%s\"", hook->path,
				 hook->timeout.value, text);
	if (WIFSIGNALED(status))
		return error_set(err, -EIO, "%s: killed by signal %d, output: \"%s\"", hook->path,
				 WTERMSIG(status), text);
	return error_set(err, -EIO, "%s: exit status %d, output: \"%s\"", hook->path,
			 WEXITSTATUS(status), text);
}

static int hook_run(const struct spec_hook *hook, const char *state, struct error **err)
{
	AUTO_CLOSE int input = -1;
	AUTO_CLOSE int output = -1;
	int status = 0;
	pid_t pid;
	int ret = hook_text_fd(state, &input);

	if (ret == 0)
		ret = hook_text_fd("", &output);
	if (ret == 0)
		ret = hook_spawn(hook, input, output, &pid);
	if (ret != 0)
		return error_set_errno(err, ret, "%s", hook->path);
	ret = hook_wait(hook, pid, &status);
	if (ret < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return hook_failed(hook, ret, status, output, err);
	return 0;
}

int hooks_run(const struct spec_hook_list *hooks, const char *kind,
	      const struct container *container, struct error **err)
{
	AUTO_FREE char *state = hooks->count ? hook_state(container, container_pid(container)) : NULL;

	if (hooks->count && !state)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < hooks->count; i++) {
		if (hook_run(&hooks->items[i], state, err) < 0)
			return error_wrap(err, "error running %s hook #%zu", kind, i);
	}
	return 0;
}

void hooks_run_all(const struct spec_hook_list *hooks, const char *kind, const struct container *container)
{
	AUTO_FREE char *state = hooks->count ? hook_state(container, container_pid(container)) : NULL;

	if (hooks->count && !state)
		log_warning("error running %s hooks: out of memory", kind);
	for (size_t i = 0; state && i < hooks->count; i++) {
		AUTO_ERROR struct error *err = NULL;

		if (hook_run(&hooks->items[i], state, &err) < 0)
			log_warning("error running %s hook #%zu: %s", kind, i, error_message(err));
	}
}
