/* SPDX-License-Identifier: Apache-2.0
 *
 * Scheduling as the guest sees it: policies, priorities, affinity, counts of processors, limits.
 */
#include "conformance.h"

#include <pthread.h>

#include <linux/sched.h>
#include <sys/resource.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

CASE(sched_policies)
{
	for (int policy = -1; policy < 9; policy++) {
		struct sched_param param = { 0 };
		char label[24];

		snprintf(label, sizeof(label), "policy %d", policy);
		show(label, syscall(SYS_sched_setscheduler, 0, policy, &param));
		param.sched_priority = 1;
		show("priority 1", syscall(SYS_sched_setscheduler, 0, policy, &param));
		show("max", syscall(SYS_sched_get_priority_max, policy));
		show("min", syscall(SYS_sched_get_priority_min, policy));
	}
}

CASE(sched_arguments)
{
	struct sched_param param = { 0 };

	show("pid -1", syscall(SYS_sched_setscheduler, -1, 0, &param));
	show("null", syscall(SYS_sched_setscheduler, 0, 0, NULL));
	show("bad pointer", syscall(SYS_sched_setscheduler, 0, 0, bad_ptr()));
	show("nobody", syscall(SYS_sched_setscheduler, 4000000, 0, &param));
	show("getscheduler -1", syscall(SYS_sched_getscheduler, -1));
	show("getscheduler nobody", syscall(SYS_sched_getscheduler, 4000000));
	show("getparam null", syscall(SYS_sched_getparam, 0, NULL));
	show("getparam -1", syscall(SYS_sched_getparam, -1, &param));
	show("setparam", syscall(SYS_sched_setparam, 0, &param));
	param.sched_priority = 5;
	show("setparam 5", syscall(SYS_sched_setparam, 0, &param));
	show("rr interval -1", syscall(SYS_sched_rr_get_interval, -1, &(struct timespec){ 0, 0 }));
	show("rr interval bad", syscall(SYS_sched_rr_get_interval, 0, bad_ptr()));
}

CASE(sched_attr_rules)
{
	struct attr attr;

	memset(&attr, 0, sizeof(attr));
	show("get", syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	note("size %u policy %u priority %u flags %llx", attr.size, attr.policy, attr.priority,
	     (unsigned long long)attr.flags);
	show("get 48", syscall(SYS_sched_getattr, 0, &attr, 48, 0));
	show_int("size", attr.size);
	show("get 47", syscall(SYS_sched_getattr, 0, &attr, 47, 0));
	show("get huge", syscall(SYS_sched_getattr, 0, &attr, 4097, 0));
	show("get flags", syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 1));
	show("get bad", syscall(SYS_sched_getattr, 0, bad_ptr(), sizeof(attr), 0));
	show("get nobody", syscall(SYS_sched_getattr, 4000000, &attr, sizeof(attr), 0));
	memset(&attr, 0, sizeof(attr));
	attr.size = 48;
	attr.policy = SCHED_BATCH;
	attr.nice = 7;
	show("set", syscall(SYS_sched_setattr, 0, &attr, 0));
	show_int("nice", getpriority(PRIO_PROCESS, 0));
	show_int("policy", sched_getscheduler(0));
	attr.nice = 30;
	show("nice is clamped", syscall(SYS_sched_setattr, 0, &attr, 0));
	show_int("nice", getpriority(PRIO_PROCESS, 0));
	attr.size = 10;
	show("small size", syscall(SYS_sched_setattr, 0, &attr, 0));
	attr.size = 0;
	show("size 0", syscall(SYS_sched_setattr, 0, &attr, 0));
	attr.size = 48;
	show("flags", syscall(SYS_sched_setattr, 0, &attr, 1));
	attr.flags = 1ULL << 40;
	show("attr flags", syscall(SYS_sched_setattr, 0, &attr, 0));
	attr.flags = 0;
	attr.policy = SCHED_FIFO;
	attr.priority = 1;
	show("real time", syscall(SYS_sched_setattr, 0, &attr, 0));
}

static void set_deadline(const char *label, uint64_t runtime, uint64_t deadline, uint64_t period)
{
	struct attr attr = { .size = 48, .policy = 6, .runtime = runtime, .deadline = deadline,
			     .period = period };

	show(label, syscall(SYS_sched_setattr, 0, &attr, 0));
}

/* Checked before the privilege that it needs. */
CASE(sched_deadline_arguments)
{
	const uint64_t ms = 1000000;

	set_deadline("nothing", 0, 0, 0);
	set_deadline("no deadline", ms, 0, 10 * ms);
	set_deadline("short runtime", 1023, 10 * ms, 10 * ms);
	set_deadline("deadline after the period", ms, 20 * ms, 10 * ms);
	set_deadline("runtime after the deadline", 20 * ms, 10 * ms, 0);
	set_deadline("short period", 20000, 99999, 0);
	set_deadline("long period", ms, 10 * ms, 5000 * ms);
	set_deadline("negative deadline", ms, 1ULL << 63, 0);
	set_deadline("negative period", ms, 10 * ms, 1ULL << 63);
	set_deadline("right", ms, 10 * ms, 0);
	set_deadline("right with a period", ms, 10 * ms, 20 * ms);
	RUN_CHILD("user")
	{
		become_user(1000);
		set_deadline("wrong", ms, 0, 0);
		set_deadline("right", ms, 10 * ms, 0);
	}
}

static void set_attr(const char *label, uint32_t policy, int32_t nice, uint64_t flags)
{
	struct attr attr = { .size = 56, .policy = policy, .nice = nice, .flags = flags };

	show(label, syscall(SYS_sched_setattr, 0, &attr, 0));
	MUST(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	note("policy %u nice %d flags %llx clamp %u %u", attr.policy, attr.nice,
	     (unsigned long long)attr.flags, attr.util_min, attr.util_max);
}

CASE(sched_attr_flags)
{
	MUST(setpriority(PRIO_PROCESS, 0, 12));
	set_attr("less nice", SCHED_OTHER, 11, 0);
	set_attr("less nice and batch", SCHED_BATCH, 11, 0);
	set_attr("as nice", SCHED_BATCH, 12, 0);
	set_attr("less nice, params kept", SCHED_BATCH, 3, 0x10);
	set_attr("nicer, policy kept", SCHED_OTHER, 13, 8);
	set_attr("for deadline", SCHED_OTHER, 13, 6);
	for (uint64_t flag = 0x20; flag <= 0x100; flag <<= 1)
		set_attr("flag", SCHED_OTHER, 13, flag);
	set_attr("clamp without privilege", SCHED_OTHER, 1, 0x20);
	set_attr("idle", SCHED_IDLE, 13, 0);
	set_attr("out of idle", SCHED_OTHER, 13, 0);
	set_attr("reset on fork", SCHED_IDLE, 13, 1);
	set_attr("no more", SCHED_IDLE, 13, 0);
	set_attr("all kept", SCHED_BATCH, 0, 0x18);
	struct attr attr = { .size = 48, .flags = 0x20 };
	show("short for a clamp", syscall(SYS_sched_setattr, 0, &attr, 0));
	char text[512] = "", *save = NULL;
	int fd = (int)MUST(open("/proc/self/stat", O_RDONLY)), field = 3;
	MUST(read(fd, text, sizeof(text) - 1));
	for (char *at = strtok_r(strrchr(text, ')') + 1, " ", &save); at != NULL;
	     at = strtok_r(NULL, " ", &save), field++)
		if (field == 18 || field == 19 || field == 40 || field == 41)
			note("stat %d: %s", field, at);
}

CASE(sched_idle_and_back)
{
	struct sched_param param = { 0 };

	MUST(setpriority(PRIO_PROCESS, 0, 7));
	show("idle", sched_setscheduler(0, SCHED_IDLE, &param));
	show("to other", sched_setscheduler(0, SCHED_OTHER, &param));
	MUST(setpriority(PRIO_PROCESS, 0, 10));
	show("idle", sched_setscheduler(0, SCHED_IDLE, &param));
	RUN_CHILD("as a user")
	{
		become_user(1000);
		show("idle to other", sched_setscheduler(0, SCHED_OTHER, &param));
		show("batch", sched_setscheduler(0, SCHED_BATCH, &param));
	}
}

CASE(sched_of_others)
{
	pid_t pid = (pid_t)MUST(fork());
	struct sched_param param = { 0 };
	cpu_set_t set;

	if (pid == 0)
		for (;;)
			pause();
	show("root's own child", sched_setscheduler(pid, SCHED_BATCH, &param));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("get", sched_getscheduler(pid));
		show("set", sched_setscheduler(pid, SCHED_OTHER, &param));
		CPU_ZERO(&set);
		CPU_SET(0, &set);
		show("affinity", sched_setaffinity(pid, sizeof(set), &set));
		show("nice", setpriority(PRIO_PROCESS, (id_t)pid, 10));
	}
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

CASE(nice_limits)
{
	RUN_CHILD("user")
	{
		struct rlimit limit;

		MUST(getrlimit(RLIMIT_NICE, &limit));
		note("limit %llu %llu", (unsigned long long)limit.rlim_cur,
		     (unsigned long long)limit.rlim_max);
		become_user(1000);
		show("up", setpriority(PRIO_PROCESS, 0, 5));
		show("down", setpriority(PRIO_PROCESS, 0, 0));
		show("far up", setpriority(PRIO_PROCESS, 0, 100));
		show_int("is", getpriority(PRIO_PROCESS, 0));
		show("which", setpriority((__priority_which_t)3, 0, 0));
		show("nobody", setpriority(PRIO_PROCESS, 4000000, 0));
		show("user", setpriority(PRIO_USER, 1000, 19));
		show("nobody's user", setpriority(PRIO_USER, 54321, 19));
		show("raw get", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	}
}

/* The last number in a file such as "0-3". */
static long last_number(const char *path)
{
	char text[64] = "";
	FILE *f = fopen(path, "re");
	char *at;

	if (!f || !fgets(text, sizeof(text), f))
		MUST(-1);
	fclose(f);
	at = text + strcspn(text, "\n");
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return strtol(at, NULL, 10);
}

/* A kernel for up to 256 CPUs has masks for all of them, another one for those that are possible. */
CASE(sched_affinity_size)
{
	long built_for = last_number("/sys/devices/system/cpu/kernel_max") + 1;
	long possible = last_number("/sys/devices/system/cpu/possible") + 1;
	long bits = built_for <= 256 ? built_for : possible, whole = (bits + 63) / 64 * 8;
	static unsigned char mask[1024];

	for (long size = 8; size <= (long)sizeof(mask); size += 8) {
		memset(mask, 0xee, sizeof(mask));
		long got = syscall(SYS_sched_getaffinity, 0, size, mask);

		if (size * 8 < possible)
			note("%s", got == -1 && errno == EINVAL ? "too small" : "not refused");
		else if (got != (size < whole ? size : whole))
			note("size %ld: %ld", size, got);
		else if (got < size && mask[got] != 0xee)
			note("size %ld: written beyond", size);
	}
}

CASE(affinity_rules)
{
	cpu_set_t set;
	unsigned char small[1];

	show_int("size", syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) > 0);
	show("too small", syscall(SYS_sched_getaffinity, 0, 1, small));
	show("odd size", syscall(SYS_sched_getaffinity, 0, 9, &set));
	show("bad pointer", syscall(SYS_sched_getaffinity, 0, sizeof(set), bad_ptr()));
	show("nobody", syscall(SYS_sched_getaffinity, 4000000, sizeof(set), &set));
	CPU_ZERO(&set);
	show("none", sched_setaffinity(0, sizeof(set), &set));
	CPU_SET(1000, &set);
	show("not there", sched_setaffinity(0, sizeof(set), &set));
	CPU_SET(0, &set);
	show("one of them", sched_setaffinity(0, sizeof(set), &set));
	MUST(sched_getaffinity(0, sizeof(set), &set));
	show_int("count", CPU_COUNT(&set));
	show_int("sysconf still counts all", sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	RUN_CHILD("inherited")
	{
		MUST(sched_getaffinity(0, sizeof(set), &set));
		show_int("count", CPU_COUNT(&set));
		unsigned int cpu = 99;
		MUST(syscall(SYS_getcpu, &cpu, NULL, NULL));
		show_int("cpu", cpu);
	}
	show("size 0", sched_setaffinity(0, 0, &set));
	show("bad", syscall(SYS_sched_setaffinity, 0, sizeof(set), bad_ptr()));
	show("getcpu bad", syscall(SYS_getcpu, bad_ptr(), NULL, NULL));
	show("getcpu bad node", syscall(SYS_getcpu, NULL, bad_ptr(), NULL));
}

static int lines_with(const char *path, const char *start)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	int found = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		found += strncmp(line, start, strlen(start)) == 0;
	if (file != NULL)
		fclose(file);
	return found;
}

/* "0-3,5" counts five. */
static int count_list(const char *path)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC), total = 0;

	if (fd == -1 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	for (char *at = strtok(text, ",\n"); at != NULL; at = strtok(NULL, ",\n")) {
		int first, last;

		if (sscanf(at, "%d-%d", &first, &last) == 2)
			total += last - first + 1;
		else
			total++;
	}
	return total;
}

CASE(processor_counts_agree)
{
	int online = (int)sysconf(_SC_NPROCESSORS_ONLN), stat_lines = lines_with("/proc/stat", "cpu") - 1;

	show_int("/sys online", count_list("/sys/devices/system/cpu/online") == online);
	show_int("/proc/stat", stat_lines == online);
	show_int("/proc/cpuinfo", lines_with("/proc/cpuinfo", "processor") == online);
	show_int("present at least", count_list("/sys/devices/system/cpu/present") >= online);
	show_int("possible at least", count_list("/sys/devices/system/cpu/possible") >= online);
	char text[64] = "";
	FILE *file = fopen("/proc/self/status", "re");
	char line[512];
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Cpus_allowed_list: %63s", text) == 1)
			write_file("list", text, 0644);
	cpu_set_t set;
	MUST(sched_getaffinity(0, sizeof(set), &set));
	show_int("Cpus_allowed_list", count_list("list") == CPU_COUNT(&set));
}

CASE(ioprio_rules)
{
	show("get", syscall(SYS_ioprio_get, 1, 0));
	show("set best effort 3", syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 3));
	show("get", syscall(SYS_ioprio_get, 1, 0));
	show("set idle", syscall(SYS_ioprio_set, 1, 0, 3 << 13));
	show("set real time", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
	show("bad class", syscall(SYS_ioprio_set, 1, 0, 7 << 13));
	show("bad level", syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 9));
	show("none with level", syscall(SYS_ioprio_set, 1, 0, 3));
	show("beyond 16 bits", syscall(SYS_ioprio_set, 1, 0, (1 << 16) | (2 << 13) | 3));
	show("get", syscall(SYS_ioprio_get, 1, 0));
	show("which", syscall(SYS_ioprio_get, 9, 0));
	show("nobody", syscall(SYS_ioprio_get, 1, 4000000));
	show_ok("group", syscall(SYS_ioprio_get, 2, 0));
	show_ok("user", syscall(SYS_ioprio_get, 3, 0));
	show("nobody's user", syscall(SYS_ioprio_get, 3, 54321));
}

CASE(prlimit_rules)
{
	struct rlimit value = { 10, 5 }, old;
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		for (;;)
			pause();
	show("soft above hard", prlimit(0, RLIMIT_NOFILE, &value, NULL));
	show("bad resource", syscall(SYS_prlimit64, 0, 16, NULL, &old));
	show("resource -1", syscall(SYS_prlimit64, 0, -1, NULL, &old));
	show("nobody", prlimit(4000000, RLIMIT_NOFILE, NULL, &old));
	show("bad new", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, bad_ptr(), NULL));
	show("bad old", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, bad_ptr()));
	value = (struct rlimit){ 20, 30 };
	show("of the child", prlimit(pid, RLIMIT_NOFILE, &value, &old));
	note("was %llu %llu", (unsigned long long)old.rlim_cur, (unsigned long long)old.rlim_max);
	value.rlim_max = 40;
	show("hard limit up", prlimit(pid, RLIMIT_NOFILE, &value, NULL));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("get of root's", prlimit(pid, RLIMIT_NOFILE, NULL, &old));
		show("set of root's", prlimit(pid, RLIMIT_NOFILE, &value, NULL));
	}
	value = (struct rlimit){ 2000000000, 2000000000 };
	show("NOFILE above the system's", prlimit(0, RLIMIT_NOFILE, &value, NULL));
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

CASE(yield_and_ids)
{
	show("sched_yield", sched_yield());
	show("getpgid nobody", getpgid(4000000));
	show("getsid nobody", getsid(4000000));
	show("getpgid -1", getpgid(-1));
}

/* --- getcpu ------------------------------------------------------------------------------ */

/* What the processor itself says, from the limit of a segment in which Linux keeps it. */
static unsigned int running_cpu(void)
{
	unsigned long limit;

	__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(0x7bUL) : "cc");
	return (unsigned int)limit & 0xfff;
}

static void spend_time(void)
{
	for (volatile int i = 0; i < 2000; i++)
		;
}

/* How often the call is right, of the times at which the thread did not move meanwhile. */
static void *compare_cpus(void *arg)
{
	int stayed = 0, right = 0;

	for (int i = 0; i < 1000; i++) {
		unsigned int before = running_cpu(), cpu = ~0U;

		if (i % 2)
			spend_time();
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		if (running_cpu() != before)
			continue;
		stayed++;
		right += cpu == before;
	}
	*(int *)arg = stayed ? right * 100 / stayed : 100;
	return NULL;
}

CASE(getcpu_is_where_it_runs)
{
	pthread_t other;
	int own = 0, others = 0;

	compare_cpus(&own);
	note("alone: %s", own > 90 ? "right" : "wrong");
	MUST(pthread_create(&other, NULL, compare_cpus, &others) ? -1 : 0);
	compare_cpus(&own);
	MUST(pthread_join(other, NULL) ? -1 : 0);
	note("two threads: %s and %s", own > 90 ? "right" : "wrong", others > 90 ? "right" : "wrong");
}
