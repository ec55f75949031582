/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for files: vfs_read_wait and vfs_write_wait are declared in vfs.h. */
#pragma once

#include "sentry/vfs/vfs.h"

/* ERESTARTSYS of sentry/syscalls/syscall.h, which lies above. */
#define VFS_ERESTARTSYS 512
