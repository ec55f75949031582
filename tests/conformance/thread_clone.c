/* SPDX-License-Identifier: Apache-2.0
 *
 * clone and clone3, threads, exit of groups.
 */
#include "conformance.h"

#include <linux/sched.h>
#include <pthread.h>

static char stack_space[65536] __attribute__((aligned(16)));
static volatile int shared_value;

static int child_sets(void *arg)
{
	shared_value = *(int *)arg;
	return 33;
}

CASE(clone_shared_memory)
{
	int value = 5;
	int pid = clone(child_sets, stack_space + sizeof(stack_space), CLONE_VM | SIGCHLD, &value);

	show_ok("clone", pid);
	show_wait("child", pid);
	show_int("CLONE_VM", shared_value);
	value = 6;
	pid = clone(child_sets, stack_space + sizeof(stack_space), SIGCHLD, &value);
	show_wait("child", pid);
	show_int("copied", shared_value);
	value = 7;
	pid = clone(child_sets, stack_space + sizeof(stack_space), CLONE_VM | CLONE_VFORK | SIGCHLD,
		    &value);
	show_int("CLONE_VFORK waited", shared_value);
	show_wait("child", pid);
}

static int child_files(void *arg)
{
	(void)arg;
	close(0);
	if (chdir("/") == -1)
		return 1;
	umask(0);
	return 0;
}

CASE(clone_files_and_fs)
{
	static char top[64];
	char cwd[256];

	show_wait("private", clone(child_files, stack_space + sizeof(stack_space), SIGCHLD, top));
	show("fd 0", fcntl(0, F_GETFD));
	show_wait("CLONE_FILES", clone(child_files, stack_space + sizeof(stack_space),
				       CLONE_FILES | SIGCHLD, top));
	show("fd 0", fcntl(0, F_GETFD));
	show_int("cwd kept", getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/") != 0);
	show_wait("CLONE_FS",
		  clone(child_files, stack_space + sizeof(stack_space), CLONE_FS | SIGCHLD, top));
	show_str("cwd", getcwd(cwd, sizeof(cwd)));
	show_int("umask", (long)umask(0));
}

CASE(clone_exit_signal)
{
	int value = 1;
	int pid = clone(child_sets, stack_space + sizeof(stack_space), 0, &value);

	sleep_ms(20);
	show("plain wait does not see it", waitpid(pid, NULL, WNOHANG));
	int status = 0;
	show_int("__WCLONE", waitpid(pid, &status, __WCLONE) == pid);
	show_status("status", status);
	pid = clone(child_sets, stack_space + sizeof(stack_space), 0, &value);
	show_int("__WALL", waitpid(pid, &status, __WALL) == pid);
	pid = clone(child_sets, stack_space + sizeof(stack_space), SIGUSR1 | CLONE_PARENT, &value);
	show("CLONE_PARENT is no child", waitpid(pid, &status, __WALL));
}

CASE(clone_tid_pointers)
{
	pid_t parent_tid = 0, child_tid = 0;
	long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL,
			   &parent_tid, &child_tid, 0);

	if (pid == 0)
		_exit(child_tid == getpid() ? 0 : 1);
	show_int("parent_tid", parent_tid == pid);
	show_int("child_tid in the parent", child_tid);
	show_wait("child saw its own", (pid_t)pid);
	int pidfd = -1;
	pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, 0);
	if (pid == 0)
		_exit(4);
	show_int("pidfd", pidfd);
	show("cloexec", fcntl(pidfd, F_GETFD));
	siginfo_t info;
	show("waitid", waitid((idtype_t)3, (id_t)pidfd, &info, WEXITED));
	show_int("status", info.si_status);
}

CASE(clone_errors)
{
	show("thread without sighand", syscall(SYS_clone, CLONE_THREAD, NULL, NULL, NULL, 0));
	show("sighand without vm", syscall(SYS_clone, CLONE_SIGHAND, NULL, NULL, NULL, 0));
	show("fs and new mount namespace",
	     syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, NULL, NULL, NULL, 0));
	show("new pid namespace without rights",
	     syscall(SYS_clone, CLONE_NEWPID, NULL, NULL, NULL, 0));
	show("pidfd and parent_settid",
	     syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, bad_ptr(), NULL,
		     0));
	show("unshare bad", unshare(1));
	show("unshare new mount namespace", unshare(CLONE_NEWNS));
	show("unshare vm, single thread", unshare(CLONE_VM));
	show("unshare files", unshare(CLONE_FILES));
	show("setns bad fd", setns(99, 0));
	show("setns not a namespace", setns(0, 0));
}

CASE(clone3_basics)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t tid = 0;
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(12);
	show_wait("like fork", (pid_t)pid);
	args.flags = CLONE_PARENT_SETTID;
	args.parent_tid = (uintptr_t)&tid;
	pid = syscall(SYS_clone3, &args, 64);
	if (pid == 0)
		_exit(13);
	show_int("tid", tid == pid);
	show_wait("first version of the struct", (pid_t)pid);
}

CASE(clone3_errors)
{
	struct {
		struct clone_args args;
		uint64_t extra;
	} big = { .args = { .exit_signal = SIGCHLD }, .extra = 1 };
	struct clone_args args = { .exit_signal = SIGCHLD };

	show("small", syscall(SYS_clone3, &args, 63));
	show("huge", syscall(SYS_clone3, &args, 5000));
	show("unknown field", syscall(SYS_clone3, &big, sizeof(big)));
	show("bad pointer", syscall(SYS_clone3, bad_ptr(), sizeof(args)));
	args.exit_signal = 65;
	show("exit signal", syscall(SYS_clone3, &args, sizeof(args)));
	args.exit_signal = SIGCHLD;
	args.stack = (uintptr_t)stack_space;
	show("stack without size", syscall(SYS_clone3, &args, sizeof(args)));
	args.stack = 0;
	args.stack_size = 4096;
	show("size without stack", syscall(SYS_clone3, &args, sizeof(args)));
	args = (struct clone_args){ .flags = 0xff, .exit_signal = SIGCHLD };
	show("signal in flags", syscall(SYS_clone3, &args, sizeof(args)));
	args = (struct clone_args){ .flags = 1ULL << 60 };
	show("unknown flag", syscall(SYS_clone3, &args, sizeof(args)));
	args = (struct clone_args){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
				    .exit_signal = SIGCHLD };
	show("thread with exit signal", syscall(SYS_clone3, &args, sizeof(args)));
	pid_t want = 5000;
	args = (struct clone_args){ .exit_signal = SIGCHLD,
				    .set_tid = (uintptr_t)&want,
				    .set_tid_size = 1 };
	show("set_tid without rights", syscall(SYS_clone3, &args, sizeof(args)));
	args.set_tid_size = 100;
	show("set_tid too many", syscall(SYS_clone3, &args, sizeof(args)));
}

static void *return_arg(void *arg)
{
	return arg;
}

CASE(thread_create_join)
{
	int good = 0;

	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		void *result = NULL;
		if (pthread_create(&thread, NULL, return_arg, (void *)(intptr_t)i) == 0 &&
		    pthread_join(thread, &result) == 0)
			good += result == (void *)(intptr_t)i;
	}
	show_int("good", good);
}

static void *ids(void *arg)
{
	pid_t *tid = arg;
	*tid = get_tid();
	return (void *)(intptr_t)getpid();
}

CASE(thread_ids)
{
	pthread_t thread;
	pid_t tid = 0;
	void *pid;

	pthread_create(&thread, NULL, ids, &tid);
	pthread_join(thread, &pid);
	show_int("same pid", (intptr_t)pid == getpid());
	show_int("other tid", tid != getpid());
	/* A joined thread may still be on its last steps. */
	for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
		sleep_ms(1);
	show("gone", syscall(SYS_tgkill, getpid(), tid, 0));
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	show("no task entry", access(path, F_OK));
}

static void *exit_group(void *arg)
{
	_exit((int)(intptr_t)arg);
}

static void *sleep_forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

CASE(thread_exit_group)
{
	RUN_CHILD("a thread exits the process")
	{
		pthread_t thread;
		for (int i = 0; i < 5; i++)
			pthread_create(&thread, NULL, sleep_forever, NULL);
		pthread_create(&thread, NULL, exit_group, (void *)21);
		sleep_forever(NULL);
	}
	RUN_CHILD("main returns")
	{
		pthread_t thread;
		for (int i = 0; i < 5; i++)
			pthread_create(&thread, NULL, sleep_forever, NULL);
		_exit(22);
	}
	RUN_CHILD("killed")
	{
		pthread_t thread;
		for (int i = 0; i < 5; i++)
			pthread_create(&thread, NULL, sleep_forever, NULL);
		kill(getpid(), SIGKILL);
		sleep_forever(NULL);
	}
	RUN_CHILD("fault in a thread")
	{
		pthread_t thread;
		pthread_create(&thread, NULL, (void *(*)(void *))(uintptr_t)bad_ptr(), NULL);
		sleep_forever(NULL);
	}
}

static void *slow_exit(void *arg)
{
	sleep_ms(50);
	syscall(SYS_exit_group, 44);
	return arg;
}

CASE(thread_leader_exits_first)
{
	RUN_CHILD("the other decides")
	{
		pthread_t thread;
		pthread_create(&thread, NULL, slow_exit, NULL);
		syscall(SYS_exit, 11);
	}
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, sleep_forever, NULL);
		syscall(SYS_exit, 11);
	}
	sleep_ms(50);
	show("not waitable while a thread lives", waitpid(pid, NULL, WNOHANG));
	kill(pid, SIGKILL);
	show_wait("end", pid);
}

CASE(thread_signal_to_one)
{
	pthread_t thread;
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, sleep_forever, NULL);
	show_err("to a blocked thread", pthread_kill(thread, SIGUSR1));
	sigset_t pending;
	sigpending(&pending);
	show_int("not pending here", sigismember(&pending, SIGUSR1));
	kill(getpid(), SIGUSR1);
	show_err("to the process", sigwait(&set, &sig));
	show_int("sig", sig);
	show_err("cancel", pthread_cancel(thread));
	void *result;
	pthread_join(thread, &result);
	show_int("cancelled", result == PTHREAD_CANCELED);
}

static void fork_thrice(const char *who)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = (pid_t)MUST(syscall(SYS_fork));
		int status = -1;

		if (pid == 0)
			_exit(40 + i);
		MUST(waitpid(pid, &status, __WALL));
		note("%s: %d", who, WEXITSTATUS(status));
		/* Refused, when a fork went well before. */
		show("SIGHAND alone", syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
		show("namespace and FS", syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
		show("thread of nothing", syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	}
}

static void *forking_thread(void *arg)
{
	fork_thrice(arg);
	return NULL;
}

static int forking_child(void *arg)
{
	fork_thrice(arg);
	return 0;
}

static void on_child(int signo)
{
	(void)signo;
}

/* The first fork of a thread and those after it, by threads one after the other, and by what shares memory. */
CASE(fork_by_everyone)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART };
	static char name[16];
	pthread_t thread;

	MUST(sigaction(SIGCHLD, &action, NULL));
	fork_thrice("leader");
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "thread %d", i);
		pthread_create(&thread, NULL, forking_thread, name);
		pthread_join(thread, NULL);
	}
	show_wait("sharing child", clone(forking_child, stack_space + sizeof(stack_space), CLONE_VM | SIGCHLD,
					 (void *)"sharer"));
	show_wait("vfork child", clone(forking_child, stack_space + sizeof(stack_space),
				       CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)"vforked"));
	fork_thrice("leader");
}
