/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers (timer_create(2)) of a thread group. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "sentry/abi/signal.h"
#include "sentry/abi/time.h"
#include "util/compiler.h"

struct linux_siginfo;
struct pid_namespace;
struct strbuf;
struct task;
struct thread_group;
struct posix_timer;

/* Whether it can have timers: 0, -EINVAL, -EOPNOTSUPP. */
int posix_timer_check_clock(int clock) MUST_CHECK;
/*
 * A timer of a clock that was checked.  Its number is written to @id; there is none after an error, but the
 * number may be used up and written.  @wanted: the number it is to have (-EBUSY when there is one), or
 * POSIX_TIMER_ANY_ID.
 */
#define POSIX_TIMER_ANY_ID (-1)
int posix_timer_create(struct task *t, int clock, const struct linux_sigevent *event, int32_t wanted,
		       guest_addr_t id) MUST_CHECK;
/* PR_TIMER_CREATE_RESTORE_IDS: whether numbers are asked for; -ENOMEM. */
int posix_timers_restore_ids(struct thread_group *g, bool on) MUST_CHECK;
bool posix_timers_restoring_ids(struct thread_group *g);
int posix_timer_settime(struct task *t, int32_t id, int flags, const struct linux_itimerspec *new_value,
			struct linux_itimerspec *old_value) MUST_CHECK;
int posix_timer_gettime(struct task *t, int32_t id, struct linux_itimerspec *out) MUST_CHECK;
int posix_timer_getoverrun(struct task *t, int32_t id) MUST_CHECK;
int posix_timer_delete(struct task *t, int32_t id) MUST_CHECK;
/* exec, and the end of the group. */
void posix_timers_destroy(struct thread_group *g);
/* /proc/PID/timers, with the numbers of @ns; any thread's call. */
void posix_timers_show(struct thread_group *g, const struct pid_namespace *ns, struct strbuf *out);

/* For the signal queue: a timer's entry was taken; fills the overrun count and re-arms. */
struct posix_timer *posix_timer_get(struct posix_timer *timer);
void posix_timer_put(struct posix_timer *timer);
void posix_timer_dequeued(struct posix_timer *timer, struct linux_siginfo *info);
