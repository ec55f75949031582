/* SPDX-License-Identifier: Apache-2.0 */
/* pidfds as files of a file system: what stat says of them, numbers, handles, opening one again. */
#include "conformance.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif
#define FD_PIDFS_ROOT (-10002)
#define PIDFD_THREAD O_EXCL

struct handle {
	struct file_handle h;
	unsigned char room[128];
};

static int open_pidfd(pid_t pid, unsigned int flags)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, flags));
}

static long name_to(int fd, struct handle *h, unsigned bytes, int flags)
{
	int mount = -5;

	memset(h, 0, sizeof(*h));
	h->h.handle_bytes = bytes;
	return name_to_handle_at(fd, "", &h->h, &mount, flags | AT_EMPTY_PATH);
}

static struct stat stat_of(int fd)
{
	struct stat st;

	MUST(fstat(fd, &st));
	return st;
}

static pid_t start_child(void)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

CASE(pidfs_attributes)
{
	int fd = open_pidfd(getpid(), 0);
	char path[64], link[64] = { 0 };
	struct stat st = stat_of(fd);
	struct statfs fs;

	show("statfs", fstatfs(fd, &fs));
	show_hex("type", (unsigned long)fs.f_type);
	show_int("block", fs.f_bsize);
	show_int("names", fs.f_namelen);
	show_int("blocks", (long long)fs.f_blocks);
	show_hex("mode", st.st_mode);
	show_int("links", (long long)st.st_nlink);
	show_int("owner", st.st_uid);
	show_int("size", st.st_size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show("link", readlink(path, link, sizeof(link) - 1));
	show_str("link", link);
	show("chmod", fchmod(fd, 0600));
	show("chown", fchown(fd, 1, 1));
	show("truncate", ftruncate(fd, 0));
	show("truncate a counter", ftruncate(eventfd(0, 0), 0));
	show("truncate a poll", ftruncate(epoll_create1(0), 0));
	show("truncate with a negative size", ftruncate(fd, -1));
	show("seek", lseek(fd, 0, SEEK_SET));
	show_int("same device as a memfd", st.st_dev == stat_of(memfd_create("x", 0)).st_dev);
}

CASE(pidfs_numbers)
{
	pid_t child = start_child(), other = start_child();
	int own = open_pidfd(getpid(), 0), fd = open_pidfd(child, 0), second = open_pidfd(child, 0);
	struct stat st = stat_of(fd);

	show_int("one of the same", stat_of(second).st_ino == st.st_ino);
	show_int("of a thread", stat_of(open_pidfd(child, PIDFD_THREAD)).st_ino == st.st_ino);
	show_int("of another", stat_of(open_pidfd(other, 0)).st_ino == st.st_ino);
	show_int("own", stat_of(own).st_ino == st.st_ino);
	show_int("device", stat_of(own).st_dev == st.st_dev);
	MUST(kill(child, SIGKILL));
	show_wait("child", child);
	show_int("of the dead", stat_of(fd).st_ino == st.st_ino);
	MUST(kill(other, SIGKILL));
	show_wait("other", other);
}

static char stack[65536] __attribute__((aligned(16)));

static int wait_thread(void *arg)
{
	pause();
	return arg != NULL;
}

CASE(pidfs_thread_numbers)
{
	pid_t tid = (pid_t)MUST(clone(wait_thread, stack + sizeof(stack),
				      CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_FILES, NULL));
	int thread = open_pidfd(tid, PIDFD_THREAD), group = open_pidfd(getpid(), 0);
	struct handle h;
	int fd;

	show_int("a thread's own", stat_of(thread).st_ino != stat_of(group).st_ino);
	show_int("stays", stat_of(thread).st_ino == stat_of(open_pidfd(tid, PIDFD_THREAD)).st_ino);
	show("handle", name_to(thread, &h, 128, 0));
	fd = open_by_handle_at(FD_PIDFS_ROOT, &h.h, PIDFD_THREAD);
	show_ok("found", fd);
	show_int("the same", stat_of(fd).st_ino == stat_of(thread).st_ino);
	show_hex("flags", (unsigned)fcntl(fd, F_GETFL));
	syscall(SYS_exit_group, 0);
}

CASE(pidfs_of_clone)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int fd = -1;
	pid_t pid;

	args.pidfd = (uintptr_t)&fd;
	pid = (pid_t)MUST(syscall(SYS_clone3, &args, sizeof(args)));
	if (pid == 0) {
		pause();
		_exit(0);
	}
	show_int("the same", stat_of(fd).st_ino == stat_of(open_pidfd(pid, 0)).st_ino);
	MUST(kill(pid, SIGKILL));
	show_wait("child", pid);
}

CASE(pidfs_handles)
{
	static const int flags[] = { 0, AT_HANDLE_FID, 2, AT_HANDLE_FID | 2 };
	int fd = open_pidfd(getpid(), 0);
	struct handle h, other;
	pid_t child = start_child();

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		note("flags %x", (unsigned)flags[i]);
		show("handle", name_to(fd, &h, 128, flags[i]));
		show_int("bytes", h.h.handle_bytes);
		show_hex("type", (unsigned)h.h.handle_type);
		show("exactly", name_to(fd, &h, 8, flags[i]));
		show("no room", name_to(fd, &h, 7, flags[i]));
		show_int("bytes", h.h.handle_bytes);
		show_hex("type", (unsigned)h.h.handle_type);
	}
	MUST(name_to(fd, &h, 128, 0));
	MUST(name_to(open_pidfd(child, 0), &other, 128, 0));
	show_int("the same", memcmp(h.room, other.room, 8) == 0);
	MUST(kill(child, SIGKILL));
	show_wait("child", child);
}

static void try_open(const char *label, int at, struct handle *h, int flags)
{
	int fd = open_by_handle_at(at, &h->h, flags);

	show_ok(label, fd);
	if (fd < 0)
		return;
	show_hex("flags", (unsigned)fcntl(fd, F_GETFL));
	show_hex("descriptor", (unsigned)fcntl(fd, F_GETFD));
	show("signal", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	close(fd);
}

CASE(pidfs_open_by_handle)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC, O_EXCL, O_LARGEFILE, O_PATH,
				     O_TRUNC, O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_DIRECT };
	pid_t child = start_child();
	int fd = open_pidfd(child, 0);
	struct handle h, bad;

	MUST(name_to(fd, &h, 128, 0));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		char label[32];

		snprintf(label, sizeof(label), "open %x", (unsigned)flags[i]);
		try_open(label, fd, &h, flags[i]);
	}
	try_open("at the root", FD_PIDFS_ROOT, &h, 0);
	try_open("at no pidfd", AT_FDCWD, &h, 0);
	try_open("at nothing", 99, &h, 0);
	bad = h;
	bad.h.handle_type = 1;
	try_open("other type", fd, &bad, 0);
	bad = h;
	bad.h.handle_bytes = 4;
	try_open("short", fd, &bad, 0);
	bad.h.handle_bytes = 64;
	try_open("long", fd, &bad, 0);
	bad = h;
	bad.room[7] ^= 0x40;
	try_open("another number", fd, &bad, 0);
	show("bad address", open_by_handle_at(fd, bad_ptr(), 0));
	RUN_CHILD("without privilege")
	{
		become_user(1000);
		try_open("opened", FD_PIDFS_ROOT, &h, 0);
	}
	MUST(kill(child, SIGKILL));
	while (!(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT) == 0))
		continue;
	try_open("of a zombie", FD_PIDFS_ROOT, &h, 0);
	show_wait("child", child);
	try_open("of the dead", FD_PIDFS_ROOT, &h, 0);
}

CASE(pidfs_other_calls)
{
	int fd = open_pidfd(getpid(), 0), other = memfd_create("x", 0);
	char path[64], byte;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show_ptr("map", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	show("read", read(fd, &byte, 1));
	show("write", write(fd, "x", 1));
	show("fallocate", fallocate(fd, 0, 0, 1));
	show("sync", fsync(fd));
	show("directory", fchdir(fd));
	show("sendfile", sendfile(other, fd, NULL, 1));
	show("copy", copy_file_range(fd, NULL, other, NULL, 1, 0));
	show("truncated open", open(path, O_RDWR | O_TRUNC));
	show("truncate", truncate(path, 0));
	show("directory open", open(path, O_RDONLY | O_DIRECTORY));
	show("exec", execl(path, "x", NULL));
	show("link", link(path, "name"));
}

CASE(pidfs_open_again)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_RDWR | O_NONBLOCK };
	pid_t child = start_child();
	int fd = open_pidfd(child, 0);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int again = open(path, flags[i]);

		note("flags %x", (unsigned)flags[i]);
		show_ok("open", again);
		if (again < 0)
			continue;
		show_hex("flags", (unsigned)fcntl(again, F_GETFL));
		show("signal", syscall(SYS_pidfd_send_signal, again, 0, NULL, 0));
		show_int("the same", stat_of(again).st_ino == stat_of(fd).st_ino);
		close(again);
	}
	close(fd);
	MUST(kill(child, SIGKILL));
	show_wait("child", child);
}
