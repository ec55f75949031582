# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/bpf_classic.c %D%/bpf_classic.h %D%/task_container.c %D%/task_container.h %D%/task_cgroup.c %D%/task_cgroup.h %D%/clock_sleep.c %D%/cpu_clock.c %D%/cpu_clock.h %D%/clock_sleep.h %D%/cpu_taker.c %D%/cpu_time.h %D%/exec_credentials.c \
	%D%/file_owner.c %D%/file_owner.h %D%/futex.c %D%/futex.h %D%/futex_exit.c \
	%D%/futex_internal.h %D%/futex_pi.c %D%/futex_pi_internal.h %D%/futex_requeue_pi.c \
	%D%/futex_waitv.c %D%/futex_wake_op.c \
	%D%/itimer.c %D%/itimer.h %D%/kernel.c %D%/kernel.h %D%/kernel_pause.c %D%/kernel_pause.h %D%/kernel_process.c %D%/klog.c \
	%D%/klog.h %D%/namespace_join.c %D%/namespace_kind.c %D%/namespaces.c \
	%D%/namespaces.h %D%/time_namespace.c %D%/time_namespace.h %D%/pid.h %D%/pid_bitmap.c %D%/pid_bitmap.h \
	%D%/pid_namespace.c %D%/pidfd.c %D%/pidfd_ioctl.c %D%/pidfd.h %D%/posix_timer.c %D%/posix_timer.h \
	%D%/process_group.c %D%/process_group.h %D%/program.h \
	%D%/ptrace.h %D%/ptrace_attach.c %D%/ptrace_internal.h %D%/ptrace_job.c %D%/ptrace_memory.c \
	%D%/ptrace_regs.c %D%/ptrace_request.c %D%/ptrace_run.c %D%/ptrace_seccomp.c %D%/ptrace_stop.c %D%/ptrace_syscall.c %D%/ptrace_thread_area.c %D%/ptrace_wait.c \
	%D%/ptrace_watch.c %D%/restart.h %D%/sched_deadline.c %D%/sched_deadline.h %D%/seccomp.c %D%/seccomp.h \
	%D%/seccomp_action.c %D%/seccomp_internal.h %D%/seccomp_notify.c \
	%D%/signal.c %D%/signal.h \
	%D%/signal_defer.c %D%/signal_frame.c %D%/signal_internal.h %D%/signal_send.c %D%/task.c %D%/task.h \
	%D%/task_access.c %D%/task_clone.c %D%/task_clone.h %D%/task_exec.c %D%/task_exec.h \
	%D%/task_exit.c %D%/task_fault.c %D%/task_internal.h %D%/task_io.h %D%/task_reap.c %D%/task_reap.h \
	%D%/task_room.c %D%/task_room.h %D%/task_run.c %D%/task_usage.c %D%/task_wait.c %D%/task_wait.h \
	%D%/terminal.c %D%/terminal.h %D%/thread_group.c %D%/timer.c %D%/timer.h \
	%D%/user_dispatch.c %D%/user_dispatch.h
