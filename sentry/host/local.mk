# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/host_control.c %D%/host_control.h
libsentry_a_SOURCES += %D%/host_clock.c %D%/host_clock.h %D%/host_futex.c %D%/host_futex.h \
	%D%/host_thread.c %D%/host_thread.h
libsentry_a_SOURCES += %D%/host_children.c %D%/host_children.h
libsentry_a_SOURCES += %D%/host_epoll.c %D%/host_epoll.h %D%/host_stream.c %D%/host_stream.h
libsentry_a_SOURCES += %D%/host_socket.c %D%/host_socket.h
libsentry_a_SOURCES += %D%/host_inet.c %D%/host_inet.h %D%/host_inet_option.c %D%/host_inet_option.h \
	%D%/host_netlink.c %D%/host_netlink.h
libsentry_a_SOURCES += %D%/host_memory.c %D%/host_memory.h
libsentry_a_SOURCES += %D%/host_memfd.c %D%/host_memfd.h
libsentry_a_SOURCES += %D%/host_process.c %D%/host_process.h
libsentry_a_SOURCES += %D%/host_seccomp.c %D%/host_seccomp.h
libsentry_a_SOURCES += %D%/host_procfs.c %D%/host_procfs.h
libsentry_a_SOURCES += %D%/host_sanitizer.c %D%/host_sanitizer.h
libsentry_a_SOURCES += %D%/host_confine.c %D%/host_confine.h
libsentry_a_SOURCES += %D%/host_tty.c %D%/host_tty.h
libsentry_a_SOURCES += %D%/host_limits.c %D%/host_limits.h
libsentry_a_SOURCES += %D%/host_membarrier.c %D%/host_membarrier.h
libsentry_a_SOURCES += %D%/host_system.c %D%/host_system.h
libsentry_a_SOURCES += %D%/host_file.c %D%/host_file.h
libsentry_a_SOURCES += %D%/host_ptrace.c %D%/host_ptrace.h
