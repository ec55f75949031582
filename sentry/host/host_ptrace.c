/* SPDX-License-Identifier: Apache-2.0 */
/* See host_ptrace.h. */
#include "sentry/host/host_ptrace.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int host_ptrace(unsigned request, pid_t tid, uint64_t addr, uint64_t data)
{
	return syscall(SYS_ptrace, (long)request, (long)tid, addr, data) < 0 ? -errno : 0;
}

static int wait_for(pid_t tid, int flags, siginfo_t *info)
{
	info->si_pid = 0;
	while (waitid(P_PID, (id_t)tid, info, flags | __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static bool is_stop(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED;
}

int host_trace_wait(pid_t tid, bool keep, struct host_trace_stop *out)
{
	siginfo_t info;
	int rc;

	for (;;) {
		rc = wait_for(tid, WEXITED | WSTOPPED | (keep ? WNOWAIT : 0), &info);
		if (rc < 0)
			return rc;
		if (!keep || !is_stop(&info))
			break;
		/* Only looked at until now; it may have been killed since. */
		rc = wait_for(tid, WSTOPPED | WNOHANG, &info);
		if (rc < 0)
			return rc;
		if (info.si_pid)
			break;
	}
	out->dead = !is_stop(&info);
	if (!out->dead)
		out->status = info.si_status;
	else if (info.si_code == CLD_EXITED)
		out->status = (info.si_status & 0xff) << 8;
	else
		out->status = info.si_status & 0x7f;
	return 0;
}
