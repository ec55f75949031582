/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc counts for the whole system: times, load. */
#include "conformance.h"

#include <time.h>

#define NS_PER_MS 1000000LL

/* Of the line of all CPUs: user and nice, or system, or idle, in ticks; -1. */
struct cpu_line {
	long long user, system, idle;
};

static bool read_cpu_line(struct cpu_line *out)
{
	FILE *f = fopen("/proc/stat", "re");
	long long nice;
	int got;

	if (!f)
		return false;
	got = fscanf(f, "cpu %lld %lld %lld %lld", &out->user, &nice, &out->system, &out->idle);
	fclose(f);
	out->user += nice;
	return got == 4;
}

static void burn(long long ms)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec * 1000 + used.tv_nsec / NS_PER_MS < ms);
}

/* The time of a child that nobody waits for is not lost. */
CASE(proc_stat_of_the_gone)
{
	struct cpu_line before = { 0 }, after = { 0 };

	signal(SIGCHLD, SIG_IGN);
	show_int("read", read_cpu_line(&before));
	if (fork() == 0) {
		burn(200);
		_exit(0);
	}
	show("nobody to wait for", waitpid(-1, NULL, 0));
	show_int("read", read_cpu_line(&after));
	show_int("counted", after.user + after.system - before.user - before.system >= 15);
}

static bool read_idle(long long *idle)
{
	FILE *f = fopen("/proc/uptime", "re");
	long long second, hundredth;
	int got;

	if (!f)
		return false;
	got = fscanf(f, "%*d.%*d %lld.%lld", &second, &hundredth);
	fclose(f);
	*idle = second * 100 + hundredth;
	return got == 2;
}

/* Programs take the difference of two readings. */
CASE(proc_times_do_not_fall)
{
	struct cpu_line line = { 0 }, last = { 0 };
	long long idle = 0, last_idle = 0;
	bool fell = false, idle_fell = false, failed = false;

	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 60; i++) {
		if (i % 6 == 0 && fork() == 0) {
			burn(20);
			_exit(0);
		}
		failed |= !read_cpu_line(&line) || !read_idle(&idle);
		fell |= line.user < last.user || line.system < last.system;
		idle_fell |= line.idle < last.idle || idle < last_idle;
		last = line;
		last_idle = idle;
		usleep(2000);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	show_int("failed", failed);
	show_int("busy fell", fell);
	show_int("idle fell", idle_fell);
}

/* The last field of loadavg: the number given last in the reader's namespace, not the mount's. */
static void show_last_pid(const char *label)
{
	char text[128] = "";
	FILE *f = fopen("/proc/loadavg", "re");

	if (f && fgets(text, sizeof(text), f) && strrchr(text, ' '))
		show_int(label, strtol(strrchr(text, ' '), NULL, 10));
	if (f)
		fclose(f);
}

CASE_WITH_ADMIN(proc_loadavg_of_a_namespace)
{
	show("unshare", unshare(CLONE_NEWPID));
	fflush(stdout);
	if (fork() == 0) {
		show_last_pid("first");
		fflush(stdout);
		if (fork() == 0)
			_exit(0);
		wait(NULL);
		show_last_pid("second");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}
