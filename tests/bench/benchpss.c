/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a process tree. The command runs under a subreaper, so that whatever it leaves behind
 * in the background stays a descendant and is counted: proportional set sizes out of smaps_rollup.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "benchprog.h"

enum { MAX_PROCESSES = 256 };

struct process {
	pid_t pid;
	long long pss;
	char name[32];
};

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd == -1 ? 0 : read(fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	if (fd != -1)
		close(fd);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_text(path, text, sizeof(text));
	const char *end = strrchr(text, ')');
	if (end != NULL)
		sscanf(end + 1, " %*c %d", &parent);
	return parent;
}

static bool descends_from_self(pid_t pid)
{
	for (int depth = 0; pid > 1 && depth < 64; depth++) {
		pid = parent_of(pid);
		if (pid == getpid())
			return true;
	}
	return false;
}

static void measure(struct process *process)
{
	char path[64], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)process->pid);
	read_text(path, process->name, sizeof(process->name));
	process->name[strcspn(process->name, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process->pid);
	read_text(path, text, sizeof(text));
	const char *line = strstr(text, "\nPss:");
	process->pss = line == NULL ? 0 : strtoll(line + 5, NULL, 10) * 1024;
}

static size_t measure_tree(struct process *found)
{
	size_t count = 0;
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	if (dir == NULL)
		bench_die("/proc");
	while (count < MAX_PROCESSES && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 1 || !descends_from_self(pid))
			continue;
		found[count].pid = pid;
		measure(&found[count++]);
	}
	closedir(dir);
	return count;
}

static long long total_of(const struct process *found, size_t count)
{
	long long total = 0;

	for (size_t i = 0; i < count; i++)
		total += found[i].pss;
	return total;
}

/* Until the total has not moved for a second, ten at most. */
static size_t settle(struct process *found)
{
	struct timespec pause_time = { 0, 100000000 };
	long long last = -1;
	size_t count = 0;

	for (int round = 0, same = 0; round < 100 && same < 10; round++) {
		nanosleep(&pause_time, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		count = measure_tree(found);
		long long total = total_of(found, count);
		same = total == last ? same + 1 : 0;
		last = total;
	}
	return count;
}

int bench_pss(char **argv)
{
	static struct process found[MAX_PROCESSES];

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		bench_die("subreaper");
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid == -1)
		bench_die("fork");
	size_t count = settle(found);
	printf("%lld\n", total_of(found, count));
	for (size_t i = 0; i < count; i++)
		printf("%lld\t%s\n", found[i].pss, found[i].name);
	for (int round = 0; round < 20 && count > 0; round++) {
		for (size_t i = 0; i < count; i++)
			kill(found[i].pid, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		count = measure_tree(found);
		struct timespec pause_time = { 0, 20000000 };
		nanosleep(&pause_time, NULL);
	}
	return 0;
}
