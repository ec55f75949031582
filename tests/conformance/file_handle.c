/* SPDX-License-Identifier: Apache-2.0
 *
 * Handles of files: what has none, what identifies only, and who may open one.
 */
#include "conformance.h"

#include <sys/resource.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

struct handle {
	struct file_handle h;
	unsigned char room[128];
};

static long name_to(int dir, const char *name, struct handle *h, unsigned bytes, int flags)
{
	int mount = -5;

	memset(h, 0, sizeof(*h));
	h->h.handle_bytes = bytes;
	return name_to_handle_at(dir, name, &h->h, &mount, flags);
}

CASE(name_to_handle_rules)
{
	struct handle h, again;
	int mount, ends[2];

	MUST(pipe(ends));
	show("proc", name_to(AT_FDCWD, "/proc/self/stat", &h, 128, 0));
	show_int("bytes stay", h.h.handle_bytes);
	show("pipe", name_to(ends[0], "", &h, 128, AT_EMPTY_PATH));
	show("nothing there", name_to(AT_FDCWD, "missing", &h, 128, 0));
	show("empty", name_to(AT_FDCWD, "", &h, 128, 0));
	show("bad directory", name_to(99, "f", &h, 128, 0));
	show("bad name", name_to_handle_at(AT_FDCWD, bad_ptr(), &h.h, &mount, 0));
	show("unknown flag", name_to(AT_FDCWD, ".", &h, 128, 0x100));
	show("identifying and connectable", name_to(AT_FDCWD, ".", &h, 128, AT_HANDLE_FID | 2));
	/* of proc, whose handles only identify */
	show("identifier", name_to(AT_FDCWD, "/proc/self/stat", &h, 128, AT_HANDLE_FID));
	show_int("bytes", h.h.handle_bytes);
	show_hex("type", (unsigned)h.h.handle_type);
	show("the same", name_to(AT_FDCWD, "/proc/self/stat", &again, 128, AT_HANDLE_FID));
	show_int("same", memcmp(&h, &again, 20) == 0);
	show("another", name_to(AT_FDCWD, "/proc/self/status", &again, 128, AT_HANDLE_FID));
	show_int("same", memcmp(&h, &again, 20) == 0);
	show("no room", name_to(AT_FDCWD, "/proc/self/stat", &h, 8, AT_HANDLE_FID));
	show_int("bytes", h.h.handle_bytes);
	show("just enough", name_to(AT_FDCWD, "/proc/self/stat", &h, 12, AT_HANDLE_FID));
	show("too much room", name_to(AT_FDCWD, "/proc/self/stat", &h, 129, AT_HANDLE_FID));
	show("bad handle",
	     name_to_handle_at(AT_FDCWD, "/proc/self/stat", bad_ptr(), &mount, AT_HANDLE_FID));
	h.h.handle_bytes = 128;
	show("bad mount id",
	     name_to_handle_at(AT_FDCWD, "/proc/self/stat", &h.h, bad_ptr(), AT_HANDLE_FID));
}

CASE(open_by_handle_rules)
{
	struct handle h = { .h = { .handle_bytes = 12, .handle_type = 1 } };
	int dir = (int)MUST(open(".", O_RDONLY));

	show("without the capability", open_by_handle_at(dir, &h.h, O_RDONLY));
	show("here", open_by_handle_at(AT_FDCWD, &h.h, O_RDONLY));
	show("bad directory", open_by_handle_at(99, &h.h, O_RDONLY));
	show("bad handle", open_by_handle_at(dir, bad_ptr(), O_RDONLY));
	show("both", open_by_handle_at(99, bad_ptr(), O_RDONLY));
	h.h.handle_bytes = 0;
	show("empty", open_by_handle_at(99, &h.h, O_RDONLY));
	h.h.handle_bytes = 129;
	show("too large", open_by_handle_at(99, &h.h, O_RDONLY));
	h.h.handle_bytes = 12;
	h.h.handle_type = -1;
	show("negative type", open_by_handle_at(99, &h.h, O_RDONLY));
}

static void show_handle(const char *label, const char *name, int flags, unsigned room)
{
	struct handle h;

	note("%s", label);
	show("handle", name_to(AT_FDCWD, name, &h, room, flags));
	show_int("bytes", h.h.handle_bytes);
	show_hex("type", (unsigned)h.h.handle_type);
}

/* The scratch directory is a tmpfs, whose objects can be found again. */
CASE(name_to_handle_tmpfs)
{
	use_tmpfs();
	static const int flags[] = { 0, AT_HANDLE_FID, 2, AT_SYMLINK_FOLLOW };
	struct handle h, again;
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600));

	MUST(mkdir("dir", 0700));
	MUST(symlink("file", "link"));
	MUST(mkfifo("fifo", 0600));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		note("flags %#x", flags[i]);
		show_handle("file", "file", flags[i], 128);
		show_handle("directory", "dir", flags[i], 128);
		show_handle("link", "link", flags[i], 128);
		show_handle("fifo", "fifo", flags[i], 128);
		show_handle("here", ".", flags[i], 12);
		show_handle("short", "file", flags[i], 11);
		show_handle("none", "file", flags[i], 0);
	}
	MUST(name_to(AT_FDCWD, "file", &h, 128, 0));
	MUST(link("file", "second"));
	MUST(name_to(AT_FDCWD, "second", &again, 128, 0));
	show_int("another name, the same", memcmp(&h, &again, sizeof(h)) == 0);
	MUST(name_to(AT_FDCWD, "dir", &again, 128, 0));
	show_int("another object", memcmp(&h, &again, sizeof(h)) != 0);
	show("without the capability", open_by_handle_at(AT_FDCWD, &h.h, O_RDONLY));
	MUST(unlink("file"));
	MUST(unlink("second"));
	show("unlinked", name_to(fd, "", &h, 128, AT_EMPTY_PATH));
	show("memfd", name_to(memfd_create("x", 0), "", &h, 128, AT_EMPTY_PATH));
}

/* --- objects found again --------------------------------------------------------------------------- */

static void try_open(const char *label, int dir, struct handle *h, int flags)
{
	struct stat st;
	int fd = open_by_handle_at(dir, &h->h, flags);

	show_ok(label, fd);
	if (fd < 0)
		return;
	MUST(fstat(fd, &st));
	note("mode %o", st.st_mode);
	show_hex("flags", (unsigned)fcntl(fd, F_GETFL));
	show_hex("descriptor", (unsigned)fcntl(fd, F_GETFD));
	close(fd);
}

static void try_open_by(const char *label, int dir, struct handle *h)
{
	MUST(dir);
	try_open(label, dir, h, O_RDONLY);
	close(dir);
}

CASE_WITH_SEARCH(open_by_handle_tmpfs)
{
	use_tmpfs();
	static const int flags[] = { O_RDONLY,		  O_WRONLY,
				     O_RDWR | O_CLOEXEC,  O_RDWR | O_APPEND | O_NONBLOCK,
				     O_RDWR | O_TRUNC,	  O_PATH,
				     O_PATH | O_CLOEXEC,  O_DIRECTORY,
				     O_RDONLY | O_NOFOLLOW, O_CREAT | O_RDWR,
				     O_TMPFILE | O_RDWR,  O_CREAT | O_EXCL | O_RDWR,
				     O_WRONLY | O_RDWR };
	struct handle file, dir, link_handle, fifo;
	char text[8] = "";
	int fd;

	write_file("file", "contents", 0640);
	MUST(mkdir("dir", 0710));
	MUST(symlink("file", "link"));
	MUST(mkfifo("fifo", 0600));
	MUST(name_to(AT_FDCWD, "file", &file, 128, 0));
	MUST(name_to(AT_FDCWD, "dir", &dir, 128, 0));
	MUST(name_to(AT_FDCWD, "link", &link_handle, 128, 0));
	MUST(name_to(AT_FDCWD, "fifo", &fifo, 128, 0));
	fd = (int)MUST(open_by_handle_at(AT_FDCWD, &file.h, O_RDONLY));
	show_data("read", text, read(fd, text, 8));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		note("flags %#x", flags[i]);
		try_open("file", AT_FDCWD, &file, flags[i]);
		try_open("directory", AT_FDCWD, &dir, flags[i]);
		try_open("link", AT_FDCWD, &link_handle, flags[i]);
	}
	try_open("fifo", AT_FDCWD, &fifo, O_RDONLY | O_NONBLOCK);
	try_open("fifo, path", AT_FDCWD, &fifo, O_PATH);
	show_stat("truncated", "file");
	/* whatever tells the file system */
	try_open("by itself", fd, &file, O_RDONLY);
	try_open_by("by a path", open("dir", O_PATH), &file);
	try_open_by("by the link", open("link", O_PATH | O_NOFOLLOW), &file);
	try_open_by("by another", open("dir", O_RDONLY), &file);
	try_open_by("by a memfd", memfd_create("x", 0), &file);
	try_open_by("by the device directory", open("/dev", O_RDONLY), &file);
	try_open_by("another file system", open("/proc", O_RDONLY), &file);
	try_open_by("another tmpfs", open("/dev/shm", O_RDONLY), &file);
	MUST(chmod("file", 0));
	try_open("no mode", AT_FDCWD, &file, O_RDWR);
	MUST(rename("file", "dir/moved"));
	try_open("moved", AT_FDCWD, &file, O_RDONLY);
	close(fd);
	MUST(unlink("dir/moved"));
	try_open("gone", AT_FDCWD, &file, O_RDONLY);
	MUST(rmdir("dir"));
	try_open("directory gone", AT_FDCWD, &dir, O_RDONLY);
	RUN_CHILD("without the capability")
	{
		become_user(0);
		try_open("fifo", AT_FDCWD, &fifo, O_PATH);
	}
}

CASE_WITH_SEARCH(open_by_handle_errors)
{
	use_tmpfs();
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct handle h, forged;
	struct file_handle *cut;

	write_file("file", "contents", 0600);
	MUST(name_to(AT_FDCWD, "file", &h, 128, 0));
	MUST(munmap(pages + 4096, 4096));
	cut = (struct file_handle *)(pages + 4096 - sizeof(*cut));
	*cut = h.h;
	show("cut off", open_by_handle_at(AT_FDCWD, cut, O_RDONLY));
	show("cut off, bad directory", open_by_handle_at(99, cut, O_RDONLY));
	show("bad directory", open_by_handle_at(99, &h.h, O_RDONLY));
	show("bad flags", open_by_handle_at(AT_FDCWD, &h.h, O_TMPFILE));
	for (unsigned bytes = 0; bytes < 20; bytes++) {
		forged = h;
		forged.h.handle_bytes = bytes;
		note("%u bytes", bytes);
		show_ok("open", open_by_handle_at(AT_FDCWD, &forged.h, O_RDONLY));
	}
	for (int type = -1; type < 6; type++) {
		forged = h;
		forged.h.handle_type = type;
		note("type %d", type);
		show_ok("open", open_by_handle_at(AT_FDCWD, &forged.h, O_RDONLY));
	}
	for (int i = 0; i < 12; i++) {
		forged = h;
		forged.room[i] ^= 0x55;
		note("byte %d", i);
		show_ok("open", open_by_handle_at(AT_FDCWD, &forged.h, O_RDONLY));
	}
	show("no descriptors", setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, 4096 }));
	show("open", open_by_handle_at(AT_FDCWD, &h.h, O_RDONLY));
}
