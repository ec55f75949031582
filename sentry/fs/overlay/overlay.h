/* SPDX-License-Identifier: Apache-2.0 */
/* overlay: a writable upper file system over a read-only lower one. */
#pragma once

#include "util/compiler.h"

struct super_block;
struct user_namespace;

/*
 * Takes its own references on both.  Neither may be in use otherwise: their inodes'
 * locks get the rank below the overlay's here, so call it before the first look-up.
 * @upper must have whiteouts (0/0 devices), trusted.* xattrs and tmpfile: tmpfs.
 */
int overlay_new(struct super_block *lower, struct super_block *upper, struct user_namespace *ns,
		struct super_block **out) MUST_CHECK;
