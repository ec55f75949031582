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

	.section .note.GNU-stack, "", @progbits
