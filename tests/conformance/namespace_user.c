/* SPDX-License-Identifier: Apache-2.0
 *
 * User namespaces: maps and who may write them, setgroups, nesting, capabilities, ownership.
 */
#include "namespace.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

/* A child that has left for a new user namespace and does nothing there; *fd ends it. */
static pid_t child_in_user_namespace(int *fd)
{
	int up[2], down[2];
	char byte = 0;

	MUST(pipe(up));
	MUST(pipe(down));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(down[1]);
		if (unshare(CLONE_NEWUSER) == -1)
			_exit(1);
		if (write(up[1], "x", 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(2);
		note("child: uid %u gid %u", getuid(), getgid());
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	if (read(up[0], &byte, 1) != 1)
		note("no child");
	close(up[0]);
	*fd = down[1];
	return pid;
}

static long write_of(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	ssize_t done = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

CASE(userns_unmapped)
{
	RUN_CHILD("child")
	{
		MUST(unshare(CLONE_NEWUSER));
		note("uid %u euid %u gid %u egid %u", getuid(), geteuid(), getgid(), getegid());
		show_file("uid_map", "/proc/self/uid_map");
		show_file("gid_map", "/proc/self/gid_map");
		show_file("projid_map", "/proc/self/projid_map");
		show_file("setgroups", "/proc/self/setgroups");
		show("setuid", setuid(0));
		show("setuid same", setuid(65534));
		show("setgid", setgid(0));
		show("setgroups", setgroups(0, NULL));
		write_file("file", "x", 0644);
	}
}

CASE(userns_unmapped_cannot_nest)
{
	RUN_CHILD("child")
	{
		MUST(unshare(CLONE_NEWUSER));
		show("unshare again", unshare(CLONE_NEWUSER));
		show("fork", fork_flags(CLONE_NEWUSER));
	}
}

CASE(userns_map_self)
{
	RUN_CHILD("child")
	{
		MUST(unshare(CLONE_NEWUSER));
		show("gid_map before deny", write_proc("gid_map", "0 0 1"));
		show("uid_map", write_proc("uid_map", "5 0 1"));
		show("uid_map twice", write_proc("uid_map", "5 0 1"));
		show("deny", write_proc("setgroups", "deny"));
		show("gid_map", write_proc("gid_map", "6 0 1"));
		note("uid %u gid %u", getuid(), getgid());
		show_file("uid_map", "/proc/self/uid_map");
		show_file("gid_map", "/proc/self/gid_map");
		show("setgroups", setgroups(0, NULL));
		show("allow", write_proc("setgroups", "allow"));
		show("deny again", write_proc("setgroups", "deny"));
		show_file("setgroups", "/proc/self/setgroups");
	}
}

CASE(userns_map_of_others_refused)
{
	RUN_CHILD("child")
	{
		become_user(1000);
		MUST(unshare(CLONE_NEWUSER));
		show("another's uid", write_proc("uid_map", "0 0 1"));
		show("two ids", write_proc("uid_map", "0 1000 2"));
		show("two extents", write_proc("uid_map", "0 1000 1\n1 1001 1"));
		show("own", write_proc("uid_map", "0 1000 1"));
		show("gid without deny", write_proc("gid_map", "0 1000 1"));
		show("deny", write_proc("setgroups", "deny"));
		show("gid", write_proc("gid_map", "0 1000 1"));
		note("uid %u gid %u", getuid(), getgid());
	}
}

CASE(userns_map_syntax)
{
	static const char *const texts[] = {
		"", "\n", "0", "0 0", "0 0 0", "0 0 1 1", "a 0 1", "0 0 -1", "-1 0 1", "4294967295 0 1",
		"0 4294967295 1", "0 0 4294967296", "4294967294 0 2", "0 0 1\n0 5 1", "0 0 1\n5 0 1",
		"0 0 1 \n\n", "0 0 1\n\n1 1 1", "0,0,1", "0x0 0 0x1", "0\t0\t1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd;
		pid_t pid = child_in_user_namespace(&fd);
		char label[64];

		snprintf(label, sizeof(label), "text %zu", i);
		show(label, write_of(pid, "uid_map", texts[i]));
		kill_and_reap(pid);
		close(fd);
	}
}

CASE(userns_map_from_parent)
{
	int fd;
	pid_t pid = child_in_user_namespace(&fd);

	show("uid_map", write_of(pid, "uid_map", "0 100 10\n20 0 1\n"));
	show("gid_map", write_of(pid, "gid_map", "7 0 1\n100 100 10\n"));
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	show_file("seen from the parent", path);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	show_file("seen from the parent", path);
	show("deny after the map", write_of(pid, "setgroups", "deny"));
	MUST(write(fd, "x", 1));
	show_wait("child", pid);
}

CASE(userns_map_many_extents)
{
	static char text[8192];

	for (int count = 339; count <= 341; count++) {
		int fd;
		pid_t pid = child_in_user_namespace(&fd);
		size_t size = 0;

		for (int i = 0; i < count; i++)
			size += (size_t)snprintf(text + size, sizeof(text) - size, "%d %d 1\n", i, i);
		if (size >= 4096)
			note("%d extents are more than a page", count);
		else
			show("extents", write_of(pid, "uid_map", text));
		kill_and_reap(pid);
		close(fd);
	}
}

CASE(userns_map_offset)
{
	int fd;
	pid_t pid = child_in_user_namespace(&fd);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	int map = (int)MUST(open(path, O_RDWR | O_CLOEXEC));
	show("bad pointer", write(map, bad_ptr(), 5));
	show("nothing", write(map, "", 0));
	show("write", write(map, "0 0 1", 5));
	show("write again", write(map, "0 0 1", 5));
	kill_and_reap(pid);
}

CASE(userns_projid_map)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show_file("before", "/proc/self/projid_map");
		show("write", write_proc("projid_map", "0 0 1"));
		show_file("after", "/proc/self/projid_map");
		show("twice", write_proc("projid_map", "0 0 1"));
	}
	RUN_CHILD("user")
	{
		become_user(1000);
		MUST(unshare(CLONE_NEWUSER));
		show("anybody may", write_proc("projid_map", "0 1000 5"));
	}
	show("own", write_proc("projid_map", "0 0 1"));
	show("root's uid_map", write_proc("uid_map", "0 0 1"));
	show("root's gid_map", write_proc("gid_map", "0 0 1"));
	show("root's setgroups", write_proc("setgroups", "deny"));
}

CASE(userns_setgroups_texts)
{
	static const char *const texts[] = { "deny", "deny\n", "deny ", "deny\n\n", "Deny", "den",
					     "allow", "allow\n", "", "denyallow", "deny x" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd;
		pid_t pid = child_in_user_namespace(&fd);

		show(texts[i], write_of(pid, "setgroups", texts[i]));
		kill_and_reap(pid);
		close(fd);
	}
}

CASE(userns_setgroups_inherited)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWUSER));
		show_file("setgroups", "/proc/self/setgroups");
		show("allow", write_proc("setgroups", "allow"));
	}
}

CASE(userns_depth)
{
	RUN_CHILD("child")
	{
		int depth = 0;

		enter_user_namespace();
		while (depth < 40 && unshare(CLONE_NEWUSER) == 0) {
			depth++;
			MUST(write_proc("gid_map", "0 0 1"));
			MUST(write_proc("uid_map", "0 0 1"));
		}
		note("stopped at %d by %s", depth, errno_name(errno));
	}
}

CASE(userns_capabilities)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	RUN_CHILD("child")
	{
		MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
		enter_user_namespace();
		MUST(syscall(SYS_capget, &header, data));
		note("effective %08x%08x", data[1].effective, data[0].effective);
		note("permitted %08x%08x", data[1].permitted, data[0].permitted);
		note("inheritable %08x%08x", data[1].inheritable, data[0].inheritable);
		show("bounding SYS_ADMIN", prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0));
		show("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
		show("keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
		show("sethostname outside", sethostname("x", 1));
		show("own uts", unshare(CLONE_NEWUTS));
		show("sethostname inside", sethostname("x", 1));
		show("chown to unmapped", chown(".", 5, 5));
		show("chroot", chroot("."));
	}
}

CASE(userns_no_new_privs_and_dumpable)
{
	RUN_CHILD("child")
	{
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		show("unshare", unshare(CLONE_NEWUSER));
		show("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		show("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	}
}

CASE(userns_chroot_refused)
{
	RUN_CHILD("child")
	{
		MUST(mkdir("root", 0755));
		MUST(mkdir("root/proc", 0755));
		MUST(chroot("root"));
		MUST(chdir("/"));
		show("unshare", unshare(CLONE_NEWUSER));
		show("clone3", fork_flags(CLONE_NEWUSER));
	}
}

CASE(userns_flag_rules)
{
	show("fork with FS", fork_flags(CLONE_NEWUSER | CLONE_FS));
	show("thread", syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0,
			       0));
	show("parent", syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0));
}

CASE(userns_child_of_clone)
{
	pid_t pid = fork_flags(CLONE_NEWUSER);

	if (pid == 0) {
		note("uid %u gid %u", getuid(), getgid());
		show("setuid 0", setuid(0));
		_exit(0);
	}
	show_wait("child", pid);
}

CASE(userns_owner_has_capabilities)
{
	RUN_CHILD("user")
	{
		become_user(1000);
		int fd;
		pid_t pid = child_in_user_namespace(&fd);
		/* the owner, outside, holds every capability in it but is not root outside */
		show("map one's own", write_of(pid, "uid_map", "0 1000 1"));
		show("hostname stays", sethostname("x", 1));
		show("kill", kill(pid, 0));
		kill_and_reap(pid);
	}
	RUN_CHILD("other user")
	{
		int fd;
		pid_t pid = child_in_user_namespace(&fd);

		become_user(1001);
		show("map", write_of(pid, "uid_map", "0 0 1"));
		show("kill", kill(pid, 0));
		_exit(0);
	}
}

CASE(userns_files_of_unmapped_owner)
{
	struct stat st;

	write_file("root-file", "x", 0600);
	write_file("user-file", "x", 0600);
	MUST(chown("user-file", 1000, 1000));
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(stat("user-file", &st));
		note("uid %u gid %u", st.st_uid, st.st_gid);
		show_ok("open of one's own", open("root-file", O_RDWR));
		show_ok("open of another's", open("user-file", O_RDONLY));
		show("chmod", chmod("user-file", 0644));
		show("chown", chown("user-file", 0, 0));
		show("unlink", unlink("user-file"));
	}
}

CASE(userns_set_id_program)
{
	write_file("file", "x", 0644);
	MUST(chown("file", 1000, 1000));
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show("set-uid by an unmapped owner", chmod("file", 04755));
		write_file("mine", "x", 0644);
		show("set-uid on one's own", chmod("mine", 06755));
		show_stat("mine", "mine");
		show("mknod device", mknod("dev", S_IFCHR | 0600, 0x0103));
		show("mknod fifo", mknod("fifo", S_IFIFO | 0600, 0));
	}
}

CASE(userns_setresuid_inside)
{
	int fd;
	pid_t pid = child_in_user_namespace(&fd);

	kill_and_reap(pid);
	RUN_CHILD("child")
	{
		int pipes[2];
		char byte;
		pid_t parent = getpid();

		MUST(pipe(pipes));
		pid_t helper = (pid_t)MUST(fork());
		if (helper == 0) {
			if (read(pipes[0], &byte, 1) != 1)
				_exit(1);
			show("uid_map", write_of(parent, "uid_map", "0 1000 10"));
			show("gid_map", write_of(parent, "gid_map", "0 2000 10"));
			_exit(0);
		}
		MUST(unshare(CLONE_NEWUSER));
		MUST(write(pipes[1], "x", 1));
		show_wait("helper", helper);
		note("uid %u gid %u", getuid(), getgid());
		show("setgroups", setgroups(0, NULL));
		show("setresgid", setresgid(1, 2, 3));
		show("setresuid unmapped", setresuid(11, 11, 11));
		show("setresuid", setresuid(0, 0, 0));
		note("uid %u", getuid());
		write_file("/tmp/userns-owner", "x", 0644);
		show_stat("file", "/tmp/userns-owner");
		unlink("/tmp/userns-owner");
	}
}

CASE(userns_limit)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show_int("limit is there", access("/proc/sys/user/max_user_namespaces", R_OK));
		show("set own limit", access("/proc/sys/user/max_user_namespaces", W_OK));
		int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
		show_ok("open", fd);
		show("write", write(fd, "1\n", 2));
		pid_t first = sleeper_flags(CLONE_NEWUSER);
		show_ok("first", first);
		show_ok("second", sleeper_flags(CLONE_NEWUSER));
		kill_and_reap(first);
		/* The count of the first falls some time after it was reaped. */
		pid_t again;
		int tries = 0;
		while ((again = sleeper_flags(CLONE_NEWUSER)) == -1 && tries++ < 1000)
			sleep_ms(10);
		show_ok("after its end", again);
	}
}

CASE(userns_limit_of_other_kinds)
{
	static const struct {
		const char *name;
		unsigned long long flag;
	} kinds[] = {
		{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
		{ "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID }, { "cgroup", CLONE_NEWCGROUP },
		{ "time", CLONE_NEWTIME },
	};

	RUN_CHILD("child")
	{
		enter_user_namespace();
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kinds[i].name);
			int fd = open(path, O_WRONLY | O_CLOEXEC);
			show_ok(kinds[i].name, fd);
			show("zero", write(fd, "0", 1));
			close(fd);
			show("unshare", unshare((int)kinds[i].flag));
		}
	}
}
