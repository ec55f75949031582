# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += \
	%D%/boot.h \
	%D%/boot.c \
	%D%/boot_attack.c \
	%D%/boot_cgroup.c \
	%D%/boot_control.c \
	%D%/boot_copy.c %D%/boot_copy.h \
	%D%/boot_debug.c \
	%D%/boot_devices.c %D%/boot_devices.h \
	%D%/boot_env.c \
	%D%/boot_mounts.c \
	%D%/boot_platform.c \
	%D%/boot_proc_mount.c %D%/boot_proc_mount.h \
	%D%/boot_process.c \
	%D%/boot_refusal.c \
	%D%/boot_subcontainer.c \
	%D%/boot_tree.c \
	%D%/console.c %D%/console.h \
	%D%/notify_socket.c %D%/notify_socket.h \
	%D%/sandbox.h \
	%D%/sandbox_container.c \
	%D%/subsystems.c %D%/subsystems.h
