/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file trees our processes live in, built in a child's new mount namespace before it
 * executes, entered after it: the dynamic loader still needs the host's root.
 */
#pragma once

#include <stdbool.h>

#include "util/compiler.h"

/* Cuts the propagation of mounts from this namespace to the host's and, unless it @follows, back. */
int tree_make_private(bool follows) MUST_CHECK;
/*
 * Mounts an empty tmpfs, out of sight of running path look-ups, and returns an FD of its root.
 * With @with_proc it holds a minimal procfs of our PID namespace.
 */
int tree_make_root(bool with_proc) MUST_CHECK;
/*
 * A minimal procfs of our PID namespace, mounted nowhere.  In a user namespace that works only
 * while the host's procfs is still in sight.
 */
int tree_make_proc(void) MUST_CHECK;
/* Makes @root_fd (taken) the root, read-only, and drops everything else. */
int tree_enter(int root_fd) MUST_CHECK;

/*
 * A detached copy of the mount tree at @path: what an attach point serves.  nosuid and nodev,
 * read-only if asked for.  The FD keeps it alive.  One that @follows gets what is mounted at @path later,
 * once it is in a mount namespace (tree_place).
 */
int tree_clone_attach(const char *path, bool recursive, bool read_only, bool follows) MUST_CHECK;
/* Mounts @tree, whose top is a directory, out of everybody's sight in @root (tree_make_root). */
int tree_place(int tree, int root) MUST_CHECK;
/*
 * Gives @tree, such a copy, the maps of the user namespace @id_map_fd; with @recursive all mounts in it.
 * -EINVAL: a file system that cannot have them.
 */
int tree_map_ids(int tree, int id_map_fd, bool recursive) MUST_CHECK;
