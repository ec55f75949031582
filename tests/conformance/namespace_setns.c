/* SPDX-License-Identifier: Apache-2.0
 *
 * setns with namespace files and pidfds, the files themselves, ioctl_ns.
 */
#include "namespace.h"

#include <sys/ioctl.h>
#include <sys/utsname.h>

#define IOC_GET_USERNS 0xb701
#define IOC_GET_PARENT 0xb702
#define IOC_GET_NSTYPE 0xb703
#define IOC_GET_OWNER_UID 0xb704
#define IOC_GET_PID_FROM_PIDNS _IOR(0xb7, 6, int)
#define IOC_GET_TGID_FROM_PIDNS _IOR(0xb7, 7, int)
#define IOC_GET_PID_IN_PIDNS _IOR(0xb7, 8, int)
#define IOC_GET_TGID_IN_PIDNS _IOR(0xb7, 9, int)

static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children",
				     "time", "time_for_children", "user", "uts" };

static void show_host(const char *label)
{
	struct utsname name;

	MUST(uname(&name));
	show_str(label, name.nodename);
}

/* A child in a user namespace and a UTS namespace of its own, named "elsewhere". */
static pid_t child_elsewhere(int flags)
{
	int up[2];
	char byte;

	MUST(pipe(up));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		if (unshare(flags) == -1 || sethostname("elsewhere", 9) == -1)
			_exit(1);
		if (write(up[1], "x", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(up[1]);
	if (read(up[0], &byte, 1) != 1)
		note("no child");
	close(up[0]);
	return pid;
}

CASE(ns_files)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64], target[64] = "";
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		MUST(readlink(path, target, sizeof(target) - 1));
		target[strcspn(target, ":")] = '\0';
		note("%s is a %s", names[i], target);
		MUST(stat(path, &st));
		note("mode %o uid %u links %lu", st.st_mode, st.st_uid, (unsigned long)st.st_nlink);
		MUST(lstat(path, &st));
		note("link mode %o", st.st_mode);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		show_ok("open", fd);
		show_ok("open for writing", open(path, O_RDWR | O_CLOEXEC));
		show("read", read(fd, target, 1));
		show("type", ioctl(fd, IOC_GET_NSTYPE));
		close(fd);
	}
	show_ok("no such", open("/proc/self/ns/none", O_RDONLY));
}

CASE(ns_shared_by_default)
{
	RUN_CHILD("child")
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		show_int(names[i], ns_inode(0, names[i]) == ns_inode(getppid(), names[i]));
}

CASE(ns_changed_by_unshare)
{
	static const struct {
		const char *label;
		int flags;
	} rows[] = {
		{ "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC },
		{ "net", CLONE_NEWNET }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID },
		{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		RUN_CHILD(rows[i].label)
		{
			show("unshare", unshare(CLONE_NEWUSER | rows[i].flags));
			for (size_t k = 0; k < ARRAY_SIZE(names); k++)
				if (ns_inode(0, names[k]) != ns_inode(getppid(), names[k]))
					note("other %s", names[k]);
		}
	}
}

CASE(setns_errors)
{
	int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC), uts = ns_open(0, "uts");
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	show("bad fd", setns(-1, 0));
	show("closed fd", setns(77, CLONE_NEWUTS));
	show("no namespace file", setns(file, 0));
	show("wrong type", setns(uts, CLONE_NEWIPC));
	show("two types", setns(uts, CLONE_NEWUTS | CLONE_NEWIPC));
	show("unknown flag", setns(uts, 1));
	show("not privileged", setns(uts, 0));
	show("pidfd without flags", setns(pidfd, 0));
	show("pidfd unknown flag", setns(pidfd, 1));
	show("pidfd not privileged", setns(pidfd, CLONE_NEWUTS));
	show("pidfd own user", setns(pidfd, CLONE_NEWUSER));
	show("own user", setns(ns_open(0, "user"), 0));
	show("path only", setns(open("/proc/self/ns/uts", O_PATH | O_CLOEXEC), 0));
}

CASE(setns_into_child)
{
	pid_t pid = child_elsewhere(CLONE_NEWUSER | CLONE_NEWUTS);
	int user = ns_open(pid, "user"), uts = ns_open(pid, "uts");

	show_ok("user", user);
	show_ok("uts", uts);
	RUN_CHILD("uts first")
	{
		show("uts", setns(uts, CLONE_NEWUTS));
	}
	RUN_CHILD("user first")
	{
		show("user", setns(user, CLONE_NEWUSER));
		note("uid %u", getuid());
		show("uts", setns(uts, CLONE_NEWUTS));
		show_host("name");
		show("user again", setns(user, CLONE_NEWUSER));
		show("back", setns(ns_open(getppid(), "user"), 0));
	}
	kill_and_reap(pid);
	RUN_CHILD("after its death")
	{
		show("user", setns(user, 0));
		show("uts", setns(uts, 0));
		show_host("name");
	}
}

CASE(setns_pidfd_flags)
{
	pid_t pid = child_elsewhere(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
				    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWPID);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	RUN_CHILD("without user")
	show("setns", setns(fd, CLONE_NEWUTS));
	RUN_CHILD("all at once")
	{
		show("setns", setns(fd, CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
						CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWPID));
		show_host("name");
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (ns_inode(0, names[i]) != ns_inode(getppid(), names[i]))
				note("other %s", names[i]);
	}
	RUN_CHILD("user and uts")
	{
		show("setns", setns(fd, CLONE_NEWUSER | CLONE_NEWUTS));
		show_host("name");
		show("then net", setns(fd, CLONE_NEWNET));
		show("then ipc", setns(fd, CLONE_NEWIPC));
		show("then mnt", setns(fd, CLONE_NEWNS));
	}
	kill_and_reap(pid);
	RUN_CHILD("after its death")
	show("setns", setns(fd, CLONE_NEWUSER | CLONE_NEWUTS));
}

CASE(setns_pidfd_is_all_or_nothing)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t pid = child_elsewhere(CLONE_NEWUTS);
		int fd = (int)syscall(SYS_pidfd_open, pid, 0);

		show("uts and own user", setns(fd, CLONE_NEWUTS | CLONE_NEWUSER));
		show_host("name");
		show("uts and ipc of outside", setns(fd, CLONE_NEWUTS | CLONE_NEWIPC));
		show_host("name");
		show("uts", setns(fd, CLONE_NEWUTS));
		show_host("name");
		kill_and_reap(pid);
	}
}

CASE(setns_from_thread_sharing)
{
	RUN_CHILD("shared fs")
	{
		enter_user_namespace();
		pid_t pid = child_elsewhere(CLONE_NEWUTS | CLONE_NEWNS);
		int mnt = ns_open(pid, "mnt");
		pid_t other = sleeper_flags(CLONE_FS);

		show("mnt with shared fs", setns(mnt, CLONE_NEWNS));
		kill_and_reap(other);
		show("mnt", setns(mnt, CLONE_NEWNS));
		kill_and_reap(pid);
	}
}

CASE(setns_mount_resets_directories)
{
	RUN_CHILD("child")
	{
		char dir[512];

		enter_user_namespace();
		pid_t pid = child_elsewhere(CLONE_NEWUTS | CLONE_NEWNS);
		show("setns", setns(ns_open(pid, "mnt"), CLONE_NEWNS));
		show_str("cwd", getcwd(dir, sizeof(dir)));
		kill_and_reap(pid);
	}
}

CASE(setns_pid)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		int own = ns_open(0, "pid"), target;
		pid_t init = sleeper_flags(CLONE_NEWPID);

		target = ns_open(init, "pid");
		show("setns", setns(target, CLONE_NEWPID));
		show_int("own pid namespace stays", ns_inode(0, "pid") != ns_inode(0, "pid_for_children"));
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			show_int("pid", getpid());
			show_int("ppid", getppid());
			show("to the parent's", setns(own, CLONE_NEWPID));
			show("to one's own", setns(target, CLONE_NEWPID));
			_exit(0);
		}
		show_wait("child", pid);
		show("thread", syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0));
		show("back", setns(own, CLONE_NEWPID));
		kill_and_reap(init);
		show("to the dead one", setns(target, CLONE_NEWPID));
		show("fork there", fork());
	}
}

CASE(setns_pid_for_children_file)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWPID));
		show_ok("unborn", ns_open(0, "pid_for_children"));
		show("link", readlink("/proc/self/ns/pid_for_children", (char[64]){ 0 }, 64));
		show("unshare again", unshare(CLONE_NEWPID));
		pid_t pid = sleeper_flags(0);
		show_ok("born", ns_open(0, "pid_for_children"));
		show("again", unshare(CLONE_NEWPID));
		kill_and_reap(pid);
	}
}

CASE(setns_user_rules)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		int own = ns_open(0, "user");
		pid_t pid = child_elsewhere(CLONE_NEWUSER | CLONE_NEWUTS);
		int inner = ns_open(pid, "user");

		show("own", setns(own, CLONE_NEWUSER));
		show("outer", setns(ns_open(getppid(), "user"), CLONE_NEWUSER));
		pid_t sharer = sleeper_flags(CLONE_FS);
		show("shared fs", setns(inner, CLONE_NEWUSER));
		kill_and_reap(sharer);
		show("inner", setns(inner, CLONE_NEWUSER));
		kill_and_reap(pid);
	}
	RUN_CHILD("another user")
	{
		pid_t pid = child_elsewhere(CLONE_NEWUSER | CLONE_NEWUTS);
		int inner = ns_open(pid, "user");

		become_user(1000);
		show("not the owner", setns(inner, CLONE_NEWUSER));
		show_ok("files are protected", ns_open(pid, "uts"));
	}
}

CASE(ns_ioctl)
{
	pid_t pid = child_elsewhere(CLONE_NEWUSER | CLONE_NEWUTS);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = ns_open(pid, names[i]);
		unsigned int uid = 77;

		note("%s", names[i]);
		show_ok("userns", ioctl(fd, IOC_GET_USERNS));
		show_ok("parent", ioctl(fd, IOC_GET_PARENT));
		show("owner", ioctl(fd, IOC_GET_OWNER_UID, &uid));
		show_int("uid", uid);
		show("bad pointer", ioctl(fd, IOC_GET_OWNER_UID, bad_ptr()));
		show("unknown", ioctl(fd, 0xb7ff));
		show("terminal", ioctl(fd, 0x5401, &uid));
		close(fd);
	}
	int user = ioctl(ns_open(pid, "uts"), IOC_GET_USERNS);
	struct stat st;
	MUST(fstat(user, &st));
	show_int("uts belongs to the child's user namespace", st.st_ino == ns_inode(pid, "user"));
	show("cloexec", fcntl(user, F_GETFD));
	MUST(fstat(ioctl(user, IOC_GET_PARENT), &st));
	show_int("whose parent is ours", st.st_ino == ns_inode(0, "user"));
	kill_and_reap(pid);
}

CASE(ns_ioctl_parents)
{
	RUN_CHILD("child")
	{
		struct stat st;

		enter_user_namespace();
		pid_t pid = sleeper_flags(CLONE_NEWPID);
		int inner = ns_open(pid, "pid"), parent = ioctl(inner, IOC_GET_PARENT);
		show_ok("parent of the new pid namespace", parent);
		MUST(fstat(parent, &st));
		show_int("is our own", st.st_ino == ns_inode(0, "pid"));
		show_ok("parent of our own", ioctl(parent, IOC_GET_PARENT));
		show_ok("our user namespace's parent", ioctl(ns_open(0, "user"), IOC_GET_PARENT));
		show_ok("owner of our own uts", ioctl(ns_open(0, "uts"), IOC_GET_USERNS));
		kill_and_reap(pid);
	}
}

CASE(ns_file_keeps_namespace)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		int old = ns_open(0, "uts");
		struct stat before, after;

		MUST(unshare(CLONE_NEWUTS));
		MUST(sethostname("second", 6));
		int second = ns_open(0, "uts");
		MUST(fstat(second, &before));
		show("leave", unshare(CLONE_NEWUTS));
		MUST(sethostname("third", 5));
		show("return", setns(second, 0));
		show_host("name");
		MUST(stat("/proc/self/ns/uts", &after));
		show_int("same inode", before.st_ino == after.st_ino);
		show("to that of outside", setns(old, 0));
	}
}

CASE(ns_zombie_links)
{
	pid_t pid = fork_flags(0);

	if (pid == 0)
		_exit(0);
	siginfo_t info;
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		show_ok(names[i], ns_open(pid, names[i]));
	show_wait("child", pid);
}

static int waiting_thread(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

static void show_translations(const char *label, int ns, int number, pid_t pid)
{
	static const unsigned long requests[] = { IOC_GET_PID_FROM_PIDNS, IOC_GET_TGID_FROM_PIDNS,
						  IOC_GET_PID_IN_PIDNS, IOC_GET_TGID_IN_PIDNS };

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		long result = ioctl(ns, requests[i], (long)number);

		if (result == -1)
			note("%s, %zu: %s", label, i, errno_name(errno));
		else
			note("%s, %zu: %s", label, i, result == pid ? "the pid" : result == 1 ? "1" : "another");
	}
}

CASE(ns_ioctl_pids)
{
	static char stack[65536] __attribute__((aligned(16)));
	int own = ns_open(getpid(), "pid"), inner;
	pid_t pid, tid;

	tid = (pid_t)MUST(clone(waiting_thread, stack + sizeof(stack),
				CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL));
	show_translations("own", own, getpid(), getpid());
	show_translations("thread", own, tid, tid);
	show_translations("nobody", own, 4000000, 1);
	show_translations("zero", own, 0, 1);
	show_translations("negative", own, -1, 1);
	show_translations("uts", ns_open(getpid(), "uts"), getpid(), 1);
	RUN_CHILD("inside")
	{
		enter_user_namespace();
		pid = sleeper_flags(CLONE_NEWPID);
		inner = ns_open(pid, "pid");
		show_translations("init by 1", inner, 1, pid);
		show_translations("init by its outer number", inner, pid, pid);
		show_translations("this one", inner, getpid(), getpid());
		kill_and_reap(pid);
		show_translations("gone", inner, 1, 1);
	}
	syscall(SYS_exit_group, 0);
}
