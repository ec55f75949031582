/* SPDX-License-Identifier: Apache-2.0
 *
 * FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: a condition variable of a lock that inherits
 * priority; who gets the lock, what its word holds, and every refusal.
 */
#include "conformance.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>

static uint32_t cond, lock, other;
static unsigned order; /* who came out of its wait when */

static long futex(uint32_t *addr, int op, uint32_t val, const void *time, uint32_t *addr2,
		  uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, time, addr2, val3);
}

static long requeue(int wake, int move, uint32_t compare)
{
	return syscall(SYS_futex, &cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, wake, (long)move, &lock,
		       compare);
}

struct waiter {
	pthread_t thread;
	uint32_t *target;
	struct timespec *time;
	bool plain, hold, robust_exit;
	int op;
	pid_t tid;
	long result;
	int error;
	bool owned; /* the word named it when the wait returned */
	unsigned place;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, get_tid(), __ATOMIC_SEQ_CST);
	if (w->plain)
		w->result = futex(&cond, FUTEX_WAIT_PRIVATE, 0, w->time, NULL, 0);
	else
		w->result = futex(&cond, w->op, 0, w->time, w->target, 0);
	w->error = errno;
	w->place = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	w->owned = (__atomic_load_n(&lock, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) == (uint32_t)w->tid;
	if (w->owned && !w->hold)
		futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

static void start_with(struct waiter *w, struct waiter as)
{
	*w = as;
	if (!w->op)
		w->op = FUTEX_WAIT_REQUEUE_PI_PRIVATE;
	if (!w->target)
		w->target = &lock;
	if (pthread_create(&w->thread, NULL, waiter_main, w) != 0)
		skip("no threads");
	while (__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	wait_blocked(getpid(), w->tid);
}

static void start(struct waiter *w)
{
	start_with(w, (struct waiter){ 0 });
}

static void finish(const char *label, struct waiter *w)
{
	pthread_join(w->thread, NULL);
	errno = w->error;
	show(label, w->result);
	note("%s owned %d place %u", label, w->owned, w->place);
}

static void show_lock(void)
{
	uint32_t word = __atomic_load_n(&lock, __ATOMIC_SEQ_CST);

	note("lock: %s%s%s", word & FUTEX_WAITERS ? "waiters " : "",
	     word & FUTEX_OWNER_DIED ? "died " : "",
	     !(word & FUTEX_TID_MASK)			     ? "free" :
	     (word & FUTEX_TID_MASK) == (uint32_t)get_tid() ? "mine" : "another's");
}

static void take(void)
{
	MUST(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void give(void)
{
	show("unlock", futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

/* As pthread_cond_signal with the mutex held. */
CASE(requeue_pi_lock_held)
{
	struct waiter w[3];

	for (int i = 0; i < 3; i++)
		start(&w[i]);
	take();
	show("signal", requeue(1, 0, 0));
	show_lock();
	show("broadcast", requeue(1, INT_MAX, 0));
	show_lock();
	show("nobody left", requeue(1, INT_MAX, 0));
	give();
	for (int i = 0; i < 3; i++)
		finish("waiter", &w[i]);
	show_lock();
}

CASE(requeue_pi_lock_free)
{
	struct waiter w[3];

	start_with(&w[0], (struct waiter){ .hold = true });
	show("signal", requeue(1, 0, 0));
	finish("first", &w[0]);
	show_lock();
	lock = 0;
	for (int i = 0; i < 3; i++)
		start(&w[i]);
	show("broadcast", requeue(1, INT_MAX, 0));
	for (int i = 0; i < 3; i++)
		finish("waiter", &w[i]);
	show_lock();
	show("nobody", requeue(1, INT_MAX, 0));
	show_lock();
}

CASE(requeue_pi_limits)
{
	struct waiter w[4];

	for (int i = 0; i < 4; i++)
		start(&w[i]);
	take();
	show("move 1", requeue(1, 1, 0));
	show("move 0", requeue(1, 0, 0));
	show("move 0", requeue(1, 0, 0));
	show("move 0", requeue(1, 0, 0));
	give();
	for (int i = 0; i < 4; i++)
		finish("waiter", &w[i]);
}

CASE(requeue_pi_mixed_line)
{
	struct waiter w[2];

	start(&w[0]);
	take();
	show("move", requeue(1, 5, 0));
	start(&w[1]);
	show("wake at lock", futex(&lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show("wake at cond", futex(&cond, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show("plain requeue", syscall(SYS_futex, &cond, FUTEX_REQUEUE_PRIVATE, 0L, 5L, &other, 0));
	show("plain requeue from lock",
	     syscall(SYS_futex, &lock, FUTEX_REQUEUE_PRIVATE, 0L, 5L, &other, 0));
	show("move to another lock",
	     syscall(SYS_futex, &cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1L, 5L, &other, 0));
	show("move", requeue(1, 5, 0));
	give();
	finish("first", &w[0]);
	finish("second", &w[1]);
	start_with(&w[0], (struct waiter){ .plain = true });
	show("not for a lock", requeue(1, 5, 0));
	show("wake", futex(&cond, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	finish("plain", &w[0]);
}

CASE(requeue_pi_errors)
{
	struct timespec past = { 1, 0 }, bad = { 0, 1000000000 };
	uint32_t *odd = (uint32_t *)((uintptr_t)&lock + 1), *none = kernel_ptr();

	cond = 1;
	show("wait other value", futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0));
	cond = 0;
	show("wait same word", futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &cond, 0));
	show("wait misaligned", futex(odd, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0));
	show("wait misaligned 2", futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, odd, 0));
	show("wait EFAULT", futex(none, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0));
	show("wait timed out", futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0));
	show("wait timed out real", futex(&cond, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &past,
					  &lock, 0));
	show("wait bad time", futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, &bad, &lock, 0));
	show("wake 0", requeue(0, 1, 0));
	show("wake 2", requeue(2, 1, 0));
	show("wake -1", requeue(-1, 1, 0));
	show("move -1", requeue(1, -1, 0));
	show("other value", requeue(1, 1, 5));
	show("same word", syscall(SYS_futex, &cond, FUTEX_CMP_REQUEUE_PI, 1L, 1L, &cond, 0));
	show("misaligned", syscall(SYS_futex, odd, FUTEX_CMP_REQUEUE_PI, 1L, 1L, &lock, 0));
	show("misaligned 2", syscall(SYS_futex, &cond, FUTEX_CMP_REQUEUE_PI, 1L, 1L, odd, 0));
	show("EFAULT", syscall(SYS_futex, none, FUTEX_CMP_REQUEUE_PI, 1L, 1L, &lock, 0));
	show("realtime", syscall(SYS_futex, &cond, FUTEX_CMP_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 1L, 1L,
				 &lock, 0));
}

static void *dead_main(void *arg)
{
	*(pid_t *)arg = get_tid();
	return NULL;
}

CASE(requeue_pi_owner_gone)
{
	pthread_t thread;
	struct waiter w;
	pid_t tid = 0;

	pthread_create(&thread, NULL, dead_main, &tid);
	pthread_join(thread, NULL);
	start(&w);
	wait_blocked(getpid(), tid);
	lock = (uint32_t)tid;
	show("owner is dead", requeue(1, 1, 0));
	lock = (uint32_t)w.tid;
	show("owner waits", requeue(1, 1, 0));
	lock = 0;
	show("free", requeue(1, 1, 0));
	finish("waiter", &w);
	show_lock();
}

CASE(requeue_pi_timeouts)
{
	struct timespec soon;
	struct waiter w;

	clock_gettime(CLOCK_MONOTONIC, &soon);
	soon.tv_sec++;
	start_with(&w, (struct waiter){ .time = &soon });
	finish("at cond", &w);
	take();
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	start_with(&w, (struct waiter){ .time = &soon, .op = FUTEX_WAIT_REQUEUE_PI_PRIVATE |
							   FUTEX_CLOCK_REALTIME });
	show("move", requeue(1, 1, 0));
	finish("at lock", &w);
	show_lock();
	give();
	show_lock();
}

static volatile int handled;
static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

CASE(requeue_pi_signals)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct waiter w;

	sigaction(SIGUSR1, &sa, NULL);
	start(&w);
	syscall(SYS_tgkill, getpid(), w.tid, SIGUSR1);
	while (!handled)
		sched_yield();
	wait_blocked(getpid(), w.tid);
	take();
	show("still there", requeue(1, 1, 0));
	syscall(SYS_tgkill, getpid(), w.tid, SIGUSR1);
	finish("interrupted at lock", &w);
	give();
	show_lock();
}

struct shared {
	uint32_t cond, lock;
	int at;
};

/* Across processes, by shared memory; a child that dies leaves the line. */
CASE(requeue_pi_processes)
{
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[3];

	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			long rc = futex(&s->cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &s->lock, 0);
			bool mine = (s->lock & FUTEX_TID_MASK) == (uint32_t)getpid();

			s->at++;
			_exit(rc == 0 && mine && futex(&s->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0 ?
				      s->at : 100);
		}
		wait_blocked(children[i], children[i]);
	}
	show("lock", futex(&s->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	show("private misses", syscall(SYS_futex, &s->cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1L, 9L,
				       &s->lock, 0));
	show("move", syscall(SYS_futex, &s->cond, FUTEX_CMP_REQUEUE_PI, 1L, 1L, &s->lock, 0));
	kill(children[0], SIGKILL);
	show_wait("first", children[0]);
	show("unlock", futex(&s->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	show_wait("second", children[1]);
	kill(children[2], SIGKILL);
	show_wait("third", children[2]);
	show("nobody", syscall(SYS_futex, &s->cond, FUTEX_CMP_REQUEUE_PI, 1L, 9L, &s->lock, 0));
	show_int("lock", s->lock);
}
