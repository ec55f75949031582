# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/pipe.h %D%/pipe_internal.h %D%/pipe_inode.h %D%/pipe_ring.c \
	%D%/pipe_io.c %D%/pipe_splice.c %D%/pipe_file.c %D%/pipe_open.c
