/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ptrace cases share: tracees to look at, and stops in words.
 */
#pragma once

#include "conformance.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

long trace(unsigned long request, pid_t pid, unsigned long addr, unsigned long data);
#define TRACE(request, pid, addr, data) \
	trace((unsigned long)(request), pid, (unsigned long)(addr), (unsigned long)(data))

/* A child that did PTRACE_TRACEME and stopped itself; it is waited for.  Then it runs @body. */
pid_t tracee_start(void (*body)(void));
/* A child that is nobody's tracee and runs @body. */
pid_t child_start(void (*body)(void));
/* Waits with __WALL and shows what came: stop with signal and event, or end. */
int show_stop(const char *label, pid_t pid);
int next_stop(pid_t pid);
void show_stop_status(const char *label, int status);
/* The general registers, MUST. */
struct user_regs_struct regs_of(pid_t pid);
/* Kills and reaps, without a word. */
void tracee_end(pid_t pid);
