/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: the events of fork, clone, exec and exit, and system call stops.
 */
#include "ptrace.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>

static unsigned long message_of(pid_t pid)
{
	unsigned long message = 0;

	MUST(TRACE(PTRACE_GETEVENTMSG, pid, 0, &message));
	return message;
}

/* --- children ---------------------------------------------------------------------------- */

static void fork_body(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status) + 1);
}

static void vfork_body(void)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status) + 1);
}

static void clone_body(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	int status;

	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, __WALL);
	_exit(WEXITSTATUS(status) + 1);
}

static void follow(void (*body)(void), unsigned long options)
{
	pid_t pid = tracee_start(body), child;
	siginfo_t info;
	int status;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, options));
	TRACE(PTRACE_CONT, pid, 0, 0);
	status = show_stop("event", pid);
	if (!WIFSTOPPED(status))
		return;
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("signo %d code %x from itself %d", info.si_signo, (unsigned)info.si_code, info.si_pid == pid);
	child = (pid_t)message_of(pid);
	show_int("message is a pid", child > 0);
	show_stop("child", child);
	show("child goes on", TRACE(PTRACE_CONT, child, 0, 0));
	if (options & PTRACE_O_TRACEVFORK)
		TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("child ends", child);
	if (!(options & PTRACE_O_TRACEVFORK))
		TRACE(PTRACE_CONT, pid, 0, 0);
	while (WIFSTOPPED(status = show_stop("parent", pid)))
		TRACE(PTRACE_CONT, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
}

CASE(ptrace_event_fork)
{
	follow(fork_body, PTRACE_O_TRACEFORK);
}

CASE(ptrace_event_vfork)
{
	follow(vfork_body, PTRACE_O_TRACEVFORK);
}

CASE(ptrace_event_vfork_done)
{
	follow(vfork_body, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
}

CASE(ptrace_event_clone)
{
	follow(clone_body, PTRACE_O_TRACECLONE);
}

CASE(ptrace_event_not_asked)
{
	pid_t pid = tracee_start(clone_body);

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

CASE(ptrace_event_fork_seized)
{
	pid_t pid = tracee_start(fork_body), child;
	siginfo_t info;
	int status;

	TRACE(PTRACE_DETACH, pid, 0, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	MUST(TRACE(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK));
	show_stop("stop", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGCONT);
	for (;;) {
		status = next_stop(pid);
		if (!WIFSTOPPED(status) || status >> 16 == PTRACE_EVENT_FORK)
			break;
		TRACE(PTRACE_CONT, pid, 0, 0);
	}
	show_stop_status("event", status);
	child = (pid_t)message_of(pid);
	show_stop("child", child);
	MUST(TRACE(PTRACE_GETSIGINFO, child, 0, &info));
	note("signo %d code %x", info.si_signo, (unsigned)info.si_code);
	tracee_end(child);
	tracee_end(pid);
}

/* CLONE_UNTRACED escapes, CLONE_PTRACE asks to be traced. */
static void untraced_body(void)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, __WALL);
	pid = (pid_t)syscall(SYS_clone, CLONE_PTRACE | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(4);
	waitpid(pid, &status, __WALL);
	_exit(0);
}

CASE(ptrace_clone_flags)
{
	pid_t pid = tracee_start(untraced_body), other;
	int of_child[8], of_parent[8], children = 0, parents = 0, status = 0;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE));
	TRACE(PTRACE_CONT, pid, 0, 0);
	for (int i = 0; i < 8; i++) {
		other = (pid_t)MUST(waitpid(-1, &status, __WALL));
		if (other == pid)
			of_parent[parents++] = status;
		else
			of_child[children++] = status;
		if (other == pid && !WIFSTOPPED(status))
			break;
		if (WIFSTOPPED(status))
			TRACE(PTRACE_CONT, other, 0, WSTOPSIG(status) == SIGCHLD ? SIGCHLD : 0);
	}
	/* Which of the two stops first after the clone is not said. */
	for (int i = 0; i < parents; i++)
		show_stop_status("parent", of_parent[i]);
	for (int i = 0; i < children; i++)
		show_stop_status("child", of_child[i]);
}

/* --- threads ----------------------------------------------------------------------------- */

static void *thread_main(void *arg)
{
	return arg;
}

static void thread_body(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_main, NULL);
	pthread_join(thread, NULL);
	_exit(4);
}

CASE(ptrace_thread)
{
	pid_t pid = tracee_start(thread_body), thread;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	thread = (pid_t)message_of(pid);
	show_int("another tid", thread > 0 && thread != pid);
	show_stop("thread", thread);
	show("it goes on", TRACE(PTRACE_CONT, thread, 0, 0));
	show_stop("thread ends", thread);
	show("and is gone", waitpid(thread, NULL, __WALL));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

static int ready[2];

static void *waiting_thread(void *arg)
{
	MUST(write(ready[1], "a", 1));
	for (;;)
		pause();
	return arg;
}

/* The leader's end is seen when the last thread is gone. */
static void leader_exit_body(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, waiting_thread, NULL);
	syscall(SYS_exit, 9);
}

CASE(ptrace_leader_exit)
{
	pid_t pid, thread;
	char c;

	MUST(pipe(ready));
	pid = tracee_start(leader_exit_body);
	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	thread = (pid_t)message_of(pid);
	show_stop("thread", thread);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("leader exits", pid);
	show_hex("message", message_of(pid));
	TRACE(PTRACE_CONT, pid, 0, 0);
	TRACE(PTRACE_CONT, thread, 0, 0);
	MUST(read(ready[0], &c, 1));
	show("not yet", waitpid(pid, NULL, __WALL | WNOHANG));
	kill(pid, SIGKILL);
	show_stop("thread", thread);
	show_hex("message", message_of(thread));
	TRACE(PTRACE_CONT, thread, 0, 0);
	show_stop("thread", thread);
	show_stop("leader", pid);
}

/* --- exec -------------------------------------------------------------------------------- */

HELPER(ptrace_exec)
{
	(void)argc;
	(void)argv;
	return 8;
}

static void exec_body(void)
{
	execl(self_exe(), "conformance", "@ptrace_exec", NULL);
}

CASE(ptrace_exec_legacy)
{
	pid_t pid = tracee_start(exec_body);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("SIGTRAP", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("code %d from itself %d", info.si_code, info.si_pid == pid);
	show_int("orig_rax", (long)regs_of(pid).orig_rax);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

CASE(ptrace_event_exec)
{
	pid_t pid = tracee_start(exec_body);
	struct user_regs_struct r;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	show_int("former tid", (pid_t)message_of(pid) == pid);
	r = regs_of(pid);
	note("orig_rax %lld rax %lld rbx %lld", (long long)r.orig_rax, (long long)r.rax, (long long)r.rbx);
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	show_stop("exit of execve", pid);
	r = regs_of(pid);
	note("orig_rax %lld rax %lld", (long long)r.orig_rax, (long long)r.rax);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

static void *exec_thread(void *arg)
{
	exec_body();
	return arg;
}

static void thread_exec_body(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_thread, NULL);
	for (;;)
		pause();
}

CASE(ptrace_exec_thread)
{
	pid_t pid = tracee_start(thread_exec_body), thread;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	thread = (pid_t)message_of(pid);
	show_stop("thread", thread);
	TRACE(PTRACE_CONT, pid, 0, 0);
	TRACE(PTRACE_CONT, thread, 0, 0);
	show_stop("exec, as the leader", pid);
	show_int("former tid", (pid_t)message_of(pid) == thread);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
	show("the thread is gone", waitpid(thread, NULL, __WALL));
}

/* --- exit -------------------------------------------------------------------------------- */

static void exit_body(void)
{
	_exit(5);
}

CASE(ptrace_event_exit)
{
	pid_t pid = tracee_start(exit_body);
	struct user_regs_struct r;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	show_hex("message", message_of(pid));
	r = regs_of(pid);
	show_int("orig_rax", (long)r.orig_rax);
	show_int("rdi", (long)r.rdi);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

/* Its end is decided: SIGKILL does not end the stop, only the tracer does. */
CASE(ptrace_event_exit_deaf)
{
	const struct timespec moment = { 0, 50000000 };
	pid_t pid = tracee_start(exit_body);

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	show("kill", kill(pid, SIGKILL));
	nanosleep(&moment, NULL);
	show("nothing", waitpid(pid, NULL, WNOHANG | __WALL));
	show("stopped", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

CASE(ptrace_event_exit_killed)
{
	pid_t pid = tracee_start(exit_body);

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT));
	kill(pid, SIGKILL);
	show_stop("event", pid);
	show_hex("message", message_of(pid));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

/* --- system calls ------------------------------------------------------------------------ */

static void calls_body(void)
{
	syscall(SYS_getppid);
	syscall(SYS_close, 12345);
	_exit(syscall(SYS_getuid) == 77 ? 1 : 2);
}

CASE(ptrace_syscall)
{
	pid_t pid = tracee_start(calls_body);
	struct user_regs_struct r;
	siginfo_t info;

	for (int i = 0; i < 5; i++) {
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		show_stop("plain", pid);
		r = regs_of(pid);
		note("call %lld result %lld", (long long)r.orig_rax, i & 1 ? r.rax != 0 : (long long)r.rax);
		MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
		note("code %x", (unsigned)info.si_code);
		if (i == 1)
			MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	}
	show("end it", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
}

static void show_info(pid_t pid)
{
	struct ptrace_syscall_info info;
	long size;

	memset(&info, 0x5a, sizeof(info));
	size = TRACE(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	show("size", size);
	show_int("op", info.op);
	show_hex("arch", info.arch);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		note("nr %lld arg %llu", (long long)info.entry.nr,
		     info.entry.nr == SYS_close ? (unsigned long long)info.entry.args[0] : 0);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		note("rval %lld error %d", info.exit.is_error ? (long long)info.exit.rval : 0, info.exit.is_error);
}

CASE(ptrace_syscall_info)
{
	pid_t pid = tracee_start(calls_body);
	char byte[2] = { 99, 99 };

	show_info(pid);
	show("small", TRACE(PTRACE_GET_SYSCALL_INFO, pid, 1, byte));
	show_int("only as much", byte[1]);
	show("bad address", TRACE(PTRACE_GET_SYSCALL_INFO, pid, 80, bad_ptr()));
	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	for (int i = 0; i < 4; i++) {
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		show_stop("stop", pid);
		show_info(pid);
	}
	tracee_end(pid);
}

CASE(ptrace_syscall_changed)
{
	pid_t pid = tracee_start(calls_body);
	struct user_regs_struct r;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	r = regs_of(pid);
	r.orig_rax = SYS_close;
	r.rdi = 54321;
	show("another call", TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	show_int("its result", (long)regs_of(pid).rax);
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	r = regs_of(pid);
	r.orig_rax = ~0UL;
	show("no call", TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	r = regs_of(pid);
	note("rax %lld orig_rax %lld", (long long)r.rax, (long long)r.orig_rax);
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	r = regs_of(pid);
	r.orig_rax = 100000;
	MUST(TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
	r = regs_of(pid);
	show_int("an unknown call", (long)r.rax);
	r.rax = 77;
	show("another result", TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

CASE(ptrace_sysemu)
{
	pid_t pid = tracee_start(calls_body);
	struct user_regs_struct r;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	for (int i = 0; i < 3; i++) {
		show("emulate", TRACE(PTRACE_SYSEMU, pid, 0, 0));
		show_stop("stop", pid);
		r = regs_of(pid);
		note("call %lld rax %lld", (long long)r.orig_rax, (long long)r.rax);
		r.rax = 77;
		MUST(TRACE(PTRACE_SETREGS, pid, 0, &r));
	}
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

/* A signal that a system call stop is resumed with is sent anew. */
CASE(ptrace_syscall_signal)
{
	pid_t pid = tracee_start(calls_body);
	siginfo_t info;

	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	show_stop("entry", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	show_stop("signal", pid);
	MUST(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	note("code %x pid %d", (unsigned)info.si_code, info.si_pid);
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	show_stop("end", pid);
}

/* --- seccomp -------------------------------------------------------------------------- */

static void filtered_body(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 0x1234),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(99);
	show("first", syscall(SYS_getppid) > 0);
	show("second", syscall(SYS_getppid));
	show("third", syscall(SYS_getppid));
	show("fourth", syscall(SYS_getppid));
	_exit(0);
}

CASE(ptrace_event_seccomp)
{
	pid_t pid = tracee_start(filtered_body);
	struct user_regs_struct r;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("event", pid);
	show_hex("message", message_of(pid));
	r = regs_of(pid);
	note("call %lld rax %lld", (long long)r.orig_rax, (long long)r.rax);
	show_info(pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("no call", pid);
	r = regs_of(pid);
	r.orig_rax = ~0UL;
	r.rax = 42;
	MUST(TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("a call that the filter refuses", pid);
	r = regs_of(pid);
	r.orig_rax = SYS_getuid;
	MUST(TRACE(PTRACE_SETREGS, pid, 0, &r));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	show_stop("its end", pid);
	show_int("rax", (long)regs_of(pid).rax);
	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, 0));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("nobody asked", pid);
}
