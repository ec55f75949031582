/* SPDX-License-Identifier: Apache-2.0
 *
 * fork, vfork, exit statuses, orphans and what a child inherits.
 */
#include "conformance.h"

#include <sys/prctl.h>
#include <sys/resource.h>

CASE(fork_exit_codes)
{
	static const int codes[] = { 0, 1, 2, 77, 126, 127, 128, 200, 254, 255, 256, 257, -1 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0)
			_exit(codes[i]);
		int status;
		show("wait is pid", waitpid(pid, &status, 0) == pid);
		note("exit(%d) gives 0x%x", codes[i], (unsigned int)status);
	}
}

CASE(fork_killed_by_each_signal)
{
	for (int sig = 1; sig < 32; sig++) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			kill(getpid(), sig);
			_exit(42);
		}
		int status;
		MUST(waitpid(pid, &status, WUNTRACED));
		note("SIG%s: status 0x%x", sigabbrev_np(sig), (unsigned int)status);
		if (WIFSTOPPED(status)) {
			kill(pid, SIGCONT);
			show_wait("continued", pid);
		}
	}
}

CASE(fork_realtime_signal_status)
{
	for (int sig = 34; sig <= 64; sig += 10) {
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0) {
			kill(getpid(), sig);
			_exit(42);
		}
		int status;
		MUST(waitpid(pid, &status, 0));
		note("signal %d: status 0x%x", sig, (unsigned int)status & ~0x80U);
	}
}

static int global_value = 1;

CASE(fork_memory_is_private)
{
	int local = 1;
	int *heap = malloc(1 << 20);

	heap[1000] = 1;
	RUN_CHILD("child")
	{
		global_value = local = heap[1000] = 2;
		note("child sees %d %d %d", global_value, local, heap[1000]);
	}
	note("parent sees %d %d %d", global_value, local, heap[1000]);
	free(heap);
}

CASE(fork_shares_file_offset)
{
	char buffer[4] = "";

	write_file("f", "0123456789", 0600);
	int fd = (int)MUST(open("f", O_RDONLY));
	RUN_CHILD("child")
	{
		show_data("child", buffer, read(fd, buffer, 3));
	}
	show_data("parent", buffer, read(fd, buffer, 3));
	show("offset", lseek(fd, 0, SEEK_CUR));
}

CASE(fork_inherits)
{
	sigset_t set, pending;
	char name[16] = "";

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGUSR2, SIG_IGN);
	MUST(raise(SIGUSR1));
	umask(0123);
	MUST(prctl(PR_SET_NAME, "some name"));
	alarm(100);
	RUN_CHILD("child")
	{
		sigprocmask(SIG_BLOCK, NULL, &set);
		sigpending(&pending);
		show_int("blocked", sigismember(&set, SIGUSR1));
		show_int("pending is not inherited", sigismember(&pending, SIGUSR1));
		show_int("ignored", signal(SIGUSR2, SIG_DFL) == SIG_IGN);
		show_int("umask", (long)umask(0));
		prctl(PR_GET_NAME, name);
		show_str("name", name);
		show_int("alarm is not inherited", alarm(0));
		show_int("same group", getpgrp() == getpgid(getppid()));
		show_int("same session", getsid(0) == getsid(getppid()));
	}
	sigpending(&pending);
	show_int("still pending in the parent", sigismember(&pending, SIGUSR1));
}

CASE(fork_ppid)
{
	pid_t parent = getpid();

	RUN_CHILD("child")
	{
		show_int("ppid", getppid() == parent);
		show_int("pid is tid", getpid() == get_tid());
		show_int("pid differs", getpid() != parent);
	}
}

CASE(fork_orphan_gets_new_parent)
{
	int ends[2];

	MUST(pipe(ends));
	RUN_CHILD("middle")
	{
		pid_t middle = getpid();
		if (fork() == 0) {
			while (getppid() == middle)
				sleep_ms(1);
			MUST(write(ends[1], getppid() == 1 ? "1" : "?", 1));
			_exit(0);
		}
	}
	close(ends[1]);
	char byte;
	show_data("the orphan's parent", &byte, read(ends[0], &byte, 1));
	show("pipe ends with the orphan", read(ends[0], &byte, 1));
}

CASE(fork_subreaper)
{
	int value = 0;
	pid_t self = getpid();

	show("set", prctl(PR_SET_CHILD_SUBREAPER, 1));
	show("get", prctl(PR_GET_CHILD_SUBREAPER, &value));
	show_int("value", value);
	RUN_CHILD("middle")
	{
		show("get in the child", prctl(PR_GET_CHILD_SUBREAPER, &value));
		show_int("not inherited", value);
		pid_t middle = getpid();
		if (fork() == 0) {
			while (getppid() == middle)
				sleep_ms(1);
			_exit(getppid() == self ? 5 : 6);
		}
	}
	show_wait("adopted", -1);
	show("none left", wait(NULL));
}

CASE(fork_pdeathsig)
{
	int ends[2], value = 0;

	MUST(pipe(ends));
	RUN_CHILD("parent of the doomed")
	{
		pid_t parent = getpid();
		if (fork() == 0) {
			show("set", prctl(PR_SET_PDEATHSIG, SIGKILL));
			show("get", prctl(PR_GET_PDEATHSIG, &value));
			show_int("value", value);
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		(void)parent;
		char byte;
		show("ready", read(ends[0], &byte, 1));
	}
	close(ends[1]);
	char byte;
	show("the doomed is gone", read(ends[0], &byte, 1));
	show("bad signal", prctl(PR_SET_PDEATHSIG, 65));
}

CASE(vfork_shares_memory_and_waits)
{
	volatile int value = 1;
	pid_t pid = vfork();

	if (pid == 0) {
		value = 2;
		_exit(9);
	}
	show_int("value after vfork", value);
	show_wait("child", pid);
}

CASE(vfork_exec)
{
	char *argv[] = { (char *)(uintptr_t)self_exe(), (char *)(uintptr_t) "@echo",
			 (char *)(uintptr_t) "from vfork", NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execv(self_exe(), argv);
		_exit(127);
	}
	show_wait("child", pid);
	argv[0] = (char *)(uintptr_t) "/nonexistent";
	pid = vfork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(errno == ENOENT ? 21 : 22);
	}
	show_wait("failed exec", pid);
}

CASE(vfork_child_killed)
{
	pid_t pid = vfork();

	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(9);
	}
	show_wait("child", pid);
}

CASE(fork_deep_chain)
{
	int depth = 0;
	int status = 0;

	while (depth < 30) {
		pid_t pid = fork();
		if (pid != 0) {
			MUST(waitpid(pid, &status, 0));
			break;
		}
		depth++;
	}
	if (depth > 0)
		_exit(depth == 30 ? 30 : WEXITSTATUS(status));
	show_status("deepest", status);
}

CASE(fork_many_children)
{
	int sum = 0, status, count = 0;

	for (int i = 0; i < 100; i++)
		if (MUST(fork()) == 0)
			_exit(i);
	while (wait(&status) > 0) {
		sum += WEXITSTATUS(status);
		count++;
	}
	note("%d children, sum %d, then %s", count, sum, errno_name(errno));
}
