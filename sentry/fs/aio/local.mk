# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/aio.h %D%/aio_context.c %D%/aio_poll.c
