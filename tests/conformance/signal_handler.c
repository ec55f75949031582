/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal handlers: dispositions, masks, flags, order of delivery, siginfo, alternate stacks.
 */
#include "conformance.h"

#include <setjmp.h>
#include <ucontext.h>

static volatile sig_atomic_t count, depth, max_depth;

static void on_signal(int sig)
{
	(void)sig;
	count++;
}

static void on_signal_nested(int sig)
{
	count++;
	depth++;
	if (depth > max_depth)
		max_depth = depth;
	if (count < 3)
		raise(sig);
	depth--;
}

static void on_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	note("signal %d: signo %d code %d errno %d from self %d uid %u value %d", sig,
	     info->si_signo, info->si_code, info->si_errno, info->si_pid == getpid(), info->si_uid,
	     info->si_value.sival_int);
}

static void catch_info(int sig)
{
	struct sigaction action = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };

	MUST(sigaction(sig, &action, NULL));
}

CASE(signal_siginfo_senders)
{
	union sigval value = { .sival_int = 1234 };

	catch_info(SIGUSR1);
	catch_info(SIGRTMIN);
	show("kill", kill(getpid(), SIGUSR1));
	show("tgkill", syscall(SYS_tgkill, getpid(), get_tid(), SIGUSR1));
	show("tkill", syscall(SYS_tkill, get_tid(), SIGUSR1));
	show("sigqueue", sigqueue(getpid(), SIGUSR1, value));
	show("sigqueue realtime", sigqueue(getpid(), SIGRTMIN, value));
}

CASE(signal_sigqueueinfo)
{
	siginfo_t info = { .si_code = -7 };

	catch_info(SIGUSR1);
	info.si_pid = getpid();
	info.si_value.sival_int = 99;
	show("own code", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	show("to a thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), get_tid(), SIGUSR1, &info));
	info.si_code = SI_USER;
	show("SI_USER to self", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	show("SI_USER to another", syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
	show("bad pointer", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, bad_ptr()));
	show("bad signal", syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info));
}

CASE(signal_sigaction_errors)
{
	struct sigaction action = { .sa_handler = on_signal };

	show("SIGKILL", sigaction(SIGKILL, &action, NULL));
	show("SIGSTOP", sigaction(SIGSTOP, &action, NULL));
	show("SIGKILL query", sigaction(SIGKILL, NULL, &action));
	show("0", syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	show("65", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	show("64", syscall(SYS_rt_sigaction, 64, NULL, NULL, 8));
	show("bad set size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	show("bad new", syscall(SYS_rt_sigaction, SIGUSR1, bad_ptr(), NULL, 8));
	show("bad old", syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad_ptr(), 8));
	show("procmask bad how", syscall(SYS_rt_sigprocmask, 9, &action, NULL, 8));
	show("procmask bad how, no set", syscall(SYS_rt_sigprocmask, 9, NULL, NULL, 8));
	show("procmask bad size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16));
	show("procmask bad set", syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad_ptr(), NULL, 8));
	show("pending bad pointer", syscall(SYS_rt_sigpending, bad_ptr(), 8));
	show("pending big size", syscall(SYS_rt_sigpending, bad_ptr(), 16));
}

CASE(signal_sigaction_old)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER },
			 old;

	sigaddset(&action.sa_mask, SIGUSR2);
	MUST(sigaction(SIGUSR1, &action, NULL));
	show("query", sigaction(SIGUSR1, NULL, &old));
	show_int("handler", old.sa_handler == on_signal);
	show_hex("flags", (unsigned int)old.sa_flags & ~0x04000000U);
	show_int("mask has USR2", sigismember(&old.sa_mask, SIGUSR2));
	show_int("mask has USR1", sigismember(&old.sa_mask, SIGUSR1));
}

CASE(signal_kill_errors)
{
	show("self 0", kill(getpid(), 0));
	show("no such", kill(999999, 0));
	show("bad signal", kill(getpid(), 65));
	show("negative signal", kill(getpid(), -1));
	show("no such group", kill(-999999, SIGTERM));
	show("tgkill wrong group", syscall(SYS_tgkill, 999999, get_tid(), 0));
	show("tgkill bad tgid", syscall(SYS_tgkill, -1, get_tid(), 0));
	show("tgkill bad tid", syscall(SYS_tgkill, getpid(), 0, 0));
	show("tkill bad tid", syscall(SYS_tkill, -1, 0));
	pid_t root = getpid();
	RUN_CHILD("as user")
	{
		become_user(1000);
		show("parent 0", kill(root, 0));
		show("parent TERM", kill(root, SIGTERM));
		show("init", kill(1, SIGTERM));
		show("self", kill(getpid(), 0));
		show("CONT within the session", kill(root, SIGCONT));
	}
}

CASE(signal_group)
{
	int ends[2];

	MUST(pipe(ends));
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = (pid_t)MUST(fork());
		if (pids[i] == 0) {
			setpgid(0, i == 0 ? 0 : pids[0]);
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		char byte;
		MUST(read(ends[0], &byte, 1));
	}
	show("killpg", kill(-pids[0], SIGUSR2));
	for (int i = 0; i < 3; i++)
		show_wait("member", pids[i]);
	show("killpg again", kill(-pids[0], SIGUSR2));
}

CASE(signal_mask_in_handler)
{
	struct sigaction action = { .sa_handler = on_signal_nested };

	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	note("deferred: count %d depth %d", count, max_depth);
	count = max_depth = 0;
	action.sa_flags = SA_NODEFER;
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	note("SA_NODEFER: count %d depth %d", count, max_depth);
}

CASE(signal_resethand)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	RUN_CHILD("second one kills")
	{
		MUST(sigaction(SIGUSR1, &action, NULL));
		raise(SIGUSR1);
		note("count %d", count);
		show_int("default again", signal(SIGUSR1, SIG_DFL) == SIG_DFL);
		raise(SIGUSR1);
	}
}

static int order[64], order_count;

static void on_order(int sig)
{
	order[order_count++] = sig;
}

CASE(signal_delivery_order)
{
	static const int sent[] = { 50, SIGUSR2, 40, SIGHUP, SIGTERM, 40, SIGUSR1, SIGHUP };
	sigset_t all, old;

	sigfillset(&all);
	MUST(sigprocmask(SIG_SETMASK, &all, &old));
	struct sigaction action = { .sa_handler = on_order, .sa_mask = all };
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		MUST(sigaction(sent[i], &action, NULL));
		MUST(kill(getpid(), sent[i]));
	}
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
	for (int i = 0; i < order_count; i++)
		note("delivered %d", order[i]);
}

static void on_value(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	order[order_count++] = info->si_value.sival_int;
}

CASE(signal_realtime_queue)
{
	struct sigaction action = { .sa_sigaction = on_value, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigfillset(&action.sa_mask);
	MUST(sigaction(SIGRTMIN + 2, &action, NULL));
	MUST(sigaction(SIGUSR1, &action, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 10; i++) {
		MUST(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = i }));
		MUST(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 100 + i }));
	}
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	for (int i = 0; i < order_count; i++)
		note("value %d", order[i]);
}

CASE(signal_thread_before_process)
{
	sigset_t set;

	catch_info(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(kill(getpid(), SIGUSR1));
	MUST(syscall(SYS_tgkill, getpid(), get_tid(), SIGUSR1));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

CASE(signal_ignore_discards_pending)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	sigpending(&pending);
	show_int("pending", sigismember(&pending, SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	sigpending(&pending);
	show_int("after ignoring", sigismember(&pending, SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	RUN_CHILD("sent while ignored and blocked")
	{
		MUST(sigprocmask(SIG_BLOCK, &set, NULL));
		signal(SIGUSR1, SIG_IGN);
		raise(SIGUSR1);
		signal(SIGUSR1, SIG_DFL);
		MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
		note("alive");
	}
}

CASE(signal_cannot_block_kill)
{
	sigset_t set;

	sigfillset(&set);
	MUST(sigprocmask(SIG_SETMASK, &set, NULL));
	sigprocmask(SIG_SETMASK, NULL, &set);
	show_int("KILL blocked", sigismember(&set, SIGKILL));
	show_int("STOP blocked", sigismember(&set, SIGSTOP));
	RUN_CHILD("killed")
	{
		kill(getpid(), SIGKILL);
	}
}

static char alt_stack[65536] __attribute__((aligned(16)));
static bool ran_on_alt_stack;
static stack_t seen_stack;

static void on_alt(int sig)
{
	char here;
	(void)sig;
	ran_on_alt_stack = &here >= alt_stack && &here < alt_stack + sizeof(alt_stack);
	sigaltstack(NULL, &seen_stack);
	stack_t other = { .ss_sp = alt_stack, .ss_size = sizeof(alt_stack) };
	show("change while on it", sigaltstack(&other, NULL));
}

CASE(signal_altstack)
{
	stack_t stack = { .ss_sp = alt_stack, .ss_size = sizeof(alt_stack) }, old;
	struct sigaction action = { .sa_handler = on_alt, .sa_flags = SA_ONSTACK };

	show("set", sigaltstack(&stack, &old));
	show_int("was disabled", old.ss_flags == SS_DISABLE);
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	show_int("ran on it", ran_on_alt_stack);
	show_int("flags inside", seen_stack.ss_flags);
	sigaltstack(NULL, &old);
	show_int("flags after", old.ss_flags);
	show_int("size", (long long)old.ss_size);
	action.sa_flags = 0;
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	show_int("without SA_ONSTACK", ran_on_alt_stack);
}

CASE(signal_altstack_errors)
{
	stack_t stack = { .ss_sp = alt_stack, .ss_size = 100 };

	show("small", sigaltstack(&stack, NULL));
	stack.ss_size = sizeof(alt_stack);
	stack.ss_flags = 0x40;
	show("bad flags", sigaltstack(&stack, NULL));
	show("bad pointer", syscall(SYS_sigaltstack, bad_ptr(), NULL));
	show("bad old pointer", syscall(SYS_sigaltstack, NULL, bad_ptr()));
	stack.ss_flags = SS_DISABLE;
	stack.ss_size = 0;
	show("disable", sigaltstack(&stack, NULL));
	stack.ss_flags = SS_ONSTACK;
	stack.ss_size = sizeof(alt_stack);
	show("SS_ONSTACK is accepted", sigaltstack(&stack, NULL));
}

CASE(signal_altstack_autodisarm)
{
	stack_t stack = { .ss_sp = alt_stack,
			  .ss_size = sizeof(alt_stack),
			  .ss_flags = (int)(1U << 31) };
	struct sigaction action = { .sa_handler = on_alt, .sa_flags = SA_ONSTACK };

	show("set", sigaltstack(&stack, NULL));
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	show_int("ran on it", ran_on_alt_stack);
	show_int("flags inside", seen_stack.ss_flags);
	sigaltstack(NULL, &stack);
	show_hex("flags after", (unsigned int)stack.ss_flags);
}

static sigjmp_buf jump;

static void on_jump(int sig)
{
	siglongjmp(jump, sig);
}

CASE(signal_longjmp_out)
{
	sigset_t set;

	signal(SIGUSR1, on_jump);
	for (volatile int i = 0; i < 3; i++) {
		int sig = sigsetjmp(jump, 1);

		if (sig == 0) {
			raise(SIGUSR1);
			note("not reached");
		}
		sigprocmask(SIG_BLOCK, NULL, &set);
		note("jumped with %d, blocked %d", sig, sigismember(&set, SIGUSR1));
	}
}

static void on_change_mask(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
	sigset_t set;
	sigprocmask(SIG_BLOCK, NULL, &set);
	note("inside: USR1 %d USR2 %d HUP %d", sigismember(&set, SIGUSR1),
	     sigismember(&set, SIGUSR2), sigismember(&set, SIGHUP));
}

CASE(signal_context_mask)
{
	struct sigaction action = { .sa_sigaction = on_change_mask, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigaddset(&action.sa_mask, SIGHUP);
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &set);
	note("after: USR1 %d USR2 %d HUP %d", sigismember(&set, SIGUSR1),
	     sigismember(&set, SIGUSR2), sigismember(&set, SIGHUP));
}
