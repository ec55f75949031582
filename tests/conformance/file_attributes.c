/* SPDX-License-Identifier: Apache-2.0
 *
 * stat, statx, chmod, chown, times, access, extended attributes; sticky, set-group-id and
 * permission rules.
 */
#include "conformance.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>

CASE(stat_basics)
{
	struct stat st, other;

	write_file("f", "hello", 0640);
	MUST(symlink("f", "s"));
	show("stat follows", stat("s", &st));
	note("mode %o size %lld blksize %ld blocks %d", st.st_mode, (long long)st.st_size,
	     (long)st.st_blksize, st.st_blocks > 0);
	MUST(stat("f", &other));
	show_int("same inode", st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	MUST(lstat("s", &other));
	show_int("link has its own", st.st_ino != other.st_ino);
	note("link mode %o size %lld", other.st_mode, (long long)other.st_size);
	show("missing", stat("x", &st));
	show("below a file", stat("f/x", &st));
	show("bad buffer", syscall(SYS_stat, "f", bad_ptr()));
	show("bad path", stat(bad_ptr(), &st));
	show("fstat bad fd", fstat(99, &st));
	show("empty path", fstatat(0, "", &st, 0));
	show("AT_EMPTY_PATH", fstatat(0, "", &st, AT_EMPTY_PATH));
	show_int("is /dev/null", st.st_rdev == makedev(1, 3));
	show("bad flags", fstatat(AT_FDCWD, "f", &st, 0x8000));
	show("dot", stat(".", &st));
	note("mode %o nlink %lu", st.st_mode, (unsigned long)st.st_nlink);
}

CASE(statx_basics)
{
	struct statx sx;

	write_file("f", "hello", 0640);
	memset(&sx, 0xff, sizeof(sx));
	show("statx", statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	note("mask has basic %d mode %o nlink %u uid %u size %llu",
	     (sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS, sx.stx_mode, sx.stx_nlink,
	     sx.stx_uid, (unsigned long long)sx.stx_size);
	show("empty path", statx(0, "", AT_EMPTY_PATH, STATX_TYPE, &sx));
	note("type %o rdev %u:%u", sx.stx_mode & S_IFMT, sx.stx_rdev_major, sx.stx_rdev_minor);
	show("missing", statx(AT_FDCWD, "x", 0, STATX_ALL, &sx));
	show("reserved mask", statx(AT_FDCWD, "f", 0, 0x80000000U, &sx));
	show("both sync flags",
	     statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_ALL, &sx));
	show("bad flags", statx(AT_FDCWD, "f", 0x40000, STATX_ALL, &sx));
	show("bad buffer", syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_ALL, bad_ptr()));
	show("proc has no mount root", statx(AT_FDCWD, "/proc", 0, STATX_TYPE, &sx));
	note("mount root %d", !!(sx.stx_attributes & 0x2000));
}

CASE(chmod_basics)
{
	write_file("f", "", 0600);
	int fd = (int)MUST(open("f", O_RDONLY));
	show("chmod", chmod("f", 07777));
	show_stat("f", "f");
	show("fchmod", fchmod(fd, 0123));
	show_stat("f", "f");
	show("high bits are ignored", chmod("f", 0100644));
	show_stat("f", "f");
	show("fchmodat", fchmodat(AT_FDCWD, "f", 0600, 0));
	show("missing", chmod("x", 0600));
	show("bad fd", fchmod(99, 0600));
	show("bad pointer", chmod(bad_ptr(), 0600));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("another's", chmod("f", 0666));
		int mine = (int)MUST(open("mine", O_RDWR | O_CREAT, 0600));
		show("own", fchmod(mine, 0444));
		show_stat("mine", "mine");
	}
}

CASE(chown_basics)
{
	write_file("f", "", 06755);
	MUST(symlink("f", "s"));
	show("chown", chown("f", 1000, 2000));
	show_stat("set-id bits go", "f");
	show("only uid", chown("f", 5, (gid_t)-1));
	show_stat("f", "f");
	show("lchown", lchown("s", 7, 8));
	show_stat("s", "s");
	show("follow", chown("s", 9, 10));
	show_stat("f", "f");
	show("fchownat empty", fchownat((int)MUST(open("f", O_RDONLY)), "", 1, 1, AT_EMPTY_PATH));
	show_stat("f", "f");
	show("missing", chown("x", 0, 0));
	MUST(chown("f", 1000, 1000));
	MUST(chmod("f", 06755));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("give away", chown("f", 1001, (gid_t)-1));
		show("to itself", chown("f", 1000, 1000));
		show_stat("f", "f");
		show("foreign group", chown("f", (uid_t)-1, 1001));
		show("nothing", chown("f", (uid_t)-1, (gid_t)-1));
	}
}

CASE(write_clears_set_id)
{
	write_file("f", "", 0600);
	MUST(chown("f", 1000, 1000));
	MUST(chmod("f", 06777));
	int fd = (int)MUST(open("f", O_RDWR));
	show("root writes", write(fd, "x", 1));
	show_stat("f", "f");
	MUST(chmod("f", 06777));
	RUN_CHILD("user")
	{
		become_user(1001);
		show("user writes", write((int)MUST(open("f", O_RDWR)), "x", 1));
		show_stat("f", "f");
	}
	MUST(chmod("f", 06777));
	RUN_CHILD("user")
	{
		become_user(1001);
		show("user truncates", truncate("f", 0));
		show_stat("f", "f");
	}
}

CASE(times_set)
{
	struct stat st;
	struct timespec times[2] = { { 1000, 123 }, { 2000, 456 } };

	write_file("f", "", 0644);
	show("utimensat", utimensat(AT_FDCWD, "f", times, 0));
	MUST(stat("f", &st));
	note("atime %ld.%ld mtime %ld.%ld", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
	     (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1] = (struct timespec){ 3000, 0 };
	show("omit", utimensat(AT_FDCWD, "f", times, 0));
	MUST(stat("f", &st));
	note("atime %ld mtime %ld", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec);
	times[1].tv_nsec = UTIME_NOW;
	show("now", utimensat(AT_FDCWD, "f", times, 0));
	MUST(stat("f", &st));
	show_int("recent", st.st_mtim.tv_sec > 1000000);
	times[0].tv_nsec = 1000000000;
	show("bad nsec", utimensat(AT_FDCWD, "f", times, 0));
	show("bad flags", utimensat(AT_FDCWD, "f", NULL, 0x8000));
	show("missing", utimensat(AT_FDCWD, "x", NULL, 0));
	MUST(symlink("f", "s"));
	times[0] = times[1] = (struct timespec){ 4000, 0 };
	show("the link itself", utimensat(AT_FDCWD, "s", times, AT_SYMLINK_NOFOLLOW));
	MUST(lstat("s", &st));
	show_int("link mtime", st.st_mtim.tv_sec);
	show("by fd", futimens((int)MUST(open("f", O_RDONLY)), times));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("set another's", utimensat(AT_FDCWD, "f", times, 0));
		show("now another's", utimensat(AT_FDCWD, "f", NULL, 0));
	}
}

CASE(times_updated)
{
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st;

	write_file("f", "x", 0644);
	MUST(utimensat(AT_FDCWD, "f", old, 0));
	int fd = (int)MUST(open("f", O_RDWR));
	MUST(write(fd, "y", 1));
	MUST(fstat(fd, &st));
	show_int("write changes mtime", st.st_mtim.tv_sec != 1000);
	MUST(utimensat(AT_FDCWD, "f", old, 0));
	MUST(ftruncate(fd, 5));
	MUST(fstat(fd, &st));
	show_int("truncate changes mtime", st.st_mtim.tv_sec != 1000);
	MUST(mkdir("d", 0755));
	MUST(utimensat(AT_FDCWD, "d", old, 0));
	write_file("d/x", "", 0600);
	MUST(stat("d", &st));
	show_int("create changes the directory", st.st_mtim.tv_sec != 1000);
	MUST(utimensat(AT_FDCWD, "f", old, 0));
	MUST(chmod("f", 0600));
	MUST(fstat(fd, &st));
	show_int("chmod leaves mtime", st.st_mtim.tv_sec == 1000);
	show_int("chmod changes ctime", st.st_ctim.tv_sec != 1000);
}

CASE(access_checks)
{
	write_file("rw", "", 0600);
	write_file("x", "", 0711);
	write_file("plain", "", 0644);
	show("root reads", access("rw", R_OK | W_OK));
	show("root executes without x", access("rw", X_OK));
	show("root executes with x", access("x", X_OK));
	show("missing", access("missing", F_OK));
	show("bad mode", access("rw", 0x10));
	show("below a file", access("rw/x", F_OK));
	show("faccessat2 bad flags", syscall(SYS_faccessat2, AT_FDCWD, "rw", R_OK, 0x8000));
	show("faccessat2 bad mode", syscall(SYS_faccessat2, AT_FDCWD, "rw", 0x40, 0));
	RUN_CHILD("effective user, real root")
	{
		MUST(setresuid(0, 1000, 0));
		show("real", access("rw", R_OK));
		show("effective", syscall(SYS_faccessat2, AT_FDCWD, "rw", R_OK, AT_EACCESS));
	}
	RUN_CHILD("user")
	{
		become_user(1000);
		show("read", access("rw", R_OK));
		show("exists", access("rw", F_OK));
		show("execute", access("x", X_OK));
		show("read plain", access("plain", R_OK));
		show("write plain", access("plain", W_OK));
		show("write /proc", access("/proc", W_OK));
	}
}

CASE(sticky_directory)
{
	MUST(mkdir("sticky", 0777));
	MUST(chmod("sticky", 01777));
	write_file("sticky/root", "", 0666);
	write_file("sticky/user", "", 0666);
	MUST(chown("sticky/user", 1000, 1000));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("another's", unlink("sticky/root"));
		show("rename another's", rename("sticky/root", "sticky/x"));
		show("rename over another's", rename("sticky/user", "sticky/root"));
		show("own", unlink("sticky/user"));
	}
	MUST(chmod("sticky", 0777));
	RUN_CHILD("without the bit")
	{
		become_user(1000);
		show("another's", unlink("sticky/root"));
	}
}

CASE(setgid_directory)
{
	MUST(mkdir("d", 0777));
	MUST(chown("d", 0, 1234));
	MUST(chmod("d", 02777));
	write_file("d/f", "", 0644);
	MUST(mkdir("d/sub", 0755));
	show_stat("file", "d/f");
	show_stat("directory", "d/sub");
	RUN_CHILD("user")
	{
		become_user(1000);
		int fd = (int)MUST(open("d/g", O_RDWR | O_CREAT, 02775));
		show_stat("user's set-group-id file", "d/g");
		show("chmod g+s", fchmod(fd, 02775));
		show_stat("not in the group", "d/g");
	}
}

CASE(protected_links)
{
	write_file("secret", "s", 0600);
	write_file("readable", "r", 0644);
	RUN_CHILD("user")
	{
		become_user(1000);
		show("rename between own directories", mkdir("mydir", 0755));
		show("link own",
		     (close((int)MUST(open("own", O_RDWR | O_CREAT, 0600))), link("own", "own2")));
		show("unlink in a world-writable directory", unlink("secret"));
	}
}

CASE(xattr_basics)
{
	char buffer[64] = "";

	write_file("f", "", 0644);
	if (setxattr("f", "user.probe", "", 0, 0) == -1 && errno == EOPNOTSUPP)
		note("no user attributes");
	else {
		MUST(removexattr("f", "user.probe"));
		show("set", setxattr("f", "user.name", "value", 5, 0));
		show_data("get", buffer, getxattr("f", "user.name", buffer, sizeof(buffer)));
		show("size", getxattr("f", "user.name", NULL, 0));
		show("small", getxattr("f", "user.name", buffer, 2));
		show("create existing", setxattr("f", "user.name", "v", 1, XATTR_CREATE));
		show("replace", setxattr("f", "user.name", "v2", 2, XATTR_REPLACE));
		show("replace missing", setxattr("f", "user.x", "v2", 2, XATTR_REPLACE));
		show_data("list", buffer, listxattr("f", buffer, sizeof(buffer)));
		show("list small", listxattr("f", buffer, 3));
		show("remove", removexattr("f", "user.name"));
		show("remove again", removexattr("f", "user.name"));
	}
	show("missing attribute", getxattr("f", "user.none", buffer, sizeof(buffer)));
	show("bad namespace", setxattr("f", "bogus.name", "v", 1, 0));
	show("no namespace", setxattr("f", "name", "v", 1, 0));
	show("empty name", setxattr("f", "", "v", 1, 0));
	show("missing file", getxattr("x", "user.name", buffer, sizeof(buffer)));
	show("bad flags", setxattr("f", "user.x", "v", 1, 8));
	show("bad fd", fgetxattr(99, "user.x", buffer, sizeof(buffer)));
	char name[300];
	memset(name, 'n', 299);
	memcpy(name, "user.", 5);
	name[299] = '\0';
	show("long name", setxattr("f", name, "v", 1, 0));
	show("too big", syscall(SYS_setxattr, "f", "user.x", buffer, 65537UL, 0));
}

CASE(statfs_types)
{
	static const char *const paths[] = {
		"/proc", "/dev", "/tmp", "/dev/shm", "/dev/pts", "/sys"
	};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (statfs(paths[i], &fs) == -1)
			show(paths[i], -1);
		else
			note("%s: type 0x%lx namelen %ld bsize %ld", paths[i],
			     (unsigned long)fs.f_type, (long)fs.f_namelen, (long)fs.f_bsize);
	}
	show("missing", statfs("x", &fs));
	show("bad fd", fstatfs(99, &fs));
	show("bad buffer", statfs("/proc", bad_ptr()));
	int ends[2];
	MUST(pipe(ends));
	show("pipe", fstatfs(ends[0], &fs));
	show_hex("type", (unsigned long)fs.f_type);
}
