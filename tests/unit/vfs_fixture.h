/* SPDX-License-Identifier: Apache-2.0 */
/* A mount namespace with one root file system, and a context to call the VFS with. */
#pragma once

#include "tests/unit/unit.h"

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/host/host_memfd.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

struct vfs_fixture {
	struct user_namespace *user_ns;
	struct credentials *root, *user; /* uid 0 with all capabilities; uid 1000 with none */
	struct mount_namespace *mounts;
	struct fs_context *fs;
	struct fd_table *fds;
	struct vfs_context ctx; /* as root */
};

/* @sb's reference is taken over; NULL: a new tmpfs. */
void vfs_fixture_start(struct vfs_fixture *f, struct super_block *sb);
void vfs_fixture_end(struct vfs_fixture *f);
void vfs_fixture_as_root(struct vfs_fixture *f);
void vfs_fixture_as_user(struct vfs_fixture *f);

/* Each returns 0 or a negative errno. */
int fx_mkdir(struct vfs_fixture *f, const char *path, uint32_t mode);
int fx_open(struct vfs_fixture *f, const char *path, uint64_t flags, uint32_t mode, struct file **out);
/* Creates or replaces. */
int fx_write(struct vfs_fixture *f, const char *path, const char *text);
/* The whole file, NUL-terminated, at most size - 1 bytes; or its errno as "E<number>". */
const char *fx_read(struct vfs_fixture *f, const char *path, char *buf, size_t size);
int fx_lookup(struct vfs_fixture *f, const char *path, uint32_t flags);
int fx_attr(struct vfs_fixture *f, const char *path, struct inode_attr *out, uint64_t *ino);
/* The names of a directory, sorted, joined by spaces, without "." and "..". */
const char *fx_list(struct vfs_fixture *f, const char *path, char *buf, size_t size);
ssize_t fx_pwrite(struct file *file, const void *buf, size_t size, uint64_t pos);
ssize_t fx_pread(struct file *file, void *buf, size_t size, uint64_t pos);
