/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp filters against the sentry: programs that contradict themselves, paths as long as
 * they may be under many tasks, and listeners that are read, answered, copied, passed and closed
 * from everywhere while calls wait for them.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long install(unsigned flags, struct sock_filter *insns, unsigned count)
{
	struct sock_fprog program = { (unsigned short)count, insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* --- programs ------------------------------------------------------------------------------- */

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX, BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA, BPF_ALU | BPF_NEG, BPF_ALU | BPF_ADD | BPF_X, BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X, BPF_ALU | BPF_DIV | BPF_X, BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X, BPF_ALU | BPF_MOD | BPF_X,
	BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGT | BPF_X, BPF_JMP | BPF_JSET | BPF_K,
	BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_W | BPF_IND, 0xffff,
};

static struct sock_filter wild_insn(uint64_t *state)
{
	static const uint32_t values[] = { 0, 1, 4, 15, 16, 31, 32, 60, 63, 64, 0x7fff0000, 0x50026,
					   0x7ff00000, 0x7fc00000, 0x80000000, 0xffffffff };
	uint32_t pick = random_next(state);

	return (struct sock_filter){
		.code = pick % 64 ? codes[pick / 64 % (sizeof(codes) / sizeof(codes[0]))]
				  : (uint16_t)random_next(state),
		.jt = (uint8_t)(random_next(state) % (pick % 8 ? 4 : 256)),
		.jf = (uint8_t)(random_next(state) % (pick % 8 ? 4 : 256)),
		.k = values[random_next(state) % 16],
	};
}

/* Whatever the filter says to each call; nothing needs the C library's way out. */
static int under_wild_filter(void *arg)
{
	static struct sock_filter insns[BPF_MAXINSNS + 1];
	uint64_t state = *(uint64_t *)arg;
	unsigned count = random_next(&state) % (random_next(&state) % 4 ? 12 : BPF_MAXINSNS + 1) + 1;

	for (int attempt = 0; attempt < 100; attempt++) {
		for (unsigned i = 0; i < count; i++)
			insns[i] = wild_insn(&state);
		insns[count - 1].code = BPF_RET | BPF_K;
		insns[count - 1].k = SECCOMP_RET_ALLOW;
		if (install(0, insns, count) != 0)
			continue;
		for (long nr = 0; nr < 20; nr++)
			syscall(SYS_getppid + nr % 3, state, nr, -1, 0, 1UL << 40, -1);
	}
	syscall(SYS_exit_group, 0);
	syscall(SYS_exit, 0);
	__builtin_trap();
}

void attack_filter_programs(void)
{
	for (uint64_t seed = 1; seed < (long_form() ? 500 : 60); seed++) {
		struct outcome o = in_child(under_wild_filter, &seed, 10000);

		if (o.timed_out)
			fail("wild filters, seed %llu: %s", (unsigned long long)seed, outcome_text(&o));
	}
}

/* --- long paths ----------------------------------------------------------------------------- */

/* Every call walks the whole path: nothing of it is constant. */
static long install_longest(void)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	unsigned count = 0;

	for (; count + 6 <= BPF_MAXINSNS; count += 3) {
		insns[count] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							    offsetof(struct seccomp_data, args[5]));
		insns[count + 1] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, count);
		insns[count + 2] = (struct sock_filter)BPF_STMT(BPF_ST, count % 16);
	}
	insns[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12345678, 0, 1);
	insns[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1);
	insns[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return install(0, insns, count);
}

static int under_long_path(void *arg)
{
	pid_t pids[16];
	int installed = 0, status;

	(void)arg;
	while (installed < 100000 && install_longest() == 0)
		installed++;
	CHECK(installed > 0 && installed < 100000 && errno == ENOMEM);
	for (int i = 0; i < 16; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (int n = 0; n < (long_form() ? 20000 : 500); n++)
				if (syscall(SYS_getppid) <= 0)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 16; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	return 0;
}

/* One process after the other: what a path took is given back. */
static int many_paths(void *arg)
{
	(void)arg;
	for (int i = 0; i < (long_form() ? 500 : 20); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			while (install_longest() == 0)
				;
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	}
	return 0;
}

void attack_filter_paths(void)
{
	struct outcome o = in_child(under_long_path, NULL, 60000);

	if (!exited_with(&o, 0))
		fail("calls under the longest path: %s", outcome_text(&o));
	o = in_child(many_paths, NULL, 60000);
	if (!exited_with(&o, 0))
		fail("many long paths: %s", outcome_text(&o));
}

/* --- listeners -------------------------------------------------------------------------------- */

#define CALLERS 6
#define SUPERVISORS 4

static _Atomic int listener; /* of the supervisors: closed and replaced by copies */
static _Atomic uint64_t last_id;
static _Atomic int over;

static long new_listener(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install(SECCOMP_FILTER_FLAG_NEW_LISTENER, insns, 4);
}

static void one_request(int fd, uint64_t *state)
{
	struct seccomp_notif request = { 0 };
	struct seccomp_notif_resp answer = { .id = atomic_load(&last_id) };
	struct seccomp_notif_addfd add = { .id = atomic_load(&last_id), .srcfd = (uint32_t)fd };
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	switch (random_next(state) % 8) {
	case 0:
	case 1:
	case 2:
		if (poll(&ready, 1, 5) == 1 && ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0)
			atomic_store(&last_id, request.id);
		break;
	case 3: /* a listener into the process that waits for it */
		add.srcfd = random_next(state) % 2 ? (uint32_t)fd : random_next(state) % 8;
		add.flags = random_next(state) % 4;
		add.newfd = add.flags & 1 ? random_next(state) % 300 : 0;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
		break;
	case 4:
		ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &answer.id);
		ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, (void *)8);
		break;
	case 5: { /* another copy, and the end of the old one under whoever uses it */
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

		if (copy >= 0)
			close(atomic_exchange(&listener, copy));
		break;
	}
	default:
		answer.id += random_next(state) % 8 ? 0 : 1;
		answer.flags = random_next(state) % 3 == 0;
		answer.error = answer.flags ? 0 : -(int)(random_next(state) % 5000);
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
		break;
	}
}

static void on_signal(int signo)
{
	(void)signo;
}

static void *supervise(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;

	while (!atomic_load(&over))
		one_request(atomic_load(&listener), &state);
	return NULL;
}

/* Makes calls that wait, for ever, with signals in between. */
static void call_for_ever(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &sa, NULL);
	for (;;)
		syscall(SYS_getppid);
}

static int listener_life(void *arg)
{
	uint64_t state = (uint64_t)*(int *)arg + 99;
	pthread_t threads[SUPERVISORS];
	pid_t callers[CALLERS];
	long fd = new_listener();

	CHECK(fd >= 0);
	atomic_store(&listener, (int)fd);
	sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = fork();
		if (callers[i] == 0) {
			/* Some hold the listener that they wait for. */
			if (i % 2)
				close((int)fd);
			call_for_ever();
		}
	}
	for (uintptr_t i = 0; i < SUPERVISORS; i++)
		if (pthread_create(&threads[i], NULL, supervise, (void *)(i + 1)) != 0)
			return 1;
	for (int i = 0; i < (long_form() ? 3000 : 300); i++) {
		kill(callers[1 + random_next(&state) % (CALLERS - 1)],
		     random_next(&state) % 100 ? SIGUSR1 : SIGKILL);
		sleep_ms(1);
	}
	atomic_store(&over, 1);
	for (int i = 0; i < CALLERS; i++)
		kill(callers[i], SIGKILL);
	for (int i = 0; i < CALLERS; i++)
		CHECK(waitpid(callers[i], NULL, 0) == callers[i]);
	/* Some may be in a receive, and no call comes any more. */
	for (int i = 0; i < SUPERVISORS; i++)
		while (pthread_tryjoin_np(threads[i], NULL) != 0) {
			pthread_kill(threads[i], SIGUSR2);
			sleep_ms(1);
		}
	close(atomic_load(&listener));
	return 0;
}

/* The listener's only holder dies while calls wait: they get ENOSYS. */
static int listener_death(void *arg)
{
	int pipefd[2];
	pid_t holder;
	char c;

	(void)arg;
	if (pipe(pipefd) < 0)
		return 1;
	holder = fork();
	if (holder == 0) {
		pid_t callers[CALLERS];
		long fd = new_listener();

		for (int i = 0; i < CALLERS; i++) {
			callers[i] = fork();
			if (callers[i] == 0) {
				close((int)fd);
				long rc = syscall(SYS_getppid);
				c = rc == -1 && errno == ENOSYS;
				(void)!write(pipefd[1], &c, 1);
				_exit(0);
			}
		}
		sleep_ms(20);
		raise(SIGKILL);
	}
	close(pipefd[1]);
	CHECK(waitpid(holder, NULL, 0) == holder);
	for (int i = 0; i < CALLERS; i++)
		CHECK(read(pipefd[0], &c, 1) == 1 && c == 1);
	return 0;
}

void attack_filter_listeners(void)
{
	for (int i = 0; i < (long_form() ? 20 : 3); i++) {
		struct outcome o = in_child(listener_life, &i, 30000);

		if (!exited_with(&o, 0))
			fail("a listener in many hands (%d): %s", i, outcome_text(&o));
		o = in_child(listener_death, NULL, 10000);
		if (!exited_with(&o, 0))
			fail("a listener's death: %s", outcome_text(&o));
	}
}
