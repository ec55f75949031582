/* SPDX-License-Identifier: Apache-2.0 */
/* See host_process.h. */
#include "sentry/host/host_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS_AT_ONCE 16

void host_process_kill(pid_t pid)
{
	kill(pid, SIGKILL);
}

void host_thread_signal(pid_t tgid, pid_t tid, int signo)
{
	syscall(SYS_tgkill, tgid, tid, signo);
}

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000 + (uint64_t)tv->tv_usec * 1000;
}

int host_process_reap(pid_t pid, int *status, struct host_usage *usage)
{
	struct rusage used = { 0 };
	siginfo_t info;

	/* The C library's waitid leaves the usage out. */
	while (syscall(SYS_waitid, P_PID, pid, &info, WEXITED | __WALL, &used) < 0)
		if (errno != EINTR)
			return -errno;
	if (usage)
		*usage = (struct host_usage){
			.user_ns = timeval_ns(&used.ru_utime),
			.system_ns = timeval_ns(&used.ru_stime),
			.rss_pages = (uint64_t)used.ru_maxrss / 4,
			.minor_faults = (uint64_t)used.ru_minflt,
			.major_faults = (uint64_t)used.ru_majflt,
		};
	if (info.si_code == CLD_EXITED)
		*status = (info.si_status & 0xff) << 8;
	else
		*status = info.si_status & 0x7f;
	return 0;
}

int host_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

ssize_t host_process_read(pid_t pid, uint64_t addr, void *buf, size_t size)
{
	struct iovec local = { buf, size };
	struct iovec remote = { (void *)(uintptr_t)addr, size };
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

ssize_t host_process_write(pid_t pid, uint64_t addr, const void *buf, size_t size)
{
	struct iovec local = { (void *)(uintptr_t)buf, size };
	struct iovec remote = { (void *)(uintptr_t)addr, size };
	ssize_t n = process_vm_writev(pid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

int host_death_set_new(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int host_death_set_add(int set, int pidfd, uint64_t cookie)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = cookie };

	return epoll_ctl(set, EPOLL_CTL_ADD, pidfd, &ev) < 0 ? -errno : 0;
}

void host_death_set_remove(int set, int pidfd)
{
	epoll_ctl(set, EPOLL_CTL_DEL, pidfd, NULL);
}

int host_death_set_wait(int set, uint64_t *cookies, int max)
{
	struct epoll_event events[DEATHS_AT_ONCE];
	int n;

	if (max > DEATHS_AT_ONCE)
		max = DEATHS_AT_ONCE;
	do
		n = epoll_wait(set, events, max, -1);
	while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++)
		cookies[i] = events[i].data.u64;
	return n < 0 ? -errno : n;
}
