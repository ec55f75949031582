# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/upcalls.c %D%/fifo.h
libsentry_a_SOURCES += \
	%D%/anon_file.c \
	%D%/async.c %D%/async.h \
	%D%/attr.c %D%/attr.h \
	%D%/bounce.h \
	%D%/create.c %D%/create.h \
	%D%/dentry.c %D%/dentry_cache.h %D%/dentry_private.h %D%/dentry_tree.c \
	%D%/device.c %D%/device.h \
	%D%/dir_emit.c %D%/dir_emit.h \
	%D%/dnotify.c %D%/dnotify.h \
	%D%/fd_table.c \
	%D%/file.c %D%/file.h \
	%D%/file_handle.c %D%/file_handle.h \
	%D%/file_io.c \
	%D%/file_lock.c %D%/file_lock.h \
	%D%/file_wait.c %D%/file_wait.h \
	%D%/fs_config.c %D%/fs_config.h %D%/fs_option.c \
	%D%/fs_context.c \
	%D%/host_file.c %D%/host_file.h \
	%D%/file_caps.c %D%/file_caps.h \
	%D%/handle.c \
	%D%/inode.c %D%/inode.h \
	%D%/inotify.c %D%/inotify.h %D%/inotify_internal.h \
	%D%/lease.c %D%/lease.h \
	%D%/mount.c %D%/mount_change.c %D%/mount_context.c %D%/mount_context.h %D%/mount_detached.c %D%/mount_flags.c %D%/mount_move.c %D%/mount_namespace.c %D%/mount_ops.c %D%/mount_peers.c %D%/mount_peers.h \
	%D%/mount_pivot.c %D%/mount_propagate.c %D%/mount_tree.h %D%/mount_umount.c \
	%D%/mount_visible.c \
	%D%/open.c \
	%D%/path_string.c \
	%D%/permission.c %D%/permission.h \
	%D%/remove.c \
	%D%/rename.c \
	%D%/super.c %D%/super.h \
	%D%/vfs.h \
	%D%/walk.c %D%/walk.h \
	%D%/xattr.c %D%/xattr.h
