# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/ipc_namespace.c %D%/ipc_namespace.h \
	%D%/msg.c %D%/msg.h %D%/msg_control.c %D%/msg_private.h \
	%D%/sem.c %D%/sem.h %D%/sem_operate.c %D%/sem_private.h \
	%D%/shm.c %D%/shm.h
