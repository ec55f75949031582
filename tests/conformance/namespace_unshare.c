/* SPDX-License-Identifier: Apache-2.0
 *
 * unshare, and CLONE_NEW* of clone: what is refused, what is separate afterwards.
 */
#include "namespace.h"

#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

static int idle_thread(void *arg)
{
	while (arg == NULL)
		pause();
	return 0;
}

static char stack[65536] __attribute__((aligned(16)));

static void start_thread(void)
{
	MUST(clone(idle_thread, stack + sizeof(stack),
		   CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM,
		   NULL));
}

CASE(unshare_bits)
{
	for (int bit = 0; bit < 32; bit++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			char label[16];

			snprintf(label, sizeof(label), "bit %d", bit);
			show(label, unshare((int)(1U << bit)));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	show("none", unshare(0));
	show("high bits", syscall(SYS_unshare, 1UL << 32));
}

CASE(unshare_bits_privileged)
{
	for (int bit = 0; bit < 32; bit++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			char label[16];

			enter_user_namespace();
			snprintf(label, sizeof(label), "bit %d", bit);
			show(label, unshare((int)(1U << bit)));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

CASE(unshare_bits_threaded)
{
	for (int bit = 0; bit < 32; bit++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			char label[16];

			enter_user_namespace();
			start_thread();
			snprintf(label, sizeof(label), "bit %d", bit);
			show(label, unshare((int)(1U << bit)));
			syscall(SYS_exit_group, 0);
		}
		waitpid(pid, NULL, 0);
	}
}

CASE(clone_bits)
{
	for (int bit = 9; bit < 32; bit++) {
		pid_t outer = (pid_t)MUST(fork());
		if (outer == 0) {
			char label[16];
			pid_t tid;

			enter_user_namespace();
			long pid = syscall(SYS_clone, (1UL << bit) | SIGCHLD, 0, &tid, &tid, 0);
			if (pid == 0)
				_exit(0);
			snprintf(label, sizeof(label), "bit %d", bit);
			if (bit != 13)
				show_ok(label, pid);
			_exit(0);
		}
		waitpid(outer, NULL, 0);
	}
}

CASE(clone3_bits)
{
	for (int bit = 0; bit < 64; bit++) {
		if (bit == 8 || bit == 12 || bit == 13) /* VM without a stack, PIDFD, PTRACE */
			continue;
		pid_t outer = (pid_t)MUST(fork());
		if (outer == 0) {
			char label[16];

			enter_user_namespace();
			pid_t pid = fork_flags(1ULL << bit);
			if (pid == 0)
				_exit(0);
			snprintf(label, sizeof(label), "bit %d", bit);
			show_ok(label, pid);
			_exit(0);
		}
		waitpid(outer, NULL, 0);
	}
}

CASE(unshare_fs)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_flags(CLONE_FS);
		if (pid == 0) {
			show("unshare", unshare(CLONE_FS));
			MUST(chdir("/"));
			umask(077);
			_exit(0);
		}
		show_wait("sharer", pid);
		char dir[512];
		show_int("cwd is its own", strcmp(getcwd(dir, sizeof(dir)), "/") != 0);
		show_int("umask", umask(0));
	}
}

CASE(unshare_files)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_flags(CLONE_FILES);
		if (pid == 0) {
			MUST(dup2(0, 50));
			show("unshare", unshare(CLONE_FILES));
			MUST(dup2(0, 51));
			close(0);
			_exit(0);
		}
		show_wait("sharer", pid);
		show("before", fcntl(50, F_GETFD));
		show("after", fcntl(51, F_GETFD));
		show("closed there", fcntl(0, F_GETFD));
	}
}

CASE(unshare_uts)
{
	RUN_CHILD("child")
	{
		struct utsname name;

		enter_user_namespace();
		show("sethostname outside", sethostname("inner", 5));
		show("setdomainname outside", setdomainname("inner", 5));
		MUST(unshare(CLONE_NEWUTS));
		MUST(uname(&name));
		show_str("copied", name.nodename);
		show("sethostname", sethostname("inner", 5));
		show("setdomainname", setdomainname("domain", 6));
		MUST(uname(&name));
		note("%s %s", name.nodename, name.domainname);
		show("too long", syscall(SYS_sethostname, "x", 65));
		show("negative", syscall(SYS_sethostname, "x", -1L));
		show("bad pointer", sethostname(bad_ptr(), 5));
		show("empty", sethostname("", 0));
	}
	struct utsname name;
	MUST(uname(&name));
	show_str("outside", name.nodename);
}

CASE(unshare_ipc)
{
	int id = shmget(0x4d6f, 4096, IPC_CREAT | 0600);

	show_ok("shmget", id);
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWIPC));
		show("not there", shmget(0x4d6f, 4096, 0600));
		int other = shmget(0x4d6f, 8192, IPC_CREAT | IPC_EXCL | 0600);
		show_ok("a new one", other);
		show("remove", shmctl(other, IPC_RMID, NULL));
	}
	show("remove", shmctl(id, IPC_RMID, NULL));
}

CASE(unshare_net)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0conformance-net" };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 16;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	show("bind", bind(fd, (struct sockaddr *)&name, size));
	RUN_CHILD("child")
	{
		enter_user_namespace();
		int old = socket(AF_UNIX, SOCK_DGRAM, 0);
		MUST(unshare(CLONE_NEWNET));
		int other = socket(AF_UNIX, SOCK_DGRAM, 0);
		show("connect by an old socket", connect(old, (struct sockaddr *)&name, size));
		show("connect by a new one", connect(other, (struct sockaddr *)&name, size));
		show("the name is free", bind(other, (struct sockaddr *)&name, size));
	}
}

CASE(unshare_mount)
{
	RUN_CHILD("child")
	{
		MUST(mkdir("dir", 0755));
		enter_user_namespace();
		show("mount outside", mount("tmpfs", "dir", "tmpfs", 0, NULL));
		MUST(unshare(CLONE_NEWNS));
		show("mount", mount("tmpfs", "dir", "tmpfs", 0, NULL));
		write_file("dir/file", "x", 0644);
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			MUST(unshare(CLONE_NEWNS));
			show("copied", access("dir/file", F_OK));
			show("umount", umount("dir"));
			show("gone", access("dir/file", F_OK));
			_exit(0);
		}
		show_wait("inner", pid);
		show("still there", access("dir/file", F_OK));
	}
	show("not here", access("dir/file", F_OK));
}

CASE(unshare_pid_twice)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show("first", unshare(CLONE_NEWPID));
		show("second", unshare(CLONE_NEWPID));
		show("clone", fork_flags(CLONE_NEWPID));
	}
}

CASE(unshare_cgroup)
{
	RUN_CHILD("child")
	{
		unsigned long before = ns_inode(0, "cgroup");

		show("not privileged", unshare(CLONE_NEWCGROUP));
		enter_user_namespace();
		show("privileged", unshare(CLONE_NEWCGROUP));
		show_int("another", ns_inode(0, "cgroup") != before);
		pid_t pid = fork_flags(CLONE_NEWCGROUP);
		if (pid == 0)
			_exit(ns_inode(0, "cgroup") == ns_inode(getppid(), "cgroup"));
		show_wait("by clone3", pid);
		pid = (pid_t)syscall(SYS_clone, CLONE_NEWCGROUP | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(ns_inode(0, "cgroup") == ns_inode(getppid(), "cgroup"));
		show_wait("by clone", pid);
	}
}

CASE(clone_into_cgroup_errors)
{
	struct {
		uint64_t words[11];
	} args;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), dir = open(".", O_RDONLY | O_CLOEXEC);

	memset(&args, 0, sizeof(args));
	args.words[0] = 0x200000000ULL;
	args.words[4] = SIGCHLD;
	args.words[10] = 77;
	show("closed", syscall(SYS_clone3, &args, sizeof(args)));
	args.words[10] = (uint64_t)-1;
	show("negative", syscall(SYS_clone3, &args, sizeof(args)));
	args.words[10] = 1ULL << 31;
	show("too large", syscall(SYS_clone3, &args, sizeof(args)));
	args.words[10] = (uint64_t)file;
	show("a device", syscall(SYS_clone3, &args, sizeof(args)));
	args.words[10] = (uint64_t)dir;
	show("a plain directory", syscall(SYS_clone3, &args, sizeof(args)));
	args.words[10] = (uint64_t)dir;
	show("old size", syscall(SYS_clone3, &args, 64));
}

CASE(unshare_all_at_once)
{
	RUN_CHILD("child")
	{
		show("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
					CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME |
					CLONE_FILES | CLONE_FS | CLONE_SYSVSEM));
	}
	pid_t pid = fork_flags(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
			       CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME);
	if (pid == 0) {
		note("pid %d", getpid());
		_exit(0);
	}
	show_wait("clone3", pid);
}
