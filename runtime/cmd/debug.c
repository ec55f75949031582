/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat debug: what goes on in a sandbox, from its sentry.  What that says is hostile: its lists must
 * go up and end, its texts are made harmless.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cmd/ps_list.h"
#include "runtime/cmd/ps_table.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "runtime/sanitize.h"
#include "runtime/signal_name.h"
#include "util/cleanup.h"

#define TASKS_MAX (1u << 22) /* the most Linux has */

struct options {
	bool ps;
	bool stacks;
	const char *signal;
	unsigned pid;
	const char *strace;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "ps", NULL, OPTION_BOOL, FIELD(ps), "list the processes of the sandbox" },
	{ "stacks", NULL, OPTION_BOOL, FIELD(stacks),
	  "list the threads of the sandbox, and in which call, made from where, each is" },
	{ "signal", NULL, OPTION_STRING, FIELD(signal), "send a signal to a process of the sandbox" },
	{ "pid", NULL, OPTION_COUNT, FIELD(pid), "the process of --signal", "1" },
	{ "strace", NULL, OPTION_STRING, FIELD(strace),
	  "log system calls to the container's --debug-log from now on ('all'), or no more ('off')" },
};

static const char *state_name(char state)
{
	static const struct {
		char state;
		const char *name;
	} names[] = {
		{ 'R', "running" },  { 'S', "sleeping" }, { 'D', "waiting" }, { 'T', "stopped" },
		{ 't', "traced" },   { 'Z', "zombie" },	  { 'X', "dead" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].state == state)
			return names[i].name;
	}
	return "unknown";
}

static void print_call(const struct control_task *t)
{
	if (t->call_name[0])
		printf("    %s(", t->call_name);
	else
		printf("    syscall_%" PRIu64 "(", t->call);
	for (size_t i = 0; i < ARRAY_SIZE(t->args); i++)
		printf("%s%#" PRIx64, i ? ", " : "", t->args[i]);
	printf(")\n    at %#" PRIx64, t->ip);
	if (t->file[0])
		printf(" %s+%#" PRIx64, t->file, t->file_offset);
	putchar('\n');
}

static void print_task(struct control_task *t)
{
	t->comm[sizeof(t->comm) - 1] = '\0';
	t->call_name[sizeof(t->call_name) - 1] = '\0';
	t->file[sizeof(t->file) - 1] = '\0';
	sanitize_text(t->comm);
	sanitize_text(t->call_name);
	sanitize_text(t->file);
	printf("process %d thread %d \"%s\" %s\n", t->pid, t->tid, t->comm, state_name(t->state));
	if (t->in_call)
		print_call(t);
	else if (t->state == 'R')
		puts("    in its own code");
}

static bool goes_up(const struct control_task *t, const struct control_tasks_request *last)
{
	return t->pid > last->after_pid ||
	       (t->pid == last->after_pid && t->tid > last->after_tid);
}

/* 1: there are more. */
static int print_page(const struct container *c, int fd, struct control_tasks_request *last,
		      uint32_t *count, struct error **err)
{
	struct control_tasks_reply page = { 0 };

	if (control_call(c, fd,
			 &(struct control_call){ .type = CONTROL_TASKS,
						 .request = last,
						 .request_size = sizeof(*last),
						 .reply = &page,
						 .reply_size = sizeof(page) },
			 err) < 0)
		return error_code(*err);
	for (uint32_t i = 0; i < page.count && i < CONTROL_TASKS_PAGE; i++) {
		if (!goes_up(&page.tasks[i], last) || ++*count > TASKS_MAX)
			return error_set_errno(err, -EPROTO, "list the sandbox's threads");
		print_task(&page.tasks[i]);
		*last = (struct control_tasks_request){ page.tasks[i].pid, page.tasks[i].tid };
	}
	return page.more && page.count > 0;
}

static int print_stacks(const struct container *container, struct error **err)
{
	struct control_tasks_request last = { 0 };
	AUTO_CLOSE int fd = -1;
	uint32_t count = 0;
	int ret;

	if (control_connect(container, &fd, err) < 0)
		return error_code(*err);
	do
		ret = print_page(container, fd, &last, &count, err);
	while (ret > 0);
	return ret;
}

static int print_processes(const struct container *container, struct error **err)
{
	struct ps_list list = { 0 };
	int ret = ps_list_read(container, &list, err);

	if (ret == 0)
		ret = ps_table_print(&list, err);
	ps_list_free(&list);
	return ret;
}

static int send_signal(const struct container *container, const struct options *o,
		       struct error **err)
{
	struct control_signal_request request = { .pid = (int32_t)o->pid };

	if (signal_parse(o->signal, &request.signal) < 0)
		return error_set(err, -EINVAL, "unknown signal \"%s\"", o->signal);
	return control_signal(container, &request, err);
}

static int set_strace(const struct container *container, const char *what, struct error **err)
{
	struct control_strace_request request = { .on = !strcmp(what, "all") };
	struct control_empty reply;

	if (!request.on && strcmp(what, "off") != 0)
		return error_set(err, -EINVAL, "invalid --strace \"%s\": all or off", what);
	return control_call_once(container,
				 &(struct control_call){ .type = CONTROL_STRACE,
							 .request = &request,
							 .request_size = sizeof(request),
							 .reply = &reply,
							 .reply_size = sizeof(reply) },
				 err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;

	if (!o->ps && !o->stacks && !o->signal && !o->strace)
		return error_set(err, -EINVAL,
				 "moat: \"debug\" needs one of --ps, --stacks, --signal, --strace");
	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	if (container_check_alive(container, err) < 0)
		return error_code(*err);
	if ((o->signal && send_signal(container, o, err) < 0) ||
	    (o->strace && set_strace(container, o->strace, err) < 0) ||
	    (o->ps && print_processes(container, err) < 0) ||
	    (o->stacks && print_stacks(container, err) < 0))
		return error_code(*err);
	return 0;
}

const struct command command_debug = {
	.name = "debug",
	.summary = "show and change what goes on in a sandbox",
	.usage = "<container-id>",
	.description = "   Several options are carried out in the order signal, strace, ps, stacks.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
