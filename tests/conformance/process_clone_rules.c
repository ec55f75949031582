/* SPDX-License-Identifier: Apache-2.0
 *
 * clone and clone3: flag combinations, pointers, exit signals, what is inherited.
 */
#include "conformance.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Shows only the result for the parent; a child that comes to be ends at once. */
static void try_clone3(const char *label, const struct clone_args *args, size_t size)
{
	pid_t pid = (pid_t)syscall(SYS_clone3, args, size);

	if (pid == 0)
		_exit(0);
	show_ok(label, pid);
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
}

static void try_clone(const char *label, unsigned long flags)
{
	pid_t tid;
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, &tid, &tid, 0);

	if (pid == 0)
		_exit(0);
	show_ok(label, pid);
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
}

CASE(clone_flag_pairs)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} rows[] = {
		{ "sighand", CLONE_SIGHAND },
		{ "thread", CLONE_THREAD },
		{ "thread sighand", CLONE_THREAD | CLONE_SIGHAND },
		{ "thread vm", CLONE_THREAD | CLONE_VM },
		{ "newns fs", CLONE_NEWNS | CLONE_FS },
		{ "newuser fs", CLONE_NEWUSER | CLONE_FS },
		{ "newipc sysvsem", CLONE_NEWIPC | CLONE_SYSVSEM },
		{ "pidfd parent_settid", CLONE_PIDFD | CLONE_PARENT_SETTID },
		{ "pidfd detached", CLONE_PIDFD | 0x400000 },
		{ "detached", 0x400000 },
		{ "untraced", CLONE_UNTRACED },
		{ "io", CLONE_IO },
		{ "vfork", CLONE_VFORK },
		{ "sysvsem", CLONE_SYSVSEM },
		{ "files fs", CLONE_FILES | CLONE_FS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		try_clone(rows[i].name, rows[i].flags | SIGCHLD);
}

CASE(clone_exit_signals)
{
	static const unsigned int signals[] = { 0, 1, 17, 64, 65, 100, 127, 128, 255 };

	/* Those that would end us. */
	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD)
			signal(sig, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		char label[24];
		struct clone_args args = { .exit_signal = signals[i] };

		snprintf(label, sizeof(label), "clone %u", signals[i]);
		try_clone(label, signals[i]);
		snprintf(label, sizeof(label), "clone3 %u", signals[i]);
		try_clone3(label, &args, sizeof(args));
	}
	struct clone_args args = { .exit_signal = 256 };
	try_clone3("clone3 256", &args, sizeof(args));
	args.exit_signal = 1ULL << 32;
	try_clone3("clone3 high", &args, sizeof(args));
}

CASE(clone3_sizes)
{
	static unsigned char page[8192] __attribute__((aligned(4096)));
	struct clone_args *args = (struct clone_args *)page;

	args->exit_signal = SIGCHLD;
	try_clone3("0", args, 0);
	try_clone3("63", args, 63);
	try_clone3("64", args, 64);
	try_clone3("72", args, 72);
	try_clone3("80", args, 80);
	try_clone3("88", args, 88);
	try_clone3("96", args, 96);
	try_clone3("4096", args, 4096);
	try_clone3("4097", args, 4097);
	page[90] = 1;
	try_clone3("96 not zero", args, 96);
	try_clone3("bad pointer", bad_ptr(), sizeof(*args));
}

CASE(clone3_stacks)
{
	static char stack[4096] __attribute__((aligned(16)));
	struct clone_args args = { .exit_signal = SIGCHLD };

	args.stack = (uintptr_t)stack;
	try_clone3("no size", &args, sizeof(args));
	args.stack = 0;
	args.stack_size = sizeof(stack);
	try_clone3("no stack", &args, sizeof(args));
	args.stack = (uintptr_t)stack;
	args.stack_size = ~0ULL;
	try_clone3("wraps", &args, sizeof(args));
	args.stack = 0xffff800000000000ULL;
	args.stack_size = 4096;
	try_clone3("not the user's", &args, sizeof(args));
}

CASE(clone3_pidfd)
{
	int fd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };

	args.pidfd = (uintptr_t)&fd;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(8);
	show_int("fd", fd);
	show("cloexec", fcntl(fd, F_GETFD));
	show_hex("flags", (unsigned long long)fcntl(fd, F_GETFL));
	siginfo_t info;
	show("waitid", waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED));
	show_int("status", info.si_status);
	args.pidfd = (uintptr_t)bad_ptr();
	try_clone3("bad address", &args, sizeof(args));
	show("no fd was left", fcntl(fd + 1, F_GETFD));
	args.flags = CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	args.exit_signal = 0;
	args.pidfd = (uintptr_t)kernel_ptr();
	try_clone3("thread, bad address", &args, sizeof(args));
	struct rlimit none = { 0, 64 };
	MUST(setrlimit(RLIMIT_NOFILE, &none));
	args.flags = CLONE_PIDFD;
	args.exit_signal = SIGCHLD;
	args.pidfd = (uintptr_t)&fd;
	try_clone3("no descriptor free", &args, sizeof(args));
}

CASE(clone_tid_pointers_bad)
{
	struct clone_args args = { .flags = CLONE_PARENT_SETTID, .exit_signal = SIGCHLD };

	args.parent_tid = (uintptr_t)bad_ptr();
	try_clone3("parent_tid", &args, sizeof(args));
	args.flags = CLONE_CHILD_SETTID;
	args.child_tid = (uintptr_t)bad_ptr();
	try_clone3("child_tid", &args, sizeof(args));
	args.flags = CLONE_CHILD_CLEARTID;
	args.child_tid = (uintptr_t)bad_ptr();
	try_clone3("clear_tid", &args, sizeof(args));
}

CASE(clone_settls_bad)
{
	struct clone_args args = { .flags = CLONE_SETTLS, .exit_signal = SIGCHLD };

	args.tls = 0xffff800000000000ULL;
	try_clone3("kernel address", &args, sizeof(args));
	args.tls = 0x800000000000ULL;
	try_clone3("first beyond", &args, sizeof(args));
	args.tls = 0x8000000000000000ULL;
	try_clone3("non-canonical", &args, sizeof(args));
	try_clone("by clone, 0", CLONE_SETTLS | CLONE_VFORK | SIGCHLD);
}

CASE(clone_parent_flag)
{
	RUN_CHILD("middle")
	{
		struct clone_args args = { .flags = CLONE_PARENT };
		pid_t grand = getppid();
		pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

		if (pid == 0)
			_exit(getppid() == grand ? 3 : 4);
		show_ok("clone3", pid);
		show("not my child", waitpid(pid, NULL, __WALL));
		args.exit_signal = SIGCHLD;
		try_clone3("with exit signal", &args, sizeof(args));
	}
	int status;
	MUST(wait(&status));
	show_status("sibling", status);
}

static void nop(int sig)
{
	(void)sig;
}

CASE(clone_clear_sighand)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	struct sigaction now;

	signal(SIGUSR1, nop);
	signal(SIGUSR2, SIG_IGN);
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		sigaction(SIGUSR1, NULL, &now);
		show_int("handler reset", now.sa_handler == SIG_DFL);
		sigaction(SIGUSR2, NULL, &now);
		show_int("ignored kept", now.sa_handler == SIG_IGN);
		_exit(0);
	}
	show_wait("child", pid);
	args.flags |= CLONE_SIGHAND | CLONE_VM;
	try_clone3("with SIGHAND", &args, sizeof(args));
}

static int ignore_usr1(void *arg)
{
	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	syscall(SYS_exit, 0);
	return 0;
}

/* On a stack of its own: what the child calls would overwrite our return addresses. */
CASE(clone_sighand_shared)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct sigaction now;

	show_wait("child", clone(ignore_usr1, stack + sizeof(stack),
				 CLONE_SIGHAND | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
	sigaction(SIGUSR1, NULL, &now);
	show_int("shared", now.sa_handler == SIG_IGN);
}

static int altstack_state(void *arg)
{
	stack_t now;

	(void)arg;
	syscall(SYS_sigaltstack, NULL, &now);
	syscall(SYS_exit, now.ss_flags == SS_DISABLE ? 1 : 2);
	return 0;
}

CASE(clone_altstack)
{
	static char stack[65536] __attribute__((aligned(16))), alt[16384];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };

	MUST(sigaltstack(&ss, NULL));
	show_wait("fork keeps it", clone(altstack_state, stack + sizeof(stack), SIGCHLD, NULL));
	show_wait("vm drops it", clone(altstack_state, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	show_wait("vfork keeps it", clone(altstack_state, stack + sizeof(stack),
					  CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

CASE(clone_inherits_settings)
{
	sigset_t set;
	struct sched_param param = { 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(kill(getpid(), SIGUSR1));
	MUST(prctl(PR_SET_NAME, "inherited"));
	MUST(prctl(PR_SET_TIMERSLACK, 12345));
	MUST(prctl(PR_SET_PDEATHSIG, SIGUSR2));
	MUST(setpriority(PRIO_PROCESS, 0, 8));
	MUST(sched_setscheduler(0, SCHED_BATCH, &param));
	alarm(100);
	RUN_CHILD("child")
	{
		char name[17] = "";
		int sig = -1;

		sigpending(&set);
		show_int("pending is not", sigismember(&set, SIGUSR1));
		sigprocmask(SIG_BLOCK, NULL, &set);
		show_int("the mask is", sigismember(&set, SIGUSR1));
		prctl(PR_GET_NAME, name);
		show_str("name", name);
		show("slack", prctl(PR_GET_TIMERSLACK));
		prctl(PR_GET_PDEATHSIG, &sig);
		show_int("pdeathsig", sig);
		show_int("nice", nice(0));
		show_int("policy", sched_getscheduler(0));
		show_int("alarm", alarm(0));
	}
}

CASE(clone_reset_on_fork)
{
	struct sched_param param = { 0 };

	MUST(setpriority(PRIO_PROCESS, 0, 10));
	show("set", sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param));
	show_hex("own", (unsigned long long)sched_getscheduler(0));
	RUN_CHILD("child")
	{
		show_hex("policy", (unsigned long long)sched_getscheduler(0));
		show_int("nice", nice(0));
	}
}

CASE(vfork_parent_waits_for_exec)
{
	char *argv[] = { (char *)"conformance", (char *)"@exec_wait", NULL };

	pid_t pid = vfork();
	if (pid == 0) {
		execv(self_exe(), argv);
		_exit(1);
	}
	char name[17] = "", path[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	MUST(read(fd, name, 16));
	name[strcspn(name, "\n")] = '\0';
	show_str("exec has happened", name);
	kill(pid, SIGKILL);
	show_wait("child", pid);
}

static volatile sig_atomic_t usr1_seen;
static void on_usr1(int sig)
{
	(void)sig;
	usr1_seen = 1;
}

CASE(vfork_parent_is_not_interrupted)
{
	pid_t parent = getpid();

	signal(SIGUSR1, on_usr1);
	pid_t pid = vfork();
	if (pid == 0) {
		kill(parent, SIGUSR1);
		sleep_ms(50);
		_exit(usr1_seen ? 1 : 0);
	}
	show_wait("child ended first", pid);
	show_int("then the signal", usr1_seen);
}

CASE(vfork_parent_can_be_killed)
{
	pid_t parent = (pid_t)MUST(fork());

	if (parent == 0) {
		setpgid(0, 0);
		if (vfork() == 0) {
			sleep_ms(10000);
			_exit(0);
		}
		_exit(0);
	}
	setpgid(parent, parent);
	sleep_ms(100);
	/* Another fatal signal is SIGKILL to it. */
	kill(parent, SIGTERM);
	show_wait("SIGTERM", parent);
	kill(-parent, SIGKILL);
}
