/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every host system call that the sentry may make once it serves, with the
 * arguments that are held to a value.  Anything else kills the process.
 *
 * No call here opens a path for writing, makes a process or a mapping that can be
 * executed, or, but with the host's network, a socket.  openat can only read, and only
 * what is below the sentry's root: a minimal procfs of its own PID namespace.
 */
#include "sentry/host/host_confine.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "config.h"
#include "sentry/host/host_inet_option.h"
#include "sentry/host/host_seccomp.h"

#define RULES_MAX 3

struct argument_rule {
	enum scmp_compare op; /* 0: none */
	uint8_t argument;
	uint64_t a, b; /* of SCMP_CMP_MASKED_EQ: mask, value */
};

struct call_rule {
	int number;
	struct argument_rule arguments[RULES_MAX]; /* all must hold */
};

#define CALL(name) { SCMP_SYS(name), { { 0, 0, 0, 0 } } }
#define CALL_IF(name, ...) { SCMP_SYS(name), { __VA_ARGS__ } }
#define IS(n, v) { SCMP_CMP_EQ, (n), (v), 0 }
/* ioctl's request and the like: the kernel uses the low 32 bits */
#define IS32(n, v) { SCMP_CMP_MASKED_EQ, (n), 0xffffffffu, (uint32_t)(v) }
#define WITHOUT(n, bits) { SCMP_CMP_MASKED_EQ, (n), (uint64_t)(bits), 0 }

#define OPEN_ALLOWED ((uint32_t)(O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK))
#define THREAD_FLAGS                                                                       \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define FUTEX_COMMAND ((uint32_t)FUTEX_CMD_MASK)
#define FUTEX(op) CALL_IF(futex, { SCMP_CMP_MASKED_EQ, 1, FUTEX_COMMAND, (op) })

static const struct call_rule rules[] = {
	/* the stubs: notifications, remote memory, death */
	CALL_IF(ioctl, IS32(1, SECCOMP_IOCTL_NOTIF_RECV)),
	CALL_IF(ioctl, IS32(1, SECCOMP_IOCTL_NOTIF_SEND)),
	CALL_IF(ioctl, IS32(1, SECCOMP_IOCTL_NOTIF_ADDFD)),
	CALL_IF(ioctl, IS32(1, SECCOMP_IOCTL_NOTIF_SET_FLAGS), IS(2, 0)),
	CALL_IF(ioctl, IS32(1, SECCOMP_IOCTL_NOTIF_SET_FLAGS),
		IS(2, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL_IF(kill, IS32(1, SIGKILL)),
	CALL(tgkill),
	CALL(pidfd_open),
	CALL(waitid),
	/* files that the gofer or the caller handed in */
	CALL(pread64),
	CALL(pwrite64),
	CALL(preadv2),
	CALL(pwritev2),
	CALL(preadv),
	CALL(pwritev),
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(lseek),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(fsync),
	CALL(fdatasync),
	CALL(sync_file_range),
	CALL(fadvise64),
	CALL(fstat),
	CALL(fstatfs),
	CALL(newfstatat),
	CALL_IF(fcntl, IS32(1, F_GETFL)),
	CALL_IF(fcntl, IS32(1, F_GETFD)),
	CALL_IF(fcntl, IS32(1, F_SETFD)),
	CALL_IF(fcntl, IS32(1, F_DUPFD_CLOEXEC)),
	CALL_IF(fcntl, IS32(1, F_ADD_SEALS)),
	CALL_IF(ioctl, IS32(1, FIONREAD)),
	CALL_IF(ioctl, IS32(1, TIOCGWINSZ)), /* of consoles */
	CALL(copy_file_range),
	CALL(close),
	/* the procfs of the sentry's own PID namespace, for reading */
	CALL_IF(openat, WITHOUT(2, ~OPEN_ALLOWED & 0xffffffffu)),
	CALL(getdents64),
	/* messages: gofers, command line, streams that are sockets */
	CALL(recvmsg),
	CALL(sendmsg),
	CALL_IF(recvfrom, IS(4, 0)),
	CALL_IF(sendto, IS(4, 0)),
	CALL(shutdown),
	CALL(accept4),
	CALL(getsockopt),
	/* waiting */
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_ctl),
	CALL(poll),
	CALL(ppoll),
	CALL(eventfd2),
	FUTEX(FUTEX_WAIT),
	FUTEX(FUTEX_WAIT_BITSET),
	FUTEX(FUTEX_WAKE),
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(gettimeofday),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL(sched_yield),
	/* of the calling thread: a worker that spins leaves the CPU of whom it spins for */
	CALL_IF(sched_setaffinity, IS32(0, 0)),
	CALL(restart_syscall),
	/* memory: objects of guests, and the C library's own; never executable */
	CALL(memfd_create),
	CALL(brk),
	CALL_IF(mmap, WITHOUT(2, PROT_EXEC)),
	CALL(munmap),
	CALL(mremap),
	CALL_IF(mprotect, WITHOUT(2, PROT_EXEC)),
	CALL(madvise),
	/* threads of the sentry, and nothing else */
	CALL_IF(clone, IS(0, THREAD_FLAGS)),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(gettid),
	CALL(getpid),
	CALL(sched_getaffinity),
	CALL(getcpu),
	CALL_IF(prctl, IS32(0, PR_SET_NAME)),
	CALL(rt_sigprocmask),
	CALL(rt_sigaction),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(exit),
	CALL(exit_group),
	/* what a guest is told of the host */
	CALL(getrandom),
	CALL(sysinfo),
	CALL(getrusage),
	CALL_IF(membarrier, IS32(0, MEMBARRIER_CMD_QUERY)),
	CALL_IF(membarrier, IS32(0, MEMBARRIER_CMD_GLOBAL)),
	CALL(getrlimit),
	CALL_IF(prlimit64, IS(2, 0)),
	CALL(uname),
	CALL(times),
#if defined(MOAT_SANITIZERS) || defined(MOAT_TSAN)
	/* what a sanitizer's runtime does to write its report; in no build that is installed */
	CALL_IF(open, WITHOUT(1, ~OPEN_ALLOWED & 0xffffffffu)),
	CALL(readlink),
	CALL(stat),
	CALL_IF(ioctl, IS32(1, TCGETS)),
#endif
};

/* glibc starts threads with clone3, whose flags no filter can see, and falls back. */
static const int refused[] = { SCMP_SYS(clone3) };

static const struct call_rule ptrace_rules[] = {
	CALL(ptrace),
};

/*
 * Sockets of the host, with --network=host.  What can be made is what a guest can have;
 * nothing else here names a host object, as an address means what its socket's family says.
 */
#define SOCKET(family, type, protocol)                                                           \
	CALL_IF(socket, IS32(0, (family)), IS32(1, (type) | SOCK_CLOEXEC | SOCK_NONBLOCK), \
		IS32(2, (protocol)))

static const struct call_rule inet_rules[] = {
	SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	SOCKET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET(AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
	SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	SOCKET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6),
	CALL(bind),
	CALL(connect),
	CALL(listen),
	CALL(getsockname),
	CALL(getpeername),
	CALL_IF(ioctl, IS32(1, TIOCOUTQ)),
	CALL_IF(ioctl, IS32(1, SIOCOUTQNSD)),
	CALL_IF(ioctl, IS32(1, SIOCATMARK)),
};

static int add_rule(scmp_filter_ctx filter, const struct call_rule *rule)
{
	struct scmp_arg_cmp args[RULES_MAX];
	unsigned count = 0;

	for (; count < RULES_MAX && rule->arguments[count].op; count++) {
		const struct argument_rule *a = &rule->arguments[count];

		args[count] = (struct scmp_arg_cmp){ a->argument, a->op, a->a, a->b };
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->number, count, args);
}

/* setsockopt: exactly the options of the table. */
static int add_option_rules(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; i < host_inet_option_count && rc == 0; i++) {
		const struct host_inet_option *o = &host_inet_options[i];
		const struct call_rule rule =
			CALL_IF(setsockopt, IS32(1, o->level), IS32(2, o->name));

		if (o->access & HOST_INET_SET)
			rc = add_rule(filter, &rule);
	}
	return rc;
}

static int add_rules(scmp_filter_ctx filter, bool ptrace, bool inet)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules) && rc == 0; i++)
		rc = add_rule(filter, &rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ptrace_rules) && rc == 0 && ptrace; i++)
		rc = add_rule(filter, &ptrace_rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(inet_rules) && rc == 0 && inet; i++)
		rc = add_rule(filter, &inet_rules[i]);
	if (rc == 0 && inet)
		rc = add_option_rules(filter);
	for (size_t i = 0; i < ARRAY_SIZE(refused) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), refused[i], 0);
	return rc;
}

int host_confine(bool ptrace, bool inet)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter)
		return -ENOMEM;
	/* All threads; and a binary tree, so that the order of the table costs nothing. */
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = add_rules(filter, ptrace, inet);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int host_drop_privileges(void)
{
	static const cap_value_t kept[] = { CAP_SYS_PTRACE };
	struct rlimit core = { 0, 0 };
	cap_t caps = cap_init();
	int rc = 0;

	if (!caps)
		return -ENOMEM;
	for (int cap = 0; cap <= 63; cap++)
		if (cap != CAP_SYS_PTRACE && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	if (cap_set_flag(caps, CAP_PERMITTED, ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
	    cap_set_proc(caps) < 0)
		rc = -errno;
	cap_free(caps);
	if (rc == 0 && (setrlimit(RLIMIT_CORE, &core) < 0 ||
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		rc = -errno;
	return rc;
}
