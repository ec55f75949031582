/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases on namespaces share.
 */
#pragma once

#include "conformance.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* A new user namespace in which ids 0 and 1 are root's outside, groups denied: every capability. */
void enter_user_namespace(void);
/* Writes to a file of /proc/self: 0 or -1 and errno. */
int write_proc(const char *name, const char *text);
/* The inode number of /proc/PID/ns/NAME; 0 when it cannot be asked. */
unsigned long ns_inode(pid_t pid, const char *name);
/* An open /proc/PID/ns/NAME. */
int ns_open(pid_t pid, const char *name);
/* clone3 with flags, as a fork. */
pid_t fork_flags(unsigned long long flags);
/* A child that sleeps until it is killed, made by fork_flags. */
pid_t sleeper_flags(unsigned long long flags);
void kill_and_reap(pid_t pid);
