# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/address_space.c \
	%D%/context.c %D%/context.h \
	%D%/event.c \
	%D%/filter.c %D%/filter.h \
	%D%/memory.c \
	%D%/ptrace.c %D%/ptrace.h \
	%D%/stub.c %D%/stub.h \
	%D%/template.c \
	%D%/tracee.c \
	%D%/tracer.c \
	%D%/xstate.c
