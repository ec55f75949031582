/* SPDX-License-Identifier: Apache-2.0 */
/* See host_children.h. */
#include "sentry/host/host_children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sentry/host/host_procfs.h"
#include "util/cleanup.h"

#define NAME_SIZE 64
#define TEXT_SIZE 256

/* The pid that an entry of the directory stands for; 0: another file. */
static pid_t pid_of(const char *name)
{
	char *end;
	long value;

	if (*name < '1' || *name > '9')
		return 0;
	value = strtol(name, &end, 10);
	return *end || value > INT32_MAX ? 0 : (pid_t)value;
}

struct pid_list {
	pid_t *pids; /* owned */
	size_t count, capacity;
};

static int add(struct pid_list *l, pid_t pid)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 64;
		pid_t *grown = realloc(l->pids, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->pids = grown;
		l->capacity = capacity;
	}
	l->pids[l->count++] = pid;
	return 0;
}

static int read_directory(DIR *dir, struct pid_list *l)
{
	const struct dirent *entry;
	pid_t self = getpid(), pid;
	int rc = 0;

	errno = 0;
	while (rc == 0 && (entry = readdir(dir))) {
		pid = pid_of(entry->d_name);
		if (pid && pid != self)
			rc = add(l, pid);
	}
	return rc == 0 ? -errno : rc;
}

int host_children_list(pid_t **out, size_t *count)
{
	struct pid_list list = { NULL, 0, 0 };
	int fd = openat(host_procfs_fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;
	int rc;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = read_directory(dir, &list);
	closedir(dir);
	if (rc < 0) {
		free(list.pids);
		return rc;
	}
	*out = list.pids;
	*count = list.count;
	return 0;
}

int64_t host_child_sleeps_in(pid_t pid)
{
	char name[NAME_SIZE], text[TEXT_SIZE], *end;
	AUTO_CLOSE int fd = -1;
	long long number;
	ssize_t n;

	snprintf(name, sizeof(name), "%d/syscall", pid);
	fd = openat(host_procfs_fd(), name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	number = strtoll(text, &end, 10);
	return end == text || number < 0 ? -1 : number;
}
