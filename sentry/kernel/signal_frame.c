/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The x86-64 signal frame, byte for byte as Linux lays it out: return address,
 * ucontext, siginfo, and above them, 64-byte aligned, the XSAVE image.  Everything
 * here is of the current task, whose registers are valid; no lock is held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/signal_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define RED_ZONE 128

/* --- the alternate stack ---------------------------------------------------------- */

void signal_stack_reset(struct task *t)
{
	t->altstack = (struct signal_stack){ 0, LINUX_SS_DISABLE, 0 };
}

static bool within_stack(const struct signal_stack *s, uint64_t sp)
{
	return sp > s->sp && sp - s->sp <= s->size;
}

static bool on_stack(const struct task *t, uint64_t sp)
{
	return !(t->altstack.flags & LINUX_SS_AUTODISARM) && within_stack(&t->altstack, sp);
}

static uint32_t stack_flags(const struct task *t, uint64_t sp)
{
	if (!t->altstack.size)
		return LINUX_SS_DISABLE;
	return on_stack(t, sp) ? LINUX_SS_ONSTACK : 0;
}

void signal_stack_get(struct task *t, uint64_t sp, struct linux_stack *out)
{
	memset(out, 0, sizeof(*out));
	out->sp = t->altstack.sp;
	out->size = t->altstack.size;
	out->flags = stack_flags(t, sp) | (t->altstack.flags & LINUX_SS_AUTODISARM);
}

int signal_stack_set(struct task *t, uint64_t sp, const struct linux_stack *ss)
{
	uint32_t mode = ss->flags & ~LINUX_SS_AUTODISARM;

	if (on_stack(t, sp))
		return -EPERM;
	if (mode != LINUX_SS_DISABLE && mode != LINUX_SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (ss->sp == t->altstack.sp && ss->size == t->altstack.size &&
	    ss->flags == t->altstack.flags)
		return 0;
	if (mode != LINUX_SS_DISABLE && ss->size < LINUX_MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack.flags = ss->flags;
	t->altstack.sp = mode == LINUX_SS_DISABLE ? 0 : ss->sp;
	t->altstack.size = mode == LINUX_SS_DISABLE ? 0 : ss->size;
	return 0;
}

/* --- delivery ---------------------------------------------------------------------- */

struct frame_place {
	uint64_t frame;	  /* where rsp will point: the return address */
	uint64_t fpstate; /* above it */
};

static int place_frame(struct task *t, const struct guest_regs *regs,
		       const struct linux_sigaction *action, size_t xsize, struct frame_place *out)
{
	bool nested = on_stack(t, regs->rsp), entering = false;
	uint64_t sp = regs->rsp - RED_ZONE;

	if ((action->flags & LINUX_SA_ONSTACK) && stack_flags(t, sp) == 0) {
		sp = t->altstack.sp + t->altstack.size;
		entering = true;
	}
	out->fpstate = round_down(sp - xsize, 64);
	out->frame = round_down(out->fpstate - LINUX_RT_SIGFRAME_SIZE, 16) - 8;
	/* Rather die than run over the end of the alternate stack. */
	if ((nested || entering) && !within_stack(&t->altstack, out->frame))
		return -EFAULT;
	return 0;
}

static void fill_sigcontext(struct linux_sigcontext *sc, const struct guest_regs *r,
			    const struct task *t, uint64_t fpstate, uint64_t old_mask)
{
	sc->r8 = r->r8;
	sc->r9 = r->r9;
	sc->r10 = r->r10;
	sc->r11 = r->r11;
	sc->r12 = r->r12;
	sc->r13 = r->r13;
	sc->r14 = r->r14;
	sc->r15 = r->r15;
	sc->di = r->rdi;
	sc->si = r->rsi;
	sc->bp = r->rbp;
	sc->bx = r->rbx;
	sc->dx = r->rdx;
	sc->ax = r->rax;
	sc->cx = r->rcx;
	sc->sp = r->rsp;
	sc->ip = r->rip;
	sc->flags = r->eflags;
	sc->cs = (uint16_t)r->cs;
	sc->ss = LINUX_USER_DS;
	sc->err = t->error_code;
	sc->trapno = t->trapno;
	sc->oldmask = old_mask;
	sc->cr2 = t->fault_address;
	sc->fpstate = fpstate;
}

static void enter_handler(struct guest_regs *r, int signo, const struct linux_sigaction *action,
			  uint64_t frame)
{
	r->rdi = (uint64_t)signo;
	r->rax = 0;
	r->rsi = frame + LINUX_RT_SIGFRAME_INFO;
	r->rdx = frame + LINUX_RT_SIGFRAME_UC;
	r->rip = action->handler;
	r->rsp = frame;
	r->cs = LINUX_USER_CS;
	r->ss = LINUX_USER_DS;
	r->eflags &= ~(LINUX_EFLAGS_DF | LINUX_EFLAGS_RF | LINUX_EFLAGS_TF);
}

int signal_frame_push(struct task *t, struct context *ctx, int signo,
		      const struct linux_siginfo *info, const struct linux_sigaction *action,
		      uint64_t old_mask)
{
	struct guest_regs *regs = context_regs(ctx);
	size_t xsize = platform_xstate_size(), size, fp_offset;
	struct linux_ucontext *uc;
	struct frame_place place;
	AUTO_FREE char *image = NULL;
	int rc;

	if (!(action->flags & LINUX_SA_RESTORER))
		return -EFAULT;
	rc = place_frame(t, regs, action, xsize, &place);
	if (rc)
		return rc;
	fp_offset = place.fpstate - place.frame;
	size = fp_offset + xsize;
	image = calloc(1, size);
	if (!image)
		return -ENOMEM;
	rc = context_read_xstate(ctx, image + fp_offset, xsize);
	if (rc)
		return rc;
	memcpy(image, &action->restorer, sizeof(action->restorer));
	uc = (struct linux_ucontext *)(void *)(image + LINUX_RT_SIGFRAME_UC);
	uc->flags = LINUX_UC_FP_XSTATE | LINUX_UC_SIGCONTEXT_SS | LINUX_UC_STRICT_RESTORE_SS;
	uc->stack.sp = t->altstack.sp;
	uc->stack.flags = t->altstack.flags;
	uc->stack.size = t->altstack.size;
	fill_sigcontext(&uc->mcontext, regs, t, place.fpstate, old_mask);
	uc->sigmask = old_mask;
	if (action->flags & LINUX_SA_SIGINFO)
		memcpy(image + LINUX_RT_SIGFRAME_INFO, info, sizeof(*info));
	rc = copy_out(t->mm, guest_addr(place.frame), image, size);
	if (rc)
		return rc;
	rc = context_reset_xstate(ctx);
	if (rc)
		return rc;
	enter_handler(regs, signo, action, place.frame);
	return 0;
}

/* --- return ------------------------------------------------------------------------- */

/*
 * The image has no (usable) extended part: only x87 and SSE come from it, the rest
 * gets its initial state.  The software bytes are those of an image of our own.
 */
static int make_fx_only(struct context *ctx, char *image, size_t size)
{
	AUTO_FREE char *own = malloc(size);
	uint64_t features = LINUX_XFEATURE_FPSSE;
	int rc;

	if (!own)
		return -ENOMEM;
	rc = context_read_xstate(ctx, own, size);
	if (rc)
		return rc;
	memcpy(image + LINUX_FXSAVE_SW_OFFSET, own + LINUX_FXSAVE_SW_OFFSET,
	       sizeof(struct linux_fpx_sw_bytes));
	if (size > LINUX_FXSAVE_SIZE + sizeof(features)) {
		memset(image + LINUX_FXSAVE_SIZE, 0, size - LINUX_FXSAVE_SIZE);
		memcpy(image + LINUX_FXSAVE_SIZE, &features, sizeof(features));
		memcpy(image + size - 4, own + size - 4, 4); /* the closing magic */
	}
	return 0;
}

static bool extended_is_valid(const char *image, size_t size)
{
	struct linux_fpx_sw_bytes sw;
	uint32_t magic2;

	if (size < LINUX_FXSAVE_SIZE + 64 + sizeof(magic2))
		return false;
	memcpy(&sw, image + LINUX_FXSAVE_SW_OFFSET, sizeof(sw));
	if (sw.magic1 != LINUX_FP_XSTATE_MAGIC1 || sw.extended_size > size ||
	    sw.xstate_size < LINUX_FXSAVE_SIZE + 64 || sw.xstate_size > size - sizeof(magic2) ||
	    sw.xstate_size > sw.extended_size)
		return false;
	memcpy(&magic2, image + sw.xstate_size, sizeof(magic2));
	return magic2 == LINUX_FP_XSTATE_MAGIC2;
}

static int restore_fpstate(struct task *t, struct context *ctx, uint64_t addr)
{
	size_t size = platform_xstate_size();
	AUTO_FREE char *image = NULL;
	ssize_t got;
	int rc;

	if (size < LINUX_FXSAVE_SIZE)
		return 0; /* the unit tests' platform has none */
	if (!addr)
		return context_reset_xstate(ctx);
	if (addr % 64)
		return -EFAULT;
	image = calloc(1, size);
	if (!image)
		return -ENOMEM;
	got = copy_in_partial(t->mm, image, guest_addr(addr), size);
	if (got < LINUX_FXSAVE_SIZE)
		return -EFAULT;
	if ((size_t)got < size || !extended_is_valid(image, size)) {
		rc = make_fx_only(ctx, image, size);
		if (rc)
			return rc;
	}
	return context_write_xstate(ctx, image, size);
}

static void load_sigcontext(struct guest_regs *r, const struct linux_sigcontext *sc)
{
	r->r8 = sc->r8;
	r->r9 = sc->r9;
	r->r10 = sc->r10;
	r->r11 = sc->r11;
	r->r12 = sc->r12;
	r->r13 = sc->r13;
	r->r14 = sc->r14;
	r->r15 = sc->r15;
	r->rdi = sc->di;
	r->rsi = sc->si;
	r->rbp = sc->bp;
	r->rbx = sc->bx;
	r->rdx = sc->dx;
	r->rax = sc->ax;
	r->rcx = sc->cx;
	r->rsp = sc->sp;
	r->rip = sc->ip;
	r->eflags = (r->eflags & ~LINUX_EFLAGS_USER) | (sc->flags & LINUX_EFLAGS_USER);
	r->cs = sc->cs | 3;
	/* Without UC_STRICT_RESTORE_SS Linux repairs a bad SS; only one is good here. */
	r->ss = LINUX_USER_DS;
	r->orig_rax = UINT64_MAX;
}

int signal_frame_pop(struct task *t, struct context *ctx)
{
	struct guest_regs *regs = context_regs(ctx);
	uint64_t frame = regs->rsp - 8;
	struct linux_ucontext uc;
	int rc = copy_in(t->mm, &uc, guest_addr(frame + LINUX_RT_SIGFRAME_UC), sizeof(uc));

	if (rc)
		return rc;
	signal_set_blocked(t, uc.sigmask);
	/*
	 * Judged by the handler's stack pointer, as Linux does since 6.12; a change made while
	 * on it thus stays.  Errors are not reported here.
	 */
	rc = signal_stack_set(t, regs->rsp, &uc.stack);
	(void)rc;
	/* Selectors that Linux could not return to either. */
	if (((uc.mcontext.cs | 3) != LINUX_USER_CS && (uc.mcontext.cs | 3) != LINUX_USER32_CS) ||
	    ((uc.flags & LINUX_UC_STRICT_RESTORE_SS) && (uc.mcontext.ss | 3) != LINUX_USER_DS))
		return -EFAULT;
	load_sigcontext(regs, &uc.mcontext);
	t->restart_block.fn = NULL;
	t->syscall_restart_pending = false;
	return restore_fpstate(t, ctx, uc.mcontext.fpstate);
}
