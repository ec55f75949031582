# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/memfd.c %D%/memfd.h \
	%D%/tmpfs.h %D%/tmpfs_private.h \
	%D%/tmpfs_dir.c \
	%D%/tmpfs_file.c \
	%D%/tmpfs_flags.c \
	%D%/tmpfs_handle.c \
	%D%/tmpfs_inode.c \
	%D%/tmpfs_options.c \
	%D%/tmpfs_storage.c \
	%D%/tmpfs_super.c \
	%D%/tmpfs_xattr.c
