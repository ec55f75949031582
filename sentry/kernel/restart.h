/* SPDX-License-Identifier: Apache-2.0 */
/* What a system call handler returns, negated, besides errnos; never seen by a guest. */
#pragma once

#include <errno.h>

#ifndef ERESTARTSYS
#define ERESTARTSYS 512		  /* restart if SA_RESTART or no handler runs */
#define ERESTARTNOINTR 513	  /* restart always */
#define ERESTARTNOHAND 514	  /* restart if no handler runs */
#define ERESTART_RESTARTBLOCK 516 /* as NOHAND, through restart_block */
#endif
/* restart_syscall(2), as which a call through restart_block counts */
#define NR_RESTART_SYSCALL 219
/* The handler arranged registers itself (rt_sigreturn, execve); leave rax alone. */
#define SYSCALL_NO_RETURN 517
/*
 * The call waits without a thread: task->call_wait is in a queue, and when that, or a signal, wakes the task the
 * call is made again from its beginning.  Only where task_can_shelve().
 */
#define SYSCALL_SHELVED 519
/* The task exited: the context is gone. */
#define SYSCALL_EXITED 518
