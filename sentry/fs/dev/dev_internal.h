/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of sentry/fs/dev. */
#pragma once

#include "sentry/fs/dev/dev.h"

struct inode;

int dev_mem_open(struct inode *inode, struct file *file, uint32_t minor);
