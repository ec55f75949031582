/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `moat gofer --start-fd N`: the order in which the gofer comes up.  Everything
 * that needs more than the filter allows happens before the first request is read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gofer/call.h"
#include "gofer/confine.h"
#include "gofer/start_read.h"
#include "gofer/worker.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/parse.h"

/* Does not change after start-up; static because it outlives every frame that uses it. */
static struct gofer_server server;
static struct gofer_connection *connections[GOFER_START_MOUNTS_MAX];

static int parse_arguments(int argc, char **argv, int *start_fd, struct error **err)
{
	if (argc != 3 || strcmp(argv[1], "--start-fd") != 0)
		return error_set(err, -EINVAL, "usage: moat gofer --start-fd N (started by moat itself)");
	if (parse_int(argv[2], 0, INT32_MAX, start_fd) < 0)
		return error_set(err, -EINVAL, "--start-fd: not a descriptor: %s", argv[2]);
	return 0;
}

static int close_others(const struct gofer_start_message *start, int proc_fd, struct error **err)
{
	int keep[2 * GOFER_START_MOUNTS_MAX + 3];
	size_t count = 0;

	for (uint32_t i = 0; i < start->header.mount_count; i++) {
		keep[count++] = start->mounts[i].root_fd;
		keep[count++] = start->mounts[i].socket_fd;
	}
	if (start->header.log_fd >= 0)
		keep[count++] = start->header.log_fd;
	/* The mount lives on in proc_fd; to take it apart now would wait for an RCU grace period. */
	if (start->header.proc_fd >= 0)
		keep[count++] = start->header.proc_fd;
	keep[count++] = proc_fd;
	return confine_descriptors(keep, count, err);
}

static int make_connections(const struct gofer_start_message *start, struct error **err)
{
	for (uint32_t i = 0; i < start->header.mount_count; i++) {
		const struct gofer_start_mount *mount = &start->mounts[i];
		int code = gofer_connection_new(&server, i, mount->root_fd, mount->socket_fd,
						mount->flags & GOFER_MOUNT_READ_ONLY,
						&connections[i]);

		if (code)
			return error_set_errno(err, code, "set up attach point %u", i);
	}
	return 0;
}

static int confine_and_serve(const struct gofer_start_message *start, struct error **err)
{
	struct gofer_workers workers;
	int code = confine_privileges(err);

	if (!code)
		code = gofer_workers_prepare(&workers, connections, start->header.mount_count, err);
	if (!code)
		code = confine_syscalls(start->header.log_fd, err);
	return code ? code : gofer_workers_run(&workers, err);
}

static int run(int argc, char **argv, struct error **err)
{
	struct gofer_start_message start;
	int start_fd = -1, proc_fd, code;

	code = parse_arguments(argc, argv, &start_fd, err);
	if (!code)
		code = gofer_start_read(start_fd, &start, err);
	if (code)
		return code;
	log_set_output(start.header.log_fd,
		       start.header.flags & GOFER_START_LOG_JSON ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
		       start.header.flags & GOFER_START_DEBUG ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	umask(0);
	tzset(); /* else the first log line would look for /etc/localtime */
	open_component_probe();
	proc_fd = confine_open_proc(start.header.proc_fd, err);
	if (proc_fd < 0)
		return proc_fd;
	code = close_others(&start, proc_fd, err);
	if (code)
		return code;
	gofer_server_init(&server, proc_fd, start.header.flags & GOFER_START_DEBUG);
	code = make_connections(&start, err);
	return code ? code : confine_and_serve(&start, err);
}

int gofer_main(int argc, char **argv)
{
	AUTO_ERROR struct error *err = NULL;

	/* Exit handlers may want more than the filter allows (a leak check does), and have nothing to do. */
	if (!run(argc, argv, &err))
		_exit(EXIT_SUCCESS);
	log_error("gofer: %s", error_message(err));
	return EXIT_FAILURE;
}
