/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handlers decode requests and reach files with.  Every path used is one
 * validated component below an O_PATH FD, and no symlink is ever followed.
 */
#pragma once

#include "gofer/server.h"

/* --- decoding: 0 or GOFER_VIOLATION ------------------------------------------- */

/* The next packed name; valid as a path component, NUL-terminated in the request. */
int call_take_name(struct gofer_call *call, const char **name) MUST_CHECK;
/* The same, or "" for the node itself. */
int call_take_object(struct gofer_call *call, const char **name) MUST_CHECK;
/* An attribute name: 1..255 bytes, no NUL. */
int call_take_xattr_name(struct gofer_call *call, const char **name) MUST_CHECK;
int call_take_bytes(struct gofer_call *call, uint32_t size, const void **bytes) MUST_CHECK;
/* Nothing may be left over. */
int call_end(const struct gofer_call *call) MUST_CHECK;

/* --- objects ------------------------------------------------------------------ */

/* The node's O_PATH FD (borrowed), or -ESTALE. */
int call_node_fd(const struct gofer_call *call, uint64_t node) MUST_CHECK;
/*
 * An O_PATH FD of (node, name): the node's own (borrowed, *opened stays -1) or a
 * new one, also stored in *opened for the caller to own.
 */
int call_object_fd(const struct gofer_call *call, uint64_t node, const char *name,
		   int *opened) MUST_CHECK;
/* O_PATH|O_NOFOLLOW|O_CLOEXEC of one component; @flags adds to that. */
int open_component(int dir_fd, const char *name, int flags) MUST_CHECK;
/* Asks the kernel once whether openat2(2) can be used. */
void open_component_probe(void);
/* A new FD on what the O_PATH @fd names (a regular file or directory, checked by the caller). */
int reopen(const struct gofer_call *call, int fd, int flags) MUST_CHECK;
/* Attributes of @name in @fd, or of @fd itself when the name is empty. */
int attr_read(int fd, const char *name, struct gofer_attr *attr) MUST_CHECK;
/* Turns *fd (taken over) into a node. */
int call_add_node(struct gofer_call *call, int *fd, uint32_t mode, uint64_t *id) MUST_CHECK;
/* Makes owner and permissions what was asked and re-reads @attr, if they are not. */
int attr_settle(const struct gofer_call *call, int fd, uint32_t mode, uint32_t uid, uint32_t gid,
		struct gofer_attr *attr) MUST_CHECK;
/* The decimal name of @fd below /proc/self/fd. */
struct fd_name {
	char text[12];
};
struct fd_name fd_name(int fd);
