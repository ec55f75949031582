/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues, keys, futexes of the newer calls, asynchronous I/O and sealed memory: wild
 * lengths, counts, addresses and flags, and two threads that make and unmake one object.  The sandbox
 * must outlive it, and what comes back must be what was put in.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define PAGE 4096UL
#define THREADS 2

static atomic_uint wrong;

/* Numbers that break sums, near every border. */
static uint64_t wild(uint64_t *state)
{
	static const uint64_t values[] = {
		0, 1, 2, 7, 8, 63, 64, 4095, 4096, 65535, 65536, INT32_MAX, 0x80000000UL,
		UINT32_MAX, 0x100000000UL, 0x7ffffffff000UL, 0x7fffe0000000UL, 0x800000000000UL,
		INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX - 4095, UINT64_MAX - 7, UINT64_MAX,
	};
	uint64_t value = values[random_next(state) % (sizeof(values) / sizeof(values[0]))];

	return random_next(state) % 4 ? value : value + random_next(state) % 64 - 32;
}

static unsigned turns(unsigned count)
{
	return long_form() ? count * 10 : count;
}

static int two_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, body, (void *)(i + 1)) != 0)
			return 1;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		fail("%u answers were not what had been put in", wrong);
	return verdict(0);
}

static void run(const char *what, int (*body)(void *))
{
	struct outcome o = in_child(body, NULL, long_form() ? 60000 : 20000);

	if (!exited_with(&o, 0))
		fail("%s: %s", what, outcome_text(&o));
}

/* --- message queues ------------------------------------------------------------------------ */

#define QUEUE "attack-queue"

struct message {
	uint32_t size, check;
	uint8_t fill[56];
};

static void send_message(long q, uint64_t *state)
{
	struct message m;
	struct timespec past = { 0, 0 };

	m.size = 8 + random_next(state) % (sizeof(m.fill) + 1);
	m.check = m.size * 2654435761U;
	memset(m.fill, (int)m.size, sizeof(m.fill));
	(void)!syscall(SYS_mq_timedsend, q, &m, m.size, random_next(state) % 8, &past);
}

static void receive_message(long q)
{
	struct timespec past = { 0, 0 };
	struct message m;
	long n = syscall(SYS_mq_timedreceive, q, &m, sizeof(m), NULL, &past);

	if (n < 0)
		return;
	if (n < 8 || m.size != (uint32_t)n || m.check != m.size * 2654435761U)
		atomic_fetch_add(&wrong, 1);
	for (long i = 0; i < n - 8; i++)
		if (m.fill[i] != (uint8_t)m.size)
			atomic_fetch_add(&wrong, 1);
}

static void wild_queue_call(long q, uint64_t *state)
{
	struct mq_attr attr = { .mq_flags = (long)(wild(state) | O_NONBLOCK), .mq_maxmsg = (long)wild(state),
				.mq_msgsize = (long)wild(state) };

	switch (random_next(state) % 5) {
	case 0:
		(void)!syscall(SYS_mq_timedsend, q, wild(state), wild(state), wild(state), wild(state));
		break;
	case 1: /* never to sleep: the time is wrong or past */
		(void)!syscall(SYS_mq_timedreceive, q, wild(state), wild(state) | PAGE, wild(state), 1);
		break;
	case 2:
		(void)!syscall(SYS_mq_notify, q, wild(state));
		break;
	case 3:
		(void)!syscall(SYS_mq_getsetattr, q, random_next(state) & 1 ? (uint64_t)&attr : wild(state),
			 wild(state));
		break;
	default:
		(void)!syscall(SYS_mq_open, random_next(state) & 1 ? (uint64_t) "attack-wild" : wild(state),
			 O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
		(void)!syscall(SYS_mq_unlink, "attack-wild");
		break;
	}
}

static void *use_queue(void *arg)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = sizeof(struct message) };
	uint64_t state = (uintptr_t)arg * 7919;
	long q = -1;

	for (unsigned i = 0; i < turns(4000); i++) {
		if (q < 0)
			q = syscall(SYS_mq_open, QUEUE, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
		switch (random_next(&state) % 8) {
		case 0:
			(void)!syscall(SYS_mq_unlink, QUEUE);
			break;
		case 1:
			close((int)q);
			q = -1;
			break;
		case 2:
			wild_queue_call(q, &state);
			break;
		case 3:
		case 4:
			receive_message(q);
			break;
		default:
			send_message(q, &state);
			break;
		}
	}
	(void)!syscall(SYS_mq_unlink, QUEUE);
	return NULL;
}

static int queue_races(void *arg)
{
	(void)arg;
	return two_threads(use_queue);
}

void attack_queue_races(void)
{
	run("message queues", queue_races);
}

/* --- keys ------------------------------------------------------------------------------------- */

#define KEY_TEXT "the payload of one key" /* no multiple of a serial's size */

static atomic_int shared_keys[8]; /* serials that either thread may spoil */

static void make_key(uint64_t *state)
{
	char name[32];
	const char *type = random_next(state) & 1 ? "user" : "keyring";
	bool user = !strcmp(type, "user");
	unsigned slot = random_next(state) % 8;
	long serial;

	snprintf(name, sizeof(name), "attack-%u", slot);
	serial = syscall(SYS_add_key, type, name, user ? KEY_TEXT : NULL, user ? strlen(KEY_TEXT) : 0,
			 KEY_SPEC_PROCESS_KEYRING);
	if (serial > 0)
		atomic_store(&shared_keys[slot], (int)serial);
}

static void read_key(int serial)
{
	char text[64];
	long n = syscall(SYS_keyctl, KEYCTL_READ, serial, text, sizeof(text), 0);

	/* A keyring gives serials, of another size. */
	if (n == (long)strlen(KEY_TEXT) && memcmp(text, KEY_TEXT, (size_t)n) != 0)
		atomic_fetch_add(&wrong, 1);
}

/* Where a serial would be taken for an address, which may be ours, and be written to. */
static bool writes_memory(int op)
{
	return op == KEYCTL_READ || op == KEYCTL_DESCRIBE || op == KEYCTL_GET_SECURITY ||
	       op == KEYCTL_CAPABILITIES;
}

static void wild_key_call(int serial, uint64_t *state)
{
	static const int operations[] = {
		KEYCTL_GET_KEYRING_ID, KEYCTL_UPDATE, KEYCTL_REVOKE, KEYCTL_CHOWN, KEYCTL_SETPERM,
		KEYCTL_DESCRIBE, KEYCTL_CLEAR, KEYCTL_LINK, KEYCTL_UNLINK, KEYCTL_SEARCH,
		KEYCTL_READ, KEYCTL_INSTANTIATE, KEYCTL_NEGATE, KEYCTL_SET_REQKEY_KEYRING,
		KEYCTL_SET_TIMEOUT, KEYCTL_ASSUME_AUTHORITY, KEYCTL_GET_SECURITY,
		KEYCTL_SESSION_TO_PARENT, KEYCTL_REJECT, KEYCTL_INSTANTIATE_IOV, KEYCTL_INVALIDATE,
		KEYCTL_GET_PERSISTENT, KEYCTL_CAPABILITIES, 99,
	};
	int op = operations[random_next(state) % (sizeof(operations) / sizeof(operations[0]))];
	int other = atomic_load(&shared_keys[random_next(state) % 8]);

	bool key = op != KEYCTL_CAPABILITIES && random_next(state) % 4;

	/* The second argument is where another key or an address stands. */
	(void)!syscall(SYS_keyctl, op, key ? (uint64_t)serial : wild(state),
		 !writes_memory(op) && random_next(state) & 1 ? (uint64_t)other : wild(state), wild(state),
		 wild(state));
	if (random_next(state) % 8 == 0)
		(void)!syscall(SYS_add_key, "user", "attack-wild", wild(state), wild(state),
			 KEY_SPEC_THREAD_KEYRING);
	if (random_next(state) % 8 == 0)
		(void)!syscall(SYS_request_key, wild(state), wild(state), wild(state), wild(state));
}

static void *use_keys(void *arg)
{
	uint64_t state = (uintptr_t)arg * 104729;

	for (unsigned i = 0; i < turns(4000); i++) {
		int serial = atomic_load(&shared_keys[random_next(&state) % 8]);

		switch (random_next(&state) % 6) {
		case 0:
			make_key(&state);
			break;
		case 1: /* nets of keyrings, circles included */
			(void)!syscall(SYS_keyctl, KEYCTL_LINK, serial,
				 atomic_load(&shared_keys[random_next(&state) % 8]));
			break;
		case 2:
			(void)!syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, "user",
				 "attack-3", 0);
			break;
		case 3:
			wild_key_call(serial, &state);
			break;
		default:
			read_key(serial);
			break;
		}
	}
	return NULL;
}

static int key_races(void *arg)
{
	(void)arg;
	/* The process keyring is both threads'. */
	(void)!syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
	return two_threads(use_keys);
}

void attack_key_races(void)
{
	run("keys", key_races);
}

/* --- futexes --------------------------------------------------------------------------------- */

struct waitv {
	uint64_t value, addr;
	uint32_t flags, reserved;
};

static uint32_t words[8];

static void wild_futex_call(uint64_t *state)
{
	struct waitv v[4];
	struct timespec past = { 0, 1 };

	for (unsigned i = 0; i < 4; i++)
		v[i] = (struct waitv){ wild(state), random_next(state) & 1 ? (uint64_t)&words[i] : wild(state),
				       random_next(state) & 1 ? 0x82 : (uint32_t)wild(state), 0 };
	switch (random_next(state) % 4) {
	case 0: /* an absolute time long past: never sleeps */
		(void)!syscall(SYS_futex_waitv, random_next(state) & 1 ? (uint64_t)v : wild(state), wild(state),
			 wild(state), &past, 1);
		break;
	case 1:
		(void)!syscall(SYS_futex_wake, wild(state), wild(state), wild(state), wild(state));
		break;
	case 2:
		(void)!syscall(SYS_futex_wait, wild(state), wild(state), wild(state), wild(state), &past, 1);
		break;
	default:
		(void)!syscall(SYS_futex_requeue, random_next(state) & 1 ? (uint64_t)v : wild(state), wild(state),
			 wild(state), wild(state));
		break;
	}
}

static void wait_a_moment(uint64_t *state)
{
	struct timespec until;
	struct waitv v[3];

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 200000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	for (unsigned i = 0; i < 3; i++)
		v[i] = (struct waitv){ 0, (uint64_t)&words[random_next(state) % 8], 0x82, 0 };
	long rc = syscall(SYS_futex_waitv, v, 3, 0, &until, CLOCK_MONOTONIC);
	if (rc > 2 || (rc < 0 && errno != ETIMEDOUT && errno != EAGAIN))
		atomic_fetch_add(&wrong, 1);
}

static void *use_futexes(void *arg)
{
	uint64_t state = (uintptr_t)arg * 15485863;

	for (unsigned i = 0; i < turns(3000); i++) {
		struct waitv pair[2] = { { 0, (uint64_t)&words[random_next(&state) % 8], 0x82, 0 },
					 { 0, (uint64_t)&words[random_next(&state) % 8], 0x82, 0 } };

		switch (random_next(&state) % 6) {
		case 0:
			wait_a_moment(&state);
			break;
		case 1:
			(void)!syscall(SYS_futex_requeue, pair, 0, 1, 4);
			break;
		case 2: /* the words as locks, in between */
			(void)!syscall(SYS_futex, &words[random_next(&state) % 8], 8 /* TRYLOCK_PI */ | 128, 0, NULL);
			(void)!syscall(SYS_futex, &words[random_next(&state) % 8], 7 /* UNLOCK_PI */ | 128, 0, NULL);
			__atomic_store_n(&words[random_next(&state) % 8], 0, __ATOMIC_SEQ_CST);
			break;
		case 3:
			wild_futex_call(&state);
			break;
		default:
			(void)!syscall(SYS_futex_wake, &words[random_next(&state) % 8], UINT64_MAX, 8, 0x82);
			break;
		}
	}
	return NULL;
}

static int futex_races(void *arg)
{
	(void)arg;
	return two_threads(use_futexes);
}

void attack_futex_races(void)
{
	run("futexes", futex_races);
}

/* --- asynchronous I/O ---------------------------------------------------------------------------- */

static atomic_ulong shared_context;
static int aio_file, aio_pipe[2];

static void submit_some(uint64_t *state)
{
	static const uint16_t operations[] = { 0, 1, 2, 3, 5, 5, 5, 7, 8, 6, 99 };
	static __thread struct iocb cb[8];
	static __thread char data[PAGE];
	struct iocb *list[8];
	bool is_wild = random_next(state) % 4 == 0;

	for (unsigned i = 0; i < 8; i++) {
		uint16_t op = operations[random_next(state) % 11];

		cb[i] = (struct iocb){ .aio_lio_opcode = op, .aio_data = i,
				       .aio_fildes = (uint32_t)(op == 5 ? aio_pipe[0] : aio_file) };
		if (op == 5)
			cb[i].aio_buf = 1; /* POLLIN */
		else if (op < 2)
			cb[i].aio_buf = (uint64_t)data, cb[i].aio_nbytes = 100;
		if (is_wild) {
			cb[i].aio_buf = wild(state);
			cb[i].aio_nbytes = wild(state) & ~0xfff00000UL;
			cb[i].aio_offset = (int64_t)wild(state);
			cb[i].aio_flags = (uint32_t)wild(state);
			cb[i].aio_resfd = (uint32_t)wild(state);
		}
		list[i] = random_next(state) % 32 ? &cb[i] : (struct iocb *)wild(state);
	}
	(void)!syscall(SYS_io_submit, atomic_load(&shared_context), 8, list);
	if (random_next(state) % 4 == 0)
		(void)!syscall(SYS_io_cancel, atomic_load(&shared_context), &cb[random_next(state) % 8], data);
}

static void take_some(uint64_t *state)
{
	struct timespec soon = { 0, 100000 };
	struct io_event e[16];
	long n = syscall(SYS_io_getevents, atomic_load(&shared_context), (long)(random_next(state) % 3), 16L,
			 e, &soon);

	for (long i = 0; i < n; i++)
		if (e[i].data > 7)
			atomic_fetch_add(&wrong, 1);
	if (random_next(state) % 8 == 0)
		(void)!syscall(SYS_io_getevents, atomic_load(&shared_context), wild(state) & 1, wild(state),
			 wild(state), &soon);
}

static void *use_aio(void *arg)
{
	uint64_t state = (uintptr_t)arg * 32452843;
	char byte = 0;

	for (unsigned i = 0; i < turns(2000); i++) {
		aio_context_t ctx = 0;

		switch (random_next(&state) % 8) {
		case 0: /* whoever comes second destroys the first one's */
			if (syscall(SYS_io_setup, 1 + random_next(&state) % 64, &ctx) == 0)
				ctx = atomic_exchange(&shared_context, ctx);
			if (ctx)
				(void)!syscall(SYS_io_destroy, ctx);
			break;
		case 1:
			(void)!syscall(SYS_io_destroy, random_next(&state) & 1 ? wild(&state)
								    : atomic_load(&shared_context));
			(void)!syscall(SYS_io_setup, wild(&state), wild(&state));
			break;
		case 2:
			(void)!write(aio_pipe[1], &byte, 1);
			break;
		case 3:
			(void)!read(aio_pipe[0], &byte, 1);
			break;
		case 4:
		case 5:
			take_some(&state);
			break;
		default:
			submit_some(&state);
			break;
		}
	}
	return NULL;
}

static int aio_races(void *arg)
{
	(void)arg;
	aio_file = open("/tmp/attack-aio", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (aio_file < 0 || pipe2(aio_pipe, O_NONBLOCK | O_CLOEXEC))
		return 1;
	unlink("/tmp/attack-aio");
	return two_threads(use_aio);
}

void attack_aio_races(void)
{
	run("asynchronous I/O", aio_races);
}

/* --- sealed memory -------------------------------------------------------------------------------- */

static uint8_t *sealed;

static void *attack_seal(void *arg)
{
	uint64_t state = (uintptr_t)arg * 86028121;

	for (unsigned i = 0; i < turns(2000); i++) {
		uint8_t *at = sealed + random_next(&state) % 12 * PAGE;
		size_t size = (1 + random_next(&state) % 6) * PAGE;
		struct iovec v[2] = { { at, size }, { (void *)wild(&state), wild(&state) } };

		switch (random_next(&state) % 7) {
		case 0:
			mprotect(at, size, PROT_NONE);
			break;
		case 1:
			(void)!mremap(at, size, size + PAGE, MREMAP_MAYMOVE);
			break;
		case 2:
			(void)!mremap(sealed + 20 * PAGE, PAGE, size, MREMAP_MAYMOVE | MREMAP_FIXED, at);
			break;
		case 3:
			madvise(at, size, 4 /* DONTNEED */);
			(void)!syscall(SYS_process_madvise, -10000, v, 2, 4, 0);
			(void)!syscall(SYS_process_madvise, wild(&state), wild(&state), wild(&state), wild(&state), 0);
			break;
		case 4:
			(void)!syscall(SYS_mseal, wild(&state), wild(&state), 0);
			(void)!syscall(SYS_remap_file_pages, at, size, 0, wild(&state), 0);
			break;
		case 5:
			(void)!mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		default:
			munmap(at, size);
			break;
		}
	}
	return NULL;
}

/* Four pages of twelve are sealed and read-only; all the rest may go. */
static int seal_races(void *arg)
{
	(void)arg;
	sealed = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(sealed, 0x5a, 64 * PAGE);
	mprotect(sealed + 4 * PAGE, 4 * PAGE, PROT_READ);
	if (syscall(SYS_mseal, sealed + 4 * PAGE, 4 * PAGE, 0))
		return 1;
	two_threads(attack_seal);
	for (size_t i = 4 * PAGE; i < 8 * PAGE; i++)
		CHECK(sealed[i] == 0x5a);
	return verdict(0);
}

void attack_seal_races(void)
{
	run("sealed memory", seal_races);
}
