/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces joined and left by many processes and threads at once, in any order, from files of
 * all of them, with the clocks of time namespaces changed meanwhile.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define FILES 32

static _Atomic int files[FILES];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* A user namespace of its own, with all capabilities in it. */
static bool become_root(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 0 1");
	put("/proc/self/gid_map", "0 0 1");
	return true;
}

static int open_namespace(uint64_t *state)
{
	static const char *const names[] = { "user", "mnt", "pid", "pid_for_children", "ipc", "uts",
					     "net", "cgroup", "time", "time_for_children" };
	char path[64];
	pid_t pid = random_next(state) % 3 ? getpid() : getppid();

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", random_next(state) % 20 ? pid : 1,
		 names[random_next(state) % 10]);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void write_offsets(uint64_t *state)
{
	static const long values[] = { 0, 1, -1, 1000000, -1000000, 9000000000L, -9223372036L,
				       0x7fffffffffffffffL };
	char text[128];

	snprintf(text, sizeof(text), "%s %ld %ld\n%d %ld 0\n", random_next(state) % 2 ? "monotonic" : "1",
		 values[random_next(state) % 8], (long)(random_next(state) % 1000000001),
		 random_next(state) % 2 ? 7 : 1, values[random_next(state) % 8]);
	put(random_next(state) % 4 ? "/proc/self/timens_offsets" : "/proc/1/timens_offsets", text);
}

/* Time goes on, and never stands before what it was. */
static void judge_clock(void)
{
	struct timespec a, b, shortly = { 0, 1000 };

	clock_gettime(CLOCK_MONOTONIC, &a);
	nanosleep(&shortly, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b);
	if (b.tv_sec < a.tv_sec || b.tv_sec - a.tv_sec > 60)
		fail("the clock went from %ld to %ld", (long)a.tv_sec, (long)b.tv_sec);
}

static const int kinds[] = { 0, CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS,
			     CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWTIME };

static int random_kinds(uint64_t *state)
{
	int flags = kinds[random_next(state) % 9];

	return random_next(state) % 3 ? flags : flags | kinds[random_next(state) % 9];
}

static void one_step(uint64_t *state, bool threaded)
{
	int fd = atomic_load(&files[random_next(state) % FILES]), old;

	switch (random_next(state) % 8) {
	case 0:
		old = atomic_exchange(&files[random_next(state) % FILES], open_namespace(state));
		if (old >= 0)
			close(old);
		break;
	case 1:
	case 2:
		setns(fd, random_kinds(state));
		break;
	case 3:
		unshare(random_kinds(state) | (random_next(state) % 8 ? 0 : CLONE_FS | CLONE_FILES));
		break;
	case 4:
		write_offsets(state);
		break;
	case 5: {
		int pidfd = (int)syscall(SYS_pidfd_open, random_next(state) % 2 ? getppid() : getpid(), 0);

		setns(pidfd, random_kinds(state) | CLONE_NEWUTS);
		close(pidfd);
		break;
	}
	case 6:
		if (!threaded)
			judge_clock();
		break;
	default: {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		break;
	}
	}
}

static void *stepping_thread(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;

	for (int i = 0; i < (long_form() ? 3000 : 200); i++)
		one_step(&state, true);
	return NULL;
}

static int wander(uint64_t seed)
{
	uint64_t state = seed * 31;
	pthread_t threads[4];

	if (!become_root())
		return 77;
	for (int i = 0; i < FILES; i++)
		atomic_store(&files[i], open_namespace(&state));
	for (int i = 0; i < (long_form() ? 3000 : 200); i++)
		one_step(&state, false);
	/* Where a thread can be made at all: in a dead PID namespace it cannot. */
	for (uintptr_t i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, stepping_thread, (void *)(seed + i)) != 0)
			return 0;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

void attack_space_races(void)
{
	pid_t pids[4];
	bool any = false;

	fflush(stdout);
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(verdict(wander((uint64_t)i + 1)));
	}
	for (int i = 0; i < 4; i++) {
		struct outcome o = await(pids[i], long_form() ? 200000 : 60000);

		if (o.timed_out || !(exited_with(&o, 0) || exited_with(&o, 77)))
			fail("wanderer %d through namespaces: %s", i, outcome_text(&o));
		any |= exited_with(&o, 0);
	}
	if (!any)
		fail("no user namespace could be made");
	judge_clock();
}
