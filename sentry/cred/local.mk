# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/credentials.c %D%/credentials.h %D%/namespace_count.c \
	%D%/namespace_count.h %D%/user_account.c %D%/user_account.h \
	%D%/user_namespace.c %D%/user_namespace.h
