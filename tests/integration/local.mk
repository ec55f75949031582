# SPDX-License-Identifier: Apache-2.0
# check_PROGRAMS, TESTS and EXTRA_DIST of tests/integration.

check_PROGRAMS += %D%/with_listener

EXTRA_DIST += \
	%D%/cli_bad_input.bats \
	%D%/cli_cgroups.bats \
	%D%/cli_crash.bats \
	%D%/cli_events.bats \
	%D%/cli_exec.bats \
	%D%/cli_hooks.bats \
	%D%/cli_lifecycle.bats \
	%D%/cli_options.bats \
	%D%/cli_pause.bats \
	%D%/cli_platform.bats \
	%D%/cli_robust.bats \
	%D%/cli_seccomp.bats \
	%D%/cli_update.bats \
	%D%/helpers.bash
EXTRA_DIST += \
	%D%/debian-root \
	%D%/debuggers.bats \
	%D%/docker.bats \
	%D%/docker_helpers.bash \
	%D%/docker_terminal.bats \
	%D%/podman.bats \
	%D%/program_helpers.bash \
	%D%/programs.bats \
	%D%/programs_more.bats \
	%D%/terminal.bats \
	%D%/terminal_helpers.bash
