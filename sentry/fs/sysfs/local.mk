# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/sysfs.c %D%/sysfs.h %D%/tree_fs.c %D%/tree_fs.h
