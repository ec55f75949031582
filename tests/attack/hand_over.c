/* SPDX-License-Identifier: Apache-2.0 */
/* No wake-up is lost: ping-pong through pipes and futexes, a million times in the long form. */
#include "attack.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Round trips: two hand-overs each. */
#define SHORT_COUNT 40000U
#define LONG_COUNT 250000U /* of two kinds: a million hand-overs */
#define STALL_MS 10000
/* Altogether: the watcher decides, not the speed of the machine. */
#define SHORT_MS 120000
#define LONG_MS 3600000

static atomic_uint progress;
static unsigned count;
static uint64_t slowest_ms;

/* One round trip was made.  Only for the log: a busy machine is slow, a lost wake-up stalls. */
static void made_one(uint64_t *since)
{
	uint64_t now = now_ms();

	if (now - *since > slowest_ms)
		slowest_ms = now - *since;
	*since = now;
	atomic_fetch_add(&progress, 1);
}

static void say_count(void)
{
	printf("%u round trips of two hand-overs, the slowest took %u ms\n", count,
	       (unsigned)slowest_ms);
	fflush(stdout);
}

static void *watch(void *arg)
{
	unsigned last = 0;
	uint64_t since = now_ms();

	(void)arg;
	for (;;) {
		sleep_ms(200);
		if (atomic_load(&progress) != last) {
			last = atomic_load(&progress);
			since = now_ms();
		} else if (now_ms() - since > STALL_MS) {
			fail("nothing moves after %u hand-overs", last);
			kill(0, SIGKILL);
			_exit(1);
		}
	}
	return NULL;
}

static int start(void)
{
	pthread_t watcher;
	const char *wanted = getenv("ATTACK_COUNT");

	count = wanted ? (unsigned)atoi(wanted) / 2 : long_form() ? LONG_COUNT : SHORT_COUNT;
	setpgid(0, 0);
	return pthread_create(&watcher, NULL, watch, NULL);
}

static int ping_pong_pipe(void *arg)
{
	int there[2], back[2];
	uint64_t since;
	pid_t pid;
	char c = 0;

	(void)arg;
	if (pipe(there) < 0 || pipe(back) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			if (c == 127)
				_exit(0);
		_exit(1);
	}
	if (pid < 0 || start() != 0)
		return 1;
	since = now_ms();
	for (unsigned i = 0; i < count; i++) {
		char sent = i == count - 1 ? 127 : (char)(i % 100);

		if (write(there[1], &sent, 1) != 1 || read(back[0], &c, 1) != 1 || c != sent) {
			fail("hand-over %u went wrong", i);
			return 1;
		}
		made_one(&since);
	}
	say_count();
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static _Atomic uint32_t word;

static void pass_on(uint32_t mine)
{
	while (atomic_load(&word) != mine)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, !mine, NULL, NULL, 0);
	atomic_store(&word, !mine);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner(void *arg)
{
	for (unsigned i = 0; i < count; i++)
		pass_on(1);
	return arg;
}

static int ping_pong_futex(void *arg)
{
	pthread_t thread;
	uint64_t since;

	(void)arg;
	if (start() != 0 || pthread_create(&thread, NULL, partner, NULL) != 0)
		return 1;
	since = now_ms();
	for (unsigned i = 0; i < count; i++) {
		pass_on(0);
		made_one(&since);
	}
	pthread_join(thread, NULL);
	say_count();
	return 0;
}

void attack_hand_over_pipe(void)
{
	struct outcome o = in_child(ping_pong_pipe, NULL, long_form() ? LONG_MS : SHORT_MS);

	if (!exited_with(&o, 0))
		fail("pipe ping-pong: %s", outcome_text(&o));
}

void attack_hand_over_futex(void)
{
	struct outcome o = in_child(ping_pong_futex, NULL, long_form() ? LONG_MS : SHORT_MS);

	if (!exited_with(&o, 0))
		fail("futex ping-pong: %s", outcome_text(&o));
}
