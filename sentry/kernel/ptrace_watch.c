/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug registers.  The sentry cannot give a guest thread the CPU's own, so they are
 * played: while a breakpoint or watchpoint is enabled the thread runs one instruction at a
 * time, and afterwards it is seen whether the instruction pointer is there or the memory
 * has changed.  Watching for reads is refused (-ENOSPC, as where the CPU has no slot
 * left): nothing would tell of them.
 *
 * All by the tracee's own thread: jobs and event handling.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/ptrace_internal.h"

#define SLOTS 4
#define DR_STATUS 6
#define DR_CONTROL 7
#define STATUS_STEP (1UL << 14)
#define TYPE_EXECUTE 0
#define TYPE_WRITE 1
#define TYPE_IO 2
#define CONTROL_RESERVED 0xfc00UL /* with the high half: zero in what is read back */

struct ptrace_watch {
	uint32_t link; /* of the tracer that set it: task_ptrace.links */
	uint64_t regs[LINUX_DEBUGREG_COUNT];
	uint64_t before[SLOTS]; /* what the memory was */
	bool known[SLOTS];
};

static struct ptrace_watch *watch_of(const struct task *t)
{
	struct ptrace_watch *w = t->ptrace.watch;

	return w && w->link == t->ptrace.links ? w : NULL;
}

static bool enabled(const struct ptrace_watch *w, unsigned i)
{
	return w->regs[DR_CONTROL] & 3UL << (2 * i);
}

static unsigned type_of(uint64_t control, unsigned i)
{
	return control >> (16 + 4 * i) & 3;
}

static unsigned size_of(uint64_t control, unsigned i)
{
	static const uint8_t sizes[] = { 1, 2, 8, 4 };

	return sizes[control >> (18 + 4 * i) & 3];
}

/* --- requests ---------------------------------------------------------------------------- */

int ptrace_watch_get(struct task *t, unsigned number, uint64_t *out)
{
	const struct ptrace_watch *w = watch_of(t);

	*out = w ? w->regs[number] : 0;
	return 0;
}

static int check_control(const struct ptrace_watch *w, uint64_t control)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned type = type_of(control, i), size = size_of(control, i);

		if (!(control & 3UL << (2 * i)))
			continue;
		if (type == TYPE_IO || (type == TYPE_EXECUTE && size != 1) || w->regs[i] % size)
			return -EINVAL;
		if (type != TYPE_EXECUTE && type != TYPE_WRITE)
			return -ENOSPC;
	}
	return 0;
}

static struct ptrace_watch *watch_make(struct task *t)
{
	struct ptrace_watch *w = t->ptrace.watch;

	if (!w)
		w = t->ptrace.watch = calloc(1, sizeof(*w));
	if (w && w->link != t->ptrace.links) {
		memset(w, 0, sizeof(*w));
		w->link = t->ptrace.links;
	}
	return w;
}

int ptrace_watch_set(struct task *t, unsigned number, uint64_t value)
{
	struct ptrace_watch *w;
	int rc = 0;

	if (number == 4 || number == 5)
		return -EIO;
	w = watch_make(t);
	if (!w)
		return -ENOMEM;
	if (number < SLOTS && value >= platform_address_max().v)
		rc = -EINVAL;
	if (number == DR_CONTROL) {
		value &= 0xffffffffUL & ~CONTROL_RESERVED;
		rc = check_control(w, value);
	}
	if (!rc)
		w->regs[number] = value;
	return rc;
}

/* --- running ----------------------------------------------------------------------------- */

bool ptrace_watch_active(const struct task *t)
{
	const struct ptrace_watch *w = watch_of(t);

	return w && (w->regs[DR_CONTROL] & 0xff);
}

static bool look(struct task *t, const struct ptrace_watch *w, unsigned i, uint64_t *value)
{
	*value = 0;
	return copy_in(t->mm, value, guest_addr(w->regs[i]), size_of(w->regs[DR_CONTROL], i)) == 0;
}

void ptrace_watch_arm(struct task *t)
{
	struct ptrace_watch *w = watch_of(t);

	for (unsigned i = 0; w && i < SLOTS; i++)
		w->known[i] = enabled(w, i) && type_of(w->regs[DR_CONTROL], i) == TYPE_WRITE &&
			      look(t, w, i, &w->before[i]);
}

static bool hit(struct task *t, const struct ptrace_watch *w, unsigned i, uint64_t rip)
{
	uint64_t now;

	if (!enabled(w, i))
		return false;
	if (type_of(w->regs[DR_CONTROL], i) == TYPE_EXECUTE)
		return rip == w->regs[i];
	return w->known[i] && look(t, w, i, &now) && now != w->before[i];
}

bool ptrace_watch_hit(struct task *t, struct context *ctx)
{
	struct ptrace_watch *w = watch_of(t);
	uint64_t hits = 0;

	for (unsigned i = 0; w && i < SLOTS; i++)
		if (hit(t, w, i, context_regs(ctx)->rip))
			hits |= 1UL << i;
	if (hits)
		w->regs[DR_STATUS] = (w->regs[DR_STATUS] & ~0xfUL) | hits;
	return hits;
}

void ptrace_watch_stepped(struct task *t)
{
	struct ptrace_watch *w = watch_of(t);

	if (w)
		w->regs[DR_STATUS] |= STATUS_STEP;
}
