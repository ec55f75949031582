# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/nsfs.c %D%/nsfs.h \
	%D%/proc.h %D%/proc_internal.h \
	%D%/system/proc_cpu.c \
	%D%/proc_fd.c \
	%D%/proc_file.c \
	%D%/proc_idmap.c \
	%D%/proc_inode.c \
	%D%/system/proc_ipc.c \
	%D%/system/proc_keys.c \
	%D%/system/proc_tty.c \
	%D%/proc_link.c \
	%D%/proc_map_files.c \
	%D%/proc_maps.c \
	%D%/proc_mem.c \
	%D%/system/proc_memory.c \
	%D%/proc_mount.c \
	%D%/proc_mounts.c \
	%D%/system/proc_net.c %D%/system/proc_net.h \
	%D%/system/proc_net_tables.c %D%/system/proc_net_sockets.c \
	%D%/proc_ns.c \
	%D%/proc_oom.c \
	%D%/proc_pagemap.c \
	%D%/proc_process.c \
	%D%/proc_root.c \
	%D%/proc_sample.c %D%/proc_sample.h \
	%D%/proc_security.c \
	%D%/proc_sleep.c \
	%D%/proc_smaps.c \
	%D%/proc_stat.c \
	%D%/proc_status.c \
	%D%/sys/proc_sysctl.c \
	%D%/system/proc_locks.c %D%/system/proc_system.c %D%/system/proc_system.h \
	%D%/proc_task.c %D%/proc_timens.c \
	%D%/sys/sysctl.c %D%/sys/sysctl.h \
	%D%/sys/sysctl_mqueue.c %D%/sys/sysctl_mqueue.h \
	%D%/sys/sysctl_net.c %D%/sys/sysctl_net.h \
	%D%/sys/sysctl_table.c
