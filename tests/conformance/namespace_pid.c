/* SPDX-License-Identifier: Apache-2.0
 *
 * Pid namespaces: numbers, chosen numbers, the init's privileges, and its death.
 */
#include "namespace.h"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static pid_t fork_set_tid(unsigned long long flags, pid_t *tids, size_t count)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	args.set_tid = (uintptr_t)tids;
	args.set_tid_size = count;
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void try_set_tid(const char *label, unsigned long long flags, pid_t *tids, size_t count)
{
	pid_t pid = fork_set_tid(flags, tids, count);

	if (pid == 0) {
		show_int("getpid", getpid());
		_exit(0);
	}
	if (pid > 0)
		show_wait(label, pid);
	else
		show(label, pid);
}

static void try_fork(const char *label, unsigned long long flags)
{
	struct clone_args args = { .flags = flags,
				   .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	show_ok(label, pid);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

CASE(pidns_numbers)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			note("pid %d ppid %d tid %d", getpid(), getppid(), get_tid());
			note("pgrp %d sid %d", getpgrp(), getsid(0));
			pid_t inner = (pid_t)MUST(fork());
			if (inner == 0) {
				note("second pid %d ppid %d", getpid(), getppid());
				_exit(0);
			}
			show_wait("second", inner);
			show_int("seen by its parent", inner);
			show("setsid", setsid());
			note("pgrp %d sid %d", getpgrp(), getsid(0));
			_exit(3);
		}
		show_wait("init", pid);
	}
}

CASE(pidns_nested)
{
	RUN_CHILD("child")
	{
		int depth = 0;

		enter_user_namespace();
		/* Each one makes the next and waits for it. */
		for (;;) {
			pid_t pid = fork_flags(CLONE_NEWPID);
			if (pid == -1) {
				note("stopped by %s", errno_name(errno));
				show_int("deep", depth > 20);
				_exit(0);
			}
			if (pid > 0) {
				int status;

				MUST(waitpid(pid, &status, 0));
				_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
			}
			depth++;
		}
	}
}

CASE(pidns_flag_rules)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show("thread", syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0,
				       0, 0, 0));
		show("unshare", unshare(CLONE_NEWPID));
		show("thread after", syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0,
					     0));
		try_fork("clone after", CLONE_NEWPID);
		pid_t pid = (pid_t)fork();
		if (pid == 0) {
			note("pid %d", getpid());
			try_fork("parent flag", CLONE_PARENT);
			_exit(0);
		}
		show_wait("init", pid);
		try_fork("second child", 0);
		try_fork("vfork", CLONE_VFORK);
	}
	try_fork("no capability", CLONE_NEWPID);
}

CASE(pidns_set_tid)
{
	pid_t tids[40] = { 0 };

	tids[0] = 12345;
	show("not privileged", fork_set_tid(0, tids, 1));
	RUN_CHILD("child")
	{
		enter_user_namespace();
		show("outside's namespace", fork_set_tid(0, tids, 1));
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			try_set_tid("chosen", 0, tids, 1);
			try_set_tid("again", 0, tids, 1);
			pid_t sleeper = fork_set_tid(0, tids, 1);
			if (sleeper == 0)
				for (;;)
					pause();
			try_set_tid("in use", 0, tids, 1);
			kill_and_reap(sleeper);
			tids[0] = 1;
			try_set_tid("1", 0, tids, 1);
			tids[0] = 0;
			try_set_tid("0", 0, tids, 1);
			tids[0] = -5;
			try_set_tid("negative", 0, tids, 1);
			tids[0] = 0x7fffffff;
			try_set_tid("huge", 0, tids, 1);
			tids[0] = 500;
			tids[1] = 30001;
			try_set_tid("two levels", 0, tids, 2);
			show("too many", fork_set_tid(0, tids, 33));
			show("more than levels", fork_set_tid(0, tids, 31));
			show("no array", fork_set_tid(0, NULL, 1));
			show("no size", fork_set_tid(0, tids, 0));
			show("bad pointer", fork_set_tid(0, bad_ptr(), 1));
			tids[0] = 5;
			show("a new namespace's first is not 1", fork_set_tid(CLONE_NEWPID, tids, 1));
			tids[0] = 1;
			tids[1] = 700;
			try_set_tid("new namespace, chosen outside", CLONE_NEWPID, tids, 2);
			_exit(0);
		}
		show_wait("init", pid);
	}
}

CASE(pidns_next_after_set_tid)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			pid_t tid = 4000;

			try_set_tid("chosen", 0, &tid, 1);
			try_set_tid("next", 0, NULL, 0);
			tid = 10;
			try_set_tid("lower", 0, &tid, 1);
			try_set_tid("next", 0, NULL, 0);
			_exit(0);
		}
		show_wait("init", pid);
	}
}

static int write_file_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	ssize_t done = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return done == -1 ? -1 : 0;
}

CASE(pidns_last_pid)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			show("write", write_file_text("/proc/sys/kernel/ns_last_pid", "999"));
			show_file("read", "/proc/sys/kernel/ns_last_pid");
			try_set_tid("next", 0, NULL, 0);
			show("too large", write_file_text("/proc/sys/kernel/ns_last_pid", "99999999"));
			show("negative", write_file_text("/proc/sys/kernel/ns_last_pid", "-1"));
			show("letters", write_file_text("/proc/sys/kernel/ns_last_pid", "abc"));
			_exit(0);
		}
		show_wait("init", pid);
	}
	show("not privileged", write_file_text("/proc/sys/kernel/ns_last_pid", "500"));
}

static int pid_max(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);

	if (fd == -1 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	close(fd);
	return atoi(text);
}

CASE(pidns_wrap_around)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		int max = pid_max();
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			char text[32];
			pid_t tid = 301;
			pid_t holder = fork_set_tid(0, &tid, 1);

			if (holder == 0)
				for (;;)
					pause();
			snprintf(text, sizeof(text), "%d", max - 3);
			show("near the end", write_file_text("/proc/sys/kernel/ns_last_pid", text));
			for (int i = 0; i < 6; i++) {
				pid_t child = (pid_t)fork();
				if (child == 0)
					_exit(0);
				note("%d below the limit: %d", i, child > 1000 ? max - child : child);
				waitpid(child, NULL, 0);
			}
			kill_and_reap(holder);
			_exit(0);
		}
		show_wait("init", pid);
	}
}

CASE(pidns_group_keeps_number)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			pid_t tid = 600;
			pid_t leader = fork_set_tid(0, &tid, 1);
			if (leader == 0) {
				MUST(setpgid(0, 0));
				for (;;)
					pause();
			}
			setpgid(leader, leader);
			pid_t member = (pid_t)MUST(fork());
			if (member == 0) {
				MUST(setpgid(0, leader));
				for (;;)
					pause();
			}
			setpgid(member, leader);
			kill_and_reap(leader);
			try_set_tid("number of a group", 0, &tid, 1);
			kill_and_reap(member);
			try_set_tid("number of nothing", 0, &tid, 1);
			_exit(0);
		}
		show_wait("init", pid);
	}
}

CASE(pidns_init_death_kills_all)
{
	RUN_CHILD("child")
	{
		int pipes[2];
		char byte;

		enter_user_namespace();
		MUST(pipe(pipes));
		pid_t pid = fork_flags(CLONE_NEWPID);
		if (pid == 0) {
			close(pipes[0]);
			for (int i = 0; i < 4; i++)
				if (fork() == 0) {
					if (i == 2)
						setsid();
					if (i == 3) {
						signal(SIGTERM, SIG_IGN);
						if (fork_flags(CLONE_NEWPID) == 0)
							for (;;)
								pause();
					}
					for (;;)
						pause();
				}
			_exit(7);
		}
		close(pipes[1]);
		show_wait("init", pid);
		/* Each of them held the writing end. */
		show("all are gone", read(pipes[0], &byte, 1));
	}
}

CASE(pidns_init_dies_last)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			/* A grandchild, whose parent is gone, becomes the init's own. */
			if (fork() == 0) {
				if (fork() == 0) {
					while (getppid() != 1)
						sleep_ms(1);
					_exit(44);
				}
				_exit(0);
			}
			int status, seen = 0;
			while (wait(&status) > 0)
				seen += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
			show_int("seen", seen);
			_exit(0);
		}
		show_wait("init", init);
		show("no orphan came here", wait(NULL));
	}
}

CASE(pidns_dead_refuses)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWPID));
		pid_t pid = (pid_t)MUST(fork());
		if (pid == 0)
			_exit(0);
		show_wait("init", pid);
		try_fork("fork", 0);
		try_fork("vfork", CLONE_VFORK);
		show("thread", syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0));
		show("another namespace", unshare(CLONE_NEWPID));
	}
}

CASE(pidns_init_ignores_signals)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGKILL, SIGSTOP, SIGTSTP, SIGSEGV };

	RUN_CHILD("child")
	{
		int ends[2];
		char byte;

		enter_user_namespace();
		MUST(pipe(ends));
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
				show("to oneself", kill(getpid(), signals[i]));
			pid_t pid = (pid_t)MUST(fork());
			if (pid == 0) {
				for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
					show("from a child", kill(1, signals[i]));
				_exit(0);
			}
			show_wait("child", pid);
			show("kill -1", kill(-1, SIGTERM));
			note("alive");
			close(ends[1]);
			for (;;)
				pause();
		}
		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		show("SIGTERM from outside", kill(init, SIGTERM));
		sleep_ms(50);
		show("still there", waitpid(init, NULL, WNOHANG));
		show("SIGSTOP from outside", kill(init, SIGSTOP));
		int status;
		show_int("stops", waitpid(init, &status, WUNTRACED) == init);
		show_status("how", status);
		kill(init, SIGKILL);
		show_wait("SIGKILL from outside", init);
	}
}

static volatile sig_atomic_t handled;
static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled = sig;
	note("signal %d code %d pid %d uid %u", sig, info->si_code, info->si_pid, info->si_uid);
}

CASE(pidns_init_handler_runs)
{
	RUN_CHILD("child")
	{
		int ends[2];
		char byte;

		enter_user_namespace();
		MUST(pipe(ends));
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

			MUST(sigaction(SIGUSR1, &action, NULL));
			MUST(sigaction(SIGUSR2, &action, NULL));
			show("to oneself", kill(1, SIGUSR1));
			pid_t pid = (pid_t)MUST(fork());
			if (pid == 0) {
				kill(1, SIGUSR1);
				_exit(0);
			}
			show_wait("child", pid);
			note("waiting");
			close(ends[1]);
			while (handled != SIGUSR2)
				sleep_ms(1);
			_exit(0);
		}
		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		MUST(kill(init, SIGUSR2));
		show_wait("init", init);
	}
}

CASE(pidns_init_fault_kills)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			*(volatile int *)bad_ptr() = 1;
			_exit(0);
		}
		show_wait("init", init);
		init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			abort();
			_exit(0);
		}
		show_wait("abort", init);
	}
}

CASE(pidns_proc_shows_inside)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		MUST(unshare(CLONE_NEWNS));
		int pipes[2];
		MUST(pipe(pipes));
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			char target[64] = "", byte;

			MUST(read(pipes[0], &byte, 1));
			show("mount proc", mount("proc", "/proc", "proc", 0, NULL));
			show("readlink", readlink("/proc/self", target, sizeof(target) - 1));
			show_str("self", target);
			show_ok("outside is not shown", open("/proc/2", O_RDONLY));
			char line[256];
			FILE *file = fopen("/proc/self/status", "re");
			while (file != NULL && fgets(line, sizeof(line), file) != NULL)
				if (strncmp(line, "NS", 2) == 0)
					note("%s", strtok(line, "\n"));
			_exit(0);
		}
		char path[64], line[256];
		snprintf(path, sizeof(path), "/proc/%d/status", init);
		FILE *file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			if (strncmp(line, "NStgid", 6) == 0) {
				char *first = strtok(line, " \t\n"), *outer = strtok(NULL, " \t\n"),
				     *inner = strtok(NULL, " \t\n");

				note("%s outer ok %d inner %s", first, atoi(outer) == init, inner);
			}
		MUST(write(pipes[1], "x", 1));
		show_wait("init", init);
	}
}

CASE(pidns_kill_minus_one_stays_inside)
{
	RUN_CHILD("child")
	{
		enter_user_namespace();
		pid_t outside = sleeper_flags(0);
		pid_t init = fork_flags(CLONE_NEWPID);
		if (init == 0) {
			pid_t pid = sleeper_flags(0);

			show("kill", kill(-1, SIGUSR1));
			show_wait("child", pid);
			show("nobody left", kill(-1, SIGUSR1));
			show("outside has no number", kill(outside, 0));
			show("no such group", kill(-outside, 0));
			_exit(0);
		}
		show_wait("init", init);
		show("outside lives", kill(outside, 0));
		kill_and_reap(outside);
	}
}

CASE(pidns_pidfd_of_inner)
{
	RUN_CHILD("child")
	{
		siginfo_t info = { 0 };

		enter_user_namespace();
		pid_t init = sleeper_flags(CLONE_NEWPID);
		int fd = (int)syscall(SYS_pidfd_open, init, 0);
		char path[64], line[128];

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		FILE *file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			if (strncmp(line, "NSpid:", 6) == 0)
				note("levels %d", (int)(strchr(strchr(line, '\t') + 1, '\t') != NULL) + 1);
		show("signal", syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
		show("wait", waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
		note("code %d status %d pid ok %d", info.si_code, info.si_status, info.si_pid == init);
	}
}

static int sleep_thread_body(void *arg)
{
	while (arg == NULL)
		pause();
	return 0;
}

CASE(pidns_subreaper_order)
{
	/* grandparent G (subreaper), parent P (not), child C, its child D is left behind */
	RUN_CHILD("grandparent")
	{
		MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
		pid_t reaper = getpid();
		pid_t parent = (pid_t)MUST(fork());
		if (parent == 0) {
			int set = -1;

			MUST(prctl(PR_GET_CHILD_SUBREAPER, &set, 0, 0, 0));
			show_int("not inherited by fork", set);
			pid_t child = (pid_t)MUST(fork());
			if (child == 0) {
				if (fork() == 0) {
					while (getppid() != reaper)
						sleep_ms(1);
					_exit(9);
				}
				_exit(0);
			}
			show_wait("child", child);
			_exit(0);
		}
		show_wait("parent", parent);
		int status;
		MUST(wait(&status));
		show_status("orphan", status);
	}
	static char stack[65536] __attribute__((aligned(16)));
	RUN_CHILD("a thread takes over first")
	{
		/* While a thread of the parent lives, children stay with the process. */
		pid_t main_tid = getpid();
		pid_t child = (pid_t)MUST(fork());
		if (child == 0) {
			sleep_ms(100);
			show_int("parent is the process", getppid() == main_tid);
			kill(main_tid, SIGKILL);
			_exit(0);
		}
		MUST(clone(sleep_thread_body, stack + sizeof(stack),
			   CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, NULL));
		syscall(SYS_exit, 0);
	}
}

CASE(pidns_nproc_per_user)
{
	struct rlimit limit = { 3, 3 };

	RUN_CHILD("user")
	{
		become_user(4321);
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		pid_t first = sleeper_flags(0);
		show_ok("first", first);
		pid_t second = sleeper_flags(0);
		show_ok("second", second);
		show("third", fork());
		show("thread counts too", syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0,
						  0, 0));
		show("in a user namespace too", fork_flags(CLONE_NEWUSER));
		kill_and_reap(second);
		pid_t third = sleeper_flags(0);
		show_ok("after one ended", third);
		kill_and_reap(third);
		kill_and_reap(first);
	}
	RUN_CHILD("another user is not concerned")
	{
		become_user(4322);
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		pid_t first = sleeper_flags(0);
		show_ok("first", first);
		kill_and_reap(first);
	}
}

HELPER(nothing)
{
	(void)argc;
	(void)argv;
	note("it ran");
	return 0;
}

CASE(pidns_nproc_at_exec)
{
	struct rlimit limit = { 0, 0 };
	char *argv[] = { (char *)"conformance", (char *)"@nothing", NULL };

	RUN_CHILD("setuid past the limit")
	{
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		show("setuid", setresuid(4323, 4323, 4323));
		show("fork", fork());
		show("exec", execv(self_exe(), argv));
	}
	RUN_CHILD("no setuid")
	{
		become_user(4324);
		MUST(setrlimit(RLIMIT_NPROC, &limit));
		show("exec", execv(self_exe(), argv));
	}
}
