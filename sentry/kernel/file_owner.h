/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner of an open file: who is told by a signal what happens to it (F_SETOWN, F_SETSIG; signals
 * of O_ASYNC, of watched directories and of leases).  A file has one from the first call that
 * concerns it; until then nobody is told.
 */
#pragma once

#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"

struct file;
struct linux_f_owner_ex;
struct task;
struct terminal;

/* Boot: registers with the VFS. */
void file_owner_init(void);

/* F_SETOWN: a process, negative a process group, 0 nobody.  -EINVAL, -ESRCH, -ENOMEM. */
int file_owner_set(struct task *t, struct file *file, int32_t who) MUST_CHECK;
/* F_SETOWN_EX: a thread too. */
int file_owner_set_ex(struct task *t, struct file *file, const struct linux_f_owner_ex *owner) MUST_CHECK;
/* The caller's process, where there is no owner yet. */
int file_owner_set_default(struct task *t, struct file *file) MUST_CHECK;
/* Likewise the terminal's foreground group, or (none, NULL) the caller's process. */
int file_owner_set_terminal(struct task *t, struct file *file, const struct terminal *terminal) MUST_CHECK;
/* F_GETOWN_EX; F_GETOWN's number is negative for a group.  0: nobody, or dead, or not visible. */
void file_owner_get(struct task *t, struct file *file, struct linux_f_owner_ex *owner);
/* F_GETOWNER_UIDS: uid and euid, in the caller's user namespace, of who set the owner. */
void file_owner_uids(struct task *t, struct file *file, uint32_t uids[2]);
/* F_SETSIG, checked by the caller; 0 is SIGIO without details. */
int file_owner_set_signal(struct file *file, int32_t signo) MUST_CHECK;
int32_t file_owner_signal(struct file *file);
