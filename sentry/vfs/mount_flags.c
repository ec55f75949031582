/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of a mount in the two languages of Linux: MS_* of mount(2), MOUNT_ATTR_* of mount_setattr(2). */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/vfs.h"

static const struct {
	uint32_t flag;
	uint64_t ms, attribute; /* the access time of attributes is one of several values, no bit */
} map[] = {
	{ MOUNT_READONLY, LINUX_MS_RDONLY, LINUX_MOUNT_ATTR_RDONLY },
	{ MOUNT_NOSUID, LINUX_MS_NOSUID, LINUX_MOUNT_ATTR_NOSUID },
	{ MOUNT_NODEV, LINUX_MS_NODEV, LINUX_MOUNT_ATTR_NODEV },
	{ MOUNT_NOEXEC, LINUX_MS_NOEXEC, LINUX_MOUNT_ATTR_NOEXEC },
	{ MOUNT_NOATIME, LINUX_MS_NOATIME, 0 },
	{ MOUNT_NODIRATIME, LINUX_MS_NODIRATIME, LINUX_MOUNT_ATTR_NODIRATIME },
	{ MOUNT_NOSYMFOLLOW, LINUX_MS_NOSYMFOLLOW, LINUX_MOUNT_ATTR_NOSYMFOLLOW },
};

uint32_t mount_flags_from_ms(uint64_t ms)
{
	uint32_t flags = ms & LINUX_MS_NOATIME ? 0 : MOUNT_RELATIME;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (ms & map[i].ms)
			flags |= map[i].flag;
	}
	if (ms & LINUX_MS_STRICTATIME)
		flags &= ~(uint32_t)(MOUNT_RELATIME | MOUNT_NOATIME);
	return flags;
}

uint32_t mount_flags_from_attributes(uint64_t attributes)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (attributes & map[i].attribute)
			flags |= map[i].flag;
	}
	return flags;
}

int mount_flags_from_access_time(uint64_t attributes, uint32_t *out)
{
	switch (attributes & LINUX_MOUNT_ATTR_ATIME) {
	case LINUX_MOUNT_ATTR_RELATIME:
		*out = MOUNT_RELATIME;
		return 0;
	case LINUX_MOUNT_ATTR_NOATIME:
		*out = MOUNT_NOATIME;
		return 0;
	case LINUX_MOUNT_ATTR_STRICTATIME:
		*out = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

uint64_t mount_flags_to_attributes(uint32_t flags)
{
	uint64_t attributes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (flags & map[i].flag)
			attributes |= map[i].attribute;
	}
	if (flags & MOUNT_NOATIME)
		return attributes | LINUX_MOUNT_ATTR_NOATIME;
	return attributes | (flags & MOUNT_RELATIME ? LINUX_MOUNT_ATTR_RELATIME : LINUX_MOUNT_ATTR_STRICTATIME);
}
