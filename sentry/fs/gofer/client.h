/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's end of one attach point: blocking, typed calls of the file
 * protocol (gofer/protocol.h).  Thread-safe; one request is under way at a time.
 * Every call returns 0 or a negative errno (counts where said), and leaves its
 * results untouched on failure.  Once the gofer breaks the protocol or goes away every call
 * gives -EIO.  (node, name) names an object; an empty name is the node itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gofer/protocol.h"
#include "util/compiler.h"

struct gofer_client;

/* Takes over @socket (on failure too) and attaches. */
int gofer_client_new(int socket, struct gofer_client **out) MUST_CHECK;
/* NULL is a no-op.  No call may be under way. */
void gofer_client_free(struct gofer_client *client);
/* What ATTACH said; does not change. */
const struct gofer_entry *gofer_client_root(const struct gofer_client *client);
bool gofer_client_read_only(const struct gofer_client *client);
/* Makes it so, for good; before others use the client. */
int gofer_client_seal(struct gofer_client *client) MUST_CHECK;
/* Round trips made so far. */
uint64_t gofer_client_round_trips(struct gofer_client *client);

/* The longest result of a walk, and the longest request. */
#define GOFER_WALK_STORAGE (GOFER_WALK_MAX * (GOFER_NAME_MAX + 2))

struct gofer_walk_result {
	const struct gofer_entry *entries; /* into storage; nodes are the caller's to release */
	uint32_t count;
	int32_t stop; /* why the name after them does not exist: 0 or negative errno */
	const char *link; /* NULL, or the target of a symlink that came last, NUL-terminated */
	uint32_t link_length;
	uint8_t storage[GOFER_WALK_STORAGE] ALIGNED(8);
};

/* @flags: GOFER_WALK_*. */
int gofer_walk(struct gofer_client *client, uint64_t dir, const char *const *names, uint32_t count,
	       uint32_t flags, struct gofer_walk_result *out) MUST_CHECK;
/* A walk of one name.  @link (GOFER_SYMLINK_MAX + 1 bytes, or NULL) gets a symlink's target. */
int gofer_lookup(struct gofer_client *client, uint64_t dir, const char *name, uint32_t flags,
		 struct gofer_entry *out, char *link) MUST_CHECK;

/* Returns the host FD, owned by the caller.  @flags: GOFER_OPEN_*. */
int gofer_open(struct gofer_client *client, uint64_t node, const char *name,
	       enum gofer_access access, uint32_t flags, struct gofer_entry *out) MUST_CHECK;

struct gofer_owner {
	uint32_t uid, gid;
};

/* Returns the host FD, owned by the caller. */
int gofer_create(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		 struct gofer_owner owner, enum gofer_access access,
		 struct gofer_entry *out) MUST_CHECK;
int gofer_mkdir(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		struct gofer_owner owner, struct gofer_entry *out) MUST_CHECK;
int gofer_symlink(struct gofer_client *client, uint64_t dir, const char *name, const char *target,
		  struct gofer_owner owner, struct gofer_entry *out) MUST_CHECK;
int gofer_mknod(struct gofer_client *client, uint64_t dir, const char *name, uint32_t mode,
		struct gofer_owner owner, struct gofer_entry *out) MUST_CHECK;
int gofer_link(struct gofer_client *client, uint64_t node, const char *name, uint64_t new_dir,
	       const char *new_name, struct gofer_entry *out) MUST_CHECK;
int gofer_unlink(struct gofer_client *client, uint64_t dir, const char *name,
		 uint32_t flags) MUST_CHECK;
int gofer_rename(struct gofer_client *client, uint64_t old_dir, const char *old_name,
		 uint64_t new_dir, const char *new_name, uint32_t flags) MUST_CHECK;

/* @target has GOFER_SYMLINK_MAX + 1 bytes and is NUL-terminated. */
int gofer_readlink(struct gofer_client *client, uint64_t node, const char *name,
		   char *target) MUST_CHECK;
int gofer_getattr(struct gofer_client *client, uint64_t node, const char *name,
		  struct gofer_attr *out) MUST_CHECK;

struct gofer_setattr {
	uint32_t mask; /* GOFER_SET_* */
	uint32_t mode, uid, gid;
	uint64_t size;
	struct gofer_time atime, mtime;
};

int gofer_setattr(struct gofer_client *client, uint64_t node, const char *name,
		  const struct gofer_setattr *change, struct gofer_attr *out) MUST_CHECK;
int gofer_statfs(struct gofer_client *client, uint64_t node,
		 struct gofer_statfs_reply *out) MUST_CHECK;
int gofer_fsync(struct gofer_client *client, uint64_t node, bool data_only) MUST_CHECK;

/* A batch of directory entries; walk over it with gofer_batch_next. */
struct gofer_batch {
	struct gofer_entry directory;
	uint32_t count;
	bool end;
	const uint8_t *next; /* into the caller's buffer */
	uint32_t left;
};

/* Entries after @cookie into @buffer (8-aligned, GOFER_READDIR_MIN..MAX bytes), all checked. */
int gofer_readdir(struct gofer_client *client, uint64_t node, const char *name, uint64_t cookie,
		  uint32_t flags, void *buffer, size_t size, struct gofer_batch *out) MUST_CHECK;
/* The next entry and its name, borrowed from the buffer; NULL after the last. */
const struct gofer_dirent *gofer_batch_next(struct gofer_batch *batch, const char **name);
/* Takes back the last one, which was @entry. */
void gofer_batch_back(struct gofer_batch *batch, const struct gofer_dirent *entry);

/* The value's size; with @size 0 only that.  -ERANGE if it does not fit. */
ssize_t gofer_getxattr(struct gofer_client *client, uint64_t node, const char *name,
		       const char *xattr, void *value, size_t size) MUST_CHECK;
int gofer_setxattr(struct gofer_client *client, uint64_t node, const char *name, const char *xattr,
		   const void *value, size_t size, uint32_t flags) MUST_CHECK;
/* The list's size, as listxattr(2). */
ssize_t gofer_listxattr(struct gofer_client *client, uint64_t node, const char *name, char *list,
			size_t size) MUST_CHECK;
int gofer_removexattr(struct gofer_client *client, uint64_t node, const char *name,
		      const char *xattr) MUST_CHECK;

/* Gives a node back, at some time: releases travel in batches.  0 is a no-op. */
void gofer_release(struct gofer_client *client, uint64_t node);
/* Sends what gofer_release has gathered. */
void gofer_release_flush(struct gofer_client *client);

/* Returns what the attack gave if the gofer survived it, -EIO if it did not. */
int gofer_debug_attack(struct gofer_client *client, enum gofer_attack attack,
		       int32_t *result) MUST_CHECK;
