/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_mapped SOURCE TARGET RECURSIVE STORED SEEN SIZE: mounts SOURCE on TARGET, where who is STORED as the
 * owner of a file is seen as SEEN.  What the host's kernel makes of it is what a container has to see.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

static void fail(const char *what)
{
	fprintf(stderr, "id_mapped: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_map(pid_t pid, const char *name, char **ids)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "%s %s %s\n", ids[0], ids[1], ids[2]) < 0)
		fail(name);
	close(fd);
}

int main(int argc, char **argv)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP };
	char path[64], byte;
	int ready[2], tree, flags;
	pid_t pid;

	if (argc != 7 || pipe(ready) < 0)
		return 2;
	flags = AT_EMPTY_PATH | (strcmp(argv[3], "0") != 0 ? AT_RECURSIVE : 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail("unshare");
	write_map(pid, "uid_map", argv + 4);
	write_map(pid, "gid_map", argv + 4);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	attributes.userns_fd = (unsigned long long)open(path, O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tree = open_tree(AT_FDCWD, argv[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		fail(argv[1]);
	if (mount_setattr(tree, "", (unsigned)flags, &attributes, sizeof(attributes)) < 0)
		fail("mount_setattr");
	if (move_mount(tree, "", AT_FDCWD, argv[2], MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail(argv[2]);
	return 0;
}
