# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/key.c %D%/key_operations.c %D%/key_private.h %D%/key_process.c %D%/keyring.c \
	%D%/keyring_operations.c %D%/keys.h %D%/keys_show.c
