# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/strace.c %D%/strace.h \
	%D%/strace_args.c %D%/strace_args.h
