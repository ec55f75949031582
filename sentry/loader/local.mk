# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/elf_image.c \
	%D%/elf_load.c \
	%D%/layout.c \
	%D%/loader.h %D%/loader_private.h \
	%D%/program.c \
	%D%/script.c \
	%D%/stack.c \
	%D%/string_vector.c \
	%D%/vdso.c
