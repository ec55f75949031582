/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudoterminals that many threads and sessions open, feed, hang up and close at the same
 * time, in whatever modes.  Nothing has an expected result but the end: every thread and process comes
 * back, and a new pair is an ordinary terminal.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PAIRS 4
#define THREADS 8
#define ENDS (2 * PAIRS)
#define TIOCSIG_ 0x40045436

/* Shared by the threads: a number is used when another thread closes it, or it is another file. */
static _Atomic int ends[ENDS];
static unsigned turns;

/* --- one pair ------------------------------------------------------------------------------- */

static int master_open(void)
{
	int zero = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (master >= 0)
		ioctl(master, TIOCSPTLCK, &zero);
	return master;
}

static int slave_open(int master, int flags)
{
	char path[32];
	unsigned number;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%u", number);
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | flags);
}

/* A line goes through, in both directions. */
static void judge_terminal(void)
{
	int master = master_open(), slave = master < 0 ? -1 : slave_open(master, O_NOCTTY);
	char buf[16] = "";

	CHECK(master >= 0 && slave >= 0);
	CHECK(write(master, "abc\n", 4) == 4);
	CHECK(read(slave, buf, sizeof(buf)) == 4 && memcmp(buf, "abc\n", 4) == 0);
	CHECK(read(master, buf, sizeof(buf)) == 5 && memcmp(buf, "abc\r\n", 5) == 0);
	close(slave);
	CHECK(read(master, buf, sizeof(buf)) == -1 && errno == EIO);
	close(master);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void replace(unsigned index, int fd)
{
	int old = atomic_exchange(&ends[index], fd);

	if (old >= 0)
		close(old);
}

/* Modes at random, but none that would make the judgement of others wait: VTIME is short. */
static void wild_modes(int fd, uint64_t *state)
{
	struct termios t;
	static const unsigned long requests[] = { TCSETS, TCSETSF };

	if (ioctl(fd, TCGETS, &t) < 0)
		return;
	t.c_iflag = random_next(state);
	t.c_oflag = random_next(state);
	t.c_lflag = random_next(state);
	for (int i = 0; i < NCCS; i++)
		t.c_cc[i] = (cc_t)random_next(state);
	t.c_cc[VTIME] = 1;
	ioctl(fd, requests[random_next(state) % 2], &t);
}

static void feed(int fd, uint64_t *state)
{
	static const char controls[] = "\x03\x04\x11\x13\x16\x1a\x1c\x7f\n\r\t\xff\xc3\xa4 a";
	char buf[4096];
	size_t size = random_next(state) % sizeof(buf);

	for (size_t i = 0; i < size; i++)
		buf[i] = controls[random_next(state) % (sizeof(controls) - 1)];
	if (write(fd, buf, size) < 0 && errno == EBADF)
		return;
	(void)!read(fd, buf, sizeof(buf));
}

static void one_ioctl(int fd, uint64_t *state)
{
	static const unsigned long requests[] = {
		TIOCSTI, TIOCSWINSZ, TIOCGWINSZ, TIOCSCTTY, TIOCNOTTY, TIOCSPGRP, TIOCGPGRP,
		TIOCGSID, TCFLSH, TCXONC, TIOCPKT, TIOCEXCL, TIOCNXCL, TIOCSETD, TIOCOUTQ,
		FIONREAD, TIOCVHANGUP, TIOCSIG_, TCSBRK, TIOCGPTPEER, TIOCCONS, FIONBIO,
	};
	unsigned long request = requests[random_next(state) % (sizeof(requests) / sizeof(requests[0]))];
	uint32_t words[8];

	for (int i = 0; i < 8; i++)
		words[i] = random_next(state) % 4 ? random_next(state) % 70 : random_next(state);
	/* By value or by pointer, good or not. */
	if (request == TCFLSH || request == TCXONC || request == TIOCSIG_ || random_next(state) % 8 == 0)
		ioctl(fd, request, (unsigned long)(random_next(state) % 5));
	else if (request == FIONBIO)
		ioctl(fd, request, &(int){ 1 });
	else {
		int rc = ioctl(fd, request, words);

		if (request == TIOCGPTPEER && rc >= 0)
			close(rc);
	}
}

static void *play(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg * 7919 + 1;

	for (unsigned i = 0; i < turns; i++) {
		unsigned index = random_next(&state) % ENDS;
		int fd = atomic_load(&ends[index]);

		switch (random_next(&state) % 8) {
		case 0: { /* a new pair in the place of an old one */
			int master = master_open();

			replace(index & ~1U, master);
			if (master >= 0)
				replace(index | 1, slave_open(master, random_next(&state) % 2 ? O_NOCTTY : 0));
			break;
		}
		case 1:
			replace(index, -1);
			break;
		case 2:
			wild_modes(fd, &state);
			break;
		case 3:
		case 4:
			feed(fd, &state);
			break;
		default:
			one_ioctl(fd, &state);
			break;
		}
	}
	return NULL;
}

/* A session of its own, which takes the terminals as its own and loses them. */
static int play_in_session(void *arg)
{
	pthread_t threads[THREADS];
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT,
				       SIGWINCH, SIGIO };

	turns = long_form() ? 20000 : 1500;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
	setsid();
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, play, (void *)(i + *(uintptr_t *)arg)) != 0)
			return 1;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

void attack_terminal_races(void)
{
	pid_t sessions[3];

	for (int i = 0; i < ENDS; i++)
		atomic_init(&ends[i], -1);
	/* Three sessions that fork from one: they begin with the same pairs. */
	for (int i = 0; i < PAIRS; i++) {
		ends[2 * i] = master_open();
		ends[2 * i + 1] = slave_open(ends[2 * i], O_NOCTTY);
	}
	CHECK(ends[0] >= 0 && ends[1] >= 0);
	fflush(stdout);
	for (uintptr_t s = 0; s < 3; s++) {
		uintptr_t seed = 100 * s;

		sessions[s] = fork();
		if (sessions[s] == 0)
			_exit(play_in_session(&seed));
	}
	for (int i = 0; i < ENDS; i++)
		replace((unsigned)i, -1);
	for (int s = 0; s < 3; s++) {
		struct outcome o = await(sessions[s], long_form() ? 200000 : 40000);

		if (!exited_with(&o, 0))
			fail("session %d at its terminals: %s", s, outcome_text(&o));
	}
	judge_terminal();
}

/* --- hanging up under sleepers ---------------------------------------------------------------- */

/* Sleeps in a call on the slave until the other side goes. */
static int sleeper(int slave, int kind)
{
	char buf[65536];
	struct termios t;

	memset(buf, 'x', sizeof(buf));
	fcntl(slave, F_SETFL, 0);
	if (kind == 0)
		return read(slave, buf, sizeof(buf)) <= 0 ? 0 : 1;
	if (kind == 1) {
		while (write(slave, buf, sizeof(buf)) > 0)
			;
		return 0;
	}
	if (kind == 2) {
		tcgetattr(slave, &t);
		(void)!write(slave, buf, 3000);
		tcsetattr(slave, TCSADRAIN, &t);
		return 0;
	}
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	pause();
	return 0;
}

static int hang_up(void *arg)
{
	int master = master_open(), slave = slave_open(master, O_NOCTTY), how = *(int *)arg;
	pid_t pids[4];

	for (int kind = 0; kind < 4; kind++) {
		pids[kind] = fork();
		if (pids[kind] == 0) {
			close(master);
			_exit(sleeper(slave, kind));
		}
	}
	sleep_ms(30);
	if (how == 0)
		close(master);
	else
		kill(pids[3], SIGKILL); /* the session's leader: its terminal hangs up */
	if (how == 1) {
		sleep_ms(10);
		close(master);
	}
	close(slave);
	for (int kind = 0; kind < 4; kind++) {
		struct outcome o = await(pids[kind], 5000);

		if (o.timed_out)
			fail("sleeper %d at a terminal that hung up (%d): %s", kind, how, outcome_text(&o));
	}
	return 0;
}

void attack_terminal_hangup(void)
{
	for (int i = 0; i < (long_form() ? 100 : 10); i++) {
		int how = i & 1;
		struct outcome o = in_child(hang_up, &how, 30000);

		if (!exited_with(&o, 0))
			fail("hanging up: %s", outcome_text(&o));
	}
	judge_terminal();
}

/* --- the container's console ------------------------------------------------------------------- */

static void console_player(unsigned kind, uint64_t state)
{
	unsigned char buf[16384];
	int fd;

	for (;;) {
		fd = open(kind % 2 ? "/dev/tty" : "/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC |
				  (random_next(&state) % 2 ? O_NONBLOCK : 0));
		for (int i = 0; fd >= 0 && i < 100; i++) {
			struct winsize size = { (unsigned short)random_next(&state),
						(unsigned short)random_next(&state), 0, 0 };

			for (size_t n = 0; n < sizeof(buf); n++)
				buf[n] = (unsigned char)random_next(&state);
			if (kind < 2)
				(void)!write(fd, buf, sizeof(buf));
			else if (kind == 2)
				wild_modes(fd, &state);
			else if (kind == 3)
				ioctl(fd, TIOCSTI, buf);
			else if (kind == 4)
				ioctl(fd, TIOCSWINSZ, &size);
			else
				one_ioctl(fd, &state);
		}
		close(fd);
	}
}

int flood_console(void)
{
	for (int signo = 1; signo < 32; signo++)
		if (signo != SIGCHLD)
			signal(signo, SIG_IGN);
	for (unsigned kind = 0; kind < 6; kind++)
		if (fork() == 0)
			console_player(kind, kind + 1);
	for (;;) {
		/* What another hung up is opened anew; the container ends when it is killed. */
		pid_t pid = waitpid(-1, NULL, 0);

		if (pid < 0)
			pause();
	}
}
