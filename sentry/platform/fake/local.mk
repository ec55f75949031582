# SPDX-License-Identifier: Apache-2.0
# For unit tests only: not in the installed program.
check_LIBRARIES = libfake.a
libfake_a_SOURCES = \
	%D%/fake_memory.c \
	%D%/fake_platform.c %D%/fake_platform.h %D%/fake_private.h
