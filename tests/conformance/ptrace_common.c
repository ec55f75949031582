/* SPDX-License-Identifier: Apache-2.0 */
/* See ptrace.h. */
#include "ptrace.h"

long trace(unsigned long request, pid_t pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

pid_t child_start(void (*body)(void))
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		body();
		_exit(0);
	}
	return pid;
}

pid_t tracee_start(void (*body)(void))
{
	pid_t pid = (pid_t)MUST(fork());
	int status;

	if (pid == 0) {
		MUST(TRACE(PTRACE_TRACEME, 0, 0, 0));
		syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGSTOP);
		body();
		_exit(0);
	}
	MUST(waitpid(pid, &status, __WALL));
	if (!WIFSTOPPED(status))
		show_status("the tracee did not stop", status);
	return pid;
}

void show_stop_status(const char *label, int status)
{
	if (WIFSTOPPED(status))
		note("%s: stopped by %d event %d%s", label, WSTOPSIG(status) & 0x7f, status >> 16,
		     WSTOPSIG(status) & 0x80 ? " (system call)" : "");
	else
		show_status(label, status);
}

int next_stop(pid_t pid)
{
	int status = 0;

	MUST(waitpid(pid, &status, __WALL));
	return status;
}

int show_stop(const char *label, pid_t pid)
{
	int status = 0;
	pid_t got = waitpid(pid, &status, __WALL);

	if (got < 0)
		show(label, got);
	else
		show_stop_status(label, status);
	return status;
}

struct user_regs_struct regs_of(pid_t pid)
{
	struct user_regs_struct regs;

	memset(&regs, 0, sizeof(regs));
	MUST(TRACE(PTRACE_GETREGS, pid, 0, &regs));
	return regs;
}

void tracee_end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		TRACE(PTRACE_CONT, pid, 0, 0);
}
