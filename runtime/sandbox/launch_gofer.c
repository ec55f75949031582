/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gofer's process between clone and execve: in its own mount namespace it runs the
 * createContainer hooks, takes detached copies of the trees it is to serve, and executes the
 * sealed copy with them.  Its root will be an empty tmpfs: the trees are reached by FD only.
 * With a user namespace in config.json it ends up in one that has the same ids of ours.
 *
 * A failure is one line sent over the setup socket; a successful execve closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gofer/start.h"
#include "runtime/hooks.h"
#include "runtime/sandbox/id_maps.h"
#include "runtime/sandbox/launch_state.h"
#include "runtime/sandbox/tree.h"
#include "util/cleanup.h"
#include "util/file.h"

static NORETURN void give_up(int setup, const struct error *err)
{
	const char *message = error_message(err);
	ssize_t n = write(setup, message, strlen(message));

	(void)n;
	_exit(1);
}

static NORETURN void give_up_errno(int setup, const char *what, int error)
{
	struct error *err = NULL;

	error_set_errno(&err, error, "gofer: %s", what);
	give_up(setup, err);
}

static int clone_attach_points(const struct launch *l, struct gofer_start_mount *mounts,
			       struct error **err)
{
	for (uint32_t i = 0; i < l->attach.count; i++) {
		const struct attach_point *point = &l->attach.items[i];
		int fd = tree_clone_attach(point->source, point->recursive, point->read_only,
					   point->follows), ret = 0;

		if (fd < 0)
			return error_set_errno(err, fd, i == 0 ? "rootfs %s" : "bind mount source %s",
					       point->source);
		if (point->id_mapping != ID_MAPPING_NONE)
			ret = tree_map_ids(fd, point->id_map_fd, point->id_mapping == ID_MAPPING_RECURSIVE);
		if (ret < 0)
			return error_set_errno(err, ret,
					       "bind mount source %s: the host cannot map the ids of %s",
					       point->source, point->id_mapping == ID_MAPPING_RECURSIVE
					       ? "all file systems in it" : "its file system");
		mounts[i] = (struct gofer_start_mount){
			.root_fd = fd,
			.socket_fd = l->gofer_sockets[i],
			.flags = point->read_only ? GOFER_MOUNT_READ_ONLY : 0,
		};
	}
	return 0;
}

/* An FD that says all there is to know, and is read from its beginning. */
static int write_start(const struct launch *l, const struct gofer_start_mount *mounts, int proc,
		       int log_fd)
{
	bool json = !strcmp(l->globals->log_format, "json");
	struct gofer_start start = {
		.magic = GOFER_START_MAGIC,
		.version = GOFER_START_VERSION,
		.flags = (l->globals->debug ? GOFER_START_DEBUG : 0) |
			 (json ? GOFER_START_LOG_JSON : 0),
		.mount_count = l->attach.count,
		.log_fd = log_fd,
		.proc_fd = proc,
	};
	int fd = memfd_create("moat-gofer", MFD_CLOEXEC);
	int ret = fd < 0 ? -errno : fd_write_all(fd, &start, sizeof(start));

	if (ret == 0)
		ret = fd_write_all(fd, mounts, l->attach.count * sizeof(*mounts));
	if (ret == 0 && lseek(fd, 0, SEEK_SET) < 0)
		ret = -errno;
	return ret < 0 ? ret : fd;
}

static int execute(const struct launch *l, const struct gofer_start_mount *mounts, int root,
		   int proc, int start, int log_fd)
{
	size_t count = 0;
	int *keep = calloc(l->attach.count * 2 + 4, sizeof(int));
	char root_text[16], start_text[16];
	char *const argv[] = { (char[]){ "moat" },	 (char[]){ "gofer" },
			       (char[]){ "--root-fd" },	 root_text,
			       (char[]){ "--start-fd" }, start_text,
			       NULL };

	if (!keep)
		return -ENOMEM;
	snprintf(root_text, sizeof(root_text), "%d", root);
	snprintf(start_text, sizeof(start_text), "%d", start);
	keep[count++] = root;
	keep[count++] = start;
	keep[count++] = proc;
	keep[count++] = log_fd;
	for (uint32_t i = 0; i < l->attach.count; i++) {
		keep[count++] = mounts[i].root_fd;
		keep[count++] = mounts[i].socket_fd;
	}
	return clone_exec(l->exe_fd, argv, keep, count);
}

static void wait_for_go(int setup)
{
	char go;

	if (read(setup, &go, 1) != 1)
		_exit(1);
}

/*
 * By now it has all that takes more rights than the namespace gives.  The new mount namespace is the
 * one that its root can be changed in.
 */
static void enter_user_namespace(const struct launch *l)
{
	const char want = LAUNCH_WANT_MAPS;
	int ret;

	if (l->gofer_wants_maps) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			give_up_errno(l->setup.theirs, "make a user namespace", -errno);
		if (write(l->setup.theirs, &want, 1) != 1)
			_exit(1);
		wait_for_go(l->setup.theirs);
	}
	if (l->gofer_wants_maps || l->gofer_born_mapped) {
		ret = id_maps_become_root(l->spec);
		if (ret < 0)
			give_up_errno(l->setup.theirs, "become root of its user namespace", ret);
	}
}

static bool follows_host(const struct launch *l)
{
	for (uint32_t i = 0; i < l->attach.count; i++) {
		if (l->attach.items[i].follows)
			return true;
	}
	return false;
}

/* In the container's network, where we may enter it; ours is an empty one, to which we go back. */
static int run_hooks_in_network(const struct launch *l, struct error **err)
{
	AUTO_CLOSE int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int network = strcmp(l->globals->network, "none") != 0
					 ? network_of_container(l->spec, &l->network)
					 : -1;
	bool entered = ours >= 0 && network >= 0 && setns(network, CLONE_NEWNET) == 0;
	int ret = hooks_run(&l->spec->hooks.create_container, "createContainer", l->container, err);

	if (entered && setns(ours, CLONE_NEWNET) < 0)
		return ret < 0 ? ret : error_set_errno(err, -errno, "leave the network namespace");
	return ret;
}

/*
 * As under runc, from the container's root and, if they have none of their own, with its environment.  What is relative in
 * config.json is so to the bundle, where we are.
 */
static int run_create_container_hooks(const struct launch *l, struct error **err)
{
	char **environment = environ;
	AUTO_CLOSE int bundle = -1;
	int ret;

	if (l->spec->hooks.create_container.count == 0)
		return 0;
	bundle = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle < 0 || chdir(l->spec->root->path) < 0)
		return error_set_errno(err, -errno, "chdir %s", l->spec->root->path);
	environ = l->spec->process->env.items;
	ret = run_hooks_in_network(l, err);
	environ = environment;
	if (ret == 0 && fchdir(bundle) < 0)
		return error_set_errno(err, -errno, "chdir %s", l->container->bundle);
	return ret;
}

/* The mounts of a user namespace's own would follow, too, but it may not be given ours. */
static int place_following(const struct launch *l, const struct gofer_start_mount *mounts, int root)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < l->attach.count; i++) {
		struct stat st;

		if (!l->attach.items[i].follows || l->gofer_wants_maps || l->gofer_born_mapped)
			continue;
		if (fstat(mounts[i].root_fd, &st) < 0)
			return -errno;
		if (S_ISDIR(st.st_mode))
			ret = tree_place(mounts[i].root_fd, root);
	}
	return ret;
}

void launch_gofer_child(struct launch *l)
{
	struct gofer_start_mount *mounts = calloc(l->attach.count, sizeof(*mounts));
	int log_fd = globals_debug_log_fd() >= 0 ? globals_debug_log_fd() : globals_log_fd();
	int setup = l->setup.theirs;
	struct error *err = NULL;
	int root, proc, start, ret;

	close(l->setup.ours);
	launch_close_fd(&l->boot.ours);
	/* With it goes our part of the container's lock, which a hook that hangs would keep. */
	launch_close_fd(&l->container->dir_fd);
	wait_for_go(setup);
	setsid();
	if (!mounts)
		give_up_errno(setup, "start", -ENOMEM);
	ret = tree_make_private(follows_host(l));
	if (ret < 0)
		give_up_errno(setup, "make mounts private", ret);
	if (run_create_container_hooks(l, &err) < 0 ||
	    clone_attach_points(l, mounts, &err) < 0)
		give_up(setup, err);
	proc = tree_make_proc();
	if (proc < 0)
		give_up_errno(setup, "mount procfs", proc);
	enter_user_namespace(l);
	root = tree_make_root(false);
	if (root < 0)
		give_up_errno(setup, "mount an empty root", root);
	ret = place_following(l, mounts, root);
	if (ret < 0)
		give_up_errno(setup, "place the trees that follow the host's mounts", ret);
	start = write_start(l, mounts, proc, log_fd);
	if (start < 0)
		give_up_errno(setup, "start", start);
	ret = execute(l, mounts, root, proc, start, log_fd);
	give_up_errno(setup, "execute", ret);
}
