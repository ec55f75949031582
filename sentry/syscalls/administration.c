/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls for the administrator of the machine.  The sandbox is not the machine:
 * as for a root of a user namespace of its own, its capabilities do not reach the
 * host's clock, swap, modules and ports, and the answer is EPERM.  What comes
 * before that check in Linux comes before it here.  Only reboot has a meaning in a PID
 * namespace: it ends it.
 */
#include "sentry/abi/capability.h"
#include "sentry/abi/signal.h"
#include "sentry/abi/timex.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

/* --- reboot ------------------------------------------------------------------------- */

#define REBOOT_MAGIC1 0xfee1deadU
#define REBOOT_RESTART 0x01234567U
#define REBOOT_RESTART2 0xa1b2c3d4U
#define REBOOT_HALT 0xcdef0123U
#define REBOOT_POWER_OFF 0x4321fedcU

static bool reboot_magic2(uint32_t magic)
{
	return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

/* The namespace's init dies as of @signo, and everything in it with it. */
static int64_t end_namespace(struct task *t, int signo)
{
	struct pid_namespace *ns = t->pid.ns;
	struct thread_group *init;

	mutex_lock(&t->kernel->tasklist_lock);
	init = ns->init ? thread_group_get(ns->init) : NULL;
	mutex_unlock(&t->kernel->tasklist_lock);
	if (!init)
		return -EINVAL;
	thread_group_exit(init, signo);
	thread_group_put(init);
	thread_group_exit(t->group, 0);
	return 0;
}

int64_t sys_reboot(struct task *t, const struct syscall_args *a)
{
	if (!credentials_ns_capable(t->cred, t->pid.ns->user_ns, LINUX_CAP_SYS_BOOT))
		return -EPERM;
	if (arg_u32(a, 0) != REBOOT_MAGIC1 || !reboot_magic2(arg_u32(a, 1)))
		return -EINVAL;
	switch (arg_u32(a, 2)) {
	case REBOOT_RESTART:
	case REBOOT_RESTART2:
		return end_namespace(t, LINUX_SIGHUP);
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		return end_namespace(t, LINUX_SIGINT);
	default:
		return -EINVAL;
	}
}

/* --- the clock ------------------------------------------------------------------------ */

#define MAX_ERROR_USEC 16000000
#define MAX_FREQUENCY (500LL << 16)
#define TICK_USEC 10000

/* A clock that nobody in here disciplines. */
static int64_t adjust_clock(struct task *t, guest_addr_t addr)
{
	struct linux_timex tx;
	struct linux_timeval now;
	int rc = copy_in(t->mm, &tx, addr, sizeof(tx));

	if (rc)
		return rc;
	if (tx.modes & LINUX_ADJ_ADJTIME) {
		if (!(tx.modes & LINUX_ADJ_OFFSET_SINGLESHOT))
			return -EINVAL;
		if (!(tx.modes & LINUX_ADJ_OFFSET_READONLY))
			return -EPERM;
	} else if (tx.modes) {
		return -EPERM;
	}
	now = ns_to_timeval(clock_now(LINUX_CLOCK_REALTIME));
	tx = (struct linux_timex){
		.modes = tx.modes,
		.maxerror = MAX_ERROR_USEC,
		.esterror = MAX_ERROR_USEC,
		.status = LINUX_STA_UNSYNC,
		.constant = 2,
		.precision = 1,
		.tolerance = MAX_FREQUENCY,
		.time_sec = now.sec,
		.time_usec = now.usec,
		.tick = TICK_USEC,
	};
	rc = copy_out(t->mm, addr, &tx, sizeof(tx));
	return rc ? rc : LINUX_TIME_ERROR;
}

int64_t sys_adjtimex(struct task *t, const struct syscall_args *a)
{
	return adjust_clock(t, arg_addr(a, 0));
}

int64_t sys_clock_adjtime(struct task *t, const struct syscall_args *a)
{
	int32_t clock = arg_int(a, 0);
	struct linux_timex unused;
	int rc;

	if (clock == LINUX_CLOCK_REALTIME)
		return adjust_clock(t, arg_addr(a, 1));
	rc = copy_in(t->mm, &unused, arg_addr(a, 1), sizeof(unused));
	if (rc)
		return rc;
	return clock > LINUX_CLOCK_TAI || clock == LINUX_CLOCK_SGI_CYCLE ? -EINVAL : -EOPNOTSUPP;
}

int64_t sys_settimeofday(struct task *t, const struct syscall_args *a)
{
	struct linux_timeval tv;
	struct linux_timezone tz;
	int rc = 0;

	if (a->v[0]) {
		rc = copy_in(t->mm, &tv, arg_addr(a, 0), sizeof(tv));
		if (!rc && (tv.usec < 0 || tv.usec > (int64_t)NSEC_PER_SEC / 1000))
			rc = -EINVAL;
	}
	if (!rc && a->v[1])
		rc = copy_in(t->mm, &tz, arg_addr(a, 1), sizeof(tz));
	if (!rc && a->v[0] && (tv.sec < 0 || tv.usec == (int64_t)NSEC_PER_SEC / 1000))
		rc = -EINVAL;
	return rc ? rc : -EPERM;
}

/* --- ports ------------------------------------------------------------------------------ */

#define IO_PORTS 65536

int64_t sys_iopl(struct task *t, const struct syscall_args *a)
{
	if (arg_u32(a, 0) > 3)
		return -EINVAL;
	return arg_u32(a, 0) ? -EPERM : 0;
}

int64_t sys_ioperm(struct task *t, const struct syscall_args *a)
{
	uint64_t from = a->v[0], count = a->v[1];

	if (from + count <= from || from + count > IO_PORTS)
		return -EINVAL;
	return arg_int(a, 2) ? -EPERM : 0;
}

/* --- plain refusals ----------------------------------------------------------------------- */

#define SWAP_FLAGS_KNOWN 0x7ffffU

int64_t sys_swapon(struct task *t, const struct syscall_args *a)
{
	return arg_u32(a, 1) & ~SWAP_FLAGS_KNOWN ? -EINVAL : -EPERM;
}

int64_t sys_swapoff(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_vhangup(struct task *t, const struct syscall_args *a)
{
	if (!credentials_root_capable(t->cred, LINUX_CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty_hangup_current();
	return 0;
}

int64_t sys_acct(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_init_module(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_finit_module(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_delete_module(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_kexec_load(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}

int64_t sys_kexec_file_load(struct task *t, const struct syscall_args *a)
{
	return -EPERM;
}
