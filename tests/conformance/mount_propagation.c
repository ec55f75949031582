/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared, slave, private and unbindable mounts: what /proc/self/mountinfo says of them, and where a
 * mount or umount goes from one.
 */
#include "mount_tree.h"

#include <sys/mount.h>

CASE(propagation_types)
{
	begin();
	show_tree("private");
	show("shared", propagate("t", MS_SHARED));
	show_tree("shared");
	show("shared again", propagate("t", MS_SHARED));
	show_tree("shared again");
	show("slave without a master", propagate("t", MS_SLAVE));
	show_tree("slave without a master");
	show("unbindable", propagate("t", MS_UNBINDABLE));
	show_tree("unbindable");
	show("slave of unbindable", propagate("t", MS_SLAVE));
	show_tree("slave of unbindable");
	show("bind", bind_mount("t/a", "t/b"));
	show("private", propagate("t", MS_PRIVATE));
	show("unbindable", propagate("t", MS_UNBINDABLE));
	show("shared", propagate("t", MS_SHARED));
	show_tree("shared");
	show("bind", bind_mount("t/a", "t/b"));
	show_tree("bound");
	show("bind slave", propagate("t/b", MS_SLAVE));
	show_tree("bind slave");
	show("slave and shared", propagate("t/b", MS_SHARED));
	show_tree("slave and shared");
	show("slave again", propagate("t/b", MS_SLAVE));
	show_tree("slave again");
	show("private", propagate("t/b", MS_PRIVATE));
	show_tree("private");
}

CASE(propagation_errors)
{
	begin();
	show("two types", propagate("t", MS_SHARED | MS_SLAVE));
	show("more flags", propagate("t", MS_SHARED | MS_RDONLY));
	show("silent", propagate("t", MS_SHARED | MS_SILENT | MS_REC));
	show("no mount", propagate("t/a", MS_SHARED));
	show("no file", propagate("t/x", MS_SHARED));
	show("unbindable", propagate("t", MS_UNBINDABLE));
	show("bind", bind_mount("t", "t/a"));
	show("bind of a part", bind_mount("t/a", "t/b"));
	show("recursive", mount("t", "t/a", NULL, MS_BIND | MS_REC, NULL));
	/* Moves: out of a shared mount, of what is unbindable into one. */
	show("private", propagate("t", MS_PRIVATE));
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	tmpfs("t/b");
	show("shared", propagate("t/a", MS_SHARED));
	show("from shared", mount("t/a/x", "t/c", NULL, MS_MOVE, NULL));
	show("unbindable", propagate("t/b", MS_UNBINDABLE));
	show("into shared", mount("t/b", "t/a/x", NULL, MS_MOVE, NULL));
	show("private", propagate("t/b", MS_PRIVATE));
	show("into shared", mount("t/b", "t/a/x", NULL, MS_MOVE, NULL));
	show_tree("after");
}

CASE(propagation_peers)
{
	begin();
	show("shared", propagate("t", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("bind", bind_mount("t/a", "t/c"));
	show_tree("bound");
	tmpfs("t/b/in");
	show_tree("mounted on one");
	show("umount of another", umount2("t/c/in", 0));
	show_tree("umounted");
	/* One whose root does not hold the mountpoint gets nothing. */
	show("bind of the inside", bind_mount("t/a/in", "t/d"));
	tmpfs("t/a/in");
	show_tree("the inside too");
	show("private", propagate("t/c", MS_PRIVATE));
	show("umount", umount2("t/a/in", 0));
	show_tree("but for the private one");
	show("umount", umount2("t/c/in", 0));
	show_tree("and there");
}

CASE(propagation_slaves)
{
	begin();
	show("shared", propagate("t", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("slave", propagate("t/b", MS_SLAVE));
	show("bind of slave", bind_mount("t/b", "t/c"));
	show("slave shared", propagate("t/c", MS_SHARED));
	show("bind of both", bind_mount("t/c", "t/d"));
	show("slave of slave", propagate("t/d", MS_SLAVE));
	show_tree("chain");
	tmpfs("t/a/in");
	show_tree("down the chain");
	show("umount", umount2("t/d/in", 0));
	show_tree("umount at its end");
	show("umount", umount2("t/c/in", 0));
	show_tree("umount in the middle");
	tmpfs("t/d/in");
	show_tree("mount at its end");
	show("umount", umount2("t/a/in", 0));
	show_tree("umount of all");
	show("umount", umount2("t/d/in", 0));
	/* Who loses its master follows that one's. */
	show("umount of the middle", umount2("t/c", 0));
	show_tree("masters");
	show("private", propagate("t", MS_PRIVATE));
	show_tree("no master");
}

CASE(propagation_master_leaves)
{
	begin();
	tmpfs("t/a");
	show("shared", propagate("t/a", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("bind", bind_mount("t/a", "t/c"));
	show("slave", propagate("t/c", MS_SLAVE));
	show_tree("three");
	show("umount of a peer", umount2("t/a", 0));
	show_tree("two");
	show("slave", propagate("t/b", MS_SLAVE));
	show_tree("none");
}

/* A mount that comes to a place where another one is goes below that. */
CASE(propagation_covered)
{
	begin();
	show("shared", propagate("t", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("slave", propagate("t/b", MS_SLAVE));
	tmpfs("t/b/in");
	MUST(mkdir("t/b/in/own", 0700));
	tmpfs("t/a/in");
	MUST(mkdir("t/a/in/theirs", 0700));
	show_tree("below");
	show("own on top", access("t/b/in/own", F_OK));
	show("umount", umount2("t/a/in", 0));
	show_tree("taken away below");
	show("own on top", access("t/b/in/own", F_OK));
	tmpfs("t/a/in");
	show("umount of own", umount2("t/b/in", 0));
	show_tree("own gone");
	show("umount", umount2("t/b/in", 0));
	show_tree("both gone");
}

CASE(propagation_umount)
{
	begin();
	show("shared", propagate("t", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("slave", propagate("t/b", MS_SLAVE));
	tmpfs("t/a/in");
	MUST(mkdir("t/a/in/deep", 0700));
	/* What has something mounted in it stays. */
	tmpfs("t/b/in/deep");
	show_tree("more in the slave");
	show("umount", umount2("t/a/in", 0));
	show_tree("stays");
	show("umount", umount2("t/b/in/deep", 0));
	show("umount", umount2("t/b/in", 0));
	/* All that came goes with a lazy umount. */
	tmpfs("t/a/in");
	MUST(mkdir("t/a/in/deep", 0700));
	tmpfs("t/a/in/deep");
	show_tree("two levels");
	show("not empty", umount2("t/a/in", 0));
	show("lazy", umount2("t/a/in", MNT_DETACH));
	show_tree("lazy");
	/* And in part. */
	tmpfs("t/a/in");
	MUST(mkdir("t/a/in/deep", 0700));
	MUST(mkdir("t/a/in/other", 0700));
	tmpfs("t/a/in/deep");
	tmpfs("t/b/in/other");
	show("lazy", umount2("t/a/in", MNT_DETACH));
	show_tree("in part");
}

CASE(propagation_busy)
{
	int fd;

	begin();
	show("shared", propagate("t", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	tmpfs("t/a/in");
	MUST(fd = open("t/b/in", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	show("umount", umount2("t/a/in", 0));
	show_tree("busy");
	show("umount", umount2("t/b/in", 0));
	close(fd);
	show("umount", umount2("t/a/in", 0));
	show_tree("idle");
	tmpfs("t/a/in");
	MUST(fd = open("t/b/in", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	show("lazy", umount2("t/a/in", MNT_DETACH));
	show_tree("lazy");
	show("still", faccessat(fd, ".", F_OK, 0));
}

CASE(propagation_recursive)
{
	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	MUST(mkdir("t/a/y", 0700));
	tmpfs("t/a/x");
	tmpfs("t/a/y");
	MUST(mkdir("t/a/y/z", 0700));
	tmpfs("t/a/y/z");
	show("unbindable", propagate("t/a/y", MS_UNBINDABLE));
	show("recursive bind", mount("t/a", "t/b", NULL, MS_BIND | MS_REC, NULL));
	show_tree("without the unbindable");
	show("shared", propagate("t", MS_SHARED | MS_REC));
	show_tree("all shared");
	show("recursive bind", mount("t/a", "t/c", NULL, MS_BIND | MS_REC, NULL));
	show_tree("and copied");
	show("slaves", propagate("t/c", MS_SLAVE | MS_REC));
	show_tree("slaves");
	tmpfs("t/a/y/z");
	show_tree("a mount on top");
	show("bind of t on itself", mount("t", "t/d", NULL, MS_BIND | MS_REC, NULL));
	show_tree("t in itself");
	show("private", propagate("t", MS_PRIVATE | MS_REC));
	show_tree("private");
}

/* A tree bound into a shared mount becomes shared itself. */
CASE(propagation_source)
{
	begin();
	tmpfs("t/a");
	tmpfs("t/b");
	MUST(mkdir("t/a/x", 0700));
	MUST(mkdir("t/b/x", 0700));
	show("shared", propagate("t/a", MS_SHARED));
	show("bind", bind_mount("t/a", "t/c"));
	show("private into shared", bind_mount("t/b", "t/a/x"));
	show_tree("private into shared");
	show("shared into private", bind_mount("t/a", "t/d"));
	show_tree("shared into private");
	show("slave", propagate("t/d", MS_SLAVE));
	show("umount", umount2("t/c/x", MNT_DETACH));
	show("slave into shared", bind_mount("t/d", "t/a/x"));
	show_tree("slave into shared");
	show("move", mount("t/b", "t/c/x", NULL, MS_MOVE, NULL));
	show_tree("move");
}

static void mount_in_child(const char *label, const char *path, unsigned long flags)
{
	int down[2], up[2];
	char byte = 0;
	pid_t pid;

	MUST(pipe(down));
	MUST(pipe(up));
	MUST(pid = fork());
	if (pid == 0) {
		MUST(unshare((int)flags));
		show_tree("the copy");
		tmpfs(path);
		show_tree("the copy with a mount");
		MUST(write(up[1], &byte, 1));
		MUST(read(down[0], &byte, 1));
		show_tree("the copy again");
		_exit(0);
	}
	MUST(read(up[0], &byte, 1));
	show_tree(label);
	tmpfs("t/b/in");
	MUST(write(down[1], &byte, 1));
	show_wait("child", pid);
	show_tree("when the copy is gone");
}

CASE(propagation_namespace)
{
	begin();
	tmpfs("t/a");
	tmpfs("t/b");
	MUST(mkdir("t/a/in", 0700));
	MUST(mkdir("t/b/in", 0700));
	show("shared", propagate("t/a", MS_SHARED));
	show("shared", propagate("t/b", MS_SHARED));
	show("unbindable", propagate("t", MS_UNBINDABLE));
	mount_in_child("what came from the copy", "t/a/in", CLONE_NEWNS);
}

/* To a namespace of other users copies are slaves. */
CASE(propagation_user_namespace)
{
	begin();
	tmpfs("t/a");
	tmpfs("t/b");
	MUST(mkdir("t/a/in", 0700));
	MUST(mkdir("t/b/in", 0700));
	show("shared", propagate("t/a", MS_SHARED));
	show("shared", propagate("t/b", MS_SHARED));
	show("bind", bind_mount("t/b", "t/c"));
	show("slave", propagate("t/c", MS_SLAVE));
	mount_in_child("nothing comes from the copy", "t/a/in", CLONE_NEWUSER | CLONE_NEWNS);
}

CASE(propagation_dominating)
{
	int down[2], up[2];
	char byte = 0;
	pid_t pid;

	begin();
	tmpfs("t/a");
	show("shared", propagate("t/a", MS_SHARED));
	show("bind", bind_mount("t/a", "t/b"));
	show("slave", propagate("t/b", MS_SLAVE));
	show("shared", propagate("t/b", MS_SHARED));
	show("bind", bind_mount("t/b", "t/c"));
	show("slave", propagate("t/c", MS_SLAVE));
	show_tree("chain");
	/* Where the middle cannot be seen, what is beyond is named. */
	MUST(pipe(down));
	MUST(pipe(up));
	MUST(pid = fork());
	if (pid == 0) {
		MUST(unshare(CLONE_NEWNS));
		MUST(write(up[1], &byte, 1));
		MUST(read(down[0], &byte, 1));
		_exit(0);
	}
	MUST(read(up[0], &byte, 1));
	show("umount", umount2("t/b", 0));
	show_tree("the middle is elsewhere");
	MUST(write(down[1], &byte, 1));
	show_wait("child", pid);
}

CASE(propagation_pivot_root)
{
	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/old", 0700));
	show("root private", propagate("/", MS_PRIVATE));
	show("shared put_old", propagate("t/a", MS_SHARED));
	show("pivot", syscall(SYS_pivot_root, "t/a", "t/a/old"));
	show("private", propagate("t/a", MS_PRIVATE));
	show("shared parent", propagate("t", MS_SHARED));
	show("pivot", syscall(SYS_pivot_root, "t/a", "t/a/old"));
	show("private parent", propagate("t", MS_PRIVATE));
	show("pivot", syscall(SYS_pivot_root, "t/a", "t/a/old"));
	show("seen", access("/old/proc", F_OK));
}

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % limit;
}

static void random_place(char *path, size_t size)
{
	static const char *const below[] = { "", "/in", "/in/in", "/in/in/in" };

	/* Half of them places where something is mounted. */
	if (random_below(2) && shown.count > 1) {
		snprintf(path, size, "%s", shown.order[1 + random_below((uint32_t)shown.count - 1)]->at);
		return;
	}
	snprintf(path, size, "t/%c%s", 'a' + (int)random_below(4),
			 below[random_below(ARRAY_SIZE(below))]);
}

static void random_directories(const char *path)
{
	static const char *const below[] = { "/in", "/in/in", "/in/in/in" };
	char sub[160];

	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		snprintf(sub, sizeof(sub), "%s%s", path, below[i]);
		mkdir(sub, 0755);
	}
}

static int random_tmpfs(const char *path)
{
	int done = mount("moat", path, "tmpfs", 0, "nr_inodes=64,size=64k");

	if (done == 0)
		random_directories(path);
	return done;
}

static void random_change(void)
{
	static const unsigned long types[] = { MS_SHARED, MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE };
	unsigned long type = types[random_below(ARRAY_SIZE(types))];
	char from[128], to[128];

	random_place(from, sizeof(from));
	random_place(to, sizeof(to));
	if (random_below(25) == 0)
		strcpy(from, "t");
	switch (random_below(9)) {
	case 0:
	case 1:
		note("tmpfs %s: %s", to, random_tmpfs(to) == 0 ? "ok" : errno_name(errno));
		break;
	case 2:
		note("bind %s %s: %s", from, to, bind_mount(from, to) == 0 ? "ok" : errno_name(errno));
		break;
	case 3:
		note("rbind %s %s: %s", from, to,
		     mount(from, to, NULL, MS_BIND | MS_REC, NULL) == 0 ? "ok" : errno_name(errno));
		break;
	case 4:
		note("move %s %s: %s", from, to,
		     mount(from, to, NULL, MS_MOVE, NULL) == 0 ? "ok" : errno_name(errno));
		break;
	case 5:
	case 6:
		type |= random_below(3) ? 0 : MS_REC;
		note("type %#lx %s: %s", type, to, propagate(to, type) == 0 ? "ok" : errno_name(errno));
		break;
	case 7:
		note("umount %s: %s", to, umount2(to, 0) == 0 ? "ok" : errno_name(errno));
		break;
	default:
		note("umount -l %s: %s", to, umount2(to, MNT_DETACH) == 0 ? "ok" : errno_name(errno));
	}
}

static void begin_random(void)
{
	char path[16];

	begin();
	for (int name = 'a'; name <= 'd'; name++) {
		snprintf(path, sizeof(path), "t/%c", name);
		random_directories(path);
	}
}

static void random_run(uint32_t seed)
{
	MUST(unshare(CLONE_NEWNS));
	MUST(propagate("t", MS_SHARED));
	random_state = seed;
	for (int i = 0; i < 80; i++) {
		read_tree();
		if (shown.count > 120)
			break;
		random_change();
		if (i % 4 == 3)
			show_tree("tree");
	}
	show_tree("end");
}

/* Whatever comes; trees that grow too large for a transcript end the run. */
CASE(propagation_random)
{
	begin_random();
	/* The second half moves a tree into one that it gets mounts from itself. */
	for (uint32_t run = 0; run < 32; run++)
		RUN_CHILD("run")
			random_run(run % 16 * 7919 + run / 16 * 3100093);
}

/* In turn with another process, which says when with a byte. */
static void random_turns(uint32_t seed, int in, int out)
{
	char byte = 0;

	random_state = seed;
	for (int i = 0; i < 50; i++) {
		MUST(read(in, &byte, 1));
		read_tree();
		if (shown.count <= 120)
			random_change();
		show_tree("tree");
		MUST(write(out, &byte, 1));
	}
}

static void random_run_locked(uint32_t seed)
{
	int down[2], up[2];
	char byte = 0;
	pid_t pid;

	MUST(unshare(CLONE_NEWNS));
	MUST(propagate("t", MS_SHARED));
	random_state = seed;
	for (int i = 0; i < 20; i++) {
		read_tree();
		random_change();
	}
	show_tree("before");
	MUST(pipe(down));
	MUST(pipe(up));
	MUST(pid = fork());
	if (pid == 0) {
		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS));
		MUST(write(up[1], &byte, 1));
		random_turns(seed + 1, down[0], up[1]);
		_exit(0);
	}
	random_turns(seed + 2, up[0], down[1]);
	show_wait("child", pid);
	show_tree("end");
}

/* The same by the users of two namespaces: those of the second one have a copy that is locked. */
CASE(propagation_random_locked)
{
	begin_random();
	for (uint32_t run = 0; run < 24; run++)
		RUN_CHILD("run")
			random_run_locked(run * 104729 + 17);
}

/* A directory that was opened before leads to the mounts of the namespace that was left. */
CASE(mount_foreign_namespace)
{
	char there[64], inside[64];
	int fd;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/in", 0700));
	MUST(fd = open("t/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	snprintf(there, sizeof(there), "/proc/self/fd/%d", fd);
	snprintf(inside, sizeof(inside), "/proc/self/fd/%d/in", fd);
	RUN_CHILD("other users")
	{
		MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		show("mount", mount("moat", inside, "tmpfs", 0, NULL));
		show("bind there", bind_mount("t/b", inside));
		show("bind from there", bind_mount(inside, "t/b"));
		show("move from there", mount(there, "t/b", NULL, MS_MOVE, NULL));
		show("move there", mount("t/a", inside, NULL, MS_MOVE, NULL));
		show("remount", mount(NULL, there, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
		show("umount", umount2(there, MNT_DETACH));
		show("propagation", propagate(there, MS_SHARED));
		show("pivot_root", syscall(SYS_pivot_root, there, inside));
	}
	show_tree("as before");
}

/* Deeper than any stack of the kernel's would bear recursion. */
CASE(propagation_deep)
{
	enum { DEPTH = 6000 };
	int fd;

	begin();
	tmpfs("t/a");
	MUST(chdir("t/a"));
	for (int i = 0; i < DEPTH; i++) {
		MUST(mkdir("d", 0700));
		tmpfs("d");
		MUST(chdir("d"));
	}
	MUST(fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(fchdir(fd));
	MUST(chdir(shown.prefix));
	show("shared", propagate("a", MS_SHARED | MS_REC));
	show("bind", mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	show("slaves", propagate("b", MS_SLAVE | MS_REC));
	RUN_CHILD("copy of all")
		MUST(unshare(CLONE_NEWNS));
	show("umount", umount2("a/d", MNT_DETACH));
	show("empty", access("a/d/d", F_OK));
	show("umounted in the slave", access("b/d/d", F_OK));
	show("umount", umount2("b", MNT_DETACH));
}
