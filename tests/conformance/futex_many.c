/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_waitv, futex_wait, futex_wake, futex_requeue: waiting for several words, flags, errors.
 */
#include "conformance.h"

#include <pthread.h>

#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAKE 454
#define NR_FUTEX_WAIT 455
#define NR_FUTEX_REQUEUE 456

#define SIZE_U32 2
#define NUMA 4
#define MPOL 8
#define PRIVATE 128

struct item {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static uint32_t words[128] __attribute__((aligned(16)));

static long waitv(const void *items, unsigned count, unsigned flags, const void *time, int clock)
{
	return syscall(NR_FUTEX_WAITV, items, count, flags, time, clock);
}

static long wake(void *addr, unsigned long mask, int count, unsigned flags)
{
	return syscall(NR_FUTEX_WAKE, addr, mask, count, flags);
}

static long wait_word(void *addr, unsigned long val, unsigned long mask, unsigned flags,
		      const void *time, int clock)
{
	return syscall(NR_FUTEX_WAIT, addr, val, mask, flags, time, clock);
}

static long requeue(const void *items, unsigned flags, int wake_count, int move_count)
{
	return syscall(NR_FUTEX_REQUEUE, items, flags, wake_count, move_count);
}

static void fill(struct item *items, int count)
{
	for (int i = 0; i < count; i++)
		items[i] = (struct item){ 0, (uintptr_t)&words[i], SIZE_U32 | PRIVATE, 0 };
}

struct waiter {
	pthread_t thread;
	struct item items[128];
	int count;
	unsigned long mask;
	pid_t tid;
	long result;
	int error;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, get_tid(), __ATOMIC_SEQ_CST);
	if (w->mask)
		w->result = wait_word((void *)(uintptr_t)w->items[0].uaddr, w->items[0].val, w->mask,
				      w->items[0].flags, NULL, 0);
	else
		w->result = waitv(w->items, w->count, 0, NULL, 0);
	w->error = errno;
	return NULL;
}

static void start(struct waiter *w, int count, unsigned long mask)
{
	*w = (struct waiter){ .count = count, .mask = mask };
	fill(w->items, count);
	if (pthread_create(&w->thread, NULL, waiter_main, w) != 0)
		skip("no threads");
	while (__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	wait_blocked(getpid(), w->tid);
}

static void finish(const char *label, struct waiter *w)
{
	pthread_join(w->thread, NULL);
	errno = w->error;
	show(label, w->result);
}

/* Linux shows the waiter as asleep before it is in all of its queues. */
static long wake_when_queued(int index)
{
	long n;

	while ((n = wake(&words[index], 1, 1, SIZE_U32 | PRIVATE)) == 0)
		sched_yield();
	return n;
}

CASE(futex_waitv_wakes)
{
	struct waiter w;

	for (int i = 0; i < 128; i += 31) {
		start(&w, 128, 0);
		show("wake", wake_when_queued(i));
		finish("index", &w);
	}
	start(&w, 3, 0);
	show("shared key", wake(&words[1], 1, 1, SIZE_U32));
	show("old call", syscall(SYS_futex, &words[2], 129, 5));
	finish("index", &w);
	show("nobody", wake(&words[2], 1, 1, SIZE_U32 | PRIVATE));
	start(&w, 1, 0);
	show("other bits", wake(&words[0], 0x80000000, 1, SIZE_U32 | PRIVATE));
	finish("index", &w);
}

CASE(futex_waitv_errors)
{
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	struct item items[129];

	fill(items, 2);
	show("timed out", waitv(items, 2, 0, &zero, CLOCK_MONOTONIC));
	show("timed out real", waitv(items, 2, 0, &zero, CLOCK_REALTIME));
	show("clock", waitv(items, 2, 0, &zero, CLOCK_BOOTTIME));
	show("bad time", waitv(items, 2, 0, &bad, CLOCK_MONOTONIC));
	show("negative time", waitv(items, 2, 0, &negative, CLOCK_MONOTONIC));
	show("time EFAULT", waitv(items, 2, 0, bad_ptr(), CLOCK_MONOTONIC));
	show("flags", waitv(items, 2, 1, &zero, CLOCK_MONOTONIC));
	show("none", waitv(items, 0, 0, &zero, CLOCK_MONOTONIC));
	show("too many", waitv(items, 129, 0, &zero, CLOCK_MONOTONIC));
	show("null", waitv(NULL, 1, 0, &zero, CLOCK_MONOTONIC));
	show("items EFAULT", waitv(bad_ptr(), 1, 0, &zero, CLOCK_MONOTONIC));
	items[1].val = 1;
	show("second differs", waitv(items, 2, 0, NULL, 77));
	items[1].val = 1ULL << 32;
	show("value too wide", waitv(items, 2, 0, NULL, 0));
	fill(items, 2);
	items[1].reserved = 1;
	show("reserved", waitv(items, 2, 0, NULL, 0));
	fill(items, 2);
	items[1].uaddr++;
	show("misaligned", waitv(items, 2, 0, &zero, CLOCK_MONOTONIC));
	items[1].uaddr = (uintptr_t)kernel_ptr() & ~7UL;
	show("word EFAULT", waitv(items, 2, 0, &zero, CLOCK_MONOTONIC));
	items[0].val = 1;
	show("first differs, second bad", waitv(items, 2, 0, &zero, CLOCK_MONOTONIC));
	for (unsigned flags = 0; flags < 256; flags += flags < 32 ? 1 : 32) {
		words[1] = 0;
		fill(items, 1);
		items[0].flags = flags;
		note("flags %#x", flags);
		show("", waitv(items, 1, 0, &zero, CLOCK_MONOTONIC));
	}
	items[0].flags = 0x102;
	show("flags 0x102", waitv(items, 1, 0, &zero, CLOCK_MONOTONIC));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *interrupt(void *arg)
{
	wait_blocked(getpid(), *(pid_t *)arg);
	syscall(SYS_tgkill, getpid(), *(pid_t *)arg, SIGUSR1);
	return NULL;
}

CASE(futex_waitv_signal)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct item items[2];
	pid_t tid = get_tid();
	pthread_t thread;

	fill(items, 2);
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&thread, NULL, interrupt, &tid);
	show("waitv", waitv(items, 2, 0, NULL, 0));
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, interrupt, &tid);
	show("wait", wait_word(words, 0, 1, SIZE_U32, NULL, 0));
	pthread_join(thread, NULL);
}

CASE(futex2_wait_wake)
{
	struct timespec zero = { 0, 0 };
	struct waiter one, two;

	start(&one, 1, 1);
	start(&two, 1, 6);
	show("no such bit", wake(words, 8, 9, SIZE_U32 | PRIVATE));
	show("bit of two", wake(words, 4, 9, SIZE_U32 | PRIVATE));
	finish("two", &two);
	show("count 0", wake(words, 1, 0, SIZE_U32 | PRIVATE));
	start(&two, 1, 1);
	show("count negative", wake(words, 1, -1, SIZE_U32 | PRIVATE));
	show("rest", wake(words, 1, 9, SIZE_U32 | PRIVATE));
	finish("one", &one);
	finish("two", &two);
	start(&one, 1, 1);
	start(&two, 1, 1);
	show("old call, negative", syscall(SYS_futex, words, 129, -1));
	show("old call, 0", syscall(SYS_futex, words, 129, 0));
	finish("one", &one);
	finish("two", &two);

	show("wake no bits", wake(words, 0, 1, SIZE_U32));
	show("wake wide bits", wake(words, 1UL << 32, 1, SIZE_U32));
	show("wake size 1", wake(words, 1, 1, 0));
	show("wake size 8", wake(words, 1, 1, 3));
	show("wake bad flag", wake(words, 1, 1, SIZE_U32 | 16));
	show("wake misaligned", wake((char *)words + 2, 1, 1, SIZE_U32));
	show("wake 0 misaligned", wake((char *)words + 2, 1, 0, SIZE_U32));
	show("wake unmapped", wake((void *)((uintptr_t)bad_ptr() & ~3UL), 1, 1, SIZE_U32));
	show("wake unmapped private",
	     wake((void *)((uintptr_t)bad_ptr() & ~3UL), 1, 1, SIZE_U32 | PRIVATE));
	show("wake kernel", wake((void *)((uintptr_t)kernel_ptr() & ~7UL), 1, 1, SIZE_U32 | PRIVATE));

	show("wait differs", wait_word(words, 1, 1, SIZE_U32, NULL, 77));
	show("wait times out", wait_word(words, 0, 1, SIZE_U32, &zero, CLOCK_REALTIME));
	show("wait clock", wait_word(words, 0, 1, SIZE_U32, &zero, 7));
	show("wait no bits", wait_word(words, 0, 0, SIZE_U32, &zero, 1));
	show("wait wide value", wait_word(words, 1UL << 32, 1, SIZE_U32, &zero, 1));
	show("wait wide bits", wait_word(words, 0, 1UL << 32, SIZE_U32, &zero, 1));
	show("wait bad flag", wait_word(words, 0, 1, SIZE_U32 | 32, &zero, 1));
	show("wait time EFAULT", wait_word(words, 0, 1, SIZE_U32, bad_ptr(), 1));
	show("wait no bits, time EFAULT", wait_word(words, 0, 0, SIZE_U32, bad_ptr(), 1));
}

CASE(futex2_requeue)
{
	struct waiter w[3];
	struct item items[2];

	for (int i = 0; i < 3; i++)
		start(&w[i], 1, 1);
	fill(items, 2);
	items[0].val = 4;
	show("other value", requeue(items, 0, 1, 1));
	items[0].val = 0;
	items[1].val = 4;
	show("wake 1, move 1", requeue(items, 0, 1, 1));
	show("at second", wake(&words[1], 1, 9, SIZE_U32 | PRIVATE));
	show("move the rest", requeue(items, 0, 0, 9));
	show("at first", wake(&words[0], 1, 9, SIZE_U32 | PRIVATE));
	show("at second", wake(&words[1], 1, 9, SIZE_U32 | PRIVATE));
	for (int i = 0; i < 3; i++)
		finish("waiter", &w[i]);

	show("flags", requeue(items, 1, 1, 1));
	show("null", requeue(NULL, 0, 1, 1));
	show("EFAULT", requeue(bad_ptr(), 0, 1, 1));
	show("negative", requeue(items, 0, -1, 1));
	show("negative", requeue(items, 0, 1, -1));
	items[1].flags = SIZE_U32;
	show("flags differ", requeue(items, 0, 1, 1));
	items[1].flags = SIZE_U32 | PRIVATE | MPOL;
	show("policy differs", requeue(items, 0, 1, 1));
	fill(items, 2);
	items[1].uaddr++;
	show("misaligned", requeue(items, 0, 1, 1));
	fill(items, 2);
	items[1].reserved = 1;
	show("reserved", requeue(items, 0, 1, 1));
	fill(items, 2);
	items[1].val = 1ULL << 40;
	show("wide value", requeue(items, 0, 1, 1));
}

/* The node of a word follows it; who leaves it open is told one. */
CASE(futex2_numa)
{
	struct timespec zero = { 0, 0 };

	words[1] = (uint32_t)-1;
	show("any node", wake(words, 1, 1, SIZE_U32 | NUMA));
	show_int("node", (int)words[1]);
	show("that node", wake(words, 1, 1, SIZE_U32 | NUMA | PRIVATE));
	words[1] = 99999;
	show("no such node", wake(words, 1, 1, SIZE_U32 | NUMA));
	show("wait there", wait_word(words, 0, 1, SIZE_U32 | NUMA, &zero, 1));
	show("misaligned", wake(&words[1], 1, 1, SIZE_U32 | NUMA));
	words[1] = (uint32_t)-1;
	show("by policy", wait_word(words, 0, 1, SIZE_U32 | NUMA | MPOL, &zero, 1));
	show_int("node", (int)words[1]);
	words[1] = (uint32_t)-1;
	show("policy only", wait_word(words, 0, 1, SIZE_U32 | MPOL, &zero, 1));
	show_int("node", (int)words[1]);
}
