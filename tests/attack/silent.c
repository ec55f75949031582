/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forks whose host processes never say hello, and whose tasks are killed: what is left
 * is host processes without a task.  ./run looks on the host whether they go.
 */
#include "attack.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char stacks[8][4096] __attribute__((aligned(16)));

static int reap(pid_t pid)
{
	struct outcome o;

	if (pid < 0)
		return 1;
	kill(pid, SIGKILL);
	o = await(pid, 5000);
	return o.unkillable || o.timed_out;
}

static int leave_forks(enum hostile_mode mode, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pid_t pid;

		hostile_set(mode);
		pid = fork();
		if (pid == 0)
			_exit(0);
		hostile_set(HOSTILE_FAITHFUL);
		if (reap(pid))
			return 1;
	}
	return 0;
}

/* Processes that share the memory: their order is that of a thread. */
static int leave_clones(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pid_t pid;

		hostile_set(HOSTILE_THREAD_SILENT);
		pid = (pid_t)syscall(SYS_clone, CLONE_VM | SIGCHLD, stacks[i] + sizeof(stacks[i]),
				     0, 0, 0);
		if (pid == 0)
			_exit(0);
		hostile_set(HOSTILE_FAITHFUL);
		if (reap(pid))
			return 1;
	}
	return 0;
}

static int bomb(void *arg)
{
	(void)arg;
	hostile_install(HOSTILE_FAITHFUL);
	return leave_forks(HOSTILE_CHILD_SILENT, 30) || leave_forks(HOSTILE_CHILD_SLEEPS, 30) ||
	       leave_clones(8);
}

/* The order that never ends could be the one of any of them. */
static int few(void *arg)
{
	(void)arg;
	hostile_install(HOSTILE_FAITHFUL);
	return leave_forks(HOSTILE_CHILD_SILENT, 3) || leave_forks(HOSTILE_CHILD_SLEEPS, 20);
}

static int stuck(void)
{
	hostile_install(HOSTILE_FAITHFUL);
	hostile_set(HOSTILE_CLONE_STUCK);
	fork();
	return 1;
}

int leave_silent(const char *how)
{
	struct outcome o;

	if (strcmp(how, "silent_stuck") == 0) {
		if (fork() == 0)
			_exit(stuck());
		sleep_ms(200);
		o = in_child(few, NULL, 20000);
	} else {
		o = in_child(bomb, NULL, 20000);
	}
	if (!exited_with(&o, 0))
		fail("silent children cannot be killed: %s", outcome_text(&o));
	return exited_with(&o, 0) ? 0 : 1;
}
