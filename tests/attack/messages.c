/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SysV message queues up to their limits, and queues that are filled, emptied, changed and removed
 * by everybody at once while others sleep in them.
 */
#include "attack.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUES 8
#define PLAYERS 8
#define TEXT_MAX 8192

struct message {
	long type;
	char text[TEXT_MAX];
};

/* --- limits ---------------------------------------------------------------------------------- */

static int one_full_queue(void)
{
	static struct message m = { .type = 1 };
	int id = msgget(IPC_PRIVATE, 0600), sent = 0;
	struct msqid_ds ds;

	CHECK(id >= 0);
	/* Without text a message costs the sentry something, too. */
	while (sent < 1000000 && msgsnd(id, &m, 0, IPC_NOWAIT) == 0)
		sent++;
	CHECK(errno == EAGAIN && sent < 1000000);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qnum == (msgqnum_t)sent);
	/* More than the system's limit is not the guest's to ask for. */
	ds.msg_qbytes = (msglen_t)1 << 30;
	CHECK(msgctl(id, IPC_SET, &ds) == -1 && errno == EPERM);
	/* What is in it stays when there is no room any more. */
	ds.msg_qbytes = 0;
	CHECK(msgctl(id, IPC_SET, &ds) == 0);
	CHECK(msgsnd(id, &m, 0, IPC_NOWAIT) == -1 && errno == EAGAIN);
	for (int i = 0; i < sent; i++)
		if (msgrcv(id, &m, 0, i % 2 ? 0 : -5, IPC_NOWAIT) != 0) {
			fail("message %d of %d: %s", i, sent, strerror(errno));
			break;
		}
	CHECK(msgsnd(id, &m, (size_t)-1, IPC_NOWAIT) == -1 && errno == EINVAL);
	CHECK(msgsnd(id, &m, TEXT_MAX + 1, IPC_NOWAIT) == -1 && errno == EINVAL);
	return msgctl(id, IPC_RMID, NULL);
}

static int flood(void *arg)
{
	static struct message m = { .type = 7 };
	static int ids[100000];
	int count = 0;

	(void)arg;
	CHECK(one_full_queue() == 0);
	/* All queues there may be; a few of them full. */
	while (count < 100000 && (ids[count] = msgget(IPC_PRIVATE, 0600)) >= 0) {
		do
			if (msgsnd(ids[count], &m, TEXT_MAX, IPC_NOWAIT) < 0)
				break;
		while (count % 64 == 0);
		count++;
	}
	CHECK(count > 0 && count < 100000 && errno == ENOSPC);
	for (int i = 0; i < count; i++)
		CHECK(msgctl(ids[i], IPC_RMID, NULL) == 0);
	for (int i = 0; i < count; i += 100)
		CHECK(msgctl(ids[i], IPC_RMID, NULL) == -1 && errno == EINVAL);
	return one_full_queue();
}

void attack_message_flood(void)
{
	struct outcome o = in_child(flood, NULL, 80000);

	if (!exited_with(&o, 0))
		fail("message queues up to their limits: %s", outcome_text(&o));
}

/* --- races ------------------------------------------------------------------------------------ */

static volatile int *queues;

static void on_wake_up(int signo)
{
	(void)signo;
}

static void one_turn(uint64_t *state)
{
	static struct message m;
	unsigned index = random_next(state) % QUEUES;
	int id = queues[index], flags = random_next(state) % 4 ? IPC_NOWAIT : 0;
	struct msqid_ds ds;
	ssize_t size;

	m.type = 1 + random_next(state) % 5;
	/* The text tells the receiver what it must be. */
	size = random_next(state) % TEXT_MAX;
	switch (random_next(state) % 10) {
	case 0:
		msgctl(id, IPC_RMID, NULL);
		queues[index] = msgget(IPC_PRIVATE, 0666);
		break;
	case 1:
		if (msgctl(id, IPC_STAT, &ds) == 0) {
			ds.msg_qbytes = random_next(state) % 16384;
			msgctl(id, IPC_SET, &ds);
		}
		break;
	case 2:
		msgctl((int)random_next(state), MSG_STAT, &ds);
		msgrcv(id, &m, TEXT_MAX, (long)(random_next(state) % 4), MSG_COPY | IPC_NOWAIT);
		break;
	case 3:
	case 4:
	case 5:
		memset(m.text, (int)m.type, (size_t)size);
		msgsnd(id, &m, (size_t)size, flags);
		break;
	default:
		size = msgrcv(id, &m, TEXT_MAX, (long)(random_next(state) % 9) - 4, flags);
		for (ssize_t i = 0; i < size; i++)
			if (m.text[i] != (char)m.type) {
				fail("a message of another's text");
				break;
			}
		break;
	}
}

static int play(uint64_t seed)
{
	uint64_t state = seed;

	for (int i = 0; i < (long_form() ? 100000 : 5000); i++)
		one_turn(&state);
	return 0;
}

static int race(void *arg)
{
	struct sigaction sa = { .sa_handler = on_wake_up };
	pid_t pids[PLAYERS];
	int left = PLAYERS, failed = 0;

	(void)arg;
	sigaction(SIGUSR1, &sa, NULL);
	queues = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < QUEUES; i++)
		queues[i] = msgget(IPC_PRIVATE, 0666);
	for (int i = 0; i < PLAYERS; i++)
		pids[i] = fork() ?: (_exit(verdict(play((uint64_t)i + 1))), 0);
	/* The last ones sleep for nobody: signals wake them. */
	while (left > 0) {
		for (int i = 0; i < PLAYERS; i++) {
			int status;

			if (pids[i] <= 0)
				continue;
			if (waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				pids[i] = 0;
				left--;
				failed += status != 0;
			} else {
				kill(pids[i], SIGUSR1);
			}
		}
		sleep_ms(2);
	}
	for (int i = 0; i < QUEUES; i++)
		msgctl(queues[i], IPC_RMID, NULL);
	return failed;
}

void attack_message_races(void)
{
	struct outcome o = in_child(race, NULL, long_form() ? 200000 : 60000);

	if (!exited_with(&o, 0))
		fail("racing for messages: %s", outcome_text(&o));
}
