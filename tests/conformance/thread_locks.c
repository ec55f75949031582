/* SPDX-License-Identifier: Apache-2.0
 *
 * pthread objects under contention, robust and priority-inheritance futexes.
 */
#include "conformance.h"

#include <linux/futex.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counter;
static int turn;

static void *count_locked(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

CASE(pthread_mutex_contention)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, count_locked, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	show_int("counter", counter);
}

static void *take_turns(void *arg)
{
	int self = (int)(intptr_t)arg;

	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != self)
			pthread_cond_wait(&cond, &mutex);
		turn = (turn + 1) % 3;
		counter = counter * 3 % 1000003 + self;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

CASE(pthread_cond_turns)
{
	pthread_t threads[3];

	for (intptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_turns, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	show_int("counter", counter);
	struct timespec past = { 1, 0 };
	pthread_mutex_lock(&mutex);
	show_err("timed wait", pthread_cond_timedwait(&cond, &mutex, &past));
}

static void *barrier_rounds(void *arg)
{
	for (int i = 0; i < 100; i++) {
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD &&
		    counter != (i + 1) * 4)
			turn++;
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

CASE(pthread_barrier_rounds)
{
	pthread_t threads[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, barrier_rounds, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	note("counter %ld wrong %d", counter, turn);
}

static void *lock_and_exit(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

CASE(robust_mutex)
{
	pthread_mutex_t *robust =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(robust, &attr);
	pthread_create(&thread, NULL, lock_and_exit, robust);
	pthread_join(thread, NULL);
	show_err("owner thread died", pthread_mutex_lock(robust));
	show_err("consistent", pthread_mutex_consistent(robust));
	show_err("unlock", pthread_mutex_unlock(robust));
	RUN_CHILD("owner")
	{
		pthread_mutex_lock(robust);
	}
	show_err("owner process died", pthread_mutex_lock(robust));
	pthread_mutex_consistent(robust);
	pthread_mutex_unlock(robust);
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		pthread_mutex_lock(robust);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	int status;
	MUST(waitpid(pid, &status, WUNTRACED));
	show_err("busy", pthread_mutex_trylock(robust));
	kill(pid, SIGKILL);
	show_err("waits for the death", pthread_mutex_lock(robust));
	pthread_mutex_unlock(robust);
	show_err("not recoverable", pthread_mutex_lock(robust));
	show_wait("owner", pid);
}

CASE(robust_list_calls)
{
	struct robust_list_head head = { { &head.list }, 0, NULL }, *got = NULL;
	size_t size = 0;

	show("set bad size", syscall(SYS_set_robust_list, &head, 1));
	show("set", syscall(SYS_set_robust_list, &head, sizeof(head)));
	show("get", syscall(SYS_get_robust_list, 0, &got, &size));
	note("same %d size %zu", got == &head, size);
	show("get missing", syscall(SYS_get_robust_list, 999999, &got, &size));
	show("get bad pointer", syscall(SYS_get_robust_list, 0, bad_ptr(), &size));
}

static void *lock_mutex_timed(void *arg)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 30000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return (void *)(intptr_t)pthread_mutex_timedlock(arg, &until);
}

CASE(pi_mutex)
{
	pthread_mutex_t pi;
	pthread_mutexattr_t attr;
	pthread_t threads[4];
	void *result;

	pthread_mutexattr_init(&attr);
	show_err("protocol", pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	show_err("init", pthread_mutex_init(&pi, &attr));
	show_err("lock", pthread_mutex_lock(&pi));
	pthread_create(&threads[0], NULL, lock_mutex_timed, &pi);
	pthread_join(threads[0], &result);
	show_err("timed lock of another", (int)(intptr_t)result);
	show_err("unlock", pthread_mutex_unlock(&pi));
	pthread_create(&threads[0], NULL, lock_mutex_timed, &pi);
	pthread_join(threads[0], &result);
	show_err("free", (int)(intptr_t)result);
}
