/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/locks: how locks, leases and those who wait for them are listed. The machine's other locks stand
 * there too, so a case looks for its own file's only, and the numbers of lines say nothing.
 */
#include "conformance.h"

#include <sys/file.h>
#include <sys/sysmacros.h>

#define LINES_MAX 32

static pid_t children[4];

static const char *name_of(int pid)
{
	static const char *const names[] = { "first", "second", "third", "fourth" };

	if (pid == getpid())
		return "own";
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		if (children[i] && pid == children[i])
			return names[i];
	return pid == -1 ? "-1" : pid == 0 ? "0" : "unknown";
}

/* The type, the last word before the pid; all before it is shown as it is, blanks included. */
static const char *find_type(const char *line)
{
	static const char *const types[] = { "READ ", "WRITE ", "UNLCK " };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const char *at = strstr(line, types[i]);

		if (at)
			return at;
	}
	return NULL;
}

/*
 * The line without number, pid and inode. False: it is not of the file with the key, nor of who waits
 * for its lock, which *of_us remembers.
 */
static bool take_line(const char *line, const char *key, bool *of_us, char *out, size_t size)
{
	char type[8], pid[16], where[64], range[64];
	const char *kind = strchr(line, ':'), *end = find_type(line);

	if (!kind || !end || sscanf(end, "%7s %15s %63s %63[^\n]", type, pid, where, range) != 4)
		return false;
	kind += 2;
	if (!strstr(kind, "->"))
		*of_us = strcmp(where, key) == 0;
	if (!*of_us)
		return false;
	snprintf(out, size, "%.*s|%s %s %s %s", (int)(end - kind), kind, type, name_of((int)strtol(pid, NULL, 10)),
		 strcmp(where, key) == 0 ? "file" : where, range);
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorted, unless somebody waits: which lock comes first depends on the CPU that made it. */
static void show_locks(const char *what, int fd)
{
	static char lines[LINES_MAX][256];
	char line[256], key[64];
	bool of_us = false, waits = false;
	size_t count = 0;
	struct stat st;
	FILE *f = fopen("/proc/locks", "re");

	MUST(f ? 0 : -1);
	MUST(fstat(fd, &st));
	snprintf(key, sizeof(key), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), (unsigned long)st.st_ino);
	while (fgets(line, sizeof(line), f) && count < LINES_MAX)
		if (take_line(line, key, &of_us, lines[count], sizeof(lines[0]))) {
			waits = waits || strstr(lines[count], "->");
			count++;
		}
	fclose(f);
	if (!waits)
		qsort(lines, count, sizeof(lines[0]), compare);
	note("%s:%s", what, count ? "" : " nothing");
	for (size_t i = 0; i < count; i++)
		note("  %s", lines[i]);
}

/* The lock lines of one descriptor's fdinfo, which are those of no other. */
static void show_fdinfo(const char *what, int pid, int fd)
{
	char name[64], line[256], shown[256];
	struct stat st;
	char key[64];
	FILE *f;

	MUST(fstat(fd, &st));
	snprintf(key, sizeof(key), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), (unsigned long)st.st_ino);
	snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(name, "re");
	MUST(f ? 0 : -1);
	note("%s:", what);
	while (fgets(line, sizeof(line), f)) {
		bool of_us = false;

		if (strncmp(line, "lock:\t", 6) != 0)
			continue;
		if (take_line(line + 6, key, &of_us, shown, sizeof(shown)))
			note("  %ld: %s", strtol(line + 6, NULL, 10), shown);
		else
			note("  something else");
	}
	fclose(f);
}

static int new_file(void)
{
	use_tmpfs();
	return (int)MUST(open("f", O_RDWR | O_CREAT, 0600));
}

static int set_range(int fd, int command, short type, long start, long size)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = size };

	return fcntl(fd, command, &lock);
}

CASE(lock_list_posix)
{
	int fd = new_file();

	show_locks("none", fd);
	MUST(set_range(fd, F_SETLK, F_WRLCK, 0, 10));
	show_locks("a range", fd);
	MUST(set_range(fd, F_SETLK, F_RDLCK, 20, 0));
	show_locks("to the end", fd);
	MUST(set_range(fd, F_SETLK, F_WRLCK, 10, 5));
	show_locks("grown", fd);
	MUST(set_range(fd, F_SETLK, F_UNLCK, 5, 1));
	show_locks("split", fd);
	MUST(set_range(fd, F_SETLK, F_UNLCK, 0, 0));
	show_locks("gone", fd);
}

CASE(lock_list_ofd)
{
	int fd = new_file(), other = (int)MUST(open("f", O_RDWR));

	MUST(set_range(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
	MUST(set_range(other, F_OFD_SETLK, F_RDLCK, 100, 0));
	MUST(set_range(fd, F_SETLK, F_WRLCK, 50, 1));
	show_locks("both kinds", fd);
	close(other);
	show_locks("closed one, and all of POSIX with it", fd);
}

CASE(lock_list_flock)
{
	int fd = new_file(), other = (int)MUST(open("f", O_RDWR));

	MUST(flock(fd, LOCK_SH));
	MUST(flock(other, LOCK_SH));
	show_locks("two shared", fd);
	MUST(flock(other, LOCK_UN));
	MUST(flock(fd, LOCK_EX));
	show_locks("exclusive", fd);
	RUN_CHILD("child")
	{
		children[0] = getppid();
		show_locks("of the parent", fd);
		MUST(flock(fd, LOCK_SH));
		show_locks("changed by the child", fd);
	}
	show_locks("the changer is gone", fd);
}

CASE(lock_list_lease)
{
	int fd = new_file();

	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	show_locks("for writing", fd);
	close(fd);
	fd = (int)MUST(open("f", O_RDONLY));
	MUST(fcntl(fd, F_SETLEASE, F_RDLCK));
	show_locks("for reading", fd);
	int other = (int)MUST(open("f", O_RDONLY));
	MUST(fcntl(other, F_SETLEASE, F_RDLCK));
	show_locks("two for reading", fd);
}

/* A child in a call that blocks. */
static pid_t start_blocked(int slot, void (*wait)(int fd, int arg), int fd, int arg)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		wait(fd, arg);
		_exit(0);
	}
	children[slot] = pid;
	wait_blocked(pid, pid);
	return pid;
}

static void end_children(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		if (children[i]) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
			children[i] = 0;
		}
}

static void wait_posix(int fd, int arg)
{
	set_range(fd, F_SETLKW, arg ? F_WRLCK : F_RDLCK, 0, 10);
}

static void wait_elsewhere(int fd, int arg)
{
	set_range(fd, F_SETLKW, F_WRLCK, arg, 1);
}

static void wait_ofd(int fd, int arg)
{
	(void)fd;
	set_range(open("f", O_RDWR), F_OFD_SETLKW, arg ? F_WRLCK : F_RDLCK, 5, 0);
}

static void wait_flock(int fd, int arg)
{
	(void)fd;
	flock(open("f", O_RDWR), arg ? LOCK_EX : LOCK_SH);
}

static void wait_open(int fd, int arg)
{
	(void)fd;
	open("f", arg);
}

CASE(lock_list_waiters_posix)
{
	int fd = new_file();

	MUST(set_range(fd, F_SETLK, F_WRLCK, 0, 100));
	start_blocked(0, wait_posix, fd, 1);
	show_locks("one waits", fd);
	start_blocked(1, wait_posix, fd, 1);
	show_locks("one behind it", fd);
	start_blocked(2, wait_elsewhere, fd, 50);
	show_locks("one elsewhere", fd);
	start_blocked(3, wait_posix, fd, 0);
	show_locks("a reader", fd);
	end_children();
	show_locks("nobody waits", fd);
}

CASE(lock_list_waiters_readers)
{
	int fd = new_file();

	MUST(set_range(fd, F_SETLK, F_WRLCK, 0, 100));
	start_blocked(0, wait_posix, fd, 0);
	start_blocked(1, wait_posix, fd, 0);
	show_locks("two readers", fd);
	start_blocked(2, wait_posix, fd, 1);
	show_locks("and a writer", fd);
	end_children();
}

CASE(lock_list_waiters_ofd)
{
	int fd = new_file();

	MUST(set_range(fd, F_OFD_SETLK, F_WRLCK, 0, 0));
	start_blocked(0, wait_ofd, fd, 1);
	start_blocked(1, wait_posix, fd, 1);
	show_locks("two wait", fd);
	end_children();
}

CASE(lock_list_waiters_flock)
{
	int fd = new_file();

	MUST(flock(fd, LOCK_EX));
	start_blocked(0, wait_flock, fd, 0);
	start_blocked(1, wait_flock, fd, 0);
	start_blocked(2, wait_flock, fd, 1);
	show_locks("three wait", fd);
	end_children();
	show_locks("nobody waits", fd);
}

CASE(lock_list_waiter_goes_on)
{
	int fd = new_file();

	MUST(flock(fd, LOCK_EX));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		flock(open("f", O_RDWR), LOCK_EX);
		pause();
		_exit(0);
	}
	children[0] = pid;
	wait_blocked(pid, pid);
	show_locks("it waits", fd);
	MUST(flock(fd, LOCK_UN));
	for (int i = 0; i < 1000 && flock(fd, LOCK_SH | LOCK_NB) == 0; i++) {
		flock(fd, LOCK_UN);
		sleep_ms(5);
	}
	show_locks("it has it", fd);
	end_children();
	show_locks("it is gone", fd);
}

/* A reader waits a tick, and again: several of them stand in any order. */
CASE(lock_list_breaker_reads)
{
	int fd = new_file();

	close(fd);
	fd = (int)MUST(open("f", O_RDONLY));
	MUST(signal(SIGIO, SIG_IGN) == SIG_ERR ? -1 : 0);
	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	start_blocked(0, wait_open, fd, O_RDONLY);
	show_locks("it waits", fd);
	end_children();
	show_locks("nobody waits", fd);
	MUST(fcntl(fd, F_SETLEASE, F_RDLCK));
	show_locks("downgraded", fd);
}

CASE(lock_list_breaker_writes)
{
	int fd = new_file();

	MUST(signal(SIGIO, SIG_IGN) == SIG_ERR ? -1 : 0);
	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	start_blocked(0, wait_open, fd, O_RDWR);
	show_locks("it waits", fd);
	start_blocked(1, wait_open, fd, O_RDONLY);
	show_locks("and a reader", fd);
	start_blocked(2, wait_open, fd, O_WRONLY);
	show_locks("and another writer", fd);
	end_children();
	show_locks("nobody waits", fd);
	MUST(fcntl(fd, F_SETLEASE, F_UNLCK));
	show_locks("given up", fd);
}

CASE(lock_list_of_the_dead)
{
	int fd = new_file();

	RUN_CHILD("child that leaves its lock to its parent")
	{
		MUST(flock(fd, LOCK_EX));
	}
	show_locks("afterwards", fd);
	show("it is there", flock((int)MUST(open("f", O_RDWR)), LOCK_SH | LOCK_NB));
}

CASE(lock_list_on_the_scratch_directory)
{
	int fd = (int)MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(set_range(fd, F_SETLK, F_WRLCK, 3, 4));
	MUST(flock(fd, LOCK_SH));
	show_locks("two", fd);
}

CASE(lock_list_of_descriptors)
{
	int fd = new_file(), twin = (int)MUST(dup(fd)), other = (int)MUST(open("f", O_RDWR));

	show_fdinfo("nothing", getpid(), fd);
	MUST(set_range(fd, F_SETLK, F_WRLCK, 50, 10));
	MUST(set_range(fd, F_SETLK, F_RDLCK, 10, 10));
	MUST(set_range(other, F_SETLK, F_WRLCK, 200, 10));
	MUST(set_range(fd, F_OFD_SETLK, F_WRLCK, 300, 10));
	MUST(flock(other, LOCK_EX));
	show_fdinfo("first", getpid(), fd);
	show_fdinfo("its twin", getpid(), twin);
	show_fdinfo("another", getpid(), other);
	/* One range that two descriptions took is the elder's. */
	MUST(set_range(other, F_SETLK, F_WRLCK, 60, 10));
	MUST(set_range(fd, F_SETLK, F_WRLCK, 210, 10));
	show_fdinfo("first, grown by another", getpid(), fd);
	show_fdinfo("another, grown by the first", getpid(), other);
	MUST(set_range(fd, F_SETLK, F_UNLCK, 55, 5));
	show_fdinfo("first, cut", getpid(), fd);
	RUN_CHILD("child")
	{
		children[0] = getppid();
		show_fdinfo("the child has flock and OFD locks only", getpid(), fd);
		show_fdinfo("of the parent", getppid(), fd);
		show_fdinfo("another of the parent", getppid(), other);
	}
	MUST(flock(other, LOCK_UN));
	close(twin);
	show_fdinfo("a descriptor was closed", getpid(), fd);
	MUST(set_range(fd, F_OFD_SETLK, F_UNLCK, 0, 0));
	close(other);
	MUST(fcntl(fd, F_SETLEASE, F_WRLCK));
	show_fdinfo("lease", getpid(), fd);
}
