# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/dev.c %D%/dev.h %D%/dev_internal.h %D%/dev_mem.c
