# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
# The client of the file protocol.
libsentry_a_SOURCES += %D%/client.c %D%/client.h %D%/client_attr.c %D%/client_names.c %D%/exchange.h
# The file system over it.
libsentry_a_SOURCES += %D%/gofer_fs.h %D%/gofer_inode.h %D%/gofer_super.c %D%/gofer_inode.c \
	%D%/gofer_volume.c %D%/gofer_volume.h \
	%D%/gofer_address.c %D%/gofer_fd.c %D%/gofer_children.c %D%/gofer_lookup.c %D%/gofer_attr.c \
	%D%/gofer_change.c %D%/gofer_file.c %D%/gofer_dir.c
