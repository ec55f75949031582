/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super block lifetime, private to sentry/vfs.  References (mounts, set-up code)
 * keep the tree; when the last goes, cached dentries and the root are dropped.
 * Inodes do not hold references (the root would hold its own super block) but a
 * count: the block is freed when references and inodes are both gone.
 */
#pragma once

struct super_block;

void super_block_inode_added(struct super_block *sb);
void super_block_inode_gone(struct super_block *sb);
