/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: rename, link, symlink, unlink, mkdir, rmdir, mknod, getdents, working directories.
 */
#include "conformance.h"

#include <dirent.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

CASE(rename_files)
{
	write_file("a", "A", 0600);
	write_file("b", "B", 0600);
	int fd = (int)MUST(open("b", O_RDONLY));
	char byte;
	show("over a file", rename("a", "b"));
	show_file("b", "b");
	show_file("a", "a");
	show_data("replaced one is alive", &byte, read(fd, &byte, 1));
	show("missing", rename("a", "c"));
	show("onto itself", rename("b", "b"));
	MUST(link("b", "hard"));
	show("hard link of itself", rename("b", "hard"));
	show_stat("b", "b");
	MUST(symlink("b", "s"));
	show("a link itself moves", rename("s", "s2"));
	show_stat("s2", "s2");
	show("bad pointer", rename(bad_ptr(), "x"));
	show("empty", rename("b", ""));
}

/* Which of two mistakes is told. */
CASE(rename_order)
{
	static char long_name[257], long_path[5000];
	static const struct {
		const char *what, *from, *to;
	} pairs[] = {
		{ "missing, long", "missing", long_name }, { "there, long", "f", long_name },
		{ "long, missing", long_name, "x" },	   { "both long", long_name, long_name },
		{ "no directory, long", "missing/x", long_name },
		{ "long, no directory", "f", "missing/x" },
		{ "long path", long_path, "x" },	   { "missing, long path", "missing", long_path },
		{ "no directory, long path", "missing/x", long_path },
		{ "dot, long", ".", long_name },	   { "missing, dot", "missing", "." },
		{ "missing, root", "missing", "/" },	   { "missing, empty", "missing", "" },
		{ "no directory, empty", "missing/x", "" }, { "missing, another file system", "missing", "/proc/x" },
		{ "long, another file system", long_name, "/proc/x" },
		{ "missing, below a long one", "missing", NULL },
	};
	char below[300];

	memset(long_name, 'a', 256);
	memset(long_path, 'a', 4999);
	snprintf(below, sizeof(below), "%s/x", long_name);
	write_file("f", "", 0600);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *to = pairs[i].to ? pairs[i].to : below;

		show(pairs[i].what, rename(pairs[i].from, to));
		show("link", link(pairs[i].from, to));
	}
	show("missing, bad pointer", rename("missing", bad_ptr()));
	show("bad pointer, long", rename(bad_ptr(), long_path));
	show("bad directories", renameat(99, "f", 98, long_path));
	show("bad directory, missing", renameat(AT_FDCWD, "missing", 98, "x"));
	show("no directory, bad directory", renameat(AT_FDCWD, "missing/x", 98, "x"));
	show("flags", syscall(SYS_renameat2, AT_FDCWD, bad_ptr(), AT_FDCWD, bad_ptr(), 64));
	show("exchange, both missing", syscall(SYS_renameat2, AT_FDCWD, "m", AT_FDCWD, long_name, 2));
	show("not over, long", syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, long_name, 1));
}

CASE(rename_directories)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/sub", 0755));
	MUST(mkdir("empty", 0755));
	MUST(mkdir("full", 0755));
	write_file("full/x", "", 0600);
	write_file("f", "", 0600);
	show("over a full one", rename("d", "full"));
	show("over an empty one", rename("d", "empty"));
	show_stat("empty", "empty");
	show("into itself", rename("empty", "empty/sub/x"));
	show("over its parent", rename("empty/sub", "empty"));
	show("directory over file", rename("empty", "f"));
	show("file over directory", rename("f", "full"));
	show("dot", rename("full/.", "x"));
	show("dot dot", rename("full/..", "x"));
	show("to a missing directory", rename("f", "nowhere/f"));
	show("below a file", rename("full", "f/x"));
	show("file with slash", rename("f/", "g"));
	show("directory with slash", rename("full/", "moved/"));
	show("other mount", rename("f", "/dev/shm/conformance-x"));
	show("root", rename("/", "x"));
	show_stat("moved", "moved");
}

CASE(rename_flags)
{
	write_file("a", "A", 0600);
	write_file("b", "B", 0600);
	MUST(mkdir("d", 0755));
	show("noreplace", renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
	show("noreplace free", renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	show("exchange", renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE));
	show_file("b", "b");
	show_file("c", "c");
	show("exchange file and directory",
	     renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE));
	show_stat("b", "b");
	show("exchange missing", renameat2(AT_FDCWD, "b", AT_FDCWD, "x", RENAME_EXCHANGE));
	show("both", renameat2(AT_FDCWD, "b", AT_FDCWD, "x", RENAME_EXCHANGE | RENAME_NOREPLACE));
	show("bad flags", renameat2(AT_FDCWD, "b", AT_FDCWD, "x", 0x80));
}

CASE(link_basics)
{
	write_file("f", "data", 0600);
	MUST(mkdir("d", 0755));
	MUST(symlink("f", "s"));
	show("link", link("f", "g"));
	show_stat("f", "f");
	show("exists", link("f", "g"));
	show("directory", link("d", "e"));
	show("missing", link("x", "y"));
	show("of a symlink", link("s", "s2"));
	show_stat("s2", "s2");
	show("follow", linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
	show_stat("s3", "s3");
	show("other mount", link("f", "/dev/shm/conformance-y"));
	show("bad flags", linkat(AT_FDCWD, "f", AT_FDCWD, "z", 0x8000));
	int fd = (int)MUST(open("f", O_RDONLY));
	show("empty path", linkat(fd, "", AT_FDCWD, "z", 0));
	show("unlink", unlink("f"));
	show_stat("g", "g");
	show_file("g", "g");
}

CASE(symlink_basics)
{
	char buffer[16];
	char big[PATH_MAX + 1];

	show("symlink", symlink("target", "s"));
	show_stat("s", "s");
	show_data("readlink", buffer, readlink("s", buffer, sizeof(buffer)));
	show_data("short buffer", buffer, readlink("s", buffer, 3));
	show("size 0", syscall(SYS_readlink, "s", buffer, 0));
	show("bad buffer", readlink("s", bad_ptr(), 5));
	show("exists", symlink("x", "s"));
	show("empty target", symlink("", "e"));
	write_file("f", "", 0600);
	show("not a link", readlink("f", buffer, sizeof(buffer)));
	show("missing", readlink("x", buffer, sizeof(buffer)));
	memset(big, 'b', PATH_MAX);
	big[PATH_MAX] = '\0';
	show("target too long", symlink(big, "b"));
	big[PATH_MAX - 1] = '\0';
	show("longest target", symlink(big, "b"));
	show_stat("b", "b");
	show("chmod follows", chmod("s", 0600));
	show("trailing slash", symlink("x", "new/"));
}

CASE(unlink_errors)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("full", 0755));
	write_file("full/f", "", 0600);
	write_file("f", "", 0600);
	MUST(symlink("d", "dl"));
	show("directory", unlink("d"));
	show("missing", unlink("x"));
	show("slash", unlink("f/"));
	show("link to a directory with slash", unlink("dl/"));
	show("rmdir file", rmdir("f"));
	show("rmdir link", rmdir("dl"));
	show("rmdir full", rmdir("full"));
	show("rmdir dot", rmdir("full/."));
	show("rmdir dot dot", rmdir("full/.."));
	show("rmdir root", rmdir("/"));
	show("rmdir missing", rmdir("x"));
	show("rmdir mount point", rmdir("/proc"));
	show("rmdir", rmdir("d"));
	show("unlinkat AT_REMOVEDIR on file", unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
	show("unlinkat bad flags", unlinkat(AT_FDCWD, "f", 0x8000));
	show("unlinkat", unlinkat(AT_FDCWD, "f", 0));
	show("bad pointer", unlink(bad_ptr()));
	show("empty", unlink(""));
}

CASE(mkdir_basics)
{
	show("mkdir", mkdir("d", 0777));
	show_stat("d", "d");
	show("exists", mkdir("d", 0777));
	show("dot", mkdir("d/.", 0777));
	show("trailing slashes", mkdir("e///", 0700));
	show("nested", mkdir("x/y", 0777));
	show("root", mkdir("/", 0777));
	MUST(symlink("nowhere", "dangling"));
	show("dangling link", mkdir("dangling", 0777));
	for (int i = 0; i < 3; i++) {
		char name[16];
		snprintf(name, sizeof(name), "d/%d", i);
		MUST(mkdir(name, 0755));
	}
	show_stat("three inside", "d");
	MUST(rmdir("d/1"));
	write_file("d/file", "", 0600);
	show_stat("two inside and a file", "d");
}

CASE(mknod_types)
{
	show("regular", mknod("r", S_IFREG | 0644, 0));
	show("no type", mknod("n", 0644, 0));
	show("fifo", mknod("p", S_IFIFO | 0644, 0));
	show("socket", mknod("s", S_IFSOCK | 0644, 0));
	show("directory", mknod("d", S_IFDIR | 0755, 0));
	show("bad type", mknod("b", 0170000 | 0644, 0));
	show("null device", mknod("c", S_IFCHR | 0666, makedev(1, 3)));
	show("exists", mknod("r", S_IFREG | 0644, 0));
	show_stat("r", "r");
	show_stat("p", "p");
	show_stat("s", "s");
	show("open a socket", open("s", O_RDWR));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("device", mknod("c2", S_IFCHR | 0666, makedev(1, 3)));
		show("fifo", mkfifo("p2", 0600));
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void show_directory(const char *path)
{
	char *names[64];
	size_t count = 0;
	DIR *dir = opendir(path);

	if (dir == NULL) {
		show(path, -1);
		return;
	}
	for (const struct dirent *entry; count < 64 && (entry = readdir(dir)) != NULL; count++)
		if (asprintf(&names[count], "%s type %d", entry->d_name, entry->d_type) == -1)
			skip("no memory");
	closedir(dir);
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++)
		note("  %s", names[i]);
}

CASE(getdents_types)
{
	write_file("file", "", 0600);
	MUST(mkdir("dir", 0755));
	MUST(symlink("x", "link"));
	MUST(mkfifo("fifo", 0600));
	MUST(mknod("sock", S_IFSOCK | 0600, 0));
	show_directory(".");
	MUST(unlink("file"));
	MUST(rename("dir", "dir2"));
	show_directory(".");
}

CASE(getdents_many_and_rewind)
{
	char name[256];
	int first = 0, second = 0, late = 0;

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "entry-with-a-name-%d", i);
		close((int)MUST(open(name, O_WRONLY | O_CREAT, 0600)));
	}
	DIR *dir = opendir(".");
	while (readdir(dir) != NULL)
		first++;
	rewinddir(dir);
	write_file("late", "", 0600);
	rewinddir(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL; second++)
		late += strcmp(entry->d_name, "late") == 0;
	note("first %d second %d late %d", first, second, late);
	rewinddir(dir);
	for (int i = 0; i < 100; i++)
		readdir(dir);
	long where = telldir(dir);
	const struct dirent *entry = readdir(dir);
	snprintf(name, sizeof(name), "%s", entry->d_name);
	for (int i = 0; i < 50; i++)
		readdir(dir);
	seekdir(dir, where);
	entry = readdir(dir);
	show_int("seekdir comes back", entry != NULL && strcmp(entry->d_name, name) == 0);
}

CASE(getdents_unlink_while_reading)
{
	char name[32];
	int left = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close((int)MUST(open(name, O_WRONLY | O_CREAT, 0600)));
	}
	DIR *dir = opendir(".");
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] == 'f')
			MUST(unlink(entry->d_name));
	rewinddir(dir);
	while (readdir(dir) != NULL)
		left++;
	show_int("left", left);
}

CASE(getdents_errors)
{
	char buffer[512];
	int dir = (int)MUST(open(".", O_RDONLY)),
	    file = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	show("file", syscall(SYS_getdents64, file, buffer, sizeof(buffer)));
	show("bad fd", syscall(SYS_getdents64, 99, buffer, sizeof(buffer)));
	show("small buffer", syscall(SYS_getdents64, dir, buffer, 10));
	show("bad buffer", syscall(SYS_getdents64, dir, bad_ptr(), sizeof(buffer)));
	show_int("good", syscall(SYS_getdents64, dir, buffer, sizeof(buffer)) > 0);
	show("end", syscall(SYS_getdents64, dir, buffer, sizeof(buffer)));
	show("small buffer at the end", syscall(SYS_getdents64, dir, buffer, 10));
	show("seek to 0", lseek(dir, 0, SEEK_SET));
	show_int("again", syscall(SYS_getdents64, dir, buffer, sizeof(buffer)) > 0);
	int gone = (MUST(mkdir("gone", 0755)), (int)MUST(open("gone", O_RDONLY)));
	MUST(rmdir("gone"));
	show("removed", syscall(SYS_getdents64, gone, buffer, sizeof(buffer)));
}

CASE(chdir_and_getcwd)
{
	char start[256], cwd[256];

	if (getcwd(start, sizeof(start)) == NULL)
		skip("no cwd");
	MUST(mkdir("d", 0755));
	MUST(symlink("d", "l"));
	write_file("f", "", 0600);
	show("into a link", chdir("l"));
	show_int("getcwd returns the size",
		 syscall(SYS_getcwd, cwd, sizeof(cwd)) == (long)strlen(start) + 3);
	show_str("resolved", cwd + strlen(start));
	show("size 1", syscall(SYS_getcwd, cwd, 1));
	show("bad buffer", syscall(SYS_getcwd, bad_ptr(), 256));
	show("up", chdir(".."));
	show("file", chdir("f"));
	show("missing", chdir("x"));
	int dir = (int)MUST(open("d", O_RDONLY)), file = (int)MUST(open("f", O_RDONLY));
	show("fchdir", fchdir(dir));
	show("fchdir file", fchdir(file));
	show("fchdir bad", fchdir(99));
	RUN_CHILD("moved while inside")
	{
		MUST(rename("../d", "../e"));
		MUST(syscall(SYS_getcwd, cwd, sizeof(cwd)));
		show_str("cwd", cwd + strlen(start));
	}
}

CASE(chdir_deleted)
{
	char cwd[256] = "";

	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	MUST(rmdir("../d"));
	show("getcwd", syscall(SYS_getcwd, cwd, sizeof(cwd)));
	show("create", open("x", O_RDWR | O_CREAT, 0600));
	show("mkdir", mkdir("x", 0755));
	show_ok("open dot", open(".", O_RDONLY));
	show("chdir dot", chdir("."));
	show_int("proc says deleted", readlink("/proc/self/cwd", cwd, sizeof(cwd) - 1) > 0 &&
					      strstr(cwd, "/d (deleted)") != NULL);
	show("up", chdir(".."));
}

CASE(chdir_permission)
{
	MUST(mkdir("closed", 0700));
	MUST(mkdir("search", 0711));
	MUST(mkdir("read", 0744));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("closed", chdir("closed"));
		show("read only", chdir("read"));
		show("search only", chdir("search"));
		char cwd[256];
		show_int("getcwd works", syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0);
		show("open dot", open(".", O_RDONLY));
		show("chroot", chroot("."));
	}
}

CASE(chroot_basics)
{
	MUST(mkdir("root", 0755));
	MUST(mkdir("root/inside", 0755));
	write_file("outside", "", 0600);
	RUN_CHILD("jail")
	{
		char cwd[256] = "";
		show("chroot", chroot("root"));
		show("outside", access("/outside", F_OK));
		show("inside", access("/inside", F_OK));
		show("getcwd outside the root", syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0);
		show_int("unreachable", strncmp(cwd, "(unreachable)", 13) == 0);
		show("chdir", chdir("/"));
		show("getcwd", syscall(SYS_getcwd, cwd, sizeof(cwd)));
		show_str("cwd", cwd);
		show("dot dot stays", access("../../inside", F_OK));
	}
	show("file", chroot("outside"));
	show("missing", chroot("missing"));
}
