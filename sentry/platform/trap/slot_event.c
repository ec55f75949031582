/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a stub's slot to an event.  The guest can write to the slot at any time:
 * each field is read once, into a private copy, and only that is looked at.
 */
#include "sentry/platform/trap/trap.h"

#include <signal.h>
#include <string.h>

static void copy_registers(struct trap_thread *t)
{
	const struct stub_slot *slot = t->slot;
	struct guest_regs *r = &t->context->regs;
	const struct stub_regs *s = &t->regs;

	memcpy(&t->regs, &slot->regs, sizeof(t->regs));
	t->xstate_addr = slot->xstate_addr;
	*r = (struct guest_regs){
		.r15 = s->r15, .r14 = s->r14, .r13 = s->r13, .r12 = s->r12, .rbp = s->rbp,
		.rbx = s->rbx, .r11 = s->r11, .r10 = s->r10, .r9 = s->r9, .r8 = s->r8,
		.rax = s->rax, .rcx = s->rcx, .rdx = s->rdx, .rsi = s->rsi, .rdi = s->rdi,
		.orig_rax = (uint64_t)-1, .rip = s->rip, .eflags = s->eflags, .rsp = s->rsp,
		.cs = slot->cs == STUB_CS_32 ? STUB_CS_32 : STUB_CS_64, .ss = 0x2b,
		.fs_base = t->fs_base, .gs_base = t->gs_base,
	};
	if (t->context->platform->fsgsbase) {
		r->fs_base = slot->fs_base;
		r->gs_base = slot->gs_base;
	}
}

/* The exceptions whose handlers the stub installs; whatever else a slot names is forged. */
static bool is_fault_signal(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL ||
	       signo == SIGTRAP;
}

bool trap_slot_event(struct trap_thread *t, struct platform_event *e)
{
	const volatile struct stub_slot *slot = t->slot;
	uint32_t kind = slot->event;

	*e = (struct platform_event){ .regs_valid = true };
	copy_registers(t);
	t->window_count = 0;
	switch (kind) {
	case STUB_EVENT_SYSCALL:
		trap_windows_take(t);
		e->kind = PLATFORM_EVENT_SYSCALL;
		e->nr = slot->nr;
		e->arch = slot->arch;
		e->args[0] = t->regs.rdi;
		e->args[1] = t->regs.rsi;
		e->args[2] = t->regs.rdx;
		e->args[3] = t->regs.r10;
		e->args[4] = t->regs.r8;
		e->args[5] = t->regs.r9;
		e->rip = t->regs.rip;
		break;
	case STUB_EVENT_FAULT:
		e->kind = PLATFORM_EVENT_FAULT;
		e->signo = slot->signo;
		e->code = slot->code;
		e->fault_addr = slot->fault_addr;
		e->trapno = slot->trapno;
		e->error_code = slot->error_code;
		return is_fault_signal(e->signo);
	default:
		e->kind = PLATFORM_EVENT_KICK;
		break;
	}
	return true;
}
