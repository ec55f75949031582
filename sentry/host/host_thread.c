/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host system calls made here, through libc: clone3 or clone with the flags of a
 * thread, mmap and mprotect of its stack, rt_sigprocmask, prctl(PR_SET_NAME),
 * set_robust_list, rseq; sched_setaffinity(0, ...).
 */
#include "sentry/host/host_thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define STACK_SIZE (128UL * 1024)

struct start {
	const char *name;
	void *(*fn)(void *);
	void *arg;
};

/* A thread names itself: to name another, glibc opens a file. */
static void *run(void *p)
{
	struct start s = *(struct start *)p;

	free(p);
	prctl(PR_SET_NAME, s.name, 0, 0, 0);
	return s.fn(s.arg);
}

int host_thread_start(const char *name, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	struct start *start = malloc(sizeof(*start));
	int rc;

	if (!start)
		return -ENOMEM;
	*start = (struct start){ name, fn, arg };
	rc = pthread_attr_init(&attr);
	if (rc) {
		free(start);
		return -rc;
	}
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attr, run, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		free(start);
	return -rc;
}

/* The sentry's CPUs as they were at boot; the host intersects with its cpuset. */
static cpu_set_t all_cpus;

int host_thread_learn_cpus(void)
{
	return sched_getaffinity(0, sizeof(all_cpus), &all_cpus) < 0 ? -errno : 0;
}

int host_thread_avoid_cpu(int cpu)
{
	cpu_set_t set = all_cpus;

	if (cpu < 0 || cpu >= CPU_SETSIZE || CPU_COUNT(&set) < 2)
		return -EINVAL;
	CPU_CLR((unsigned)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

int host_thread_any_cpu(void)
{
	return sched_setaffinity(0, sizeof(all_cpus), &all_cpus) < 0 ? -errno : 0;
}
