/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX timers of every clock and way of telling, interval timers, timerfd, CPU clocks.
 */
#include "conformance.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>

#ifndef SIGEV_THREAD_ID
#define SIGEV_THREAD_ID 4
#endif

static volatile sig_atomic_t count;
static siginfo_t last;

static void record(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	count++;
}

static void catch_signal(int sig)
{
	struct sigaction action = { .sa_sigaction = record, .sa_flags = SA_SIGINFO };

	MUST(sigaction(sig, &action, NULL));
	count = 0;
}

/* The kernel's own calls: no thread of the library, numbers as ids. */
static long raw_create(int clock, struct sigevent *event, int *id)
{
	return syscall(SYS_timer_create, clock, event, id);
}

static long raw_settime(int id, int flags, long ms, long interval_ms)
{
	struct itimerspec value = { { interval_ms / 1000, interval_ms % 1000 * 1000000 },
				    { ms / 1000, ms % 1000 * 1000000 } };

	return syscall(SYS_timer_settime, id, flags, &value, NULL);
}

CASE(timer_clocks)
{
	int id;

	for (int clock = -3; clock < 14; clock++) {
		struct sigevent event = { .sigev_notify = SIGEV_NONE };
		char label[24];

		if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM)
			continue; /* depend on the machine's clock chip */
		snprintf(label, sizeof(label), "clock %d", clock);
		show_ok(label, raw_create(clock, &event, &id));
	}
}

CASE(timer_notify_values)
{
	int id;

	for (int notify = 0; notify < 8; notify++) {
		for (int sig = -1; sig < 66; sig += 33) {
			struct sigevent event = { .sigev_notify = notify, .sigev_signo = sig };
			char label[32];

			*(int *)(void *)((char *)&event + 16) = get_tid();
			snprintf(label, sizeof(label), "notify %d signal %d", notify, sig);
			show_ok(label, raw_create(CLOCK_MONOTONIC, &event, &id));
		}
	}
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	*(int *)(void *)((char *)&event + 16) = 1;
	show("another process's thread", raw_create(CLOCK_MONOTONIC, &event, &id));
	*(int *)(void *)((char *)&event + 16) = 4000000;
	show("no thread", raw_create(CLOCK_MONOTONIC, &event, &id));
	show("bad event", raw_create(CLOCK_MONOTONIC, bad_ptr(), &id));
	show("bad id", raw_create(CLOCK_MONOTONIC, NULL, bad_ptr()));
}

/* The kernel counts numbers per process: which failures use one up. */
static void show_next_id(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int id = -1;

	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	show_int("  next id", id);
}

CASE(timer_create_bad_id_pointer)
{
	struct sigevent bad_signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99 };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	int no_process = (int)(~4000000U << 3) | 2, id = -1;
	struct itimerspec value;

	show_next_id();
	show("good event", raw_create(CLOCK_MONOTONIC, &none, bad_ptr()));
	show_next_id();
	show("its timer is there", syscall(SYS_timer_gettime, 1, &value));
	show("default event", raw_create(CLOCK_MONOTONIC, NULL, bad_ptr()));
	show_next_id();
	show("no clock", raw_create(99, &none, bad_ptr()));
	show("clock without timers", raw_create(CLOCK_MONOTONIC_COARSE, &none, bad_ptr()));
	show_next_id();
	show("bad event", raw_create(CLOCK_MONOTONIC, bad_ptr(), bad_ptr()));
	show("bad event, no clock", raw_create(99, bad_ptr(), bad_ptr()));
	show_next_id();
	show("bad signal", raw_create(CLOCK_MONOTONIC, &bad_signal, bad_ptr()));
	show_next_id();
	show("bad signal, good pointer", raw_create(CLOCK_MONOTONIC, &bad_signal, &id));
	show_int("id", id);
	show_next_id();
	show("clock of nobody", raw_create(no_process, &none, bad_ptr()));
	show_next_id();
	show("clock of nobody, good pointer", raw_create(no_process, &none, &id));
	show_int("id", id);
	show_next_id();
	show("clock of a descriptor", raw_create((int)(~0U << 3) | 3, &none, bad_ptr()));
	show_next_id();
	RUN_CHILD("no more signals")
	{
		struct rlimit limit = { 0, 0 };

		MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
		show("bad pointer", raw_create(CLOCK_MONOTONIC, &none, bad_ptr()));
		show("good pointer", raw_create(CLOCK_MONOTONIC, &none, &id));
		show("bad signal", raw_create(CLOCK_MONOTONIC, &bad_signal, &id));
		show("clock of nobody", raw_create(no_process, &none, &id));
	}
}

CASE(timer_default_event)
{
	int id = -1;

	catch_signal(SIGALRM);
	show("create", raw_create(CLOCK_MONOTONIC, NULL, &id));
	show("set", raw_settime(id, 0, 1, 0));
	while (count == 0)
		sleep_ms(1);
	note("signo %d code %d id ok %d value ok %d overrun %d", last.si_signo, last.si_code,
	     last.si_timerid == id, last.si_value.sival_int == id, last.si_overrun);
}

CASE(timer_signal_fields)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3 };
	int id = -1;

	catch_signal(SIGRTMIN + 3);
	event.sigev_value.sival_ptr = (void *)0x123456789abcUL;
	MUST(raw_create(CLOCK_REALTIME, &event, &id));
	MUST(raw_settime(id, 0, 1, 0));
	while (count == 0)
		sleep_ms(1);
	note("code %d ptr %p overrun %d errno %d", last.si_code, last.si_value.sival_ptr,
	     last.si_overrun, last.si_errno);
}

CASE(timer_overrun_while_blocked)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	sigset_t set;
	siginfo_t info;
	int id = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	show("before", syscall(SYS_timer_getoverrun, id));
	MUST(raw_settime(id, 0, 10, 10));
	sleep_ms(100);
	show("wait", sigwaitinfo(&set, &info));
	show_int("overrun", info.si_overrun >= 7);
	show_int("same by call", syscall(SYS_timer_getoverrun, id) == info.si_overrun);
	show("bad id", syscall(SYS_timer_getoverrun, 99));
}

CASE(timer_settime_values)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct itimerspec value = { { 0, 0 }, { 0, 0 } }, old;
	int id = -1;

	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	value.it_value.tv_nsec = 1000000000;
	show("nsec", syscall(SYS_timer_settime, id, 0, &value, NULL));
	value.it_value.tv_nsec = -1;
	show("negative nsec", syscall(SYS_timer_settime, id, 0, &value, NULL));
	value.it_value.tv_nsec = 0;
	value.it_value.tv_sec = -1;
	show("negative sec", syscall(SYS_timer_settime, id, 0, &value, NULL));
	value.it_value.tv_sec = 100;
	value.it_interval.tv_nsec = 1000000000;
	show("interval nsec", syscall(SYS_timer_settime, id, 0, &value, NULL));
	value.it_interval.tv_nsec = 5;
	show("good", syscall(SYS_timer_settime, id, 0, &value, &old));
	note("old %ld %ld", (long)old.it_value.tv_sec, (long)old.it_interval.tv_nsec);
	show("odd flags", syscall(SYS_timer_settime, id, 0x70, &value, &old));
	note("old about %d interval %ld", old.it_value.tv_sec >= 99, (long)old.it_interval.tv_nsec);
	show("null value", syscall(SYS_timer_settime, id, 0, NULL, &old));
	show("bad value", syscall(SYS_timer_settime, id, 0, bad_ptr(), &old));
	show("bad old", syscall(SYS_timer_settime, id, 0, &value, bad_ptr()));
	show("bad id", syscall(SYS_timer_settime, 99, 0, &value, NULL));
	show("gettime bad id", syscall(SYS_timer_gettime, 99, &value));
	show("gettime bad pointer", syscall(SYS_timer_gettime, id, bad_ptr()));
	show("delete", syscall(SYS_timer_delete, id));
	show("delete again", syscall(SYS_timer_delete, id));
}

CASE(timer_none_counts)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct itimerspec value;
	int id = -1;

	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	MUST(raw_settime(id, 0, 20, 0));
	sleep_ms(40);
	MUST(syscall(SYS_timer_gettime, id, &value));
	note("over: %ld %ld", (long)value.it_value.tv_sec, (long)value.it_value.tv_nsec);
	MUST(raw_settime(id, 0, 20, 1000));
	sleep_ms(40);
	MUST(syscall(SYS_timer_gettime, id, &value));
	show_int("within the interval", value.it_value.tv_sec == 0 && value.it_value.tv_nsec > 0);
}

CASE(timer_absolute_past)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int id = -1;

	catch_signal(SIGUSR1);
	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	show("a time long past", raw_settime(id, TIMER_ABSTIME, 1, 0));
	while (count == 0)
		sleep_ms(1);
	note("overrun %d", last.si_overrun);
}

CASE(timer_not_inherited)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int id = -1;

	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	RUN_CHILD("child")
	{
		struct itimerspec value;

		show("gettime", syscall(SYS_timer_gettime, id, &value));
		show("delete", syscall(SYS_timer_delete, id));
	}
	show("delete", syscall(SYS_timer_delete, id));
}

CASE(timer_delete_pending)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	sigset_t set;
	int id = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	MUST(raw_settime(id, 0, 1, 0));
	do {
		sleep_ms(1);
		sigpending(&set);
	} while (!sigismember(&set, SIGUSR1));
	show("disarm", raw_settime(id, 0, 0, 0));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	show("no signal of a disarmed timer", sigtimedwait(&set, NULL, &(struct timespec){ 0, 0 }));
	show("delete", syscall(SYS_timer_delete, id));
}

static int timer_thread(void *arg)
{
	volatile int *tid_seen = arg;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	int id = -1;

	*(int *)(void *)((char *)&event + 16) = (int)syscall(SYS_gettid);
	syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
	struct itimerspec value = { { 0, 0 }, { 0, 1000000 } };
	syscall(SYS_timer_settime, id, 0, &value, NULL);
	while (*tid_seen == 0)
		syscall(SYS_sched_yield);
	syscall(SYS_exit, 0);
	return 0;
}

static volatile int seen_tid;
static void record_tid(int sig)
{
	(void)sig;
	seen_tid = (int)syscall(SYS_gettid);
}

CASE(timer_thread_id)
{
	static char stack[65536] __attribute__((aligned(16)));

	signal(SIGUSR1, record_tid);
	int tid = (int)MUST(clone(timer_thread, stack + sizeof(stack),
				  CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES,
				  (void *)&seen_tid));
	while (seen_tid == 0)
		sleep_ms(1);
	show_int("that thread got it", seen_tid == tid);
	syscall(SYS_exit_group, 0);
}

/* /proc/PID/timers with the number behind "pid." or "tid." as what it is. */
static void show_timer_list(const char *label, pid_t pid)
{
	char path[40], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/timers", pid);
	file = fopen(path, "re");
	if (file == NULL) {
		show(label, -1);
		return;
	}
	note("%s:", label);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *dot = strncmp(line, "notify:", 7) == 0 ? strchr(line, '.') : NULL;

		line[strcspn(line, "\n")] = '\0';
		if (dot == NULL) {
			note("%s", line);
			continue;
		}
		*dot = '\0';
		note("%s, %s", line, atoi(dot + 1) == pid ? "the process" : "another");
	}
	fclose(file);
}

CASE(timer_list)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN,
				  .sigev_value.sival_ptr = (void *)0x123456789abc };
	int id;

	show_timer_list("none", getpid());
	MUST(raw_create(CLOCK_MONOTONIC, &event, &id));
	MUST(raw_create(CLOCK_REALTIME, NULL, &id));
	event.sigev_notify = SIGEV_NONE;
	MUST(raw_create(CLOCK_BOOTTIME, &event, &id));
	event.sigev_notify = SIGEV_THREAD;
	MUST(raw_create(CLOCK_PROCESS_CPUTIME_ID, &event, &id));
	event.sigev_notify = SIGEV_SIGNAL | SIGEV_THREAD_ID;
	event._sigev_un._tid = get_tid();
	MUST(raw_create(CLOCK_THREAD_CPUTIME_ID, &event, &id));
	MUST(raw_create(~1 * 8, NULL, &id));
	MUST(raw_settime(0, 0, 100000, 0));
	show_timer_list("five clocks and that of init", getpid());
	MUST(syscall(SYS_timer_delete, 2));
	MUST(syscall(SYS_timer_delete, 0));
	show_timer_list("two less", getpid());
	RUN_CHILD("child")
	{
		show_timer_list("own", getpid());
		show_timer_list("parent", getppid());
	}
}

static void burn_ms(long ms)
{
	struct timespec start, now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

CASE(timer_cpu_clocks)
{
	static const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
		int id = -1;

		catch_signal(SIGUSR1);
		MUST(raw_create((int)clocks[i], &event, &id));
		MUST(raw_settime(id, 0, 30, 0));
		sleep_ms(100);
		show_int("sleep does not count", count);
		burn_ms(100);
		show_int("work does", count);
		note("code %d", last.si_code);
		MUST(syscall(SYS_timer_delete, id));
	}
}

CASE(timer_other_process_clock)
{
	pid_t pid = (pid_t)MUST(fork());
	clockid_t clock;
	int id = -1;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	if (pid == 0)
		for (;;)
			__asm__ volatile("");
	catch_signal(SIGUSR1);
	show_err("clock of the child", clock_getcpuclockid(pid, &clock));
	show("timer on it", raw_create((int)clock, &event, &id));
	if (id >= 0) {
		show("set", raw_settime(id, 0, 20, 0));
		for (int i = 0; i < 10000 && count == 0; i++)
			sleep_ms(1);
		show_int("fired", count);
	}
	kill(pid, SIGKILL);
	show_wait("child", pid);
	show_err("clock of nobody", clock_getcpuclockid(pid, &clock));
}

CASE(itimer_values)
{
	struct itimerval value = { { 0, 0 }, { 0, 1000000 } }, old;

	show("usec", setitimer(ITIMER_REAL, &value, NULL));
	value.it_value.tv_usec = -1;
	show("negative", setitimer(ITIMER_REAL, &value, NULL));
	show("which", setitimer((__itimer_which_t)3, &value, NULL));
	show("get which", getitimer((__itimer_which_t)3, &value));
	show("bad pointer", (int)syscall(SYS_getitimer, ITIMER_REAL, bad_ptr()));
	show("null disarms", (int)syscall(SYS_setitimer, ITIMER_REAL, NULL, &old));
	value = (struct itimerval){ { 7, 5 }, { 50, 6 } };
	show("set", setitimer(ITIMER_PROF, &value, NULL));
	MUST(getitimer(ITIMER_PROF, &old));
	note("interval %ld.%06ld about %d", (long)old.it_interval.tv_sec, (long)old.it_interval.tv_usec,
	     old.it_value.tv_sec >= 49 && old.it_value.tv_sec <= 51);
	RUN_CHILD("child")
	{
		MUST(getitimer(ITIMER_PROF, &old));
		note("not inherited: %ld", (long)old.it_value.tv_sec);
	}
}

CASE(itimer_kept_by_exec)
{
	char *argv[] = { (char *)"conformance", (char *)"@itimer_left", NULL };

	RUN_CHILD("child")
	{
		alarm(100);
		execv(self_exe(), argv);
	}
}

HELPER(itimer_left)
{
	(void)argc;
	(void)argv;
	unsigned int left = alarm(0);
	note("kept: %d", left > 90 && left <= 100);
	return 0;
}

CASE(timerfd_rules)
{
	struct itimerspec value = { { 0, 0 }, { 0, 1000000 } };
	uint64_t ticks = 0;

	show("bad clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	show("raw", timerfd_create(CLOCK_MONOTONIC_RAW, 0));
	show("bad flags", timerfd_create(CLOCK_MONOTONIC, 1));
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	show("read unarmed", read(fd, &ticks, 8));
	show("read small", read(fd, &ticks, 7));
	show("write", write(fd, &ticks, 8));
	show("seek", lseek(fd, 0, SEEK_SET));
	show("bad flags", timerfd_settime(fd, 4, &value, NULL));
	show("cancel on monotonic", timerfd_settime(fd, 3, &value, NULL));
	show("set", timerfd_settime(fd, 0, &value, NULL));
	struct pollfd wait_for = { fd, POLLIN, 0 };
	show("poll", poll(&wait_for, 1, 5000));
	show("read", read(fd, &ticks, 8));
	show_int("ticks", (long long)ticks);
	show("again", read(fd, &ticks, 8));
	show("not a timerfd", timerfd_settime(0, 0, &value, NULL));
	show("gettime of another", timerfd_gettime(0, &value));
	value.it_value.tv_nsec = 1000000000;
	show("nsec", timerfd_settime(fd, 0, &value, NULL));
	show("bad pointer", (int)syscall(SYS_timerfd_settime, fd, 0, bad_ptr(), NULL));
}

CASE(clock_cpu_ids)
{
	struct timespec ts;
	static const int kinds[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char label[24];

		snprintf(label, sizeof(label), "kind %d", kinds[i]);
		show(label, syscall(SYS_clock_gettime, (~0 * 8) | kinds[i], &ts));
		snprintf(label, sizeof(label), "res %d", kinds[i]);
		show(label, syscall(SYS_clock_getres, (~0 * 8) | kinds[i], &ts));
		note("resolution %ld", ts.tv_nsec);
	}
	show("process 1", syscall(SYS_clock_gettime, (~1 * 8) | 2, &ts));
	show("thread of process 1", syscall(SYS_clock_gettime, (~1 * 8) | 6, &ts));
	show("nobody", syscall(SYS_clock_gettime, (~4000000 * 8) | 2, &ts));
}

CASE(clock_nanosleep_rules)
{
	struct timespec ts = { 0, 1000 };

	for (int clock = -1; clock < 13; clock++) {
		char label[24];

		if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM ||
		    clock == CLOCK_PROCESS_CPUTIME_ID)
			continue;
		snprintf(label, sizeof(label), "clock %d", clock);
		show(label, syscall(SYS_clock_nanosleep, clock, 0, &ts, NULL));
	}
	ts.tv_nsec = 1000000000;
	show("nsec", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL));
	ts.tv_nsec = -1;
	show("negative", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL));
	show("bad pointer", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, bad_ptr(), NULL));
	ts = (struct timespec){ 1, 0 };
	show("past", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	show("odd flags", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0xf1, &ts, NULL));
}

CASE(times_of_children)
{
	struct tms before, after;

	times(&before);
	RUN_CHILD("child")
	burn_ms(60);
	times(&after);
	show_int("children's time grew", after.tms_cutime + after.tms_cstime >
						 before.tms_cutime + before.tms_cstime);
	show("bad pointer", syscall(SYS_times, bad_ptr()));
	show_int("null is allowed", syscall(SYS_times, NULL) > 0);
}

CASE(rusage_who)
{
	struct rusage usage;

	for (int who = -3; who < 3; who++) {
		char label[16];

		snprintf(label, sizeof(label), "who %d", who);
		show(label, syscall(SYS_getrusage, who, &usage));
	}
	show("bad pointer", syscall(SYS_getrusage, 0, bad_ptr()));
}

/* --- whom CPU time is told ------------------------------------------------------------------ */

static _Atomic int told_worker, told_others;
static _Atomic pid_t worker_tid;

static void count_thread(int sig)
{
	(void)sig;
	if (get_tid() == worker_tid)
		told_worker++;
	else
		told_others++;
}

static void *work(void *arg)
{
	long long end = now_ms() + 10000;

	worker_tid = get_tid();
	while (told_worker + told_others < 5 && now_ms() < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	return arg;
}

static void told_case(const char *label, int which, int sig)
{
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } }, never = { 0 };
	struct sigaction action = { .sa_handler = count_thread, .sa_flags = SA_RESTART };
	pthread_t thread;

	told_worker = told_others = 0;
	MUST(sigaction(sig, &action, NULL));
	if (pthread_create(&thread, NULL, work, NULL))
		skip("no thread");
	MUST(setitimer(which, &every, NULL));
	pthread_join(thread, NULL);
	MUST(setitimer(which, &never, NULL));
	note("%s: who works is told: %d, who sleeps: %d", label, told_worker > 2, told_others > 2);
}

CASE(itimer_tells_who_runs)
{
	told_case("profiling", ITIMER_PROF, SIGPROF);
	told_case("virtual", ITIMER_VIRTUAL, SIGVTALRM);
}

static bool used_ms(const struct rusage *usage, long ms)
{
	long used = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
		    (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;

	return used >= ms;
}

HELPER(cpu_time_after_exec)
{
	struct timespec now;
	struct rusage usage;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	show_int("clock goes on", now.tv_sec > 0 || now.tv_nsec >= 140000000);
	getrusage(RUSAGE_SELF, &usage);
	show_int("usage, too", used_ms(&usage, 120));
	return argc < 0 || argv == NULL;
}

/* What a process used is its own whatever program it runs, and whatever ends it. */
CASE(rusage_over_exec)
{
	char *const argv[] = { (char *)"x", (char *)"@cpu_time_after_exec", NULL };
	struct rusage usage;
	int status;
	pid_t pid;

	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		burn_ms(150);
		execv(self_exe(), argv);
		_exit(1);
	}
	MUST(wait4(pid, &status, 0, &usage));
	show_int("status", status);
	show_int("told to the parent", used_ms(&usage, 120));
}

CASE(rusage_of_killed)
{
	struct rusage usage;
	int status, pipes[2];
	char byte;
	pid_t pid;

	MUST(pipe(pipes));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		burn_ms(100);
		MUST(write(pipes[1], "x", 1));
		for (;;)
			;
	}
	MUST(read(pipes[0], &byte, 1));
	MUST(kill(pid, SIGKILL));
	MUST(wait4(pid, &status, 0, &usage));
	show_int("status", status);
	show_int("told to the parent", used_ms(&usage, 80));
}
