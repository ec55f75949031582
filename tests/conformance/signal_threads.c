/* SPDX-License-Identifier: Apache-2.0
 *
 * Which thread takes a signal that was sent to the process: those of kill, and of timers of its CPU time.
 */
#include "conformance.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#define THREADS 4

static volatile pid_t tids[THREADS];
static volatile int taken[THREADS];
static volatile int last_taker;
static volatile bool hold, held, stop[THREADS];
static int gate[2];
static __thread int self;

static void take(int sig)
{
	int error = errno;
	char byte;

	(void)sig;
	taken[self]++;
	last_taker = self;
	if (hold) {
		hold = false;
		held = true;
		while (read(gate[0], &byte, 1) == -1)
			;
		held = false;
	}
	errno = error;
}

static void catch_with_take(int sig)
{
	struct sigaction action = { .sa_handler = take, .sa_flags = SA_RESTART };

	MUST(sigaction(sig, &action, NULL));
}

static void mask_signal(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(pthread_sigmask(how, &set, NULL) ? -1 : 0);
}

/* --- kill -------------------------------------------------------------------------------- */

static void *pause_for_ever(void *arg)
{
	self = (int)(intptr_t)arg;
	mask_signal(SIG_UNBLOCK, SIGUSR1);
	tids[self] = get_tid();
	while (!stop[self])
		syscall(SYS_pause);
	return NULL;
}

static pthread_t start_pausing(int number)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, pause_for_ever, (void *)(intptr_t)number) ? -1 : 0);
	while (!tids[number])
		sleep_ms(1);
	wait_blocked(getpid(), tids[number]);
	return thread;
}

/* Sends one and tells which thread took it; with @keep that one stays in its handler. */
static void send_one(const char *what, bool keep)
{
	last_taker = -1;
	hold = keep;
	MUST(kill(getpid(), SIGUSR1));
	for (int i = 0; i < 2000 && last_taker == -1; i++)
		sleep_ms(1);
	show_int(what, last_taker);
	if (last_taker > 0)
		wait_blocked(getpid(), tids[last_taker]);
}

static void release(int number)
{
	MUST(write(gate[1], "x", 1));
	while (held)
		sched_yield();
	wait_blocked(getpid(), tids[number]);
}

static void end_thread(pthread_t thread, int number)
{
	stop[number] = true;
	MUST(pthread_kill(thread, SIGUSR1) ? -1 : 0);
	show_err("join", pthread_join(thread, NULL));
	taken[number] = 0;
}

CASE(signal_target_stays)
{
	MUST(pipe(gate));
	mask_signal(SIG_BLOCK, SIGUSR1);
	catch_with_take(SIGUSR1);
	start_pausing(1);
	pthread_t two = start_pausing(2);
	send_one("the first", false);
	send_one("again", false);
	send_one("and keep it", true);
	send_one("the first is busy", false);
	release(1);
	send_one("the first is back", false);
	send_one("again", false);
	end_thread(two, 2);
	send_one("the second is gone", false);
	start_pausing(3);
	send_one("a third", false);
	send_one("keep it", true);
	send_one("the first is busy", false);
	release(1);
	send_one("the first is back", false);
	mask_signal(SIG_UNBLOCK, SIGUSR1);
	send_one("the leader wants it", false);
	mask_signal(SIG_BLOCK, SIGUSR1);
	send_one("the leader does not", false);
}

/* --- timers of CPU time ------------------------------------------------------------------- */

static volatile bool computing;

static void *compute(void *arg)
{
	self = (int)(intptr_t)arg;
	while (computing)
		;
	return NULL;
}

static void *make_calls(void *arg)
{
	self = (int)(intptr_t)arg;
	while (computing)
		syscall(SYS_getppid);
	return NULL;
}

static void reset_counts(void)
{
	for (int i = 0; i < THREADS; i++)
		taken[i] = 0;
	computing = true;
}

/* Seldom awake, and not whenever a timer expires. */
static void wait_for_signals(int first, int number)
{
	for (int i = 0; i < 100; i++) {
		bool all = true;

		for (int t = first; t < first + number; t++)
			all = all && taken[t] >= 5;
		if (all)
			break;
		sleep_ms(97);
	}
	computing = false;
}

static void show_shares(const char *what, int number)
{
	/* It uses some, too, when it looks whether it is time. */
	note("%s: sleeping leader %s, every computing one %s", what,
	     taken[0] * 4 > taken[1] + taken[2] ? "many" : "hardly any",
	     taken[1] >= 5 && (number < 2 || taken[2] >= 5) ? "some" : "none");
}

static void run_threads(const char *what, void *(*body)(void *), int number)
{
	pthread_t threads[THREADS];

	reset_counts();
	for (int i = 0; i < number; i++)
		MUST(pthread_create(&threads[i], NULL, body, (void *)(intptr_t)(i + 1)) ? -1 : 0);
	wait_for_signals(1, number);
	for (int i = 0; i < number; i++)
		MUST(pthread_join(threads[i], NULL) ? -1 : 0);
	show_shares(what, number);
}

static void set_itimer(int which, long us)
{
	struct itimerval value = { { 0, us }, { 0, us } };

	MUST(setitimer(which, &value, NULL));
}

CASE(signal_of_itimer_prof)
{
	catch_with_take(SIGPROF);
	set_itimer(ITIMER_PROF, 10000);
	run_threads("one computes", compute, 1);
	run_threads("two compute", compute, 2);
	run_threads("one makes calls", make_calls, 1);
	set_itimer(ITIMER_PROF, 0);
}

static void use_time(void)
{
	struct timespec now;

	do
		MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
	while (now.tv_sec == 0 && now.tv_nsec < 300000000);
}

CASE(signal_of_itimer_after_work)
{
	catch_with_take(SIGPROF);
	use_time();
	set_itimer(ITIMER_PROF, 10000);
	run_threads("one computes", compute, 1);
	set_itimer(ITIMER_PROF, 0);
}

CASE(signal_of_itimer_virtual)
{
	catch_with_take(SIGVTALRM);
	set_itimer(ITIMER_VIRTUAL, 10000);
	run_threads("one computes", compute, 1);
	run_threads("two compute", compute, 2);
	set_itimer(ITIMER_VIRTUAL, 0);
}

static int start_cpu_timer(int clock, int sig)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig };
	struct itimerspec value = { { 0, 10000000 }, { 0, 10000000 } };
	int id = -1;

	MUST(syscall(SYS_timer_create, clock, &event, &id));
	MUST(syscall(SYS_timer_settime, id, 0, &value, NULL));
	return id;
}

CASE(signal_of_process_timer)
{
	catch_with_take(SIGUSR2);
	int id = start_cpu_timer(CLOCK_PROCESS_CPUTIME_ID, SIGUSR2);
	run_threads("one computes", compute, 1);
	run_threads("two compute", compute, 2);
	run_threads("one makes calls", make_calls, 1);
	MUST(syscall(SYS_timer_delete, id));
}

static void *compute_with_timer(void *arg)
{
	self = (int)(intptr_t)arg;
	int id = start_cpu_timer(CLOCK_THREAD_CPUTIME_ID, SIGUSR2);
	compute(arg);
	MUST(syscall(SYS_timer_delete, id));
	return NULL;
}

CASE(signal_of_thread_timer)
{
	catch_with_take(SIGUSR2);
	run_threads("its own", compute_with_timer, 1);
}

CASE(signal_of_cpu_limit)
{
	struct rlimit limit = { 1, 60 };

	catch_with_take(SIGXCPU);
	RUN_CHILD("limit")
	{
		pthread_t thread;

		MUST(setrlimit(RLIMIT_CPU, &limit));
		reset_counts();
		MUST(pthread_create(&thread, NULL, compute, (void *)1L) ? -1 : 0);
		for (int i = 0; i < 1000 && !taken[0] && !taken[1]; i++)
			sleep_ms(10);
		computing = false;
		MUST(pthread_join(thread, NULL) ? -1 : 0);
		note("leader %d thread %d", taken[0] > 0, taken[1] > 0);
	}
}
