/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devpts: the names of pseudoterminals.  Each mount is an instance of its own with numbers from
 * 0; its ptmx node makes a pair, whose slave then has a node here until the master is closed.
 *
 * Lock: devpts.lock (LOCK_RANK_FS_PRIVATE) guards the numbers in use and the nodes.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct file;
struct inode;
struct kernel;
struct mount;
struct pty;

/* Registers the type; once, at boot. */
int devpts_init(struct kernel *k) MUST_CHECK;
/* Opening the device 5:2 by @inode: the instance it is in, or the one at "pts" beside it. */
int devpts_open_ptmx(struct inode *inode, struct file *file) MUST_CHECK;
/* Opening a device 136:* by @inode: -EIO when it is no live node of a devpts. */
int devpts_open_node(struct inode *inode, struct file *file) MUST_CHECK;
/* The slave by its name below @mount's instance, as the current task. */
int devpts_open_slave(struct pty *pty, struct mount *mount, uint32_t flags, struct file **out) MUST_CHECK;
/* The master is closed: the name goes.  No-op for a pair without one. */
void devpts_remove(struct pty *pty);
/* Both ends are: the number may be used again. */
void devpts_release(struct pty *pty);
