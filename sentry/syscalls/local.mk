# SPDX-License-Identifier: Apache-2.0
# libsentry_a_SOURCES += %D%/name.c %D%/name.h
libsentry_a_SOURCES += %D%/fd_install.c %D%/fd_install.h %D%/pipe.c %D%/poll.c %D%/poll_set.c \
	%D%/poll_set.h %D%/select.c
libsentry_a_SOURCES += %D%/mmap.c %D%/mm_advise.c
libsentry_a_SOURCES += %D%/epoll.c %D%/eventfd.c %D%/timerfd.c %D%/signalfd.c
libsentry_a_SOURCES += %D%/dispatch.c %D%/dispatch.h %D%/handlers.h %D%/syscall.h \
	%D%/syscalls.def %D%/table.c
libsentry_a_SOURCES += %D%/file_call.c %D%/file_call.h %D%/file_open.c %D%/file_rw.c %D%/file_transfer.h %D%/file_stat.c \
	%D%/dir_list.c %D%/dir_current.c %D%/path_names.c %D%/path_owner.c %D%/path_times.c \
	%D%/file_size.c %D%/file_dup.c %D%/file_handle.c %D%/file_fcntl.c %D%/file_ioctl.c %D%/xattr.c %D%/splice.c \
	%D%/mount.c %D%/mount_call.h %D%/mount_context.c %D%/mount_setattr.c %D%/mount_tree.c %D%/statmount.c %D%/memfd_create.c %D%/inotify.c
libsentry_a_SOURCES += %D%/clone.c %D%/cred.c %D%/cred_sets.c %D%/exec.c %D%/exit_wait.c \
	%D%/futex.c %D%/futex2.c %D%/kernel_hooks.c %D%/kernel_hooks.h %D%/kill.c %D%/mempolicy.c %D%/namespace.c \
	%D%/nanosleep.c %D%/pidfd.c %D%/prctl.c %D%/ioprio.h %D%/sched_attr.h %D%/priority.c %D%/process_ids.c %D%/process_vm.c \
	%D%/ptrace.c \
	%D%/rlimit.c %D%/seccomp.c %D%/seccomp.h %D%/sched.c %D%/signal.c %D%/sysinfo.c %D%/system.c %D%/time.c %D%/time_args.h \
	%D%/timer.c %D%/sleep_symbol.c %D%/sleep_symbol.h
libsentry_a_SOURCES += %D%/keys.c %D%/mqueue.c %D%/socket.c %D%/socket_args.h %D%/socket_control.c \
	%D%/socket_msg.c %D%/socket_opt.c
libsentry_a_SOURCES += %D%/administration.c %D%/aio.c %D%/aio_submit.c %D%/cachestat.c %D%/membarrier.c %D%/process_madvise.c
libsentry_a_SOURCES += %D%/sysv_msg.c %D%/sysv_sem.c %D%/sysv_shm.c
