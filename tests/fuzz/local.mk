# SPDX-License-Identifier: Apache-2.0
# Each fuzz target is one file and driver.c.  In ordinary builds they are tests that run a fixed number
# of reproducible inputs; with --enable-fuzzing (clang) they are libFuzzer programs, see contrib/check.
fuzz_targets = %D%/boot_config %D%/config_json %D%/control_requests %D%/elf_loader \
	%D%/gofer_server %D%/stub_events
fuzz_common = %D%/driver.c %D%/fuzz.h
EXTRA_DIST += %D%/corpus

%C%_boot_config_SOURCES = %D%/boot_config.c $(fuzz_common)
%C%_config_json_SOURCES = %D%/config_json.c $(fuzz_common)
%C%_control_requests_SOURCES = %D%/control_requests.c $(fuzz_common)
%C%_elf_loader_SOURCES = %D%/elf_loader.c $(fuzz_common)
%C%_elf_loader_LDADD = libfake.a $(LDADD)
%C%_gofer_server_SOURCES = %D%/gofer_server.c $(fuzz_common)
%C%_gofer_server_LDADD = libgofer.a libutil.a $(SECCOMP_LIBS) $(CAP_LIBS)
%C%_stub_events_SOURCES = %D%/stub_events.c $(fuzz_common)

# What the host would be asked is noted instead.
fuzz_wrap = -Wl,--wrap=host_process_kill,--wrap=host_notify_continue,--wrap=host_notify_return \
	-Wl,--wrap=host_notify_add_fd,--wrap=host_pidfd_open,--wrap=host_death_set_add \
	-Wl,--wrap=host_death_set_remove,--wrap=trap_pool_queue

if MOAT_FUZZING
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += $(fuzz_targets)
fuzzers: $(fuzz_targets)
.PHONY: fuzzers
else
fuzz_ldflags = $(AM_LDFLAGS)
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
endif

%C%_boot_config_LDFLAGS = $(fuzz_ldflags)
%C%_config_json_LDFLAGS = $(fuzz_ldflags)
%C%_control_requests_LDFLAGS = $(fuzz_ldflags)
%C%_elf_loader_LDFLAGS = $(fuzz_ldflags)
%C%_gofer_server_LDFLAGS = $(fuzz_ldflags)
%C%_stub_events_LDFLAGS = $(fuzz_ldflags) $(fuzz_wrap)
