/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems whose names are fixed when they are mounted: sysfs, cgroup, devpts,
 * mqueue.  The tree is built before it is mounted and never changes; a file's text
 * is fixed, or made at each read.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct credentials;
struct strbuf;
struct super_block;
struct tree_node;
struct user_namespace;

typedef void (*tree_show_fn)(struct strbuf *out);

struct tree_fs_config {
	const char *type;    /* static */
	uint64_t magic;
	uint32_t root_mode;  /* permission bits */
	const char *options; /* for mountinfo: ",gid=5"; copied; may be NULL */
	struct user_namespace *user_ns;
};

/* The root, to add to; tree_fs_finish makes a super block of it, tree_free drops it. */
struct tree_node *tree_new(uint32_t root_mode) MUST_CHECK;
void tree_free(struct tree_node *root);
/* Each returns NULL without memory, and with a NULL parent, so that only the last needs a check
 * when the result of all is looked at through tree_ok(). */
struct tree_node *tree_dir(struct tree_node *parent, const char *name);
/* The same for nothing but to be mounted on. */
struct tree_node *tree_mount_point(struct tree_node *parent, const char *name);
/* @text is copied. */
struct tree_node *tree_text(struct tree_node *parent, const char *name, uint32_t mode,
			    const char *text);
struct tree_node *tree_file(struct tree_node *parent, const char *name, uint32_t mode,
			    tree_show_fn show);
struct tree_node *tree_link(struct tree_node *parent, const char *name, const char *target);
/* @mode with type. */
struct tree_node *tree_device(struct tree_node *parent, const char *name, uint32_t mode,
			      uint64_t rdev);
/* Takes over @root whether it succeeds or not.  -ENOMEM also when an addition failed. */
int tree_fs_finish(struct tree_node *root, const struct tree_fs_config *config,
		   struct super_block **out) MUST_CHECK;
