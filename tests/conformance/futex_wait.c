/* SPDX-License-Identifier: Apache-2.0
 *
 * futex(2): wait and wake with all their variants, requeue, wake_op, and errors.
 */
#include "conformance.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>

static uint32_t word_a, word_b;

static long futex(uint32_t *addr, int op, uint32_t val, const struct timespec *timeout,
		  uint32_t *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static long futex_count(uint32_t *addr, int op, uint32_t val, unsigned long val2, uint32_t *addr2,
			uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, val2, addr2, val3);
}

struct waiter {
	pthread_t thread;
	uint32_t *addr;
	uint32_t bits;
	pid_t tid;
	long result;
	int error;
};

static void *waiter_main(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, get_tid(), __ATOMIC_SEQ_CST);
	waiter->result = futex(waiter->addr, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL,
			       waiter->bits);
	waiter->error = errno;
	return NULL;
}

static void start_waiter(struct waiter *waiter, uint32_t *addr, uint32_t bits)
{
	*waiter = (struct waiter){ .addr = addr, .bits = bits };
	if (pthread_create(&waiter->thread, NULL, waiter_main, waiter) != 0)
		skip("no threads");
	while (__atomic_load_n(&waiter->tid, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	wait_blocked(getpid(), waiter->tid);
}

static void finish_waiter(const char *label, struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	errno = waiter->error;
	show(label, waiter->result);
}

CASE(futex_eagain)
{
	word_a = 1;
	show("wait other value", futex(&word_a, FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait private other value", futex(&word_a, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0));
	show("cmp_requeue other value", futex_count(&word_a, FUTEX_CMP_REQUEUE, 1, 1, &word_b, 0));
	show("wake nobody", futex(&word_a, FUTEX_WAKE, 1, NULL, NULL, 0));
}

CASE(futex_timeouts)
{
	struct timespec zero = { 0, 0 }, some = { 0, 20000000 }, bad = { 0, 1000000000 },
			negative = { -1, 0 };
	struct timespec past = { 1, 0 };

	show("zero", futex(&word_a, FUTEX_WAIT, 0, &zero, NULL, 0));
	long long before = now_ms();
	show("20 ms", futex(&word_a, FUTEX_WAIT_PRIVATE, 0, &some, NULL, 0));
	show_int("waited", now_ms() - before >= 19);
	show("bad nsec", futex(&word_a, FUTEX_WAIT, 0, &bad, NULL, 0));
	show("negative", futex(&word_a, FUTEX_WAIT, 0, &negative, NULL, 0));
	show("bitset absolute in the past",
	     futex(&word_a, FUTEX_WAIT_BITSET, 0, &past, NULL, FUTEX_BITSET_MATCH_ANY));
	show("bitset realtime in the past", futex(&word_a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
						  0, &past, NULL, FUTEX_BITSET_MATCH_ANY));
	show("bad timeout pointer", futex(&word_a, FUTEX_WAIT, 0, bad_ptr(), NULL, 0));
}

CASE(futex_errors)
{
	show("wait EFAULT", futex(kernel_ptr(), FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait unmapped",
	     futex((uint32_t *)((uintptr_t)bad_ptr() + 3), FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait misaligned", futex(bad_ptr(), FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wake misaligned", futex(bad_ptr(), FUTEX_WAKE, 1, NULL, NULL, 0));
	show("wake private unmapped",
	     futex((uint32_t *)((uintptr_t)bad_ptr() + 3), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show("wake shared unmapped",
	     futex((uint32_t *)((uintptr_t)bad_ptr() + 3), FUTEX_WAKE, 1, NULL, NULL, 0));
	show("wait no bits", futex(&word_a, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	show("wake no bits", futex(&word_a, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	show("bad op", futex(&word_a, 77, 0, NULL, NULL, 0));
	show("bad op 2", futex(&word_a, FUTEX_FD, 0, NULL, NULL, 0));
	show("wake with realtime",
	     futex(&word_a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
	show("requeue negative",
	     futex_count(&word_a, FUTEX_REQUEUE, 1, (unsigned long)-1, &word_b, 0));
	show("requeue EFAULT", futex_count(&word_a, FUTEX_REQUEUE, 1, 1, kernel_ptr(), 0));
	show("unlock_pi not owner", futex(&word_a, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
}

CASE(futex_wake_one_and_all)
{
	struct waiter waiters[3];

	for (int i = 0; i < 3; i++)
		start_waiter(&waiters[i], &word_a, FUTEX_BITSET_MATCH_ANY);
	show("wake 1", futex(&word_a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show("wake all", futex(&word_a, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	show("wake none left", futex(&word_a, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		finish_waiter("waiter", &waiters[i]);
}

CASE(futex_bitset)
{
	struct waiter one, two;

	start_waiter(&one, &word_a, 1);
	start_waiter(&two, &word_a, 2);
	show("wake bit 4", futex(&word_a, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4));
	show("wake bit 2", futex(&word_a, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2));
	finish_waiter("two", &two);
	show("wake bit 3", futex(&word_a, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 3));
	finish_waiter("one", &one);
}

CASE(futex_requeue)
{
	struct waiter waiters[4];

	for (int i = 0; i < 4; i++)
		start_waiter(&waiters[i], &word_a, FUTEX_BITSET_MATCH_ANY);
	show("wake 1, move 2", futex_count(&word_a, FUTEX_REQUEUE_PRIVATE, 1, 2, &word_b, 0));
	show("wake at b", futex(&word_b, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	show("wake at a", futex(&word_a, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	for (int i = 0; i < 4; i++)
		finish_waiter("waiter", &waiters[i]);
}

CASE(futex_cmp_requeue)
{
	struct waiter waiters[3];

	for (int i = 0; i < 3; i++)
		start_waiter(&waiters[i], &word_a, FUTEX_BITSET_MATCH_ANY);
	show("other value", futex_count(&word_a, FUTEX_CMP_REQUEUE_PRIVATE, 1, 5, &word_b, 9));
	show("wake 1, move rest",
	     futex_count(&word_a, FUTEX_CMP_REQUEUE_PRIVATE, 1, INT_MAX, &word_b, 0));
	show("wake at a", futex(&word_a, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	show("wake at b", futex(&word_b, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		finish_waiter("waiter", &waiters[i]);
}

CASE(futex_wake_op)
{
	struct waiter one, two;

	word_b = 5;
	start_waiter(&one, &word_a, FUTEX_BITSET_MATCH_ANY);
	show("add 1, wake b if 7", futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 0, 1, &word_b,
					       FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 7)));
	show_int("b", word_b);
	show("set 9, wake a", futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &word_b,
					  FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_GT, 100)));
	show_int("b", word_b);
	finish_waiter("one", &one);
	word_b = 0;
	start_waiter(&two, &word_b, FUTEX_BITSET_MATCH_ANY);
	show("or 12, wake b if below 1",
	     futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 1, 1, &word_b,
			 FUTEX_OP(FUTEX_OP_OR, 12, FUTEX_OP_CMP_LT, 1)));
	show_int("b", word_b);
	finish_waiter("two", &two);
	show("andn 4", futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 0, 0, &word_b,
				   FUTEX_OP(FUTEX_OP_ANDN, 4, FUTEX_OP_CMP_EQ, 0)));
	show_int("b", word_b);
	show("xor 1<<3",
	     futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 0, 0, &word_b,
			 FUTEX_OP((FUTEX_OP_XOR | FUTEX_OP_OPARG_SHIFT), 3, FUTEX_OP_CMP_EQ, 0)));
	show_int("b", word_b);
	show("bad address", futex_count(&word_a, FUTEX_WAKE_OP_PRIVATE, 0, 0, kernel_ptr(),
					FUTEX_OP(FUTEX_OP_SET, 4, FUTEX_OP_CMP_EQ, 0)));
}

CASE(futex_shared_between_processes)
{
	uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	MUST((long)shared);
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		while (__atomic_load_n(shared, __ATOMIC_SEQ_CST) == 0)
			futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit((int)*shared);
	}
	wait_blocked(pid, pid);
	show("private wake does not reach it", futex(shared, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	__atomic_store_n(shared, 7, __ATOMIC_SEQ_CST);
	show("wake", futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0));
	show_wait("waiter", pid);
}

CASE(futex_file_mapping_key)
{
	write_file("f", "0123456789", 0600);
	int fd = (int)MUST(open("f", O_RDWR));
	MUST(ftruncate(fd, 4096));
	uint32_t *one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint32_t *two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	one[4] = 0;
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		while (__atomic_load_n(&one[4], __ATOMIC_SEQ_CST) == 0)
			futex(&one[4], FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(3);
	}
	wait_blocked(pid, pid);
	__atomic_store_n(&two[4], 1, __ATOMIC_SEQ_CST);
	show("wake through the other mapping", futex(&two[4], FUTEX_WAKE, 1, NULL, NULL, 0));
	show_wait("waiter", pid);
}

static void on_signal(int sig)
{
	note("handler %d", sig);
}

CASE(futex_interrupted)
{
	struct sigaction plain = { .sa_handler = on_signal },
			 restart = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pid_t parent = getpid();

	MUST(sigaction(SIGUSR1, &plain, NULL));
	MUST(sigaction(SIGUSR2, &restart, NULL));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		wait_blocked(parent, parent);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	show("wait, plain handler", futex(&word_a, FUTEX_WAIT, 0, NULL, NULL, 0));
	show_wait("sender", pid);
	struct timespec timeout = { 0, 600000000 };
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		wait_blocked(parent, parent);
		kill(parent, SIGUSR2);
		_exit(0);
	}
	show("timed wait, SA_RESTART", futex(&word_a, FUTEX_WAIT, 0, &timeout, NULL, 0));
	show_wait("sender", pid);
}

/* A word that somebody waits for otherwise is no lock. */
CASE(futex_lock_pi_of_a_plain_word)
{
	static const uint32_t tid_words[] = { 0, FUTEX_OWNER_DIED };
	struct waiter waiter;

	for (size_t i = 0; i < ARRAY_SIZE(tid_words); i++) {
		word_a = 0;
		start_waiter(&waiter, &word_a, 1);
		word_a = tid_words[i];
		show("lock", futex(&word_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show("trylock", futex(&word_a, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show("another word", futex(&word_b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show("unlock that", futex(&word_b, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		word_a = (uint32_t)get_tid();
		show("lock own", futex(&word_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show("unlock", futex(&word_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show_int("word unchanged", word_a == (uint32_t)get_tid());
		word_a = 1;
		show("of init", futex(&word_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show_hex("word", word_a);
		show("wake", futex(&word_a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
		finish_waiter("waiter", &waiter);
		word_a = 0;
		show("lock", futex(&word_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		show("unlock", futex(&word_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	}
}
