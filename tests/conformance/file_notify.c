/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify at the end of files: when a watched object is gone for good, and what is heard before.
 */
#include "conformance.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

static int queue, first;

static void start_watching(void)
{
	use_tmpfs();
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	queue = (int)MUST(inotify_init1(IN_NONBLOCK));
	first = 0;
}

/* Watches are numbered in the order of these calls. */
static int watch(const char *path)
{
	int wd = (int)MUST(inotify_add_watch(queue, path, IN_ALL_EVENTS | IN_DONT_FOLLOW));

	if (first == 0)
		first = wd;
	return wd;
}

static void show_events(const char *what)
{
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t size = read(queue, buffer, sizeof(buffer));

	note("%s%s", what, size == -1 ? ": nothing" : "");
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		note("  %d 0x%x %s", event->wd - first, event->mask, event->len ? event->name : "-");
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* Of two watches: 0 is the directory, 1 the object. */
static void watch_both(const char *name)
{
	watch(".");
	watch(name);
}

CASE(notify_unlinked_file)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDWR));
	show_events("open");
	MUST(unlink("f"));
	show_events("unlink");
	MUST(write(fd, "abc", 3));
	show_events("write");
	MUST(fchmod(fd, 0640));
	show_events("chmod");
	close(fd);
	show_events("close");
	show("watch is gone", inotify_rm_watch(queue, first + 1));
}

CASE(notify_unlinked_closed_file)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	MUST(unlink("f"));
	show_events("unlink");
}

CASE(notify_unlinked_twice_open)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int one = (int)MUST(open("f", O_RDONLY)), two = (int)MUST(dup(one));
	int three = (int)MUST(open("f", O_RDWR));
	MUST(unlink("f"));
	show_events("unlink");
	close(one);
	show_events("one");
	close(two);
	show_events("two");
	close(three);
	show_events("three");
}

CASE(notify_unlinked_in_child)
{
	int status;

	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDONLY)), ends[2];
	MUST(pipe(ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		char byte;

		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		_exit(0);
	}
	MUST(unlink("f"));
	close(fd);
	show_events("closed here");
	MUST(write(ends[1], "x", 1));
	MUST(waitpid(pid, &status, 0));
	show_events("child ended");
}

CASE(notify_unlinked_mapped)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDWR));
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	show_ptr("map", map);
	close(fd);
	MUST(unlink("f"));
	show_events("unlink");
	MUST(munmap(map, 4096));
	show_events("unmap");
}

CASE(notify_unlinked_path_only)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int fd = (int)MUST(open("f", O_PATH));
	MUST(unlink("f"));
	show_events("unlink");
	close(fd);
	show_events("close");
}

CASE(notify_two_names)
{
	start_watching();
	write_file("f", "x", 0600);
	MUST(link("f", "g"));
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDONLY));
	show_events("open");
	MUST(unlink("f"));
	show_events("unlink one");
	close(fd);
	show_events("close");
	close((int)MUST(open("g", O_RDONLY)));
	show_events("open by the other");
	MUST(unlink("g"));
	show_events("unlink the other");
}

CASE(notify_two_names_open_by_first)
{
	start_watching();
	write_file("f", "x", 0600);
	MUST(link("f", "g"));
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDONLY));
	MUST(unlink("f"));
	MUST(unlink("g"));
	show_events("unlink both");
	close(fd);
	show_events("close");
}

CASE(notify_two_names_open_by_second)
{
	start_watching();
	write_file("f", "x", 0600);
	MUST(link("f", "g"));
	watch_both("f");
	int fd = (int)MUST(open("g", O_RDONLY));
	MUST(unlink("f"));
	show_events("unlink one");
	MUST(unlink("g"));
	show_events("unlink the other");
	close(fd);
	show_events("close");
}

CASE(notify_renamed_over)
{
	start_watching();
	write_file("f", "x", 0600);
	write_file("g", "x", 0600);
	watch_both("f");
	watch("g");
	int fd = (int)MUST(open("f", O_RDONLY));
	show_events("open");
	MUST(rename("g", "f"));
	show_events("rename");
	close(fd);
	show_events("close");
	MUST(unlink("f"));
	show_events("unlink");
}

CASE(notify_directory)
{
	start_watching();
	MUST(mkdir("sub", 0755));
	watch_both("sub");
	int fd = (int)MUST(open("sub", O_RDONLY | O_DIRECTORY));
	show_events("open");
	MUST(rmdir("sub"));
	show_events("rmdir");
	show("create in it", openat(fd, "x", O_CREAT | O_WRONLY, 0600));
	close(fd);
	show_events("close");
}

CASE(notify_current_directory)
{
	start_watching();
	MUST(mkdir("sub", 0755));
	watch_both("sub");
	int up = (int)MUST(open(".", O_RDONLY | O_DIRECTORY));
	MUST(chdir("sub"));
	show_events("open and chdir");
	MUST(unlinkat(up, "sub", AT_REMOVEDIR));
	show_events("rmdir");
	MUST(fchdir(up));
	show_events("fchdir");
}

CASE(notify_directory_renamed_over)
{
	start_watching();
	MUST(mkdir("one", 0755));
	MUST(mkdir("two", 0755));
	watch_both("one");
	watch("two");
	int fd = (int)MUST(open("one", O_RDONLY | O_DIRECTORY));
	show_events("open");
	MUST(rename("two", "one"));
	show_events("rename");
	close(fd);
	show_events("close");
}

CASE(notify_watch_without_name)
{
	char path[64];

	start_watching();
	write_file("f", "x", 0600);
	int fd = (int)MUST(open("f", O_RDONLY));
	MUST(unlink("f"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	first = (int)MUST(inotify_add_watch(queue, path, IN_ALL_EVENTS));
	show_events("watch");
	char byte;
	MUST(read(fd, &byte, 1));
	show_events("read");
	close(fd);
	show_events("close");
}

CASE(notify_tmpfile)
{
	char path[64];

	start_watching();
	int fd = (int)MUST(open(".", O_TMPFILE | O_RDWR, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	first = (int)MUST(inotify_add_watch(queue, path, IN_ALL_EVENTS));
	close(fd);
	show_events("close");
	fd = (int)MUST(open(".", O_TMPFILE | O_RDWR, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	first = (int)MUST(inotify_add_watch(queue, path, IN_ALL_EVENTS));
	show("link", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show_events("link");
	close(fd);
	show_events("close");
	MUST(unlink("named"));
	show_events("unlink");
}

CASE(notify_watch_removed)
{
	start_watching();
	write_file("f", "x", 0600);
	watch_both("f");
	int fd = (int)MUST(open("f", O_RDONLY));
	MUST(unlink("f"));
	show_events("unlink");
	show("remove", inotify_rm_watch(queue, first + 1));
	show_events("remove");
	close(fd);
	show_events("close");
}

CASE(notify_oneshot_unlink)
{
	start_watching();
	write_file("f", "x", 0600);
	first = (int)MUST(inotify_add_watch(queue, "f", IN_DELETE_SELF | IN_ONESHOT));
	int fd = (int)MUST(open("f", O_RDONLY));
	MUST(unlink("f"));
	show_events("unlink");
	close(fd);
	show_events("close");
}

CASE(notify_excludes_unlinked)
{
	start_watching();
	write_file("f", "x", 0600);
	first = (int)MUST(inotify_add_watch(queue, ".", IN_ALL_EVENTS | IN_EXCL_UNLINK));
	int fd = (int)MUST(open("f", O_RDWR));
	MUST(unlink("f"));
	show_events("unlink");
	MUST(write(fd, "abc", 3));
	show_events("write");
	close(fd);
	show_events("close");
}

CASE(notify_socket)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "s" };

	start_watching();
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	watch_both("s");
	MUST(unlink("s"));
	show_events("unlink");
	close(fd);
	show_events("close");
}

CASE(notify_fifo)
{
	start_watching();
	MUST(mkfifo("p", 0600));
	watch_both("p");
	int fd = (int)MUST(open("p", O_RDWR));
	show_events("open");
	MUST(unlink("p"));
	show_events("unlink");
	MUST(write(fd, "x", 1));
	show_events("write");
	close(fd);
	show_events("close");
}

CASE(notify_symlink)
{
	start_watching();
	MUST(symlink("nowhere", "s"));
	watch_both("s");
	int fd = (int)MUST(open("s", O_PATH | O_NOFOLLOW));
	MUST(unlink("s"));
	show_events("unlink");
	close(fd);
	show_events("close");
}

/* The same on the root file system. */
CASE(notify_on_the_scratch_directory)
{
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	queue = (int)MUST(inotify_init1(IN_NONBLOCK));
	write_file("f", "x", 0600);
	MUST(mkdir("sub", 0755));
	watch_both("f");
	watch("sub");
	int fd = (int)MUST(open("f", O_RDWR)), dir = (int)MUST(open("sub", O_RDONLY | O_DIRECTORY));
	MUST(unlink("f"));
	MUST(rmdir("sub"));
	show_events("removed");
	close(fd);
	show_events("close");
	close(dir);
	show_events("close the directory");
}
