/* SPDX-License-Identifier: Apache-2.0 */
/* The directory operations of overlay_dir.c, for the table of operations. */
#pragma once

#include "sentry/vfs/inode.h"

int overlay_create(struct inode *dir, const char *name, const struct inode_create *how,
		   struct inode **out) MUST_CHECK;
int overlay_tmpfile(struct inode *dir, const struct inode_create *how, struct inode **out) MUST_CHECK;
int overlay_link(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
int overlay_unlink(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
int overlay_rmdir(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
