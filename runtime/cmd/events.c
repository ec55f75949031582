/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat events: what a container uses, every few seconds, and the host's OOM killer at work in it, one
 * JSON object a line, until the container ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/cgroup_oom.h"
#include "runtime/cgroup/cgroup_stats.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "util/cleanup.h"

#define NSEC_PER_SEC 1000000000LL

struct options {
	bool stats;
	int64_t interval;
};

static const struct option_row rows[] = {
	{ "interval", NULL, OPTION_DURATION, offsetof(struct options, interval),
	  "set the stats collection interval", "5s" },
	{ "stats", NULL, OPTION_BOOL, offsetof(struct options, stats),
	  "display the container's stats then exit" },
};

static int print_line(struct json_writer *w, struct error **err)
{
	AUTO_FREE char *text = json_writer_finish(w);

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (puts(text) < 0 || fflush(stdout) != 0)
		return error_set_errno(err, -errno, "write the event");
	return 0;
}

static void begin_event(struct json_writer *w, const char *type, const char *id)
{
	json_writer_init(w, NULL);
	json_write_object_begin(w);
	json_put_string(w, "type", type);
	json_put_string(w, "id", id);
}

static int print_stats(const struct container *c, const struct cgroup_set *set, struct error **err)
{
	struct control_state_reply state = { 0 };
	struct json_writer w;

	if (control_state(c, &state, err) < 0)
		return error_code(*err);
	begin_event(&w, "stats", c->id);
	json_write_key(&w, "data");
	cgroup_stats_write(set, state.task_count, state.task_limit, &w);
	json_write_object_end(&w);
	return print_line(&w, err);
}

static int print_oom(const struct container *c, struct error **err)
{
	struct json_writer w;

	begin_event(&w, "oom", c->id);
	json_write_object_end(&w);
	return print_line(&w, err);
}

static int start_timer(int64_t interval_ns, struct error **err)
{
	const struct timespec every = { interval_ns / NSEC_PER_SEC, interval_ns % NSEC_PER_SEC };
	const struct itimerspec spec = { .it_interval = every, .it_value = every };
	AUTO_CLOSE int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL) < 0)
		return error_set_errno(err, -errno, "timer");
	return move_fd(&fd);
}

struct watched {
	const struct container *container;
	const struct cgroup_set *set;
	struct oom_watch oom;
	int timer;
	int process; /* pidfd of the sandbox */
};

/* One turn; 1: the container has ended. */
static int wait_once(struct watched *x, struct error **err)
{
	struct pollfd fds[] = { { .fd = x->process, .events = POLLIN },
				{ .fd = x->oom.fd, .events = POLLIN },
				{ .fd = x->timer, .events = POLLIN } };
	uint64_t ticks;

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 0 : error_set_errno(err, -errno, "poll");
	if (fds[1].revents) {
		int killed = oom_watch_take(&x->oom);

		if (killed < 0)
			oom_watch_end(&x->oom);
		if (killed > 0 && print_oom(x->container, err) < 0)
			return error_code(*err);
	}
	if (fds[0].revents)
		return 1;
	if (fds[2].revents && read(x->timer, &ticks, sizeof(ticks)) == sizeof(ticks)) {
		struct error *gone = NULL;

		/* It may just be ending: then the next turn sees that. */
		if (print_stats(x->container, x->set, &gone) < 0)
			error_free(gone);
	}
	return 0;
}

static int follow(const struct container *c, const struct cgroup_set *set, int64_t interval_ns,
		  struct error **err)
{
	AUTO_CLOSE int timer = start_timer(interval_ns, err);
	AUTO_CLOSE int process = process_open(container_process(c));
	struct watched x = { .container = c, .set = set, .timer = timer, .process = process };
	int ret;

	if (timer < 0)
		return timer;
	if (process < 0)
		return error_set(err, process, "container not running");
	ret = oom_watch_begin(&x.oom, set, err);
	while (ret == 0)
		ret = wait_once(&x, err);
	oom_watch_end(&x.oom);
	return ret < 0 ? ret : 0;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	struct cgroup_set set;
	int ret;

	if (o->interval <= 0)
		return error_set(err, -EINVAL, "duration interval must be greater than 0");
	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	/* It is watched for long: others may change it. */
	container_unlock(container);
	if (container->status == OCI_STOPPED || container->status == OCI_CREATING)
		return error_set(err, -ESRCH, "container with id %s is not running", container->id);
	if (cgroup_locate_recorded(&container->cgroups, &set, err) < 0)
		return error_code(*err);
	ret = o->stats ? print_stats(container, &set, err) : follow(container, &set, o->interval, err);
	cgroup_set_free(&set);
	return ret;
}

const struct command command_events = {
	.name = "events",
	.summary = "display container events such as OOM notifications, cpu, memory, and IO usage "
		   "statistics",
	.usage = "<container-id>",
	.description = "   The events command displays information about the container. By default the\n"
		       "   information is displayed once every 5 seconds.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
