/* SPDX-License-Identifier: Apache-2.0 */
/* Files of namespaces that are mounted somewhere: what keeps a namespace that nobody is in. */
#include "mount_tree.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define CLONE_TREE 1U
#define F_EMPTY 0x4U
#define GET_NSTYPE 0xb703

static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };

static void files(void)
{
	begin();
	for (const char *n = "x\0y\0z\0"; *n; n += 2) {
		char path[8];

		snprintf(path, sizeof(path), "t/%s", n);
		write_file(path, "", 0644);
	}
}

/* Linux 6.18 compares numbers that CPUs take in batches: only those of one CPU are in the order of
 * time. */
static void stay_on_cpu(void)
{
	cpu_set_t set, one;

	MUST(sched_getaffinity(0, sizeof(set), &set));
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++) {
		if (CPU_ISSET(i, &set))
			CPU_SET(i, &one);
	}
	MUST(sched_setaffinity(0, sizeof(one), &one));
}

static long bind_own(const char *name, const char *to)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return bind_mount(path, to);
}

static void show_same(const char *name, const char *at)
{
	struct stat st;
	struct statfs fs;

	MUST(stat(at, &st));
	MUST(statfs(at, &fs));
	show("same", st.st_ino == ns_inode(getpid(), name));
	show_hex("file system", (unsigned long)fs.f_type);
	show_hex("mode", st.st_mode);
}

/* The last part of the line of mountinfo for @at: root without its number, type and source. */
static void show_line(const char *at)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], root[256], place[256], options[64], type[64], source[64];
	size_t size = strlen(at);

	while (f && fgets(line, sizeof(line), f)) {
		char *rest = strstr(line, " - ");

		if (!rest ||
		    sscanf(line, "%*d %*d %*s %255s %255s %63s", root, place, options) != 3 ||
		    strlen(place) < size || strcmp(place + strlen(place) - size, at) != 0 ||
		    sscanf(rest, " - %63s %63s", type, source) != 2)
			continue;
		root[strcspn(root, "0123456789")] = '\0';
		note("%s: %s %s %s %s", at, root, options, type, source);
	}
	if (f)
		fclose(f);
}

CASE(ns_mount_kinds)
{
	files();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd;

		note("%s", names[i]);
		show("bind", bind_own(names[i], "t/x"));
		if (strcmp(names[i], "mnt") == 0)
			continue;
		show_same(names[i], "t/x");
		show_line("t/x");
		fd = open("t/x", O_RDONLY | O_CLOEXEC);
		show_ok("open", fd);
		show_ok("type", ioctl(fd, GET_NSTYPE));
		close(fd);
		show_ok("for writing", open("t/x", O_WRONLY | O_CLOEXEC));
		show("umount", umount2("t/x", 0));
	}
	show("on a directory", bind_own("uts", "t/a"));
	show("recursive", mount("/proc/self/ns/uts", "t/x", NULL, MS_BIND | MS_REC, NULL));
	show("of the mount", bind_mount("t/x", "t/y"));
	show_same("uts", "t/y");
	show("move", mount("t/y", "t/z", NULL, MS_MOVE, NULL));
	show("on another one", bind_own("net", "t/z"));
	show_line("t/x");
	show_line("t/z");
}

CASE(ns_mount_keeps)
{
	struct utsname name;
	int fd;

	files();
	RUN_CHILD("maker")
	{
		MUST(unshare(CLONE_NEWUTS));
		MUST(sethostname("kept", 4));
		/* The mount namespace is its parent's, too. */
		show("bind", bind_own("uts", "t/x"));
	}
	fd = (int)MUST(open("t/x", O_RDONLY | O_CLOEXEC));
	show("umount while open", umount2("t/x", 0));
	show("enter", setns(fd, CLONE_NEWUTS));
	MUST(uname(&name));
	show_str("name", name.nodename);
	show("wrong kind", setns(fd, CLONE_NEWNET));
}

CASE(ns_mount_not_mounted)
{
	int pipes[2];
	char path[64];

	files();
	MUST(pipe(pipes));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	show("pipe", bind_mount(path, "t/x"));
	show("nothing", bind_mount("/proc/self/ns/none", "t/x"));
	show("pid for children", bind_own("pid_for_children", "t/x"));
}

/* A child in a mount namespace made after this one's; its end is told through the pipe. */
static pid_t child_in_newer(int *end)
{
	int up[2], down[2];
	char byte;
	pid_t pid;

	MUST(pipe(up));
	MUST(pipe(down));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(down[1]);
		_exit(unshare(CLONE_NEWNS) == -1 || write(up[1], "x", 1) != 1 ||
		      read(down[0], &byte, 1) < 0);
	}
	close(up[1]);
	close(down[0]);
	MUST(read(up[0], &byte, 1) == 1 ? 0 : -1);
	close(up[0]);
	*end = down[1];
	return pid;
}

static void show_count(const char *label)
{
	read_tree();
	show_int(label, (long long)shown.count);
}

CASE(ns_mount_of_mounts)
{
	int end, own, newer;
	char path[64];
	pid_t pid;

	stay_on_cpu();
	files();
	own = ns_open(getpid(), "mnt");
	pid = child_in_newer(&end);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	newer = ns_open(pid, "mnt");
	show("own", bind_own("mnt", "t/x"));
	show("newer", bind_mount(path, "t/x"));
	show_line("t/x");
	show("again", bind_mount("t/x", "t/y"));
	show_count("mounts");
	/* A copy of the tree does not keep it. */
	RUN_CHILD("copy")
	{
		MUST(unshare(CLONE_NEWNS));
		show_count("mounts");
	}
	show("all of it", mount("t", "t/a", NULL, MS_BIND | MS_REC, NULL));
	show_count("mounts");
	show("umount", umount2("t/a", MNT_DETACH));
	/* Nor do those to which a mount goes on. */
	show("shared", propagate("t", MS_SHARED));
	show("without peers", bind_mount(path, "t/z"));
	show("umount", umount2("t/z", 0));
	MUST(bind_mount("t", "t/b"));
	show("with peers", bind_mount(path, "t/z"));
	show("other kinds", bind_own("net", "t/z"));
	show_count("mounts");
	close(end);
	MUST(waitpid(pid, NULL, 0));
	show("enter the newer", setns(newer, CLONE_NEWNS));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", own);
	MUST(mount("none", "/tmp", "tmpfs", 0, NULL));
	write_file("/tmp/f", "", 0644);
	show("older", bind_mount(path, "/tmp/f"));
}

CASE(ns_mount_detached)
{
	int fd;

	files();
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/ns/uts", CLONE_TREE | O_CLOEXEC);
	show_ok("open_tree", fd);
	show("move_mount", syscall(SYS_move_mount, fd, "", AT_FDCWD, "t/x", F_EMPTY));
	show_same("uts", "t/x");
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/ns/mnt", CLONE_TREE | O_CLOEXEC);
	show_ok("open_tree", fd);
	show("move_mount", syscall(SYS_move_mount, fd, "", AT_FDCWD, "t/y", F_EMPTY));
}

/* Each keeps the next one, and all go together. */
CASE(ns_mount_chain)
{
	stay_on_cpu();
	files();
	for (int i = 0; i < 200; i++) {
		int end;
		char path[64];
		pid_t pid = child_in_newer(&end);
		int newer = ns_open(pid, "mnt");

		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		MUST(bind_mount(path, "t/x"));
		MUST(setns(newer, CLONE_NEWNS));
		MUST(chdir("/"));
		close(newer);
		close(end);
		MUST(waitpid(pid, NULL, 0));
		MUST(mount("none", "/tmp", "tmpfs", 0, NULL));
		MUST(propagate("/tmp", MS_PRIVATE));
		MUST(chdir("/tmp"));
		MUST(mkdir("t", 0700));
		write_file("t/x", "", 0644);
	}
	note("made");
}
