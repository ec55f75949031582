/* SPDX-License-Identifier: Apache-2.0 */
/*
 * security.capability between the caller's user namespace and the file system's: whose root the
 * capabilities are for.  Linux's cap_convert_nscap and cap_inode_getsecurity.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/compiler.h"

struct credentials;
struct inode;
struct linux_vfs_cap_data;

/* What is stored when @cred writes @value: its size; -EINVAL, -EPERM. */
ssize_t file_caps_import(struct inode *inode, const struct credentials *cred, const void *value,
			 size_t size, struct linux_vfs_cap_data *out) MUST_CHECK;
/* What @cred reads of the @size bytes at @data, in place: the new size; -EINVAL, -EOVERFLOW. */
ssize_t file_caps_export(struct inode *inode, const struct credentials *cred,
			 struct linux_vfs_cap_data *data, size_t size) MUST_CHECK;
/* The @size bytes of a file are capabilities for @cred's namespace or one above it. */
bool file_caps_count(struct inode *inode, const struct credentials *cred,
		     const struct linux_vfs_cap_data *data, size_t size);
