/* SPDX-License-Identifier: Apache-2.0
 *
 * ptrace: changing a system call at its stops, and the settings of syscall user dispatch.
 */
#include "ptrace.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define SET_USER_DISPATCH 0x4210
#define GET_USER_DISPATCH 0x4211
#define SET_SYSCALL_INFO 0x4212

/* Linux's own of 6.16, whose reserved parts are named. */
struct info {
	uint8_t op, reserved;
	uint16_t flags;
	uint32_t arch;
	uint64_t instruction_pointer, stack_pointer;
	union {
		struct { uint64_t nr, args[6]; } entry;
		struct { int64_t rval; uint8_t is_error; } exit;
		struct { uint64_t nr, args[6]; uint32_t ret_data, reserved2; } seccomp;
	};
};

static void closing_body(void)
{
	for (int i = 0; i < 4; i++)
		syscall(SYS_close, 1000 + i, 2, 3, 4, 5, 6);
}

static struct info get(pid_t pid)
{
	struct info info;

	memset(&info, 0, sizeof(info));
	show("get", TRACE(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info));
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		note("nr %lld arguments %lld %lld", (long long)info.entry.nr, (long long)info.entry.args[0],
		     (long long)info.entry.args[5]);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		note("result %lld error %d", (long long)info.exit.rval, info.exit.is_error);
	return info;
}

static void set(const char *label, pid_t pid, struct info info)
{
	show(label, TRACE(SET_SYSCALL_INFO, pid, sizeof(info), &info));
}

static void go_on(pid_t pid)
{
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	next_stop(pid);
}

CASE(ptrace_set_syscall_entry)
{
	pid_t pid = tracee_start(closing_body);
	struct info info = get(pid), changed;

	set("no call", pid, info);
	MUST(TRACE(PTRACE_OLDSETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	go_on(pid);
	info = get(pid);
	changed = info;
	changed.flags = 1;
	set("flags", pid, changed);
	changed = info;
	changed.reserved = 1;
	set("reserved", pid, changed);
	changed = info;
	changed.op = PTRACE_SYSCALL_INFO_EXIT;
	set("another stop", pid, changed);
	changed = info;
	changed.entry.nr = 1ULL << 32;
	set("number too large", pid, changed);
	show("short", TRACE(SET_SYSCALL_INFO, pid, sizeof(info) - 1, &info));
	show("bad address", TRACE(SET_SYSCALL_INFO, pid, sizeof(info), bad_ptr()));
	get(pid);
	changed = info;
	changed.entry.nr = SYS_dup;
	changed.entry.args[0] = 54321;
	changed.entry.args[5] = 77;
	changed.instruction_pointer = 0;
	set("another call", pid, changed);
	get(pid);
	note("registers %lld %lld %lld", (long long)regs_of(pid).orig_rax, (long long)regs_of(pid).rdi,
	     (long long)regs_of(pid).r9);
	go_on(pid);
	get(pid);
	go_on(pid);
	info = get(pid);
	info.entry.nr = (uint64_t)-1;
	info.entry.args[0] = 5;
	set("no call", pid, info);
	get(pid);
	go_on(pid);
	get(pid);
	tracee_end(pid);
}

CASE(ptrace_set_syscall_exit)
{
	static const struct { int64_t rval; uint8_t is_error; } values[] = {
		{ -5, 1 }, { 5, 1 }, { 0, 1 }, { -5, 0 }, { 99, 0 }, { INT64_MIN, 0 },
	};
	pid_t pid = tracee_start(closing_body);
	struct info info;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	go_on(pid);
	go_on(pid);
	info = get(pid);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		info.exit.rval = values[i].rval;
		info.exit.is_error = values[i].is_error;
		set("result", pid, info);
		note("rax %lld", (long long)regs_of(pid).rax);
		get(pid);
	}
	tracee_end(pid);
}

static void filtered_body(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 42),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
	_exit(syscall(SYS_close, 1000) == 123 ? 5 : 6);
}

CASE(ptrace_set_syscall_seccomp)
{
	pid_t pid = tracee_start(filtered_body);
	struct info info;

	MUST(TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("stop", pid);
	info = get(pid);
	note("op %d data %u", info.op, info.seccomp.ret_data);
	info.seccomp.reserved2 = 1;
	set("reserved", pid, info);
	info.seccomp.reserved2 = 0;
	info.seccomp.ret_data = 7;
	info.seccomp.nr = SYS_umask;
	info.seccomp.args[0] = 0;
	set("another call", pid, info);
	info = get(pid);
	note("data %u", info.seccomp.ret_data);
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("end", pid);
}

struct dispatch {
	uint64_t mode, selector, offset, len;
};

static long set_dispatch(pid_t pid, uint64_t mode, uint64_t offset, uint64_t len, uint64_t selector)
{
	struct dispatch conf = { mode, selector, offset, len };

	return TRACE(SET_USER_DISPATCH, pid, sizeof(conf), &conf);
}

static void show_dispatch(pid_t pid)
{
	struct dispatch conf;

	memset(&conf, 9, sizeof(conf));
	show("get", TRACE(GET_USER_DISPATCH, pid, sizeof(conf), &conf));
	note("mode %llu selector %llx range %llx %llx", (unsigned long long)conf.mode,
	     (unsigned long long)conf.selector, (unsigned long long)conf.offset, (unsigned long long)conf.len);
}

CASE(ptrace_user_dispatch)
{
	pid_t pid = tracee_start(closing_body);
	struct dispatch conf;

	show_dispatch(pid);
	show("size", TRACE(GET_USER_DISPATCH, pid, sizeof(conf) - 1, &conf));
	show("size", TRACE(SET_USER_DISPATCH, pid, sizeof(conf) + 1, &conf));
	show("bad address", TRACE(GET_USER_DISPATCH, pid, sizeof(conf), bad_ptr()));
	show("bad address", TRACE(SET_USER_DISPATCH, pid, sizeof(conf), bad_ptr()));
	show("mode", set_dispatch(pid, 3, 0, 0, 0));
	show("off with a range", set_dispatch(pid, 0, 4096, 4096, 0));
	show("selector of the kernel's", set_dispatch(pid, 1, 0, 0, (uint64_t)(uintptr_t)kernel_ptr()));
	show_dispatch(pid);
	show("on", set_dispatch(pid, 1, 0x1000, 0x2000, 0));
	show_dispatch(pid);
	show("off", set_dispatch(pid, 0, 0, 0, 0));
	show_dispatch(pid);
	show("on for all", set_dispatch(pid, 1, 0, 0, 0));
	TRACE(PTRACE_CONT, pid, 0, 0);
	show_stop("caught", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGSYS);
	show_stop("end", pid);
}
