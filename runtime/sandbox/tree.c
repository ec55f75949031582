/* SPDX-License-Identifier: Apache-2.0 */
/* Roots of the sentry and the gofer, by the FD-based mount calls. */
#include "runtime/sandbox/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

/* glibc's sys/mount.h and linux/mount.h define the same names; these are not in the latter. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

struct fs_option {
	const char *key;
	const char *value;
	bool optional; /* this kernel may not know it */
};

static int fs_create(const char *type, const struct fs_option *options, size_t count,
		     unsigned attributes)
{
	AUTO_CLOSE int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[i].key,
			    options[i].value, 0) < 0 &&
		    !options[i].optional)
			return -errno;
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? -errno : fd;
}

int tree_make_private(bool follows)
{
	return mount(NULL, "/", NULL, MS_REC | (follows ? MS_SLAVE : MS_PRIVATE), NULL) < 0 ? -errno : 0;
}

int tree_make_proc(void)
{
	static const struct fs_option options[] = {
		{ "subset", "pid", true },
		{ "hidepid", "invisible", true },
	};

	return fs_create("proc", options, ARRAY_SIZE(options),
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int add_proc(int root)
{
	AUTO_CLOSE int proc = -1;

	if (mkdirat(root, "proc", 0555) < 0)
		return -errno;
	proc = tree_make_proc();
	if (proc < 0)
		return proc;
	if (syscall(SYS_move_mount, proc, "", root, "proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int tree_make_root(bool with_proc)
{
	static const struct fs_option options[] = {
		{ "mode", "0555", false },
		{ "size", "4k", false },
		{ "nr_inodes", "3", false },
	};
	AUTO_CLOSE int root = fs_create("tmpfs", options, ARRAY_SIZE(options),
					MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int ret = 0;

	if (root < 0)
		return root;
	/* On "/": it exists always, and who has it as root goes on seeing what is below. */
	if (syscall(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	if (with_proc)
		ret = add_proc(root);
	return ret < 0 ? ret : move_fd(&root);
}

int tree_enter(int root_fd)
{
	AUTO_CLOSE int root = root_fd;

	/* With both arguments ".", the old root ends up mounted over the new one. */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	if (mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	return 0;
}

int tree_clone_attach(const char *path, bool recursive, bool read_only, bool follows)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
	AUTO_CLOSE int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, flags);
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (read_only ? MOUNT_ATTR_RDONLY : 0),
		.propagation = follows ? MS_SLAVE : MS_PRIVATE,
	};

	if (tree < 0)
		return -errno;
	/* Before Linux 5.12 the gofer's own read-only flag stands alone. */
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
		    &attributes, sizeof(attributes)) < 0 &&
	    errno != ENOSYS)
		return -errno;
	return move_fd(&tree);
}

int tree_map_ids(int tree, int id_map_fd, bool recursive)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)id_map_fd,
	};

	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
		    &attributes, sizeof(attributes)) < 0)
		return -errno;
	return 0;
}

int tree_place(int tree, int root)
{
	/* All of them on one place: each covers the one before, and is reached by its FD. */
	if (mkdirat(root, "trees", 0) < 0 && errno != EEXIST)
		return -errno;
	if (syscall(SYS_move_mount, tree, "", root, "trees", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}
