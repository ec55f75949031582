/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of device numbers; written at boot, read-only afterwards. */
#include "config.h"

#include "sentry/vfs/device.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/inode.h"

#define RANGES_MAX 48

struct device_range {
	uint32_t type, major, first, count;
	const char *name;
	device_open_fn open;
};

static struct device_range ranges[RANGES_MAX];
static unsigned range_count;

static const struct device_range *find(uint32_t type, uint32_t major, uint32_t first, uint32_t count)
{
	for (unsigned i = 0; i < range_count; i++) {
		const struct device_range *r = &ranges[i];

		if (r->type == type && r->major == major && first < (uint64_t)r->first + r->count &&
		    r->first < (uint64_t)first + count)
			return r;
	}
	return NULL;
}

int device_register(uint32_t type, uint32_t major, uint32_t minor_first, uint32_t minor_count,
		    const char *name, device_open_fn open)
{
	if (find(type, major, minor_first, minor_count))
		return -EBUSY;
	if (range_count == RANGES_MAX)
		return -ENOSPC;
	ranges[range_count++] =
		(struct device_range){ type, major, minor_first, minor_count, name, open };
	return 0;
}

int device_open(struct inode *inode, struct file *file)
{
	uint32_t minor = linux_dev_minor(inode->attr.rdev); /* does not change */
	const struct device_range *r =
		find(inode_type(inode), linux_dev_major(inode->attr.rdev), minor, 1);

	return r ? r->open(inode, file, minor) : -ENXIO;
}

void device_for_each(void (*fn)(uint32_t type, uint32_t major, const char *name, void *arg), void *arg)
{
	for (unsigned i = 0; i < range_count; i++)
		fn(ranges[i].type, ranges[i].major, ranges[i].name, arg);
}
