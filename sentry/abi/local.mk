# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/poll.h %D%/epoll.h %D%/ioctl.h %D%/socket.h %D%/netlink.h
libsentry_a_SOURCES += %D%/aio.h %D%/capability.h %D%/futex.h %D%/guest_addr.h %D%/pidfd.h %D%/prctl.h %D%/ptrace.h %D%/resource.h \
	%D%/seccomp.h \
	%D%/sched.h %D%/signal.h %D%/time.h %D%/timex.h %D%/wait.h
libsentry_a_SOURCES += %D%/fs.h %D%/termios.h
libsentry_a_SOURCES += %D%/aio.h %D%/elf.h %D%/ipc.h %D%/keys.h %D%/mm.h %D%/mqueue.h
