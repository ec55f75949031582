# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/mqueue.h %D%/mqueue_file.c %D%/mqueue_fs.c %D%/mqueue_notify.c \
	%D%/mqueue_private.h %D%/mqueue_queue.c
