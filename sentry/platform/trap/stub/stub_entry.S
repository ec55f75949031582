/* SPDX-License-Identifier: Apache-2.0 */
/* Entry points of the stub that C cannot express.  See stub.h. */
#include <asm/unistd.h>

	.text
	.globl _start
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	stub_main
	ud2

	.globl stub_restorer
stub_restorer:
	mov	$__NR_rt_sigreturn, %eax
	syscall
	ud2

	.globl stub_sigreturn
stub_sigreturn:
	mov	%rdi, %rsp
	mov	$__NR_rt_sigreturn, %eax
	syscall
	ud2

	.globl stub_clone_thread
stub_clone_thread:
	push	%r12
	push	%r13
	mov	%rdx, %r12
	mov	%rcx, %r13
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r9d, %r9d	/* r8 is the TLS base, here as there */
	mov	$__NR_clone, %eax
	syscall
	test	%rax, %rax
	jz	1f
	pop	%r13
	pop	%r12
	ret
1:	mov	%r12, %rdi
	mov	%r13, %rsi
	call	stub_thread_main
	ud2

/* Compilers make calls of it for copies of structures, freestanding or not. */
	.globl memcpy
memcpy:
	mov	%rdi, %rax
	mov	%rdx, %rcx
	rep movsb
	ret

/*
 * Access to guest memory.  These use no stack: a fault anywhere between the marks goes on at the
 * landing, as the return of the routine.
 */
	.globl stub_cmpxchg
	.globl stub_copy
	.globl stub_probe
	.globl stub_copy_string
	.globl stub_fault_begin
	.globl stub_fault_end
	.globl stub_fault_landing
stub_fault_begin:
stub_cmpxchg:
	mov	%esi, %eax
	mov	%rcx, %r8
	lock cmpxchg %edx, (%rdi)
	mov	%eax, %eax
	mov	%rax, (%r8)
	xor	%eax, %eax
	ret

stub_copy:
	mov	%rdx, %rcx
	rep movsb
	xor	%eax, %eax
	ret

stub_probe:
	lock orb $0, (%rdi)
	xor	%eax, %eax
	ret

stub_copy_string:
	xor	%eax, %eax
1:	cmp	%rdx, %rax
	jae	2f
	mov	(%rsi,%rax), %cl
	mov	%cl, (%rdi,%rax)
	inc	%rax
	test	%cl, %cl
	jnz	1b
	ret
2:	xor	%eax, %eax
	ret
stub_fault_end:

stub_fault_landing:
	mov	$-14, %rax
	ret

	.globl stub_block
	.globl stub_blocked
stub_block:
	int3
stub_blocked:
	ret

/*
 * The frame for iretq lies below the signal frame; what C had there is of no use any more.  Up to the last
 * instruction the stack pointer tells where the signal frame is.
 */
	.globl stub_leave
	.globl stub_leave_begin
	.globl stub_leave_end
	.globl stub_leave_kicked
stub_leave:
	lea	-48(%rsi), %rsp
	mov	128(%rdi), %rax
	mov	%rax, (%rsp)	/* rip */
	movq	$0x33, 8(%rsp)	/* cs */
	mov	136(%rdi), %rax
	mov	%rax, 16(%rsp)	/* flags */
	mov	120(%rdi), %rax
	mov	%rax, 24(%rsp)	/* rsp */
	movq	$0x2b, 32(%rsp)	/* ss */
	mov	%rdx, %rbx
stub_leave_begin:
	cmpl	$0, (%rcx)
	jne	stub_leave_kicked
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 (%rbx)
	mov	(%rdi), %r8
	mov	8(%rdi), %r9
	mov	16(%rdi), %r10
	mov	24(%rdi), %r11
	mov	32(%rdi), %r12
	mov	40(%rdi), %r13
	mov	48(%rdi), %r14
	mov	56(%rdi), %r15
	mov	72(%rdi), %rsi
	mov	80(%rdi), %rbp
	mov	88(%rdi), %rbx
	mov	96(%rdi), %rdx
	mov	104(%rdi), %rax
	mov	112(%rdi), %rcx
	mov	64(%rdi), %rdi
	iretq
stub_leave_end:

stub_leave_kicked:
	lea	48(%rsp), %rdi
	call	stub_kicked
	ud2

	.section .note.GNU-stack, "", @progbits
