/* SPDX-License-Identifier: Apache-2.0 */
/* open_tree and move_mount: trees that are mounted nowhere, and where they and others may go. */
#include "mount_tree.h"

#include <sys/mount.h>
#include <sys/vfs.h>

#define CLONE_TREE 1U
#define RECURSIVE 0x8000U
#define F_EMPTY 0x4U
#define T_EMPTY 0x40U
#define SET_GROUP 0x100U
#define BENEATH 0x200U

static int open_tree_at(int dir, const char *name, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dir, name, flags);
}

static int tree_of(const char *name, unsigned int flags)
{
	return (int)MUST(open_tree_at(AT_FDCWD, name, CLONE_TREE | O_CLOEXEC | flags));
}

static long move(int from, const char *from_name, int to, const char *to_name, unsigned int flags)
{
	return syscall(SYS_move_mount, from, from_name, to, to_name, flags);
}

/* A detached tree goes on @name. */
static long put(int fd, const char *name)
{
	return move(fd, "", AT_FDCWD, name, F_EMPTY);
}

CASE(open_tree_rules)
{
	static const unsigned int flags[] = { 0, O_CLOEXEC, AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, RECURSIVE,
					      CLONE_TREE | RECURSIVE, 2, 4, 0x10, AT_EMPTY_PATH, 0x4000, 0x200 };
	int fd;

	begin();
	MUST(symlink("a", "t/link"));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		note("flags %x", flags[i]);
		fd = open_tree_at(AT_FDCWD, "t/link", flags[i]);
		show_ok("open", fd);
		if (fd < 0)
			continue;
		show_hex("status", (unsigned)fcntl(fd, F_GETFL));
		show_hex("descriptor", (unsigned)fcntl(fd, F_GETFD));
		close(fd);
	}
	show("missing", open_tree_at(AT_FDCWD, "t/x", CLONE_TREE));
	show("empty", open_tree_at(AT_FDCWD, "", CLONE_TREE));
	show("bad name", open_tree_at(AT_FDCWD, bad_ptr(), 0));
	show("bad directory", open_tree_at(99, "x", 0));
	fd = open("t/a", O_PATH);
	show_ok("of a descriptor", open_tree_at(fd, "", CLONE_TREE | AT_EMPTY_PATH));
	show_ok("and no name", open_tree_at(fd, NULL, CLONE_TREE | AT_EMPTY_PATH));
	show("of a pipe", open_tree_at(0, "", CLONE_TREE | AT_EMPTY_PATH) < 0 ? 0 : 1);
	propagate("t", MS_UNBINDABLE);
	show("unbindable", open_tree_at(AT_FDCWD, "t", CLONE_TREE));
	show_ok("unbindable, as it is", open_tree_at(AT_FDCWD, "t", 0));
}

CASE(open_tree_privilege)
{
	int dir = (int)MUST(open(".", O_PATH));

	show_ok("as it is", open_tree_at(dir, "", AT_EMPTY_PATH));
	show("copy", open_tree_at(dir, "", CLONE_TREE | AT_EMPTY_PATH));
	show("copy of nothing", open_tree_at(99, bad_ptr(), CLONE_TREE));
	show("move", move(99, bad_ptr(), 99, bad_ptr(), 0x80000));
}

CASE(open_tree_detached)
{
	char path[64];
	struct stat st;
	int fd, inner;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	made("t/a/x/deep");
	fd = tree_of("t", 0);
	show_tree("not seen");
	show("in it", fstatat(fd, "a/x", &st, 0));
	show("not what is mounted below", fstatat(fd, "a/in", &st, 0));
	close(fd);
	fd = tree_of("t/b", 0);
	show("nothing is above it", fstatat(fd, "../a", &st, 0));
	show("but itself", fstatat(fd, "../in", &st, 0));
	close(fd);
	fd = tree_of("t", RECURSIVE);
	show("in what is mounted below", fstatat(fd, "a/x/deep", &st, 0));
	show("its file", openat(fd, "a/x/deep/../..", O_RDONLY) < 0 ? -1 : 0);
	/* what is unmounted of the original stays in the copy */
	show("umount", umount2("t/a/x", 0));
	show("there", fstatat(fd, "a/x/deep", &st, 0));
	/* nothing is mounted in it but by move_mount, nor umounted */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/b", fd);
	show("mount in it", mount("none", path, "tmpfs", 0, NULL));
	show("bind to it", mount("t/c", path, NULL, MS_BIND, NULL));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/a/x", fd);
	show("umount in it", umount2(path, 0));
	show("bind of it", mount(path, "t/c", NULL, MS_BIND, NULL));
	show_tree("bound");
	inner = open_tree_at(fd, "a", CLONE_TREE | RECURSIVE);
	show_ok("a copy of a part", inner);
	show("put", put(inner, "t/d"));
	show_tree("a copy of a copy");
	show("a part of it", move(fd, "a", AT_FDCWD, "t/e", 0));
	close(fd);
	show_tree("closed");
}

CASE(move_mount_detached)
{
	int fd, other;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	fd = tree_of("t/a", RECURSIVE);
	show("put", put(fd, "t/b"));
	show_tree("put");
	show("put again", put(fd, "t/c"));
	show_tree("twice");
	close(fd);
	show_tree("closed");
	fd = tree_of("t/a", 0);
	other = tree_of("t/a", RECURSIVE);
	show("into another", move(fd, "", other, "in", F_EMPTY));
	show("onto another", move(fd, "", other, "x", F_EMPTY));
	show("into itself", move(other, "", other, "x", F_EMPTY));
	show("put both", put(other, "t/d"));
	show_tree("both");
	/* What was put is like all others. */
	show("umount", umount2("t/d", MNT_DETACH));
	show_tree("umounted");
	show("a file on a directory", move(tree_of("t/b", 0), "", AT_FDCWD, "t/file", F_EMPTY));
	write_file("t/file", "x", 0600);
	write_file("t/other", "y", 0600);
	show("a file on a directory", put(tree_of("t/file", 0), "t/f"));
	show("a directory on a file", put(tree_of("t/a", 0), "t/file"));
	show("a file on a file", put(tree_of("t/file", 0), "t/other"));
	show_file("other", "t/other");
	show_tree("files");
	fd = tree_of("t/a", 0);
	MUST(mkdir("t/gone", 0700));
	other = open("t/gone", O_PATH);
	MUST(rmdir("t/gone"));
	show("on what is gone", move(fd, "", other, "", F_EMPTY | T_EMPTY));
	show("missing", put(fd, "t/missing"));
	show("not a tree", move(open("t/e", O_PATH), "", AT_FDCWD, "t/f", F_EMPTY));
	show("bad flags", move(fd, "", AT_FDCWD, "t/f", F_EMPTY | 0x8));
	show("both ways", move(fd, "", AT_FDCWD, "t/f", F_EMPTY | SET_GROUP | BENEATH));
	show("no name", move(fd, "", AT_FDCWD, "t/f", 0));
	show("bad descriptor", move(99, "", AT_FDCWD, "t/f", F_EMPTY));
	show("bad target", move(99, "", 98, "", F_EMPTY | T_EMPTY));
	show("NULL", move(fd, NULL, AT_FDCWD, "t/f", F_EMPTY));
	show_tree("NULL is empty");
}

CASE(move_mount_attached)
{
	int fd;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	MUST(symlink("c", "t/link"));
	fd = (int)MUST(open_tree_at(AT_FDCWD, "t/a", 0));
	show("by a descriptor", move(fd, "", AT_FDCWD, "t/b", F_EMPTY));
	show_tree("moved");
	show("by name", move(AT_FDCWD, "t/b", AT_FDCWD, "t/c", 0));
	show("link", move(AT_FDCWD, "t/link", AT_FDCWD, "t/d", 0));
	show("followed", move(AT_FDCWD, "t/link", AT_FDCWD, "t/d", 1));
	show_tree("followed");
	show("into itself", move(AT_FDCWD, "t/d", AT_FDCWD, "t/d/x", 0));
	show("no mount", move(AT_FDCWD, "t/e", AT_FDCWD, "t/f", 0));
	show("the root", move(AT_FDCWD, "/", AT_FDCWD, "t/f", 0));
	propagate("t/d", MS_SHARED);
	show("out of a shared one", move(AT_FDCWD, "t/d/x", AT_FDCWD, "t/f", 0));
	show("into one", move(AT_FDCWD, "t/d/x", AT_FDCWD, "t/d/x", 0));
	show_tree("shared");
}

CASE(move_mount_propagation)
{
	int fd;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	MUST(mkdir("t/a/in", 0700));
	propagate("t/a", MS_SHARED);
	MUST(bind_mount("t/a", "t/b"));
	MUST(bind_mount("t/a", "t/c"));
	propagate("t/c", MS_SLAVE);
	show_tree("peers");
	fd = tree_of("t/a", RECURSIVE);
	show("a copy is a peer", put(fd, "t/d"));
	show_tree("peer");
	tmpfs("t/e");
	show("to all", put(tree_of("t/e", 0), "t/a/x"));
	show_tree("to all");
	fd = tree_of("t/a", RECURSIVE);
	tmpfs("t/b/in");
	show_tree("not to what is detached");
	show("put", put(fd, "t/f"));
	show_tree("put");
	propagate("t/e", MS_UNBINDABLE);
	show("unbindable", move(AT_FDCWD, "t/e", AT_FDCWD, "t/a/in", 0));
}

CASE(move_mount_set_group)
{
	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/e");
	MUST(bind_mount("t/a", "t/b"));
	MUST(bind_mount("t/a/x", "t/c"));
	show("of a private one", move(AT_FDCWD, "t/a", AT_FDCWD, "t/b", SET_GROUP));
	propagate("t/a", MS_SHARED);
	show("shared", move(AT_FDCWD, "t/a", AT_FDCWD, "t/b", SET_GROUP));
	show("shared again", move(AT_FDCWD, "t/a", AT_FDCWD, "t/b", SET_GROUP));
	show("of a part", move(AT_FDCWD, "t/a", AT_FDCWD, "t/c", SET_GROUP));
	show_tree("peers");
	show("another file system", move(AT_FDCWD, "t/a", AT_FDCWD, "t/e", SET_GROUP));
	show("no mount", move(AT_FDCWD, "t/a/x", AT_FDCWD, "t/c", SET_GROUP));
	show("to no mount", move(AT_FDCWD, "t/a", AT_FDCWD, "t/d", SET_GROUP));
	MUST(bind_mount("t/a", "t/d"));
	propagate("t/d", MS_SLAVE);
	MUST(bind_mount("t/b", "t/f"));
	propagate("t/f", MS_PRIVATE);
	show("slave", move(AT_FDCWD, "t/d", AT_FDCWD, "t/f", SET_GROUP));
	show_tree("slaves");
	propagate("t/c", MS_PRIVATE);
	propagate("t/f", MS_PRIVATE);
	propagate("t/c", MS_SHARED);
	show("of what shows less", move(AT_FDCWD, "t/c", AT_FDCWD, "t/f", SET_GROUP));
}

CASE(move_mount_beneath)
{
	int fd;

	begin();
	tmpfs("t/a");
	made("t/a/upper");
	tmpfs("t/b");
	made("t/b/lower");
	show("beneath", move(AT_FDCWD, "t/b", AT_FDCWD, "t/a", BENEATH));
	show_tree("beneath");
	show("upper is seen", access("t/a/upper", F_OK));
	show("umount", umount2("t/a", 0));
	show("lower is seen", access("t/a/lower", F_OK));
	fd = tree_of("t/a", 0);
	show("a detached one", move(fd, "", AT_FDCWD, "t/a", F_EMPTY | BENEATH));
	show_tree("detached");
	show("beneath no mount", move(tree_of("t/a", 0), "", AT_FDCWD, "t/c", F_EMPTY | BENEATH));
	show("beneath the root", move(tree_of("t/a", 0), "", AT_FDCWD, "/", F_EMPTY | BENEATH));
	tmpfs("t/c");
	MUST(mkdir("t/c/x", 0700));
	tmpfs("t/c/x");
	show("beneath its own parent", move(AT_FDCWD, "t/c/x", AT_FDCWD, "t/c", BENEATH));
	show("beneath itself", move(AT_FDCWD, "t/c", AT_FDCWD, "t/c", BENEATH));
	/* Where it would come to lie on what it is beneath. */
	tmpfs("t/d");
	propagate("t/d", MS_SHARED);
	MUST(mkdir("t/d/x", 0700));
	MUST(mkdir("t/d/in", 0700));
	MUST(mount("t/d", "t/d/x", NULL, MS_BIND, NULL));
	show("peer", move(tree_of("t/c", 0), "", AT_FDCWD, "t/d/x", F_EMPTY | BENEATH));
	tmpfs("t/e");
	tmpfs("t/d/in");
	MUST(bind_mount("t/d", "t/f"));
	show("beneath one that is propagated", move(AT_FDCWD, "t/e", AT_FDCWD, "t/d/in", BENEATH));
	show_tree("propagated");
}

CASE(move_mount_other_namespace)
{
	int ready[2], fd;
	char byte;
	pid_t pid;

	begin();
	tmpfs("t/a");
	fd = tree_of("t/a", 0);
	MUST(pipe(ready));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(unshare(CLONE_NEWNS));
		show("put in another namespace", put(fd, "t/b"));
		show("a copy there", open_tree_at(fd, "", CLONE_TREE | AT_EMPTY_PATH) < 0 ? -1 : 0);
		MUST(write(ready[1], "x", 1));
		_exit(0);
	}
	MUST(read(ready[0], &byte, 1));
	show_wait("child", pid);
	show("here", put(fd, "t/c"));
	show_tree("here");
}
