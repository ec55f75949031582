# SPDX-License-Identifier: Apache-2.0
# The command line.  main.c is in the top Makefile.am.
libruntime_a_SOURCES += \
	%D%/byte_size.c %D%/byte_size.h \
	%D%/cgroup/cgroup.c %D%/cgroup/cgroup.h \
	%D%/cgroup/cgroup_limits.c %D%/cgroup/cgroup_list_limits.c \
	%D%/cgroup/cgroup_locate.c \
	%D%/cgroup/cgroup_oom.c %D%/cgroup/cgroup_oom.h \
	%D%/cgroup/cgroup_stats.c %D%/cgroup/cgroup_stats.h \
	%D%/cmd/boot.c \
	%D%/cmd/checkpoint.c \
	%D%/cmd/create.c \
	%D%/cmd/create_rows.h \
	%D%/cmd/debug.c \
	%D%/cmd/delete.c \
	%D%/cmd/do.c \
	%D%/cmd/events.c \
	%D%/cmd/exec.c \
	%D%/cmd/exec_cgroup.c %D%/cmd/exec_cgroup.h \
	%D%/cmd/exec_process.c %D%/cmd/exec_process.h \
	%D%/cmd/features.c \
	%D%/cmd/gofer.c \
	%D%/cmd/kill.c \
	%D%/cmd/list.c \
	%D%/cmd/list_syscalls.c \
	%D%/cmd/pause.c \
	%D%/cmd/ps.c \
	%D%/cmd/ps_list.c %D%/cmd/ps_list.h \
	%D%/cmd/ps_table.c %D%/cmd/ps_table.h \
	%D%/cmd/run.c %D%/cmd/run.h \
	%D%/cmd/spec.c \
	%D%/cmd/start.c \
	%D%/cmd/state.c \
	%D%/cmd/update.c \
	%D%/cmd/usage.c \
	%D%/cmd/user_name.c %D%/cmd/user_name.h \
	%D%/cmd/wait.c \
	%D%/command.h \
	%D%/commands.c \
	%D%/container/check_supported.c %D%/container/check_supported.h \
	%D%/container/container.c %D%/container/container.h \
	%D%/container/lifecycle.c %D%/container/lifecycle.h \
	%D%/container/namespace_look.c %D%/container/namespace_look.h \
	%D%/container/namespaces.c %D%/container/namespaces.h \
	%D%/container/pod.c %D%/container/pod.h \
	%D%/container/pod_user.c %D%/container/pod_user.h \
	%D%/container/process.c %D%/container/process.h \
	%D%/container/sandbox_processes.c %D%/container/sandbox_processes.h \
	%D%/container/state_file.c %D%/container/state_file.h \
	%D%/console.c %D%/console.h \
	%D%/control_client.c %D%/control_client.h \
	%D%/duration.c %D%/duration.h \
	%D%/forward.c %D%/forward.h \
	%D%/globals.c \
	%D%/go_number.c %D%/go_number.h \
	%D%/help.c %D%/help.h \
	%D%/hooks.c %D%/hooks.h \
	%D%/notify.c %D%/notify.h \
	%D%/options.c %D%/options.h \
	%D%/json_print.c %D%/json_print.h \
	%D%/pid_file.c %D%/pid_file.h \
	%D%/sandbox/attach.c %D%/sandbox/attach.h \
	%D%/sandbox/monitor_confine.c %D%/sandbox/monitor_confine.h \
	%D%/sandbox/seccomp_compile.c %D%/sandbox/seccomp_compile.h \
	%D%/sandbox/id_mapped.c %D%/sandbox/id_mapped.h \
	%D%/sandbox/id_maps.c %D%/sandbox/id_maps.h \
	%D%/sandbox/boot_arena.c %D%/sandbox/boot_arena.h \
	%D%/sandbox/boot_config_build.c %D%/sandbox/boot_config_build.h \
	%D%/sandbox/boot_process_convert.c \
	%D%/sandbox/boot_send.c %D%/sandbox/boot_send.h \
	%D%/sandbox/clone.c %D%/sandbox/clone.h %D%/sandbox/network.c %D%/sandbox/network.h \
	%D%/sandbox/launch.c %D%/sandbox/launch.h \
	%D%/sandbox/launch_gofer.c \
	%D%/sandbox/launch_monitor.c \
	%D%/sandbox/launch_sentry.c \
	%D%/sandbox/launch_subcontainer.c \
	%D%/sandbox/launch_state.h \
	%D%/sandbox/preserve.c %D%/sandbox/preserve.h \
	%D%/sandbox/tree.c %D%/sandbox/tree.h \
	%D%/sandbox/volume_name.c %D%/sandbox/volume_name.h \
	%D%/sanitize.c %D%/sanitize.h \
	%D%/signal_name.c %D%/signal_name.h \
	%D%/start_hooks.c %D%/start_hooks.h \
	%D%/systemd/container_unit.c %D%/systemd/container_unit.h \
	%D%/systemd/limit_properties.c \
	%D%/systemd/manager.c %D%/systemd/manager.h \
	%D%/systemd/property.c %D%/systemd/property.h \
	%D%/systemd/sd_bus.c %D%/systemd/sd_bus.h \
	%D%/systemd/unit_name.c %D%/systemd/unit_name.h \
	%D%/systemd/unit_properties.c %D%/systemd/unit_properties.h \
	%D%/systemd/value_text.c %D%/systemd/value_text.h \
	%D%/standard_fds.c %D%/standard_fds.h \
	%D%/version.h

# The table of system calls and the notes of docs/compatibility-notes.in, as rows of C.
runtime_syscall_rows = %D%/cmd/syscall_rows.inc
BUILT_SOURCES += $(runtime_syscall_rows)
CLEANFILES += $(runtime_syscall_rows)
%D%/cmd/list_syscalls.$(OBJEXT): $(runtime_syscall_rows)
$(runtime_syscall_rows): $(top_srcdir)/docs/make-compatibility \
		$(top_srcdir)/docs/compatibility-notes.in $(top_srcdir)/sentry/syscalls/syscalls.def
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(top_srcdir)/docs/make-compatibility --rows $(top_srcdir) >$@.new && \
		mv $@.new $@
