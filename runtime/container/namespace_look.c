/* SPDX-License-Identifier: Apache-2.0 */
/* See namespace_look.h.  A child that has entered a namespace does nothing but tell of it, and ends. */
#include "runtime/container/namespace_look.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

bool namespace_is_of(const struct stat *st, const char *process, const char *proc_name)
{
	struct stat own;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, proc_name);
	return stat(path, &own) == 0 && st->st_dev == own.st_dev && st->st_ino == own.st_ino;
}

#define MAP_SIZE_MAX 65536
#define MAP_LINES_MAX 340

struct told {
	int error;
	struct utsname names;
};

static NORETURN void tell(int fd, int type, int out, int hold)
{
	struct told told = { 0 };
	char byte;
	ssize_t n;

	/* Root of that namespace must not look into what we have of the command line's memory. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(fd, type) < 0)
		told.error = -errno;
	else if (type == CLONE_NEWUTS && uname(&told.names) < 0)
		told.error = -errno;
	n = write(out, &told, sizeof(told));
	/* Until we have been looked at. */
	if (n == sizeof(told))
		n = read(hold, &byte, 1);
	_exit(n < 0 ? 1 : 0);
}

struct visitor {
	pid_t pid;
	int hold; /* its end lets the child go */
	struct told told;
};

static int send_visitor(int fd, int type, struct visitor *v)
{
	int out[2], hold[2];
	ssize_t n;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(hold, O_CLOEXEC) < 0) {
		int error = -errno;

		close(out[0]);
		close(out[1]);
		return error;
	}
	v->pid = fork();
	if (v->pid == 0) {
		close(hold[1]);
		tell(fd, type, out[1], hold[0]);
	}
	close(out[1]);
	close(hold[0]);
	v->hold = hold[1];
	do
		n = v->pid > 0 ? read(out[0], &v->told, sizeof(v->told)) : -1;
	while (n < 0 && errno == EINTR && v->pid > 0);
	close(out[0]);
	if (n != sizeof(v->told))
		return -EIO;
	return v->told.error;
}

static void end_visitor(struct visitor *v)
{
	if (v->hold >= 0)
		close(v->hold);
	while (v->pid > 0 && waitpid(v->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int namespace_look_names(int fd, struct utsname *out)
{
	struct visitor v = { .pid = -1, .hold = -1 };
	int ret = send_visitor(fd, CLONE_NEWUTS, &v);

	end_visitor(&v);
	if (ret == 0)
		*out = v.told.names;
	return ret;
}

static int parse_line(char *line, struct spec_id_mapping *out)
{
	uint32_t *const fields[] = { &out->container_id, &out->host_id, &out->size };
	char *save = NULL;
	char *word = strtok_r(line, " ", &save);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!word || parse_u32(word, fields[i]) < 0)
			return -EINVAL;
		word = strtok_r(NULL, " ", &save);
	}
	return word ? -EINVAL : 0;
}

int namespace_parse_map(char *text, struct spec_id_mapping **out, size_t *count)
{
	AUTO_FREE struct spec_id_mapping *list = calloc(MAP_LINES_MAX, sizeof(*list));
	char *save = NULL;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (n == MAP_LINES_MAX || parse_line(line, &list[n]) < 0)
			return -EINVAL;
		n++;
	}
	*count = n;
	*out = move_ptr(list);
	return 0;
}

int namespace_look_map(int fd, const char *file, struct spec_id_mapping **out, size_t *count)
{
	struct visitor v = { .pid = -1, .hold = -1 };
	AUTO_FREE char *text = NULL;
	char path[64];
	size_t size;
	int ret = send_visitor(fd, CLONE_NEWUSER, &v);

	if (ret == 0) {
		snprintf(path, sizeof(path), "/proc/%d/%s", v.pid, file);
		ret = file_read_all(AT_FDCWD, path, MAP_SIZE_MAX, &text, &size);
	}
	end_visitor(&v);
	return ret < 0 ? ret : namespace_parse_map(text, out, count);
}
