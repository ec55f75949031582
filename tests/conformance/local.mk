# The conformance cases, linked twice: statically (the default of ./run) and dynamically (./run --dynamic).
# Run them with tests/conformance/run, see --help there.

conformance_sources = \
	tests/conformance/conformance.c \
	tests/conformance/conformance.h \
	tests/conformance/driver.c \
	tests/conformance/error_first.c \
	tests/conformance/error_order.c \
	tests/conformance/file_aio.c \
	tests/conformance/file_attributes.c \
	tests/conformance/file_descriptors.c \
	tests/conformance/file_flags.c \
	tests/conformance/file_handle.c \
	tests/conformance/file_io.c \
	tests/conformance/file_lease.c \
	tests/conformance/file_lock_list.c \
	tests/conformance/file_names.c \
	tests/conformance/file_notify.c \
	tests/conformance/file_open.c \
	tests/conformance/file_signals.c \
	tests/conformance/futex_death.c \
	tests/conformance/futex_many.c \
	tests/conformance/futex_requeue_pi.c \
	tests/conformance/futex_wait.c \
	tests/conformance/ipc_message.c \
	tests/conformance/ipc_mqueue.c \
	tests/conformance/ipc_pipe.c \
	tests/conformance/ipc_poll.c \
	tests/conformance/ipc_shm.c \
	tests/conformance/keys.c \
	tests/conformance/memory_calls.c \
	tests/conformance/memory_growth.c \
	tests/conformance/mmap_basic.c \
	tests/conformance/mmap_harden.c \
	tests/conformance/mmap_shared.c \
	tests/conformance/mount_context.c \
	tests/conformance/mount_detached.c \
	tests/conformance/mount_locked.c \
	tests/conformance/mount_namespaces.c \
	tests/conformance/mount_numbers.c \
	tests/conformance/mount_options.c \
	tests/conformance/mount_propagation.c \
	tests/conformance/mount_setattr.c \
	tests/conformance/mount_tree.c \
	tests/conformance/mount_tree.h \
	tests/conformance/namespace.c \
	tests/conformance/namespace_ids.c \
	tests/conformance/namespace.h \
	tests/conformance/namespace_pid.c \
	tests/conformance/namespace_rights.c \
	tests/conformance/namespace_setns.c \
	tests/conformance/namespace_time.c \
	tests/conformance/namespace_unshare.c \
	tests/conformance/namespace_user.c \
	tests/conformance/native.c \
	tests/conformance/pidfd.c \
	tests/conformance/pidfs.c \
	tests/conformance/prctl_rules.c \
	tests/conformance/proc_flags.c \
	tests/conformance/proc_map_files.c \
	tests/conformance/proc_pagemap.c \
	tests/conformance/proc_process.c \
	tests/conformance/proc_positions.c \
	tests/conformance/proc_sleep.c \
	tests/conformance/proc_system.c \
	tests/conformance/process_clone_rules.c \
	tests/conformance/process_exec.c \
	tests/conformance/process_exec_rules.c \
	tests/conformance/process_fork.c \
	tests/conformance/process_wait.c \
	tests/conformance/ptrace.h \
	tests/conformance/ptrace_attach.c \
	tests/conformance/ptrace_common.c \
	tests/conformance/ptrace_event.c \
	tests/conformance/ptrace_memory.c \
	tests/conformance/ptrace_race.c \
	tests/conformance/ptrace_seccomp.c \
	tests/conformance/ptrace_signal.c \
	tests/conformance/ptrace_step.c \
	tests/conformance/ptrace_syscall.c \
	tests/conformance/seccomp_filter.c \
	tests/conformance/seccomp_listener.c \
	tests/conformance/process_wait_rules.c \
	tests/conformance/process_wait_sleep.c \
	tests/conformance/sched_rules.c \
	tests/conformance/signal_compat.c \
	tests/conformance/signal_fault.c \
	tests/conformance/signal_handler.c \
	tests/conformance/signal_rules.c \
	tests/conformance/signal_state.c \
	tests/conformance/signal_threads.c \
	tests/conformance/signal_wait.c \
	tests/conformance/socket_list.c \
	tests/conformance/socket_pass.c \
	tests/conformance/socket_inet.c \
	tests/conformance/socket_inet.h \
	tests/conformance/socket_inet_datagram.c \
	tests/conformance/socket_inet_port.c \
	tests/conformance/socket_unix.c \
	tests/conformance/syscall_dispatch.c \
	tests/conformance/syscall_quick.c \
	tests/conformance/system_credentials.c \
	tests/conformance/system_misc.c \
	tests/conformance/system_proc.c \
	tests/conformance/thread_clone.c \
	tests/conformance/thread_locks.c \
	tests/conformance/time_clocks.c \
	tests/conformance/time_timers.c \
	tests/conformance/tty_discipline.c \
	tests/conformance/tty_helpers.c \
	tests/conformance/tty_helpers.h \
	tests/conformance/tty_job.c

conformance_cflags = \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -fno-pie \
	-fno-sanitize=all

check_PROGRAMS += tests/conformance/conformance tests/conformance/conformance-dynamic

tests_conformance_conformance_SOURCES = $(conformance_sources)
tests_conformance_conformance_CFLAGS = $(conformance_cflags)
tests_conformance_conformance_LDFLAGS = -static
tests_conformance_conformance_LDADD = -lpthread -lrt

tests_conformance_conformance_dynamic_SOURCES = $(conformance_sources)
tests_conformance_conformance_dynamic_CFLAGS = $(conformance_cflags)
tests_conformance_conformance_dynamic_LDFLAGS = -no-pie
tests_conformance_conformance_dynamic_LDADD = -lpthread -lrt

EXTRA_DIST += tests/conformance/run tests/conformance/known-differences
