/* SPDX-License-Identifier: Apache-2.0
 *
 * open, openat, openat2 with each of their flags; umask; permission checks at open.
 */
#include "conformance.h"

#include <linux/openat2.h>

CASE(open_flags)
{
	int fd;

	show("missing", open("f", O_RDONLY));
	show_ok("create", fd = open("f", O_RDWR | O_CREAT, 0666));
	show_stat("f", "f");
	show("write", write(fd, "0123456789", 10));
	show("exclusive", open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	show_ok("truncate", open("f", O_WRONLY | O_TRUNC));
	show_stat("f", "f");
	show("directory flag on a file", open("f", O_RDONLY | O_DIRECTORY));
	show("lowest free", open("f", O_RDONLY | O_CLOEXEC));
	show("cloexec", fcntl(5, F_GETFD));
	show("write a directory", open(".", O_RDWR));
	show_ok("read a directory", open(".", O_RDONLY));
	show("create a directory", open(".", O_RDONLY | O_CREAT, 0600));
	show("O_CREAT|O_DIRECTORY", open("new", O_RDONLY | O_CREAT | O_DIRECTORY, 0600));
	show("trailing slash", open("f/", O_RDONLY));
	show("create with trailing slash", open("g/", O_RDONLY | O_CREAT, 0600));
	show("below a file", open("f/g", O_RDONLY | O_CREAT, 0600));
	show("empty path", open("", O_RDONLY));
	show("bad pointer", open(bad_ptr(), O_RDONLY));
}

CASE(open_access_modes)
{
	char byte;

	write_file("f", "data", 0600);
	int ro = (int)MUST(open("f", O_RDONLY)), wo = (int)MUST(open("f", O_WRONLY)),
	    three = open("f", 3);
	show("write to read-only", write(ro, "x", 1));
	show("read from write-only", read(wo, &byte, 1));
	show_ok("mode 3", three);
	show("read mode 3", read(three, &byte, 1));
	show("write mode 3", write(three, "x", 1));
	show("truncate read-only fd", ftruncate(ro, 0));
	show_hex("F_GETFL", (unsigned int)fcntl(wo, F_GETFL));
	show_ok("O_RDONLY|O_TRUNC", open("f", O_RDONLY | O_TRUNC));
	show_stat("f", "f");
}

CASE(open_names)
{
	char name[4200];

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	show("256 bytes", open(name, O_RDWR | O_CREAT, 0600));
	name[255] = '\0';
	show_ok("255 bytes", open(name, O_RDWR | O_CREAT, 0600));
	for (size_t i = 0; i < sizeof(name); i += 2)
		memcpy(name + i, "./", 2);
	name[4096] = '\0';
	show("path of 4096", open(name, O_RDONLY | O_DIRECTORY));
	name[4095] = '\0';
	show_ok("path of 4095", open(name, O_RDONLY | O_DIRECTORY));
	show_ok("odd bytes", open("a \n\x01\xff\\", O_RDWR | O_CREAT, 0600));
	show_stat("odd bytes", "a \n\x01\xff\\");
}

CASE(open_symlinks)
{
	write_file("target", "t", 0600);
	MUST(mkdir("dir", 0755));
	MUST(symlink("target", "link"));
	MUST(symlink("link", "link2"));
	MUST(symlink("dir", "dirlink"));
	MUST(symlink("missing", "dangling"));
	MUST(symlink("loop2", "loop1"));
	MUST(symlink("loop1", "loop2"));
	show_file("through two", "link2");
	show("nofollow", open("link", O_RDONLY | O_NOFOLLOW));
	show_ok("nofollow inside", open("dirlink/../target", O_RDONLY | O_NOFOLLOW));
	show("directory nofollow", open("dirlink", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
	show_ok("directory nofollow, slash", open("dirlink/", O_RDONLY | O_NOFOLLOW));
	show("dangling", open("dangling", O_RDONLY));
	show("dangling, exclusive", open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	show_ok("dangling, create", open("dangling", O_RDWR | O_CREAT, 0600));
	show_stat("missing", "missing");
	show("loop", open("loop1", O_RDONLY));
	show("loop, exclusive", open("loop1", O_RDWR | O_CREAT | O_EXCL, 0600));
	char chain[16], next[16];
	write_file("c0", "end", 0600);
	for (int i = 1; i <= 41; i++) {
		snprintf(chain, sizeof(chain), "c%d", i);
		snprintf(next, sizeof(next), "c%d", i - 1);
		MUST(symlink(next, chain));
	}
	show_ok("40 links", open("c40", O_RDONLY));
	show("41 links", open("c41", O_RDONLY));
}

CASE(open_append)
{
	write_file("f", "start", 0600);
	int fd = (int)MUST(open("f", O_RDWR | O_APPEND)), other = (int)MUST(open("f", O_RDWR));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("append", write(fd, "-one", 4));
	show("offset", lseek(fd, 0, SEEK_CUR));
	show("other writes at 0", write(other, "S", 1));
	show("pwrite appends too", pwrite(fd, "-two", 4, 0));
	show_file("f", "f");
	show("clear", fcntl(fd, F_SETFL, 0));
	show("pwrite", pwrite(fd, "X", 1, 1));
	show("set", fcntl(other, F_SETFL, O_APPEND | O_NONBLOCK));
	show_hex("get", (unsigned int)fcntl(other, F_GETFL));
	show("append", write(other, "!", 1));
	show_file("f", "f");
}

CASE(open_path_fd)
{
	char buffer[64] = "";
	struct stat st;

	write_file("f", "data", 0600);
	MUST(symlink("f", "link"));
	int fd = (int)MUST(open("f", O_PATH));
	show_hex("flags", (unsigned int)fcntl(fd, F_GETFL));
	show("read", read(fd, buffer, 4));
	show("write", write(fd, buffer, 4));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("fchmod", fchmod(fd, 0600));
	show("ftruncate", ftruncate(fd, 0));
	show("ioctl", syscall(SYS_ioctl, fd, 0x541b, buffer));
	show("fstat", fstat(fd, &st));
	show_int("dup", dup(fd) >= 0);
	show("F_SETFL", fcntl(fd, F_SETFL, O_NONBLOCK));
	int link = (int)MUST(open("link", O_PATH | O_NOFOLLOW));
	show("readlinkat", readlinkat(link, "", buffer, sizeof(buffer)));
	MUST(fstat(link, &st));
	show_int("is a link", S_ISLNK(st.st_mode));
	int dir = (int)MUST(open(".", O_PATH | O_DIRECTORY));
	show_ok("openat", openat(dir, "f", O_RDONLY));
	show("fchdir", fchdir(dir));
	show("getdents", syscall(SYS_getdents64, dir, buffer, sizeof(buffer)));
	char path[40];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show_ok("reopen", open(path, O_RDONLY));
	show("path fd of nothing", open("nothing", O_PATH));
}

CASE(open_tmpfile)
{
	struct stat st;
	char path[40];
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);

	if (fd == -1 && errno == EOPNOTSUPP)
		skip("the file system has no O_TMPFILE");
	show_ok("create", fd);
	MUST(fstat(fd, &st));
	note("mode %o nlink %lu", st.st_mode, (unsigned long)st.st_nlink);
	show("write", write(fd, "tmp", 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show("link", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show_stat("named", "named");
	show_file("named", "named");
	show("read-only", open(".", O_TMPFILE | O_RDONLY, 0600));
	show("on a file", open("named", O_TMPFILE | O_RDWR, 0600));
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show("O_EXCL cannot be linked",
	     linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW));
}

CASE(openat_directory_fds)
{
	MUST(mkdir("d", 0755));
	write_file("d/f", "inside", 0600);
	write_file("f", "outside", 0600);
	int dir = (int)MUST(open("d", O_RDONLY | O_DIRECTORY)),
	    file = (int)MUST(open("f", O_RDONLY));
	char buffer[8];
	int fd = openat(dir, "f", O_RDONLY);
	show_data("relative", buffer, read(fd, buffer, 7));
	fd = openat(dir, "../f", O_RDONLY);
	show_data("dot dot", buffer, read(fd, buffer, 7));
	show("file as directory", openat(file, "f", O_RDONLY));
	show("bad fd", openat(99, "f", O_RDONLY));
	show("bad fd, absolute path", openat(99, "/", O_RDONLY) >= 0);
	MUST(rename("d", "e"));
	show_ok("after rename", openat(dir, "f", O_RDONLY));
	MUST(unlink("e/f"));
	MUST(rmdir("e"));
	show("removed", openat(dir, "f", O_RDONLY));
	show("create in removed", openat(dir, "f", O_RDWR | O_CREAT, 0600));
	show("dot dot of removed", openat(dir, "..", O_RDONLY) >= 0);
}

static long openat2_how(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	if (flags & O_CREAT)
		how.mode = 0600;
	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

CASE(openat2_resolve)
{
	MUST(mkdir("d", 0755));
	write_file("d/f", "x", 0600);
	MUST(symlink("f", "d/link"));
	MUST(symlink("/tmp", "d/abs"));
	MUST(symlink("../d/f", "d/up"));
	int dir = (int)MUST(open("d", O_RDONLY | O_DIRECTORY));
	show_ok("plain", openat2_how(dir, "f", O_RDONLY, 0));
	show_ok("beneath", openat2_how(dir, "link", O_RDONLY, RESOLVE_BENEATH));
	show("beneath, up", openat2_how(dir, "../d/f", O_RDONLY, RESOLVE_BENEATH));
	show("beneath, link up", openat2_how(dir, "up", O_RDONLY, RESOLVE_BENEATH));
	show("beneath, absolute", openat2_how(dir, "/tmp", O_RDONLY, RESOLVE_BENEATH));
	show("beneath, absolute link", openat2_how(dir, "abs", O_RDONLY, RESOLVE_BENEATH));
	show_ok("in root", openat2_how(dir, "/f", O_RDONLY, RESOLVE_IN_ROOT));
	show_ok("in root, up", openat2_how(dir, "../../f", O_RDONLY, RESOLVE_IN_ROOT));
	show("in root, absolute link", openat2_how(dir, "abs", O_RDONLY, RESOLVE_IN_ROOT));
	show("no symlinks", openat2_how(dir, "link", O_RDONLY, RESOLVE_NO_SYMLINKS));
	show_ok("no symlinks, none there", openat2_how(dir, "f", O_RDONLY, RESOLVE_NO_SYMLINKS));
	show("no xdev", openat2_how(AT_FDCWD, "/proc", O_RDONLY, RESOLVE_NO_XDEV));
	show("no magic links",
	     openat2_how(AT_FDCWD, "/proc/self/fd/0", O_RDONLY, RESOLVE_NO_MAGICLINKS));
}

CASE(openat2_errors)
{
	struct open_how how[2] = { { .flags = O_RDONLY }, { .flags = 0 } };

	show("bad flag", openat2_how(AT_FDCWD, ".", 1ULL << 40, 0));
	show("bad resolve", openat2_how(AT_FDCWD, ".", O_RDONLY, 0x1000));
	show("beneath and in root",
	     openat2_how(AT_FDCWD, ".", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	show("small", syscall(SYS_openat2, AT_FDCWD, ".", how, 16));
	show("larger, zero", syscall(SYS_openat2, AT_FDCWD, ".", how, sizeof(how)) >= 0);
	how[1].flags = 1;
	show("larger, not zero", syscall(SYS_openat2, AT_FDCWD, ".", how, sizeof(how)));
	show("bad pointer", syscall(SYS_openat2, AT_FDCWD, ".", bad_ptr(), sizeof(how[0])));
	how[0].mode = 0600;
	show("mode without create", syscall(SYS_openat2, AT_FDCWD, ".", how, sizeof(how[0])));
	how[0] = (struct open_how){ .flags = O_CREAT | O_RDWR, .mode = 0200000 };
	show("bad mode", syscall(SYS_openat2, AT_FDCWD, "x", how, sizeof(how[0])));
	how[0] = (struct open_how){ .flags = O_PATH | O_RDWR };
	show("O_PATH with more", syscall(SYS_openat2, AT_FDCWD, ".", how, sizeof(how[0])));
}

CASE(open_umask_and_modes)
{
	static const mode_t masks[] = { 0, 022, 077, 0777, 07777 };
	char name[16];

	show_int("old", (long)umask(0));
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		umask(masks[i]);
		snprintf(name, sizeof(name), "f%zu", i);
		show_ok("open", open(name, O_RDWR | O_CREAT, 07777));
		show_stat(name, name);
		snprintf(name, sizeof(name), "d%zu", i);
		show("mkdir", mkdir(name, 07777));
		show_stat(name, name);
		snprintf(name, sizeof(name), "n%zu", i);
		show("mknod", mknod(name, S_IFREG | 07777, 0));
		show_stat(name, name);
	}
	show_int("umask keeps 9 bits", (long)umask(0));
}

CASE(open_as_user)
{
	write_file("owner", "x", 0400);
	write_file("none", "x", 0);
	write_file("world", "x", 0444);
	write_file("group", "x", 0640);
	MUST(chown("owner", 1000, 1000));
	MUST(chown("group", 0, 1000));
	MUST(mkdir("closed", 0700));
	write_file("closed/f", "x", 0666);
	MUST(mkdir("noread", 0711));
	write_file("noread/f", "x", 0666);
	show_ok("root reads mode 0", open("none", O_RDWR));
	RUN_CHILD("user")
	{
		become_user(1000);
		show_ok("own, read", open("owner", O_RDONLY));
		show("own, write", open("owner", O_WRONLY));
		show("mode 0", open("none", O_RDONLY));
		show("world, write", open("world", O_RDWR));
		show_ok("group, read", open("group", O_RDONLY));
		show("group, write", open("group", O_WRONLY));
		show("closed directory", open("closed/f", O_RDONLY));
		show("closed directory itself", open("closed", O_RDONLY));
		show_ok("search only", open("noread/f", O_RDONLY));
		show("search only itself", open("noread", O_RDONLY));
		show("create in search only", open("noread/g", O_RDWR | O_CREAT, 0600));
		show("truncate", truncate("world", 0));
		show("O_NOATIME of another's file", open("world", O_RDONLY | O_NOATIME));
		show_ok("create with mode 0 but open", open("mine", O_RDWR | O_CREAT, 0));
		show("again", open("mine", O_RDONLY));
		show_stat("mine", "mine");
	}
}

CASE(open_emfile)
{
	int fds = 0, last = -1, fd;

	while ((fd = open("/dev/null", O_RDONLY)) != -1) {
		last = fd;
		fds++;
	}
	show("open", -1);
	note("opened %d, last %d", fds, last);
	show("dup", dup(0));
	int ends[2];
	show("pipe", pipe(ends));
	close(last);
	show("pipe with one free", pipe(ends));
	show_int("open fills the hole", open("/dev/null", O_RDONLY) == last);
	show("dup2 onto an open one", dup2(0, last) == last);
	show("dup2 past the limit", dup2(0, 1024));
	show("F_DUPFD past the limit", fcntl(0, F_DUPFD, 1024));
	show("F_DUPFD full", fcntl(0, F_DUPFD, 0));
}

/* The descriptor comes first: without one nothing is made, cut short or even looked for. */
CASE(open_emfile_changes_nothing)
{
	write_file("full", "text", 0600);
	MUST(mkdir("dir", 0700));
	while (open("/dev/null", O_RDONLY) != -1)
		;
	show("create", open("new", O_RDWR | O_CREAT, 0600));
	show("truncate", open("full", O_RDWR | O_TRUNC));
	show("not there", open("missing", O_RDONLY));
	show("O_TMPFILE", open("dir", O_RDWR | O_TMPFILE, 0600));
	show("bad path", open(bad_ptr(), O_RDONLY));
	show("bad flags", open("dir", O_RDONLY | O_TMPFILE, 0600));
	show("created", access("new", F_OK));
	show_stat("full", "full");
}
