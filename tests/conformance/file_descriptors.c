/* SPDX-License-Identifier: Apache-2.0
 *
 * dup and fcntl, flock and record locks, inotify, ioctl on plain files.
 */
#include "conformance.h"

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

CASE(dup_basics)
{
	int fd = (int)MUST(open("/dev/null", O_RDWR | O_CLOEXEC));

	show("dup", dup(fd));
	show("dup clears cloexec", fcntl(4, F_GETFD));
	show("dup2", dup2(fd, 10));
	show("dup2 same", dup2(fd, fd));
	show("same keeps cloexec", fcntl(fd, F_GETFD));
	show("dup2 bad", dup2(99, 5));
	show("dup2 bad same", dup2(99, 99));
	show("dup2 negative", dup2(fd, -1));
	show("dup3", dup3(fd, 11, O_CLOEXEC));
	show("dup3 same", dup3(fd, fd, 0));
	show("dup3 bad flags", dup3(fd, 12, O_NONBLOCK));
	show("dup bad", dup(99));
	show("F_DUPFD", fcntl(fd, F_DUPFD, 10));
	show("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 10));
	show("its cloexec", fcntl(13, F_GETFD));
	show("F_DUPFD negative", fcntl(fd, F_DUPFD, -1));
	show("bad command", fcntl(fd, 9999));
	show("bad fd", fcntl(99, F_GETFD));
	show("F_SETFD", fcntl(10, F_SETFD, 0xff));
	show("F_GETFD", fcntl(10, F_GETFD));
}

CASE(dup_shares_description)
{
	write_file("f", "0123456789", 0600);
	int fd = (int)MUST(open("f", O_RDWR)), copy = (int)MUST(dup(fd)),
	    own = (int)MUST(open("f", O_RDWR));
	MUST(lseek(fd, 4, SEEK_SET));
	show("copy's offset", lseek(copy, 0, SEEK_CUR));
	show("own offset", lseek(own, 0, SEEK_CUR));
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	show_hex("copy's flags", (unsigned int)fcntl(copy, F_GETFL));
	MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
	show("copy's cloexec", fcntl(copy, F_GETFD));
	show("kcmp same", syscall(SYS_kcmp, getpid(), getpid(), 0, fd, copy));
	show_int("kcmp different", syscall(SYS_kcmp, getpid(), getpid(), 0, fd, own) > 0);
}

CASE(kcmp_epoll_target)
{
	struct {
		uint32_t efd, tfd, toff;
	} slot;
	int ep = (int)MUST(epoll_create1(0)), ends[2], me = getpid();
	struct epoll_event event = { .events = EPOLLIN };

	MUST(pipe(ends));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &event));
	slot.efd = (uint32_t)ep;
	slot.tfd = (uint32_t)ends[0];
	slot.toff = 0;
	show("the same", syscall(SYS_kcmp, me, me, 7, ends[0], &slot));
	show_int("another", syscall(SYS_kcmp, me, me, 7, ends[1], &slot) > 0);
	slot.toff = 1;
	show("only one", syscall(SYS_kcmp, me, me, 7, ends[0], &slot));
	slot.toff = 0;
	slot.tfd = (uint32_t)ends[1];
	show("not watched", syscall(SYS_kcmp, me, me, 7, ends[0], &slot));
	show("bad file", syscall(SYS_kcmp, me, me, 7, 100, &slot));
	slot.efd = 100;
	show("bad instance", syscall(SYS_kcmp, me, me, 7, ends[0], &slot));
	slot.efd = (uint32_t)ends[0];
	show("no instance", syscall(SYS_kcmp, me, me, 7, ends[0], &slot));
	show("bad address", syscall(SYS_kcmp, me, me, 7, ends[0], bad_ptr()));
	show("bad address and file", syscall(SYS_kcmp, me, me, 7, 100, bad_ptr()));
}

CASE(close_range_basics)
{
	for (int i = 3; i < 12; i++)
		MUST(dup2(0, i));
	show("5 to 7", syscall(SYS_close_range, 5U, 7U, 0U));
	for (int i = 3; i < 12; i++)
		note("%d: %s", i, fcntl(i, F_GETFD) == -1 ? "closed" : "open");
	show("cloexec", syscall(SYS_close_range, 9U, 10U, 4U));
	show("9", fcntl(9, F_GETFD));
	show("11", fcntl(11, F_GETFD));
	show("backwards", syscall(SYS_close_range, 7U, 5U, 0U));
	show("bad flags", syscall(SYS_close_range, 5U, 7U, 1U));
	show("all", syscall(SYS_close_range, 3U, ~0U, 0U));
	show("3", fcntl(3, F_GETFD));
}

CASE(flock_basics)
{
	int one = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), two = (int)MUST(open("f", O_RDWR));

	show("shared", flock(one, LOCK_SH));
	show("second shared", flock(two, LOCK_SH | LOCK_NB));
	show("exclusive", flock(two, LOCK_EX | LOCK_NB));
	show("unlock", flock(one, LOCK_UN));
	show("exclusive", flock(two, LOCK_EX | LOCK_NB));
	show("other", flock(one, LOCK_SH | LOCK_NB));
	show("down", flock(two, LOCK_SH | LOCK_NB));
	show("other", flock(one, LOCK_SH | LOCK_NB));
	show("unlock", flock(one, LOCK_UN));
	show("up", flock(two, LOCK_EX));
	RUN_CHILD("child inherits")
	{
		show("through the inherited fd", flock(two, LOCK_EX | LOCK_NB));
		show("own open", flock((int)MUST(open("f", O_RDWR)), LOCK_EX | LOCK_NB));
	}
	close(two);
	show("closed releases", flock(one, LOCK_EX | LOCK_NB));
	show("bad operation", flock(one, 0x40));
	show("bad fd", flock(99, LOCK_SH));
	int ends[2];
	MUST(pipe(ends));
	show("pipe", flock(ends[0], LOCK_SH | LOCK_NB));
}

CASE(flock_blocks)
{
	int one = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(flock(one, LOCK_EX));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		int own = (int)MUST(open("f", O_RDWR));
		show("child waits", flock(own, LOCK_EX));
		_exit(0);
	}
	wait_blocked(pid, pid);
	note("releasing");
	MUST(flock(one, LOCK_UN));
	show_wait("child", pid);
}

static int lock_range(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};

	return fcntl(fd, command, &lock);
}

static void query(const char *label, int fd, int command, short type, off_t start, off_t length,
		  pid_t parent)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};

	if (fcntl(fd, command, &lock) == -1)
		show(label, -1);
	else if (lock.l_type == F_UNLCK)
		note("%s: free", label);
	else
		note("%s: type %d start %ld len %ld pid %s", label, lock.l_type, (long)lock.l_start,
		     (long)lock.l_len,
		     lock.l_pid == parent ? "parent"
		     : lock.l_pid == -1	  ? "-1"
					  : "other");
}

CASE(posix_locks)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
	pid_t parent = getpid();

	show("write 10-19", lock_range(fd, F_SETLK, F_WRLCK, 10, 10));
	show("read 30-", lock_range(fd, F_SETLK, F_RDLCK, 30, 0));
	show("own overlap", lock_range(fd, F_SETLK, F_WRLCK, 15, 2));
	RUN_CHILD("child")
	{
		int own = (int)MUST(open("f", O_RDWR));
		query("all", own, F_GETLK, F_WRLCK, 0, 0, parent);
		query("20-29", own, F_GETLK, F_WRLCK, 20, 10, parent);
		query("read at 35", own, F_GETLK, F_RDLCK, 35, 1, parent);
		query("write at 35", own, F_GETLK, F_WRLCK, 35, 1, parent);
		show("take 12", lock_range(own, F_SETLK, F_RDLCK, 12, 1));
		show("take 20", lock_range(own, F_SETLK, F_WRLCK, 20, 5));
		show("through the inherited fd", lock_range(fd, F_SETLK, F_WRLCK, 12, 1));
	}
	show("split", lock_range(fd, F_SETLK, F_UNLCK, 13, 2));
	RUN_CHILD("child")
	{
		query("0-", fd, F_GETLK, F_WRLCK, 0, 0, parent);
		query("13-14", fd, F_GETLK, F_WRLCK, 13, 2, parent);
		query("15-", fd, F_GETLK, F_WRLCK, 15, 0, parent);
	}
	close((int)MUST(open("f", O_RDONLY)));
	RUN_CHILD("any close drops them")
	{
		query("all", fd, F_GETLK, F_WRLCK, 0, 0, parent);
	}
}

CASE(posix_lock_errors)
{
	int fd = (int)MUST(open("f", O_RDONLY | O_CREAT, 0600)),
	    wo = (int)MUST(open("f", O_WRONLY));
	struct flock lock = { .l_type = F_RDLCK, .l_whence = 9 };

	show("write lock, read-only fd", lock_range(fd, F_SETLK, F_WRLCK, 0, 0));
	show("read lock, write-only fd", lock_range(wo, F_SETLK, F_RDLCK, 0, 0));
	show("bad whence", fcntl(fd, F_SETLK, &lock));
	show("bad type", lock_range(fd, F_SETLK, 9, 0, 0));
	show("negative start", lock_range(fd, F_SETLK, F_RDLCK, -1, 1));
	show("negative length", lock_range(fd, F_SETLK, F_RDLCK, 10, -5));
	show("negative length before 0", lock_range(fd, F_SETLK, F_RDLCK, 3, -5));
	show("bad pointer", fcntl(fd, F_SETLK, bad_ptr()));
	show("bad fd", lock_range(99, F_SETLK, F_RDLCK, 0, 0));
	show("query for unlock", lock_range(fd, F_GETLK, F_UNLCK, 0, 0));
}

CASE(posix_lock_deadlock)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), ends[2];
	char byte;

	MUST(pipe(ends));
	MUST(lock_range(fd, F_SETLK, F_WRLCK, 0, 1));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(lock_range(fd, F_SETLK, F_WRLCK, 1, 1));
		MUST(write(ends[1], "x", 1));
		show("child gets 0", lock_range(fd, F_SETLKW, F_WRLCK, 0, 1));
		_exit(0);
	}
	MUST(read(ends[0], &byte, 1));
	wait_blocked(pid, pid);
	show("parent would wait for ever", lock_range(fd, F_SETLKW, F_WRLCK, 1, 1));
	MUST(lock_range(fd, F_SETLK, F_UNLCK, 0, 1));
	show_wait("child", pid);
}

CASE(ofd_locks)
{
	int one = (int)MUST(open("f", O_RDWR | O_CREAT, 0600)), two = (int)MUST(open("f", O_RDWR));

	show("one", lock_range(one, F_OFD_SETLK, F_WRLCK, 0, 10));
	show("two", lock_range(two, F_OFD_SETLK, F_WRLCK, 5, 10));
	query("two asks", two, F_OFD_GETLK, F_WRLCK, 5, 10, getpid());
	show("two, behind", lock_range(two, F_OFD_SETLK, F_WRLCK, 10, 10));
	show("POSIX conflicts", lock_range(two, F_SETLK, F_RDLCK, 0, 1));
	struct flock lock = { .l_type = F_RDLCK, .l_pid = 1 };
	show("pid must be 0", fcntl(one, F_OFD_SETLK, &lock));
	RUN_CHILD("child shares the description")
	{
		show("relock", lock_range(one, F_OFD_SETLK, F_RDLCK, 0, 10));
	}
	show("two reads", lock_range(two, F_OFD_SETLK, F_RDLCK, 0, 1));
	/* What the description itself has. */
	query("one's own", one, F_OFD_GETLK, F_UNLCK, 0, 0, getpid());
	query("two's own", two, F_OFD_GETLK, F_UNLCK, 0, 0, getpid());
	query("two's own, behind", two, F_OFD_GETLK, F_UNLCK, 5, 0, getpid());
	query("one's own, behind", one, F_OFD_GETLK, F_UNLCK, 10, 0, getpid());
	query("POSIX asks", one, F_GETLK, F_UNLCK, 0, 0, getpid());
}

static void show_events(int fd, int first)
{
	char buffer[2048] __attribute__((aligned(8)));
	ssize_t size = read(fd, buffer, sizeof(buffer));

	if (size == -1)
		show("  read", -1);
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		note("  wd %d mask 0x%x name %s cookie %d", event->wd - first, event->mask,
		     event->len ? event->name : "-", event->cookie != 0);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

CASE(inotify_basics)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	show_ok("init", fd);
	MUST(mkdir("d", 0755));
	int first = inotify_add_watch(fd, "d",
				      IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVE | IN_OPEN |
					      IN_CLOSE | IN_ATTRIB);
	show_ok("watch", first);
	write_file("d/f", "x", 0600);
	show_events(fd, first);
	MUST(rename("d/f", "d/g"));
	MUST(chmod("d/g", 0644));
	show_events(fd, first);
	MUST(mkdir("d/sub", 0755));
	MUST(unlink("d/g"));
	MUST(rmdir("d/sub"));
	show_events(fd, first);
	show_events(fd, first);
	show("again gives the same", inotify_add_watch(fd, "d", IN_CREATE) - first);
	show("remove", inotify_rm_watch(fd, first));
	show_events(fd, first);
	show("remove again", inotify_rm_watch(fd, first));
}

/* What the object itself hears, and in which order with its directory. */
CASE(inotify_links)
{
	static const char *const steps[] = { "link", "unlink of two", "unlink", "rename", "rename over",
					     "rmdir", "directory over one", "symlink" };
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), first;

	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	write_file("f", "x", 0600);
	write_file("g", "x", 0600);
	write_file("h", "x", 0600);
	MUST(mkdir("one", 0755));
	MUST(mkdir("two", 0755));
	MUST(mkdir("three", 0755));
	MUST(symlink("nowhere", "s"));
	first = (int)MUST(inotify_add_watch(fd, ".", IN_ALL_EVENTS));
	for (const char *const *name = (const char *const[]){ "f", "g", "h", "one", "two", "three", NULL }; *name; name++)
		MUST(inotify_add_watch(fd, *name, IN_ALL_EVENTS));
	MUST(inotify_add_watch(fd, "s", IN_ALL_EVENTS | IN_DONT_FOLLOW));
	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		static int (*const calls[])(const char *, const char *) = { link, NULL, NULL, rename, rename,
									    NULL, rename, NULL };
		static const char *const names[][2] = { { "f", "f2" }, { "f2" }, { "f" }, { "g", "g2" }, { "g2", "h" },
							{ "one" }, { "two", "three" }, { "s" } };

		note("%s", steps[i]);
		if (calls[i])
			MUST(calls[i](names[i][0], names[i][1]));
		else
			MUST(remove(names[i][0]));
		show_events(fd, first);
	}
}

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

/* The end of a line of fdinfo for @path, from what the other calls say of it. */
static void expected_line(const char *path, char *out, size_t size)
{
	struct handle h = { .head.handle_bytes = MAX_HANDLE_SZ };
	struct stat st;
	size_t used;
	int mount;

	MUST(stat(path, &st));
	MUST(name_to_handle_at(AT_FDCWD, path, &h.head, &mount, AT_HANDLE_FID));
	used = (size_t)snprintf(out, size, "fhandle-bytes:%x fhandle-type:%x f_handle:", h.head.handle_bytes,
				(unsigned)h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		used += (size_t)snprintf(out + used, size - used, "%02x", h.bytes[i]);
	snprintf(out + used, size - used, "; ino:%lx sdev:%x", st.st_ino,
		 major(st.st_dev) << 20 | minor(st.st_dev));
}

/* A line without what differs from machine to machine, and whether that is @path's. */
static void show_watch(char *line, const char *path)
{
	char expected[512], got[512], *handle = strstr(line, "fhandle-bytes:"), *mask = strstr(line, "mask:");
	unsigned long ino = 0;
	unsigned wd = 0, dev = 0;

	line[strcspn(line, "\n")] = '\0';
	if (!handle || !mask || sscanf(line, "inotify wd:%x ino:%lx sdev:%x ", &wd, &ino, &dev) != 3) {
		note("unexpected: %s", line);
		return;
	}
	expected_line(path, expected, sizeof(expected));
	snprintf(got, sizeof(got), "%s; ino:%lx sdev:%x", handle, ino, dev);
	note("wd %u %.*s is %s: %d", wd, (int)(handle - mask), mask, path, strcmp(got, expected) == 0);
}

static void show_watches(const char *label, int fd, const char *const *newest_first)
{
	char line[512], path[64];
	FILE *f;

	note("%s", label);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "inotify", 7) == 0)
			show_watch(line, *newest_first ? *newest_first++ : ".");
	if (f)
		fclose(f);
}

CASE(inotify_fdinfo)
{
	int fd = (int)MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), first, second;

	show_watches("none", fd, (const char *const[]){ NULL });
	use_tmpfs();
	MUST(mkdir("d", 0755));
	write_file("f", "x", 0600);
	first = (int)MUST(inotify_add_watch(fd, "d", IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK));
	second = (int)MUST(inotify_add_watch(fd, "f", IN_ALL_EVENTS | IN_ONESHOT | IN_DONT_FOLLOW));
	MUST(inotify_add_watch(fd, "/proc/self/status", IN_MODIFY));
	MUST(inotify_add_watch(fd, "/", IN_ATTRIB));
	show_watches("four", fd, (const char *const[]){ "/", "/proc/self/status", "f", "d", NULL });
	MUST(inotify_add_watch(fd, "d", IN_DELETE | IN_MASK_ADD));
	show_watches("more events", fd, (const char *const[]){ "/", "/proc/self/status", "f", "d", NULL });
	MUST(inotify_add_watch(fd, "d", IN_OPEN));
	show_watches("others", fd, (const char *const[]){ "/", "/proc/self/status", "f", "d", NULL });
	MUST(inotify_rm_watch(fd, second));
	show_watches("one is gone", fd, (const char *const[]){ "/", "/proc/self/status", "d", NULL });
	MUST(rmdir("d"));
	show_watches("its directory went", fd, (const char *const[]){ "/", "/proc/self/status", NULL });
	for (int i = 0; i < 20; i++) {
		write_file("g", "x", 0600);
		second = (int)MUST(inotify_add_watch(fd, "g", IN_MODIFY));
		if (i < 19)
			MUST(inotify_rm_watch(fd, second));
	}
	note("distance %d", second - first);
	show_watches("a number of two digits", fd, (const char *const[]){ "g", "/", "/proc/self/status", NULL });
}

CASE(inotify_errors)
{
	int fd = (int)MUST(inotify_init1(IN_NONBLOCK)),
	    null = (int)MUST(open("/dev/null", O_RDONLY));
	char buffer[8];

	write_file("f", "", 0600);
	show("bad flags", inotify_init1(0x10));
	show("missing", inotify_add_watch(fd, "x", IN_ALL_EVENTS));
	show("no events", inotify_add_watch(fd, "f", 0));
	show("not a directory", inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR));
	show("bad fd", inotify_add_watch(99, "f", IN_OPEN));
	show("other fd", inotify_add_watch(null, "f", IN_OPEN));
	int watch = inotify_add_watch(fd, "f", IN_OPEN | IN_DELETE_SELF);
	show("create existing", inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE));
	close((int)MUST(open("f", O_RDONLY)));
	show("small buffer", read(fd, buffer, sizeof(buffer)));
	show_events(fd, watch);
	MUST(unlink("f"));
	show_events(fd, watch);
}

CASE(ioctl_files)
{
	int value = 0, ends[2];

	write_file("f", "0123456789", 0600);
	int fd = (int)MUST(open("f", O_RDWR));
	MUST(lseek(fd, 3, SEEK_SET));
	show("FIONREAD file", ioctl(fd, FIONREAD, &value));
	show_int("value", value);
	MUST(pipe(ends));
	MUST(write(ends[1], "abc", 3));
	show("FIONREAD pipe", ioctl(ends[0], FIONREAD, &value));
	show_int("value", value);
	value = 1;
	show("FIONBIO", ioctl(ends[0], FIONBIO, &value));
	show_hex("flags", (unsigned int)fcntl(ends[0], F_GETFL));
	show("FIOCLEX", ioctl(fd, FIOCLEX));
	show("cloexec", fcntl(fd, F_GETFD));
	show("FIONCLEX", ioctl(fd, FIONCLEX));
	show("TCGETS file", ioctl(fd, TCGETS, &value));
	show("TIOCGWINSZ pipe", ioctl(ends[0], TIOCGWINSZ, &value));
	show("unknown", ioctl(fd, 0x12345678, &value));
	show("bad fd", ioctl(99, FIONREAD, &value));
	show("bad pointer", ioctl(ends[0], FIONREAD, bad_ptr()));
}
