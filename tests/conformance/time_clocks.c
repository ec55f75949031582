/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, sleeps, interval timers and POSIX timers, the vDSO.
 */
#include "conformance.h"

#include <link.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

static volatile sig_atomic_t ticks, last_code, last_value, last_overrun;

static void on_tick(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	ticks++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	last_overrun = info->si_overrun;
}

static void catch_ticks(int sig)
{
	struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO };

	MUST(sigaction(sig, &action, NULL));
}

static long long nanoseconds(const struct timespec *time)
{
	return (long long)time->tv_sec * 1000000000 + time->tv_nsec;
}

CASE(clock_is_monotonic)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
					    CLOCK_MONOTONIC_COARSE };
	struct timespec last, now;

	for (size_t c = 0; c < ARRAY_SIZE(clocks); c++) {
		int backwards = 0;
		show("clock_gettime", clock_gettime(clocks[c], &last));
		for (int i = 0; i < 20000; i++) {
			clock_gettime(clocks[c], &now);
			backwards += nanoseconds(&now) < nanoseconds(&last);
			last = now;
		}
		show_int("backwards", backwards);
	}
}

CASE(clock_vdso_agrees_with_syscall)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	struct timespec a, b, c;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		int wrong = 0;
		for (int j = 0; j < 500; j++) {
			clock_gettime(clocks[i], &a);
			MUST(syscall(SYS_clock_gettime, clocks[i], &b));
			clock_gettime(clocks[i], &c);
			wrong += nanoseconds(&a) > nanoseconds(&b) ||
				 nanoseconds(&b) > nanoseconds(&c);
		}
		show_int("out of order", wrong);
	}
	struct timeval tv;
	MUST(syscall(SYS_gettimeofday, &tv, NULL));
	clock_gettime(CLOCK_REALTIME, &a);
	show_int("gettimeofday agrees", a.tv_sec - tv.tv_sec <= 1);
	show_int("time agrees", syscall(SYS_time, NULL) - tv.tv_sec <= 1);
}

CASE(clock_errors)
{
	struct timespec time = { 0, 0 };

	show("unknown clock", syscall(SYS_clock_gettime, 77, &time));
	show("negative clock", syscall(SYS_clock_gettime, -5, &time));
	show("bad pointer", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad_ptr()));
	show("getres unknown", syscall(SYS_clock_getres, 77, &time));
	show("getres no result", syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	show("settime", syscall(SYS_clock_settime, CLOCK_REALTIME, &time));
	show("settime monotonic", syscall(SYS_clock_settime, CLOCK_MONOTONIC, &time));
	show("settimeofday", settimeofday(&(struct timeval){ 1, 0 }, NULL));
	show("gettimeofday bad pointer", syscall(SYS_gettimeofday, bad_ptr(), NULL));
	show("time bad pointer", syscall(SYS_time, bad_ptr()));
}

CASE(clock_resolutions)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME,	      CLOCK_MONOTONIC,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
					    CLOCK_MONOTONIC_RAW,      CLOCK_BOOTTIME };
	struct timespec resolution;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		show("getres", clock_getres(clocks[i], &resolution));
		note("clock %d: %ld.%09ld", clocks[i], (long)resolution.tv_sec, resolution.tv_nsec);
	}
}

CASE(clock_cpu_time)
{
	struct timespec before, after;
	volatile unsigned int sum = 0;

	show("process", clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	do {
		for (unsigned int i = 0; i < 100000; i++)
			sum += i;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	} while (nanoseconds(&after) - nanoseconds(&before) < 20000000);
	show_int("cpu time passes", sum != 1);
	MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	sleep_ms(100);
	MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after));
	show_int("not while asleep", nanoseconds(&after) - nanoseconds(&before) < 50000000);
	show("thread", clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before));
	clockid_t id;
	show_err("getcpuclockid", clock_getcpuclockid(0, &id));
	show("by id", clock_gettime(id, &after));
	show_err("getcpuclockid missing", clock_getcpuclockid(999999, &id));
}

CASE(sleep_lengths)
{
	struct timespec request = { 0, 30000000 }, left = { 7, 7 }, start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	show("nanosleep", nanosleep(&request, &left));
	clock_gettime(CLOCK_MONOTONIC, &end);
	show_int("long enough", nanoseconds(&end) - nanoseconds(&start) >= 30000000);
	note("left untouched %ld %ld", (long)left.tv_sec, left.tv_nsec);
	clock_gettime(CLOCK_MONOTONIC, &start);
	request = start;
	request.tv_nsec += 30000000;
	request.tv_sec += request.tv_nsec / 1000000000;
	request.tv_nsec %= 1000000000;
	show_err("absolute", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &request, NULL));
	clock_gettime(CLOCK_MONOTONIC, &end);
	show_int("long enough", nanoseconds(&end) >= nanoseconds(&request));
	request.tv_sec = 1;
	show_err("absolute past", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &request, NULL));
	request = (struct timespec){ 0, 0 };
	show("zero", nanosleep(&request, NULL));
}

CASE(sleep_errors)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, some = { 0, 1 };

	show("bad nsec", nanosleep(&bad, NULL));
	show("negative", nanosleep(&negative, NULL));
	show("bad pointer", syscall(SYS_nanosleep, bad_ptr(), NULL));
	show("bad clock", syscall(SYS_clock_nanosleep, 77, 0, &some, NULL));
	show("thread cpu clock",
	     syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &some, NULL));
	show("raw clock", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &some, NULL));
	show("bad nsec", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL));
}

CASE(alarm_basics)
{
	signal(SIGALRM, SIG_DFL);
	show("none", alarm(0));
	show("set", alarm(10));
	show("replace", alarm(20) > 8);
	show("cancel", alarm(0) > 18);
	catch_ticks(SIGALRM);
	MUST(alarm(1));
	show("pause", pause());
	note("ticks %d code %d", ticks, last_code);
	show("expired", alarm(0));
}

CASE(itimer_real)
{
	struct itimerval timer = { { 0, 10000 }, { 0, 10000 } }, old;

	catch_ticks(SIGALRM);
	show("set", setitimer(ITIMER_REAL, &timer, NULL));
	while (ticks < 3)
		pause();
	note("three ticks, code %d", last_code);
	show("get", getitimer(ITIMER_REAL, &old));
	note("interval %ld.%06ld", (long)old.it_interval.tv_sec, (long)old.it_interval.tv_usec);
	timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	show("stop", setitimer(ITIMER_REAL, &timer, &old));
	show("bad which", setitimer(9, &timer, NULL));
	timer.it_value.tv_usec = 1000000;
	show("bad usec", setitimer(ITIMER_REAL, &timer, NULL));
	show("bad pointer", syscall(SYS_setitimer, ITIMER_REAL, bad_ptr(), NULL));
	show("get bad which", getitimer(9, &old));
}

CASE(itimer_virtual_and_prof)
{
	struct itimerval timer = { { 0, 0 }, { 0, 20000 } };

	catch_ticks(SIGVTALRM);
	catch_ticks(SIGPROF);
	show("virtual", setitimer(ITIMER_VIRTUAL, &timer, NULL));
	for (volatile unsigned int i = 0; ticks == 0; i++)
		continue;
	note("ticks %d code %d", ticks, last_code);
	show("prof", setitimer(ITIMER_PROF, &timer, NULL));
	for (volatile unsigned int i = 0; ticks == 1; i++)
		continue;
	note("ticks %d", ticks);
}

CASE(posix_timer_signal)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGUSR1,
				  .sigev_value.sival_int = 77 };
	struct itimerspec spec = { { 0, 0 }, { 0, 10000000 } }, left;
	timer_t timer;

	catch_ticks(SIGUSR1);
	show("create", timer_create(CLOCK_MONOTONIC, &event, &timer));
	show("unarmed", timer_gettime(timer, &left));
	note("%ld %ld", (long)left.it_value.tv_sec, left.it_value.tv_nsec);
	show("arm", timer_settime(timer, 0, &spec, NULL));
	while (ticks == 0)
		pause();
	note("ticks %d code %d value %d overrun %d", ticks, last_code, last_value, last_overrun);
	show("getoverrun", timer_getoverrun(timer));
	spec.it_value = (struct timespec){ 100, 0 };
	show("arm", timer_settime(timer, 0, &spec, NULL));
	show("gettime", timer_gettime(timer, &left));
	show_int("sane", left.it_value.tv_sec >= 90 && left.it_value.tv_sec <= 100);
	spec.it_value = (struct timespec){ 1, 0 };
	show("absolute past", timer_settime(timer, TIMER_ABSTIME, &spec, NULL));
	while (ticks == 1)
		sleep_ms(1);
	show_int("ticks", ticks);
	show("delete", timer_delete(timer));
}

CASE(posix_timer_overrun)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec spec = { { 0, 1000000 }, { 0, 1000000 } };
	timer_t timer;
	sigset_t set;

	catch_ticks(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &spec, NULL));
	sleep_ms(50);
	siginfo_t info;
	show("wait", sigwaitinfo(&set, &info));
	show_int("overran", info.si_overrun > 10);
	show_int("code", info.si_code);
	MUST(timer_delete(timer));
}

CASE(posix_timer_none_and_thread)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct itimerspec spec = { { 0, 0 }, { 0, 1000000 } }, left;
	timer_t timer;

	show("create", timer_create(CLOCK_REALTIME, &event, &timer));
	MUST(timer_settime(timer, 0, &spec, NULL));
	sleep_ms(10);
	MUST(timer_gettime(timer, &left));
	note("expired: %ld %ld", (long)left.it_value.tv_sec, left.it_value.tv_nsec);
	event = (struct sigevent){ .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	event._sigev_un._tid = get_tid();
	catch_ticks(SIGUSR1);
	int id;
	show("to a thread", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
	MUST(syscall(SYS_timer_settime, id, 0, &spec, NULL));
	while (ticks == 0)
		sleep_ms(1);
	show_int("code", last_code);
	event._sigev_un._tid = 1;
	show("to a foreign thread", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
}

CASE(posix_timer_errors)
{
	struct sigevent event = { .sigev_notify = 77, .sigev_signo = SIGUSR1 };
	struct itimerspec spec = { { 0, 0 }, { 0, -1 } };
	int id = 0;

	show("bad notify", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	show("bad signal", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
	show("bad clock", syscall(SYS_timer_create, 77, NULL, &id));
	show("bad pointer", syscall(SYS_timer_create, CLOCK_MONOTONIC, bad_ptr(), &id));
	show("default event", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	show("bad value", syscall(SYS_timer_settime, id, 0, &spec, NULL));
	show("null value", syscall(SYS_timer_settime, id, 0, NULL, NULL));
	show("missing", syscall(SYS_timer_settime, 999, 0, &spec, NULL));
	show("gettime missing", syscall(SYS_timer_gettime, 999, &spec));
	show("delete", syscall(SYS_timer_delete, id));
	show("delete again", syscall(SYS_timer_delete, id));
}

CASE(times_and_rusage)
{
	struct tms tms;
	struct rusage usage;

	show_int("times", times(&tms) != (clock_t)-1);
	show_int("user", tms.tms_utime >= 0 && tms.tms_utime < 1000);
	show("self", getrusage(RUSAGE_SELF, &usage));
	show_int("maxrss", usage.ru_maxrss > 0);
	show("children", getrusage(RUSAGE_CHILDREN, &usage));
	show("thread", getrusage(RUSAGE_THREAD, &usage));
	show("bad who", getrusage((__rusage_who_t)9, &usage));
	show("bad pointer", syscall(SYS_getrusage, RUSAGE_SELF, bad_ptr()));
	show("times bad pointer", syscall(SYS_times, bad_ptr()));
}

CASE(vdso_symbols)
{
	static const char *const wanted[] = { "__vdso_clock_gettime", "__vdso_gettimeofday",
					      "__vdso_time", "__vdso_getcpu",
					      "__vdso_clock_getres" };
	const ElfW(Ehdr) *header = (const void *)getauxval(AT_SYSINFO_EHDR);

	if (header == NULL) {
		note("no vDSO");
		return;
	}
	show_int("ELF", memcmp(header->e_ident, ELFMAG, SELFMAG) == 0);
	show_int("shared object", header->e_type);
	const ElfW(Phdr) *segments = (const void *)((const char *)header + header->e_phoff);
	const char *base = NULL, *strings = NULL;
	const ElfW(Dyn) *dynamic = NULL;
	const ElfW(Sym) *symbols = NULL;
	const uint32_t *hash = NULL;
	for (int i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD && base == NULL)
			base = (const char *)header + segments[i].p_offset - segments[i].p_vaddr;
		if (segments[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)((const char *)header + segments[i].p_offset);
	}
	for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_SYMTAB)
			symbols = (const void *)(base + dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_STRTAB)
			strings = base + dynamic->d_un.d_ptr;
		if (dynamic->d_tag == DT_HASH)
			hash = (const void *)(base + dynamic->d_un.d_ptr);
	}
	/* The symbol table ends where the string table begins, in every vDSO there is. */
	size_t count = hash != NULL ? hash[1]
				    : (size_t)(strings - (const char *)symbols) / sizeof(*symbols);
	for (size_t w = 0; w < ARRAY_SIZE(wanted); w++) {
		bool found = false;
		for (size_t i = 0; i < count && !found; i++)
			found = strcmp(strings + symbols[i].st_name, wanted[w]) == 0 &&
				symbols[i].st_shndx != SHN_UNDEF;
		show_int(wanted[w], found);
	}
}
