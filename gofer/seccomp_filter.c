/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call the gofer may make once it serves, with the arguments that
 * are held to a value.  Anything else kills the process.  A descriptor argument of
 * DIR_FD is a real descriptor, never AT_FDCWD: what it can name is then below
 * an attach point, or an absolute path in the empty root the runtime gave it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "config.h"
#include "gofer/confine.h"

#define RULES_MAX 3

struct argument_rule {
	enum scmp_compare op; /* 0: none */
	uint8_t argument;
	uint64_t value, mask_value; /* of SCMP_CMP_MASKED_EQ: mask, then value */
};

struct syscall_rule {
	int number;
	struct argument_rule arguments[RULES_MAX]; /* all must hold */
};

#define CALL(name) { SCMP_SYS(name), { { 0, 0, 0, 0 } } }
#define CALL_IF(name, ...) { SCMP_SYS(name), { __VA_ARGS__ } }
#define DIR_FD(n) { SCMP_CMP_LE, (n), INT_MAX, 0 }
#define IS(n, v) { SCMP_CMP_EQ, (n), (v), 0 }
#define WITHOUT(n, bits) { SCMP_CMP_MASKED_EQ, (n), (bits), 0 }
#define MASKED(n, mask, v) { SCMP_CMP_MASKED_EQ, (n), (mask), (v) }

#define FUTEX_COMMAND ((uint32_t)FUTEX_CMD_MASK)

static const struct syscall_rule rules[] = {
	/* the protocol */
	CALL(recvmsg),
	CALL(sendmsg),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL_IF(epoll_ctl, WITHOUT(1, ~3u)),
	CALL(close),
	/* names and attributes */
	CALL_IF(openat, DIR_FD(0)),
	CALL_IF(openat2, DIR_FD(0)),
	CALL_IF(statx, DIR_FD(0)),
	CALL_IF(readlinkat, DIR_FD(0)),
	CALL(fstatfs),
	CALL(getdents64),
	CALL(lseek),
	/* changes */
	CALL_IF(mkdirat, DIR_FD(0)),
	CALL_IF(symlinkat, DIR_FD(1)),
	CALL_IF(mknodat, DIR_FD(0), MASKED(2, S_IFMT, S_IFREG)),
	CALL_IF(mknodat, DIR_FD(0), MASKED(2, S_IFMT, S_IFIFO)),
	CALL_IF(mknodat, DIR_FD(0), MASKED(2, S_IFMT, S_IFSOCK)),
	CALL_IF(linkat, DIR_FD(0), DIR_FD(2), WITHOUT(4, ~(unsigned int)AT_SYMLINK_FOLLOW)),
	CALL_IF(unlinkat, DIR_FD(0)),
	/* glibc makes a renameat2 without flags this one */
	CALL_IF(renameat, DIR_FD(0), DIR_FD(2)),
	CALL_IF(renameat2, DIR_FD(0), DIR_FD(2), WITHOUT(4, ~3u)), /* no RENAME_WHITEOUT */
	CALL_IF(fchmodat, DIR_FD(0)),
	CALL_IF(fchownat, DIR_FD(0)),
	CALL_IF(utimensat, DIR_FD(0)),
	CALL(ftruncate),
	CALL(fsync),
	CALL(fdatasync),
	CALL(fgetxattr),
	CALL(fsetxattr),
	CALL(flistxattr),
	CALL(fremovexattr),
	/* memory of the C library: never executable, never of a file */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL_IF(mmap, WITHOUT(2, PROT_EXEC), MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL_IF(mprotect, WITHOUT(2, PROT_EXEC)),
	CALL_IF(madvise, IS(2, MADV_DONTNEED)),
	/* threads and the end */
	CALL_IF(futex, MASKED(1, FUTEX_COMMAND, FUTEX_WAIT)),
	CALL_IF(futex, MASKED(1, FUTEX_COMMAND, FUTEX_WAIT_BITSET)),
	CALL_IF(futex, MASKED(1, FUTEX_COMMAND, FUTEX_WAKE)),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(restart_syscall),
	CALL(clock_gettime),
	CALL(exit),
	CALL(exit_group),
#ifdef MOAT_SANITIZERS
	CALL(sigaltstack),
	CALL(getpid),
	CALL(gettid),
	CALL(sched_yield),
	CALL(madvise),
	CALL(readlink),
	CALL(write),
#endif
};

static int add_rule(scmp_filter_ctx filter, const struct syscall_rule *rule)
{
	struct scmp_arg_cmp args[RULES_MAX];
	unsigned int count = 0;

	for (; count < RULES_MAX && rule->arguments[count].op; count++) {
		const struct argument_rule *a = &rule->arguments[count];

		args[count] = (struct scmp_arg_cmp){ a->argument, a->op, a->value, a->mask_value };
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->number, count, args);
}

static int add_rules(scmp_filter_ctx filter, int log_fd)
{
	struct syscall_rule log = CALL_IF(write, IS(0, (uint64_t)log_fd));
	int code = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules) && !code; i++)
		code = add_rule(filter, &rules[i]);
	if (!code && log_fd >= 0)
		code = add_rule(filter, &log);
	return code;
}

int confine_syscalls(int log_fd, struct error **err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int code;

	if (!filter)
		return error_set(err, -ENOMEM, "make the seccomp filter: out of memory");
	/* All threads; and a binary tree, so that the order of the table costs nothing. */
	code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!code)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!code)
		code = add_rules(filter, log_fd);
	if (!code)
		code = seccomp_load(filter);
	seccomp_release(filter);
	return code ? error_set_errno(err, code, "load the seccomp filter") : 0;
}
