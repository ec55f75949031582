/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/container/sandbox_processes.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup/cgroup.h"
#include "util/cleanup.h"
#include "util/parse.h"

struct walk {
	pid_t sentry;
	void (*each)(void *arg, pid_t pid, int32_t inner);
	void *arg;
};

/* The second number of a line of tabs and numbers: the pid in the namespace below ours. */
static bool second_number(char *text, int32_t *out)
{
	char *save, *word = strtok_r(text, "\t\n", &save);

	word = word ? strtok_r(NULL, "\t\n", &save) : NULL;
	return word && parse_int(word, 1, INT_MAX, out) == 0;
}

/* Reads "NSpid:\t123\t4" and "PPid:" of a host process. False: gone, or in no other namespace. */
static bool read_ids(pid_t pid, pid_t *parent, int32_t *inner)
{
	AUTO_FCLOSE FILE *file = NULL;
	char line[512];
	bool found = false;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "PPid:", 5))
			*parent = (pid_t)strtol(line + 5, NULL, 10);
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		found = second_number(line + 6, inner);
		break;
	}
	return found;
}

/* Stubs are the sentry's children; the gofer has a PID namespace of its own. */
static void look_at(void *arg, pid_t pid)
{
	const struct walk *w = arg;
	pid_t parent = 0;
	int32_t inner;

	if (read_ids(pid, &parent, &inner) && parent == w->sentry)
		w->each(w->arg, pid, inner);
}

/* Without a cgroup to look in, every process of the host has to be asked. */
static void for_each_host_process(void (*each)(void *arg, pid_t pid), void *arg)
{
	AUTO_CLOSEDIR DIR *proc = opendir("/proc");
	const struct dirent *entry;
	uint32_t pid;

	while (proc && (entry = readdir(proc)) != NULL) {
		if (parse_u32(entry->d_name, &pid) == 0)
			each(arg, (pid_t)pid);
	}
}

void sandbox_for_each_stub(const struct container *container,
			   void (*each)(void *arg, pid_t pid, int32_t inner), void *arg)
{
	struct walk w = { container->sentry.pid, each, arg };

	if (container->cgroups.count > 0)
		cgroup_for_each_process(container->cgroups.items[0], look_at, &w);
	else
		for_each_host_process(look_at, &w);
}
