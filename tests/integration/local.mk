# SPDX-License-Identifier: Apache-2.0
# check_PROGRAMS, TESTS and EXTRA_DIST of tests/integration.

EXTRA_DIST += \
	%D%/cli_bad_input.bats \
	%D%/cli_exec.bats \
	%D%/cli_lifecycle.bats \
	%D%/cli_options.bats \
	%D%/cli_robust.bats \
	%D%/helpers.bash
EXTRA_DIST += \
	%D%/debian-root \
	%D%/docker.bats \
	%D%/docker_helpers.bash \
	%D%/docker_terminal.bats \
	%D%/podman.bats \
	%D%/programs.bats \
	%D%/terminal.bats \
	%D%/terminal_helpers.bash
