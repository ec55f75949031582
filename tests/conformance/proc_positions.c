/* SPDX-License-Identifier: Apache-2.0
 *
 * Positions in files of /proc: which have an end, which take pread and pwrite, what a write at a position does.
 */
#include "conformance.h"

static char data[8192];

static void positions_of(const char *path, int how)
{
	int fd = open(path, how);

	note("%s", path);
	if (fd < 0) {
		show("open", fd);
		return;
	}
	show("end", lseek(fd, 0, SEEK_END));
	show("data", lseek(fd, 0, SEEK_DATA));
	show("hole", lseek(fd, 0, SEEK_HOLE));
	show("before the beginning", lseek(fd, -1, SEEK_SET));
	show("set", lseek(fd, 3, SEEK_SET));
	show("on", lseek(fd, 2, SEEK_CUR));
	show("far", lseek(fd, 1L << 40, SEEK_SET));
	show_ok("pread", pread(fd, data, 1, 0));
	show("pread, far", pread(fd, data, 1, 1L << 40));
	show("pread, negative", pread(fd, data, 1, -1));
	show("pwrite, bad pointer", pwrite(fd, bad_ptr(), 1, 0));
	show("pwrite, nothing", pwrite(fd, data, 0, 0));
	show("pwrite, negative", pwrite(fd, data, 1, -1));
	show("pwritev", syscall(SYS_pwritev, fd, &(struct { void *base; size_t size; }){ bad_ptr(), 1 },
				1, 0, 0));
	close(fd);
}

CASE(proc_positions_read)
{
	static const char *const files[] = {
		"/proc/self/stat",     "/proc/self/cmdline",   "/proc/self/environ",
		"/proc/self/maps",     "/proc/self/mounts",    "/proc/self/auxv",
		"/proc/self/limits",   "/proc/self/sessionid", "/proc/self/coredump_filter",
		"/proc/self/oom_adj",  "/proc/self/uid_map",   "/proc/self/oom_score_adj",
		"/proc/self/oom_score", "/proc/self/loginuid", "/proc/self/timerslack_ns",
		"/proc/cpuinfo",       "/proc/version",	       "/proc/self/fdinfo/0",
		"/proc/sys/kernel/ostype", "/proc/sys/kernel/hostname", "/proc/self/net/dev",
		"/sys/devices/system/cpu/online",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		positions_of(files[i], O_RDONLY);
}

CASE(proc_positions_write)
{
	static const char *const files[] = {
		"/proc/self/comm",     "/proc/self/coredump_filter", "/proc/self/oom_score_adj",
		"/proc/self/setgroups", "/proc/self/timerslack_ns",  "/proc/self/uid_map",
		"/proc/self/gid_map",  "/proc/self/projid_map",	     "/proc/self/timens_offsets",
		"/proc/self/oom_adj",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		positions_of(files[i], O_RDWR);
}

/* What is told of an id map before its text is looked at. */
CASE(proc_map_write_order)
{
	int fd = (int)MUST(open("/proc/self/uid_map", O_WRONLY));

	show("bad pointer", write(fd, bad_ptr(), 5));
	show("a page", write(fd, data, 4096));
	MUST(lseek(fd, 1, SEEK_SET));
	show("not at the beginning", write(fd, "0 0 1", 5));
	close(fd);
	RUN_CHILD("of one's own")
	{
		become_user(1234);
		if (unshare(CLONE_NEWUSER) == -1)
			skip("no user namespaces");
		fd = (int)MUST(open("/proc/self/uid_map", O_WRONLY));
		MUST(lseek(fd, 1, SEEK_SET));
		show("not at the beginning", write(fd, "0 1234 1", 8));
		show("bad pointer there", write(fd, bad_ptr(), 5));
		MUST(lseek(fd, 0, SEEK_SET));
		show("a page", write(fd, bad_ptr(), 4096));
		show("bad pointer", write(fd, bad_ptr(), 4095));
		show("nothing", write(fd, "", 0));
		show("right", write(fd, "0 1234 1", 8));
		show("twice", write(fd, "0 1234 1", 8));
	}
}

static void show_hostname(int fd)
{
	ssize_t n = pread(fd, data, 200, 0);

	show_data("name", data, n);
}

/* In a UTS namespace of its own, whose name root may write without a capability. */
CASE(proc_hostname_write)
{
	int fd = (int)MUST(open("/proc/sys/kernel/hostname", O_RDWR));

	show("write", write(fd, "first\nmore", 10));
	show_hostname(fd);
	show("on", pwrite(fd, "X", 1, 3));
	show_hostname(fd);
	show("at the end", pwrite(fd, "end", 3, 4));
	show_hostname(fd);
	show("behind it", pwrite(fd, "Y", 1, 60));
	show_hostname(fd);
	show("nothing", pwrite(fd, "", 0, 0));
	show_hostname(fd);
	memset(data, 'a', 200);
	show("long", pwrite(fd, data, 200, 0));
	show_hostname(fd);
	show("bad pointer", pwrite(fd, bad_ptr(), 1, 0));
	show("empty line", pwrite(fd, "\n", 1, 0));
	show_hostname(fd);
	show("back", pwrite(fd, "conformance", 11, 0));
	RUN_CHILD("another user")
	{
		become_user(1234);
		show("open", open("/proc/sys/kernel/hostname", O_RDWR));
		show("written through root's", pwrite(fd, "other", 5, 0));
		show_hostname(fd);
	}
	show("back", pwrite(fd, "conformance", 11, 0));
}

/* Numbers: of the network namespace of one's own. */
CASE(proc_number_write)
{
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDWR);

	if (fd < 0)
		skip("no such parameter");
	show("write", write(fd, "900", 3));
	show("position", lseek(fd, 0, SEEK_CUR));
	show("on", write(fd, "1", 1));
	show_data("number", data, pread(fd, data, 100, 0));
	show("at a position", pwrite(fd, "7", 1, 2));
	show_data("number", data, pread(fd, data, 100, 0));
	show("nothing", pwrite(fd, "", 0, 0));
	show("no number", pwrite(fd, "x", 1, 0));
	show("too large", pwrite(fd, "65536", 5, 0));
	show_data("number", data, pread(fd, data, 100, 0));
	show("space", pwrite(fd, " 1024 \n", 7, 0));
	show_data("number", data, pread(fd, data, 100, 0));
}
