/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders: host calls that a stopped thread's stub makes for the sentry.
 *
 * The command and its arguments go through the slot, which the guest can
 * scribble over; so a call that the filter does not let through is notified and
 * compared in full with the copy in t->expected before it is continued.  The
 * calls that the filter does let through harm only the guest's own memory.
 */
#include "sentry/platform/trap/trap.h"

#include <errno.h>

#include "sentry/host/host_seccomp.h"
#include "sentry/wait/wait.h"
#include "util/log.h"

void trap_wait_done(struct trap_platform *p, struct trap_thread *t)
{
	if (!trap_pool_receive_for(p->pool, t) && !trap_spin_wait(t))
		trap_pool_await(p->pool, t);
}

int trap_wait_stopped(struct trap_platform *p, struct trap_thread *t)
{
	bool dead;

	trap_wait_done(p, t);
	mutex_lock(&t->process->lock);
	dead = t->process->dead;
	atomic_store(&t->state, TRAP_STOPPED);
	mutex_unlock(&t->process->lock);
	return dead ? -ESRCH : 0;
}

static int answer_and_wait(struct trap_platform *p, struct trap_thread *t,
			   const struct trap_answer *answer, int64_t *result)
{
	bool dead;
	int rc;

	/* Woken by an answer the stub is on this CPU, and nobody looks at its slot. */
	if (!t->by_spin)
		__atomic_store_n(&t->slot->spin, 0, __ATOMIC_RELAXED);
	atomic_store(&t->order_done, 0);
	mutex_lock(&t->process->lock);
	dead = t->process->dead;
	if (!dead)
		atomic_store(&t->state, TRAP_ORDER);
	mutex_unlock(&t->process->lock);
	if (dead)
		return -ESRCH;
	rc = trap_hand_over(p, t, answer);
	/* The FD could not be put there, and the notification still waits. */
	if (rc < 0 && rc != -ENOENT && answer->fd >= 0 && trap_thread_take(t, TRAP_ORDER))
		return rc;
	/* -ENOENT: it is dying; the reaper ends the wait. */
	if (rc < 0 && rc != -ENOENT)
		log_warning("answer to stub: error %d", -rc);
	rc = trap_wait_stopped(p, t);
	if (rc == 0)
		*result = t->slot->result;
	return rc;
}

static int go_on(struct trap_platform *p, struct trap_thread *t, int64_t *result)
{
	/* Before it may report: a report changes what is to be answered. */
	struct trap_answer answer = trap_thread_answer_of(t);

	return answer_and_wait(p, t, &answer, result);
}

int trap_order(struct trap_platform *p, struct trap_thread *t, enum stub_command command,
	       int64_t *result)
{
	if (!t->by_slot)
		return -EINVAL;
	t->slot->command = command;
	return go_on(p, t, result);
}

int trap_order_report(struct trap_platform *p, struct trap_thread *t)
{
	int64_t result;

	t->expected_count = 0;
	t->expected_next = 0;
	t->stop_at = TRAP_NO_STOP;
	return go_on(p, t, &result);
}

int trap_order_with_fd(struct trap_platform *p, struct trap_thread *t, int fd, int number,
		       int64_t *result)
{
	struct trap_answer answer = trap_thread_answer_of(t);
	int donated;
	int rc;

	if (!t->by_slot)
		return -EINVAL;
	t->slot->command = STUB_CALL_WITH_FD;
	/* The FD comes with the answer to its report, or while the first ordered call waits. */
	if (!t->by_spin && !t->answer_continue && !t->clone_waits) {
		answer.fd = fd;
		answer.number = number;
		t->stop_at = TRAP_NO_STOP;
		return answer_and_wait(p, t, &answer, result);
	}
	t->stop_at = 0;
	rc = go_on(p, t, result);
	if (rc < 0 || t->expected_next != 1)
		return rc;
	donated = host_notify_add_fd(p->listener, t->notification, fd, number);
	t->stop_at = TRAP_NO_STOP;
	rc = go_on(p, t, result);
	return donated < 0 ? donated : rc;
}

int trap_order_call(struct trap_platform *p, struct trap_thread *t, const struct trap_call *call,
		    bool notified, int64_t *result)
{
	t->slot->call_nr = call->nr;
	for (unsigned i = 0; i < 6; i++)
		t->slot->args[i] = call->args[i];
	t->expected_count = 0;
	t->expected_next = 0;
	t->stop_at = TRAP_NO_STOP;
	if (notified) {
		t->expected[0] = *call;
		t->expected_count = 1;
	}
	return trap_order(p, t, STUB_CALL, result);
}
