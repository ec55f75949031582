# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/clean_exec.c %D%/clean_exec.h \
	%D%/platform.c %D%/platform.h %D%/platform_ops.h %D%/copy_kind.h \
	%D%/vdso_symbols.c %D%/vdso_symbols.h
