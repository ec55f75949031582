/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link between an inode's anchor and its pipe: anchor->pipe exists while any file has
 * it open (pipe->files, protected by anchor->lock); what was written and not read
 * goes away with the last of them.
 */
#pragma once

#include "util/compiler.h"

struct inode;
struct pipe;

/* The inode's pipe, made if absent, with one more file; NULL: no memory. */
struct pipe *pipe_inode_get(struct inode *inode) MUST_CHECK;
void pipe_inode_put(struct inode *inode, struct pipe *pipe);
