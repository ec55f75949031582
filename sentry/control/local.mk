# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/boot_channel.c %D%/boot_channel.h \
	%D%/boot_config.c %D%/boot_config.h \
	%D%/control_connection.h \
	%D%/control_jobs.c \
	%D%/control_requests.c \
	%D%/control_server.c %D%/control_server.h \
	%D%/protocol.h
