/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook is an exec request.  Its stdin is a read-only FD of the state, its output a pipe that
 * is read while it runs: it is hostile, so of what it prints only the beginning is kept.
 */
#include "runtime/start_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/control_client.h"
#include "runtime/hooks.h"
#include "runtime/sandbox/boot_config_build.h"
#include "runtime/sanitize.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define OUTPUT_SHOWN 512
#define PID_IN_CONTAINER 1 /* what runc writes: the init's, as the hook sees it */

struct start_hook {
	const struct spec_hook *hook;
	int connection;
	int output; /* our end of the pipe */
	char text[OUTPUT_SHOWN];
	size_t length;
};

static int hook_input(const char *state, int *out)
{
	AUTO_CLOSE int writable = -1;
	char path[64];
	int ret = hook_text_fd(state, &writable);

	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	if (ret < 0)
		return -errno;
	*out = ret;
	return 0;
}

/* The process of config.json with the hook's program, borrowed but for the structure itself. */
static int hook_process(const struct spec *spec, const struct spec_hook *hook, int *config,
			struct error **err)
{
	struct spec_process process = *spec->process;
	struct boot_extra extra = { .program = hook->path };
	char *only[] = { hook->path, NULL };

	process.args = hook->args;
	if (process.args.count == 0)
		process.args = (struct string_list){ .items = only, .count = 1 };
	if (hook->env.count) {
		process.env = hook->env;
		extra.exact_env = true;
	}
	return boot_process_build(&process, &extra, config, err);
}

static int start(struct start_hook *h, const struct spec *spec, const struct container *c,
		 const char *state, struct error **err)
{
	struct control_exec_request request = { .fd_count = CONTROL_EXEC_FIXED_FDS };
	struct control_exec_reply reply = { 0 };
	AUTO_CLOSE int config = -1, input = -1, writer = -1;
	int ends[2];
	int ret = hook_input(state, &input);

	if (ret == 0 && pipe2(ends, O_CLOEXEC) < 0)
		ret = -errno;
	if (ret != 0)
		return error_set_errno(err, ret, "%s", h->hook->path);
	h->output = ends[0];
	writer = ends[1];
	if (hook_process(spec, h->hook, &config, err) < 0)
		return error_code(*err);
	return control_call(c, h->connection,
			    &(struct control_call){
				    .type = CONTROL_EXEC,
				    .request = &request,
				    .request_size = sizeof(request),
				    .fds = (const int[]){ config, input, writer, writer },
				    .fd_count = CONTROL_EXEC_FIXED_FDS,
				    .reply = &reply,
				    .reply_size = sizeof(reply) },
			    err);
}

/* One read of what there is; false at the end of the pipe. */
static bool collect(struct start_hook *h)
{
	char chunk[4096];
	ssize_t n = read(h->output, chunk, sizeof(chunk));
	size_t room = sizeof(h->text) - 1 - h->length;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	memcpy(h->text + h->length, chunk, MIN((size_t)n, room));
	h->length += MIN((size_t)n, room);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the hook has ended: 0, or -ETIMEDOUT. */
static int wait_end(struct start_hook *h)
{
	int64_t end = h->hook->timeout.set ? now_ms() + (int64_t)h->hook->timeout.value * 1000
					   : INT64_MAX;
	struct pollfd entries[] = {
		{ .fd = h->connection, .events = POLLIN },
		{ .fd = h->output, .events = POLLIN },
	};

	for (;;) {
		int64_t left = end - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		/* In steps: a poll cannot wait as long as a timeout may be. */
		if (poll(entries, ARRAY_SIZE(entries), (int)MIN(left, 60000)) <= 0)
			continue;
		if (entries[1].revents && !collect(h))
			entries[1].fd = -1;
		if (entries[0].revents)
			return 0;
	}
}

/* What it printed last may still be in the pipe; who else holds the pipe is not waited for. */
static const char *output_text(struct start_hook *h)
{
	struct pollfd entry = { .fd = h->output, .events = POLLIN };

	while (h->length < sizeof(h->text) - 1 && poll(&entry, 1, 0) > 0 && collect(h))
		;
	while (h->length > 0 && h->text[h->length - 1] == '\n')
		h->length--;
	h->text[h->length] = '\0';
	sanitize_text(h->text);
	return h->text;
}

static int finish(struct start_hook *h, struct error **err)
{
	const char *path = h->hook->path;
	uint32_t wait_status;
	int status;

	if (wait_end(h) < 0)
		return error_set(err, -ETIMEDOUT, "%s: timed out after %d s, output: \"%s\"", path,
				 h->hook->timeout.value, output_text(h));
	if (control_read_exit(h->connection, &wait_status) < 0)
		return error_set(err, -EIO, "%s: the sandbox ended", path);
	status = (int)wait_status;
	if (WIFSIGNALED(status))
		return error_set(err, -EIO, "%s: killed by signal %d, output: \"%s\"", path,
				 WTERMSIG(status), output_text(h));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, -EIO, "%s: exit status %d, output: \"%s\"", path,
				 WEXITSTATUS(status), output_text(h));
	return 0;
}

/* A connection for each: closing it is what kills a hook that is out of time. */
static int run_one(const struct spec *spec, const struct spec_hook *hook,
		   const struct container *c, const char *state, struct error **err)
{
	struct start_hook h = { .hook = hook, .connection = -1, .output = -1 };
	int ret = control_connect(c, &h.connection, err);

	if (ret == 0)
		ret = start(&h, spec, c, state, err);
	if (ret == 0)
		ret = finish(&h, err);
	cleanup_close(&h.connection);
	cleanup_close(&h.output);
	return ret;
}

int start_hooks_run(const struct spec *spec, const struct container *c, struct error **err)
{
	const struct spec_hook_list *hooks = &spec->hooks.start_container;
	AUTO_FREE char *state = hooks->count ? hook_state(c, PID_IN_CONTAINER) : NULL;

	if (hooks->count && !state)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < hooks->count; i++) {
		if (run_one(spec, &hooks->items[i], c, state, err) < 0)
			return error_wrap(err, "error running startContainer hook #%zu", i);
	}
	return 0;
}
