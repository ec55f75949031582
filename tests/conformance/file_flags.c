/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept with files and sockets and seldom asked for: write hints, inode flags, names of
 * protocols. */
#include "conformance.h"

#include <linux/fs.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/xattr.h>

enum { CREATED_QUERY = 1028, GET_HINT = 1035, SET_HINT, GET_FILE_HINT, SET_FILE_HINT };

static void show_created(const char *label, int fd)
{
	show(label, fcntl(fd, CREATED_QUERY, 0));
	close(fd);
}

CASE(fcntl_created_query)
{
	use_tmpfs();
	int pipe_fds[2];

	show_created("new", open("file", O_RDWR | O_CREAT, 0600));
	show_created("there", open("file", O_RDWR | O_CREAT, 0600));
	show_created("truncated", open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	show_created("exclusive", open("other", O_RDWR | O_CREAT | O_EXCL, 0600));
	show_created("path", open("file", O_PATH));
	show_created("directory", open(".", O_RDONLY));
	show_created("unnamed", open(".", O_TMPFILE | O_RDWR, 0600));
	show_created("memfd", memfd_create("x", 0));
	show_created("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(pipe(pipe_fds));
	show_created("pipe", pipe_fds[0]);
	show_created("none", 999);
	int fd = (int)MUST(open("third", O_RDWR | O_CREAT, 0600));
	show("argument", fcntl(fd, CREATED_QUERY, bad_ptr()));
	show_created("copy", dup(fd));
}

static void show_hint(const char *label, int fd, int command)
{
	uint64_t hint = 99;

	show(label, fcntl(fd, command, &hint));
	show_int("hint", (long long)hint);
}

CASE(fcntl_write_hints)
{
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)), pipe_fds[2];

	show_hint("at first", fd, GET_HINT);
	for (uint64_t hint = 0; hint < 8; hint++) {
		show("set", fcntl(fd, SET_HINT, &hint));
		show_hint("get", fd, GET_HINT);
		show("set of the file", fcntl(fd, SET_FILE_HINT, &hint));
		show_hint("get of the file", fd, GET_FILE_HINT);
	}
	show("bad get", fcntl(fd, GET_HINT, bad_ptr()));
	show("bad set", fcntl(fd, SET_HINT, bad_ptr()));
	show_hint("again", (int)MUST(open("file", O_RDONLY)), GET_HINT);
	show_hint("path", (int)MUST(open("file", O_PATH)), GET_HINT);
	show_hint("directory", (int)MUST(open(".", O_RDONLY)), GET_HINT);
	MUST(pipe(pipe_fds));
	show_hint("pipe", pipe_fds[0], GET_HINT);
	show("pipe, set", fcntl(pipe_fds[1], SET_HINT, &(uint64_t){ 2 }));
	show_hint("pipe", pipe_fds[0], GET_HINT);
	RUN_CHILD("another user")
	{
		become_user(1234);
		show("set", fcntl(fd, SET_HINT, &(uint64_t){ 1 }));
		show("bad set", fcntl(fd, SET_HINT, bad_ptr()));
		show_hint("get", fd, GET_HINT);
	}
}

static void show_flags(const char *label, int fd)
{
	struct fsxattr extended;
	int flags = -1;

	memset(&extended, 0x55, sizeof(extended));
	show(label, ioctl(fd, FS_IOC_GETFLAGS, &flags));
	show_hex("flags", (unsigned)flags);
	show("extended", ioctl(fd, FS_IOC_FSGETXATTR, &extended));
	note("%x %x %x %x %x", extended.fsx_xflags, extended.fsx_extsize, extended.fsx_nextents,
	     extended.fsx_projid, extended.fsx_cowextsize);
}

static void change_flags(int fd)
{
	static const int sets[] = { 0,	    0x10,    0x20,  0x40, 0xc0,	   0x80,
				    0x4000, 0x80000, 0x100, 1,	  0x10000, 0x50 };
	struct fsxattr extended = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		int flags = sets[i];

		show_hex("set", (unsigned)flags);
		show("", ioctl(fd, FS_IOC_SETFLAGS, &flags));
		show_flags("get", fd);
	}
	show("bad get", ioctl(fd, FS_IOC_GETFLAGS, bad_ptr()));
	show("bad set", ioctl(fd, FS_IOC_SETFLAGS, bad_ptr()));
	show("bad extended get", ioctl(fd, FS_IOC_FSGETXATTR, bad_ptr()));
	show("bad extended set", ioctl(fd, FS_IOC_FSSETXATTR, bad_ptr()));
	for (unsigned bit = 1; bit <= 0x80; bit *= 2) {
		extended.fsx_xflags = bit;
		show_hex("extended set", bit);
		show("", ioctl(fd, FS_IOC_FSSETXATTR, &extended));
		show_flags("get", fd);
	}
	extended.fsx_xflags = 0;
	extended.fsx_projid = 7;
	show("project", ioctl(fd, FS_IOC_FSSETXATTR, &extended));
	extended.fsx_projid = 0;
	show("none", ioctl(fd, FS_IOC_FSSETXATTR, &extended));
}

CASE(inode_flags)
{
	use_tmpfs();
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)),
	    dir = (int)MUST(open(".", O_RDONLY));
	int flags = 0xc0, pipe_fds[2];

	show_flags("new file", fd);
	change_flags(fd);
	change_flags(dir);
	MUST(ioctl(dir, FS_IOC_SETFLAGS, &flags));
	show_flags("born in it", open("child", O_RDWR | O_CREAT, 0600));
	show("mkdir", mkdir("sub", 0700));
	show_flags("directory born in it", open("sub", O_RDONLY));
	show_flags("unnamed", open(".", O_TMPFILE | O_RDWR, 0600));
	RUN_CHILD("another user")
	{
		become_user(1234);
		show_flags("get", fd);
		show("set", ioctl(fd, FS_IOC_SETFLAGS, &flags));
		show("bad set", ioctl(fd, FS_IOC_SETFLAGS, bad_ptr()));
	}
	MUST(pipe(pipe_fds));
	MUST(mkfifo("fifo", 0600));
	show_flags("pipe", pipe_fds[0]);
	show_flags("null", open("/dev/null", O_RDWR));
	show_flags("memfd", memfd_create("x", 0));
	show_flags("fifo", open("fifo", O_RDWR));
	show_flags("proc", open("/proc/self/status", O_RDONLY));
	show_flags("path", open("file", O_PATH));
}

/* A file that is not to have its time of access noted. */
CASE(inode_no_atime)
{
	use_tmpfs();
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)), flags = 0x80;
	char c;
	struct stat st;

	MUST(write(fd, "text", 4));
	MUST(futimens(fd, old));
	MUST(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	MUST(pread(fd, &c, 1, 0));
	MUST(fstat(fd, &st));
	show_int("access", st.st_atime);
	flags = 0;
	MUST(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	MUST(pread(fd, &c, 1, 0));
	MUST(fstat(fd, &st));
	show_int("noted", st.st_atime > 1000);
}

CASE(ioctl_block_map)
{
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)), block = 0, pipe_fds[2], left = -1;

	MUST(pipe(pipe_fds));
	MUST(ftruncate(fd, 1000));
	show("file", ioctl(fd, FIBMAP, &block));
	show("bad", ioctl(fd, FIBMAP, bad_ptr()));
	show("directory", ioctl((int)MUST(open(".", O_RDONLY)), FIBMAP, &block));
	show("pipe", ioctl(pipe_fds[0], FIBMAP, &block));
	show("proc", ioctl((int)MUST(open("/proc/self/status", O_RDONLY)), FIBMAP, &block));
	show("left", ioctl(fd, FIONREAD, &left));
	show_int("bytes", left);
}

static void show_attributes(const char *label, int fd)
{
	char text[64];
	ssize_t size;

	note("%s", label);
	size = flistxattr(fd, text, sizeof(text));
	show_data("names", text, size);
	show("names, size", flistxattr(fd, NULL, 0));
	show("names, short", flistxattr(fd, text, 20));
	size = fgetxattr(fd, "system.sockprotoname", text, sizeof(text));
	show_data("protocol", text, size);
	show("protocol, size", fgetxattr(fd, "system.sockprotoname", NULL, 0));
	show("protocol, short", fgetxattr(fd, "system.sockprotoname", text, 3));
	show("user", fgetxattr(fd, "user.x", text, sizeof(text)));
	show("system", fgetxattr(fd, "system.x", text, sizeof(text)));
	show("trusted", fgetxattr(fd, "trusted.x", text, sizeof(text)));
	show("set", fsetxattr(fd, "system.sockprotoname", "x", 1, 0));
	show("set another", fsetxattr(fd, "user.x", "x", 1, 0));
	show("remove", fremovexattr(fd, "system.sockprotoname"));
	close(fd);
}

CASE(socket_attributes)
{
	int pair[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	show_attributes("pair", pair[0]);
	show_attributes("unix stream", socket(AF_UNIX, SOCK_STREAM, 0));
	show_attributes("unix datagram", socket(AF_UNIX, SOCK_DGRAM, 0));
	show_attributes("tcp", socket(AF_INET, SOCK_STREAM, 0));
	show_attributes("udp", socket(AF_INET, SOCK_DGRAM, 0));
	show_attributes("tcp6", socket(AF_INET6, SOCK_STREAM, 0));
	show_attributes("udp6", socket(AF_INET6, SOCK_DGRAM, 0));
	show_attributes("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
}

static void show_mark(const char *label, int fd)
{
	int mark = -1;

	show(label, ioctl(fd, 0x8905 /* SIOCATMARK */, &mark));
	show_int("mark", mark);
	show("bad", ioctl(fd, 0x8905, bad_ptr()));
}

CASE(socket_at_mark)
{
	int pair[2];
	char text[8];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	show_mark("stream", pair[0]);
	MUST(send(pair[1], "text", 4, 0));
	show_mark("with data", pair[0]);
	show("recv", recv(pair[0], text, sizeof(text), 0));
	show_mark("read", pair[0]);
	show_mark("datagram", socket(AF_UNIX, SOCK_DGRAM, 0));
	show_mark("packets", socket(AF_UNIX, SOCK_SEQPACKET, 0));
}

CASE(tty_serial_settings)
{
	int master, slave;
	char settings[128] = { 0 };

	MUST(openpty(&master, &slave, NULL, NULL, NULL));
	show("get", ioctl(slave, TIOCGSERIAL, settings));
	show("bad get", ioctl(slave, TIOCGSERIAL, bad_ptr()));
	show("set", ioctl(slave, TIOCSSERIAL, settings));
	show("bad set", ioctl(slave, TIOCSSERIAL, bad_ptr()));
	show("bad set of master", ioctl(master, TIOCSSERIAL, bad_ptr()));
}

enum { RESTORE_IDS = 77 };

static void make_timer(const char *label, int number)
{
	int id = number;

	show(label, syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	show_int("number", id);
}

HELPER(restores_ids)
{
	show("after exec", prctl(RESTORE_IDS, 2, 0, 0, 0));
	make_timer("timer", 7);
	return argc < 0 || argv == NULL;
}

/* Timers with the numbers they had, for who restores a process. */
CASE(timer_restore_ids)
{
	char *const argv[] = { (char *)"x", (char *)"@restores_ids", NULL };

	for (int what = -1; what <= 4; what++) {
		show_int("command", what);
		show("", prctl(RESTORE_IDS, what, 0, 0, 0));
		show("more arguments", prctl(RESTORE_IDS, what, 0, 0, 1));
		show("state", prctl(RESTORE_IDS, 2, 0, 0, 0));
	}
	make_timer("on", 5);
	make_timer("again", 5);
	make_timer("negative", -1);
	make_timer("lowest", (int)0x80000000);
	make_timer("zero", 0);
	make_timer("highest", 0x7fffffff);
	show("bad", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, bad_ptr()));
	show("bad clock", syscall(SYS_timer_create, 99, NULL, bad_ptr()));
	show("off", prctl(RESTORE_IDS, 0, 0, 0, 0));
	make_timer("next", 77);
	make_timer("and next", 77);
	show("on", prctl(RESTORE_IDS, 1, 0, 0, 0));
	make_timer("four", 4);
	show("delete", syscall(SYS_timer_delete, 5));
	show("off", prctl(RESTORE_IDS, 0, 0, 0, 0));
	make_timer("five", 77);
	make_timer("six", 77);
	show("on", prctl(RESTORE_IDS, 1, 0, 0, 0));
	RUN_CHILD("fork")
	show("state", prctl(RESTORE_IDS, 2, 0, 0, 0));
	RUN_CHILD("exec")
	{
		show("on", prctl(RESTORE_IDS, 1, 0, 0, 0));
		execv(self_exe(), argv);
	}
}
