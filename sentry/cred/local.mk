# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/credentials.c %D%/credentials.h %D%/user_account.c %D%/user_account.h \
	%D%/user_namespace.c %D%/user_namespace.h
