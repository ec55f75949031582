# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/epoll.h %D%/epoll_internal.h %D%/epoll_item.c %D%/epoll_wait.c \
	%D%/epoll_file.c %D%/eventfd.h %D%/eventfd.c %D%/timerfd.h %D%/timerfd.c %D%/signalfd.h \
	%D%/signalfd.c
