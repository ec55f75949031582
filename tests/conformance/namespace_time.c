/* SPDX-License-Identifier: Apache-2.0
 *
 * Time namespaces: offsets, who has them when, and every clock that follows them.
 */
#include "namespace.h"

#include <sys/auxv.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

enum { DAY = 86400 };

static void set_offsets(const char *text)
{
	MUST(write_proc("timens_offsets", text));
}

/* Runs in a child of a new time namespace with the given offsets. */
static pid_t fork_with_offsets(const char *text)
{
	enter_user_namespace();
	MUST(unshare(CLONE_NEWTIME));
	set_offsets(text);
	return (pid_t)MUST(fork());
}

static long long seconds_of(clockid_t clock, bool by_call)
{
	struct timespec ts = { 0, 0 };

	if (by_call)
		MUST(syscall(SYS_clock_gettime, clock, &ts));
	else
		MUST(clock_gettime(clock, &ts));
	return ts.tv_sec;
}

/* The whole days by which a clock differs from what it was before. */
static void show_days(const char *label, long long before, long long after)
{
	note("%s: %lld days", label, (after - before + DAY / 2) / DAY);
}

CASE(timens_offsets_file)
{
	show_file("outside", "/proc/self/timens_offsets");
	show("outside is fixed", write_proc("timens_offsets", "monotonic 1 0"));
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show("not one's own", write_proc("timens_offsets", "monotonic 1 0"));
		MUST(unshare(CLONE_NEWTIME));
		show_file("zero", "/proc/self/timens_offsets");
		show("write", write_proc("timens_offsets", "monotonic 86400 5\nboottime -10 7"));
		show_file("set", "/proc/self/timens_offsets");
		show("by number", write_proc("timens_offsets", "1 11 12"));
		show("by number", write_proc("timens_offsets", "7 13 14\n"));
		show_file("set", "/proc/self/timens_offsets");
		show_int("own namespace unchanged", ns_inode(0, "time") != ns_inode(0, "time_for_children"));
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			show_int("in it", ns_inode(0, "time") == ns_inode(getppid(), "time_for_children"));
			show("too late", write_proc("timens_offsets", "monotonic 1 0"));
			show_file("inside", "/proc/self/timens_offsets");
			_exit(0);
		}
		show_wait("member", pid);
		show("too late", write_proc("timens_offsets", "monotonic 1 0"));
	}
}

CASE(timens_offsets_errors)
{
	static const char *const texts[] = {
		"", "monotonic", "monotonic 1", "monotonic 1 0 0", "realtime 1 0", "0 1 0", "2 1 0",
		"monotonic 1 -1", "monotonic 1 1000000000", "monotonic 1 999999999", "monotonic x 0",
		"monotonic 9223372036 0", "boottime 4611686018 0", "monotonic -1000000000 0",
		"monotonic 1 0\nmonotonic 2 0", "monotonic 1 0\n\n", "\n", "monotonic\t1\t0",
		" monotonic 1 0", "monotonic +1 0", "monotonic 1 +0", "monotonic1 2", "monotonic 1x 2",
		"monotonic 1 2x", "monotonic -x 2", "monotonic 1-2", "7-1 2", "monotonicx 1 2",
		"boottime 99999999999999999999 0", "boottime 1 99999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			char label[80];

			enter_user_namespace();
			MUST(unshare(CLONE_NEWTIME));
			snprintf(label, sizeof(label), "text %zu", i);
			show(label, write_proc("timens_offsets", texts[i]));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

CASE(timens_clocks)
{
	static const struct {
		const char *name;
		clockid_t clock;
	} rows[] = {
		{ "realtime", CLOCK_REALTIME }, { "monotonic", CLOCK_MONOTONIC },
		{ "raw", CLOCK_MONOTONIC_RAW }, { "coarse", CLOCK_MONOTONIC_COARSE },
		{ "boottime", CLOCK_BOOTTIME },	  { "tai", CLOCK_TAI }, { "realtime coarse", CLOCK_REALTIME_COARSE },
	};
	long long before[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		before[i] = seconds_of(rows[i].clock, true);
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0\nboottime 1728000 0");
		if (pid == 0) {
			for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
				note("%s", rows[i].name);
				show_days("library", before[i], seconds_of(rows[i].clock, false));
				show_days("call", before[i], seconds_of(rows[i].clock, true));
			}
			_exit(0);
		}
		show_wait("member", pid);
		show_days("the maker's", before[1], seconds_of(CLOCK_MONOTONIC, false));
	}
}

HELPER(timens_monotonic)
{
	(void)argc;
	show_days("library", atoll(argv[1]), seconds_of(CLOCK_MONOTONIC, false));
	show_days("call", atoll(argv[1]), seconds_of(CLOCK_MONOTONIC, true));
	show_int("same", ns_inode(0, "time") == ns_inode(0, "time_for_children"));
	return 0;
}

static void exec_helper(long long before)
{
	char text[32];
	char *argv[] = { (char *)"conformance", (char *)"@timens_monotonic", text, NULL };

	snprintf(text, sizeof(text), "%lld", before);
	execv(self_exe(), argv);
	_exit(1);
}

CASE(timens_exec_of_member)
{
	long long before = seconds_of(CLOCK_MONOTONIC, true);

	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0");
		if (pid == 0)
			exec_helper(before);
		show_wait("member", pid);
	}
}

CASE(timens_exec_of_maker)
{
	long long before = seconds_of(CLOCK_MONOTONIC, true);

	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWTIME));
		set_offsets("monotonic 864000 0");
		exec_helper(before);
	}
}

CASE(timens_vfork)
{
	long long before = seconds_of(CLOCK_MONOTONIC, true);

	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWTIME));
		set_offsets("monotonic 864000 0");
		pid_t pid = vfork();
		if (pid == 0)
			exec_helper(before);
		show_wait("member", pid);
	}
}

CASE(timens_thread)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWTIME));
		show("thread with a bad stack", syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0));
	}
}

CASE(timens_setns)
{
	long long before = seconds_of(CLOCK_MONOTONIC, true);

	RUN_CHILD("child")
	{
		enter_user_namespace();
		int own = ns_open(0, "time");
		MUST(unshare(CLONE_NEWTIME));
		set_offsets("monotonic 864000 0");
		int other = ns_open(0, "time_for_children");
		show_ok("file", other);
		show("enter", setns(other, CLONE_NEWTIME));
		show_days("library", before, seconds_of(CLOCK_MONOTONIC, false));
		show_days("call", before, seconds_of(CLOCK_MONOTONIC, true));
		show_int("both", ns_inode(0, "time") == ns_inode(0, "time_for_children"));
		show("back to that of outside", setns(own, CLONE_NEWTIME));
		show("too late", write_proc("timens_offsets", "monotonic 1 0"));
	}
}

CASE(timens_absolute_sleeps)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0\nboottime 864000 0");
		if (pid == 0) {
			static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME };
			struct timespec at;

			for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
				long long start = now_ms();
				MUST(clock_gettime(clocks[i], &at));
				at.tv_nsec += 20000000;
				if (at.tv_nsec >= 1000000000) {
					at.tv_sec++;
					at.tv_nsec -= 1000000000;
				}
				show_err("sleep", clock_nanosleep(clocks[i], TIMER_ABSTIME, &at, NULL));
				long long took = now_ms() - start;
				show_int("about right", took >= 15 && took < 5000);
			}
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_timers)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0\nboottime 864000 0");
		if (pid == 0) {
			struct itimerspec value = { { 0, 0 }, { 0, 0 } }, left;
			struct timespec now;
			int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
			timer_t timer;
			struct sigevent event = { .sigev_notify = SIGEV_NONE };

			MUST(clock_gettime(CLOCK_MONOTONIC, &now));
			value.it_value.tv_sec = now.tv_sec + 100;
			MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL));
			MUST(timerfd_gettime(fd, &left));
			show_int("timerfd", left.it_value.tv_sec > 90 && left.it_value.tv_sec <= 100);
			MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
			MUST(timer_settime(timer, TIMER_ABSTIME, &value, NULL));
			MUST(timer_gettime(timer, &left));
			show_int("timer", left.it_value.tv_sec > 90 && left.it_value.tv_sec <= 100);
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_futex)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0");
		if (pid == 0) {
			unsigned int word = 5;
			struct timespec at;

			MUST(clock_gettime(CLOCK_MONOTONIC, &at));
			at.tv_sec -= 1;
			/* FUTEX_WAIT_BITSET, an absolute time on the monotonic clock */
			show("past", syscall(SYS_futex, &word, 9, 5, &at, NULL, -1));
			at.tv_sec += 1;
			at.tv_nsec = at.tv_nsec < 900000000 ? at.tv_nsec + 50000000 : at.tv_nsec;
			show("near", syscall(SYS_futex, &word, 9, 5, &at, NULL, -1));
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_uptime)
{
	struct sysinfo before, after;

	MUST(sysinfo(&before));
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("monotonic 864000 0\nboottime 1728000 0");
		if (pid == 0) {
			char text[64] = "";

			MUST(sysinfo(&after));
			show_days("sysinfo", before.uptime, after.uptime);
			int fd = open("/proc/uptime", O_RDONLY | O_CLOEXEC);
			MUST(read(fd, text, sizeof(text) - 1));
			show_days("/proc/uptime", before.uptime, atoll(text));
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_start_time)
{
	RUN_CHILD("child")
	{
		pid_t pid = fork_with_offsets("boottime 864000 0");
		if (pid == 0) {
			char text[512] = "";
			unsigned long long start = 0;
			int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

			MUST(read(fd, text, sizeof(text) - 1));
			char *at = strrchr(text, ')');
			for (int i = 0; i < 20 && at != NULL; i++)
				at = strchr(at + 1, ' ');
			if (at != NULL)
				start = strtoull(at, NULL, 10);
			show_int("as long as the uptime",
				 start / 100 >= 864000 &&
					 start / 100 <= (unsigned long long)seconds_of(CLOCK_BOOTTIME, true));
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_clock_settime)
{
	RUN_CHILD("child")
	{
		struct timespec ts = { 1, 0 };

		pid_t pid = fork_with_offsets("monotonic 1 0");
		if (pid == 0) {
			show("monotonic", clock_settime(CLOCK_MONOTONIC, &ts));
			show("realtime", clock_settime(CLOCK_REALTIME, &ts));
			_exit(0);
		}
		show_wait("member", pid);
	}
}

CASE(timens_ioctl)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWTIME));
		int fd = ns_open(0, "time_for_children");
		struct stat st;

		MUST(fstat(fd, &st));
		show_int("inode", st.st_ino == ns_inode(0, "time_for_children"));
		show("setns wrong type", setns(fd, CLONE_NEWUTS));
		show("unshare again", unshare(CLONE_NEWTIME));
		show_int("another", st.st_ino != ns_inode(0, "time_for_children"));
	}
}

/* The exchange of the vDSO is the kernel's affair: a seal does not stand in its way. */
CASE(time_namespace_sealed_vdso)
{
	uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
	struct timespec now;

	if (syscall(462, vdso & -4096UL, 4096, 0) < 0 && errno == ENOSYS)
		skip("no mseal here");
	enter_user_namespace();
	MUST(unshare(CLONE_NEWTIME));
	RUN_CHILD("child")
	show("clock", clock_gettime(CLOCK_MONOTONIC, &now));
}
