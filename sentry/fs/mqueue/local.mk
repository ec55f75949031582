# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/mqueue.c %D%/mqueue.h
