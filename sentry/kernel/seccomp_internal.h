/* SPDX-License-Identifier: Apache-2.0 */
/* Between seccomp.c, seccomp_action.c and seccomp_notify.c. */
#pragma once

#include "sentry/kernel/seccomp.h"
#include "sentry/wait/wait.h"
#include "util/lock.h"
#include "util/refcount.h"

/* Calls whose answer is allowed without looking at arguments need no run. */
#define SECCOMP_CACHED_CALLS 512

struct seccomp_listener; /* seccomp_notify.c */

struct seccomp_filter {
	struct refcount refs;	     /* tasks, filters above, the listener's file */
	_Atomic uint32_t users;	     /* tasks and filters above; 0: nobody will ask again */
	struct seccomp_filter *prev; /* reference; does not change once attached */
	struct linux_sock_filter *insns;
	uint32_t count;
	bool log, wait_killable; /* do not change once attached */
	uint64_t allowed[SECCOMP_CACHED_CALLS / 64]; /* with those below; as `log` */
	struct mutex notify_lock;	   /* LOCK_RANK_SECCOMP */
	struct seccomp_listener *listener; /* protected by notify_lock */
	bool has_listener;		   /* once had one; does not change once attached */
	struct wait_queue wait;		   /* who reads or polls the listener */
};

void seccomp_filter_get(struct seccomp_filter *f);
void seccomp_filter_put(struct seccomp_filter *f); /* may free the path up to a shared filter */

/*
 * The call of the current task is put before @f's listener.  True: it is to be made.
 * False: *verdict and *result.
 */
bool seccomp_notify(struct task *t, struct seccomp_filter *f, const struct linux_seccomp_data *data,
		    enum seccomp_verdict *verdict, int64_t *result);
/* The listener goes with its file: waiting calls get ENOSYS. */
void seccomp_listener_free(struct seccomp_filter *f);
