/* SPDX-License-Identifier: Apache-2.0 */
/* Between dentry.c and dentry_tree.c.  The cache lock is held. */
#pragma once

struct dentry;

/* Out of hash and sibling list, and back in; counts and references do not change. */
void dentry_unlink_locked(struct dentry *d);
void dentry_link_locked(struct dentry *d);
