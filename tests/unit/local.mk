# SPDX-License-Identifier: Apache-2.0
# A test is one line, `unit_tests += %D%/test_name`, built from test_name.c and linked with every
# library.  Tests of the lowest layers name fewer, so that they build when others do not.
unit_tests =
unit_base_libs = liboci.a libutil.a $(YAJL_LIBS) $(CAP_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += %D%/unit.h %D%/full_config.h

unit_tests += %D%/test_error
%C%_test_error_LDADD = $(unit_base_libs)
unit_tests += %D%/test_file
%C%_test_file_LDADD = $(unit_base_libs)
unit_tests += %D%/test_json
%C%_test_json_LDADD = $(unit_base_libs)
unit_tests += %D%/test_lock
%C%_test_lock_LDADD = $(unit_base_libs)
unit_tests += %D%/test_oci
%C%_test_oci_LDADD = $(unit_base_libs)
unit_tests += %D%/test_spec
%C%_test_spec_LDADD = $(unit_base_libs)
unit_tests += %D%/test_util
%C%_test_util_LDADD = $(unit_base_libs)

# The gofer: its protocol's two ends against each other, and the file system over it.
unit_gofer_libs = libsentry.a libgofer.a libutil.a $(SECCOMP_LIBS) $(CAP_LIBS) $(CMOCKA_LIBS)
unit_tests += %D%/gofer_client %D%/gofer_hostile %D%/gofer_confine %D%/gofer_vfs %D%/gofer_volume
%C%_gofer_client_SOURCES = %D%/gofer_client.c %D%/gofer_fixture.c %D%/gofer_fixture.h
%C%_gofer_client_LDADD = $(unit_gofer_libs)
%C%_gofer_hostile_SOURCES = %D%/gofer_hostile.c %D%/gofer_fixture.c %D%/gofer_fixture.h
%C%_gofer_hostile_LDADD = $(unit_gofer_libs)
%C%_gofer_confine_SOURCES = %D%/gofer_confine.c %D%/gofer_fixture.c %D%/gofer_fixture.h
%C%_gofer_confine_LDADD = $(unit_gofer_libs)
gofer_guest = %D%/gofer_guest.c %D%/gofer_guest.h %D%/gofer_fixture.c %D%/gofer_fixture.h
%C%_gofer_vfs_SOURCES = %D%/gofer_vfs.c $(gofer_guest)
%C%_gofer_vfs_LDADD = $(unit_gofer_libs)
%C%_gofer_volume_SOURCES = %D%/gofer_volume.c $(gofer_guest)
%C%_gofer_volume_LDADD = $(unit_gofer_libs)

# sentry/mm and sentry/loader, on the fake platform.
EXTRA_DIST += %D%/elf_maker.h
unit_tests += %D%/test_loader %D%/test_mm %D%/test_usercopy %D%/test_vma_set
%C%_test_loader_LDADD = libfake.a $(LDADD)
%C%_test_mm_LDADD = libfake.a $(LDADD)
%C%_test_usercopy_LDADD = libfake.a $(LDADD)

unit_tests += %D%/test_wait

# The command line, and the sentry's control side.
unit_tests += %D%/test_boot_config %D%/test_cgroup %D%/test_cli %D%/test_control %D%/test_pod %D%/test_systemd

# Pipes, epoll, local sockets and handed-in host files.
unit_tests += %D%/test_aio %D%/test_pipe %D%/test_epoll %D%/test_unix %D%/test_host_file %D%/test_tty

# sentry/kernel on the fake platform, with a loader and a dispatcher of the test's own.
unit_tests += %D%/test_kernel
unit_tests += %D%/test_bpf %D%/test_hostinet
unit_tests += %D%/test_objects
%C%_test_objects_LDADD = libfake.a $(LDADD)
%C%_test_kernel_LDADD = libfake.a $(LDADD)

# sentry/vfs over tmpfs and overlay.
unit_tests += %D%/test_vfs %D%/test_tmpfs %D%/test_overlay %D%/test_mount_context
%C%_test_vfs_SOURCES = %D%/test_vfs.c %D%/vfs_fixture.c %D%/vfs_fixture.h
%C%_test_tmpfs_SOURCES = %D%/test_tmpfs.c %D%/vfs_fixture.c %D%/vfs_fixture.h
%C%_test_overlay_SOURCES = %D%/test_overlay.c %D%/vfs_fixture.c %D%/vfs_fixture.h
%C%_test_mount_context_SOURCES = %D%/test_mount_context.c %D%/vfs_fixture.c %D%/vfs_fixture.h

# proc, sysfs, cgroup and the devices, seen by a process on the fake platform.
unit_tests += %D%/test_proc
%C%_test_proc_LDADD = libfake.a $(LDADD)

# The ptrace platform, with real stubs.
unit_tests += %D%/test_ptrace %D%/test_ptrace_tasks
%C%_test_ptrace_SOURCES = %D%/test_ptrace.c %D%/ptrace_guest.c %D%/ptrace_guest.h
%C%_test_ptrace_tasks_SOURCES = %D%/test_ptrace_tasks.c %D%/ptrace_guest.c %D%/ptrace_guest.h

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
