/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's process between clone and execve: in its new namespaces, with the memory of the
 * command line.  It waits until its ids are mapped, builds the root it will enter (an empty
 * tmpfs with a minimal procfs), and executes the sealed copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/sandbox/launch_state.h"
#include "runtime/sandbox/tree.h"
#include "sentry/control/boot_channel.h"

static NORETURN void give_up(int channel, const char *what, int error)
{
	int ret = boot_channel_answer(channel, error, "sandbox: %s: %s", what, strerror(-error));

	(void)ret;
	_exit(1);
}

/* The parent sends one byte when it has written our maps, or is gone. */
static void wait_for_maps(int channel)
{
	char go;

	if (read(channel, &go, 1) != 1)
		_exit(1);
}

static int become_root(void)
{
	/* Fails where setgroups had to be given up for the right to map at all. */
	int ret = setgroups(0, NULL);

	(void)ret;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int move_to(int fd, int number)
{
	return dup3(fd, number, O_CLOEXEC) < 0 ? -errno : 0;
}

/* dup3 onto BOOT_CHANNEL_FD and LAUNCH_ROOT_FD must not hit an FD still needed. */
static int lift_fd(int fd)
{
	int lifted = fcntl(fd, F_DUPFD_CLOEXEC, LAUNCH_ROOT_FD + 1);

	return lifted < 0 ? -errno : lifted;
}

static int execute(int exe_fd, int channel, int root)
{
	char *const argv[] = { (char[]){ "moat" }, (char[]){ "boot" }, NULL };
	const int keep[] = { BOOT_CHANNEL_FD, LAUNCH_ROOT_FD };
	int ret;

	exe_fd = lift_fd(exe_fd);
	channel = lift_fd(channel);
	root = lift_fd(root);
	if (exe_fd < 0 || channel < 0 || root < 0)
		return -EMFILE;
	ret = move_to(channel, BOOT_CHANNEL_FD);
	if (ret == 0)
		ret = move_to(root, LAUNCH_ROOT_FD);
	return ret < 0 ? ret : clone_exec(exe_fd, argv, keep, ARRAY_SIZE(keep));
}

void launch_sentry_child(struct launch *l)
{
	int channel = l->boot.theirs;
	int root;
	int ret;

	/* Else the two children would keep each other from seeing the parent's end. */
	close(l->boot.ours);
	close(l->setup.ours);
	/* And the parent would wait for our execve, not for the gofer's alone. */
	close(l->setup.theirs);
	wait_for_maps(channel);
	setsid();
	ret = become_root();
	if (ret < 0)
		give_up(channel, "become root of the user namespace", ret);
	ret = l->network.of_child ? network_set_up_own() : 0;
	if (ret < 0)
		give_up(channel, "set its network up", ret);
	ret = tree_make_private(false);
	if (ret < 0)
		give_up(channel, "make mounts private", ret);
	root = tree_make_root(true);
	if (root < 0)
		give_up(channel, "mount an empty root and its procfs", root);
	ret = execute(l->exe_fd, channel, root);
	give_up(channel, "execute", ret);
}
