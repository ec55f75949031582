/* SPDX-License-Identifier: Apache-2.0 */
/* fsopen, fsconfig, fsmount, fspick: a file system's options one by one, what is said of them, and
 * its mount. */
#include "mount_tree.h"

#include <poll.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

enum {
	SET_FLAG,
	SET_STRING,
	SET_BINARY,
	SET_PATH,
	SET_PATH_EMPTY,
	SET_FD,
	CREATE,
	RECONFIGURE,
	CREATE_EXCL
};

#define ATTR_RDONLY 0x1U
#define ATTR_NOSUID 0x2U
#define ATTR_NODEV 0x4U
#define ATTR_NOEXEC 0x8U
#define ATTR_NOATIME 0x10U
#define ATTR_STRICTATIME 0x20U
#define ATTR_NODIRATIME 0x80U
#define ATTR_IDMAP 0x100000U
#define ATTR_NOSYMFOLLOW 0x200000U
#define PICK_NOFOLLOW 2U
#define PICK_NO_AUTOMOUNT 4U
#define PICK_EMPTY 8U

static void give_up_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	MUST(syscall(SYS_capset, &header, none));
}

static int context_of(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static long config(int fd, unsigned int cmd, const char *key, const void *value, int aux)
{
	return syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static long set_string(int fd, const char *key, const char *value)
{
	return config(fd, SET_STRING, key, value, 0);
}

static long set_flag(int fd, const char *key)
{
	return config(fd, SET_FLAG, key, NULL, 0);
}

static long create(int fd)
{
	return config(fd, CREATE, NULL, NULL, 0);
}

static long reconfigure(int fd)
{
	return config(fd, RECONFIGURE, NULL, NULL, 0);
}

static int mount_of(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, flags, attributes);
}

static int pick(const char *path, unsigned int flags)
{
	return (int)syscall(SYS_fspick, AT_FDCWD, path, flags | FD_CLOEXEC);
}

static long put(int fd, const char *path)
{
	return syscall(SYS_move_mount, fd, "", AT_FDCWD, path, 4);
}

/* A context that must be had. */
static int opened(const char *type)
{
	return (int)MUST(context_of(type, FD_CLOEXEC));
}

static int detached(int context)
{
	return (int)MUST(mount_of(context, FD_CLOEXEC, 0));
}

static void show_log(int fd)
{
	char text[512];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		show_data("  log", text, n);
	if (n < 0 && errno == ENODATA)
		return;
	show("  log's end", n);
}

CASE(fsopen_rules)
{
	static const unsigned int flags[] = { 0, 1, 2, 3, 0x80000, 0xffffffff };
	static char name[4200];
	char link[64], text[64];
	struct pollfd p;
	ssize_t n;
	int fd;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = context_of("tmpfs", flags[i]);
		show_ok("open", fd);
		if (fd < 0)
			continue;
		show_hex("status", (unsigned)fcntl(fd, F_GETFL));
		show_hex("descriptor", (unsigned)fcntl(fd, F_GETFD));
		close(fd);
	}
	show("no such type", context_of("nosuchfs", 0));
	show("empty", context_of("", 0));
	show("subtype", context_of("tmpfs.sub", 0));
	show("bad name", context_of(bad_ptr(), 0));
	show("null", context_of(NULL, 0));
	show("flags first", context_of(bad_ptr(), 2));
	memset(name, 'x', sizeof(name) - 1);
	show("long name", context_of(name, 0));
	name[4096] = '\0';
	show("longest and one", context_of(name, 0));
	name[4095] = '\0';
	show("longest", context_of(name, 0));
	fd = opened("tmpfs");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text));
	show_data("link", text, n);
	show("open again", open(link, O_RDONLY));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("seek on", lseek(fd, 1, SEEK_CUR));
	show("write", write(fd, "x", 1));
	show("write at", pwrite(fd, "x", 1, 0));
	show("read", read(fd, text, sizeof(text)));
	show("read nothing", read(fd, text, 0));
	show("read at", pread(fd, text, sizeof(text), 0));
	show("read bad", read(fd, bad_ptr(), 10));
	p = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };
	show("poll", poll(&p, 1, 0));
	show_hex("events", (unsigned)p.revents);
	show("map", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
}

CASE(fsopen_descriptors)
{
	begin();
	MUST(dup2(0, 3));
	show("fork", 0);
	for (int i = 4; i < 1024; i++)
		MUST(dup2(0, i));
	show("no descriptor", context_of("tmpfs", 0));
	MUST(close(3));
	show("context", context_of("tmpfs", 0));
	show("create", create(3));
	show("no descriptor to mount to", mount_of(3, 0, 0));
	MUST(close(4));
	show("mount after that", mount_of(3, 0, 0));
	show("pick", pick("t", 0));
}

CASE(fsconfig_arguments)
{
	static char key[300], value[300], big[1048577];
	static const int bad[] = { -1, 1, -100, 99 };
	int fd, path, plain = 0;
	struct {
		const char *label;
		unsigned int cmd;
	} commands[] = {
		{ "flag", SET_FLAG },
		{ "string", SET_STRING },
		{ "binary", SET_BINARY },
		{ "path", SET_PATH },
		{ "empty path", SET_PATH_EMPTY },
		{ "descriptor", SET_FD },
		{ "create", CREATE },
		{ "reconfigure", RECONFIGURE },
		{ "create exclusively", CREATE_EXCL },
		{ "ninth", 9 },
		{ "no command", 0xffffffff },
	};

	begin();
	fd = opened("tmpfs");
	path = (int)MUST(open("t", O_PATH));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		unsigned int cmd = commands[i].cmd;

		note("%s", commands[i].label);
		show(" negative", config(-1, cmd, NULL, NULL, 0));
		show(" not open", config(99, cmd, "k", NULL, 0));
		if (cmd == CREATE || cmd == CREATE_EXCL || cmd == RECONFIGURE)
			show(" not open", config(99, cmd, NULL, NULL, 0));
		show(" not open with value", config(99, cmd, "k", "v", 0));
		show(" no context",
		     config(plain, cmd, "k", cmd == SET_FLAG || cmd == SET_FD ? NULL : "v", 0));
		show(" of a path",
		     config(path, cmd, "k", cmd == SET_FLAG || cmd == SET_FD ? NULL : "v", 0));
		if (cmd >= CREATE)
			continue;
		show(" no key", config(fd, cmd, NULL, NULL, 0));
		show(" no key but value", config(fd, cmd, NULL, "v", 0));
		show(" value", config(fd, cmd, "k", "v", 0));
		show(" no value", config(fd, cmd, "k", NULL, 0));
		show(" bad key",
		     config(fd, cmd, bad_ptr(), cmd == SET_FLAG || cmd == SET_FD ? NULL : "v",
			    cmd == SET_BINARY));
		show(" bad value", config(fd, cmd, "k", bad_ptr(), cmd == SET_BINARY));
		for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
			note(" aux %d", bad[j]);
			show("  value", config(fd, cmd, "k", "v", bad[j]));
			show("  no value", config(fd, cmd, "k", NULL, bad[j]));
		}
		show_log(fd);
	}
	for (unsigned int cmd = CREATE; cmd <= CREATE_EXCL; cmd++) {
		show("key", config(fd, cmd, "k", NULL, 0));
		show("value", config(fd, cmd, NULL, "v", 0));
		show("aux", config(fd, cmd, NULL, NULL, 1));
	}
	note("sizes");
	memset(key, 'k', sizeof(key) - 1);
	memset(value, '1', sizeof(value) - 1);
	show("long key", set_flag(fd, key));
	key[256] = '\0';
	show("key of 256", set_flag(fd, key));
	show("long value", set_string(fd, "mode", value));
	value[256] = '\0';
	show("value of 256", set_string(fd, "mode", value));
	show_log(fd);
	key[255] = '\0';
	value[255] = '\0';
	show("key of 255", set_flag(fd, key));
	show("value of 255", set_string(fd, "mode", value));
	show("empty key", set_flag(fd, ""));
	show("empty key of a string", set_string(fd, "", "x"));
	show("binary, too large", config(fd, SET_BINARY, "k", big, sizeof(big)));
	show("binary", config(fd, SET_BINARY, "k", big, sizeof(big) - 1));
	show("binary, bad", config(fd, SET_BINARY, "k", bad_ptr(), 100));
	show("empty path", config(fd, SET_PATH, "k", "", AT_FDCWD));
	show("empty path that may be", config(fd, SET_PATH_EMPTY, "k", "", AT_FDCWD));
	memset(big, 'p', 5000);
	show("long path", config(fd, SET_PATH, "k", big, AT_FDCWD));
	show("missing path", config(fd, SET_PATH, "k", "nothing", 99));
	show("descriptor of a path", config(fd, SET_FD, "k", NULL, path));
	show("itself", config(fd, SET_FD, "k", NULL, fd));
	show_log(fd);
}

static void try_string(const char *type, const char *key, const char *value)
{
	int fd = opened(type);

	note("%s=%s", key, value);
	show(" set", set_string(fd, key, value));
	show_log(fd);
	close(fd);
}

static void try_flag(const char *type, const char *key)
{
	int fd = opened(type);

	note("%s", key);
	show(" set", set_flag(fd, key));
	show_log(fd);
	close(fd);
}

CASE(fsconfig_tmpfs_options)
{
	static const char *const pairs[][2] = {
		{ "size", "64k" },	{ "size", "1M" },
		{ "size", "2g" },	{ "size", "0" },
		{ "size", "0x1000" },	{ "size", "010" },
		{ "size", "" },		{ "size", "k" },
		{ "size", "x" },	{ "size", "10%" },
		{ "size", "1k%" },	{ "size", "10%%" },
		{ "size", "-1" },	{ "size", "1kk" },
		{ "size", " 1" },	{ "size", "1e" },
		{ "nr_blocks", "10" },	{ "nr_blocks", "1k" },
		{ "nr_blocks", "x" },	{ "nr_blocks", "9223372036854775808" },
		{ "nr_inodes", "10" },	{ "nr_inodes", "1k" },
		{ "nr_inodes", "10%" }, { "mode", "755" },
		{ "mode", "0755" },	{ "mode", "17777" },
		{ "mode", "8" },	{ "mode", "" },
		{ "mode", "+7" },	{ "mode", "-7" },
		{ "mode", "7\n" },	{ "mode", "40000000000" },
		{ "uid", "0" },		{ "uid", "1" },
		{ "uid", "0x1" },	{ "uid", "2" },
		{ "uid", "-1" },	{ "uid", "4294967295" },
		{ "uid", "x" },		{ "gid", "1" },
		{ "gid", "77" },	{ "gid", "" },
		{ "huge", "never" },	{ "huge", "nothing" },
		{ "huge", "" },		{ "inode64", "1" },
		{ "source", "x" },	{ "source", "" },
		{ "nosuch", "x" },	{ "ro", "x" },
		{ "sync", "" },		{ "SIZE", "1" },
		{ "nosize", "1" },	{ "size,mode", "1" },
	};
	static const char *const flags[] = {
		"size",	    "mode",	  "uid",      "inode64", "noinode64", "noswap",
		"ro",	    "rw",	  "sync",     "async",	 "dirsync",   "nodirsync",
		"lazytime", "nolazytime", "mand",     "nomand",	 "silent",    "noexec",
		"nosuid",   "nodev",	  "atime",    "noatime", "remount",   "defaults",
		"posixacl", "source",	  "iversion", "RO",	 "size=4",
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		try_string("tmpfs", pairs[i][0], pairs[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		try_flag("tmpfs", flags[i]);
}

static void try_other(const char *type)
{
	int fd = opened(type), file = (int)MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	static const char *const keys[] = { "source", "size", "mode", "inode64", "ro", "nosuch" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		note("%s", keys[i]);
		show(" binary", config(fd, SET_BINARY, keys[i], "abc", 3));
		show(" path", config(fd, SET_PATH, keys[i], "/", AT_FDCWD));
		show(" descriptor", config(fd, SET_FD, keys[i], NULL, file));
		show_log(fd);
	}
	show("source", set_string(fd, "source", "one"));
	show("another", set_string(fd, "source", "two"));
	show_log(fd);
	close(file);
	close(fd);
}

CASE(fsconfig_kinds)
{
	begin();
	try_other("tmpfs");
}

CASE(fscontext_log)
{
	char text[128], small[4], key[32];
	struct iovec v[2] = { { text, 5 }, { text + 5, 100 } };
	int fd, copy;

	begin();
	fd = opened("tmpfs");
	show("none", read(fd, text, sizeof(text)));
	for (int i = 0; i < 11; i++) {
		snprintf(key, sizeof(key), "unknown%d", i);
		show("set", set_flag(fd, key));
	}
	show("too small", read(fd, small, sizeof(small)));
	show("nothing", read(fd, small, 0));
	show("bad", read(fd, bad_ptr(), 100));
	show_data("one read", text, read(fd, text, sizeof(text)));
	copy = dup(fd);
	show_data("by another descriptor", text, read(copy, text, sizeof(text)));
	show_data("vector", text, readv(fd, v, 2));
	show_log(fd);
	show("good", set_flag(fd, "ro"));
	show("create", create(fd));
	show_log(fd);
	show("too late", set_flag(fd, "unknown"));
	show("it says nothing", read(fd, text, sizeof(text)));
	show("again", set_string(fd, "size", "x"));
	show_log(fd);
	show("mount", mount_of(fd, 0, 0) < 0 ? -1 : 0);
	show("now", set_string(fd, "size", "x"));
	show_log(fd);
}

CASE(fscontext_phases)
{
	int fd, m;

	begin();
	fd = opened("tmpfs");
	show("reconfigure first", reconfigure(fd));
	show("mount first", mount_of(fd, 0, 0));
	show("option", set_string(fd, "size", "1m"));
	show("create", create(fd));
	show("create again", create(fd));
	show("create exclusively", config(fd, CREATE_EXCL, NULL, NULL, 0));
	show("reconfigure", reconfigure(fd));
	show("option", set_string(fd, "size", "2m"));
	show("source", set_string(fd, "source", "x"));
	m = mount_of(fd, 0, 0);
	show_ok("mount", m);
	show("mount again", mount_of(fd, 0, 0));
	show("create", create(fd));
	show("option", set_string(fd, "size", "3m"));
	show("source", set_string(fd, "source", "x"));
	show("put", put(m, "t/a"));
	show_options("before", "t/a");
	show("reconfigure", reconfigure(fd));
	show_options("after", "t/a");
	show("mount again", mount_of(fd, 0, 0));
	show("option", set_flag(fd, "ro"));
	show("reconfigure", reconfigure(fd));
	show_options("read-only", "t/a");
	show("nothing set", reconfigure(fd));
	show_options("as before", "t/a");
	show("bad for a change", set_flag(fd, "dirsync"));
	show("fails", reconfigure(fd));
	show("then", set_flag(fd, "ro"));
	show("then", reconfigure(fd));
	show("then", create(fd));
	show("then", mount_of(fd, 0, 0));
	show_log(fd);
	close(fd);
	fd = opened("tmpfs");
	show("exclusively", config(fd, CREATE_EXCL, NULL, NULL, 0));
	m = mount_of(fd, 1, 0);
	show_ok("mount", m);
	show_hex("descriptor", (unsigned)fcntl(m, F_GETFD));
	show_hex("status", (unsigned)fcntl(m, F_GETFL));
	close(m);
	close(fd);
	fd = opened("tmpfs");
	show("bad option", set_string(fd, "size", "x"));
	show("good option", set_string(fd, "size", "1m"));
	show("create", create(fd));
	show("file", mount_of(fd, 0, 0) < 0 ? -1 : 0);
}

CASE(fsmount_arguments)
{
	static const unsigned int attributes[] = {
		0,
		ATTR_RDONLY,
		ATTR_NOSUID,
		ATTR_NODEV,
		ATTR_NOEXEC,
		ATTR_NOATIME,
		ATTR_STRICTATIME,
		0x30,
		0x40,
		0x70,
		ATTR_NODIRATIME,
		ATTR_NODIRATIME | ATTR_NOATIME,
		ATTR_NOSYMFOLLOW,
		ATTR_IDMAP,
		0x100,
		0x80000000,
		ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC | ATTR_NOSYMFOLLOW |
			ATTR_STRICTATIME,
	};
	int fd, m;

	begin();
	fd = opened("tmpfs");
	show("flags", mount_of(fd, 2, 0));
	show("flags first", mount_of(99, 2, 0));
	show("attributes, then", mount_of(99, 0, 0x100));
	show("access time, then", mount_of(99, 0, 0x30));
	show("descriptor", mount_of(99, 0, 0));
	show("negative", mount_of(-1, 0, 0));
	show("no context", mount_of(0, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		close(fd);
		fd = opened("tmpfs");
		MUST(create(fd));
		m = mount_of(fd, 1, attributes[i]);
		note("attributes %x", attributes[i]);
		show_ok("mount", m);
		if (m < 0)
			continue;
		MUST(put(m, "t/a"));
		show_options("options", "t/a");
		MUST(umount2("t/a", MNT_DETACH));
		close(m);
	}
	show_log(fd);
}

CASE(fscontext_tmpfs)
{
	struct statvfs st;
	int fd, m;

	begin();
	fd = opened("tmpfs");
	show("source", set_string(fd, "source", "the source"));
	show("size", set_string(fd, "size", "1m"));
	show("size again", set_string(fd, "size", "64k"));
	show("inodes", set_string(fd, "nr_inodes", "100"));
	show("mode", set_string(fd, "mode", "0711"));
	show("uid", set_string(fd, "uid", "1"));
	show("gid", set_string(fd, "gid", "1"));
	show("sync", set_flag(fd, "sync"));
	show("dirsync", set_flag(fd, "dirsync"));
	show("lazytime", set_flag(fd, "lazytime"));
	show("mand", set_flag(fd, "mand"));
	show("ro", set_flag(fd, "ro"));
	show("rw", set_flag(fd, "rw"));
	show("create", create(fd));
	show_log(fd);
	m = mount_of(fd, 1, ATTR_NOSUID | ATTR_NODEV);
	show_ok("mount", m);
	close(fd);
	show("a file in it", mknodat(m, "file", S_IFREG | 0600, 0));
	show("and a directory", mkdirat(m, "dir", 0755));
	show("put", put(m, "t/a"));
	show_options("options", "t/a");
	show_stat("root", "t/a");
	show("in it", access("t/a/file", F_OK));
	MUST(statvfs("t/a", &st));
	show_int("blocks", (long long)st.f_blocks);
	show_int("files", (long long)st.f_files);
	show_hex("flags", st.f_flag);
	show("put again", put(m, "t/b"));
	show_options("moved", "t/b");
	close(m);
	show("still in it", access("t/b/file", F_OK));
	show("umount", umount2("t/b", 0));
}

CASE(fsmount_detached)
{
	char path[64];
	struct stat st;
	int fd, m, other, file;

	begin();
	fd = opened("tmpfs");
	show("create", create(fd));
	m = detached(fd);
	show_tree("not seen");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", m);
	show("by its descriptor", chdir(path));
	MUST(mkdir("sub", 0755));
	show("above it", stat("../a", &st));
	MUST(chdir("/tmp"));
	show("file", file = openat(m, "f", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	show("write", write(file, "hello", 5));
	show("read of the tree", read(m, path, 1));
	show("its status", fstat(m, &st));
	show_hex("mode", st.st_mode);
	other = (int)syscall(SYS_open_tree, m, "", 1 | O_CLOEXEC | AT_EMPTY_PATH);
	show_ok("copy", other);
	show("in the copy", faccessat(other, "sub", F_OK, 0));
	close(other);
	close(m);
	show("after close", pwrite(file, "x", 1, 0));
	close(file);
	close(fd);
}

CASE(fsmount_in_detached)
{
	int fd, outer, inner;

	begin();
	fd = opened("tmpfs");
	MUST(create(fd));
	outer = detached(fd);
	close(fd);
	MUST(mkdirat(outer, "sub", 0755));
	fd = opened("tmpfs");
	MUST(create(fd));
	inner = detached(fd);
	close(fd);
	MUST(mkdirat(inner, "deep", 0755));
	show("into the other", syscall(SYS_move_mount, inner, "", outer, "sub", 4));
	show("seen", faccessat(outer, "sub/deep", F_OK, 0));
	show("put", put(outer, "t/a"));
	show_tree("both");
	close(inner);
	close(outer);
	show_tree("closed");
}

CASE(fsmount_other_namespace)
{
	int fd, m;

	begin();
	fd = opened("tmpfs");
	MUST(create(fd));
	m = detached(fd);
	RUN_CHILD("a namespace of its own")
	{
		MUST(unshare(CLONE_NEWNS));
		show("put", put(m, "t/a"));
		show_tree("put");
	}
	show_tree("not here");
	show("put", put(m, "t/a"));
}

/* As util-linux's mount has it since 2.39. */
CASE(fscontext_util_linux)
{
	struct {
		uint64_t set, clear, propagation, fd;
	} attr = { 0, 0, MS_PRIVATE, 0 };
	int fd, m;

	begin();
	fd = context_of("tmpfs", 1);
	show_ok("fsopen", fd);
	show("source", set_string(fd, "source", "swap"));
	show("size", set_string(fd, "size", "16m"));
	show("mode", set_string(fd, "mode", "1777"));
	show("ro", set_flag(fd, "ro"));
	show("create", create(fd));
	m = mount_of(fd, 1, ATTR_NOEXEC);
	show_ok("fsmount", m);
	show("propagation", syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	attr.propagation = 0;
	attr.set = ATTR_NOSUID | ATTR_NODEV;
	show("attributes", syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	show("move_mount", put(m, "t/a"));
	show_options("options", "t/a");
	close(fd);
	close(m);
	fd = pick("t/a", PICK_NO_AUTOMOUNT);
	show_ok("fspick", fd);
	show("rw", set_flag(fd, "rw"));
	show("size", set_string(fd, "size", "8m"));
	show("reconfigure", reconfigure(fd));
	show_options("options", "t/a");
	close(fd);
}

CASE(fspick_rules)
{
	static const unsigned int flags[] = { 0, 1, 2, 4, 8, 15, 16, 0x80000 };
	int fd, pipes[2];

	begin();
	MUST(symlink("a", "t/link"));
	tmpfs("t/a");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = (int)syscall(SYS_fspick, AT_FDCWD, "t/a", flags[i]);
		note("flags %x", flags[i]);
		show_ok("pick", fd);
		if (fd < 0)
			continue;
		show_hex("status", (unsigned)fcntl(fd, F_GETFL));
		show_hex("descriptor", (unsigned)fcntl(fd, F_GETFD));
		close(fd);
	}
	show_ok("link", pick("t/link", 0));
	show("link itself", pick("t/link", PICK_NOFOLLOW));
	show("no root", pick("t/b", 0));
	show("missing", pick("t/x", 0));
	show("empty", pick("", 0));
	show("bad", pick(bad_ptr(), 0));
	show("flags first", pick(bad_ptr(), 16));
	show("null", pick(NULL, PICK_EMPTY));
	fd = (int)MUST(open("t/a", O_PATH | O_CLOEXEC));
	show_ok("descriptor", (long)syscall(SYS_fspick, fd, "", PICK_EMPTY));
	show("descriptor without the flag", syscall(SYS_fspick, fd, "", 0));
	show("bad descriptor", syscall(SYS_fspick, 99, "", PICK_EMPTY));
	MUST(pipe(pipes));
	show("pipe", syscall(SYS_fspick, pipes[0], "", PICK_EMPTY));
	show("namespace", pick("/proc/self/ns/mnt", 0));
}

CASE(fspick_reconfigure)
{
	struct statvfs st;
	int fd, file;

	begin();
	tmpfs("t/a");
	MUST(bind_mount("t/a", "t/b"));
	fd = pick("t/a", 0);
	show_ok("pick", fd);
	show("create", create(fd));
	show("mount", mount_of(fd, 0, 0));
	show("ro", set_flag(fd, "ro"));
	show("size", set_string(fd, "size", "1m"));
	show("mode", set_string(fd, "mode", "700"));
	show("reconfigure", reconfigure(fd));
	show_options("one", "t/a");
	show_options("the other", "t/b");
	MUST(statvfs("t/b", &st));
	show_hex("flags", st.f_flag & ST_RDONLY);
	show("create a file", open("t/b/file", O_CREAT | O_WRONLY, 0600));
	show_stat("root", "t/a");
	show("rw", set_flag(fd, "rw"));
	show("sync", set_flag(fd, "sync"));
	show("lazytime", set_flag(fd, "lazytime"));
	show("reconfigure", reconfigure(fd));
	show_options("one", "t/a");
	show("async", set_flag(fd, "async"));
	show("reconfigure", reconfigure(fd));
	show_options("async", "t/a");
	file = open("t/b/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	MUST(file);
	MUST(ftruncate(file, 65536));
	MUST(pwrite(file, "x", 1, 0));
	MUST(pwrite(file, "x", 1, 32768));
	show("small", set_string(fd, "size", "4k"));
	show("too small", reconfigure(fd));
	show_log(fd);
	close(file);
	show("dead", set_string(fd, "size", "4m"));
	close(fd);
	show_options("as it was", "t/a");
	fd = pick("t/a", 0);
	show("inodes", set_string(fd, "nr_inodes", "1"));
	show("too few", reconfigure(fd));
	show_log(fd);
	close(fd);
	fd = pick("t/a", 0);
	show("no limit", set_string(fd, "size", "0"));
	show("reconfigure", reconfigure(fd));
	show_log(fd);
	show_options("no limit", "t/a");
	show("no limit of inodes", set_string(fd, "nr_inodes", "0"));
	show("reconfigure", reconfigure(fd));
	show("limit", set_string(fd, "size", "1m"));
	show("too late", reconfigure(fd));
	show_log(fd);
	close(fd);
	fd = pick("t/a", 0);
	show("limit of inodes", set_string(fd, "nr_inodes", "1000"));
	show("too late", reconfigure(fd));
	show_log(fd);
	close(fd);
	/* by mount(2) */
	show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT, "size=1m"));
	show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT | MS_SYNCHRONOUS, "mode=0700,ro"));
	show_options("remounted", "t/a");
	show("unknown", mount(NULL, "t/a", NULL, MS_REMOUNT, "nosuch"));
	show("source", mount(NULL, "t/a", NULL, MS_REMOUNT, "source=x"));
	show_options("at last", "t/a");
}

CASE(fscontext_another_user)
{
	become_user(1);
	show("fsopen", context_of("tmpfs", 0));
	show("fspick", pick("/", 0));
	show("fsmount", mount_of(0, 0, 0));
}

CASE(fscontext_privilege)
{
	int fd;

	show("flags come second", context_of("nosuchfs", 4));
	show("fsopen", context_of("tmpfs", 0));
	show("fspick", pick("/", 16));
	show("fspick", pick("/", 0));
	show("fsmount", mount_of(99, 0, 0));
	show("fsmount, flags", mount_of(99, 2, 0));
	show("fsconfig", config(99, SET_FLAG, "ro", NULL, 0));
	begin();
	fd = opened("tmpfs");
	RUN_CHILD("without capabilities")
	{
		give_up_capabilities();
		show("fsopen", context_of("tmpfs", 0));
		show("option", set_string(fd, "size", "1m"));
		show("unknown", set_string(fd, "nosuch", "1m"));
		show_log(fd);
		show("create", create(fd));
		show("mount", mount_of(fd, 0, 0));
	}
	show("create", create(fd));
	RUN_CHILD("without capabilities")
	{
		give_up_capabilities();
		show("mount", mount_of(fd, 0, 0));
		show("option", set_flag(fd, "ro"));
	}
	MUST(put(detached(fd), "t/a"));
	RUN_CHILD("without capabilities")
	{
		give_up_capabilities();
		show("option", set_flag(fd, "ro"));
		show("reconfigure", reconfigure(fd));
	}
	show_options("unchanged", "t/a");
	show("failed", set_flag(fd, "ro"));
	fd = pick("t/a", 0);
	RUN_CHILD("root of a user namespace in it")
	{
		int mine;

		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS));
		show("option", set_flag(fd, "ro"));
		show("reconfigure", reconfigure(fd));
		mine = opened("tmpfs");
		show("own", create(mine));
		show_ok("own mount", mount_of(mine, 0, 0));
		show_ok("pick of others", pick("t/a", 0));
	}
	close(fd);
	fd = opened("tmpfs");
	RUN_CHILD("create by root of a user namespace in it")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS));
		show("create", create(fd));
		show("id", set_string(fd, "uid", "1"));
		show_log(fd);
	}
	show("create", create(fd));
}

static void try_type(const char *type)
{
	int fd = context_of(type, 1), m;

	note("%s", type);
	show_ok(" open", fd);
	if (fd < 0)
		return;
	show(" source", set_string(fd, "source", "somewhere"));
	show(" again", set_string(fd, "source", "else"));
	show(" unknown flag", set_flag(fd, "nosuch"));
	show(" unknown", set_string(fd, "nosuch", "x"));
	show_log(fd);
	show(" create", create(fd));
	show_log(fd);
	m = mount_of(fd, 1, 0);
	show_ok(" mount", m);
	show_log(fd);
	if (m >= 0) {
		show(" put", put(m, "t/a"));
		show(" umount", umount2("t/a", 0));
		close(m);
	}
	close(fd);
	fd = opened(type);
	show(" exclusively", config(fd, CREATE_EXCL, NULL, NULL, 0));
	show_log(fd);
	close(fd);
}

/* Types that who is root only of a user namespace may mount or not. */
CASE(fsopen_types_user_namespace)
{
	static const char *const types[] = { "tmpfs", "devpts", "mqueue", "proc", "sysfs" };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		try_type(types[i]);
}

CASE(fsopen_types_own_namespaces)
{
	static const char *const types[] = { "mqueue", "proc", "sysfs" };

	begin();
	MUST(unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET));
	RUN_CHILD("in them")
	{
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			try_type(types[i]);
	}
}

CASE(fscontext_proc)
{
	static const char *const pairs[][2] = {
		{ "hidepid", "0" },	  { "hidepid", "2" },	 { "hidepid", "3" },
		{ "hidepid", "0x2" },	  { "hidepid", "off" },	 { "hidepid", "invisible" },
		{ "hidepid", "nothing" }, { "hidepid", "" },	 { "gid", "1" },
		{ "gid", "0x1" },	  { "gid", "x" },	 { "gid", "" },
		{ "subset", "pid" },	  { "subset", "" },	 { "subset", "all" },
		{ "subset", "pid,pid" },  { "subset", "pid,x" }, { "nosuch", "x" },
	};
	static const char *const flags[] = { "hidepid", "gid", "subset", "nosuch", "ro" };

	begin();
	MUST(unshare(CLONE_NEWPID));
	RUN_CHILD("in a pid namespace")
	{
		int fd, m;

		for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
			try_string("proc", pairs[i][0], pairs[i][1]);
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			try_flag("proc", flags[i]);
		MUST(mount("proc", "t/a", "proc", 0, "hidepid=1"));
		show_options("options", "t/a");
		show("unknown", mount("proc", "t/b", "proc", 0, "nosuch"));
		fd = pick("t/a", 0);
		show_ok("pick", fd);
		show("hidepid", set_string(fd, "hidepid", "2"));
		show("reconfigure", reconfigure(fd));
		show_options("options", "t/a");
		show("gid", set_string(fd, "gid", "1"));
		show("reconfigure", reconfigure(fd));
		show_options("options", "t/a");
		show("subset", set_string(fd, "subset", "pid"));
		show("reconfigure", reconfigure(fd));
		show_options("options", "t/a");
		show_log(fd);
		close(fd);
		fd = opened("proc");
		show("subset", set_string(fd, "subset", "pid"));
		show("hidepid", set_string(fd, "hidepid", "ptraceable"));
		show("create", create(fd));
		m = mount_of(fd, 1, ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC);
		show_ok("mount", m);
		show("self", faccessat(m, "self/status", F_OK, 0));
		show("not the rest", faccessat(m, "meminfo", F_OK, 0));
		if (m >= 0)
			show("put", put(m, "t/b"));
		show_options("options", "t/b");
	}
}

CASE(fscontext_devpts)
{
	static const char *const pairs[][2] = {
		{ "mode", "620" },     { "mode", "17777" },    { "mode", "x" },
		{ "ptmxmode", "666" }, { "max", "10" },	       { "max", "-1" },
		{ "max", "1048576" },  { "max", "1048577" },   { "max", "0x10" },
		{ "uid", "1" },	       { "uid", "9" },	       { "gid", "1" },
		{ "gid", "9" },	       { "newinstance", "1" }, { "nosuch", "1" },
	};
	static const char *const flags[] = { "newinstance", "mode", "nosuch" };
	int fd, m;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		try_string("devpts", pairs[i][0], pairs[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		try_flag("devpts", flags[i]);
	fd = opened("devpts");
	show("mode", set_string(fd, "mode", "620"));
	show("ptmxmode", set_string(fd, "ptmxmode", "666"));
	show("gid", set_string(fd, "gid", "1"));
	show("max", set_string(fd, "max", "100"));
	show("create", create(fd));
	m = detached(fd);
	show("put", put(m, "t/a"));
	show_options("options", "t/a");
	show_stat("ptmx", "t/a/ptmx");
	show("mode", set_string(fd, "mode", "600"));
	show("reconfigure", reconfigure(fd));
	show_options("options", "t/a");
	show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT, "max=5"));
	show_options("options", "t/a");
	show("unknown", mount(NULL, "t/a", NULL, MS_REMOUNT, "nosuch"));
}

/* As root of the first user namespace, with mounts of its own. */
static void begin_as_root(void)
{
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mkdir("t", 0755));
	MUST(mount("top", "t", "tmpfs", 0, NULL));
	MUST(mkdir("t/a", 0755));
	MUST(mkdir("t/b", 0755));
}

CASE_WITH_ADMIN(fsopen_types_root)
{
	static const char *const types[] = { "tmpfs", "devpts", "mqueue", "proc" };

	begin_as_root();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		try_type(types[i]);
}

CASE_WITH_ADMIN(fscontext_ids)
{
	static const char *const values[] = { "0",	    "5",	  "0x10",	"010",
					      "4294967294", "4294967295", "4294967296", "5 " };
	int fd;

	begin_as_root();
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		try_string("tmpfs", "uid", values[i]);
		try_string("devpts", "gid", values[i]);
		try_string("proc", "gid", values[i]);
	}
	fd = opened("tmpfs");
	show("uid", set_string(fd, "uid", "5"));
	show("gid", set_string(fd, "gid", "0x10"));
	show("mode", set_string(fd, "mode", "17750"));
	show("noswap", set_flag(fd, "noswap"));
	show("inode64", set_flag(fd, "inode64"));
	show("create", create(fd));
	show("put", put(detached(fd), "t/a"));
	show_options("options", "t/a");
	show_stat("root", "t/a");
	show("swap", reconfigure(fd));
	show_log(fd);
	close(fd);
	fd = pick("t/a", 0);
	show("uid", set_string(fd, "uid", "7"));
	show("noswap", set_flag(fd, "noswap"));
	show("reconfigure", reconfigure(fd));
	show_options("options", "t/a");
	close(fd);
	fd = opened("proc");
	show("gid", set_string(fd, "gid", "5"));
	show("hidepid", set_string(fd, "hidepid", "2"));
	show("ro", set_flag(fd, "ro"));
	show("create", create(fd));
	show("put", put(detached(fd), "t/b"));
	show_options("options", "t/b");
}

CASE_WITH_ADMIN(fscontext_fsuid)
{
	int fd;

	begin_as_root();
	MUST(syscall(SYS_setfsuid, 3));
	fd = opened("tmpfs");
	MUST(syscall(SYS_setfsuid, 0));
	show("create", create(fd));
	show("put", put(detached(fd), "t/a"));
	show_stat("root", "t/a");
}

/* One super block for all, which keeps its flags. */
CASE_WITH_ADMIN(fscontext_mqueue)
{
	int fd;

	begin_as_root();
	MUST(unshare(CLONE_NEWIPC));
	fd = opened("mqueue");
	show("ro", set_flag(fd, "ro"));
	show("create", create(fd));
	show("put", put(detached(fd), "t/a"));
	close(fd);
	show("file", mknod("t/a/queue", S_IFREG | 0600, 0) < 0 ? -1 : 0);
	fd = opened("mqueue");
	show("create", create(fd));
	show("put", put(detached(fd), "t/b"));
	close(fd);
	show("another namespace", unshare(CLONE_NEWIPC));
	fd = pick("t/a", 0);
	show_ok("pick", fd);
	show("unknown", set_flag(fd, "nosuch"));
	show_log(fd);
	show("source", set_string(fd, "source", "x"));
	show("ro", set_flag(fd, "ro"));
	show("reconfigure", reconfigure(fd));
	show("read-only", mknod("t/b/queue", S_IFREG | 0600, 0));
}

static int shared_context;

static int mounts_it(void *arg)
{
	int *result = arg;
	int fd = mount_of(shared_context, 1, 0);

	*result = fd < 0 ? errno : 0;
	return 0;
}

/* Who come at once: one of them mounts it. */
CASE(fscontext_at_once)
{
	static char stacks[8][65536];
	int results[8], tids[8], mounted = 0, busy = 0;

	begin();
	for (int round = 0; round < 20; round++) {
		shared_context = opened("tmpfs");
		MUST(create(shared_context));
		for (size_t i = 0; i < ARRAY_SIZE(results); i++)
			tids[i] = (int)MUST(clone(mounts_it, stacks[i] + sizeof(stacks[i]),
						  CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD,
						  &results[i]));
		for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
			MUST(waitpid(tids[i], NULL, 0));
			mounted += results[i] == 0;
			busy += results[i] == EBUSY;
		}
		close(shared_context);
	}
	show_int("mounted", mounted);
	show_int("busy", busy);
}

CASE(fscontext_left_behind)
{
	int fd;

	begin();
	for (int i = 0; i < 50; i++) {
		fd = opened("tmpfs");
		set_string(fd, "source", "x");
		set_string(fd, "size", "1m");
		set_flag(fd, "nosuch");
		if (i % 5 > 0)
			MUST(create(fd));
		if (i % 5 > 1)
			MUST(mount_of(fd, 1, 0));
		if (i % 5 > 2)
			MUST(set_flag(fd, i % 5 == 3 ? "ro" : "dirsync"));
		if (i % 5 > 3)
			reconfigure(fd);
	}
	show_tree("all closed by the end");
}

/* What is hidden in a copy of the mounts is not shown by one more mount of the type. */
CASE(fsmount_revealing)
{
	int fd;

	begin();
	MUST(unshare(CLONE_NEWPID));
	RUN_CHILD("in a pid namespace")
	{
		MUST(mount("proc", "/proc", "proc", 0, NULL));
		MUST(mount("over", "/proc/sys", "tmpfs", 0, NULL));
		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS | CLONE_NEWPID));
		RUN_CHILD("of others")
		{
			fd = opened("proc");
			show("create", create(fd));
			show("mount", mount_of(fd, 1, 0));
			show_log(fd);
			show("again", mount_of(fd, 1, 0));
			show("by mount", mount("proc", "t/a", "proc", 0, NULL));
		}
	}
}

CASE(fspick_others)
{
	begin();
	tmpfs("t/a");
	RUN_CHILD("root of a user namespace in it")
	{
		int fd;

		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS));
		fd = pick("t/a", 0);
		show_ok("pick", fd);
		show("ro", set_flag(fd, "ro"));
		show("unknown", set_flag(fd, "nosuch"));
		show("reconfigure", reconfigure(fd));
		show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT, "nosuch"));
		show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT, "size=1m"));
		show("remount", mount(NULL, "t/a", NULL, MS_REMOUNT | MS_BIND, "size=1m"));
	}
	show_options("unchanged", "t/a");
}
