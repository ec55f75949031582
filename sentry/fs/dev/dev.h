/* SPDX-License-Identifier: Apache-2.0 */
/* The devices every container has, and the nodes for them in /dev. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;
struct kernel;
struct path;
struct vfs_context;

/* Registers the drivers; once, at boot. */
int dev_init(struct kernel *k) MUST_CHECK;
/*
 * Make runc's default nodes, and its default links and directories, in the directory @dev, on
 * whatever file system that is; what exists already stays.  @ctx: root's, for nodes with CAP_MKNOD.
 */
int dev_populate_nodes(const struct vfs_context *ctx, const struct path *dev) MUST_CHECK;
int dev_populate_links(const struct vfs_context *ctx, const struct path *dev) MUST_CHECK;
/* The default node number @i, from 0; NULL after the last. */
const char *dev_node_name(size_t i);
/* One node more (config.json's linux.devices); @name is relative to @dev and its directories
 * exist.  @mode has the type.  -EEXIST. */
int dev_add(const struct vfs_context *ctx, const struct path *dev, const char *name, uint32_t mode,
	    uint32_t major, uint32_t minor, uint32_t uid, uint32_t gid) MUST_CHECK;
/* Is it /dev/zero, of which a mapping is anonymous memory? */
bool dev_is_zero(const struct file *file);
