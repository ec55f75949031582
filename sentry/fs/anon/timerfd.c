/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd.  As in Linux a periodic timer is not re-armed when it fires but when
 * somebody asks (read, gettime): missed periods are computed, so a timer that
 * nobody reads wakes the sentry once.
 *
 * Lock order: timerfd->lock (LOCK_RANK_FS_PRIVATE), then the timer lock.  The
 * callback takes timerfd->lock, so timer_cancel_sync is called without it.
 */
#include "sentry/fs/anon/timerfd.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "sentry/wait/wait.h"
#include "util/checked.h"
#include "util/strbuf.h"

struct timerfd {
	struct mutex lock;
	int clock;	    /* does not change */
	int armed_clock;    /* what deadline is measured in; protected by lock */
	int flags;	    /* of the last settime; protected by lock */
	bool armed;	    /* has a deadline, fired or not; protected by lock */
	bool expired;	    /* fired, and not re-armed since; protected by lock */
	uint64_t deadline;  /* absolute ns; protected by lock */
	uint64_t interval;  /* ns; protected by lock */
	uint64_t ticks;	    /* protected by lock */
	struct ktimer timer;
	struct wait_queue queue;
};

/* The clock that an _ALARM clock follows. */
static int plain_clock(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME_ALARM:
		return LINUX_CLOCK_REALTIME;
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return LINUX_CLOCK_BOOTTIME;
	default:
		return clock;
	}
}

static void timerfd_fired(struct ktimer *timer, void *arg)
{
	struct timerfd *tf = arg;
	bool fired;

	mutex_lock(&tf->lock);
	/* Not if it was set anew while this call was on its way: then that deadline holds. */
	fired = tf->armed && !tf->expired && clock_now(tf->armed_clock) >= tf->deadline;
	if (fired) {
		tf->expired = true;
		tf->ticks++;
	} else if (tf->armed && !tf->expired && timer_arm(timer, tf->armed_clock, tf->deadline)) {
		tf->armed = false;
	}
	mutex_unlock(&tf->lock);
	if (fired)
		wait_queue_wake(&tf->queue, LINUX_EPOLLIN);
}

/* A deadline that has passed counts at once, also before the timer thread has run. */
static void expire_locked(struct timerfd *tf) REQUIRES(tf->lock)
{
	if (!tf->armed || tf->expired || clock_now(tf->armed_clock) < tf->deadline)
		return;
	tf->expired = true;
	tf->ticks++;
}

/* Counts the periods that passed since it fired and arms the next. */
static void forward_locked(struct timerfd *tf) REQUIRES(tf->lock)
{
	uint64_t now, missed;

	if (!tf->expired || !tf->interval)
		return;
	now = clock_now(tf->armed_clock);
	missed = now > tf->deadline ? (now - tf->deadline) / tf->interval : 0;
	tf->ticks += missed;
	tf->expired = false;
	if (mul_overflows(missed + 1, tf->interval, &missed) ||
	    add_overflows(tf->deadline, missed, &tf->deadline))
		tf->deadline = UINT64_MAX - 1;
	if (timer_arm(&tf->timer, tf->armed_clock, tf->deadline))
		tf->armed = false;
}

static ssize_t timerfd_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct timerfd *tf = file->private_data;
	uint64_t ticks;

	if (to->count < sizeof(ticks))
		return -EINVAL;
	mutex_lock(&tf->lock);
	expire_locked(tf);
	if (tf->ticks) {
		forward_locked(tf);
		tf->expired = false;
		if (!tf->interval)
			tf->armed = false;
	}
	ticks = tf->ticks;
	tf->ticks = 0;
	mutex_unlock(&tf->lock);
	if (!ticks)
		return -EAGAIN;
	if (io_iter_copy_to(to, &ticks, sizeof(ticks)) != (ssize_t)sizeof(ticks))
		return -EFAULT;
	return sizeof(ticks);
}

static void get_locked(struct timerfd *tf, uint64_t *value, uint64_t *interval) REQUIRES(tf->lock)
{
	uint64_t now;

	forward_locked(tf);
	now = clock_now(tf->armed_clock);
	*value = tf->armed && !tf->expired && tf->deadline > now ? tf->deadline - now : 0;
	*interval = tf->interval;
}

int timerfd_clock(struct file *file)
{
	return ((struct timerfd *)file->private_data)->clock;
}

void timerfd_get(struct file *file, uint64_t *value, uint64_t *interval)
{
	struct timerfd *tf = file->private_data;

	mutex_lock(&tf->lock);
	get_locked(tf, value, interval);
	mutex_unlock(&tf->lock);
}

static int arm_locked(struct timerfd *tf, int flags, uint64_t value) REQUIRES(tf->lock)
{
	tf->armed_clock = plain_clock(tf->clock);
	tf->deadline = value;
	if (!(flags & LINUX_TFD_TIMER_ABSTIME)) {
		/* A relative time does not follow when the wall clock is set. */
		if (tf->armed_clock == LINUX_CLOCK_REALTIME)
			tf->armed_clock = LINUX_CLOCK_MONOTONIC;
		if (add_overflows(clock_now(tf->armed_clock), value, &tf->deadline))
			tf->deadline = UINT64_MAX - 1;
	}
	tf->armed = true;
	return timer_arm(&tf->timer, tf->armed_clock, tf->deadline);
}

int timerfd_set(struct file *file, int flags, uint64_t value, uint64_t interval, uint64_t *old_value,
		uint64_t *old_interval)
{
	struct timerfd *tf = file->private_data;
	int rc = 0;

	mutex_lock(&tf->lock);
	get_locked(tf, old_value, old_interval);
	timer_cancel(&tf->timer);
	tf->flags = flags;
	tf->interval = interval;
	tf->ticks = 0;
	tf->armed = tf->expired = false;
	if (value)
		rc = arm_locked(tf, flags, value);
	if (rc)
		tf->armed = false;
	mutex_unlock(&tf->lock);
	return rc;
}

static uint32_t timerfd_poll(struct file *file)
{
	struct timerfd *tf = file->private_data;
	uint32_t ready;

	mutex_lock(&tf->lock);
	expire_locked(tf);
	ready = tf->ticks ? LINUX_EPOLLIN : 0;
	mutex_unlock(&tf->lock);
	return ready;
}

static struct wait_queue *timerfd_poll_queue(struct file *file)
{
	struct timerfd *tf = file->private_data;

	return &tf->queue;
}

static int64_t timerfd_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct timerfd *tf = file->private_data;
	uint64_t ticks;

	if (cmd != LINUX_TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (copy_in_u64(mm, &ticks, guest_addr(arg)))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	mutex_lock(&tf->lock);
	tf->ticks = ticks;
	mutex_unlock(&tf->lock);
	wait_queue_wake(&tf->queue, LINUX_EPOLLIN);
	return 0;
}

static void timerfd_fdinfo(struct file *file, struct strbuf *out)
{
	struct timerfd *tf = file->private_data;
	uint64_t value, interval, ticks;
	int flags;

	mutex_lock(&tf->lock);
	get_locked(tf, &value, &interval);
	ticks = tf->ticks;
	flags = tf->flags;
	mutex_unlock(&tf->lock);
	strbuf_addf(out,
		    "clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, %llu)\n"
		    "it_interval: (%llu, %llu)\n",
		    tf->clock, (unsigned long long)ticks, (unsigned)flags, value / NSEC_PER_SEC,
		    value % NSEC_PER_SEC, interval / NSEC_PER_SEC, interval % NSEC_PER_SEC);
}

static void timerfd_free(struct timerfd *tf)
{
	timer_cancel_sync(&tf->timer);
	wait_queue_destroy(&tf->queue);
	mutex_destroy(&tf->lock);
	free(tf);
}

static void timerfd_release(struct file *file)
{
	timerfd_free(file->private_data);
}

static const struct file_ops timerfd_ops = {
	.release = timerfd_release,
	.read = timerfd_read,
	.llseek = vfs_llseek_none,
	.poll = timerfd_poll,
	.poll_queue = timerfd_poll_queue,
	.ioctl = timerfd_ioctl,
	.show_fdinfo = timerfd_fdinfo,
	.nowait = true,
	.read_sleep = "do_wait_intr_irq",
};

bool file_is_timerfd(const struct file *file)
{
	return file->ops == &timerfd_ops;
}

int timerfd_file_new(int clock, uint32_t flags, struct file **out)
{
	struct timerfd *tf = calloc(1, sizeof(*tf));
	int rc;

	if (!tf)
		return -ENOMEM;
	mutex_init(&tf->lock, LOCK_RANK_FS_PRIVATE);
	wait_queue_init(&tf->queue);
	tf->clock = clock;
	tf->armed_clock = plain_clock(clock);
	timer_init(&tf->timer, timerfd_fired, tf);
	rc = file_new_anonymous(&timerfd_ops, "anon_inode:[timerfd]", 0600, LINUX_O_RDWR | flags, tf,
				out);
	if (rc)
		timerfd_free(tf);
	return rc;
}
