# SPDX-License-Identifier: Apache-2.0
# check_PROGRAMS, TESTS and EXTRA_DIST of tests/integration.

check_PROGRAMS += %D%/id_mapped %D%/kick_held %D%/notify_send %D%/with_listener %D%/volume_peer

# Of the static programs that run in a guest.
guest_helper_cflags = \
	-O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -fno-pie \
	-fno-sanitize=all

tests_integration_id_mapped_SOURCES = %D%/id_mapped.c

# For stub_abi.h alone: it has nothing of moat in it.
tests_integration_kick_held_SOURCES = %D%/kick_held.c
tests_integration_kick_held_CFLAGS = $(guest_helper_cflags)
tests_integration_kick_held_LDFLAGS = -static
tests_integration_kick_held_LDADD =

tests_integration_notify_send_SOURCES = %D%/notify_send.c
tests_integration_notify_send_CFLAGS = $(guest_helper_cflags)
tests_integration_notify_send_LDFLAGS = -static
tests_integration_notify_send_LDADD =

tests_integration_volume_peer_SOURCES = %D%/volume_peer.c
tests_integration_volume_peer_CFLAGS = $(guest_helper_cflags)
tests_integration_volume_peer_LDFLAGS = -static
tests_integration_volume_peer_LDADD = -lpthread

EXTRA_DIST += \
	%D%/cli_bad_input.bats \
	%D%/cli_cgroups.bats \
	%D%/cli_crash.bats \
	%D%/cli_debug.bats \
	%D%/cli_do.bats \
	%D%/cli_events.bats \
	%D%/cli_exec.bats \
	%D%/cli_misuse.bats \
	%D%/cli_faults.bats \
	%D%/cli_hooks.bats \
	%D%/cli_id_mapped.bats \
	%D%/cli_lifecycle.bats \
	%D%/cli_notify.bats %D%/notify_fake.py \
	%D%/cli_options.bats \
	%D%/cli_pause.bats \
	%D%/cli_platform.bats %D%/cli_process.bats \
	%D%/cli_robust.bats \
	%D%/cli_seccomp.bats \
	%D%/cli_systemd.bats %D%/systemd_helpers.bash %D%/systemd_fake.py \
	%D%/cli_propagation.bats \
	%D%/cli_tmpfs.bats \
	%D%/cli_update.bats \
	%D%/cli_namespaces.bats \
	%D%/install.bats \
	%D%/helpers.bash
EXTRA_DIST += \
	%D%/debian-root \
	%D%/debuggers.bats \
	%D%/docker.bats \
	%D%/docker_build.bats \
	%D%/docker_helpers.bash \
	%D%/docker_life.bats \
	%D%/docker_network.bats \
	%D%/docker_terminal.bats \
	%D%/pod_helpers.bash \
	%D%/podman.bats \
	%D%/podman_helpers.bash \
	%D%/podman_pods.bats \
	%D%/pod_users.bats \
	%D%/pods.bats \
	%D%/program_helpers.bash \
	%D%/programs.bats \
	%D%/programs_more.bats \
	%D%/rootless.bats \
	%D%/terminal.bats \
	%D%/terminal_helpers.bash \
	%D%/user_namespaces.bats \
	%D%/volumes.bats
