/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl(2) and arch_prctl(2).  Options that need what is not offered (speculation
 * control, names of anonymous memory) answer as a kernel built without it.
 */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/prctl.h"
#include "sentry/abi/sched.h"
#include "sentry/abi/signal.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/seccomp.h"
#include "util/checked.h"
#include "util/cleanup.h"

static bool unused(const struct syscall_args *a, unsigned first)
{
	for (unsigned i = first; i < 5; i++)
		if (a->v[i])
			return false;
	return true;
}

/* --- names ---------------------------------------------------------------------------- */

static int64_t set_name(struct task *t, guest_addr_t src)
{
	char name[TASK_COMM_SIZE] = { 0 };
	ssize_t length = copy_in_str(t->mm, name, src, sizeof(name));
	int rc;

	if (length == -EFAULT)
		return -EFAULT;
	name[TASK_COMM_SIZE - 1] = 0;
	mutex_lock(&t->lock);
	memcpy(t->comm, name, sizeof(name));
	mutex_unlock(&t->lock);
	rc = platform_set_host_name(t->context, name);
	(void)rc; /* only what the host's ps shows */
	return 0;
}

static int64_t get_name(struct task *t, guest_addr_t dst)
{
	char name[TASK_COMM_SIZE];

	mutex_lock(&t->lock);
	memcpy(name, t->comm, sizeof(name));
	mutex_unlock(&t->lock);
	return copy_out(t->mm, dst, name, sizeof(name));
}

/* --- credentials ------------------------------------------------------------------------- */

/* Without CAP_SETPCAP only those that programs keep, not the kernel; Linux refuses to change nothing. */
static bool may_change_securebits(struct task *t, uint64_t changed)
{
	return credentials_has_capability(t->cred, LINUX_CAP_SETPCAP) ||
	       (changed && !(changed & ~(uint64_t)LINUX_SECURE_ALL_UNPRIVILEGED));
}

static int64_t change_securebits(struct task *t, uint64_t bits)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint32_t locked = (old->securebits & LINUX_SECURE_ALL_LOCKS) >> 1;

	if ((locked & (old->securebits ^ bits)) ||
	    (old->securebits & LINUX_SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(uint64_t)(LINUX_SECURE_ALL_BITS | LINUX_SECURE_ALL_LOCKS)) ||
	    !may_change_securebits(t, old->securebits ^ bits))
		return -EPERM;
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	cred->securebits = (uint32_t)bits;
	task_set_cred(t, cred);
	return 0;
}

static int64_t set_keepcaps(struct task *t, uint64_t on)
{
	struct credentials *cred;

	if (on > 1)
		return -EINVAL;
	if (t->cred->securebits & LINUX_SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	cred->securebits &= ~LINUX_SECBIT_KEEP_CAPS;
	if (on)
		cred->securebits |= LINUX_SECBIT_KEEP_CAPS;
	task_set_cred(t, cred);
	return 0;
}

static int64_t drop_bounding(struct task *t, uint64_t cap)
{
	struct credentials *cred;

	if (!task_capable(t, LINUX_CAP_SETPCAP))
		return -EPERM;
	if (cap > CAPABILITY_LAST)
		return -EINVAL;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	cred->bounding &= ~CAPABILITY_BIT(cap);
	task_set_cred(t, cred);
	return 0;
}

static int64_t change_ambient(struct task *t, const struct syscall_args *a)
{
	const struct credentials *old = t->cred;
	struct credentials *cred;
	uint64_t bit;

	if (a->v[1] == LINUX_PR_CAP_AMBIENT_CLEAR_ALL) {
		if (a->v[2] || a->v[3] || a->v[4])
			return -EINVAL;
		bit = CAPABILITY_FULL_SET;
	} else {
		if (a->v[2] > CAPABILITY_LAST || a->v[3] || a->v[4])
			return -EINVAL;
		bit = CAPABILITY_BIT(a->v[2]);
	}
	switch (a->v[1]) {
	case LINUX_PR_CAP_AMBIENT_IS_SET:
		return !!(old->ambient & bit);
	case LINUX_PR_CAP_AMBIENT_RAISE:
		if (!(old->permitted & bit) || !(old->inheritable & bit) ||
		    (old->securebits & LINUX_SECBIT_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		break;
	case LINUX_PR_CAP_AMBIENT_LOWER:
	case LINUX_PR_CAP_AMBIENT_CLEAR_ALL:
		break;
	default:
		return -EINVAL;
	}
	cred = credentials_copy(old);
	if (!cred)
		return -ENOMEM;
	if (a->v[1] == LINUX_PR_CAP_AMBIENT_RAISE)
		cred->ambient |= bit;
	else
		cred->ambient &= ~bit;
	task_set_cred(t, cred);
	return 0;
}

static int64_t set_no_new_privs(struct task *t, const struct syscall_args *a)
{
	struct credentials *cred;

	if (a->v[1] != 1 || !unused(a, 2))
		return -EINVAL;
	cred = credentials_copy(t->cred);
	if (!cred)
		return -ENOMEM;
	cred->no_new_privs = true;
	task_set_cred(t, cred);
	return 0;
}

/* --- memory -------------------------------------------------------------------------------- */

static int64_t set_mm(struct task *t, const struct syscall_args *a)
{
	struct mm *mm = t->mm;
	uint64_t value = a->v[2];
	uint64_t *const fields[] = {
		[LINUX_PR_SET_MM_START_CODE] = &mm->start_code,
		[LINUX_PR_SET_MM_END_CODE] = &mm->end_code,
		[LINUX_PR_SET_MM_START_DATA] = &mm->start_data,
		[LINUX_PR_SET_MM_END_DATA] = &mm->end_data,
		[LINUX_PR_SET_MM_START_STACK] = &mm->start_stack,
		[LINUX_PR_SET_MM_START_BRK] = NULL,
		[LINUX_PR_SET_MM_BRK] = NULL,
		[LINUX_PR_SET_MM_ARG_START] = &mm->arg_start,
		[LINUX_PR_SET_MM_ARG_END] = &mm->arg_end,
		[LINUX_PR_SET_MM_ENV_START] = &mm->env_start,
		[LINUX_PR_SET_MM_ENV_END] = &mm->env_end,
	};
	struct vma vma;

	if (a->v[4] || (a->v[3] && a->v[1] < 12))
		return -EINVAL;
	if (a->v[1] == LINUX_PR_SET_MM_MAP_SIZE)
		return copy_out_u32(mm, guest_addr(value), LINUX_PRCTL_MM_MAP_SIZE);
	if (!credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	if (!a->v[1] || a->v[1] >= sizeof(fields) / sizeof(fields[0]) || !fields[a->v[1]])
		return -EINVAL;
	if (value >= platform_address_max().v || value < platform_address_min().v)
		return -EINVAL;
	if (!mm_find_vma(mm, value, &vma))
		return -EINVAL;
	mm_vma_release(&vma);
	mutex_lock(&mm->lock);
	*fields[a->v[1]] = value;
	mutex_unlock(&mm->lock);
	return 0;
}

/* --- process --------------------------------------------------------------------------------- */

static int64_t set_death_signal(struct task *t, uint64_t signo)
{
	if (signo > LINUX_NSIG)
		return -EINVAL;
	mutex_lock(&t->lock);
	t->parent_death_signal = (uint32_t)signo;
	mutex_unlock(&t->lock);
	return 0;
}

static int64_t set_subreaper(struct task *t, bool on)
{
	mutex_lock(&t->kernel->tasklist_lock);
	t->group->child_subreaper = on;
	mutex_unlock(&t->kernel->tasklist_lock);
	return 0;
}

static int64_t set_timerslack(struct task *t, int64_t ns)
{
	t->timer_slack_ns = ns <= 0 ? t->default_timer_slack_ns : (uint64_t)ns;
	return 0;
}

/* Kept and inherited; a machine check ends the sandbox as the host sees fit. */
static int64_t set_machine_check(struct task *t, const struct syscall_args *a)
{
	if (!unused(a, 3))
		return -EINVAL;
	switch (a->v[1]) {
	case LINUX_PR_MCE_KILL_CLEAR:
		if (a->v[2])
			return -EINVAL;
		task_set_flag(t, LINUX_PF_MCE_PROCESS, false);
		return 0;
	case LINUX_PR_MCE_KILL_SET:
		if (a->v[2] > LINUX_PR_MCE_KILL_DEFAULT)
			return -EINVAL;
		task_set_flag(t, LINUX_PF_MCE_PROCESS, a->v[2] != LINUX_PR_MCE_KILL_DEFAULT);
		task_set_flag(t, LINUX_PF_MCE_EARLY, a->v[2] == LINUX_PR_MCE_KILL_EARLY);
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t machine_check_policy(struct task *t)
{
	uint32_t flags = atomic_load(&t->flags);

	if (!(flags & LINUX_PF_MCE_PROCESS))
		return LINUX_PR_MCE_KILL_DEFAULT;
	return flags & LINUX_PF_MCE_EARLY ? LINUX_PR_MCE_KILL_EARLY : LINUX_PR_MCE_KILL_LATE;
}

static int64_t io_flusher(struct task *t, const struct syscall_args *a, bool set)
{
	if (!credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	if (!unused(a, set ? 2 : 1) || (set && a->v[1] > 1))
		return -EINVAL;
	if (!set)
		return (atomic_load(&t->flags) & LINUX_PF_IO_FLUSHER) == LINUX_PF_IO_FLUSHER;
	task_set_flag(t, LINUX_PF_IO_FLUSHER, a->v[1]);
	return 0;
}

/* Kept and inherited; which pages are huge is the host's affair. */
static int64_t set_huge_pages(struct task *t, const struct syscall_args *a)
{
	if (!unused(a, 2))
		return -EINVAL;
	atomic_store(&t->mm->huge_pages_disabled, a->v[1] != 0);
	return 0;
}

/* Memory that is written is not executed.  Once set, the bits stay. */
static int64_t set_mdwe(struct task *t, const struct syscall_args *a)
{
	uint64_t bits = a->v[1];
	uint32_t old = 0;

	if (!unused(a, 2) || (bits & ~(uint64_t)(LINUX_PR_MDWE_REFUSE_EXEC_GAIN |
						 LINUX_PR_MDWE_NO_INHERIT)))
		return -EINVAL;
	if ((bits & LINUX_PR_MDWE_NO_INHERIT) && !(bits & LINUX_PR_MDWE_REFUSE_EXEC_GAIN))
		return -EINVAL;
	if (!atomic_compare_exchange_strong(&t->mm->mdwe, &old, (uint32_t)bits) && old != bits)
		return -EPERM;
	return 0;
}

/* Nothing can be merged: KSM is the host's. */
static int64_t memory_merge(struct task *t, const struct syscall_args *a, bool set)
{
	if (!unused(a, set ? 2 : 1))
		return -EINVAL;
	if (set && !credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	return set ? -EINVAL : 0;
}

static int64_t set_indirect_branch(uint64_t control)
{
	switch (control) {
	case LINUX_PR_SPEC_ENABLE:
		return 0;
	case LINUX_PR_SPEC_DISABLE:
	case LINUX_PR_SPEC_FORCE_DISABLE:
		return -EPERM;
	default:
		return -ERANGE;
	}
}

/*
 * As a kernel without a control: speculation is left on, with no promise to the guest, who
 * cannot change the host's mitigations; L1D is never flushed.  /proc/PID/status says the same.
 */
static int64_t speculation(const struct syscall_args *a, bool set)
{
	if (!unused(a, set ? 3 : 2))
		return -EINVAL;
	switch (a->v[1]) {
	case LINUX_PR_SPEC_STORE_BYPASS:
		return set ? -ENXIO : LINUX_PR_SPEC_ENABLE;
	case LINUX_PR_SPEC_INDIRECT_BRANCH:
		return set ? set_indirect_branch(a->v[2]) : LINUX_PR_SPEC_ENABLE;
	case LINUX_PR_SPEC_L1D_FLUSH:
		return set ? -EPERM : LINUX_PR_SPEC_FORCE_DISABLE;
	default:
		return -ENODEV;
	}
}

static int64_t get_auxv(struct task *t, const struct syscall_args *a)
{
	uint64_t auxv[ARRAY_SIZE(t->mm->auxv)];

	if (!unused(a, 3))
		return -EINVAL;
	mutex_lock(&t->mm->lock);
	memcpy(auxv, t->mm->auxv, sizeof(auxv));
	mutex_unlock(&t->mm->lock);
	if (a->v[2] && copy_out(t->mm, arg_addr(a, 1), auxv, MIN(a->v[2], sizeof(auxv))))
		return -EFAULT;
	return sizeof(auxv);
}

static int64_t prctl_process(struct task *t, const struct syscall_args *a)
{
	switch (arg_int(a, 0)) {
	case LINUX_PR_SET_PDEATHSIG:
		return set_death_signal(t, a->v[1]);
	case LINUX_PR_GET_PDEATHSIG:
		return copy_out_u32(t->mm, arg_addr(a, 1), t->parent_death_signal);
	case LINUX_PR_GET_DUMPABLE:
		return atomic_load(&t->mm->dumpable);
	case LINUX_PR_SET_DUMPABLE:
		if (a->v[1] > 1)
			return -EINVAL;
		atomic_store(&t->mm->dumpable, (uint32_t)a->v[1]);
		return 0;
	case LINUX_PR_SET_NAME:
		return set_name(t, arg_addr(a, 1));
	case LINUX_PR_GET_NAME:
		return get_name(t, arg_addr(a, 1));
	case LINUX_PR_GET_TIMING:
		return 0;
	case LINUX_PR_SET_TIMING:
		return a->v[1] ? -EINVAL : 0;
	case LINUX_PR_SET_TIMERSLACK:
		return set_timerslack(t, (int64_t)a->v[1]);
	case LINUX_PR_GET_TIMERSLACK:
		return (int64_t)t->timer_slack_ns;
	case LINUX_PR_SET_CHILD_SUBREAPER:
		return set_subreaper(t, a->v[1] != 0);
	case LINUX_PR_GET_CHILD_SUBREAPER:
		return copy_out_u32(t->mm, arg_addr(a, 1), t->group->child_subreaper);
	case LINUX_PR_GET_TID_ADDRESS:
		return copy_out_u64(t->mm, arg_addr(a, 1), t->clear_child_tid.v);
	case LINUX_PR_GET_TSC:
		return copy_out_u32(t->mm, arg_addr(a, 1), LINUX_PR_TSC_ENABLE);
	case LINUX_PR_SET_TSC:
		return a->v[1] == LINUX_PR_TSC_ENABLE ? 0 : -EINVAL;
	case LINUX_PR_MCE_KILL:
		return set_machine_check(t, a);
	case LINUX_PR_MCE_KILL_GET:
		return unused(a, 1) ? machine_check_policy(t) : -EINVAL;
	case LINUX_PR_SET_THP_DISABLE:
		return set_huge_pages(t, a);
	case LINUX_PR_GET_THP_DISABLE:
		return unused(a, 1) ? atomic_load(&t->mm->huge_pages_disabled) : -EINVAL;
	case LINUX_PR_SET_MDWE:
		return set_mdwe(t, a);
	case LINUX_PR_GET_MDWE:
		return unused(a, 1) ? (int64_t)atomic_load(&t->mm->mdwe) : -EINVAL;
	case LINUX_PR_SET_IO_FLUSHER:
	case LINUX_PR_GET_IO_FLUSHER:
		return io_flusher(t, a, arg_int(a, 0) == LINUX_PR_SET_IO_FLUSHER);
	case LINUX_PR_TASK_PERF_EVENTS_DISABLE:
	case LINUX_PR_TASK_PERF_EVENTS_ENABLE:
		return 0; /* of all events there are, none */
	case LINUX_PR_SET_MEMORY_MERGE:
	case LINUX_PR_GET_MEMORY_MERGE:
		return memory_merge(t, a, arg_int(a, 0) == LINUX_PR_SET_MEMORY_MERGE);
	case LINUX_PR_SET_SPECULATION_CTRL:
	case LINUX_PR_GET_SPECULATION_CTRL:
		return speculation(a, arg_int(a, 0) == LINUX_PR_SET_SPECULATION_CTRL);
	case LINUX_PR_SET_SYSCALL_USER_DISPATCH:
		return user_dispatch_set(t, a->v[1], a->v[2], a->v[3], a->v[4]);
	case LINUX_PR_GET_AUXV:
		return get_auxv(t, a);
	case LINUX_PR_GET_SECCOMP:
		return seccomp_mode(t);
	case LINUX_PR_SET_SECCOMP:
		return seccomp_prctl(t, a->v[1], arg_addr(a, 2));
	case LINUX_PR_SET_MM:
		return set_mm(t, a);
	default:
		return -EINVAL;
	}
}

static int64_t timer_restore_ids(struct task *t, const struct syscall_args *a)
{
	if (!unused(a, 2))
		return -EINVAL;
	switch (a->v[1]) {
	case LINUX_PR_TIMER_CREATE_RESTORE_IDS_OFF:
	case LINUX_PR_TIMER_CREATE_RESTORE_IDS_ON:
		return posix_timers_restore_ids(t->group, a->v[1] == LINUX_PR_TIMER_CREATE_RESTORE_IDS_ON);
	case LINUX_PR_TIMER_CREATE_RESTORE_IDS_GET:
		return posix_timers_restoring_ids(t->group);
	default:
		return -EINVAL;
	}
}

int64_t sys_prctl(struct task *t, const struct syscall_args *a)
{
	switch (arg_int(a, 0)) {
	case LINUX_PR_GET_KEEPCAPS:
		return !!(t->cred->securebits & LINUX_SECBIT_KEEP_CAPS);
	case LINUX_PR_SET_KEEPCAPS:
		return set_keepcaps(t, a->v[1]);
	case LINUX_PR_CAPBSET_READ:
		if (a->v[1] > CAPABILITY_LAST)
			return -EINVAL;
		return !!(t->cred->bounding & CAPABILITY_BIT(a->v[1]));
	case LINUX_PR_CAPBSET_DROP:
		return drop_bounding(t, a->v[1]);
	case LINUX_PR_GET_SECUREBITS:
		return t->cred->securebits;
	case LINUX_PR_SET_SECUREBITS:
		return change_securebits(t, a->v[1]);
	case LINUX_PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(t, a);
	case LINUX_PR_GET_NO_NEW_PRIVS:
		return unused(a, 1) ? t->cred->no_new_privs : -EINVAL;
	case LINUX_PR_CAP_AMBIENT:
		return change_ambient(t, a);
	case LINUX_PR_TIMER_CREATE_RESTORE_IDS:
		return timer_restore_ids(t, a);
	default:
		return prctl_process(t, a);
	}
}

int64_t sys_arch_prctl(struct task *t, const struct syscall_args *a)
{
	struct guest_regs *regs;

	switch (arg_int(a, 0)) {
	case LINUX_ARCH_GET_CPUID:
		return 1;
	case LINUX_ARCH_SET_CPUID:
		return -ENODEV;
	case LINUX_ARCH_SET_FS:
	case LINUX_ARCH_SET_GS:
		if (a->v[1] >= platform_address_max().v)
			return -EPERM;
		regs = context_regs(t->context);
		if (arg_int(a, 0) == LINUX_ARCH_SET_FS)
			regs->fs_base = a->v[1];
		else
			regs->gs_base = a->v[1];
		return 0;
	case LINUX_ARCH_GET_FS:
		return copy_out_u64(t->mm, arg_addr(a, 1), context_regs(t->context)->fs_base);
	case LINUX_ARCH_GET_GS:
		return copy_out_u64(t->mm, arg_addr(a, 1), context_regs(t->context)->gs_base);
	default:
		return -EINVAL;
	}
}
