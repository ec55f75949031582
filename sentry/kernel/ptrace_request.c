/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of a tracer: resuming, options, signals, what a stop was about.
 * Copies to and from the tracer's memory are made with no lock held, of what was
 * copied under the tracee's signal lock while it was stopped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/ptrace_internal.h"
#include "util/checked.h"

#define SIGSET_SIZE 8

/* --- resuming ---------------------------------------------------------------------------- */

static uint32_t run_of(uint64_t request)
{
	switch (request) {
	case LINUX_PTRACE_SYSCALL:
		return PTRACE_RUN_SYSCALLS;
	case LINUX_PTRACE_SINGLESTEP:
		return PTRACE_RUN_STEP;
	case LINUX_PTRACE_SYSEMU:
		return PTRACE_RUN_EMULATE;
	case LINUX_PTRACE_SYSEMU_SINGLESTEP:
		return PTRACE_RUN_EMULATE | PTRACE_RUN_STEP;
	default:
		return 0;
	}
}

static int64_t resume(struct task *tracer, struct task *t, uint64_t request, uint64_t signo)
{
	struct signal_handlers *h = signal_lock(t->group);
	int64_t rc = -ESRCH;

	if (ptrace_stopped_for_locked(t, tracer)) {
		rc = signo > SIGNAL_COUNT ? -EIO : 0;
		if (!rc) {
			atomic_store(&t->ptrace.run, run_of(request));
			t->ptrace.code = (int)signo;
			t->ptrace.stopped = false;
			sleeper_wake(&t->sleeper);
		}
	}
	signal_unlock(h);
	return rc;
}

static int64_t kill_tracee(struct task *tracer, struct task *t)
{
	struct linux_siginfo info = { .signo = LINUX_SIGKILL };

	if (atomic_load(&t->ptrace.tracer) != tracer)
		return -ESRCH;
	/* Dead already is as good. */
	signal_send_group(t->group, &info);
	return 0;
}

/* INTERRUPT disturbs no stop but the one that LISTEN let go on. */
static int64_t interrupt(struct task *tracer, struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	struct task_ptrace *p = &t->ptrace;
	int64_t rc = -ESRCH;

	if (atomic_load(&p->tracer) == tracer && !t->exiting) {
		rc = p->seized ? 0 : -EIO;
		if (!rc) {
			p->trap_stop = true;
			if (p->listening)
				p->stopped = false;
			if (!p->stopped)
				task_wake_locked(t);
			if (p->listening)
				sleeper_wake(&t->sleeper);
		}
	}
	signal_unlock(h);
	return rc;
}

static int64_t listen(struct task *tracer, struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	struct task_ptrace *p = &t->ptrace;
	int64_t rc = -ESRCH;

	if (ptrace_stopped_for_locked(t, tracer)) {
		rc = -EIO;
		if (p->seized && p->siginfo && p->siginfo->code >> 8 == LINUX_PTRACE_EVENT_STOP) {
			rc = 0;
			p->listening = true;
			if (p->trap_notify) {
				p->stopped = false;
				sleeper_wake(&t->sleeper);
			}
		}
	}
	signal_unlock(h);
	return rc;
}

/* --- what stopped it --------------------------------------------------------------------- */

static int64_t set_options(struct task *tracer, struct task *t, uint64_t options)
{
	struct signal_handlers *h;
	int64_t rc = ptrace_check_options(tracer, options);

	if (rc)
		return rc;
	h = signal_lock(t->group);
	if (ptrace_stopped_for_locked(t, tracer))
		t->ptrace.options = (uint32_t)options;
	else
		rc = -ESRCH;
	signal_unlock(h);
	return rc;
}

static int64_t get_message(struct task *tracer, struct task *t, uint64_t data)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);
	uint64_t message = t->ptrace.message;

	signal_unlock(h);
	return stopped ? copy_out_u64(tracer->mm, guest_addr(data), message) : -ESRCH;
}

static int copy_siginfo(struct task *tracer, struct task *t, struct linux_siginfo *info, bool set)
{
	struct signal_handlers *h = signal_lock(t->group);
	int rc = -ESRCH;

	if (ptrace_stopped_for_locked(t, tracer)) {
		rc = t->ptrace.siginfo ? 0 : -EINVAL;
		if (!rc && set)
			*t->ptrace.siginfo = *info;
		else if (!rc)
			*info = *t->ptrace.siginfo;
	}
	signal_unlock(h);
	return rc;
}

static int64_t get_siginfo(struct task *tracer, struct task *t, uint64_t data)
{
	struct linux_siginfo info;
	int rc = copy_siginfo(tracer, t, &info, false);

	return rc ? rc : copy_out(tracer->mm, guest_addr(data), &info, sizeof(info));
}

static int64_t set_siginfo(struct task *tracer, struct task *t, uint64_t data)
{
	struct linux_siginfo info;
	int rc = copy_in(tracer->mm, &info, guest_addr(data), sizeof(info));

	return rc ? rc : copy_siginfo(tracer, t, &info, true);
}

/* --- pending signals and the mask -------------------------------------------------------- */

/* The entry with number @index of the queue; 1: there is none. */
static int pending_at(struct task *tracer, struct task *t, bool shared, uint64_t index,
		      struct linux_siginfo *out)
{
	struct signal_handlers *h = signal_lock(t->group);
	struct signal_queue *q = shared ? &t->group->shared_pending : &t->pending;
	struct queued_signal *e;
	int rc = ptrace_stopped_for_locked(t, tracer) ? 1 : -ESRCH;

	if (rc == 1) {
		list_for_each(e, &q->entries, node) {
			if (index--)
				continue;
			*out = e->info;
			rc = 0;
			break;
		}
	}
	signal_unlock(h);
	return rc;
}

static int64_t peek_siginfo(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
{
	struct linux_ptrace_peeksiginfo_args args;
	struct linux_siginfo info;
	int32_t i;
	int rc = copy_in(tracer->mm, &args, guest_addr(addr), sizeof(args));

	if (rc)
		return rc;
	if ((args.flags & ~LINUX_PTRACE_PEEKSIGINFO_SHARED) || args.nr < 0)
		return -EINVAL;
	for (i = 0; i < args.nr; i++) {
		uint64_t index = args.off + (uint64_t)i;

		if (index < args.off)
			break;
		rc = pending_at(tracer, t, args.flags & LINUX_PTRACE_PEEKSIGINFO_SHARED, index, &info);
		if (rc == 1)
			break;
		if (!rc)
			rc = copy_out(tracer->mm, guest_addr(data), &info, sizeof(info));
		if (rc)
			return i ? i : rc;
		data += sizeof(info);
	}
	return i;
}

static int64_t get_mask(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct signal_handlers *h;
	uint64_t mask;
	bool stopped;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	h = signal_lock(t->group);
	stopped = ptrace_stopped_for_locked(t, tracer);
	mask = t->restore_saved_mask ? t->saved_mask : t->blocked;
	signal_unlock(h);
	return stopped ? copy_out_u64(tracer->mm, guest_addr(data), mask) : -ESRCH;
}

static int64_t set_mask(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct signal_handlers *h;
	uint64_t mask;
	int64_t rc;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	rc = copy_in_u64(tracer->mm, &mask, guest_addr(data));
	if (rc)
		return rc;
	h = signal_lock(t->group);
	if (ptrace_stopped_for_locked(t, tracer)) {
		/* As Linux: no retargeting; what it unblocks is taken on its way on. */
		t->restore_saved_mask = false;
		t->blocked = mask & ~SIGNAL_UNBLOCKABLE;
		atomic_store(&t->work_pending, true);
	} else {
		rc = -ESRCH;
	}
	signal_unlock(h);
	return rc;
}

/* --- rseq -------------------------------------------------------------------------------- */

static int64_t get_rseq(struct task *tracer, struct task *t, uint64_t size, uint64_t data)
{
	struct linux_ptrace_rseq_configuration conf = { 0 };
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);

	/* Stopped, the task changes nothing of its own. */
	conf.rseq_abi_pointer = t->rseq_area.v;
	conf.rseq_abi_size = t->rseq_size;
	conf.signature = t->rseq_signature;
	signal_unlock(h);
	if (!stopped)
		return -ESRCH;
	size = MIN(size, sizeof(conf));
	return copy_out(tracer->mm, guest_addr(data), &conf, size) ? -EFAULT : (int64_t)sizeof(conf);
}

/* --- the table --------------------------------------------------------------------------- */

static bool is_stopped(struct task *tracer, struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);

	signal_unlock(h);
	return stopped;
}

static int64_t stopped_request(struct task *tracer, struct task *t, uint64_t request, uint64_t addr,
			       uint64_t data)
{
	switch (request) {
	case LINUX_PTRACE_PEEKTEXT:
	case LINUX_PTRACE_PEEKDATA:
		return ptrace_peek(tracer, t, addr, data);
	case LINUX_PTRACE_POKETEXT:
	case LINUX_PTRACE_POKEDATA:
		return ptrace_poke(tracer, t, addr, data);
	case LINUX_PTRACE_PEEKUSER:
		return ptrace_peek_user(tracer, t, addr, data);
	case LINUX_PTRACE_POKEUSER:
		return ptrace_poke_user(tracer, t, addr, data);
	case LINUX_PTRACE_GETREGS:
	case LINUX_PTRACE_SETREGS:
	case LINUX_PTRACE_GETFPREGS:
	case LINUX_PTRACE_SETFPREGS:
		return ptrace_regs_request(tracer, t, request, data);
	case LINUX_PTRACE_GETREGSET:
	case LINUX_PTRACE_SETREGSET:
		return ptrace_regset_request(tracer, t, request, addr, data);
	case LINUX_PTRACE_GET_THREAD_AREA:
		return ptrace_get_thread_area(tracer, addr, data);
	case LINUX_PTRACE_SET_THREAD_AREA:
		return ptrace_set_thread_area(tracer, addr, data);
	case LINUX_PTRACE_ARCH_PRCTL:
		return ptrace_arch_prctl(tracer, t, data, addr);
	case LINUX_PTRACE_OLDSETOPTIONS:
	case LINUX_PTRACE_SETOPTIONS:
		return set_options(tracer, t, data);
	case LINUX_PTRACE_GETEVENTMSG:
		return get_message(tracer, t, data);
	case LINUX_PTRACE_GETSIGINFO:
		return get_siginfo(tracer, t, data);
	case LINUX_PTRACE_SETSIGINFO:
		return set_siginfo(tracer, t, data);
	case LINUX_PTRACE_PEEKSIGINFO:
		return peek_siginfo(tracer, t, addr, data);
	case LINUX_PTRACE_GETSIGMASK:
		return get_mask(tracer, t, addr, data);
	case LINUX_PTRACE_SETSIGMASK:
		return set_mask(tracer, t, addr, data);
	case LINUX_PTRACE_LISTEN:
		return listen(tracer, t);
	case LINUX_PTRACE_GET_SYSCALL_INFO:
		return ptrace_get_syscall_info(tracer, t, addr, data);
	case LINUX_PTRACE_SET_SYSCALL_INFO:
		return ptrace_set_syscall_info(tracer, t, addr, data);
	case LINUX_PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG:
		return ptrace_get_user_dispatch(tracer, t, addr, data);
	case LINUX_PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG:
		return ptrace_set_user_dispatch(tracer, t, addr, data);
	case LINUX_PTRACE_SECCOMP_GET_FILTER:
		return ptrace_get_filter(tracer, t, addr, data);
	case LINUX_PTRACE_SECCOMP_GET_METADATA:
		return ptrace_get_filter_metadata(tracer, t, addr, data);
	case LINUX_PTRACE_GET_RSEQ_CONFIGURATION:
		return get_rseq(tracer, t, addr, data);
	case LINUX_PTRACE_DETACH:
		return ptrace_detach(tracer, t, data);
	case LINUX_PTRACE_CONT:
	case LINUX_PTRACE_SYSCALL:
	case LINUX_PTRACE_SINGLESTEP:
	case LINUX_PTRACE_SYSEMU:
	case LINUX_PTRACE_SYSEMU_SINGLESTEP:
		return resume(tracer, t, request, data);
	default:
		return -EIO;
	}
}

int64_t ptrace_request(struct task *tracer, struct task *t, uint64_t request, uint64_t addr,
		       uint64_t data)
{
	switch (request) {
	case LINUX_PTRACE_ATTACH:
		return ptrace_attach(tracer, t, false, addr, data);
	case LINUX_PTRACE_SEIZE:
		return ptrace_attach(tracer, t, true, addr, data);
	case LINUX_PTRACE_KILL:
		return kill_tracee(tracer, t);
	case LINUX_PTRACE_INTERRUPT:
		return interrupt(tracer, t);
	default:
		/* Who is not stopped for the caller answers nothing, whatever the request. */
		return is_stopped(tracer, t) ? stopped_request(tracer, t, request, addr, data) :
					       -ESRCH;
	}
}
