# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/host.h %D%/host_object.h \
	%D%/host_inode.c %D%/host_io.c
