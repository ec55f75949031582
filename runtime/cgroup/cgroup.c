/* SPDX-License-Identifier: Apache-2.0 */
/* Making, entering and removing cgroups. */
#include "runtime/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define PROCS_MAX (64u << 20)
#define DEPTH_MAX 32
#define REMOVE_TRIES 200
#define REMOVE_WAIT_MS 10

/* A new v1 cpuset has no CPUs and takes no process until it gets its parent's. */
static int inherit_cpuset_file(const char *path, const char *file)
{
	AUTO_CLOSE int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int parent = -1;
	AUTO_FREE char *text = NULL;
	size_t size;
	int ret;

	if (dir < 0)
		return -errno;
	ret = file_read_all(dir, file, PROCS_MAX, &text, &size);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	if (text[strspn(text, " \n")])
		return 0;
	free(move_ptr(text));
	parent = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	ret = file_read_all(parent, file, PROCS_MAX, &text, &size);
	return ret < 0 ? ret : file_write_text(dir, file, text);
}

/* In v2 a child has the controllers that its parent hands down. */
static int delegate_controllers(const char *parent)
{
	static const char *const wanted[] = { "+cpu", "+memory", "+pids", "+cpuset" };
	AUTO_CLOSE int dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	/* Those that do not exist here are missed when a limit is to be written. */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		int ret = file_write_text(dir, "cgroup.subtree_control", wanted[i]);

		(void)ret;
	}
	return 0;
}

static int after_mkdir(const struct cgroup_dir *dir, const char *path)
{
	int ret;

	if (dir->unified || strcmp(dir->controllers, "cpuset") != 0)
		return 0;
	ret = inherit_cpuset_file(path, "cpuset.cpus");
	return ret < 0 ? ret : inherit_cpuset_file(path, "cpuset.mems");
}

static int make_level(const struct cgroup_dir *dir, const char *parent, const char *path,
		      bool delegate)
{
	int ret = dir->unified && delegate ? delegate_controllers(parent) : 0;

	if (ret < 0)
		return ret;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	return after_mkdir(dir, path);
}

/* Makes every level from the mount point down. */
static int make_dir(const struct cgroup_dir *dir, bool delegate)
{
	AUTO_FREE char *path = strdup(dir->path);
	AUTO_FREE char *parent = strdup(dir->mount_point);
	int ret = 0;

	if (!path || !parent)
		return -ENOMEM;
	for (char *p = path + strlen(dir->mount_point); *p && ret == 0;) {
		char *end = p + strspn(p, "/");
		char separator;

		end += strcspn(end, "/");
		separator = *end;
		*end = '\0';
		ret = make_level(dir, parent, path, delegate);
		free(parent);
		parent = strdup(path);
		if (!parent)
			ret = -ENOMEM;
		*end = separator;
		p = end;
	}
	return ret;
}

static int check_unused(const struct cgroup_dir *dir, struct error **err)
{
	AUTO_FREE char *procs = NULL;
	char file[8192];
	size_t size;
	size_t count = 0;
	int ret;

	snprintf(file, sizeof(file), "%s/cgroup.procs", dir->path);
	ret = file_read_all(AT_FDCWD, file, PROCS_MAX, &procs, &size);
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_set_errno(err, ret, "read %s", file);
	for (size_t i = 0; i < size; i++)
		count += procs[i] == '\n';
	if (count > 0)
		return error_set(err, -EBUSY,
				 "container's cgroup is not empty: %zu process(es) found in %s", count,
				 dir->path);
	return 0;
}

int cgroup_check_unused(const struct cgroup_set *set, struct error **err)
{
	for (size_t i = 0; i < set->count; i++) {
		if (check_unused(&set->dirs[i], err) < 0)
			return error_code(*err);
	}
	return 0;
}

static void drop_dir(struct cgroup_set *set, size_t index)
{
	struct cgroup_dir *dir = &set->dirs[index];

	free(dir->path);
	free(dir->mount_point);
	free(dir->controllers);
	memmove(dir, dir + 1, (set->count - index - 1) * sizeof(*dir));
	set->count--;
}

int cgroup_create(struct cgroup_set *set, const struct spec *spec, bool rootless,
		  struct error **err)
{
	bool limits = cgroup_limits_wanted(spec);
	bool named = spec->linux_config && spec->linux_config->cgroups_path &&
		     *spec->linux_config->cgroups_path;

	for (size_t i = 0; i < set->count;) {
		int ret = make_dir(&set->dirs[i], limits);

		if (rootless && !named && (ret == -EACCES || ret == -EPERM || ret == -EROFS)) {
			drop_dir(set, i);
			continue;
		}
		if (ret < 0)
			return error_set_errno(err, ret, "mkdir %s", set->dirs[i].path);
		i++;
	}
	if (!limits || !spec->linux_config)
		return 0;
	return cgroup_write_limits(set, spec->linux_config->resources, err);
}

/* Those it tracks processes by: nobody else makes a cgroup at this level of them. */
static bool is_of_systemd(const struct cgroup_dir *dir)
{
	return dir->unified || !strcmp(dir->controllers, "name=systemd");
}

int cgroup_complete(struct cgroup_set *set, const struct spec *spec, struct error **err)
{
	bool v2 = cgroup_set_is_v2(set);

	for (size_t i = 0; i < set->count;) {
		const struct cgroup_dir *dir = &set->dirs[i];
		int ret = is_of_systemd(dir) ? (access(dir->path, F_OK) < 0 ? -errno : 0)
					     : make_dir(dir, false);

		/* Where v1 is, systemd may leave v2 alone. */
		if (ret == -ENOENT && dir->unified && !v2) {
			drop_dir(set, i);
			continue;
		}
		if (ret < 0)
			return error_set_errno(err, ret, is_of_systemd(dir) ? "systemd's cgroup %s"
									    : "mkdir %s", dir->path);
		i++;
	}
	if (!cgroup_limits_wanted(spec) || !spec->linux_config)
		return 0;
	return cgroup_write_limits(set, spec->linux_config->resources, err);
}

int cgroup_add(const struct cgroup_set *set, pid_t pid, bool in_unified, struct error **err)
{
	char file[8192];
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < set->count; i++) {
		int ret;

		if (set->dirs[i].unified && in_unified)
			continue;
		snprintf(file, sizeof(file), "%s/cgroup.procs", set->dirs[i].path);
		ret = file_write_text(AT_FDCWD, file, text);
		if (ret < 0)
			return error_set_errno(err, ret, "write %s", file);
	}
	return 0;
}

int cgroup_unified_fd(const struct cgroup_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->dirs[i].unified)
			return open(set->dirs[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

int cgroup_paths(const struct cgroup_set *set, struct string_list *out)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = string_list_add(out, set->dirs[i].path);
	return ret;
}

/* Calls @each for every directory below and at @path, children first. */
static void walk(const char *path, int depth, void (*each)(void *arg, const char *path), void *arg)
{
	AUTO_CLOSEDIR DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && depth < DEPTH_MAX && (entry = readdir(dir)) != NULL) {
		AUTO_FREE char *child = NULL;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
			child = NULL;
		else
			walk(child, depth + 1, each, arg);
	}
	each(arg, path);
}

struct process_walk {
	void (*each)(void *arg, pid_t pid);
	void *arg;
};

static void each_process(void *arg, const char *path)
{
	const struct process_walk *w = arg;
	AUTO_FREE char *procs = NULL;
	char file[8192];
	char *save;
	size_t size;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	if (file_read_all(AT_FDCWD, file, PROCS_MAX, &procs, &size) < 0)
		return;
	for (char *line = strtok_r(procs, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint32_t pid;

		if (parse_u32(line, &pid) == 0 && pid > 0)
			w->each(w->arg, (pid_t)pid);
	}
}

void cgroup_for_each_process(const char *path, void (*each)(void *arg, pid_t pid), void *arg)
{
	struct process_walk w = { each, arg };

	walk(path, 0, each_process, &w);
}

/* The pid cannot be another's yet: it was read from the container's own cgroup just now. */
static void kill_one(void *arg, pid_t pid)
{
	bool *found = arg;

	*found = true;
	kill(pid, SIGKILL);
}

static void remove_one(void *arg, const char *path)
{
	int *error = arg;

	if (rmdir(path) < 0 && errno != ENOENT)
		*error = -errno;
}

/* Processes leave a cgroup some time after they were killed, so emptying it takes a few tries. */
static int destroy_one(const char *path)
{
	int error = 0;

	for (int try = 0; try < REMOVE_TRIES; try++) {
		bool found = false;

		error = 0;
		walk(path, 0, remove_one, &error);
		if (error != -EBUSY)
			return error;
		cgroup_for_each_process(path, kill_one, &found);
		poll(NULL, 0, try == 0 ? 1 : REMOVE_WAIT_MS);
	}
	return error;
}

void cgroup_kill(const struct string_list *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		bool found = true;

		for (int try = 0; found && try < REMOVE_TRIES; try++) {
			found = false;
			cgroup_for_each_process(paths->items[i], kill_one, &found);
			if (found)
				poll(NULL, 0, try == 0 ? 1 : REMOVE_WAIT_MS);
		}
	}
}

int cgroup_destroy(const struct string_list *paths, struct error **err)
{
	for (size_t i = 0; i < paths->count; i++) {
		int ret = destroy_one(paths->items[i]);

		if (ret < 0)
			return error_set_errno(err, ret, "remove cgroup %s", paths->items[i]);
	}
	return 0;
}
