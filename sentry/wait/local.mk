# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/wait.h %D%/wait_queue.c %D%/sleeper.c %D%/host_poller.h %D%/host_poller.c
