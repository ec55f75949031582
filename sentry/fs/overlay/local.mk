# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/overlay.h %D%/overlay_private.h \
	%D%/overlay_copy_up.c \
	%D%/overlay_dir.c %D%/overlay_dir.h \
	%D%/overlay_file.c \
	%D%/overlay_inode.c \
	%D%/overlay_lookup.c \
	%D%/overlay_readdir.c \
	%D%/overlay_rename.c \
	%D%/overlay_super.c
