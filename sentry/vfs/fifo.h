/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VFS needs from the layers above it: pipes behind FIFO inodes,
 * epoll's clean-up of files that go away, the owners of files.  Registered once at boot, before the
 * first guest runs; NULL members mean that nothing is registered.
 */
#pragma once

#include <stdint.h>

struct file;
struct file_owner;
struct inode;
struct pipe;

struct vfs_upcalls {
	/*
	 * Opens a FIFO: sets file->ops and private_data.  May sleep for the other
	 * end (-ERESTARTSYS); -ENXIO for O_WRONLY|O_NONBLOCK without a reader.
	 * Called without locks; access already checked.
	 */
	int (*fifo_open)(struct inode *inode, struct file *file);
	/* The inode's last reference went and inode->pipe is set. */
	void (*fifo_evict)(struct inode *inode);
	/*
	 * file_put dropped the last reference of a file with file->in_epoll set: called
	 * first of all, before ops->release, without locks.
	 */
	void (*file_closing)(struct file *file);
	/*
	 * Something happened to the open file that its owner (if any) wants to be told by a
	 * signal: @fd and @reason (enum async_reason) are for its siginfo.  Takes tasklist.
	 */
	void (*signal_owner)(struct file *file, int fd, int reason);
	/* NULL is a no-op. */
	void (*owner_free)(struct file_owner *owner);
	/* The calling process's number in the sandbox's first PID namespace; 0: none calls. */
	int32_t (*current_tgid)(void);
};

extern struct vfs_upcalls vfs_upcalls; /* sentry/vfs/upcalls.c */
