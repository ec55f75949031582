/* SPDX-License-Identifier: Apache-2.0
 *
 * seccomp: strict mode, filters, their actions, limits and inheritance.
 */
#include "conformance.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>

#define NR_OFFSET offsetof(struct seccomp_data, nr)

static long seccomp(unsigned op, unsigned flags, void *arg)
{
	return syscall(SYS_seccomp, op, flags, arg);
}

static bool with_privileges; /* the rights to install filters are the test's own affair */

static long set_filter(unsigned flags, struct sock_filter *insns, unsigned count)
{
	struct sock_fprog program = { (unsigned short)count, insns };

	if (!with_privileges)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* A filter that answers @action to call @nr and allows the rest. */
static long filter_call(unsigned flags, int nr, unsigned action)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return set_filter(flags, insns, ARRAY_SIZE(insns));
}

static long install(struct sock_filter *insns, unsigned count)
{
	return set_filter(0, insns, count);
}

static void show_seccomp_status(const char *label)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0)
			note("%s: %.*s", label, (int)strcspn(line, "\n"), line);
	if (f)
		fclose(f);
}

/* --- modes ------------------------------------------------------------------------- */

CASE(seccomp_bad_arguments)
{
	unsigned action = SECCOMP_RET_ALLOW;
	struct sock_fprog empty = { 0, NULL };
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog null = { 1, NULL };
	struct sock_fprog bad = { 1, bad_ptr() };
	struct sock_fprog large = { BPF_MAXINSNS + 1, &allow };

	show("unknown operation", seccomp(77, 0, NULL));
	show("strict with flags", seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL));
	show("strict with argument", seccomp(SECCOMP_SET_MODE_STRICT, 0, &action));
	show("filter without program", seccomp(SECCOMP_SET_MODE_FILTER, 0, NULL));
	show("filter at a bad address", seccomp(SECCOMP_SET_MODE_FILTER, 0, bad_ptr()));
	show("filter with unknown flags", seccomp(SECCOMP_SET_MODE_FILTER, 1U << 20, &empty));
	show("no instructions", seccomp(SECCOMP_SET_MODE_FILTER, 0, &empty));
	show("null instructions", seccomp(SECCOMP_SET_MODE_FILTER, 0, &null));
	show("instructions at a bad address", seccomp(SECCOMP_SET_MODE_FILTER, 0, &bad));
	show("too many instructions", seccomp(SECCOMP_SET_MODE_FILTER, 0, &large));
	show("tsync with listener", seccomp(SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER, &null));
	show("wait killable without listener", seccomp(SECCOMP_SET_MODE_FILTER, 1U << 5, &null));
	show("prctl filter at a bad address", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, bad_ptr()));
	show("prctl with an unknown mode", prctl(PR_SET_SECCOMP, 3, NULL));
	show("prctl with mode 0", prctl(PR_SET_SECCOMP, 0, NULL));
	show("mode", prctl(PR_GET_SECCOMP));
	show_seccomp_status("status");
}

CASE(seccomp_actions_available)
{
	static const unsigned actions[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		SECCOMP_RET_ALLOW, 0x00010000U, 0x7ffd0000U, SECCOMP_RET_ERRNO | 1,
	};
	struct seccomp_notif_sizes sizes = { 0, 0, 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
		unsigned action = actions[i];
		char label[32];

		snprintf(label, sizeof(label), "action %08x", action);
		show(label, seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
	}
	show("with flags", seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &sizes));
	show("bad address", seccomp(SECCOMP_GET_ACTION_AVAIL, 0, bad_ptr()));
	show("sizes", seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
	note("%d %d %d", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
	show("sizes with flags", seccomp(SECCOMP_GET_NOTIF_SIZES, 1, &sizes));
	show("sizes to a bad address", seccomp(SECCOMP_GET_NOTIF_SIZES, 0, bad_ptr()));
}

CASE(seccomp_strict)
{
	RUN_CHILD("allowed calls")
	{
		show("strict", seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
		note("written");
		syscall(SYS_exit, 7);
	}
	RUN_CHILD("another call")
	{
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_getpid);
		note("not reached");
	}
	RUN_CHILD("exit_group")
	{
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_exit_group, 3);
	}
	RUN_CHILD("a number that is no call")
	{
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(5000);
	}
	RUN_CHILD("strict after filter")
	{
		show("filter", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPERM));
		show("strict", seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
		show("mode", prctl(PR_GET_SECCOMP));
	}
}

CASE(seccomp_rights)
{
	with_privileges = true;
	RUN_CHILD("root")
	{
		show("filter", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPERM));
		show_seccomp_status("after");
	}
	RUN_CHILD("user")
	{
		become_user(1000);
		show("without no_new_privs", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPERM));
		show("bad program first", install(NULL, 0));
		show("bad instructions", install(bad_ptr(), 2));
		show("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		show("with it", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPERM));
		show("mode", prctl(PR_GET_SECCOMP));
		show("getppid", syscall(SYS_getppid));
		show_seccomp_status("after");
	}
}

/* --- programs that are refused ------------------------------------------------------------ */

#define REFUSED(label, ...)                                              \
	do {                                                             \
		struct sock_filter insns_[] = { __VA_ARGS__ };           \
		show(label, install(insns_, ARRAY_SIZE(insns_)));        \
	} while (0)
#define RET_ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

CASE(seccomp_checker)
{
	REFUSED("no return", BPF_STMT(BPF_LD | BPF_IMM, 1));
	REFUSED("load out of bounds", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET_ALLOW);
	REFUSED("load of the last word", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), RET_ALLOW);
	REFUSED("unaligned load", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RET_ALLOW);
	REFUSED("half word load", BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RET_ALLOW);
	REFUSED("byte load", BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET_ALLOW);
	REFUSED("indirect load", BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET_ALLOW);
	REFUSED("msh load", BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), RET_ALLOW);
	REFUSED("ancillary load", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF), RET_ALLOW);
	REFUSED("length", BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_ALLOW);
	REFUSED("mod", BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET_ALLOW);
	REFUSED("division by zero", BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET_ALLOW);
	REFUSED("shift by 32", BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET_ALLOW);
	REFUSED("shift by 31", BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 31), RET_ALLOW);
	REFUSED("cell 16", BPF_STMT(BPF_ST, 16), RET_ALLOW);
	REFUSED("cell not written", BPF_STMT(BPF_LD | BPF_MEM, 3), RET_ALLOW);
	REFUSED("cell written", BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RET_ALLOW);
	REFUSED("cell written on one way", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3), RET_ALLOW);
	REFUSED("jump to the end", BPF_STMT(BPF_JMP | BPF_JA, 1), RET_ALLOW);
	REFUSED("jump far", BPF_STMT(BPF_JMP | BPF_JA, 0xffffffffU), RET_ALLOW);
	REFUSED("jump back", BPF_STMT(BPF_JMP | BPF_JA, 0xfffffffeU), RET_ALLOW);
	REFUSED("jump true over the end", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RET_ALLOW);
	REFUSED("jump false over the end", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RET_ALLOW);
	REFUSED("return x", BPF_STMT(BPF_RET | BPF_X, 0));
	REFUSED("return a", BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_A, 0));
	REFUSED("unknown code", { 0xff, 0, 0, 0 }, RET_ALLOW);
	REFUSED("unknown high code", { 0x1006, 0, 0, 0 }, RET_ALLOW);
}

/* How many filters fit on a path. */
CASE(seccomp_path_limit)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	int count = 0;

	for (unsigned i = 0; i < BPF_MAXINSNS; i++)
		insns[i] = (struct sock_filter)RET_ALLOW;
	while (install(insns, 1000) == 0)
		count++;
	note("%d of 1000, then %s", count, errno_name(errno));
	while (install(insns, 1) == 0)
		count++;
	note("%d with those of 1, then %s", count, errno_name(errno));
	show_seccomp_status("status");
}

CASE(seccomp_converted_length)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_STMT(BPF_LDX | BPF_IMM, 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x80000001U, 1, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1000, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x40000000U, 0, 1),
		BPF_STMT(BPF_LDX | BPF_IMM, 3),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		BPF_STMT(BPF_ST, 1),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 1, 0),
		BPF_STMT(BPF_ALU | BPF_NEG, 0),
		RET_ALLOW,
	};
	int count = 0;

	while (install(insns, ARRAY_SIZE(insns)) == 0)
		count++;
	note("%d, then %s", count, errno_name(errno));
}

/* --- actions ----------------------------------------------------------------------------------- */

CASE(seccomp_errno)
{
	show("filter", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | ENOENT));
	show("getppid", syscall(SYS_getppid));
	show("filter 0", filter_call(0, SYS_getuid, SECCOMP_RET_ERRNO | 0));
	show("getuid", syscall(SYS_getuid));
	show("filter large", filter_call(0, SYS_getgid, SECCOMP_RET_ERRNO | 0xffff));
	errno = 0;
	show_int("getgid", syscall(SYS_getgid));
	show_int("errno", errno);
	show("filter restart", filter_call(0, SYS_geteuid, SECCOMP_RET_ERRNO | 512));
	errno = 0;
	show_int("geteuid", syscall(SYS_geteuid));
	show_int("errno", errno);
	show("filter kexec", filter_call(0, 5555, SECCOMP_RET_ERRNO | EXDEV));
	show("no such call", syscall(5555));
	show("trace", filter_call(0, SYS_getegid, SECCOMP_RET_TRACE | 5));
	show("getegid", syscall(SYS_getegid));
	show("log", filter_call(SECCOMP_FILTER_FLAG_LOG, SYS_getsid, SECCOMP_RET_LOG));
	show_ok("getsid", syscall(SYS_getsid, 0));
	show("spec allow", filter_call(SECCOMP_FILTER_FLAG_SPEC_ALLOW, SYS_getsid, SECCOMP_RET_ALLOW));
	show_seccomp_status("status");
}

static volatile int trapped;
static void *call_site;
extern char trap_site_end[];

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	trapped++;
	note("signal %d code %d errno %d syscall %d arch %x addr %s rip %s", signo, info->si_code,
	     info->si_errno, info->si_syscall, info->si_arch,
	     info->si_call_addr == call_site ? "behind the call" : "elsewhere",
	     uc->uc_mcontext.gregs[REG_RIP] == (greg_t)(uintptr_t)call_site ? "same" : "other");
	note("rax %lld", (long long)uc->uc_mcontext.gregs[REG_RAX]);
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static long trapped_call(long nr, long a, long b)
{
	long result;

	__asm__ volatile("lea 1f(%%rip), %%r8\n\t"
			 "mov %%r8, %1\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(result), "=m"(call_site)
			 : "0"(nr), "D"(a), "S"(b)
			 : "rcx", "r8", "r11", "memory");
	return result;
}

CASE(seccomp_trap)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigaction(SIGSYS, &action, NULL);
	show("filter", filter_call(0, SYS_getppid, SECCOMP_RET_TRAP | 77));
	show_int("result", trapped_call(SYS_getppid, 1, 2));
	show("filter mmap", filter_call(0, SYS_munmap, SECCOMP_RET_TRAP | 78));
	show_int("result", trapped_call(SYS_munmap, 1, 2));
	show_int("trapped", trapped);
	RUN_CHILD("ignored")
	{
		signal(SIGSYS, SIG_IGN);
		syscall(SYS_getppid);
		note("not reached");
	}
	RUN_CHILD("blocked")
	{
		sigemptyset(&set);
		sigaddset(&set, SIGSYS);
		sigprocmask(SIG_BLOCK, &set, NULL);
		syscall(SYS_getppid);
		note("not reached");
	}
	RUN_CHILD("default")
	{
		signal(SIGSYS, SIG_DFL);
		syscall(SYS_getppid);
		note("not reached");
	}
}

static void *call_getppid(void *arg)
{
	syscall(SYS_getppid);
	note("thread goes on");
	return arg;
}

static void *install_and_call(void *arg)
{
	filter_call(0, SYS_getppid, (unsigned)(uintptr_t)arg);
	return call_getppid(arg);
}

static void kill_a_thread(unsigned action)
{
	pthread_t thread;

	pthread_create(&thread, NULL, install_and_call, (void *)(uintptr_t)action);
	pthread_join(thread, NULL);
	note("joined");
	_exit(5);
}

CASE(seccomp_kill)
{
	RUN_CHILD("kill thread, alone")
	{
		filter_call(0, SYS_getppid, SECCOMP_RET_KILL_THREAD);
		syscall(SYS_getppid);
	}
	RUN_CHILD("kill process")
	{
		filter_call(0, SYS_getppid, SECCOMP_RET_KILL_PROCESS);
		syscall(SYS_getppid);
	}
	RUN_CHILD("kill process with handler")
	{
		signal(SIGSYS, SIG_IGN);
		filter_call(0, SYS_getppid, SECCOMP_RET_KILL_PROCESS);
		syscall(SYS_getppid);
	}
	RUN_CHILD("unknown action")
	{
		filter_call(0, SYS_getppid, 0x00010000U);
		syscall(SYS_getppid);
	}
	RUN_CHILD("unknown action above allow")
	{
		filter_call(0, SYS_getppid, 0x7fffffffU);
		show_ok("getppid", syscall(SYS_getppid));
	}
	RUN_CHILD("kill one thread")
		kill_a_thread(SECCOMP_RET_KILL_THREAD);
	RUN_CHILD("kill the process from a thread")
		kill_a_thread(SECCOMP_RET_KILL_PROCESS);
}

CASE(seccomp_precedence)
{
	static const unsigned actions[] = {
		SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_ERRNO | EXDEV,
		SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW, SECCOMP_RET_LOG,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
		show("filter", filter_call(0, SYS_getppid, actions[i]));
		show("getppid", syscall(SYS_getppid) > 0 ? 0 : -1);
	}
	RUN_CHILD("trap")
	{
		filter_call(0, SYS_getppid, SECCOMP_RET_TRAP);
		syscall(SYS_getppid);
	}
	RUN_CHILD("kill below trap")
	{
		signal(SIGSYS, SIG_IGN);
		filter_call(0, SYS_getppid, SECCOMP_RET_KILL_PROCESS);
		filter_call(0, SYS_getppid, SECCOMP_RET_TRAP);
		syscall(SYS_getppid);
	}
}

CASE(seccomp_arguments)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0),
		RET_ALLOW,
		/* errno = (low(args[0]) * 2 + high(args[1]) ^ 1) & 0xfff */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 1),
		BPF_STMT(BPF_ST, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 5),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 1),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	show("install", install(insns, ARRAY_SIZE(insns)));
	for (long i = 0; i < 4; i++) {
		errno = 0;
		syscall(SYS_getpriority, i * 7 + 3, (i * 5 + 1) << 32);
		show_int("errno", errno);
	}
}

CASE(seccomp_division)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0),
		RET_ALLOW,
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_IMM, 1000),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	show("install", install(insns, ARRAY_SIZE(insns)));
	errno = 0;
	syscall(SYS_getpriority, 7, 0);
	show_int("errno", errno);
	RUN_CHILD("by zero")
		syscall(SYS_getpriority, 0, 0);
}

/* --- inheritance -------------------------------------------------------------------------------- */

HELPER(seccomp_after_exec)
{
	(void)argc;
	(void)argv;
	show("getppid", syscall(SYS_getppid));
	show("mode", prctl(PR_GET_SECCOMP));
	show_seccomp_status("status");
	return 0;
}

CASE(seccomp_inherited)
{
	pthread_t thread;

	show("filter", filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPIPE));
	RUN_CHILD("fork")
	{
		show("getppid", syscall(SYS_getppid));
		show_seccomp_status("status");
	}
	RUN_CHILD("exec")
	{
		execl(self_exe(), "conformance", "@seccomp_after_exec", NULL);
		note("exec: %s", errno_name(errno));
	}
	pthread_create(&thread, NULL, call_getppid, NULL);
	pthread_join(thread, NULL);
	pid_t pid = vfork();
	if (!pid)
		_exit(syscall(SYS_getppid) == -1 ? errno : 0);
	show_wait("vfork", pid);
}

/* --- threads --------------------------------------------------------------------------------------- */

static int gate[2];

static void *wait_at_gate(void *arg)
{
	char byte;

	if (arg)
		show("own filter", filter_call(0, SYS_getsid, SECCOMP_RET_ERRNO | EDOM));
	if (arg)
		close(*(int *)arg);
	if (read(gate[0], &byte, 1) != 1)
		return NULL;
	errno = 0;
	note("thread: getppid %s", syscall(SYS_getppid) == -1 ? errno_name(errno) : "works");
	note("thread: nnp %d mode %d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_SECCOMP));
	return NULL;
}

CASE(seccomp_tsync)
{
	pthread_t thread;

	MUST(pipe(gate));
	pthread_create(&thread, NULL, wait_at_gate, NULL);
	show("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	show("first", filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO | EDOM));
	show("tsync", filter_call(SECCOMP_FILTER_FLAG_TSYNC, SYS_getppid, SECCOMP_RET_ERRNO | EXDEV));
	MUST(write(gate[1], "x", 1));
	pthread_join(thread, NULL);
	show_seccomp_status("status");
}

CASE(seccomp_tsync_refused)
{
	int ready[2];
	pthread_t thread;
	long rc;

	MUST(pipe(gate));
	MUST(pipe(ready));
	pthread_create(&thread, NULL, wait_at_gate, &ready[1]);
	char byte;
	MUST(read(ready[0], &byte, 1));
	rc = filter_call(SECCOMP_FILTER_FLAG_TSYNC, SYS_getppid, SECCOMP_RET_ERRNO | EXDEV);
	note("tsync: %s", rc > 0 ? "a thread" : rc ? errno_name(errno) : "0");
	show("tsync esrch", filter_call(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
					SYS_getppid, SECCOMP_RET_ERRNO | EXDEV));
	show_seccomp_status("status");
	MUST(write(gate[1], "x", 1));
	pthread_join(thread, NULL);
}

/* --- calls that are restarted -------------------------------------------------------------------------- */

static void nothing(int signo)
{
	(void)signo;
}

CASE(seccomp_restart)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct timespec time = { 0, 50000000 };

	sigaction(SIGALRM, &action, NULL);
	show("filter", filter_call(0, SYS_restart_syscall, SECCOMP_RET_ERRNO | EXDEV));
	show("sleep", nanosleep(&time, NULL));
	pid_t pid = (pid_t)MUST(fork());
	if (!pid) {
		time.tv_sec = 30;
		show("stopped sleep", nanosleep(&time, NULL));
		_exit(0);
	}
	wait_blocked(pid, pid);
	kill(pid, SIGSTOP);
	int status;
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	show_wait("sleeper", pid);
}
