/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device numbers and the drivers behind them.  A device node on any file system
 * opens what is registered here; the mount's nodev and the devices cgroup were
 * checked before.  Registered at boot, never removed.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct file;
struct inode;

/* Sets file->ops and private_data; @minor is the node's. */
typedef int (*device_open_fn)(struct inode *inode, struct file *file, uint32_t minor);

/* @type: LINUX_S_IFCHR or LINUX_S_IFBLK.  -EBUSY when the range overlaps one already there. */
int device_register(uint32_t type, uint32_t major, uint32_t minor_first, uint32_t minor_count,
		    const char *name, device_open_fn open) MUST_CHECK;
/* By inode->attr.rdev; -ENXIO without a driver. */
int device_open(struct inode *inode, struct file *file) MUST_CHECK;
/* For /proc/devices: calls @fn for each range in the order of registration. */
void device_for_each(void (*fn)(uint32_t type, uint32_t major, const char *name, void *arg), void *arg);
