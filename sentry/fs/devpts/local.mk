# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/devpts.c %D%/devpts.h %D%/devpts_node.c %D%/devpts_options.c \
	%D%/devpts_private.h
