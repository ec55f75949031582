/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: the filters of a tracee, as checkpoints want them.
 */
#include "ptrace.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define GET_FILTER 0x420c
#define GET_METADATA 0x420d

struct metadata {
	uint64_t filter_off, flags;
};

static void filter_call(unsigned flags, int nr)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(insns), insns };

	MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

static void allow_all(void)
{
	struct sock_filter insn = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &insn };

	MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

/* Three filters, and a stop behind them. */
static void filtered_body(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	filter_call(0, SYS_umask);
	allow_all();
	filter_call(SECCOMP_FILTER_FLAG_LOG, SYS_sync);
	raise(SIGSTOP);
}

static pid_t filtered_start(void)
{
	pid_t pid = tracee_start(filtered_body);

	MUST(TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("with filters", pid);
	return pid;
}

static void show_filter(pid_t pid, unsigned long number)
{
	struct sock_filter insns[16];
	long count;

	memset(insns, 0x77, sizeof(insns));
	note("filter %lu", number);
	show("  count", TRACE(GET_FILTER, pid, number, 0));
	count = TRACE(GET_FILTER, pid, number, insns);
	show("  get", count);
	for (long i = 0; i < count; i++)
		note("  %#x %u %u %#x", insns[i].code, insns[i].jt, insns[i].jf, insns[i].k);
	show_hex("  what follows", insns[count < 0 ? 0 : count].code);
	show("  bad address", TRACE(GET_FILTER, pid, number, bad_ptr()));
}

static void show_metadata(const char *label, pid_t pid, unsigned long size, uint64_t number)
{
	struct metadata meta = { number, 0x77 };

	show(label, TRACE(GET_METADATA, pid, size, &meta));
	note("  filter %llu flags %llx", (unsigned long long)meta.filter_off, (unsigned long long)meta.flags);
}

CASE_WITH_ADMIN(ptrace_seccomp_filter)
{
	pid_t pid = filtered_start();

	for (unsigned long number = 0; number < 4; number++)
		show_filter(pid, number);
	show("the last of all", TRACE(GET_FILTER, pid, -1UL, 0));
	show_metadata("first", pid, sizeof(struct metadata), 0);
	show_metadata("second", pid, sizeof(struct metadata), 1);
	show_metadata("third", pid, sizeof(struct metadata), 2);
	show_metadata("none", pid, sizeof(struct metadata), 3);
	show_metadata("more room", pid, 100, 2);
	show_metadata("less room", pid, 12, 2);
	show_metadata("no flags", pid, 8, 2);
	show_metadata("no number", pid, 7, 2);
	show("bad address", TRACE(GET_METADATA, pid, sizeof(struct metadata), bad_ptr()));
	show("small and bad address", TRACE(GET_METADATA, pid, 7, bad_ptr()));
	tracee_end(pid);
}

static void plain_body(void)
{
	pause();
}

static void strict_body(void)
{
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	kill(getpid(), SIGSTOP);
}

CASE_WITH_ADMIN(ptrace_seccomp_none)
{
	pid_t pid = tracee_start(plain_body);

	show("filter", TRACE(GET_FILTER, pid, 0, 0));
	show_metadata("metadata", pid, sizeof(struct metadata), 0);
	tracee_end(pid);
	pid = tracee_start(strict_body);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("killed", pid);
	show("filter of a dead one", TRACE(GET_FILTER, pid, 0, 0));
}

static void show_refusals(pid_t pid)
{
	show("filter", TRACE(GET_FILTER, pid, 0, 0));
	show("filter that is not there", TRACE(GET_FILTER, pid, 9, bad_ptr()));
	show_metadata("metadata", pid, sizeof(struct metadata), 0);
	show_metadata("metadata without room", pid, 0, 0);
}

CASE(ptrace_seccomp_rights)
{
	pid_t pid = filtered_start();

	show_refusals(pid);
	show("go on", TRACE(PTRACE_CONT, pid, 0, 0));
	show_stop("end", pid);
	show("filter of a dead one", TRACE(GET_FILTER, pid, 0, 0));
}

/* Who is under a filter does not look, with all rights. */
CASE_WITH_ADMIN(ptrace_seccomp_filtered_tracer)
{
	pid_t pid = filtered_start();

	allow_all();
	show_refusals(pid);
	tracee_end(pid);
}
