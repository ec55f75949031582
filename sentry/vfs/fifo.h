/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VFS needs from the layers above it: pipes behind FIFO inodes, and
 * epoll's clean-up of files that go away.  Registered once at boot, before the
 * first guest runs; NULL members mean that nothing is registered.
 */
#pragma once

struct file;
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
};

extern struct vfs_upcalls vfs_upcalls; /* sentry/vfs/upcalls.c */
