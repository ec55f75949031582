/* SPDX-License-Identifier: Apache-2.0 */
/* See host_seccomp.h. */
#include "sentry/host/host_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

int host_notify_receive(int listener, struct seccomp_notif *out)
{
	memset(out, 0, sizeof(*out));
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, out) < 0 ? -errno : 0;
}

bool host_notify_pending(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

int host_notify_return(int listener, uint64_t id, int64_t value)
{
	struct seccomp_notif_resp resp = { .id = id, .val = value };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 ? -errno : 0;
}

int host_notify_continue(int listener, uint64_t id)
{
	struct seccomp_notif_resp resp = { .id = id,
					   .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 ? -errno : 0;
}

static int add_fd(int listener, uint64_t id, int fd, int number, uint32_t flags)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD | flags,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)number,
		.newfd_flags = O_CLOEXEC,
	};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

int host_notify_add_fd(int listener, uint64_t id, int fd, int number)
{
	return add_fd(listener, id, fd, number, 0);
}

int host_notify_return_fd(int listener, uint64_t id, int fd, int number)
{
	return add_fd(listener, id, fd, number, SECCOMP_ADDFD_FLAG_SEND);
}

int host_notify_sync_wake_up(int listener, bool on)
{
	unsigned long flags = on ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0;
	int rc;

	/* It takes the lock of the listener's filter. */
	do
		rc = ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}
