# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/devpts.c %D%/devpts.h
