/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry names a process by the pid of its stub in the sandbox's PID namespace.  The host's pid
 * of the stub is found among the sandbox's processes by the NSpid line of their status.
 */
#include "runtime/cmd/ps_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container/sandbox_processes.h"
#include "runtime/control_client.h"
#include "runtime/sanitize.h"
#include "util/cleanup.h"

#define PROCESSES_MAX (1u << 20) /* a hostile sentry must not fill our memory */

static int compare_sandbox_pid(const void *key, const void *entry)
{
	int32_t pid = *(const int32_t *)key;
	int32_t other = ((const struct ps_entry *)entry)->process.sandbox_pid;

	return (pid > other) - (pid < other);
}

static int order_sandbox_pid(const void *a, const void *b)
{
	return compare_sandbox_pid(&((const struct ps_entry *)a)->process.sandbox_pid, b);
}

static int order_pid(const void *a, const void *b)
{
	int32_t x = ((const struct ps_entry *)a)->process.pid;
	int32_t y = ((const struct ps_entry *)b)->process.pid;

	return (x > y) - (x < y);
}

static void match_process(void *arg, pid_t pid, int32_t inner)
{
	struct ps_list *list = arg;
	struct ps_entry *entry =
		bsearch(&inner, list->items, list->count, sizeof(*entry), compare_sandbox_pid);

	if (entry)
		entry->host_pid = pid;
}

static pid_t host_pid_of(const struct ps_list *list, int32_t pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].process.pid == pid)
			return list->items[i].host_pid;
	}
	return 0;
}

static void find_host_pids(const struct container *container, struct ps_list *list)
{
	qsort(list->items, list->count, sizeof(*list->items), order_sandbox_pid);
	sandbox_for_each_stub(container, match_process, list);
	qsort(list->items, list->count, sizeof(*list->items), order_pid);
	for (size_t i = 0; i < list->count; i++)
		list->items[i].host_parent = host_pid_of(list, list->items[i].process.ppid);
}

static int add_entry(struct ps_list *list, const struct control_process *process)
{
	struct ps_entry *entry;

	if (list->count == PROCESSES_MAX)
		return -E2BIG;
	if ((list->count & (list->count - 1)) == 0) {
		size_t capacity = list->count ? list->count * 2 : 1;
		struct ps_entry *grown = realloc(list->items, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->items = grown;
	}
	entry = &list->items[list->count++];
	*entry = (struct ps_entry){ .process = *process };
	entry->process.comm[CONTROL_COMM_SIZE - 1] = '\0';
	if (entry->process.cmdline_size >= CONTROL_CMDLINE_SIZE)
		entry->process.cmdline_size = CONTROL_CMDLINE_SIZE - 1;
	/* What ends the last argument separates it from none. */
	while (entry->process.cmdline_size > 0 &&
	       !entry->process.cmdline[entry->process.cmdline_size - 1])
		entry->process.cmdline_size--;
	for (uint32_t i = 0; i < entry->process.cmdline_size; i++) {
		if (!entry->process.cmdline[i])
			entry->process.cmdline[i] = ' ';
	}
	entry->process.cmdline[entry->process.cmdline_size] = '\0';
	sanitize_text(entry->process.comm);
	sanitize_text(entry->process.cmdline);
	return 0;
}

/* 1: there are more. */
static int read_page(const struct container *c, int fd, int32_t *after, struct ps_list *list,
		     struct error **err)
{
	struct control_ps_request request = { .after = *after };
	struct control_ps_reply page = { 0 };

	if (control_call(c, fd,
			 &(struct control_call){ .type = CONTROL_PS,
						 .request = &request,
						 .request_size = sizeof(request),
						 .reply = &page,
						 .reply_size = sizeof(page) },
			 err) < 0)
		return error_code(*err);
	for (uint32_t i = 0; i < page.count && i < CONTROL_PS_PAGE; i++) {
		int ret = page.processes[i].pid > *after ? add_entry(list, &page.processes[i])
							 : -EPROTO;

		if (ret < 0)
			return error_set_errno(err, ret, "list the sandbox's processes");
		*after = page.processes[i].pid;
	}
	return page.more && page.count > 0;
}

int ps_list_read(const struct container *container, struct ps_list *out, struct error **err)
{
	AUTO_CLOSE int fd = -1;
	int32_t after = 0;
	int ret;

	memset(out, 0, sizeof(*out));
	if (container->status == OCI_STOPPED || container->status == OCI_CREATING)
		return 0;
	if (control_connect(container, &fd, err) < 0)
		return error_code(*err);
	do
		ret = read_page(container, fd, &after, out, err);
	while (ret > 0);
	if (ret < 0) {
		ps_list_free(out);
		return ret;
	}
	find_host_pids(container, out);
	return 0;
}

void ps_list_free(struct ps_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
