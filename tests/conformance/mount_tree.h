/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases on mounts share.  Every one has a mount namespace of its own and works below a tmpfs "t".
 */
#pragma once

#include "namespace.h"

#define LINES_MAX 1024
#define GROUPS_MAX 1024

/* Mounts on "t" and below, as lines without ids: peer groups are named in the order they are met in. */
struct line {
	int id, parent, depth;
	const struct line *up;
	char root[64], at[128], tags[96];
};

struct tree {
	struct line lines[LINES_MAX];
	const struct line *order[LINES_MAX];
	size_t count;
	int groups[GROUPS_MAX];
	size_t group_count;
	char prefix[128];
};

extern struct tree shown; /* what read_tree read */

/* "t" is a private tmpfs with the directories a to f, each with "in" in it. */
void begin(void);
void read_tree(void);
/* Reads and prints it. */
void show_tree(const char *label);
/* Of the last mount on @at what mountinfo says of it, from its flags on. */
void show_options(const char *label, const char *at);
void made(const char *path);
void tmpfs(const char *path);
/* mount(2) with a type of propagation, or MS_BIND: 0, or -1 and errno. */
int propagate(const char *path, unsigned long how);
int bind_mount(const char *from, const char *to);
