/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc as programs read it, and the character devices in /dev.
 */
#include "conformance.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

static ssize_t slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd == -1)
		return -1;
	while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(fd);
	return (ssize_t)used;
}

CASE(proc_self_links)
{
	char text[64], target[300], cwd[256];

	show_int("self", readlink("/proc/self", text, sizeof(text)) > 0 && atoi(text) == getpid());
	show_int("exe", readlink("/proc/self/exe", target, sizeof(target)) ==
					(ssize_t)strlen(self_exe()) &&
				memcmp(target, self_exe(), strlen(self_exe())) == 0);
	memset(target, 0, sizeof(target));
	show_int("cwd", readlink("/proc/self/cwd", target, sizeof(target) - 1) > 0 &&
				getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, target) == 0);
	show_target_of("root", "/proc/self/root");
	show_target_of("fd 0", "/proc/self/fd/0");
	snprintf(text, sizeof(text), "/proc/%d/fd/0", getpid());
	show_target_of("by pid", text);
	show_target_of("mounts", "/proc/mounts");
	show_target_of("missing pid", "/proc/999999/exe");
	memset(target, 0, sizeof(target));
	show_int("thread-self", readlink("/proc/thread-self", target, sizeof(target) - 1) > 0 &&
					strstr(target, "/task/") != NULL);
}

CASE(proc_self_fd)
{
	int ends[2];
	char path[64], target[64] = "";
	int count = 0;

	MUST(pipe(ends));
	int event = (int)MUST(syscall(SYS_eventfd2, 0, 0)),
	    epoll = (int)MUST(syscall(SYS_epoll_create1, 0));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", event);
	show_target_of("eventfd", path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", epoll);
	show_target_of("epoll", path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	MUST(readlink(path, target, sizeof(target) - 1));
	show_int("pipe", strncmp(target, "pipe:[", 6) == 0);
	show_target_of("closed", "/proc/self/fd/77");
	DIR *dir = opendir("/proc/self/fd");
	for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.')
			count++;
	show_int("entries", count);
	struct stat st;
	MUST(lstat("/proc/self/fd/0", &st));
	note("mode %o", st.st_mode);
	MUST(lstat(path, &st));
	note("mode of a read end %o", st.st_mode);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	MUST(lstat(path, &st));
	note("mode of a write end %o", st.st_mode);
}

CASE(proc_fdinfo)
{
	char text[512], path[64];

	write_file("f", "0123456789", 0600);
	int fd = (int)MUST(open("f", O_RDWR | O_APPEND | O_CLOEXEC));
	MUST(lseek(fd, 7, SEEK_SET));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	MUST(slurp(path, text, sizeof(text)));
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		if (strncmp(line, "pos:", 4) == 0 || strncmp(line, "flags:", 6) == 0)
			note("%s", line);
}

/* More than would fit on a page or two. */
CASE(proc_fdinfo_of_epoll)
{
	int epoll = (int)MUST(epoll_create1(EPOLL_CLOEXEC)), count = 0;
	char line[256], path[64];
	FILE *f;

	for (int i = 0; i < 200; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x1000 };

		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, (int)MUST(eventfd(0, EFD_CLOEXEC)), &event));
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned events, dev;
		unsigned long long data, ino;
		long long pos;
		int fd;

		count += sscanf(line, "tfd: %d events: %x data: %llx pos:%lli ino:%llx sdev:%x", &fd, &events,
				&data, &pos, &ino, &dev) == 6 && events == (EPOLLIN | EPOLLERR | EPOLLHUP) &&
			 data == 0x1000;
	}
	if (f)
		fclose(f);
	show_int("watched", count);
}

CASE(proc_status)
{
	static const char *const equal[] = {
		"Name:",   "Umask:",  "State:",	 "Uid:",	"Gid:",	     "Threads:",
		"SigPnd:", "SigBlk:", "SigIgn:", "SigCgt:",	"CapInh:",   "CapPrm:",
		"CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "TracerPid:"
	};
	static const char *const present[] = { "Tgid:",
					       "Pid:",
					       "PPid:",
					       "FDSize:",
					       "Groups:",
					       "NStgid:",
					       "NSpid:",
					       "VmPeak:",
					       "VmSize:",
					       "VmRSS:",
					       "VmData:",
					       "VmStk:",
					       "VmExe:",
					       "SigQ:",
					       "Seccomp:",
					       "ShdPnd:",
					       "Cpus_allowed:",
					       "Mems_allowed:",
					       "voluntary_ctxt_switches:",
					       "nonvoluntary_ctxt_switches:" };
	static char text[8192];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGUSR2, SIG_IGN);
	MUST(prctl(PR_SET_NAME, "odd\nname\\"));
	MUST(slurp("/proc/self/status", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(present); i++) {
		char key[64];
		snprintf(key, sizeof(key), "\n%s\t", present[i]);
		show_int(present[i], strstr(text, key) != NULL);
	}
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		for (size_t i = 0; i < ARRAY_SIZE(equal); i++)
			if (strncmp(line, equal[i], strlen(equal[i])) == 0)
				note("%s", line);
}

static unsigned long stat_flags(pid_t pid)
{
	char text[1024], path[64];
	unsigned long flags = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	MUST(slurp(path, text, sizeof(text)));
	sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %lu", &flags);
	/* Whether it used privilege; whether addresses are random, which is up to who runs the cases. */
	return flags & ~(0x100UL | 0x400000UL);
}

HELPER(stat_flags)
{
	(void)argc;
	(void)argv;
	show_hex("flags of a program", stat_flags(getpid()));
	return 0;
}

CASE(proc_stat_flags)
{
	char *argv[] = { (char *)"x", (char *)"@stat_flags", NULL };
	pid_t pid = (pid_t)MUST(fork());
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	show_hex("zombie", stat_flags(pid));
	show_wait("end", pid);
	RUN_CHILD("exec")
	{
		show_hex("forked", stat_flags(getpid()));
		execv(self_exe(), argv);
	}
}

CASE(proc_fd_size)
{
	static const int fds[] = { 3, 63, 64, 200, 256, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		char text[4096], *at;

		MUST(dup2(0, fds[i]));
		MUST(slurp("/proc/self/status", text, sizeof(text)));
		at = strstr(text, "FDSize:");
		if (at != NULL)
			note("%d: %.*s", fds[i], (int)strcspn(at, "\n"), at);
	}
}

CASE(proc_write_of_read_only)
{
	static const char *const names[] = { "status", "limits", "maps", "cmdline", "wchan", "mountinfo",
					     "../uptime", "../self/mounts", "../meminfo" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		show(names[i], fd == -1 ? -1 : write(fd, "x", 1));
		close(fd);
	}
}

/* Tables cannot be opened for writing by anybody; counters can. */
CASE(proc_net_cannot_be_written)
{
	static const char *const names[] = { "arp", "dev", "dev_mcast", "if_inet6", "igmp", "ipv6_route",
		"netlink", "netstat", "packet", "protocols", "ptype", "raw", "route", "snmp", "snmp6",
		"sockstat", "sockstat6", "tcp", "tcp6", "udp", "udp6", "unix" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/net/%s", names[i]);
		note("%s", names[i]);
		show_ok("  write only", open(path, O_WRONLY | O_CLOEXEC));
		fd = open(path, O_RDWR | O_CLOEXEC);
		show_ok("  both", fd);
		if (fd != -1)
			show("  write", write(fd, "x", 1));
	}
}

CASE(proc_sched_reset)
{
	struct stat st;
	int fd;

	MUST(stat("/proc/self/sched", &st));
	note("mode %o", st.st_mode);
	fd = (int)MUST(open("/proc/self/sched", O_RDWR | O_CLOEXEC));
	show("write", write(fd, "0", 1));
	show("a word", write(fd, "reset\n", 6));
	show("at an offset", pwrite(fd, "0", 1, 100));
	become_user(65534);
	show("a write of who has not the rights now", write(fd, "0", 1));
	show("open of who has not", open("/proc/1/sched", O_WRONLY | O_CLOEXEC));
}

CASE(proc_status_without_shadow_stack)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "x86_", 4) == 0)
			skip("the kernel is one with shadow stacks");
	if (f)
		fclose(f);
}

CASE(proc_mem_of_zombie)
{
	pid_t pid = (pid_t)MUST(fork());
	char path[64];
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	show_ok("mem", open(path, O_RDONLY | O_CLOEXEC));
	show_wait("end", pid);
}

CASE(proc_stat_fields)
{
	char text[1024], path[64];
	int fields = 0;

	MUST(prctl(PR_SET_NAME, "a (b) c"));
	MUST(slurp("/proc/self/stat", text, sizeof(text)));
	show_int("pid first", atoi(text) == getpid());
	char *end = strrchr(text, ')');
	if (end == NULL)
		skip("no name in stat");
	*end = '\0';
	show_str("name", strchr(text, '(') + 1);
	for (char *field = strtok(end + 1, " \n"); field != NULL; field = strtok(NULL, " \n")) {
		fields++;
		if (fields == 1)
			note("state %s", field);
		if (fields == 2)
			show_int("ppid", atoi(field) == getppid());
		if (fields == 3)
			show_int("pgrp", atoi(field) == getpgrp());
		if (fields == 4)
			show_int("session", atoi(field) == getsid(0));
		if (fields == 18)
			note("threads %s", field);
	}
	show_int("fields after the name", fields);
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	MUST(slurp(path, text, sizeof(text)));
	note("zombie state %c", strrchr(text, ')')[2]);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	show("zombie cmdline", slurp(path, text, sizeof(text)));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	show_target_of("zombie exe", path);
}

HELPER(showproc)
{
	char text[512];

	(void)argc;
	(void)argv;
	show_data("cmdline", text, slurp("/proc/self/cmdline", text, sizeof(text)));
	show_data("environ", text, slurp("/proc/self/environ", text, sizeof(text)));
	show_data("comm", text, slurp("/proc/self/comm", text, sizeof(text)));
	return 0;
}

CASE(proc_cmdline_environ)
{
	char *const argv[] = { (char *)(uintptr_t) "first", (char *)(uintptr_t) "@showproc",
			       (char *)(uintptr_t) "", (char *)(uintptr_t) "last arg", NULL };
	char *const env[] = { (char *)(uintptr_t) "A=b", (char *)(uintptr_t) "C=", NULL };

	MUST(symlink(self_exe(), "a-very-long-program-name"));
	RUN_CHILD("exec")
	{
		execve("./a-very-long-program-name", argv, env);
		show("execve", -1);
	}
}

CASE(proc_comm_write)
{
	char text[64];
	int fd = (int)MUST(open("/proc/self/comm", O_RDWR));

	show("write", write(fd, "renamed process here", 20));
	show_data("comm", text, slurp("/proc/self/comm", text, sizeof(text)));
	MUST(prctl(PR_GET_NAME, text));
	show_str("prctl", text);
}

CASE(proc_directory)
{
	int self = 0, one = 0;
	DIR *dir = opendir("/proc");

	for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		self += atoi(entry->d_name) == getpid();
		one += strcmp(entry->d_name, "1") == 0;
	}
	note("self %d one %d", self, one);
	struct stat st;
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d", getpid());
	MUST(stat(path, &st));
	note("mode %o uid %u", st.st_mode, st.st_uid);
	show("create", open("/proc/x", O_RDWR | O_CREAT, 0600));
	show("mkdir", mkdir("/proc/x", 0755));
	show("unlink", unlink("/proc/version"));
	show("open missing pid", open("/proc/999999", O_RDONLY));
}

CASE(proc_global_files)
{
	static const char *const files[] = { "version",
					     "uptime",
					     "loadavg",
					     "meminfo",
					     "cpuinfo",
					     "stat",
					     "filesystems",
					     "mounts",
					     "self/mountinfo",
					     "self/statm",
					     "self/limits",
					     "self/cgroup",
					     "self/io",
					     "self/smaps",
					     "self/oom_score_adj",
					     "sys/kernel/ostype",
					     "sys/kernel/hostname",
					     "sys/kernel/pid_max",
					     "sys/vm/overcommit_memory",
					     "sys/fs/file-max" };
	char path[64], text[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%s", files[i]);
		ssize_t size = slurp(path, text, sizeof(text));
		note("%s: %s", files[i],
		     size > 0	 ? "has text"
		     : size == 0 ? "empty"
				 : errno_name(errno));
	}
	show_data("ostype", text, slurp("/proc/sys/kernel/ostype", text, sizeof(text)));
	show_data("hostname", text, slurp("/proc/sys/kernel/hostname", text, sizeof(text)));
	show_data("oom_score_adj", text, slurp("/proc/self/oom_score_adj", text, sizeof(text)));
}

CASE(proc_mountinfo)
{
	static const char *const points[] = {
		"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/tmp"
	};
	static char text[32768];
	int bad = 0;

	MUST(slurp("/proc/self/mountinfo", text, sizeof(text)));
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char root[256], point[256], type[64];
		int id, parent;
		char *dash = strstr(line, " - ");
		if (dash == NULL ||
		    sscanf(line, "%d %d %*d:%*d %255s %255s", &id, &parent, root, point) != 4 ||
		    sscanf(dash, " - %63s", type) != 1) {
			bad++;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(points); i++)
			if (strcmp(point, points[i]) == 0)
				note("%s%s%s", point, i == 0 ? "" : " type ", i == 0 ? "" : type);
	}
	show_int("bad lines", bad);
}

/* All of an open file, by reads of @step; *@whole: each ended with a line. */
static size_t read_by(int fd, char *text, size_t size, size_t step, bool *whole, size_t *largest)
{
	size_t used = 0;
	ssize_t n;

	*whole = true;
	*largest = 0;
	while (used + step < size && (n = read(fd, text + used, step)) > 0) {
		used += (size_t)n;
		*whole &= text[used - 1] == '\n';
		*largest = (size_t)n > *largest ? (size_t)n : *largest;
	}
	text[used] = '\0';
	return used;
}

/* Lines that begin with an address, not with the name of a field. */
static int count_mappings(const char *text)
{
	int count = 0;

	for (const char *line = text; line != NULL && *line; line = strchr(line, '\n') + 1)
		count += !(*line >= 'A' && *line <= 'Z');
	return count;
}

/* maps and smaps are made as they are read: a page of whole records at most. */
CASE(proc_maps_in_records)
{
	enum { PAGES = 400, SIZE = 1 << 20 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE), largest, used;
	char *area = mmap(NULL, PAGES * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *text = malloc(SIZE), *again = malloc(SIZE), line[100];
	bool whole;

	for (size_t i = 0; i < PAGES; i += 2)
		MUST(mprotect(area + i * page, page, PROT_READ | PROT_WRITE));
	int fd = (int)MUST(open("/proc/self/maps", O_RDONLY));
	used = read_by(fd, text, SIZE, 65536, &whole, &largest);
	note("whole records %d, at most a page %d", whole, largest <= 4096);
	note("many %d", count_mappings(text) > PAGES);
	show("at the end", read(fd, line, 10));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("as large", read_by(fd, again, SIZE, 65536, &whole, &largest) == used);
	show_int("same", strcmp(text, again) == 0);
	MUST(lseek(fd, 0, SEEK_SET));
	read_by(fd, again, SIZE, 7, &whole, &largest);
	show_int("same in small pieces", strcmp(text, again) == 0);
	MUST(lseek(fd, 0, SEEK_SET));
	read_by(fd, again, SIZE, 5000, &whole, &largest);
	note("larger than a page: whole records %d, at most a page %d, same %d", whole, largest <= 4096,
	     strcmp(text, again) == 0);
	for (size_t at = used - 10; at > 1000; at /= 2) {
		ssize_t size = pread(fd, line, sizeof(line), (off_t)at);

		note("from the middle: same %d", size > 0 && memcmp(line, text + at, (size_t)size) == 0);
	}
	show("behind the end", pread(fd, line, sizeof(line), (off_t)used + 10000));
	show("at once after", pread(fd, line, sizeof(line), 0) == (ssize_t)sizeof(line));
	MUST(lseek(fd, 0, SEEK_SET));
	show("to a bad address", read(fd, bad_ptr(), 100));
	show("and then", read(fd, line, 20));
	show_int("from the start", memcmp(line, text, 20) == 0);
	show("nothing", read(fd, line, 0));
	close(fd);
	fd = (int)MUST(open("/proc/self/smaps", O_RDONLY));
	read_by(fd, again, SIZE, 65536, &whole, &largest);
	note("smaps: whole records %d, at most a page %d", whole, largest <= 4096);
	show_int("as many", count_mappings(again) == count_mappings(text));
	close(fd);
}

CASE(proc_reads_in_pieces)
{
	char whole[4096], pieces[4096], path[64];
	size_t used = 0;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/limits", getpid());
	MUST(slurp(path, whole, sizeof(whole)));
	int fd = (int)MUST(open(path, O_RDONLY));
	while ((size = read(fd, pieces + used, 7)) > 0)
		used += (size_t)size;
	pieces[used] = '\0';
	show_int("same", strcmp(whole, pieces) == 0);
	show("seek", lseek(fd, 0, SEEK_SET));
	show("pread", pread(fd, pieces, 5, 6));
	show_int("same", memcmp(whole + 6, pieces, 5) == 0);
	show("write", write(fd, "x", 1));
	show_int("soft files", strstr(whole, "Max open files            1024                 4096  "
					     "               files") != NULL);
}

CASE(dev_nodes)
{
	static const char *const names[] = { "null", "zero", "full", "random", "urandom",
					     "tty",  "pts",  "shm",  "fd",     "stdin" };
	char path[32];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/dev/%s", names[i]);
		if (lstat(path, &st) == -1)
			show(path, -1);
		else
			note("%s: mode %o rdev %u:%u", path, st.st_mode, major(st.st_rdev),
			     minor(st.st_rdev));
	}
	show("open tty without a terminal", open("/dev/tty", O_RDWR));
}

CASE(dev_null_zero_full)
{
	char buffer[64];
	struct {
		const char *name;
		int fd;
	} devices[] = { { "null", (int)MUST(open("/dev/null", O_RDWR)) },
			{ "zero", (int)MUST(open("/dev/zero", O_RDWR)) },
			{ "full", (int)MUST(open("/dev/full", O_RDWR)) } };

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		int sum = 0;
		note("%s", devices[i].name);
		memset(buffer, 1, sizeof(buffer));
		ssize_t size = read(devices[i].fd, buffer, sizeof(buffer));
		show("read", size);
		for (ssize_t j = 0; j < size; j++)
			sum += buffer[j];
		show_int("sum", sum);
		show("write", write(devices[i].fd, buffer, 64));
		show("write zero", write(devices[i].fd, buffer, 0));
		show("read EFAULT", read(devices[i].fd, bad_ptr(), 10));
		show("write EFAULT", write(devices[i].fd, bad_ptr(), 10));
		show("seek", lseek(devices[i].fd, 100, SEEK_SET));
		show("truncate", ftruncate(devices[i].fd, 0));
		show("pread", pread(devices[i].fd, buffer, 5, 1000));
	}
	char *zero = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, devices[1].fd, 0);
	show_ptr("map zero", zero);
	show_int("byte", zero[100]);
	show_ptr("map null", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, devices[0].fd, 0));
}

CASE(dev_random)
{
	unsigned char a[64], b[64];
	int fd = (int)MUST(open("/dev/urandom", O_RDWR));

	show("read", read(fd, a, sizeof(a)));
	show("read", read(fd, b, sizeof(b)));
	show_int("differ", memcmp(a, b, sizeof(a)) != 0);
	show("write", write(fd, a, 10));
	show("getrandom", syscall(SYS_getrandom, a, sizeof(a), 0));
	show_int("differ", memcmp(a, b, sizeof(a)) != 0);
	show("nonblock", syscall(SYS_getrandom, a, 16, 1));
	show("random", syscall(SYS_getrandom, a, 16, 2));
	show("insecure", syscall(SYS_getrandom, a, 16, 4));
	show("random and insecure", syscall(SYS_getrandom, a, 16, 6));
	show("bad flags", syscall(SYS_getrandom, a, 16, 8));
	show("bad pointer", syscall(SYS_getrandom, bad_ptr(), 16, 0));
	show("zero", syscall(SYS_getrandom, bad_ptr(), 0, 0));
	static char big[100000];
	show("big", syscall(SYS_getrandom, big, sizeof(big), 0));
}

static void show_filter(const char *label)
{
	char text[64];

	show_int("size", slurp("/proc/self/coredump_filter", text, sizeof(text)));
	show_str(label, text);
}

static void store_filter(const char *value)
{
	int fd = open("/proc/self/coredump_filter", O_RDWR | O_CLOEXEC);

	show(value, write(fd, value, strlen(value)));
	close(fd);
	show_filter("now");
}

CASE(proc_coredump_filter)
{
	static const char *const values[] = { "0x1f", "0X3\n", "017", "9", "+8", "0xfff", "-1", "", "\n", "0x",
					      "08", "1 ", " 1", "1\n\n", "99999999999", "0x100000000", "4294967295" };

	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
		store_filter(values[i]);
	store_filter("0x5");
	pid_t pid = fork();

	if (!pid) {
		show_filter("child");
		store_filter("0x6");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	show_filter("parent");
}
