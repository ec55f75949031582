/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl(PR_SET_SYSCALL_USER_DISPATCH): calls that come back as SIGSYS.
 */
#include "conformance.h"

#include <linux/audit.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif
#define ALLOW 0
#define BLOCK 1

static volatile unsigned char selector;
static volatile int caught;

/* One call from code of its own, which can be left out. */
long exempt_call(long nr, long a, long b, long c);
extern char exempt_start[], exempt_after[], exempt_end[];
__asm__(".pushsection .text\n"
	".globl exempt_call, exempt_start, exempt_after, exempt_end\n"
	"exempt_call:\n"
	"exempt_start:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	syscall\n"
	"exempt_after:\n"
	"	ret\n"
	"exempt_end:\n"
	".popsection\n");

static struct {
	int code, error, nr;
	unsigned arch;
	bool same_address, same_rip;
	long long rax;
} seen;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signo;
	selector = ALLOW; /* the handler's own return is a call, too */
	caught++;
	seen.code = info->si_code;
	seen.error = info->si_errno;
	seen.nr = info->si_syscall;
	seen.arch = info->si_arch;
	seen.same_address = info->si_call_addr == (void *)exempt_after;
	seen.same_rip = uc->uc_mcontext.gregs[REG_RIP] == (greg_t)(uintptr_t)exempt_after;
	seen.rax = uc->uc_mcontext.gregs[REG_RAX];
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void catch_sigsys(void)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	MUST(sigaction(SIGSYS, &action, NULL));
}

static void show_seen(void)
{
	note("caught %d code %d errno %d syscall %d arch %d addr %d rip %d rax %lld", caught, seen.code,
	     seen.error, seen.nr, seen.arch == AUDIT_ARCH_X86_64, seen.same_address, seen.same_rip,
	     seen.rax);
}

static long dispatch(unsigned long mode, unsigned long offset, unsigned long length, volatile void *byte)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, offset, length, byte);
}

CASE(user_dispatch_arguments)
{
	show("off", dispatch(PR_SYS_DISPATCH_OFF, 0, 0, NULL));
	show("off with an offset", dispatch(PR_SYS_DISPATCH_OFF, 1, 0, NULL));
	show("off with a length", dispatch(PR_SYS_DISPATCH_OFF, 0, 1, NULL));
	show("off with a selector", dispatch(PR_SYS_DISPATCH_OFF, 0, 0, &selector));
	show("unknown", dispatch(100, 0, 0, &selector));
	show("long mode", dispatch(1UL << 32, 0, 0, &selector));
	show("no length", dispatch(PR_SYS_DISPATCH_ON, 1, 0, &selector));
	show("around", dispatch(PR_SYS_DISPATCH_ON, 1, -1UL, &selector));
	show("around from the end", dispatch(PR_SYS_DISPATCH_ON, -4096UL, 4096, &selector));
	show("kernel's selector", dispatch(PR_SYS_DISPATCH_ON, 0, 0, kernel_ptr()));
	show("nothing was set", getppid() > 0);
	show("on", dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
	show("allowed", getppid() > 0);
	show("all code", dispatch(PR_SYS_DISPATCH_ON, 0, -1UL, &selector));
	selector = BLOCK;
	show("exempt", getppid() > 0);
	show("off again", dispatch(PR_SYS_DISPATCH_OFF, 0, 0, NULL));
	show("free", getppid() > 0);
}

CASE(user_dispatch_signal)
{
	long result;

	catch_sigsys();
	MUST(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
	selector = BLOCK;
	result = exempt_call(SYS_getppid, 0, 0, 0);
	show_int("result", result);
	show_seen();
	for (int i = 0; i < 100; i++) {
		selector = BLOCK;
		result += exempt_call(SYS_gettid, 0, 0, 0);
	}
	show_int("many", result);
	selector = BLOCK;
	show_int("no such call", exempt_call(100000, 0, 0, 0));
	show_seen();
	selector = BLOCK;
	show_int("exit", exempt_call(SYS_exit_group, 0, 0, 0));
	selector = BLOCK;
	show_int("munmap", exempt_call(SYS_munmap, (long)on_sigsys & -4096, 4096, 0));
	selector = BLOCK;
	show_int("clone", exempt_call(SYS_clone, SIGCHLD, 0, 0));
	show_seen();
}

/* The range is of code that may call; all other is caught. */
CASE(user_dispatch_range)
{
	pid_t parent = getppid(), other, pid;

	catch_sigsys();
	MUST(dispatch(PR_SYS_DISPATCH_ON, (uintptr_t)exempt_start, (size_t)(exempt_end - exempt_start),
		      &selector));
	selector = BLOCK;
	pid = (pid_t)exempt_call(SYS_getppid, 0, 0, 0);
	other = (pid_t)syscall(SYS_getppid);
	note("inside %d, outside %d", pid == parent, other);
	show_seen();
	/* The address that counts is the one behind the instruction. */
	MUST(dispatch(PR_SYS_DISPATCH_ON, (uintptr_t)exempt_start, (size_t)(exempt_after - exempt_start),
		      &selector));
	selector = BLOCK;
	show_int("ends before", exempt_call(SYS_getppid, 0, 0, 0));
	MUST(dispatch(PR_SYS_DISPATCH_ON, (uintptr_t)exempt_after, 1, &selector));
	selector = BLOCK;
	pid = (pid_t)exempt_call(SYS_getppid, 0, 0, 0);
	selector = ALLOW;
	show_int("only that", pid == parent);
	show_seen();
}

/* Linux 6.17: only the code of the range is caught. */
CASE(user_dispatch_inclusive)
{
	const unsigned long start = (uintptr_t)exempt_start, size = (size_t)(exempt_end - exempt_start);
	const unsigned long inclusive = 2;
	pid_t parent = getppid();

	catch_sigsys();
	selector = ALLOW;
	if (dispatch(inclusive, start, size, &selector) == -1 && errno == EINVAL)
		skip("the kernel does not know PR_SYS_DISPATCH_INCLUSIVE_ON");
	show("no length", dispatch(inclusive, 1, 0, &selector));
	show("around", dispatch(inclusive, 1, -1UL, &selector));
	show("kernel's selector", dispatch(inclusive, start, size, kernel_ptr()));
	show("nothing at all", dispatch(inclusive, 0, 0, NULL));
	selector = BLOCK;
	pid_t outside = (pid_t)syscall(SYS_getppid);
	show_int("outside", outside == parent);
	show_int("inside", exempt_call(SYS_getppid, 0, 0, 0));
	show_seen();
	show("off", dispatch(PR_SYS_DISPATCH_OFF, 0, 0, NULL));
}

CASE(user_dispatch_deaths)
{
	sigset_t set;

	sigfillset(&set);
	RUN_CHILD("default")
	{
		MUST(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
		selector = BLOCK;
		exempt_call(SYS_getppid, 0, 0, 0);
	}
	RUN_CHILD("ignored")
	{
		signal(SIGSYS, SIG_IGN);
		MUST(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
		selector = BLOCK;
		exempt_call(SYS_getppid, 0, 0, 0);
	}
	RUN_CHILD("blocked")
	{
		catch_sigsys();
		sigprocmask(SIG_BLOCK, &set, NULL);
		MUST(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
		selector = BLOCK;
		exempt_call(SYS_getppid, 0, 0, 0);
	}
	RUN_CHILD("unknown state")
	{
		catch_sigsys();
		MUST(dispatch(PR_SYS_DISPATCH_ON, 0, 0, &selector));
		selector = 2;
		exempt_call(SYS_getppid, 0, 0, 0);
	}
	RUN_CHILD("selector that is not there")
	{
		catch_sigsys();
		signal(SIGSEGV, SIG_IGN);
		dispatch(PR_SYS_DISPATCH_ON, 0, 0, bad_ptr());
		exempt_call(SYS_getppid, 0, 0, 0);
	}
	RUN_CHILD("without a selector")
	{
		signal(SIGSYS, SIG_DFL);
		dispatch(PR_SYS_DISPATCH_ON, 0, 0, NULL);
		exempt_call(SYS_exit_group, 0, 0, 0);
	}
}

static void *calls(void *arg)
{
	return syscall(SYS_getppid) > 0 ? arg : NULL;
}

/* Neither children nor threads have it. */
CASE(user_dispatch_inheritance)
{
	pthread_t thread;
	void *answer = NULL;
	pid_t pid;
	int status;

	catch_sigsys();
	MUST(dispatch(PR_SYS_DISPATCH_ON, (uintptr_t)exempt_start, (size_t)(exempt_end - exempt_start),
		      &selector));
	MUST(pthread_create(&thread, NULL, calls, (void *)&selector));
	MUST(pthread_join(thread, &answer));
	show_int("thread", answer == &selector);
	selector = BLOCK;
	pid = (pid_t)exempt_call(SYS_clone, SIGCHLD, 0, 0);
	if (pid == 0)
		_exit(syscall(SYS_getppid) > 0 && caught == 0 ? 7 : 8);
	selector = ALLOW;
	MUST(waitpid(pid, &status, 0));
	show_int("child", WEXITSTATUS(status));
	show_int("caught", caught);
}
