/* SPDX-License-Identifier: Apache-2.0 */
/* See exec_cgroup.h.  Rules and words are runc's, but that "../name2" is not below "name". */
#include "runtime/cmd/exec_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime/container/sandbox_processes.h"
#include "sentry/control/protocol.h"
#include "util/clean_path.h"
#include "util/cleanup.h"
#include "util/fd_pass.h"
#include "util/file.h"

#define PLACE_TIMEOUT_SECONDS 60

static int out_of_memory(struct error **err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* --- which ------------------------------------------------------------------------------- */

/* Changes the directory, and notes what the process sees of it. */
static int go_below(struct exec_cgroup *e, struct cgroup_dir *dir, const char *below, struct error **err)
{
	size_t own = strlen(dir->path);
	char *path = calloc(1, own + strlen(below) + 2);
	const char *name = dir->unified ? "" : dir->controllers;
	const char *inside;

	if (!path)
		return out_of_memory(err);
	clean_path_append(path, dir->path);
	own = strlen(path);
	clean_path_append(path, below);
	if (strncmp(path, dir->path, own) != 0 || (path[own] && path[own] != '/')) {
		free(path);
		return error_set(err, -EINVAL,
				 "unable to create new parent process: %s is not a sub cgroup path", below);
	}
	free(dir->path);
	dir->path = path;
	inside = path[own] ? path + own : "/";
	e->wanted |= path[own] != '\0';
	if (string_list_add(&e->inside, name) < 0 || string_list_add(&e->inside, inside) < 0)
		return out_of_memory(err);
	return 0;
}

/* Whether @name is one of @list's words, which end at a comma or at @end. */
static bool has_word(const char *list, const char *end, const char *name, size_t size)
{
	for (const char *word = list; word <= end; word++) {
		size_t length = strcspn(word, ",:");

		if (length == size && !strncmp(word, name, size))
			return true;
		word += length;
	}
	return false;
}

/* The last of @args that has the controller, or one of those in @controllers; its path, or NULL. */
static const char *find_path(const struct string_list *args, const char *controllers)
{
	for (size_t i = args->count; i-- > 0;) {
		const char *colon = strchr(args->items[i], ':');
		const char *name = controllers;

		for (;; name++) {
			size_t length = strcspn(name, ",");

			if (colon && has_word(args->items[i], colon, name, length))
				return colon + 1;
			name += length;
			if (!*name)
				break;
		}
	}
	return NULL;
}

static int check_form(const struct string_list *args, struct error **err)
{
	for (size_t i = 0; i < args->count; i++) {
		const char *text = args->items[i], *colon = strchr(text, ':');

		if (colon && strchr(colon + 1, ':'))
			return error_set(err, -EINVAL, "invalid --cgroup argument: %s", text);
		if (!colon && args->count > 1)
			return error_set(err, -EINVAL,
					 "invalid --cgroup argument: %s (missing <controller>: prefix)",
					 text);
	}
	return 0;
}

static bool is_known(const struct cgroup_set *dirs, const char *name, size_t length)
{
	for (size_t i = 0; i < dirs->count; i++) {
		const char *list = dirs->dirs[i].unified ? "" : dirs->dirs[i].controllers;

		if (has_word(list, list + strlen(list), name, length))
			return true;
	}
	return false;
}

static int check_controllers(const struct exec_cgroup *e, const struct string_list *args,
			     struct error **err)
{
	for (size_t i = 0; i < args->count; i++) {
		const char *name = args->items[i];

		for (;; name++) {
			size_t length = strcspn(name, ",:");

			if (!is_known(&e->dirs, name, length))
				return error_set(err, -EINVAL,
						 "unable to create new parent process: unknown controller "
						 "%.*s in SubCgroupPaths", (int)length, name);
			name += length;
			if (*name != ',')
				break;
		}
	}
	return 0;
}

/* Nobody waits for a peer that hangs. */
static int make_sockets(struct exec_cgroup *e, struct error **err)
{
	const struct timeval limit = { .tv_sec = PLACE_TIMEOUT_SECONDS };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, -errno, "socketpair");
	e->ours = pair[0];
	e->theirs = pair[1];
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		if (setsockopt(pair[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
			return error_set_errno(err, -errno, "setsockopt");
	}
	return 0;
}

int exec_cgroup_prepare(struct exec_cgroup *e, const struct globals *globals,
			const struct container *container, const struct string_list *args,
			struct error **err)
{
	const char *all;

	e->globals = globals;
	e->container = container;
	if (args->count == 0)
		return 0;
	if (check_form(args, err) < 0 || cgroup_locate_recorded(&container->cgroups, &e->dirs, err) < 0)
		return error_code(*err);
	all = args->count == 1 && !strchr(args->items[0], ':') ? args->items[0] : find_path(args, "");
	if (!all && check_controllers(e, args, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < e->dirs.count; i++) {
		struct cgroup_dir *dir = &e->dirs.dirs[i];
		const char *below = all ? all : find_path(args, dir->unified ? "" : dir->controllers);

		if (go_below(e, dir, below ? below : "", err) < 0)
			return error_code(*err);
	}
	return e->wanted ? make_sockets(e, err) : 0;
}

/* --- going there ------------------------------------------------------------------------- */

struct search {
	int32_t inner;
	pid_t found;
};

static void compare_stub(void *arg, pid_t pid, int32_t inner)
{
	struct search *s = arg;

	if (inner == s->inner)
		s->found = pid;
}

/* The sentry can only name processes of its own.  They are born in the cgroup of who booted the sandbox. */
static pid_t find_template(const struct exec_cgroup *e, int32_t inner)
{
	AUTO_ERROR struct error *gone = NULL;
	AUTO_CONTAINER struct container *booter = NULL;
	struct search s = { inner, 0 };
	const struct container *where = e->container;

	if (where->sandbox) {
		if (container_peek(e->globals, where->sandbox, &booter, &gone) < 0)
			return 0;
		where = booter;
	}
	sandbox_for_each_stub(where, compare_stub, &s);
	return s.found;
}

static int enter(const struct exec_cgroup *e, pid_t pid, struct error **err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < e->dirs.count; i++) {
		AUTO_FREE char *file = NULL;
		int ret;

		if (asprintf(&file, "%s/cgroup.procs", e->dirs.dirs[i].path) < 0) {
			file = NULL;
			return out_of_memory(err);
		}
		ret = file_write_text(AT_FDCWD, file, text);
		if (ret < 0 && !e->container->cgroup_rootless)
			return error_set_errno(err, ret,
					       "error adding pid %d to cgroups: failed to write %d: %s %s",
					       pid, pid,
					       ret == -ENOENT ? "openat2" : "write", file);
	}
	return 0;
}

int exec_cgroup_place(void *arg, struct error **err)
{
	struct exec_cgroup *e = arg;
	const struct control_placed placed = { 0 };
	struct control_place place;
	size_t fd_count;
	ssize_t size;
	pid_t pid;
	int ret;

	/* The sentry's end of it tells of its own failure, which comes as the answer. */
	cleanup_close(&e->theirs);
	size = fd_pass_receive(e->ours, 0, &place, sizeof(place), NULL, 0, &fd_count);
	if (size == 0 || size == -ECONNRESET)
		return 0;
	if (size < 0)
		return error_set_errno(err, (int)size, "talk to the sandbox");
	pid = size == sizeof(place) ? find_template(e, place.template_pid) : 0;
	if (pid == 0)
		return error_set(err, -EPROTO, "the sandbox gave a malformed answer");
	if (enter(e, pid, err) < 0)
		return error_code(*err);
	ret = fd_pass_send(e->ours, &placed, sizeof(placed), NULL, 0);
	/* Again the answer says why. */
	if (ret == 0 || ret == -EPIPE || ret == -ECONNRESET)
		return 0;
	return error_set_errno(err, ret, "talk to the sandbox");
}

void exec_cgroup_free(struct exec_cgroup *e)
{
	cgroup_set_free(&e->dirs);
	string_list_free(&e->inside);
	cleanup_close(&e->ours);
	cleanup_close(&e->theirs);
}
