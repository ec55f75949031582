/* SPDX-License-Identifier: Apache-2.0
 *
 * Locked mounts: what a copy of a mount namespace for other users lets them change.  In every case those
 * who made "t" and what is on it are root of a user namespace, and a child is root of one in that.
 */
#include "mount_tree.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

/* Root of a user namespace of its own, with a copy of the mounts. */
static void become_other_users(void)
{
	enter_user_namespace();
	MUST(unshare(CLONE_NEWNS));
}

static void file(const char *path)
{
	int fd;

	MUST(fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	close(fd);
}

static int rbind(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_BIND | MS_REC, NULL);
}

static int move(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_MOVE, NULL);
}

static int pivot(const char *root, const char *old)
{
	return (int)syscall(SYS_pivot_root, root, old);
}

/* t/a: a mount with one on "x" with one on "y", and a directory "z". */
static void make_three(void)
{
	tmpfs("t/a");
	made("t/a/x");
	made("t/a/z");
	tmpfs("t/a/x");
	made("t/a/x/y");
	tmpfs("t/a/x/y");
	file("t/a/x/y/leaf");
}

CASE(locked_umount)
{
	begin();
	make_three();
	RUN_CHILD("same users")
	{
		MUST(unshare(CLONE_NEWNS));
		show("umount", umount2("t/a/x/y", 0));
		show("lazy", umount2("t/a", MNT_DETACH));
	}
	RUN_CHILD("other users")
	{
		become_other_users();
		show_tree("the copy");
		show("leaf", umount2("t/a/x/y", 0));
		show("leaf, lazy", umount2("t/a/x/y", MNT_DETACH));
		show("leaf, force", umount2("t/a/x/y", MNT_FORCE));
		show("leaf, expire", umount2("t/a/x/y", MNT_EXPIRE));
		show("middle", umount2("t/a/x", 0));
		show("middle, lazy", umount2("t/a/x", MNT_DETACH));
		show("top, lazy", umount2("t", MNT_DETACH));
		show("proc", umount2("/proc", MNT_DETACH));
		show("root", umount2("/", 0));
		show("root, lazy", umount2("/", MNT_DETACH));
		show("no mount", umount2("t/b", MNT_DETACH));
		tmpfs("t/a/x/y");
		show_tree("covered");
		show("own", umount2("t/a/x/y", 0));
		show("below it", umount2("t/a/x/y", 0));
		show("still there", access("t/a/x/y/leaf", F_OK));
		show("private", propagate("t", MS_REC | MS_PRIVATE));
		show("shared", propagate("t", MS_REC | MS_SHARED));
		show("slave", propagate("t", MS_REC | MS_SLAVE));
		show("unbindable", propagate("t/a/x", MS_UNBINDABLE));
		show("private", propagate("t/a/x", MS_PRIVATE));
		show("leaf", umount2("t/a/x/y", 0));
	}
	RUN_CHILD("a copy of the copy")
	{
		become_other_users();
		MUST(unshare(CLONE_NEWNS));
		show("leaf", umount2("t/a/x/y", 0));
		show("root", umount2("/", MNT_DETACH));
		tmpfs("t/b");
		show("own", umount2("t/b", 0));
		tmpfs("t/b");
		MUST(unshare(CLONE_NEWNS));
		show("own, copied", umount2("t/b", 0));
		tmpfs("t/b");
		become_other_users();
		show("own, copied for others", umount2("t/b", 0));
	}
	show_tree("as before");
}

CASE(locked_bind)
{
	begin();
	make_three();
	file("t/f/file");
	RUN_CHILD("other users")
	{
		become_other_users();
		show("whole", bind_mount("t", "t/b"));
		show("with one below", bind_mount("t/a", "t/b"));
		show("directory without", bind_mount("t/c", "t/b"));
		show("umount", umount2("t/b", 0));
		show("directory of it without", bind_mount("t/a/z", "t/b"));
		show("umount", umount2("t/b", 0));
		show("leaf", bind_mount("t/a/x/y", "t/b"));
		show_tree("leaf");
		show("umount", umount2("t/b", 0));
		show("root", bind_mount("/", "t/b"));
		show("recursive", rbind("t/a", "t/b"));
		show_tree("recursive");
		show("leaf of copy", umount2("t/b/x/y", 0));
		show("middle of copy", umount2("t/b/x", MNT_DETACH));
		show("move out of copy", move("t/b/x", "t/c"));
		show("bind of copy", bind_mount("t/b", "t/c"));
		show("copy, busy", umount2("t/b", 0));
		show("copy", umount2("t/b", MNT_DETACH));
		show_tree("gone");
		tmpfs("t/b");
		made("t/b/own");
		tmpfs("t/b/own");
		show("own child", bind_mount("t/b", "t/c"));
		show("hidden by own", bind_mount("t/b/own", "t/d"));
		show_tree("own");
	}
	MUST(propagate("t/a/x/y", MS_UNBINDABLE));
	show("unbindable left out", rbind("t/a", "t/e"));
	show("umount", umount2("t/e", MNT_DETACH));
	RUN_CHILD("locked and unbindable")
	{
		become_other_users();
		show("left to them", rbind("t/a/x/y", "t/b"));
		show("umount", umount2("t/b", 0));
		MUST(propagate("t/a/x/y", MS_UNBINDABLE));
		show("recursive", rbind("t/a", "t/b"));
		show("recursive, without it", rbind("t/a/z", "t/b"));
		show("recursive, from top", rbind("t", "t/b"));
		show("of it", rbind("t/a/x/y", "t/b"));
		show("one", bind_mount("t/a/x", "t/b"));
		show_tree("but for what is without");
	}
	RUN_CHILD("copy of all")
	{
		become_other_users();
		MUST(unshare(CLONE_NEWNS));
		show_tree("all");
	}
}

CASE(locked_move)
{
	begin();
	make_three();
	RUN_CHILD("other users")
	{
		become_other_users();
		show("leaf", move("t/a/x/y", "t/b"));
		show("middle", move("t/a/x", "t/b"));
		show("top", move("t/a", "t/b"));
		show("root", move("/", "t/b"));
		tmpfs("t/b");
		made("t/b/in");
		show("own", move("t/b", "t/c"));
		show("own onto locked", move("t/c", "t/a/x"));
		show_tree("moved");
		show("own away again", move("t/a/x", "t/d"));
		show("recursive", rbind("t/a", "t/c"));
		show("copy", move("t/c", "t/e"));
		show_tree("copy moved");
		show("of copy", move("t/e/x", "t/f"));
		show("of copy, umount", umount2("t/e/x", MNT_DETACH));
	}
}

CASE(locked_pivot_root)
{
	begin();
	make_three();
	made("t/a/old");
	MUST(propagate("/", MS_REC | MS_PRIVATE));
	RUN_CHILD("other users")
	{
		become_other_users();
		MUST(propagate("/", MS_REC | MS_PRIVATE));
		show("locked", pivot("t/a", "t/a/old"));
		show("root", pivot("/", "/"));
		show("root, put elsewhere", pivot("/", "t/a/old"));
		show("recursive", rbind("t/a", "t/b"));
		show("to the copy", pivot("t/b", "t/b/old"));
		show("new root", umount2("/", MNT_DETACH));
		show("locked in it", umount2("/x/y", MNT_DETACH));
		show("locked in the old one", umount2("/old/proc", MNT_DETACH));
		show("bind of the old one", bind_mount("/old", "/z"));
		show("old root", umount2("/old", MNT_DETACH));
		show("empty", access("/old/proc", F_OK));
		tmpfs("/z");
		made("/z/old");
		show("once more", pivot("/z", "/z/old"));
		show("new root", umount2("/", MNT_DETACH));
		show("old root", umount2("/old", MNT_DETACH));
		show("empty", access("/old/x", F_OK));
	}
	RUN_CHILD("from a root that is locked")
	{
		int fd;

		become_other_users();
		MUST(propagate("/", MS_REC | MS_PRIVATE));
		MUST(fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		MUST(chroot("t/a"));
		MUST(chdir("/"));
		tmpfs("/z");
		made("/z/old");
		show("pivot", pivot("/z", "/z/old"));
		show("lock has moved", umount2("/", MNT_DETACH));
		show("from there", umount2("/old", MNT_DETACH));
		show("nothing in it", access("/old/x", F_OK));
		MUST(fchdir(fd));
		MUST(chroot("."));
		MUST(chdir(shown.prefix));
		show("from outside", umount2("a", MNT_DETACH));
	}
}

/* --- flags ------------------------------------------------------------------------------------ */

static const struct {
	unsigned long ms;
	const char *name;
} flag_sets[] = {
	{ 0, "none" },
	{ MS_RDONLY, "ro" },
	{ MS_NOSUID, "nosuid" },
	{ MS_NODEV, "nodev" },
	{ MS_NOEXEC, "noexec" },
	{ MS_NOATIME, "noatime" },
	{ MS_NODIRATIME, "nodiratime" },
	{ MS_STRICTATIME, "strictatime" },
	{ MS_RELATIME, "relatime" },
	{ MS_STRICTATIME | MS_NOATIME, "strictatime,noatime" },
	{ MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "all four" },
	{ MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME, "all" },
};

static void show_flags(const char *path)
{
	struct statvfs st;

	MUST(statvfs(path, &st));
	note("  now %#lx", st.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME |
					ST_NODIRATIME | ST_RELATIME));
}

static void remounts(const char *path, unsigned long more)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_sets); i++) {
		show(flag_sets[i].name, mount(NULL, path, NULL, MS_REMOUNT | more | flag_sets[i].ms, NULL));
		show_flags(path);
	}
}

CASE(locked_flags)
{
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(flag_sets); i++) {
		note("mounted with %s", flag_sets[i].name);
		MUST(mount("moat", "t/a", "tmpfs", flag_sets[i].ms, NULL));
		RUN_CHILD("other users")
		{
			become_other_users();
			remounts("t/a", MS_BIND);
			show("bind", bind_mount("t/a", "t/b"));
			remounts("t/b", MS_BIND);
		}
		MUST(umount2("t/a", 0));
	}
}

/* Of the file system, which is not theirs. */
CASE(locked_file_system)
{
	begin();
	tmpfs("t/a");
	note("its users");
	remounts("t/a", 0);
	MUST(mount(NULL, "t/a", NULL, MS_REMOUNT, NULL));
	RUN_CHILD("other users")
	{
		become_other_users();
		remounts("t/a", 0);
		show("no mount", mount(NULL, "t/b", NULL, MS_REMOUNT, NULL));
		tmpfs("t/b");
		note("own");
		remounts("t/b", 0);
		show("rw", mount(NULL, "t/b", NULL, MS_REMOUNT, NULL));
		show_flags("t/b");
	}
	show_flags("t/a");
}

/* --- propagation --------------------------------------------------------------------------------- */

struct turns {
	int down[2], up[2];
	pid_t pid;
};

static void await(const int pipe_fds[2])
{
	char byte;

	MUST(read(pipe_fds[0], &byte, 1) == 1 ? 0 : -1);
}

static void tell(const int pipe_fds[2])
{
	MUST(write(pipe_fds[1], "", 1));
}

/* Forks: 0 in the child, where others are root already. */
static pid_t take_turns(struct turns *t)
{
	MUST(pipe(t->down));
	MUST(pipe(t->up));
	MUST(t->pid = fork());
	if (t->pid == 0) {
		become_other_users();
		tell(t->up);
		await(t->down);
	} else {
		await(t->up);
	}
	return t->pid;
}

CASE(locked_propagated)
{
	struct turns t;

	begin();
	MUST(propagate("t", MS_SHARED));
	if (take_turns(&t) == 0) {
		show_tree("received");
		show("leaf", umount2("t/a/x/y", MNT_DETACH));
		show("middle", umount2("t/a/x", MNT_DETACH));
		show("move of middle", move("t/a/x", "t/b"));
		show("bind", bind_mount("t/a", "t/b"));
		remounts("t/d", MS_BIND);
		remounts("t/d/in", MS_BIND);
		show("move of what came", move("t/a", "t/e"));
		show("what came", umount2("t/a", MNT_DETACH));
		show_tree("after");
		_exit(0);
	}
	tmpfs("t/c");
	made("t/c/x");
	tmpfs("t/c/x");
	made("t/c/x/y");
	tmpfs("t/c/x/y");
	show("recursive", rbind("t/c", "t/a"));
	tmpfs("t/f");
	made("t/f/in");
	MUST(mount("moat", "t/f/in", "tmpfs", MS_NODEV | MS_NOATIME, NULL));
	MUST(propagate("t/f", MS_PRIVATE));
	MUST(mount("moat", "t/d", "tmpfs", MS_NOSUID | MS_NOATIME, NULL));
	made("t/d/in");
	MUST(mount("moat", "t/d/in", "tmpfs", MS_NOEXEC, NULL));
	tell(t.down);
	show_wait("child", t.pid);
	show_tree("as before");
}

/* What comes to where something locked is goes below that. */
CASE(locked_covered)
{
	struct turns t;

	begin();
	tmpfs("t/a");
	tmpfs("t/b");
	MUST(mkdir("t/b/x", 0700));
	MUST(propagate("t", MS_SHARED));
	MUST(mount("t", "t/c", NULL, MS_BIND, NULL));
	MUST(propagate("t/c", MS_PRIVATE));
	MUST(propagate("t/c", MS_SHARED));
	if (take_turns(&t) == 0) {
		show_tree("before");
		tmpfs("t/d");
		tell(t.up);
		await(t.down);
		show_tree("covered");
		show("own", umount2("t/d", 0));
		show("what came below", umount2("t/d", 0));
		show("what came onto locked", umount2("t/a", 0));
		show("locked", umount2("t/a", 0));
		show_tree("after");
		_exit(0);
	}
	tell(t.down);
	await(t.up);
	tmpfs("t/d");
	tmpfs("t/a");
	tell(t.down);
	show_wait("child", t.pid);
}

/* Those a mount is from may umount it everywhere, and what is locked in it goes along. */
CASE(locked_umount_propagated)
{
	static const int how[] = { 0, MNT_DETACH };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		struct turns t;

		MUST(propagate("t", MS_PRIVATE));
		make_three();
		tmpfs("t/b");
		MUST(propagate("t", MS_SHARED | MS_REC));
		note("flags %d", how[i]);
		if (take_turns(&t) == 0) {
			show_tree("before");
			tmpfs("t/a/z");
			tell(t.up);
			await(t.down);
			show_tree("a leaf and a mount have gone");
			tell(t.up);
			await(t.down);
			show_tree("all");
			_exit(0);
		}
		tell(t.down);
		await(t.up);
		show("alone", umount2("t/b", how[i]));
		show("leaf", umount2("t/a/x/y", how[i]));
		tell(t.down);
		await(t.up);
		show("rest", umount2("t/a", MNT_DETACH));
		tell(t.down);
		show_wait("child", t.pid);
		show_tree("gone");
	}
}

/* --- what is left of umounted ones ------------------------------------------------------------ */

static void look(int fd)
{
	show("middle", faccessat(fd, "x/y", F_OK, 0));
	show("leaf", faccessat(fd, "x/y/leaf", F_OK, 0));
	show("own", faccessat(fd, "z/own", F_OK, 0));
	show("back", faccessat(fd, "x/y/../../x/y/leaf", F_OK, 0));
	show("above", faccessat(fd, "../a/x", F_OK, 0));
}

/* Who is in a tree that goes does not see what was hidden in it. */
CASE(locked_stays_connected)
{
	struct turns t;
	int fd, leaf;

	begin();
	make_three();
	MUST(propagate("t", MS_SHARED | MS_REC));
	if (take_turns(&t) == 0) {
		tmpfs("t/a/z");
		made("t/a/z/own");
		MUST(fd = open("t/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		MUST(leaf = open("t/a/x/y", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		look(fd);
		tell(t.up);
		await(t.down);
		show_tree("gone");
		look(fd);
		show("up from leaf", faccessat(leaf, "../y/leaf", F_OK, 0));
		close(fd);
		show("leaf alone", faccessat(leaf, "leaf", F_OK, 0));
		show("up from leaf", faccessat(leaf, "../y", F_OK, 0));
		show("not above", faccessat(leaf, "../leaf", F_OK, 0));
		_exit(0);
	}
	MUST(fd = open("t/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	tell(t.down);
	await(t.up);
	show("lazy", umount2("t/a", MNT_DETACH));
	note("not locked");
	look(fd);
	tell(t.down);
	show_wait("child", t.pid);
}

CASE(locked_namespace_gone)
{
	int fd, leaf, same;

	begin();
	make_three();
	RUN_CHILD("other users")
	{
		become_other_users();
		tmpfs("t/a/z");
		made("t/a/z/own");
		MUST(fd = open("t/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		MUST(leaf = open("t/a/x/y", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		look(fd);
		MUST(unshare(CLONE_NEWNS));
		note("without it");
		look(fd);
		show("of what is gone", umount2("/proc/self/fd/3", MNT_DETACH));
		show("bind of it", bind_mount("/proc/self/fd/3", "t/b"));
		show("bind of what stays", rbind("/proc/self/fd/3/x", "t/b"));
		close(fd);
		show("leaf alone", faccessat(leaf, "leaf", F_OK, 0));
		show("up from leaf", faccessat(leaf, "../y", F_OK, 0));
	}
	RUN_CHILD("same users")
	{
		MUST(unshare(CLONE_NEWNS));
		MUST(same = open("t/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		MUST(unshare(CLONE_NEWNS));
		look(same);
	}
}

/* Deeper than any stack of the kernel's would bear recursion. */
CASE(locked_deep)
{
	enum { DEPTH = 6000 };
	int fd, root;

	begin();
	tmpfs("t/a");
	MUST(root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(chdir("t/a"));
	for (int i = 0; i < DEPTH; i++) {
		MUST(mkdir("d", 0700));
		tmpfs("d");
		MUST(chdir("d"));
	}
	MUST(fchdir(root));
	MUST(chdir(shown.prefix));
	RUN_CHILD("other users")
	{
		become_other_users();
		MUST(chdir("/"));
		MUST(chdir(shown.prefix));
		MUST(fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		MUST(unshare(CLONE_NEWNS));
		show("in it", faccessat(fd, "d/d/d/d", F_OK, 0));
		show("close", close(fd));
	}
	show("umount", umount2("a", MNT_DETACH));
}

/* --- file systems that show more than a mount of them may be to show -------------------------------- */

/* Namespaces of its own, but for those in @shared.  Ids are not mapped: /proc may be hidden. */
static void become_owner(unsigned long shared)
{
	const unsigned long all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC;

	MUST(unshare((int)(all & ~shared)));
}

static void mount_types(void)
{
	static const char *const types[] = { "proc", "sysfs", "mqueue", "tmpfs", "devpts" };
	static const struct {
		unsigned long ms;
		const char *name;
	} flags[] = { { 0, "rw" },
		      { MS_RDONLY, "ro" },
		      { MS_NOATIME, "noatime" },
		      { MS_RDONLY | MS_NOATIME, "ro,noatime" } };
	pid_t pid;

	MUST(pid = fork());
	if (pid) {
		show_wait("mounts", pid);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
			int done = mount("moat", "t/e", types[i], flags[k].ms, NULL);

			note("%s %s", types[i], flags[k].name);
			show("mount", done);
			if (done < 0)
				continue;
			show("rw", mount(NULL, "t/e", NULL, MS_REMOUNT | MS_BIND, NULL));
			show("noatime", mount(NULL, "t/e", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL));
			show("umount", umount2("t/e", MNT_DETACH));
		}
	}
	_exit(0);
}

CASE(locked_visible)
{
	begin();
	RUN_CHILD("nothing hidden")
	{
		become_owner(0);
		mount_types();
	}
	RUN_CHILD("network of others")
	{
		become_owner(CLONE_NEWNET);
		mount_types();
	}
	RUN_CHILD("processes of others")
	{
		become_owner(CLONE_NEWPID);
		mount_types();
	}
	RUN_CHILD("mounts of others, too")
	{
		become_owner(CLONE_NEWNS);
		mount_types();
	}
}

/* In the place of the mount point each time. */
CASE(locked_visible_masked)
{
	static const char *const places[] = { "/proc/sys",	 "/proc/uptime", "/sys/kernel", "/sys/fs/cgroup",
					      "/sys/kernel/debug", "/proc/self", "/proc", "/sys" };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct stat st;

		note("masked: %s", places[i]);
		RUN_CHILD("others")
		{
			MUST(unshare(CLONE_NEWNS));
			MUST(stat(places[i], &st));
			if (S_ISDIR(st.st_mode))
				MUST(mount("moat", places[i], "tmpfs", MS_RDONLY, NULL));
			else
				MUST(bind_mount("/dev/null", places[i]));
			become_owner(0);
			mount_types();
		}
		RUN_CHILD("by who asks")
		{
			become_owner(0);
			MUST(stat(places[i], &st));
			if (S_ISDIR(st.st_mode))
				MUST(mount("moat", places[i], "tmpfs", MS_RDONLY, NULL));
			else
				MUST(bind_mount("/dev/null", places[i]));
			mount_types();
		}
	}
}

CASE(locked_visible_flags)
{
	begin();
	RUN_CHILD("read-only")
	{
		MUST(unshare(CLONE_NEWNS));
		show("remount", mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
		become_owner(0);
		mount_types();
	}
	RUN_CHILD("part of it")
	{
		MUST(unshare(CLONE_NEWNS));
		MUST(rbind("/proc/sys", "t/a"));
		MUST(mount("moat", "/proc", "tmpfs", MS_RDONLY, NULL));
		become_owner(0);
		mount_types();
	}
	RUN_CHILD("part of it is read-only")
	{
		MUST(unshare(CLONE_NEWNS));
		MUST(bind_mount("/proc/sys", "/proc/sys"));
		become_owner(0);
		mount_types();
	}
}
