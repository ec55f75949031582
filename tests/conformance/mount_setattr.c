/* SPDX-License-Identifier: Apache-2.0 */
/* mount_setattr: flags of one mount and of a tree, propagation, what is refused and in which order. */
#include "mount_tree.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

#define RECURSIVE 0x8000U
#define RDONLY 0x1U
#define NOSUID 0x2U
#define NODEV 0x4U
#define NOEXEC 0x8U
#define ATIME 0x70U
#define NOATIME 0x10U
#define STRICTATIME 0x20U
#define NODIRATIME 0x80U
#define IDMAP 0x100000U
#define NOSYMFOLLOW 0x200000U

struct attributes {
	uint64_t set, clear, propagation, userns_fd;
	uint64_t more[4];
};

#define SIZE 32

static long change(const char *name, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct attributes attr = { .set = set, .clear = clear, .propagation = propagation };

	return syscall(SYS_mount_setattr, AT_FDCWD, name, flags, &attr, SIZE);
}

static void show_flags(const char *label, const char *name)
{
	struct statvfs fs;

	MUST(statvfs(name, &fs));
	show_hex(label, fs.f_flag);
}

CASE(mount_setattr_flags)
{
	static const uint64_t rows[] = { RDONLY, NOSUID, NODEV, NOEXEC, NODIRATIME, NOSYMFOLLOW,
					 RDONLY | NOEXEC | NODEV };

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	show_flags("at first", "t/a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		note("attributes %lx", (unsigned long)rows[i]);
		show("set", change("t/a", 0, rows[i], 0, 0));
		show_flags("flags", "t/a");
		show_flags("below", "t/a/x");
		show("clear", change("t/a", 0, 0, rows[i], 0));
		show_flags("flags", "t/a");
	}
	show("set in all", change("t/a", RECURSIVE, NOEXEC, 0, 0));
	show_flags("flags", "t/a");
	show_flags("below", "t/a/x");
	show("set and clear", change("t/a", RECURSIVE, RDONLY, NOEXEC, 0));
	show_flags("below", "t/a/x");
	show("mkdir", mkdir("t/a/x/y", 0700));
	show("clear what is set, too", change("t/a", RECURSIVE, RDONLY, RDONLY, 0));
	show_flags("below", "t/a/x");
}

CASE(mount_setattr_access_times)
{
	static const uint64_t values[] = { 0, NOATIME, STRICTATIME, 0x30, 0x40, ATIME };

	begin();
	tmpfs("t/a");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		note("value %lx", (unsigned long)values[i]);
		show("alone", change("t/a", 0, values[i] | NODEV, 0, 0));
		show("with all cleared", change("t/a", 0, values[i], ATIME, 0));
		show_flags("flags", "t/a");
		show("with some cleared", change("t/a", 0, values[i], NOATIME, 0));
		show_flags("flags", "t/a");
	}
	show("both", change("t/a", 0, NOATIME | NODIRATIME, ATIME | NODIRATIME, 0));
	show_flags("flags", "t/a");
}

CASE(mount_setattr_links)
{
	struct stat st;

	begin();
	tmpfs("t/a");
	MUST(symlink("/", "t/a/link"));
	MUST(symlink("a/link", "t/link"));
	show("followed", stat("t/a/link", &st));
	show("set", change("t/a", 0, NOSYMFOLLOW, 0, 0));
	show("not followed", stat("t/a/link", &st));
	show("nor through one elsewhere", stat("t/link", &st));
	show("nor in the middle", stat("t/a/link/proc", &st));
	show("itself", lstat("t/a/link", &st));
	show("elsewhere", stat("/proc/self/cwd", &st));
	show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT | MS_BIND, NULL));
	show("followed again", stat("t/a/link", &st));
	show("mount", mount("none", "t/b", "tmpfs", MS_NOSYMFOLLOW, NULL));
	show_flags("flags", "t/b");
}

CASE(mount_setattr_propagation)
{
	static const uint64_t bad[] = { MS_SHARED | MS_SLAVE, MS_REC, 1, MS_SHARED | MS_REC, 1ULL << 40 };

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		show("bad", change("t/a", 0, 0, 0, bad[i]));
	show("shared", change("t/a", 0, 0, 0, MS_SHARED));
	show_tree("shared");
	show("all shared", change("t/a", RECURSIVE, NOEXEC, 0, MS_SHARED));
	show_tree("all shared");
	show_flags("flags", "t/a/x");
	MUST(bind_mount("t/a", "t/b"));
	show("slave", change("t/b", 0, 0, 0, MS_SLAVE));
	show_tree("slave");
	show("unbindable", change("t/a", RECURSIVE, 0, 0, MS_UNBINDABLE));
	show_tree("unbindable");
	show("private", change("t/a", RECURSIVE, 0, NOEXEC, MS_PRIVATE));
	show_tree("private");
	show_flags("flags", "t/a/x");
}

CASE(mount_setattr_rules)
{
	struct attributes attr = { .set = NOEXEC };
	int fd;

	begin();
	tmpfs("t/a");
	show("no mount", change("t/b", 0, NOEXEC, 0, 0));
	show("missing", change("t/x", 0, NOEXEC, 0, 0));
	show("nothing to do", change("t/x", 0, 0, 0, 0));
	show("unknown attribute", change("t/x", 0, 1ULL << 30, 0, 0));
	show("unknown to clear", change("t/x", 0, 0, 1ULL << 30, 0));
	show("unknown flag", change("t/x", 1, NOEXEC, 0, 0));
	show("small", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, SIZE - 1));
	show("large", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, 4097));
	show("with zeroes", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, sizeof(attr)));
	attr.more[2] = 1;
	show("with more", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, sizeof(attr)));
	show("bad address", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, bad_ptr(), SIZE));
	fd = (int)MUST(open("t/a", O_PATH));
	show("descriptor", syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, SIZE));
	attr.more[2] = 0;
	show("descriptor and no name", syscall(SYS_mount_setattr, fd, NULL, AT_EMPTY_PATH, &attr, SIZE));
	show("descriptor without the flag", syscall(SYS_mount_setattr, fd, "", 0, &attr, SIZE));
	show_flags("flags", "t/a");
	attr = (struct attributes){ .set = IDMAP, .userns_fd = (uint64_t)fd };
	show("id map of no namespace", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, SIZE));
	attr.userns_fd = 99;
	show("id map of no descriptor", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, SIZE));
	attr.userns_fd = 1ULL << 31;
	show("id map beyond descriptors", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, SIZE));
	fd = (int)MUST(open("/proc/self/ns/mnt", O_RDONLY));
	attr.userns_fd = (uint64_t)fd;
	show("id map of another kind", syscall(SYS_mount_setattr, AT_FDCWD, "t/a", 0, &attr, SIZE));
}

CASE(mount_setattr_privilege)
{
	struct attributes attr = { .set = NOEXEC };

	show("flags first", syscall(SYS_mount_setattr, AT_FDCWD, "x", 1, &attr, SIZE));
	show("then the size", syscall(SYS_mount_setattr, AT_FDCWD, "x", 0, &attr, 1));
	show("then privilege", syscall(SYS_mount_setattr, AT_FDCWD, "x", 0, bad_ptr(), SIZE));
}

CASE(mount_setattr_detached)
{
	int fd;

	begin();
	tmpfs("t/a");
	MUST(mkdir("t/a/x", 0700));
	tmpfs("t/a/x");
	fd = (int)MUST(syscall(SYS_open_tree, AT_FDCWD, "t/a", 1 | RECURSIVE));
	struct attributes attr = { .set = RDONLY | NOEXEC };

	show("set", syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | RECURSIVE, &attr, SIZE));
	show("a part", syscall(SYS_mount_setattr, fd, "x", 0, &attr, SIZE));
	show("put", syscall(SYS_move_mount, fd, "", AT_FDCWD, "t/b", 4));
	show_flags("flags", "t/b");
	show_flags("below", "t/b/x");
	show_flags("the original", "t/a");
}

CASE(mount_setattr_locked)
{
	begin();
	tmpfs("t/a");
	MUST(change("t/a", 0, NOEXEC | RDONLY | NOATIME, ATIME, 0));
	RUN_CHILD("in a namespace of another user")
	{
		MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		show("clear", change("t/a", 0, 0, NOEXEC, 0));
		show("clear in all", change("t", RECURSIVE, NODEV, RDONLY, 0));
		show("access times", change("t/a", 0, STRICTATIME, ATIME, 0));
		show("set more", change("t/a", 0, NODEV, 0, 0));
		show_flags("flags", "t/a");
		show("copy", syscall(SYS_open_tree, AT_FDCWD, "t", 1));
		show("copy of all", syscall(SYS_open_tree, AT_FDCWD, "t", 1 | RECURSIVE) < 0 ? -1 : 0);
		show("move", syscall(SYS_move_mount, AT_FDCWD, "t/a", AT_FDCWD, "t/b", 0));
	}
}
