/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults of a task: those of guest code that the host turned into a signal, and those of a
 * system call that copies to or from the caller's memory.
 */
#include <errno.h>

#include "sentry/abi/signal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/usercopy.h"
#include "sentry/platform/platform.h"

#define FAULT_RETRIES_MAX 100
#define TRAP_PAGE_FAULT 14
#define ERROR_WRITE 2U

/* Not for ever, should host and mm disagree. */
bool task_fault(struct task *t, struct context *ctx, const struct platform_event *event)
{
	uint64_t rip = context_regs(ctx)->rip;
	struct mm_limits limits;

	if (event->signo != LINUX_SIGSEGV || event->trapno != TRAP_PAGE_FAULT || !event->regs_valid)
		return false;
	if (rip != t->fault_retry.rip || event->fault_addr != t->fault_retry.addr) {
		t->fault_retry.rip = rip;
		t->fault_retry.addr = event->fault_addr;
		t->fault_retry.count = 0;
	}
	if (t->fault_retry.count++ >= FAULT_RETRIES_MAX)
		return false;
	limits = task_mm_limits(t);
	return mm_fault(t->mm, ctx, &limits, event->fault_addr, event->error_code) == 0;
}

int task_fetch_registers(struct task *t)
{
	int rc;

	/* Who kills the task does not wait for its thread for ever. */
	atomic_store(&t->in_guest, true);
	rc = t->exiting || task_is_dying(t) ? -ESRCH : platform_fetch_registers(t->context);
	atomic_store(&t->in_guest, false);
	return rc;
}

/* As Linux, only the memory of the caller itself: what is reached from afar does not grow. */
static bool copy_fault(struct mm *mm, guest_addr_t addr, bool write)
{
	struct task *t = task_current();
	struct mm_limits limits;
	bool good;

	if (!t || !t->context || t->mm != mm)
		return false;
	limits = task_mm_limits(t);
	/* As in task_fetch_registers, which this may come to. */
	atomic_store(&t->in_guest, true);
	good = !t->exiting && !task_is_dying(t) &&
	       mm_fault(mm, t->context, &limits, addr.v, write ? ERROR_WRITE : 0) == 0;
	atomic_store(&t->in_guest, false);
	/* The copy may be the look that comes before a sleep, and the fault have slept over its wake-up. */
	sleeper_wake(&t->sleeper);
	return good;
}

void task_fault_init(void)
{
	usercopy_set_fault_handler(copy_fault);
}
