/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock order of the sentry, in one place.  A thread may take a lock only if
 * its rank is greater than that of every lock it holds; locks of one rank are
 * never nested unless the rank is marked NESTABLE below (then by address, or
 * parent before child).  Debug builds abort on an inversion.
 */
#pragma once

enum lock_rank {
	LOCK_RANK_NONE = 0,
	LOCK_RANK_AIO,		 /* polls of asynchronous I/O: files are asked under it */
	/* vfs: structure before content */
	LOCK_RANK_MOUNT_CONTEXT, /* one context of fsopen: its file system is made under it */
	LOCK_RANK_SUPER_CHANGE,	 /* all changes of super blocks */
	LOCK_RANK_RENAME,	 /* super block wide rename lock */
	LOCK_RANK_MOUNT,	 /* mount namespace tree */
	LOCK_RANK_EPOLL_GRAPH,	 /* all epoll nesting */
	LOCK_RANK_EPOLL,	 /* one epoll instance; NESTABLE */
	LOCK_RANK_FILE_POSITION, /* struct file position */
	LOCK_RANK_APPEND,	 /* O_APPEND writers of one inode */
	LOCK_RANK_INODE,	 /* directory or file contents; NESTABLE parent first */
	LOCK_RANK_OVERLAY,	 /* copy-up of one overlay inode */
	LOCK_RANK_INODE_BELOW,	 /* LOCK_RANK_INODE of an overlay's upper; NESTABLE */
	LOCK_RANK_DENTRY_CACHE,	 /* dentry hash and child lists */
	LOCK_RANK_FS_PRIVATE,	 /* locks inside one file system */
	LOCK_RANK_GOFER,	 /* one gofer connection */
	LOCK_RANK_ASYNC,	 /* one list of files with O_ASYNC: signals are sent under it */
	/* kernel */
	LOCK_RANK_TASK_TREE,	 /* kernel.tasklist: parents, children, groups, sessions */
	LOCK_RANK_PID_NAMESPACE,
	LOCK_RANK_SIGNAL,	 /* signal_handlers and pending queues of a thread group */
	LOCK_RANK_TASK,		 /* fields of one task */
	LOCK_RANK_FS_CONTEXT,
	LOCK_RANK_SECCOMP,	 /* notifications of one filter */
	LOCK_RANK_FD_TABLE,
	LOCK_RANK_TIMER,
	LOCK_RANK_FUTEX,	 /* hash bucket; NESTABLE by address */
	LOCK_RANK_MM,		 /* vma set of one mm */
	LOCK_RANK_SOCKET,	 /* NESTABLE by address */
	LOCK_RANK_PIPE,
	LOCK_RANK_TTY,		 /* modes and buffers of one pseudoterminal */
	LOCK_RANK_IPC,		 /* one ipc namespace: SysV objects */
	LOCK_RANK_KEYS,		 /* all keys and keyrings */
	LOCK_RANK_CREDENTIALS,	 /* user namespaces and their counters */
	LOCK_RANK_PLATFORM_LOOKUP, /* thread of a notification: found, and not freed meanwhile */
	LOCK_RANK_PLATFORM_PROCESS, /* one host process */
	LOCK_RANK_PLATFORM_SPACE, /* one address space of the platform */
	LOCK_RANK_PLATFORM,	 /* its tables */
	LOCK_RANK_WAIT_QUEUE,	 /* leaf for everything that can be waited for */
	LOCK_RANK_PLATFORM_POOL, /* what was woken goes to it */
	LOCK_RANK_LEAF,		 /* takes nothing inside */
	LOCK_RANK_LOG,
	LOCK_RANK_COUNT,
};
