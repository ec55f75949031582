# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/cgroup.c %D%/cgroup.h
