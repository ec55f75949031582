/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID: names, units and order of fields, the values that are certain, and who may read what.
 */
#include "conformance.h"

#include <ctype.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char text[1 << 20];

static size_t slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t size = 0;
	ssize_t n = 0;

	text[0] = 0;
	if (fd < 0)
		return 0;
	while (size < sizeof(text) - 1 && (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	text[size] = 0;
	return size;
}

static const char *proc_path(pid_t pid, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return path;
}

/* A file's text with every number as N: the shape. */
static void show_shape(const char *path)
{
	char line[512];
	size_t used = 0;

	slurp(path);
	note("%s", strrchr(path, '/') + 1);
	for (const char *p = text; *p; p++) {
		if (*p == '\n') {
			line[used] = 0;
			used = 0;
			/* the kernel's configuration: how many nodes, shadow stacks; the first and
			 * last address */
			if (strncmp(line, "Mems_allowed:", 13) && strncmp(line, "x86_", 4) &&
			    !strstr(line, "[rollup]"))
				note("| %s", line);
			continue;
		}
		if (*p == ' ' && strspn(p, " ") > 1) {
			p += strspn(p, " ") - 1;
			line[used++] = ' ';
			continue;
		}
		if (isdigit((unsigned char)*p) && (p == text || !isalnum((unsigned char)p[-1])) &&
		    used + 1 < sizeof(line)) {
			line[used++] = 'N';
			while (isdigit((unsigned char)p[1]))
				p++;
			continue;
		}
		if (used + 1 < sizeof(line))
			line[used++] = *p;
	}
}

static long long field(const char *name)
{
	char start[64];
	const char *at;

	snprintf(start, sizeof(start), "\n%s:", name);
	at = strstr(text, start);
	return at ? strtoll(at + strlen(start), NULL, 10) : -1;
}

/* The record of the mapping at @at, without the first line. */
static void show_record(const char *label, const void *at)
{
	char start[32];
	char *record, *end;

	slurp("/proc/self/smaps");
	snprintf(start, sizeof(start), "%08lx-", (unsigned long)at);
	record = strstr(text, start);
	note("%s: %s", label, record ? "there" : "missing");
	if (!record)
		return;
	for (record = strchr(record, '\n') + 1; *record && !strchr("0123456789abcdef", *record);
	     record = end + 1) {
		end = strchr(record, '\n');
		*end = 0;
		/* what is accounted for is the kernel's own business */
		if (!strncmp(record, "VmFlags:", 8) && strstr(record, " ac "))
			memmove(strstr(record, " ac "), strstr(record, " ac ") + 3,
				strlen(strstr(record, " ac ") + 3) + 1);
		note("| %s", record);
	}
}

CASE(smaps_records)
{
	const size_t page = 4096;
	char *anonymous =
		mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("x", 0);
	char *shared, *locked, *none, *only;

	MUST(ftruncate(fd, (off_t)(4 * page)));
	shared = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	locked = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	none = mmap(NULL, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	only = mmap(NULL, 4 * page, PROT_READ, MAP_SHARED, fd, 0);
	for (size_t i = 0; i < 5; i++)
		anonymous[i * page] = 1;
	memset(shared, 1, 2 * page);
	MUST(madvise(none, 4 * page, MADV_DONTDUMP));
	show_record("anonymous", anonymous);
	show_record("shared", shared);
	show_record("locked", locked);
	show_record("none", none);
	show_record("read only", only);
	RUN_CHILD("fork")
	{
		show_record("anonymous", anonymous);
		anonymous[0] = 2;
		show_record("written", anonymous);
	}
}

static long long smaps_sum(const char *name)
{
	long long sum = 0;
	char start[64];

	slurp("/proc/self/smaps");
	snprintf(start, sizeof(start), "\n%s:", name);
	for (const char *at = strstr(text, start); at; at = strstr(at + 1, start))
		sum += strtoll(at + strlen(start), NULL, 10);
	return sum;
}

/* The same quantity from several files. */
CASE(proc_memory_agrees)
{
	static const char *const names[] = { "Rss",	      "Private_Clean",	"Private_Dirty",
					     "Referenced",    "Anonymous",	"LazyFree",
					     "AnonHugePages", "Shared_Hugetlb", "Private_Hugetlb",
					     "Swap",	      "Locked",		"Shared_Dirty" };
	long long sum[ARRAY_SIZE(names)], size, total, resident, shared, code, data, pages[6];
	char *memory =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(memory, 1, 1 << 20);
	slurp("/proc/self/smaps");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sum[i] = smaps_sum(names[i]);
	size = smaps_sum("Size");
	slurp("/proc/self/smaps_rollup");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		long long rolled = field(names[i]);

		note("%s: %s", names[i], llabs(rolled - sum[i]) <= 16 ? "agrees" : "differs");
		show_int("present", rolled >= 0);
	}
	slurp("/proc/self/status");
	total = field("VmSize");
	resident = field("VmRSS");
	data = field("VmData");
	code = field("VmExe");
	shared = field("RssFile") + field("RssShmem");
	/* the vsyscall page is listed, not counted */
	show_int("VmSize is the sum", total == size || total + 4 == size);
	show_int("VmRSS about the sum", llabs(resident - sum[0]) < 256);
	show_int("VmRSS is its parts", resident == shared + field("RssAnon"));
	show_int("VmPeak", field("VmPeak") >= total);
	show_int("VmHWM", field("VmHWM") >= resident - 256);
	show_int("VmSwap", field("VmSwap"));
	show_int("VmLck", field("VmLck"));
	show_int("VmPin", field("VmPin"));
	slurp("/proc/self/statm");
	MUST(sscanf(text, "%lld %lld %lld %lld %lld %lld", &pages[0], &pages[1], &pages[2],
		    &pages[3], &pages[4], &pages[5]) == 6
		     ? 0
		     : -1);
	show_int("statm size", pages[0] * 4 == total);
	show_int("statm resident", llabs(pages[1] * 4 - resident) < 256);
	show_int("statm shared", llabs(pages[2] * 4 - shared) < 256);
	show_int("statm code", pages[3] * 4 - code);
	show_int("statm library", pages[4]);
	show_int("statm data", pages[5] * 4 >= data);
	slurp("/proc/self/stat");
	MUST(sscanf(strrchr(text, ')'),
		    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		    "%*u %lld %lld",
		    &pages[0], &pages[1]) == 2
		     ? 0
		     : -1);
	show_int("stat size", pages[0] / 1024 == total);
	show_int("stat resident", llabs(pages[1] * 4 - resident) < 256);
}

CASE(proc_shapes)
{
	static const char *const files[] = {
		"status",	   "statm",	    "stat",	 "io",
		"limits",	   "smaps_rollup",  "schedstat", "oom_score_adj",
		"oom_adj",	   "loginuid",	    "sessionid", "personality",
		"coredump_filter", "timerslack_ns", "setgroups", "uid_map",
		"autogroup"
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		show_shape(proc_path(getpid(), files[i]));
}

/* --- counted ---------------------------------------------------------------------------------- */

static const char *const io_names[] = { "rchar", "wchar", "syscr", "syscw" };

static void read_io(pid_t pid, long long out[4])
{
	slurp(proc_path(pid, "io"));
	memmove(text + 1, text, strlen(text) + 1);
	text[0] = '\n';
	for (int i = 0; i < 4; i++)
		out[i] = field(io_names[i]);
}

/* What a child does between two stops. */
#define COUNTED(label, ...)                       \
	do {                                      \
		pid_t pid_ = (pid_t)MUST(fork()); \
		if (pid_ == 0) {                  \
			raise(SIGSTOP);           \
			__VA_ARGS__;              \
			raise(SIGSTOP);           \
			_exit(0);                 \
		}                                 \
		show_counts(label, pid_);         \
	} while (0)

static void show_counts(const char *label, pid_t pid)
{
	long long before[4], after[4];
	int status;

	MUST(waitpid(pid, &status, WUNTRACED));
	read_io(pid, before);
	kill(pid, SIGCONT);
	MUST(waitpid(pid, &status, WUNTRACED));
	read_io(pid, after);
	note("%s: rchar %lld wchar %lld syscr %lld syscw %lld", label, after[0] - before[0],
	     after[1] - before[1], after[2] - before[2], after[3] - before[3]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

CASE(proc_io_counts)
{
	static char data[8192];
	struct iovec two[] = { { data, 100 }, { data, 200 } };
	int file = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)),
	    null = (int)MUST(open("/dev/null", O_RDWR));
	int zero = (int)MUST(open("/dev/zero", O_RDONLY)), pipe_fds[2], pair[2];
	struct epoll_event event;
	int epoll = (int)MUST(epoll_create1(0));

	MUST(pipe2(pipe_fds, O_NONBLOCK));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	COUNTED("nothing", (void)0);
	COUNTED("write", (void)!write(file, data, 5000));
	COUNTED("pwrite", (void)!pwrite(file, data, 300, 10));
	COUNTED("read", (void)!pread(file, data, 8192, 0));
	COUNTED("read at the end", (void)!read(file, data, 100));
	COUNTED("writev", (void)!writev(file, two, 2));
	COUNTED("readv", (void)!preadv(file, two, 2, 0));
	COUNTED("null", (void)!write(null, data, 77); (void)!read(null, data, 9));
	COUNTED("zero", (void)!read(zero, data, 8192));
	COUNTED("pipe", (void)!write(pipe_fds[1], data, 33); (void)!read(pipe_fds[0], data, 100));
	COUNTED("empty pipe", (void)!read(pipe_fds[0], data, 100));
	COUNTED("bad descriptor", (void)!read(-1, data, 100); (void)!write(999, data, 1));
	COUNTED("bad pointer", (void)!read(zero, bad_ptr(), 100); (void)!write(file, bad_ptr(), 1));
	COUNTED("no bytes", (void)!read(zero, data, 0); (void)!write(file, data, 0));
	COUNTED("not for writing", (void)!write(zero, data, 10));
	COUNTED("socket", (void)!write(pair[0], data, 44); (void)!read(pair[1], data, 100));
	COUNTED("send", (void)!send(pair[0], data, 44, 0); (void)!recv(pair[1], data, 100, 0));
	COUNTED("directory", (void)!syscall(SYS_getdents64, open(".", O_RDONLY), data, 4096));
	COUNTED("link", (void)!readlink("/proc/self/exe", data, 100));
	COUNTED("epoll", (void)!epoll_wait(epoll, &event, 1, 0));
	COUNTED("sendfile", (void)!syscall(SYS_sendfile, null, file, &(off_t){ 0 }, 1000));
	COUNTED("copy_file_range", (void)!syscall(SYS_copy_file_range, file, &(off_t){ 0 }, file,
						  &(off_t){ 8192 }, 500, 0));
	COUNTED("splice",
		(void)!syscall(SYS_splice, file, &(off_t){ 0 }, pipe_fds[1], NULL, 600, 0);
		(void)!syscall(SYS_splice, pipe_fds[0], NULL, null, NULL, 600, 0));
	COUNTED(
		"child", if (fork() == 0) {
			(void)!write(file, data, 1234);
			_exit(0);
		} wait(NULL));
}

/* --- a sleeper seen from outside ----------------------------------------------------------------
 */

static int sleeping_pipe[2];

static void sleep_in_pause(void)
{
	pause();
}

static void sleep_in_read(void)
{
	char c;

	(void)!read(sleeping_pipe[0], &c, 1);
}

static void sleep_in_time(void)
{
	struct timespec long_time = { 1000, 0 };

	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &long_time, NULL);
}

static void sleep_in_poll(void)
{
	syscall(SYS_poll, NULL, 0, -1);
}

static void sleep_in_suspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	syscall(SYS_rt_sigsuspend, &none, 8L);
}

static const struct {
	const char *name;
	void (*sleep)(void);
	int count; /* arguments that are the same each time */
} sleepers[] = {
	{ "pause", sleep_in_pause, 0 },		  { "read", sleep_in_read, 1 },
	{ "clock_nanosleep", sleep_in_time, 2 },  { "poll", sleep_in_poll, 3 },
	{ "rt_sigsuspend", sleep_in_suspend, 0 },
};

CASE(proc_sleepers)
{
	MUST(pipe(sleeping_pipe));
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		pid_t pid = (pid_t)MUST(fork());
		char *save = NULL, *word;

		if (pid == 0) {
			sleepers[i].sleep();
			_exit(0);
		}
		wait_blocked(pid, pid);
		slurp(proc_path(pid, "syscall"));
		note("%s", sleepers[i].name);
		word = strtok_r(text, " \n", &save);
		for (int k = 0; word; k++, word = strtok_r(NULL, " \n", &save)) {
			if (k <= sleepers[i].count)
				note("word %d: %s", k, word);
			else
				note("word %d: %s", k,
				     strncmp(word, "0x", 2) ? word : "hexadecimal");
		}
		slurp(proc_path(pid, "stat"));
		note("state %c", strrchr(text, ')')[2]);
		kill(pid, SIGSTOP);
		for (int k = 0; k < 500; k++) {
			slurp(proc_path(pid, "stat"));
			if (strrchr(text, ')')[2] == 'T')
				break;
			sleep_ms(2);
		}
		note("stopped %c", strrchr(text, ')')[2]);
		kill(pid, SIGKILL);
		show_wait("end", pid);
	}
	slurp("/proc/self/syscall");
	note("own: %.3s", text);
	pid_t spinner = (pid_t)MUST(fork());
	if (spinner == 0) {
		for (;;)
			__asm__ volatile("");
	}
	sleep_ms(20);
	slurp(proc_path(spinner, "syscall"));
	note("running: %s", text);
	kill(spinner, SIGKILL);
	siginfo_t info;
	MUST(waitid(P_PID, (id_t)spinner, &info, WEXITED | WNOWAIT));
	static const char *const files[] = { "syscall",	  "stack",	 "wchan", "io",
					     "smaps",	  "maps",	 "statm", "limits",
					     "cmdline",	  "environ",	 "auxv",  "personality",
					     "schedstat", "smaps_rollup" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = open(proc_path(spinner, files[i]), O_RDONLY);

		show_ok(files[i], fd);
		if (fd >= 0)
			show_ok("read", read(fd, text, 4096) >= 0 ? 0 : -1);
		close(fd);
	}
	show_wait("spinner", spinner);
}

/* --- who may read
 * --------------------------------------------------------------------------------- */

static void try_files(const char *who, pid_t pid)
{
	static const char *const files[] = {
		"auxv",
		"cgroup",
		"cmdline",
		"comm",
		"coredump_filter",
		"cpuset",
		"environ",
		"fdinfo/0",
		"io",
		"limits",
		"loginuid",
		"maps",
		"mem",
		"mountinfo",
		"mounts",
		"mountstats",
		"oom_adj",
		"oom_score",
		"oom_score_adj",
		"personality",
		"schedstat",
		"sessionid",
		"setgroups",
		"smaps",
		"smaps_rollup",
		"stack",
		"stat",
		"statm",
		"status",
		"syscall",
		"timers",
		"timerslack_ns",
		"uid_map",
		"wchan",
		"fd",
		"cwd",
		"exe",
		"root",
		"ns/uts",
		"task",
		"attr/current",
	};
	char target[64];

	note("%s", who);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = open(proc_path(pid, files[i]), O_RDONLY);
		int error = fd < 0 ? errno : 0;
		ssize_t n = fd < 0 ? 0 : read(fd, target, 1);

		/* a security module has its own mind on attr */
		note("%s: open %s, read %s", files[i], errno_name(error),
		     n < 0 ? errno_name(errno)
		     : n   ? "something"
			   : "nothing");
		close(fd);
		fd = open(proc_path(pid, files[i]), O_WRONLY);
		note("for writing: %s", fd < 0 ? errno_name(errno) : "ok");
		close(fd);
	}
	show_ok("readlink exe", readlink(proc_path(pid, "exe"), target, sizeof(target)));
	show_ok("readlink cwd", readlink(proc_path(pid, "cwd"), target, sizeof(target)));
	show_ok("readlink fd", readlink(proc_path(pid, "fd/0"), target, sizeof(target)));
	show_ok("readlink ns", readlink(proc_path(pid, "ns/pid"), target, sizeof(target)));
}

CASE(proc_permissions)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	wait_blocked(pid, pid);
	try_files("root", pid);
	RUN_CHILD("another user")
	{
		become_user(1234);
		try_files("of root's", pid);
		prctl(PR_SET_DUMPABLE, 1);
		try_files("own", getpid());
		prctl(PR_SET_DUMPABLE, 0);
		try_files("own, not dumpable", getpid());
	}
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

CASE(proc_limits_text)
{
	struct rlimit core = { 4096, 8192 }, files = { 100, RLIM_INFINITY },
		      stack = { 1 << 20, RLIM_INFINITY };

	RUN_CHILD("changed")
	{
		setrlimit(RLIMIT_CORE, &core);
		files.rlim_max = 200;
		setrlimit(RLIMIT_NOFILE, &files);
		setrlimit(RLIMIT_STACK, &stack);
		setrlimit(RLIMIT_CPU, &(struct rlimit){ 1000, 2000 });
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 65536, 65536 });
		setrlimit(RLIMIT_NPROC, &(struct rlimit){ 10000, 10000 });
		setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 100, 100 });
		setrlimit(RLIMIT_AS, &(struct rlimit){ 1L << 40, 1L << 40 });
		slurp("/proc/self/limits");
		for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			note("| %s", line);
	}
}

static void show_login(const char *label)
{
	char uid[16] = "", session[16] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

	MUST(read(fd, uid, sizeof(uid) - 1));
	close(fd);
	fd = open("/proc/self/sessionid", O_RDONLY | O_CLOEXEC);
	MUST(read(fd, session, sizeof(session) - 1));
	close(fd);
	note("%s: %s, in a session %d", label, uid, strcmp(session, "4294967295") != 0);
}

static void write_login(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char label[64];

	snprintf(label, sizeof(label), "write %.*s", (int)strcspn(value, "\n"), value);
	show(label, fd == -1 ? -1 : write(fd, value, strlen(value)));
	close(fd);
}

/* What pam_loginuid does for who logs in. */
CASE(proc_loginuid)
{
	static const char *const wrong[] = { "x", "-1", " 1", "1 ", "4294967296", "", "1x" };
	char path[40];
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	char uid[16] = "";

	MUST(read(fd, uid, sizeof(uid) - 1));
	close(fd);
	if (strcmp(uid, "4294967295") != 0)
		skip("whoever runs this has logged in");
	show_login("before");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		write_login("/proc/self/loginuid", wrong[i]);
	snprintf(path, sizeof(path), "/proc/%d/loginuid", getppid());
	write_login(path, "1");
	fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	show("in the middle", pwrite(fd, "1", 1, 1));
	write_login("/proc/self/loginuid", "4294967295");
	show_login("unset");
	write_login("/proc/self/loginuid", "+1000\n");
	show_login("set");
	write_login("/proc/self/loginuid", "1000");
	RUN_CHILD("child")
	{
		become_user(1001);
		show_login("inherited");
		write_login("/proc/self/loginuid", "1001");
	}
}
