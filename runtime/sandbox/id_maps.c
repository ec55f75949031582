/* SPDX-License-Identifier: Apache-2.0 */
/* See id_maps.h. */
#include "runtime/sandbox/id_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sanitize.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

#define NOBODY 65534u
#define TOOL_SAYS_MAX 512

/* One of a namespace's two maps, and how it is written. */
struct map_kind {
	const char *file;
	const char *tool;
};

static const struct map_kind uid_kind = { "uid_map", "newuidmap" };
static const struct map_kind gid_kind = { "gid_map", "newgidmap" };

bool id_maps_wanted(const struct spec *spec)
{
	return spec_namespace_find(spec, "user") != NULL;
}

/* --- where we have not the right: newuidmap, newgidmap ---------------------------------------- */

static NORETURN void run_tool(const char *tool, pid_t pid, const struct spec_id_mapping *map,
			      size_t count, int say)
{
	char **argv = calloc(count * 3 + 3, sizeof(*argv));
	size_t n = 0;
	bool failed = !argv;

	if (!failed) {
		argv[n++] = strdup(tool);
		failed = asprintf(&argv[n++], "%d", pid) < 0;
	}
	for (size_t i = 0; !failed && i < count; i++) {
		failed = asprintf(&argv[n], "%u", map[i].host_id) < 0 ||
			 asprintf(&argv[n + 1], "%u", map[i].host_id) < 0 ||
			 asprintf(&argv[n + 2], "%u", map[i].size) < 0;
		n += 3;
	}
	if (failed || dup2(say, STDERR_FILENO) < 0 || dup2(say, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(tool, argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* What it said, on one line. */
static void hear_tool(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && ((n = read(fd, text + used, size - 1 - used)) > 0 ||
				   (n < 0 && errno == EINTR)))
		used += n > 0 ? (size_t)n : 0;
	text[used] = '\0';
	text[strcspn(text, "\n")] = '\0';
	sanitize_text(text);
}

static int map_by_tool(const struct map_kind *kind, pid_t pid, const struct spec_id_mapping *map,
		       size_t count, struct error **err)
{
	char said[TOOL_SAYS_MAX];
	int status = 0;
	int pipe_fds[2];
	pid_t child;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "pipe");
	child = fork();
	if (child == 0)
		run_tool(kind->tool, pid, map, count, pipe_fds[1]);
	close(pipe_fds[1]);
	if (child > 0)
		hear_tool(pipe_fds[0], said, sizeof(said));
	close(pipe_fds[0]);
	if (child < 0)
		return error_set_errno(err, -errno, "fork");
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -ENOENT, "%s is needed to map more ids than one's own, and is not "
					       "installed", kind->tool);
	return error_set(err, -EPERM, "%s failed: %s", kind->tool, said);
}

/* --- the maps --------------------------------------------------------------------------------- */

/* -EPERM: not ours to write. */
static int write_text(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write_text(AT_FDCWD, path, text);
}

/* Without privilege a group may be mapped only by who has given up setgroups; the tool asks no such thing. */
static bool is_own_alone(const struct spec_id_mapping *map, size_t count, uint32_t own)
{
	return count == 1 && map[0].size == 1 && map[0].host_id == own;
}

static int write_identity(pid_t pid, const struct map_kind *kind, const struct spec_id_mapping *map,
			  size_t count, struct error **err)
{
	AUTO_STRBUF struct strbuf text = STRBUF_INIT;
	int ret;

	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%u %u %u\n", map[i].host_id, map[i].host_id, map[i].size);
	if (text.failed)
		return error_set_errno(err, -ENOMEM, "%s", kind->file);
	ret = write_text(pid, kind->file, strbuf_text(&text));
	if (ret == -EPERM && geteuid() != 0)
		return map_by_tool(kind, pid, map, count, err);
	return ret < 0 ? error_set_errno(err, ret, "write the gofer's %s", kind->file) : 0;
}

bool id_maps_deny_setgroups(const struct spec *spec)
{
	const struct spec_linux *l = spec->linux_config;

	return geteuid() != 0 && id_maps_wanted(spec) &&
	       is_own_alone(l->gid_mappings.items, l->gid_mappings.count, getegid());
}

int id_maps_write_gofer(pid_t pid, const struct spec *spec, struct error **err)
{
	const struct spec_linux *l = spec->linux_config;

	if (write_identity(pid, &uid_kind, l->uid_mappings.items, l->uid_mappings.count, err) < 0)
		return error_code(*err);
	if (id_maps_deny_setgroups(spec)) {
		int ret = write_text(pid, "setgroups", "deny");

		if (ret < 0)
			return error_set_errno(err, ret, "write the gofer's setgroups");
	}
	return write_identity(pid, &gid_kind, l->gid_mappings.items, l->gid_mappings.count, err);
}

static int write_single(pid_t pid, const char *file, unsigned id)
{
	char text[32];

	snprintf(text, sizeof(text), "0 %u 1", id);
	return write_text(pid, file, text);
}

/* Root of a namespace that has no such id (a rootless podman's, say) can map what it has itself. */
static int write_nobody(pid_t pid, const char *file, unsigned own)
{
	int ret = write_single(pid, file, NOBODY);

	return ret == -EPERM ? write_single(pid, file, own) : ret;
}

int id_maps_write_sentry(pid_t pid, struct error **err)
{
	int ret = 0;

	if (geteuid() != 0) {
		ret = write_text(pid, "setgroups", "deny");
		if (ret == 0)
			ret = write_single(pid, uid_kind.file, geteuid());
		if (ret == 0)
			ret = write_single(pid, gid_kind.file, getegid());
	} else {
		ret = write_nobody(pid, uid_kind.file, geteuid());
		if (ret == 0)
			ret = write_nobody(pid, gid_kind.file, getegid());
	}
	return ret < 0 ? error_set_errno(err, ret, "write the sandbox's maps of ids") : 0;
}

/* --- the gofer's process ---------------------------------------------------------------------- */

/* @id is mapped: config.json was checked. */
static uint32_t host_root(const struct spec_id_mapping *map, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (map[i].container_id == 0 && map[i].size > 0)
			return map[i].host_id;
	}
	return UINT32_MAX;
}

/* Its number there is not 0, so an execve would take all of them. */
static int keep_capabilities(void)
{
	cap_t all = cap_get_proc();
	int ret = all ? 0 : -errno;

	for (cap_value_t cap = 0; ret == 0 && cap < cap_max_bits(); cap++) {
		if (cap_set_flag(all, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0 ||
		    cap_set_flag(all, CAP_INHERITABLE, 1, &cap, CAP_SET) < 0)
			ret = -errno;
	}
	if (ret == 0 && cap_set_proc(all) < 0)
		ret = -errno;
	for (cap_value_t cap = 0; ret == 0 && cap < cap_max_bits(); cap++) {
		if (cap_set_ambient(cap, CAP_SET) < 0)
			ret = -errno;
	}
	cap_free(all);
	return ret;
}

int id_maps_become_root(const struct spec *spec)
{
	const struct spec_linux *l = spec->linux_config;
	uid_t uid = host_root(l->uid_mappings.items, l->uid_mappings.count);
	gid_t gid = host_root(l->gid_mappings.items, l->gid_mappings.count);

	/* Where setgroups had to be given up, the groups are those of who runs us, as with runc. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	return keep_capabilities();
}
