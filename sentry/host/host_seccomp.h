/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp user notification (seccomp_unotify(2)), as negative errno.
 * Host calls: ioctl(SECCOMP_IOCTL_NOTIF_*).
 */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

/* Newer than Debian 12's headers. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* -EINTR; -ENOENT: the notifier died meanwhile. */
int host_notify_receive(int listener, struct seccomp_notif *out) MUST_CHECK;
/* Whether one waits to be received. */
bool host_notify_pending(int listener);
/* -ENOENT: the notifier is gone. */
int host_notify_return(int listener, uint64_t id, int64_t value) MUST_CHECK;
/* Lets the host kernel execute the call as it was made; register arguments only. */
int host_notify_continue(int listener, uint64_t id) MUST_CHECK;
/* Puts @fd into the notifier's table at exactly @number, close-on-exec. */
int host_notify_add_fd(int listener, uint64_t id, int fd, int number) MUST_CHECK;
/*
 * The same, and the answer is @number: the notifier is woken once instead of twice.  After an error
 * other than -ENOENT the notification still waits.
 */
int host_notify_return_fd(int listener, uint64_t id, int fd, int number) MUST_CHECK;
/* Linux 6.6: from now on wake the other side on this CPU, or not.  -EINVAL on older kernels. */
int host_notify_sync_wake_up(int listener, bool on) MUST_CHECK;
