/* SPDX-License-Identifier: Apache-2.0 */
/* The devices every container has, and the nodes for them in /dev. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;
struct kernel;
struct path;
struct vfs_context;

/* Registers the drivers; once, at boot. */
int dev_init(struct kernel *k) MUST_CHECK;
/*
 * Makes runc's default nodes and links in the directory @dev, on whatever file
 * system that is; what exists already stays.  @ctx: root's, with CAP_MKNOD.
 */
int dev_populate(const struct vfs_context *ctx, const struct path *dev) MUST_CHECK;
/* One node more (config.json's linux.devices); @name is relative to @dev and its directories
 * exist.  @mode has the type.  -EEXIST. */
int dev_add(const struct vfs_context *ctx, const struct path *dev, const char *name, uint32_t mode,
	    uint32_t major, uint32_t minor, uint32_t uid, uint32_t gid) MUST_CHECK;
/* Is it /dev/zero, of which a mapping is anonymous memory? */
bool dev_is_zero(const struct file *file);
