/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel itself takes to ask another process about a system call: the least that a call can
 * cost which goes to the sentry while that sleeps.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchprog.h"

/* Linux 6.6; Debian's headers are older. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

enum { CALLS = 200, LAST_CALL = 1 };

static int listen_to_getppid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Who answers has gone to sleep in the pause, or, without one, just goes to sleep. */
static _Noreturn void ask(int out, int64_t pause_ns)
{
	int listener = listen_to_getppid();
	int64_t total = 0;

	if (write(out, &listener, sizeof(listener)) != sizeof(listener) || listener < 0)
		_exit(1);
	for (int i = 0; i < CALLS; i++) {
		int64_t until = bench_now() + pause_ns, before;

		while ((before = bench_now()) < until)
			continue;
		syscall(SYS_getppid, 0);
		total += bench_now() - before;
	}
	syscall(SYS_getppid, LAST_CALL);
	_exit(write(out, &total, sizeof(total)) != sizeof(total));
}

static void answer(int listener)
{
	struct seccomp_notif_resp response = { 0 };
	struct seccomp_notif request;

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	do {
		request = (struct seccomp_notif){ 0 };
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
			if (errno == EINTR)
				continue;
			bench_die("receiving a notification");
		}
		response.id = request.id;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0)
			bench_die("answering a notification");
	} while (request.data.args[0] != LAST_CALL);
}

double bench_notification(int64_t pause_ns)
{
	int ends[2], listener, status;
	int64_t total;
	pid_t pid;

	if (pipe(ends) < 0)
		bench_die("pipe");
	/* With one table of descriptors, as the listener is to be known by its number here. */
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		ask(ends[1], pause_ns);
	if (pid < 0 || read(ends[0], &listener, sizeof(listener)) != sizeof(listener) || listener < 0)
		bench_die("a listener");
	answer(listener);
	if (read(ends[0], &total, sizeof(total)) != sizeof(total) || waitpid(pid, &status, 0) != pid)
		bench_die("the caller");
	close(listener);
	close(ends[0]);
	close(ends[1]);
	return (double)total / CALLS;
}
